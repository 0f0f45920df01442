"""The trace of a program: one record for what each line did, sent while the program runs.

A record is a dict:

========  ====================================================================================================
`n`       running number, from 1
`ev`      `line` (a line has run) · `call` · `return` (of a generator: a yield) · `exc` (an exception passes)
`f`       id of the frame, never used again; 0 is the program's own level
`depth`   0 for the program's own level, 1 inside a function it called, …
`ln`      the line that has just run; of a `call` the line of `def`
`nx`      the line that runs next in this frame, or None
`ch`      names of the frame that changed: {name: [short text, type name], or None when it is gone}
`rv`      short text of the value returned (`return` only)
`ex`      [type, message] (`exc` only)
`o`       text printed since the record before
`fn`      name of the function (`call` only)
========  ====================================================================================================

A `line` record comes when the next thing happens in its frame, so `ch` belongs to `ln`; records of functions
called in that line come before it. Libraries run untraced; comprehensions count as part of their line.
"""

from __future__ import annotations

import dis
import sys
import time
import types
from typing import Any

from training_backend.execution.channel import Channel
from training_backend.execution.encoder import message_of, type_name
from training_backend.execution.limits import MAX_TRACE_RECORD_BYTES, MAX_TRACE_STEPS
from training_backend.execution.output import Output, safe
from training_backend.execution.shorten import short, unchanging

_FOLDED = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
# what a program is compiled as: by this its own lines are told from those of libraries
FILE_NAME = "<program>"
_GENERATOR = 0x20 | 0x80 | 0x200
_MAX_NAMES = 60
_MAX_CHANGED_CHARS = 6000
# the first records go out one by one, so that a program that hangs at once shows how far it came
_ONE_BY_ONE = 256
_BATCH = 64
_BATCH_S = 0.02


class _Frame:
    """What is known of one frame: its id, the line that is running, and what its names held."""

    __slots__ = ("depth", "id", "known", "line", "raised", "seen")

    def __init__(self, number: int, depth: int) -> None:
        self.id = number
        self.depth = depth
        self.line: int | None = None
        self.raised = False
        self.known: dict[str, tuple[str, str]] = {}
        self.seen: dict[str, Any] = {}


def inlined_comprehensions(code: types.CodeType) -> list[tuple[int, int, str]]:
    """Return (start, end, name) in bytes of what runs for comprehensions inside of `code` itself.

    From Python 3.12 on (PEP 709) they have no frame of their own: their names are put aside before the loop
    and given back after it.
    """
    found: list[tuple[int, int, str]] = []
    waiting: list[tuple[int, str]] = []
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_FAST_AND_CLEAR":
            waiting.append((step.offset, str(step.argval)))
        elif step.opname in ("FOR_ITER", "SEND") and waiting:
            found += [(start, int(step.argval), name) for start, name in waiting]
            waiting.clear()
    return found


class Recorder:
    """Records one run by `sys.settrace`, up to the caps; then the program runs on without it."""

    def __init__(self, channel: Channel, output: Output) -> None:
        """Send records over `channel`; printed text goes with them."""
        self._channel = channel
        self._output = output
        self._frames: dict[Any, _Frame] = {}
        self._stack: list[_Frame] = []
        self._waiting: list[dict[str, Any]] = []
        self._sent_at = 0.0
        self._sent_bytes = 0
        self._frame_ids = 0
        self._given: dict[str, Any] = {}
        self._inlined: dict[types.CodeType, list[tuple[int, int, str]]] = {}
        self.count = 0
        self.cut = False

    def start(self, given: dict[str, Any]) -> None:
        """Begin to record what the program's own lines do; the names in `given` are no news."""
        self._given = given
        self._output.held = True
        # room for the recorder's own calls, so that a program's recursion ends where it ends without it
        sys.setrecursionlimit(sys.getrecursionlimit() + 40)
        sys.settrace(self._on_call)

    def finish(self) -> None:
        """Send what waits and stop recording."""
        sys.settrace(None)
        self._flush()
        self._output.held = False

    def emit(self, **record: Any) -> None:
        """Add one record; at the caps say `cut` and stop."""
        if self.cut:
            return
        self.count += 1
        printed = self._output.take()
        if printed:
            record["o"] = safe(printed)
        self._waiting.append({"n": self.count, **record})
        now = time.monotonic()
        if self.count <= _ONE_BY_ONE or len(self._waiting) >= _BATCH or now - self._sent_at > _BATCH_S:
            self._flush(now)
        if self.count >= MAX_TRACE_STEPS or self._sent_bytes > MAX_TRACE_RECORD_BYTES:
            self._stop("steps" if self.count >= MAX_TRACE_STEPS else "bytes")

    def _flush(self, now: float = 0.0) -> None:
        if self._waiting:
            self._sent_bytes += self._channel.send({"t": "steps", "r": self._waiting})
            self._waiting = []
        self._sent_at = now

    def _stop(self, what: str) -> None:
        self._flush()
        self.cut = True
        self._channel.send({"t": "cut", "n": self.count, "what": what})
        sys.settrace(None)
        for frame in list(self._frames):
            frame.f_trace = None
        self._frames.clear()
        self._output.held = False

    def _on_call(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if self.cut or code.co_filename != FILE_NAME or code.co_name in _FOLDED:
            return None
        state = self._frames.get(frame)
        if state is None:
            state = _Frame(self._frame_ids, len(self._stack))
            self._frame_ids += 1
            self._frames[frame] = state
        self._stack.append(state)
        if code.co_name != "<module>":
            changed = self._changed(frame, state)
            self.emit(ev="call", f=state.id, depth=state.depth, ln=code.co_firstlineno, nx=None,
                      ch=changed, fn=code.co_name)  # fmt: skip
        return self._on_event if not self.cut else None

    def _on_event(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        state = self._frames.get(frame)
        if state is None or self.cut:
            return None
        if event == "line":
            if self._hidden(frame):
                return self._on_event
            self._line_done(frame, state, frame.f_lineno)
            state.line = frame.f_lineno
            state.raised = False
        elif event == "return":
            self._on_return(frame, state, arg)
        elif event == "exception" and arg[0] not in (StopIteration, GeneratorExit, StopAsyncIteration):
            self._on_exception(frame, state, arg)
        return self._on_event if not self.cut else None

    def _hidden(self, frame: types.FrameType) -> list[str]:
        """Return the names of the comprehensions that run now inside of this frame."""
        code = frame.f_code
        if sys.version_info < (3, 12):
            return []
        found = self._inlined.get(code)
        if found is None:
            found = self._inlined[code] = inlined_comprehensions(code)
        return [name for start, end, name in found if start <= frame.f_lasti < end] if found else []

    def _line_done(self, frame: types.FrameType, state: _Frame, following: int | None) -> None:
        if state.line is not None:
            changed = self._changed(frame, state)
            self.emit(ev="line", f=state.id, depth=state.depth, ln=state.line, nx=following, ch=changed)
            state.line = None

    def _on_return(self, frame: types.FrameType, state: _Frame, value: Any) -> None:
        line = frame.f_lineno
        self._line_done(frame, state, None)
        if frame.f_code.co_name != "<module>" and not state.raised:
            self.emit(ev="return", f=state.id, depth=state.depth, ln=line, nx=None, ch={}, rv=short(value))
        if self._stack:
            self._stack.pop()
        if not frame.f_code.co_flags & _GENERATOR:
            self._frames.pop(frame, None)

    def _on_exception(self, frame: types.FrameType, state: _Frame, arg: Any) -> None:
        message = message_of(arg[1]) if isinstance(arg[1], BaseException) else ""
        self.emit(ev="exc", f=state.id, depth=state.depth, ln=frame.f_lineno, nx=None,
                  ch=self._changed(frame, state), ex=[type_name(arg[0]), message[:400]])  # fmt: skip
        state.line = None
        state.raised = True

    def _changed(self, frame: types.FrameType, state: _Frame) -> dict[str, list[str] | None]:
        """Return the names of a frame whose short text or type changed since the record before."""
        changed: dict[str, list[str] | None] = {}
        names = frame.f_locals
        hidden = self._hidden(frame)
        known, seen = state.known, state.seen
        size = 0
        for name in list(names)[: _MAX_NAMES + 20]:
            value = names.get(name)
            kind = type(value)
            if name in hidden or (name in seen and seen[name] is value and unchanging(kind)):
                continue
            if type(name) is not str or name.startswith("__") or kind is types.ModuleType:
                continue
            if name in self._given and self._given[name] is value:
                continue
            now = (short(value), type_name(kind))
            if known.get(name) != now and (name in known or len(known) < _MAX_NAMES):
                known[name] = now
                size += len(now[0])
                changed[safe(name)] = [now[0] if size < _MAX_CHANGED_CHARS else now[0][:40], now[1]]
            if unchanging(kind):
                seen[name] = value
            else:
                seen.pop(name, None)
        if len(known) > len(names) or any(name not in names for name in known):
            for name in [name for name in known if name not in names and name not in hidden]:
                del known[name]
                seen.pop(name, None)
                changed[safe(name)] = None
        return changed
