"""Two solutions of one question side by side, moved together; the place where their traces part is marked."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.pages.solve_branches import Branch, key_points_of, outcome
from kpdd_app.pages.solve_run import IN_PLACE
from kpdd_app.recording import Recording
from kpdd_app.widgets.answer_view import AnswerView
from kpdd_app.widgets.notice import Notice
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.steps_view import StepsView
from kpdd_app.widgets.variables_view import VariablesView

MARK = "●"
# of a question of ten thousand words the beginning is enough here
QUESTION_CHARS = 300


class CompareView(QWidget):
    """Left the branch shown, right another one; `step` counts the lines of both traces."""

    go_wanted = Signal(int)
    other_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the view, empty."""
        super().__init__(parent)
        self.left, self.right = _Side(), _Side()
        self.others = QComboBox()
        self.others.setAccessibleName(self.tr("Beside"))
        self.others.activated.connect(self._other_used)
        self.parting = Notice()
        self.parting.acted.connect(lambda: self.go_wanted.emit(self.divergence or 0))
        self.divergence: int | None = None
        self._compared: tuple = ()
        label = QLabel(self.tr("Beside"))
        label.setProperty("role", "muted")
        label.setBuddy(self.others)
        top = QHBoxLayout()
        top.setSpacing(theme.gap(2))
        top.addWidget(self.parting, 1)
        top.addStretch(0)
        top.addWidget(label)
        top.addWidget(self.others)
        self.question = QLabel()
        self.question.setTextFormat(Qt.TextFormat.PlainText)
        self.question.setWordWrap(True)
        # its least height would be that of the narrowest window
        self.question.setMinimumSize(1, 1)
        sides = QHBoxLayout()
        sides.setSpacing(theme.gap(2))
        sides.addWidget(self.left, 1)
        sides.addWidget(self.right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        column.addLayout(top)
        column.addWidget(self.question)
        column.addLayout(sides, 1)

    def offer(self, titles: list[tuple[int, str]], other: int) -> None:
        """List the branches that can stand at the right."""
        self.others.clear()
        for number, title in titles:
            self.others.addItem(title, number)
        self.others.setCurrentIndex([number for number, _ in titles].index(other))

    def show_branches(self, left: Branch, right: Branch, step: int, show_gold: bool) -> None:
        """Show both after `step` lines of their traces."""
        state = tuple(
            (id(branch), length_of(branch.recording), branch.recording.over) for branch in (left, right)
        )
        if state != self._compared:
            # traces may have ten thousand lines: they are compared when they have grown, not at every step
            self._compared = state
            both = left.recording.answer is not None and right.recording.answer is not None
            self.divergence = first_difference(left.recording, right.recording) if both else None
        failed = [branch for branch in (left, right) if has_failed(branch.recording)]
        if failed:
            self.parting.say("  ".join(failure_text(branch) for branch in failed), "wrong")
        else:
            self._say_parting(left.recording, right.recording, step)
        self._say_question(left.recording.question)
        here = self.divergence is not None and step == self.divergence
        for side, branch, other in ((self.left, left, right), (self.right, right, left)):
            side.show_branch(branch, other, step, show_gold, here)

    def _say_question(self, question: str) -> None:
        text = " ".join(question.split())
        self.question.setText(text if len(text) <= QUESTION_CHARS else text[: QUESTION_CHARS - 1] + "…")

    def _say_parting(self, left: Recording, right: Recording, step: int) -> None:
        if not (left.over and right.over):
            self.parting.say(self.tr("One of the two is still being written."), "accent")
        elif self.divergence is None:
            self.parting.say(self.tr("Both run the same lines to the same values."), "accent")
        else:
            text = self.tr("They part at step {0}: {1} | {2}").format(
                self.divergence, line_text(left, self.divergence), line_text(right, self.divergence)
            )
            self.parting.say(text, "accent", "" if step == self.divergence else self.tr("Show"))

    def _other_used(self, index: int) -> None:
        self.other_chosen.emit(int(self.others.itemData(index)))


class _Side(QFrame):
    """One solution: whose it is, its key points, its program at a line, its variables, its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("panel", "surface")
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.students = QLabel()
        self.students.setProperty("role", "caption")
        self.students.setTextFormat(Qt.TextFormat.PlainText)
        self.points = QLabel()
        self.points.setWordWrap(True)
        # its least height would be that of the narrowest column
        self.points.setMinimumSize(1, 1)
        self.points.setTextFormat(Qt.TextFormat.RichText)
        self.program, self.steps = ProgramView(), StepsView()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.program)
        self.stack.addWidget(self.steps)
        self.here = QLabel()
        self.variables = VariablesView()
        self.answer = AnswerView()
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.M)] * 4)
        column.setSpacing(theme.gap(1.5))
        for part, stretch in (
            (self.title, 0), (self.students, 0), (self.points, 0), (self.stack, 3), (self.here, 0),
            (self.variables, 2), (self.answer, 0),
        ):  # fmt: skip
            column.addWidget(part, stretch)

    def show_branch(self, branch: Branch, other: Branch, step: int, show_gold: bool, parting: bool) -> None:
        recording = branch.recording
        self.title.setText(branch.title)
        self.students.setText(branch.ask.choice.title)
        self.students.setVisible(branch.ask.choice.title != branch.title)
        self.points.setText(points_text(recording, other.recording))
        self.points.setVisible(bool(self.points.text()))
        if recording.worked:
            self.stack.setCurrentWidget(self.steps)
            self.variables.hide()
            self.steps.show_steps(recording.checks, min(step, len(recording.checks)), recording.kind == "cot")
        else:
            self.stack.setCurrentWidget(self.program)
            self.variables.show()
            self._show_line(recording, min(step, len(recording.trace)))
        self.here.setVisible(parting)
        if parting:
            self.here.setText(f"{MARK} {line_text(recording, step)}")
            tokens = theme.current()
            self.here.setStyleSheet(
                f"color: {tokens.accent}; background: {tokens.accent_tint};"
                f"padding: {theme.gap(0.5)}px {theme.gap(1.5)}px; border-radius: 4px;"
            )
        ended = step >= length_of(recording)
        answer = recording.answer if ended else None
        self.answer.show_answer(answer, recording.gold, show_gold, recording.kind)

    def _show_line(self, recording: Recording, step: int) -> None:
        text = recording.program.rstrip("\n")
        if text != self.program.toPlainText():
            self.program.set_program(text, recording.kind == "pot")
        state = recording.trace.state(step) if step else None
        answer, error = recording.answer, None
        at_end = step >= len(recording.trace)
        if (
            at_end
            and answer is not None
            and answer.verdict in IN_PLACE
            and (state is None or not state.exception)
        ):
            error = (answer.error_line, answer.error or answer.verdict.replace("_", " "))
        self.program.show_state(state, error)
        self.variables.show_state(state)


def has_failed(recording: Recording) -> bool:
    """Tell whether a solution ended without an answer, even without one that is wrong."""
    return recording.over and recording.answer is None


def failure_text(branch: Branch) -> str:
    """Return which solution there is nothing to compare of, and why."""
    failure = branch.recording.failure
    if failure is None or failure.message == "Cancelled.":
        return f"“{branch.title}” was stopped before it had an answer: there is nothing to compare."
    where = f"({failure.where})" if failure.where and failure.where not in failure.message else ""
    told = " ".join(part for part in (failure.message, failure.hint, where) if part)
    return f"“{branch.title}” failed, so there is nothing to compare: {told}"


def length_of(recording: Recording) -> int:
    """Return how many lines of the trace (or checked steps) there are."""
    return len(recording.checks) if recording.worked else len(recording.trace)


def first_difference(a: Recording, b: Recording) -> int | None:
    """Return the 1-based step at which two runs first differ in the line run or in a value, None if never."""
    parted: Iterator[bool]
    if a.worked != b.worked:
        # a program and a text have no line in common
        return 1
    if a.worked:
        left, right = [step.text for step in a.checks], [step.text for step in b.checks]
        parted = (one != other for one, other in zip(left, right, strict=False))
        lengths = len(left), len(right)
    else:
        parted = _parted(a, b)
        lengths = len(a.trace), len(b.trace)
    found = next((number for number, differs in enumerate(parted, 1) if differs), None)
    return found or (min(lengths) + 1 if lengths[0] != lengths[1] else None)


def _parted(a: Recording, b: Recording) -> Iterator[bool]:
    """Yield for each record of two traces whether they differ in line, value or event."""
    left, right = a.program.split("\n"), b.program.split("\n")
    same = [one.strip() == other.strip() for one, other in zip(left, right, strict=False)]
    for one, other in zip(a.trace.records, b.trace.records, strict=False):
        x, y = int(one.get("ln") or 0), int(other.get("ln") or 0)
        if x == y and 0 < x <= len(same):
            line = same[x - 1]
        else:
            line = _line(left, x) == _line(right, y)
        yield not (
            line and one.get("ev") == other.get("ev") and one.get("ch") == other.get("ch")
            and one.get("ex") == other.get("ex")
        )  # fmt: skip


def line_text(recording: Recording, step: int) -> str:
    """Return what a run does at a 1-based step: `line 3: days = 7`; "ended" behind its end."""
    if recording.worked:
        return recording.checks[step - 1].text if 0 < step <= len(recording.checks) else "ended"
    if not 0 < step <= len(recording.trace):
        return "ended"
    record = recording.trace.records[step - 1]
    changes = record.get("ch") or {}
    told = [f"{name} = {value[0]}" for name, value in changes.items() if value]
    return f"line {record.get('ln')}: " + (", ".join(told) or _source(recording, record))


def _source(recording: Recording, record: dict) -> str:
    return _line(recording.program.split("\n"), int(record.get("ln") or 0))


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def points_text(mine: Recording, other: Recording) -> str:
    """Return key points as rich text; what the other solution has not in these words has a sign."""
    points, raw = key_points_of(mine)
    theirs, _ = key_points_of(other)
    if not points.core_question and not points.information:
        return escape(raw)
    lines = [_marked(points.core_question, points.core_question != theirs.core_question, "b")]
    lines += [
        f"{number}. " + _marked(item, item not in theirs.information, "span")
        for number, item in enumerate(points.information, 1)
    ]
    return "<br>".join(lines)


def _marked(text: str, differs: bool, tag: str) -> str:
    if not differs:
        return f"<{tag}>{escape(text)}</{tag}>"
    tint = theme.current().accent_tint
    return f'<{tag} style="background-color: {tint};">{MARK} {escape(text)}</{tag}>'


def title_of(branch: Branch) -> str:
    """Return a branch's title with its outcome."""
    return f"{branch.title}  {outcome(branch.recording)[2]}"
