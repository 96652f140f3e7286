"""What answers a run where it waits for the outputs of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..accumulator import Accumulator
from ..errors import LimitError, ToolError
from ..snapshots import RequiredActionFunctionToolCall, Run
from .endpoints import Endpoints
from .requests import Request
from .tools import Toolbox

__all__ = ["Conversation"]


class Conversation:
    """Runs the calls that a run waits for, and says what to submit.

    Args:
        endpoints: Where to submit.
        thread_id: The run's thread.
        toolbox: What runs the calls.
        max_legs: How many legs the run may take.
    """

    def __init__(
        self, endpoints: Endpoints, thread_id: str, toolbox: Toolbox, max_legs: int
    ) -> None:
        self._endpoints = endpoints
        self._thread_id = thread_id
        self._toolbox = toolbox
        self._max_legs = max_legs
        self._legs = 1

    def answer(self, accumulator: Accumulator) -> Request:
        """Run the calls, and return the request that opens the next leg.

        Raises:
            LimitError: The run wants another leg than it may take.
            ToolError, Exception: As `Toolbox.run` does.
        """
        run, calls = self._waiting(accumulator)
        return self._submission(run, self._toolbox.run(calls))

    async def aanswer(self, accumulator: Accumulator) -> Request:
        """Do what `answer` does; the calls run at the same time."""
        run, calls = self._waiting(accumulator)
        return self._submission(run, await self._toolbox.arun(calls))

    def _waiting(
        self, accumulator: Accumulator
    ) -> tuple[Run, Sequence[RequiredActionFunctionToolCall]]:
        """Return the run and the calls it waits for, if all of them can be answered."""
        self._legs += 1
        run = accumulator.run
        action = run.required_action if run is not None else None
        asked = action.tool_calls if action is not None else ()
        calls = [
            call
            for call in asked
            if isinstance(call, RequiredActionFunctionToolCall) and call.id is not None
        ]
        if self._legs > self._max_legs:
            raise LimitError(f"the run wants more than {self._max_legs} legs (max_legs)")
        if run is None or not calls or len(calls) < len(asked):
            kinds = ", ".join(sorted({str(call.type) for call in asked})) or "nothing it names"
            raise ToolError(
                f"the run waits for what no function can give ({kinds}); the run in this "
                "error's snapshot can still be answered, or cancelled"
            )
        return run, calls

    def _submission(self, run: Run, outputs: Mapping[str, str]) -> Request:
        return self._endpoints.submit_tool_outputs(self._thread_id, run.id, outputs, stream=True)
