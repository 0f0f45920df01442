"""The trace of a program as a line of states: recorded deltas, a snapshot every hundred, any state at once.

A record (`training_backend/execution/trace.py`) is one event: `ev` line, call, return or exc,
the line `ln` that just ran, the line `nx` that runs next, changed names `ch` of frame `f`, printed text `o`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SNAPSHOT_EVERY = 100
PROGRAM = "program"


@dataclass
class Frame:
    """One call of a function: its names with [short text, type] in the order in which they appeared."""

    id: int
    name: str
    depth: int
    line: int = 0
    next_line: int | None = None
    variables: dict[str, tuple[str, str]] = field(default_factory=dict)

    def copy(self) -> Frame:
        """Return a copy that shares nothing that changes."""
        return Frame(self.id, self.name, self.depth, self.line, self.next_line, dict(self.variables))


@dataclass
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
        self.output = ""
        self._snapshots: list[TraceState] = [TraceState()]
        self._end = TraceState()
        self._parked: dict[int, Frame] = {}
        self._parked_at: list[dict[int, Frame]] = [{}]
        self._shown: TraceState | None = None
        self._shown_parked: dict[int, Frame] = {}

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.records)

    def add(self, records: list[dict[str, Any]]) -> None:
        """Append records as they come."""
        for record in records:
            self.records.append(record)
            self.output += str(record.get("o") or "")
            _apply(self._end, record, self._parked)
            if self._end.step % SNAPSHOT_EVERY == 0:
                self._snapshots.append(self._end.copy())
                self._parked_at.append({key: frame.copy() for key, frame in self._parked.items()})

    def state(self, step: int) -> TraceState:
        """Return the state after `step` records; it is only valid until the next call."""
        step = max(0, min(step, len(self.records)))
        shown = self._shown
        near = step // SNAPSHOT_EVERY
        if shown is None or not near * SNAPSHOT_EVERY <= shown.step <= step:
            shown = self._snapshots[near].copy()
            self._shown_parked = {key: frame.copy() for key, frame in self._parked_at[near].items()}
        for record in self.records[shown.step : step]:
            _apply(shown, record, self._shown_parked)
        self._shown = shown
        return shown

    def printed(self, state: TraceState) -> str:
        """Return what the program had printed at a state."""
        return self.output[: state.output_end]


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
            done = state.frames.pop()
            parked[done.id] = done


def _enter(state: TraceState, record: dict[str, Any], parked: dict[int, Frame]) -> Frame:
    """Return the record's frame, on top of the stack."""
    number = int(record.get("f") or 0)
    while state.frames and state.frames[-1].id != number and any(f.id == number for f in state.frames):
        done = state.frames.pop()
        parked[done.id] = done
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
    changed, deleted = [], []
    for name, value in changes.items():
        if value is None:
            frame.variables.pop(name, None)
            deleted.append(name)
            continue
        text, kind = [*value, ""][:2] if isinstance(value, list | tuple) else (str(value), "")
        frame.variables[name] = (str(text), str(kind))
        changed.append(name)
    state.changed, state.deleted = tuple(changed), tuple(deleted)
    told = [f"{name} = {frame.variables[name][0]}" for name in changed if _worth(frame.variables[name])]
    if told and state.line is not None and state.event != "call":
        state.line_values[state.line] = ", ".join(told)


def _worth(value: tuple[str, str]) -> bool:
    """Tell whether a value says something beside its line: functions and modules only repeat it."""
    return value[1] not in ("function", "module", "type", "builtin_function_or_method")
