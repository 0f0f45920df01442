"""Ways through a trace: over a call, to a breakpoint, to the next change of a name, around a loop.

Steps are counted as in `TraceLog`: step n is the state after n records. Nothing runs again: every answer is
read from the records, forward and back alike.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field

from kpdd_app.trace_log import TraceLog

_HEADER = re.compile(r"[ \t]*(?:async[ \t]+)?(?:for|while)\b")
# of a loop with more rounds than this the ones in the middle fold
ROUNDS_SHOWN = 3


@dataclass
class Loop:
    """One time through a loop: its line, its last line, and the steps at which its rounds begin.

    `end` is the step at which it is left, None while it is at work where the trace ends.
    """

    line: int
    last: int
    frame: int
    starts: list[int] = field(default_factory=list)
    end: int | None = None

    def round_at(self, step: int) -> int:
        """Return the number of the round at a step, from 1."""
        return max(1, bisect_right(self.starts, step))


class TraceSteps:
    """The ways through one trace; it reads on when records have come."""

    def __init__(self, log: TraceLog, program: str) -> None:
        """`program`: the text whose lines the records name."""
        self.log = log
        self.loops: list[Loop] = []
        self._ends = dict(loop_lines(program))
        self._depths = [0]
        self._inner: list[Loop | None] = [None]
        self._active: list[Loop] = []

    # --- ways -------------------------------------------------------------------------------------

    def over(self, step: int, by: int) -> int:
        """Return the next (or last) step that is not inside a function called from here."""
        self._read()
        depth = self._depths[max(0, min(step, len(self.log)))]
        if by < 0 and 0 < step <= len(self.log) and self.log.records[step - 1]["ev"] == "return":
            depth = min(depth + 1, int(self.log.records[step - 1].get("depth") or 0))
        step += by
        while 0 < step < len(self.log) and self._depth_of(step) > depth:
            step += by
        return self._within(step)

    def out(self, step: int) -> int:
        """Return the step at which the function at work has returned."""
        self._read()
        depth = self._depths[self._within(step)]
        step += 1
        while step < len(self.log) and self._depths[step] >= depth:
            step += 1
        return self._within(step)

    def to_line(self, step: int, lines: Collection[int], by: int) -> int | None:
        """Return the next (or last) step at which one of the lines is about to run."""
        step += by
        while 0 <= step <= len(self.log):
            if self.about(step) in lines:
                return step
            step += by
        return None

    def to_change(self, step: int, name: str, by: int) -> int | None:
        """Return the next (or last) step that changed a name."""
        step += by
        while 1 <= step <= len(self.log):
            if name in (self.log.records[step - 1].get("ch") or {}):
                return step
            step += by
        return None

    def about(self, step: int) -> int | None:
        """Return the line that is about to run at a step."""
        records = self.log.records
        if step >= len(records):
            return None
        if step == 0:
            return records[0].get("ln") if records[0]["ev"] != "call" else None
        record = records[step - 1]
        if record["ev"] != "call":
            return record.get("nx")
        # a call says nothing of what comes: the first record of its frame does
        frame = record.get("f")
        return next((r.get("ln") for r in records[step : step + 50] if r.get("f") == frame), None)

    # --- loops ------------------------------------------------------------------------------------

    def loop_at(self, step: int) -> Loop | None:
        """Return the innermost loop that a step is in."""
        self._read()
        return self._inner[self._within(step)]

    def round_from(self, step: int, by: int) -> int | None:
        """Return the step at which the next (or this, or the last) round begins; its end after the last."""
        loop = self.loop_at(step)
        if loop is None:
            return None
        if by > 0:
            at = bisect_right(loop.starts, step)
            return loop.starts[at] if at < len(loop.starts) else loop.end
        at = bisect_left(loop.starts, step)
        return loop.starts[at - 1] if at else max(0, loop.starts[0] - 1)

    def folded(self, step: int, by: int) -> int:
        """Return the next step where the rounds in the middle of a long loop are skipped."""
        step += by
        while (gap := self._gap(step)) is not None:
            step = gap[1] if by > 0 else gap[0] - 1
        return step

    def _gap(self, step: int) -> tuple[int, int] | None:
        """Return the steps (first, after the last) of the folded rounds around a step."""
        self._read()
        for loop in self.loops:
            if len(loop.starts) > ROUNDS_SHOWN and loop.starts[2] <= step < loop.starts[-1]:
                return loop.starts[2], loop.starts[-1]
        return None

    # --- reading ----------------------------------------------------------------------------------

    def _read(self) -> None:
        for number in range(len(self._depths), len(self.log) + 1):
            record = self.log.records[number - 1]
            depth = int(record.get("depth") or 0)
            self._depths.append(max(0, depth - 1) if record["ev"] == "return" else depth)
            self._follow(number, record)
            self._inner.append(self._active[-1] if self._active else None)

    def _follow(self, number: int, record: dict) -> None:
        frame, line, following = record.get("f"), record.get("ln") or 0, record.get("nx")
        gone = [loop for loop in self._active if loop.frame == frame and not loop.line <= line <= loop.last]
        if record["ev"] == "return":
            gone = [loop for loop in self._active if loop.frame == frame]
        last = self._ends.get(line)
        if last is not None and record["ev"] == "line":
            mine = next((p for p in self._active if p.frame == frame and p.line == line), None)
            if following is not None and line < following <= last:
                if mine is None:
                    mine = Loop(line, last, int(frame or 0))
                    self._active.append(mine)
                    self.loops.append(mine)
                mine.starts.append(number)
            elif mine is not None and following != line:
                gone.append(mine)
        for loop in gone:
            loop.end = number
            self._active = [one for one in self._active if one is not loop]

    def _depth_of(self, step: int) -> int:
        """Return how deep the record before a step was."""
        return int(self.log.records[step - 1].get("depth") or 0)

    def _within(self, step: int) -> int:
        return max(0, min(step, len(self.log)))


def loop_lines(program: str) -> list[tuple[int, int]]:
    """Return (line of the head, last line of the body) of every loop, counted from 1."""
    lines = program.expandtabs(4).split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        if not _HEADER.match(line):
            continue
        indent, last = len(line) - len(line.lstrip()), number
        for following in range(number, len(lines)):
            text = lines[following].lstrip()
            if not text or text.startswith("#"):
                continue
            if len(lines[following]) - len(text) <= indent:
                break
            last = following + 1
        if last > number:
            found.append((number, last))
    return found
