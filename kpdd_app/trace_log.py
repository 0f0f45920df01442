"""The trace of a program as a line of states: recorded deltas, a snapshot now and then, any state at once.

A record (`training_backend/execution/trace.py`) is one event: `ev` line, call, return or exc,
the line `ln` that just ran, the line `nx` that runs next, changed names `ch` of frame `f`, printed text `o`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# a jump or a step back goes from the snapshot before it over at most so many records
SNAPSHOT_EVERY = 32
PROGRAM = "program"


@dataclass(slots=True)
class Frame:
    """One call of a function: its names with [short text, type] in the order in which they appeared.

    `variables` is shared by copies: a change replaces it, nothing is changed in it.
    """

    id: int
    name: str
    depth: int
    line: int = 0
    next_line: int | None = None
    variables: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_at: int = 0
    """The step at which it was left last: it may go on later."""

    def copy(self) -> Frame:
        """Return a copy that shares nothing that changes."""
        return Frame(self.id, self.name, self.depth, self.line, self.next_line, self.variables, self.left_at)


@dataclass(slots=True)
class TraceState:
    """What a person sees after `step` records: lines, frames (outermost first), values, output, exception."""

    step: int = 0
    event: str = ""
    line: int | None = None
    next_line: int | None = None
    frames: list[Frame] = field(default_factory=list)
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    line_values: dict[int, str] = field(default_factory=dict)
    output_end: int = 0
    exception: tuple[str, str] | None = None
    exception_line: int | None = None
    returned: str | None = None
    returning: bool = False

    @property
    def frame(self) -> Frame | None:
        """Return the frame at work."""
        return self.frames[-1] if self.frames else None

    def copy(self) -> TraceState:
        """Return a copy that shares nothing that changes."""
        return TraceState(
            self.step, self.event, self.line, self.next_line, [frame.copy() for frame in self.frames],
            self.changed, self.deleted, dict(self.line_values), self.output_end, self.exception,
            self.exception_line, self.returned, self.returning,
        )  # fmt: skip


class TraceLog:
    """All records of one program, and the state after any number of them."""

    def __init__(self) -> None:
        """Begin without records."""
        self.records: list[dict[str, Any]] = []
        self.has_calls = False
        """Whether a function of the program was called."""
        self._printed: list[str] = []
        self._output = ""
        self._snapshots: list[TraceState] = [TraceState()]
        self._end = TraceState()
        # frames that were left; those that go on later (generators) are also known to the snapshots between
        self._parked: dict[int, Frame] = {}
        self._parked_at: list[dict[int, Frame]] = [{}]
        self._shown: TraceState | None = None
        self._shown_parked: dict[int, Frame] = {}

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.records)

    @property
    def output(self) -> str:
        """Return all that was printed."""
        if self._printed:
            self._output = "".join((self._output, *self._printed))
            self._printed = []
        return self._output

    def add(self, records: list[dict[str, Any]]) -> None:
        """Append records as they come."""
        for record in records:
            self.records.append(record)
            self.has_calls = self.has_calls or record.get("ev") == "call"
            if record.get("o"):
                self._printed.append(str(record["o"]))
            self._note_return(record)
            _apply(self._end, record, self._parked)
            if self._end.step % SNAPSHOT_EVERY == 0:
                self._snapshots.append(self._end.copy())
                self._parked_at.append({})

    def state(self, step: int) -> TraceState:
        """Return the state after `step` records; it is only valid until the next call."""
        step = max(0, min(step, len(self.records)))
        shown = self._shown
        near = step // SNAPSHOT_EVERY
        if shown is None or not near * SNAPSHOT_EVERY <= shown.step <= step:
            shown = self._snapshots[near].copy()
            self._shown_parked = {key: frame.copy() for key, frame in self._parked_at[near].items()}
        for number in range(shown.step, step):
            _apply(shown, self.records[number], self._shown_parked)
        self._shown = shown
        return shown

    def printed(self, state: TraceState, most: int | None = None) -> str:
        """Return what the program had printed at a state, or the last `most` characters of it."""
        start = 0 if most is None else max(0, state.output_end - most)
        return self.output[start : state.output_end]

    def _note_return(self, record: dict[str, Any]) -> None:
        """Give a frame that goes on to the snapshots made since it was left."""
        number = int(record.get("f") or 0)
        frame = self._parked.get(number)
        if frame is not None:
            first = -(-frame.left_at // SNAPSHOT_EVERY)
            for parked in self._parked_at[first:]:
                parked[number] = frame.copy()
            self._shown = None


def _apply(state: TraceState, record: dict[str, Any], parked: dict[int, Frame]) -> None:
    """Bring a state one record further; `parked` keeps frames that may come back (generators)."""
    _leave_finished(state, parked)
    state.step += 1
    state.event = str(record.get("ev") or "line")
    state.line = record.get("ln")
    state.next_line = record.get("nx")
    state.output_end += len(str(record.get("o") or ""))
    state.returned = None
    frame = _enter(state, record, parked)
    frame.line = state.line or frame.line
    frame.next_line = state.next_line
    _change(state, frame, record.get("ch") or {})
    if state.event == "return":
        state.returning = True
        if record.get("rv") is not None:
            state.returned = str(record["rv"])
            if frame.name != PROGRAM and state.line is not None:
                state.line_values[state.line] = f"returns {state.returned}"
    if record.get("ex"):
        kind, message = [*record["ex"], ""][:2]
        if state.exception is None or state.exception[0] != kind:
            state.exception_line = state.line
        state.exception = (str(kind), str(message))
    elif state.event == "line":
        # the program went on: the exception was caught
        state.exception = state.exception_line = None


def _leave_finished(state: TraceState, parked: dict[int, Frame]) -> None:
    if state.returning:
        state.returning = False
        if len(state.frames) > 1:
            _park(state.frames.pop(), state.step + 1, parked)


def _park(frame: Frame, step: int, parked: dict[int, Frame]) -> None:
    frame.left_at = step
    parked[frame.id] = frame


def _enter(state: TraceState, record: dict[str, Any], parked: dict[int, Frame]) -> Frame:
    """Return the record's frame, on top of the stack."""
    number = int(record.get("f") or 0)
    while state.frames and state.frames[-1].id != number and any(f.id == number for f in state.frames):
        _park(state.frames.pop(), state.step, parked)
    if not state.frames and number != 0:
        # a function called in the very first line: the program's own level says nothing before it
        state.frames.append(Frame(0, PROGRAM, 0))
    if not state.frames or state.frames[-1].id != number:
        frame = parked.pop(number, None)
        if frame is None:
            name = PROGRAM if number == 0 else str(record.get("fn") or "…")
            frame = Frame(number, name, int(record.get("depth") or 0))
        state.frames.append(frame)
    return state.frames[-1]


def _change(state: TraceState, frame: Frame, changes: dict[str, Any]) -> None:
    if not changes:
        state.changed = state.deleted = ()
        return
    changed, deleted = [], []
    variables = dict(frame.variables)
    for name, value in changes.items():
        if value is None:
            variables.pop(name, None)
            deleted.append(name)
            continue
        text, kind = [*value, ""][:2] if isinstance(value, list | tuple) else (str(value), "")
        variables[name] = (str(text), str(kind))
        changed.append(name)
    frame.variables = variables
    state.changed, state.deleted = tuple(changed), tuple(deleted)
    told = [f"{name} = {variables[name][0]}" for name in changed if _worth(variables[name])]
    if told and state.line is not None and state.event != "call":
        state.line_values[state.line] = ", ".join(told)


def _worth(value: tuple[str, str]) -> bool:
    """Tell whether a value says something beside its line: functions and modules only repeat it."""
    return value[1] not in ("function", "module", "type", "builtin_function_or_method")
