"""The right column of the Solve page: how a rationale comes to its answer, and the answer.

A program runs line by line, with its variables and what it prints; equations are solved, the steps of a chain
of thought checked.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.recording import Recording
from kpdd_app.solution_steps import equations_state
from kpdd_app.trace_log import PROGRAM, TraceState
from kpdd_app.widgets.answer_view import AnswerView
from kpdd_app.widgets.equations_view import EquationsView
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.quick_label import QuickLabel
from kpdd_app.widgets.steps_view import StepsView
from kpdd_app.widgets.variables_view import VariablesView
from training_backend.events import Answer
from training_backend.execution.limits import MAX_TRACE_STEPS

# of what a program printed so many characters are shown, the last: more would make every step slow
OUTPUT_SHOWN = 8_000
# verdicts whose reason belongs beside a line of the program
IN_PLACE = ("raised", "timed_out", "out_of_memory", "refused", "crashed", "does_not_parse")


WAITING = {
    "pot": "The program runs here, line by line, once it is written.",
    "eot": "The equations are solved here, step by step, once they are written.",
    "cot": "Every sum of the chain of thought is computed again here, once it is written.",
}


class RunPanel(QWidget):
    """A program over variables and output; equations over their unknowns; the steps of a chain of thought."""

    step_pointed = Signal(str)
    """The number of the worked step under the pointer, or an empty text."""
    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the panel, empty."""
        super().__init__(parent)
        self.program = ProgramView()
        self.waiting = QLabel(WAITING["pot"])
        self.waiting.setProperty("role", "muted")
        self.waiting.setWordWrap(True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.steps = StepsView()
        self.equations = EquationsView()
        self.stack = QStackedWidget()
        for page in (self.program, self.steps, self.equations):
            self.stack.addWidget(page)
        for view in (self.steps, self.equations):
            view.step_pointed.connect(self.step_pointed)
            view.step_clicked.connect(self.step_clicked)
        self.calls = QuickLabel(elide=Qt.TextElideMode.ElideMiddle)
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
        self.below.hide()
        self.whole.setCurrentWidget(self.waiting)
        self._show_below(None, "")
        self.cut.hide()
        self.answer.show_answer(None, None)

    def show_step(self, recording: Recording, written: bool, step: int, ended: bool, show_gold: bool) -> None:
        """Show the run after `step` records; `written`: the rationale is there; `ended`: so is the answer."""
        answer = recording.answer if ended else None
        self.waiting.setText(WAITING.get(recording.kind, WAITING["pot"]))
        if not written or not recording.program:
            self.whole.setCurrentWidget(self.waiting)
            self._forget_below()
        else:
            self.whole.setCurrentWidget(self.splitter)
            self._show_run(recording, step, answer)
        self.answer.show_answer(answer, recording.gold, show_gold, recording.kind)

    def light_steps(self, steps: tuple[int, ...]) -> None:
        """Mark the worked steps that the one pointed at reads."""
        self.steps.light(steps)
        self.equations.steps.light(steps)

    def set_size_delta(self, points: float) -> None:
        """Make what is worth seeing from afar larger, in points."""
        for view in (self.program, self.steps, self.equations):
            view.set_size_delta(points)

    def _show_run(self, recording: Recording, step: int, answer: Answer | None) -> None:
        if not step:
            self.cut.hide()
        self.below.setVisible(recording.kind != "cot")
        if recording.kind == "cot":
            self.stack.setCurrentWidget(self.steps)
            self.steps.show_steps(recording.checks, step)
            self._show_below(None, "")
        elif recording.kind == "eot":
            self.stack.setCurrentWidget(self.equations)
            text = recording.program.rstrip("\n")
            if text != self.equations.system.toPlainText():
                self._share_height(len(equations_state(text, [], 0).frames[0].variables))
            state = equations_state(text, recording.checks, step)
            self.equations.show_step(text, recording.checks, state, _bad_end(answer, None))
            self._show_below(state, "")
        else:
            self._show_program(recording, step, answer)

    def _show_program(self, recording: Recording, step: int, answer: Answer | None) -> None:
        if self.stack.currentWidget() is not self.program or self._program_text != recording.program:
            self._program_text = recording.program
            self.program.set_program(recording.program.rstrip("\n"), python=recording.kind == "pot")
            self.stack.setCurrentWidget(self.program)
        state = recording.trace.state(step) if step else None
        self.program.show_state(state, _bad_end(answer, state))
        self.cut.setVisible(step >= MAX_TRACE_STEPS and step == len(recording.trace))
        trace = recording.trace
        printed = trace.printed(state, OUTPUT_SHOWN) if state is not None else ""
        cut = state is not None and state.output_end > OUTPUT_SHOWN
        self._show_below(state, f"…{printed}" if cut else printed, trace.has_calls)

    def _share_height(self, unknowns: int) -> None:
        """Give the unknowns the height that they need, a third at most; the steps get the rest."""
        wanted = round(theme.line_height() * (1.4 * unknowns + 3))
        height = self.splitter.height()
        below = min(wanted, height // 3)
        self.splitter.setSizes([height - below, below])

    def _show_below(self, state: TraceState | None, printed: str, calls: bool = False) -> None:
        """Show variables and output; `calls`: the program has functions that were called."""
        self.variables.show_state(state)
        # the line stays between two calls: what is below it does not jump
        self.calls.setVisible(calls and state is not None)
        if calls and state is not None:
            self.calls.say(self.tr("Calls: ") + call_path(state))
        if printed != self._printed:
            self._show_printed(printed)
        for part in (self.output_title, self.output):
            part.setVisible(bool(printed))

    def _forget_below(self) -> None:
        """Empty what nobody sees; its parts keep their places, so that coming back lays nothing out."""
        self.variables.forget()
        if self._printed:
            self._printed = ""
            self.output.clear()

    def _show_printed(self, printed: str) -> None:
        more = printed.removeprefix(self._printed)
        if self._printed and len(more) < len(printed):
            end = QTextCursor(self.output.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertText(more)
        else:
            self.output.setPlainText(printed)
        self._printed = printed
        bar = self.output.verticalScrollBar()
        bar.setValue(bar.maximum())

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
        for part in (self.output_title, self.output):
            part.hide()
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
        # waiting hides all of it at once: program and table stay as high as they are
        self.whole = QStackedWidget()
        self.whole.addWidget(self.waiting)
        self.whole.addWidget(self.splitter)
        column.addWidget(self.whole, 1)
        column.addWidget(self.answer)

    def _restyle(self) -> None:
        self.output.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font(-0.5))} }}")
        self.output.setMinimumHeight(round(theme.line_height() * 3.7))


def _bad_end(answer: Answer | None, state: TraceState | None) -> tuple[int | None, str] | None:
    """Return (line, text) of an end that belongs beside a line, where the trace has not shown it there."""
    if answer is None or answer.verdict not in IN_PLACE or (state is not None and state.exception):
        return None
    error = answer.error.removeprefix("EquationError: ")
    return answer.error_line, error or answer.verdict.replace("_", " ")


def call_path(state: TraceState) -> str:
    """Return the calls from the outermost to the one at work: `program, line 9 › area(line 3)`."""
    parts = []
    for frame in state.frames:
        name = frame.name if frame.name == PROGRAM else f"{frame.name}()"
        line = (state.line if frame is state.frames[-1] else frame.next_line) or frame.line
        parts.append(f"{name}, line {line}" if line else name)
    return " › ".join(parts)
