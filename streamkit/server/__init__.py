"""A real HTTP server that speaks the API of runs, from recordings and scripts.

    with serve("recordings/", speed=1) as server:
        client = openai.OpenAI(base_url=server.url, api_key="none")

It needs the extra ``server``.
"""

from ..testing.api import Asked, Place
from .running import Server, serve

__all__ = ["Asked", "Place", "Server", "serve"]
