"""Live runs: followed over the network, through tool calls and broken connections.

`open_run` and `aopen_run` follow one stream with a client of httpx or httpx2. `Runs` and
`AsyncRuns` are the Runs resource of the API reference; their ``converse`` follows a run
through all its legs and answers its calls of functions.
"""

from .async_runs import AsyncRuns, AsyncSteps
from .endpoints import SEARCH_CONTENT
from .runs import Runs, Steps
from .streams import AsyncRunStream, RunStream, aopen_run, open_run
from .waiting import Recovery

__all__ = [
    "SEARCH_CONTENT",
    "AsyncRunStream",
    "AsyncRuns",
    "AsyncSteps",
    "Recovery",
    "RunStream",
    "Runs",
    "Steps",
    "aopen_run",
    "open_run",
]
