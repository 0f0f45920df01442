"""A system of equations being solved: the system with what is known by now, and the steps below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.trace_log import TraceState
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.steps_view import StepsView
from training_backend.execution.worked_steps import WorkedStep

# a longer system scrolls, so that its steps have room
MOST_LINES = 9
LARGE = 3.0


class EquationsView(QWidget):
    """The equations above, as high as they are; the steps of solving below."""

    step_pointed = Signal(str)
    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the view, empty."""
        super().__init__(parent)
        self._larger = False
        self.system = _System()
        self.system.setAccessibleName(self.tr("Equations"))
        self.steps = StepsView()
        self.steps.setAccessibleName(self.tr("Steps of solving"))
        self.steps.step_pointed.connect(self.step_pointed)
        self.steps.step_clicked.connect(self.step_clicked)
        self.title = QLabel(self.tr("Solved step by step"))
        self.title.setProperty("role", "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        column.addWidget(self.system)
        column.addWidget(self.title)
        column.addWidget(self.steps, 1)
        theme.notifier().changed.connect(self._fit)

    def show_step(
        self,
        text: str,
        steps: Sequence[WorkedStep],
        state: TraceState,
        error: tuple[int | None, str] | None = None,
    ) -> None:
        """Show a system after so many steps as `state` counts; `error` is (line, text) of a bad end."""
        if text != self.system.toPlainText():
            self.system.set_program(text, python=False)
            self._fit()
        last = steps[state.step - 1] if 0 < state.step <= len(steps) else None
        if error is None and last is not None and last.holds is False:
            error = (state.line, last.text)
        self.system.show_state(state, error)
        self.steps.say_nothing("" if steps or error is None else self.tr("There is nothing to solve."))
        self.steps.show_steps(steps, state.step, ahead=False)
        # in large type what it is can be seen, and the caption would be the only small word
        self.title.setVisible(bool(steps) and not self._larger)

    def set_size_delta(self, points: float) -> None:
        """Make the text larger or smaller, in points."""
        self._larger = points > LARGE
        self.title.setVisible(not self._larger and bool(self.steps.shown))
        self.system.set_size_delta(points)
        self.steps.set_size_delta(points)
        self._fit()

    def _fit(self) -> None:
        lines = min(MOST_LINES, max(2, self.system.blockCount()))
        line = QFontMetrics(self.system.font()).lineSpacing()
        around = round(2 * self.system.document().documentMargin()) + theme.gap(1)
        # as high as its equations where there is room for them and a step; else it scrolls
        self.system.setMinimumHeight(2 * line + around)
        self.system.setMaximumHeight(lines * line + around)


class _System(ProgramView):
    """Equations: nothing runs, so nothing stops at a line."""

    def __init__(self) -> None:
        super().__init__()
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.viewport().setAutoFillBackground(False)

    def toggle_breakpoint(self, line: int) -> None:
        """Set none."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer nothing."""
        event.ignore()
