"""The promise about changes, as something to hold an accumulator to.

`Promise` stands between a stream and an accumulator: what is fed goes through it, and each
sentence of the promise is looked at after each event. It knows nothing of how the fold is
done, only what was told and what the snapshot shows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from streamkit import (
    Accumulator,
    AnnotationAdded,
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    CodeInterpreterImageOutput,
    CodeInterpreterLogOutput,
    CodeInterpreterToolCall,
    DoneEvent,
    Event,
    Frame,
    FunctionToolCall,
    ImageAdded,
    ImageFileContentBlock,
    ImageURLContentBlock,
    LogAppended,
    Message,
    MessageContent,
    MessageDone,
    MessageEvent,
    MessageOpened,
    OtherToolCall,
    OutputDone,
    PartAdded,
    PeerError,
    Problem,
    ProblemFound,
    RefusalAppended,
    RefusalContentBlock,
    ResponseStreamEvent,
    RunChanged,
    RunSnapshot,
    RunStep,
    SequenceError,
    StepChanged,
    StepDone,
    StepEvent,
    StepOpened,
    StreamEnded,
    TextAppended,
    TextContentBlock,
    ToolCall,
    ToolCallsStepDetails,
    decode,
)

__all__ = ["Promise"]

ENDED: Final = {"completed", "failed", "cancelled", "expired", "incomplete"}

# What may make the fragments differ from the text in the end, at the place it names.
CONTRADICTIONS: Final = {"content_differs", "content_shrunk", "type_changed"}
REOPENINGS: Final = {"reopened", "illegal_move"}

TEXTS: Final = (CodeAppended, ArgumentsAppended, LogAppended, TextAppended, RefusalAppended)


# A step or a message, by the name that a problem gives its id.
Owner = tuple[str, str]


class Promise:
    """Feeds an accumulator, and holds it to the promise after each event."""

    def __init__(self, accumulator: Accumulator | None = None) -> None:
        self.accumulator = Accumulator() if accumulator is None else accumulator
        self.error: PeerError | None = None
        self._opened: dict[str, list[int]] = {}  # the calls of each step
        self._messages: set[str] = set()
        self._pieces: dict[tuple[object, ...], str] = defaultdict(str)
        self._texts: dict[str, dict[int, str]] = defaultdict(lambda: defaultdict(str))
        self._images: dict[tuple[object, ...], str | None] = {}
        self._added: Counter[tuple[object, ...]] = Counter()
        self._done: Counter[tuple[object, ...]] = Counter()
        self._last: dict[tuple[object, ...], object] = {}  # what was done, as it was told
        self._reopened: dict[Owner, int] = {}  # how often, when it was done last
        self._ended = False

    def feed(self, frame: Frame) -> list[Change]:
        """Feed a frame; a `PeerError` is kept in `error`, and what it carries is looked at."""
        try:
            changes = list(self.accumulator.feed_frame(frame))
        except PeerError as error:
            self.error = error
            changes = list(error.changes)
        if self.error is not None:
            shown = self.accumulator.snapshot()
            assert self.error.snapshot == shown, "an error carries the snapshot"
        event = _decoded(frame)
        is_repeat = isinstance(event, ResponseStreamEvent) and not changes
        if not is_repeat and event not in (DoneEvent(), None) and getattr(event, "data", 0) != "":
            self._ended = False
        self._look(changes, _terminals(event))
        return changes

    def end(self) -> list[Change]:
        """End the leg."""
        changes = list(self.accumulator.end())
        ends = [change for change in changes if isinstance(change, StreamEnded)]
        assert len(ends) == (not self._ended), "the end of a leg is told once"
        self._look(changes, set())
        assert list(self.accumulator.end()) == [], "a second end changes nothing"
        return changes

    def _look(self, changes: Sequence[Change], terminals: set[Owner]) -> None:
        for position, change in enumerate(changes):
            self._note(change, terminals)
            if isinstance(change, StreamEnded):
                assert position == len(changes) - 1, "the end of a leg is told last"
                assert change.outcome == self.accumulator.outcome, "the outcome is told"
                assert not self._ended, "the end of a leg is told once"
                self._ended = True
        snapshot = self.accumulator.snapshot()
        self._look_at_whole(changes, snapshot)
        problems = list(snapshot.problems)
        if isinstance(self.error, SequenceError) and self.error.problem is not None:
            problems.append(self.error.problem)
        for step in snapshot.steps:
            self._look_at_step(
                step, problems, ended=("step_id", step.id) in terminals and not self.error
            )
        for message in snapshot.messages:
            self._look_at_message(message, problems)
        assert [step.id for step in snapshot.steps] == list(self._opened), "steps are opened"
        known = {message.id for message in snapshot.messages}
        assert known == self._messages, "messages are opened"

    def _note(self, change: Change, terminals: set[Owner]) -> None:
        """Look at a change by itself, and in view of those before it."""
        if isinstance(change, TEXTS):
            assert change.text, "an empty fragment is no change"
        match change:
            case StepOpened(step):
                assert step.id not in self._opened, "a step is opened once"
                self._opened[step.id] = []
            case MessageOpened(message):
                assert message.id not in self._messages, "a message is opened once"
                self._messages.add(message.id)
            case CallOpened(step_id, index):
                assert index not in self._opened[step_id], "a call is opened once"
                self._opened[step_id].append(index)
            case StepDone(step):
                self._note_done(step, ("step_id", step.id), terminals)
            case CallDone(step_id, index, _, call):
                self._note_done(call, ("step_id", step_id), terminals, index)
            case OutputDone(step_id, index, _, place, output):
                self._note_done(output, ("step_id", step_id), terminals, index, place)
            case MessageDone(message):
                self._note_done(message, ("message_id", message.id), terminals)
            case TextAppended() | RefusalAppended() | PartAdded() | AnnotationAdded():
                self._note_content(change)
            case CodeAppended() | ArgumentsAppended() | LogAppended() | ImageAdded():
                self._note_fragment(change)
            case _:
                pass

    def _note_fragment(
        self, change: CodeAppended | ArgumentsAppended | LogAppended | ImageAdded
    ) -> None:
        assert change.call_index in self._opened[change.step_id], "a call opens before it grows"
        self._note_growth(("step_id", change.step_id))
        place = (change.step_id, change.call_index, type(change))
        match change:
            case ImageAdded(_, _, _, output_index, file_id, url):
                self._images[*place, output_index] = file_id or url
            case LogAppended():
                self._pieces[*place, change.output_index] += change.text
            case _:
                self._pieces[place] += change.text

    def _note_content(
        self, change: TextAppended | RefusalAppended | PartAdded | AnnotationAdded
    ) -> None:
        assert change.message_id in self._messages, "a message opens before it grows"
        self._note_growth(("message_id", change.message_id))
        if isinstance(change, TextAppended | RefusalAppended):
            self._texts[change.message_id][change.content_index] += change.text
        elif not isinstance(change, PartAdded) or _is_whole(change.part):
            self._added[change.message_id, type(change)] += 1

    def _note_growth(self, owner: Owner) -> None:
        was = self._reopened.get(owner)
        assert was is None or self._reopenings(owner) > was, "what is done does not grow"

    def _note_done(self, whole: object, owner: Owner, terminals: set[Owner], *place: int) -> None:
        self._last[owner, *place] = whole
        assert owner in terminals, "nothing is done before its terminal object comes"
        self._done[owner, *place] += 1
        reopenings = self._reopenings(owner)
        assert self._done[owner, *place] <= 1 + reopenings, "what is done is done once"
        if not place:
            self._reopened[owner] = reopenings

    def _reopenings(self, owner: Owner) -> int:
        name, its_id = owner
        return sum(
            problem.count
            for problem in self.accumulator.problems
            if problem.kind in REOPENINGS and getattr(problem, name) == its_id
        )

    def _look_at_whole(self, changes: Iterable[Change], snapshot: RunSnapshot) -> None:
        """See that what was told stands in the snapshot right after."""
        steps = {step.id: step for step in snapshot.steps}
        messages = {message.id: message for message in snapshot.messages}
        latest = {type(change): change for change in changes}
        if isinstance(told := latest.get(RunChanged), RunChanged):
            assert told.run == snapshot.run, "the run is what was told"
        for kind in (StepChanged, StepDone):
            if isinstance(told := latest.get(kind), StepChanged | StepDone):
                assert told.step == steps[told.step.id], "the step is what was told"
        if isinstance(told := latest.get(MessageDone), MessageDone):
            assert told.message == messages[told.message.id], "the message is what was told"
        for change in changes:
            if isinstance(change, ProblemFound):
                said = change.problem
                known = map(_slot, snapshot.problems)
                assert _slot(said) in known, "the problem is what was told"
            if isinstance(change, CallDone):
                rank = sorted(self._opened[change.step_id]).index(change.call_index)
                whole = _calls(steps[change.step_id])[rank]
                assert change.call == whole, "the call is what was told"

    def _look_at_step(self, step: RunStep, problems: Sequence[Problem], *, ended: bool) -> None:
        calls = _calls(step)
        indices = sorted(self._opened[step.id])
        assert len(calls) == len(indices), "each call is opened once"
        owner = ("step_id", step.id)
        assert not ended or (owner,) in self._last, "a step is done with its terminal object"
        for index, call in zip(indices, calls, strict=True):
            assert not ended or self._last[owner, index] == call, "a call is done as it ended"
            if ended and isinstance(call, CodeInterpreterToolCall):
                places = sorted(place[2:] for place in self._last if place[:2] == (owner, index))
                ends = [self._last[(owner, index, *place)] for place in places if place]
                outputs = call.code_interpreter.outputs if call.code_interpreter else ()
                assert ends == list(outputs), "an output is done as it ended"
            excused = {
                problem.output_index
                for problem in problems
                if problem.kind in CONTRADICTIONS
                and (problem.step_id, problem.call_index) == (step.id, index)
            }
            if None not in excused:
                self._look_at_call(step.id, index, call)
            if not excused and isinstance(call, CodeInterpreterToolCall):
                self._look_at_outputs(step.id, index, call)

    def _look_at_call(self, step_id: str, index: int, call: ToolCall) -> None:
        code = self._pieces.get((step_id, index, CodeAppended), "")
        arguments = self._pieces.get((step_id, index, ArgumentsAppended), "")
        match call:
            case CodeInterpreterToolCall():
                shown = call.code_interpreter.input if call.code_interpreter else ""
                assert (code, arguments) == (shown, ""), "the fragments are the code"
            case FunctionToolCall():
                shown = call.function.arguments if call.function else ""
                assert arguments == shown, "the fragments are the arguments"
            case OtherToolCall():
                texts = list(_arguments(call.extra or {}, call.type))
                in_turns = sorted if len(texts) > 1 else list
                shown = "".join(texts)
                assert in_turns(arguments) == in_turns(shown), "the fragments are the arguments"

    def _look_at_outputs(self, step_id: str, index: int, call: CodeInterpreterToolCall) -> None:
        outputs = call.code_interpreter.outputs if call.code_interpreter else ()
        shown: list[object] = []
        for output in outputs:
            if isinstance(output, CodeInterpreterLogOutput) and output.logs:
                shown.append(output.logs)
            elif isinstance(output, CodeInterpreterImageOutput) and output.image:
                where = output.image.file_id or output.image.url
                shown += [where] if where else []
        told: dict[Any, object] = {}
        for known in (self._pieces, self._images):
            for place, value in known.items():
                if place[:2] == (step_id, index) and len(place) == 4:
                    told[place[3]] = value
        assert [told[at] for at in sorted(told)] == shown, "the fragments are the outputs"

    def _look_at_message(self, message: Message, problems: Sequence[Problem]) -> None:
        if any(p.kind in CONTRADICTIONS and p.message_id == message.id for p in problems):
            return
        told = self._texts[message.id]
        shown = list(filter(None, map(_text, message.content)))
        assert [told[at] for at in sorted(told)] == shown, "the fragments are the texts"
        wholes = sum(map(_is_whole, message.content))
        annotations = sum(map(_annotations, message.content))
        assert self._added[message.id, PartAdded] == wholes, "parts are told once"
        told_of = self._added[message.id, AnnotationAdded]
        assert told_of == annotations, "annotations are told once"


def _text(part: MessageContent) -> str:
    if isinstance(part, TextContentBlock):
        return part.text.value if part.text else ""
    return part.refusal if isinstance(part, RefusalContentBlock) else ""


def _annotations(part: MessageContent) -> int:
    return len(part.text.annotations) if isinstance(part, TextContentBlock) and part.text else 0


def _is_whole(part: MessageContent) -> bool:
    """Whether this is told as a part: an image that lies somewhere, or another kind."""
    match part:
        case ImageFileContentBlock():
            return bool(part.image_file and part.image_file.file_id)
        case ImageURLContentBlock():
            return bool(part.image_url and part.image_url.url)
        case _:
            return part.type not in (None, "text", "refusal")


def _slot(problem: Problem) -> tuple[object, ...]:
    place = (problem.step_id, problem.call_index, problem.output_index, problem.message_id)
    return (problem.kind, *place)


def _calls(step: RunStep) -> Sequence[ToolCall]:
    details = step.step_details
    return details.tool_calls if isinstance(details, ToolCallsStepDetails) else ()


def _arguments(fields: Mapping[str, Any], kind: str | None) -> Iterable[str]:
    """Find the arguments in an unknown kind of call, wherever they lie."""
    for name, value in fields.items():
        grows = name == "arguments" or (name == "input" and kind == "custom_tool_call")
        if grows and isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _arguments(value, kind)


def _decoded(frame: Frame) -> Event | None:
    try:
        return decode(frame)
    except PeerError:
        return None


def _terminals(event: Event | None) -> set[Owner]:
    """Return the steps and messages whose terminal object this is."""
    match event:
        case ResponseStreamEvent(events=said):
            return set().union(*map(_terminals, said))
        case StepEvent(name, whole):
            owner = ("step_id", whole.id)
        case MessageEvent(name, whole):
            owner = ("message_id", whole.id)
        case _:
            return set()
    return {owner} if ENDED & {name.rpartition(".")[2], whole.status} else set()
