"""The right column of the Solve page: the program as it runs, its variables, what it prints, the answer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.recording import Recording
from kpdd_app.trace_log import PROGRAM, TraceState
from kpdd_app.widgets.answer_view import AnswerView
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.steps_view import StepsView
from kpdd_app.widgets.variables_view import VariablesView
from training_backend.execution.limits import MAX_TRACE_STEPS

# of what a program printed so many characters are shown, the last: more would make every step slow
OUTPUT_SHOWN = 8_000
# verdicts whose reason belongs beside a line of the program
IN_PLACE = ("raised", "timed_out", "out_of_memory", "refused", "crashed", "does_not_parse")


class RunPanel(QWidget):
    """A program view over variables and output; for chains of thought the checked steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the panel, empty."""
        super().__init__(parent)
        self.program = ProgramView()
        self.waiting = QLabel(self.tr("The program runs here, line by line, once it is written."))
        self.waiting.setProperty("role", "muted")
        self.waiting.setWordWrap(True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.steps = StepsView()
        self.stack = QStackedWidget()
        for page in (self.waiting, self.program, self.steps):
            self.stack.addWidget(page)
        self.calls = QLabel()
        self.calls.setProperty("role", "muted")
        self.calls.setTextFormat(Qt.TextFormat.PlainText)
        self.calls.setWordWrap(True)
        self.variables = VariablesView()
        self.output_title = QLabel(self.tr("Printed"))
        self.output_title.setProperty("role", "caption")
        self.output = QPlainTextEdit()
        self.output.setReadOnly(True)
        self.output.setTabChangesFocus(True)
        self.output.setAccessibleName(self.tr("What the program printed"))
        self.answer = AnswerView()
        self.cut = QLabel(self.tr("The trace stops here; the program ran on without it."))
        self.cut.setProperty("role", "caption")
        self._printed = ""
        self._program_text = ""
        self._build()
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.clear()

    def clear(self) -> None:
        """Show that nothing has run."""
        self.below.show()
        self.stack.setCurrentWidget(self.waiting)
        self._show_below(None, "")
        self.cut.hide()
        self.answer.show_answer(None, None)

    def show_step(self, recording: Recording, written: bool, step: int, ended: bool, show_gold: bool) -> None:
        """Show the run after `step` records; `written`: the rationale is there; `ended`: so is the answer."""
        answer = recording.answer if ended else None
        if not written or not recording.program:
            self.stack.setCurrentWidget(self.waiting)
            self._show_below(None, "")
        elif recording.kind == "cot":
            self.stack.setCurrentWidget(self.steps)
            self.steps.show_steps(recording.checks, step if not ended else len(recording.checks))
            self._show_below(None, "")
            self.below.hide()
        else:
            self.below.show()
            self._show_program(recording, step, answer)
        self.answer.show_answer(answer, recording.gold, show_gold)

    def _show_program(self, recording: Recording, step: int, answer) -> None:
        if self.stack.currentWidget() is not self.program or self._program_text != recording.program:
            self._program_text = recording.program
            self.program.set_program(recording.program.rstrip("\n"), python=recording.kind == "pot")
            self.stack.setCurrentWidget(self.program)
        state = recording.trace.state(step) if step else None
        error = None
        if answer is not None and answer.verdict in IN_PLACE and (state is None or state.exception is None):
            error = (answer.error_line, answer.error or answer.verdict.replace("_", " "))
        self.program.show_state(state, error)
        self.cut.setVisible(step >= MAX_TRACE_STEPS and step == len(recording.trace))
        self._show_below(state, recording.trace.printed(state) if state is not None else "")

    def _show_below(self, state: TraceState | None, printed: str) -> None:
        self.variables.show_state(state)
        frames = state.frames if state is not None else []
        self.calls.setVisible(len(frames) > 1)
        if state is not None and len(frames) > 1:
            self.calls.setText(self.tr("Calls: ") + call_path(state))
        if printed != self._printed:
            self._printed = printed
            cut = len(printed) > OUTPUT_SHOWN
            self.output.setPlainText(f"…{printed[-OUTPUT_SHOWN:]}" if cut else printed)
            bar = self.output.verticalScrollBar()
            bar.setValue(bar.maximum())
        self.output.setVisible(bool(printed))
        self.output_title.setVisible(bool(printed))

    def _build(self) -> None:
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, theme.gap(1), 0, 0)
        lower.setSpacing(theme.gap(1))
        lower.addWidget(self.cut)
        lower.addWidget(self.calls)
        lower.addWidget(self.variables, 3)
        lower.addWidget(self.output_title)
        lower.addWidget(self.output, 1)
        self.below = below
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.stack)
        self.splitter.addWidget(below)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([340, 240])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        column.addWidget(self.splitter, 1)
        column.addWidget(self.answer)

    def _restyle(self) -> None:
        self.output.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font(-0.5))} }}")
        self.output.setMinimumHeight(round(theme.line_height() * 3.2))


def call_path(state: TraceState) -> str:
    """Return the calls from the outermost to the one at work: `program, line 9 › area(line 3)`."""
    parts = []
    for frame in state.frames:
        name = frame.name if frame.name == PROGRAM else f"{frame.name}()"
        line = (state.line if frame is state.frames[-1] else frame.next_line) or frame.line
        parts.append(f"{name}, line {line}" if line else name)
    return " › ".join(parts)
