"""Ways through the trace on the Solve page: what buttons and keys mean at the step that is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kpdd_app import messages
from kpdd_app.key_bindings import add_action
from kpdd_app.recording import Recording
from kpdd_app.trace_steps import TraceSteps

if TYPE_CHECKING:
    from kpdd_app.pages.solve_columns import SolveColumns


class TraceWalk(QObject):
    """Knows the steps of the trace that is shown; `step_wanted` counts over all phases."""

    step_wanted = Signal(int)

    def __init__(self, columns: SolveColumns) -> None:
        """Begin without a trace; the columns' widgets are not made yet."""
        super().__init__(columns)
        self._columns = columns
        self._recording: Recording | None = None
        self._steps: TraceSteps | None = None
        self._start = self._local = 0
        self._connected = False

    def clear(self) -> None:
        """Forget the trace."""
        self._recording = self._steps = None
        self._columns.tools.show_loop(None, 0)
        self._columns.tools.setVisible(True)
        self._show_ways()

    def make_actions(self, page: QWidget) -> None:
        """Give the page the keys of all ways."""
        for name in ("over", "over_back", "into", "out", "breakpoint", "breakpoint_back", "run_to",
                     "change", "change_back", "round", "round_back"):  # fmt: skip
            add_action(page, f"solve.{name}", partial(self.go, name))
        add_action(page, "solve.toggle_breakpoint", self.toggle_breakpoint)
        add_action(page, "solve.fold", self._columns.tools.fold.toggle)

    def show_step(self, recording: Recording, start: int, local: int) -> None:
        """Say where we are: `local` records into the trace, which begins after step `start`."""
        tools = self._columns.tools
        if not self._connected:
            self._connect()
        if recording is not self._recording or (self._steps and self._steps.log is not recording.trace):
            self._recording, self._steps = recording, None
        if self._steps is None and len(recording.trace) and not recording.worked:
            self._steps = TraceSteps(recording.trace, recording.program)
        self._start, self._local = start, local
        tools.setVisible(not recording.worked)
        tools.show_loop(self._steps.loop_at(local) if self._steps and local else None, local)
        self._show_ways()

    def go_to(self, local: int) -> None:
        """Go to a record of the trace, or a worked step, by its number."""
        self.step_wanted.emit(self._start + local)

    def next_step(self, step: int, by: int) -> int:
        """Return the step after or before a step of all phases; where loops fold, their middle is skipped."""
        local = step - self._start
        if self._steps is None or not self._columns.tools.fold.isChecked():
            return step + by
        inside = 0 < local + by <= len(self._steps.log)
        return self._start + self._steps.folded(local, by) if inside else step + by

    def toggle_breakpoint(self) -> None:
        """Set a breakpoint at the line of the caret, or take it away."""
        program = self._columns.run.program
        program.toggle_breakpoint(program.caret_line)

    def run_to(self, line: int) -> None:
        """Go to where a line is about to run: the next time, else the first."""
        if self._steps is None:
            return
        step = self._steps.to_line(self._local, {line}, 1)
        if step is None:
            step = self._steps.to_line(-1, {line}, 1)
        if step is None:
            messages.note(self.tr("Line {0} never ran.").format(line))
        else:
            self.step_wanted.emit(self._start + step)

    def go(self, way: str) -> None:
        """Take a way by its name."""
        steps, local = self._steps, self._local
        if steps is None:
            return
        if way == "run_to":
            self.run_to(self._columns.run.program.caret_line)
            return
        by = -1 if way.endswith("_back") else 1
        target: int | None = None
        if way in ("over", "over_back"):
            target = steps.over(local, by)
        elif way == "into":
            target = min(len(steps.log), local + 1)
        elif way == "out":
            target = steps.out(local)
        elif way.startswith("breakpoint"):
            target = self._to_breakpoint(by)
        elif way.startswith("change"):
            target = self._to_change(by)
        elif way.startswith("round"):
            target = steps.round_from(local, by)
        if target is not None:
            self.step_wanted.emit(self._start + target)

    def _to_breakpoint(self, by: int) -> int | None:
        assert self._steps is not None
        lines = self._columns.run.program.breakpoints
        if not lines:
            messages.note(self.tr("No line has a breakpoint. Click beside a line number, or press F9."))
            return None
        found = self._steps.to_line(self._local, lines, by)
        if found is None:
            messages.note(self.tr("No breakpoint is met from here on.") if by > 0 else
                          self.tr("No breakpoint was met before."))  # fmt: skip
        return found

    def _to_change(self, by: int) -> int | None:
        assert self._steps is not None
        name = self._columns.run.variables.name_chosen
        if not name:
            messages.note(self.tr("Choose a variable first: click its row."))
            return None
        found = self._steps.to_change(self._local, name, by)
        if found is None:
            messages.note(self.tr("{0} does not change from here on.").format(name) if by > 0 else
                          self.tr("{0} did not change before.").format(name))  # fmt: skip
        return found

    def _connect(self) -> None:
        self._connected = True
        self._columns.tools.way_asked.connect(self.go)
        self._columns.run.program.run_to_asked.connect(self.run_to)
        self._columns.run.program.breakpoints_changed.connect(self._show_ways)
        self._columns.run.variables.name_pointed.connect(lambda _: self._show_ways())

    def _show_ways(self) -> None:
        """Only what leads somewhere can be pressed."""
        steps, local = self._steps, self._local
        possible: set[str] = set()
        if steps is not None:
            possible |= {"over"} if local < len(steps.log) else set()
            possible |= {"over_back"} if local > 0 else set()
            frame = steps.log.state(local).frame if local else None
            possible |= {"out"} if frame is not None and frame.depth else set()
            if self._columns.run.program.breakpoints:
                possible |= {"breakpoint", "breakpoint_back"}
            possible |= {"change"} if self._columns.run.variables.name_chosen else set()
        self._columns.tools.set_ways(possible)
