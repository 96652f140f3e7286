"""The start page: what is served, and how to ask for it."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from html import escape
from string import Template
from typing import Final

from ..testing.api import Api, Entry

__all__ = ["welcome"]

# Every element is closed, so that a strict reader takes it, too.
_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width" />
<title>streamkit serve</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto }
  table { border-collapse: collapse }
  td, th { text-align: left; padding: .2rem 1.5rem .2rem 0; border-bottom: 1px solid #ddd }
  pre { background: #f4f4f4; padding: 1rem; overflow-x: auto }
</style>
</head>
<body>
<h1>streamkit serve</h1>
<p>$about</p>
<h2>What is served</h2>
<table>
<thead><tr><th>Name</th><th>Legs</th><th>Frames</th><th>Ends</th><th>Speed</th></tr></thead>
<tbody>
$rows
</tbody>
</table>
$faults
<h2>What a run plays</h2>
<p>The first of these that there is:</p>
<ol>
<li>what the mapping says of its assistant, or else of its model$mapping</li>
<li>what is called as its assistant is, or else as its model is</li>
<li>the next in the order above, from the first again after the last</li>
</ol>
<h2>How to ask</h2>
<pre>$curl</pre>
<pre>$python</pre>
</body>
</html>
""")


def welcome(api: Api, origin: str) -> str:
    """Write the page.

    Args:
        api: What is served.
        origin: Where, as the client sees it.
    """
    entries, mapping = api.catalogue.entries, api.catalogue.mapping
    about = "Runs and responses, played from recordings. Whatever else is asked for is refused."
    if api.is_sunset:
        about = "The endpoints of runs are switched off: they answer 404. Responses are served."
    url = f"{origin.rstrip('/')}/v1"
    name = entries[0].name if entries else "asst_1"
    curl = "\n".join(
        (
            _asking(f"{url}/threads/thread_1/runs", {"assistant_id": name, "stream": True}),
            _asking(f"{url}/responses", {"model": name, "input": "Hello", "stream": True}),
        )
    )
    said = [f"{_code(key)} is {_code(name)}" for key, name in mapping.items()]
    return _PAGE.substitute(
        about=about,
        rows="\n".join(map(_row, entries)) or '<tr><td colspan="5">Nothing.</td></tr>',
        faults=_faults(entries[0]) if entries else "",
        mapping=f": {', '.join(said)}" if said else "",
        curl=escape(curl),
        python=escape(f'client = openai.OpenAI(base_url="{url}", api_key="none")'),
    )


def _asking(url: str, body: Mapping[str, object]) -> str:
    """Write the command that asks for a stream."""
    return (
        f"curl -N {shlex.quote(url)} \\\n"
        f"  -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
    )


def _row(entry: Entry) -> str:
    frames = sum(len(body.ends) - 1 for body in entry.bodies)
    speed = entry.served.speed
    pace = "without waiting" if math.isinf(speed) else f"{speed:g}"
    cells = [entry.name, f"{len(entry.bodies)}", f"{frames:,}", entry.outcome, pace]
    return f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"


def _faults(entry: Entry) -> str:
    """Say what goes wrong; whatever is served here has the same faults."""
    faults = ", ".join(_code(str(fault)) for fault in entry.served.faults)
    return f"<p>With faults: {faults}</p>" if faults else ""


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Write a text as HTML; what no page may hold is replaced."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return escape(shown)
