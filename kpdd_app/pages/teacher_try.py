"""Ask one: a question goes to the teacher, the raw reply stands beside what was read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.notice import Notice
from training_backend.events import Failed
from training_backend.methods import KINDS
from training_backend.teacher.prompts import TITLES


class TryPanel(QWidget):
    """Which question, which kind; then the requests as they came, and the fields that were read."""

    ask_wanted = Signal()
    stop_wanted = Signal()
    row_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._busy = False
        self._build()
        self.clear()

    # --- methods ----------------------------------------------------------------------------------

    def arguments(self) -> list[str]:
        """Return the words behind `kpdd teacher ask PROJECT NAME`."""
        words = ["--number", str(self.number.value()), "--kind", str(self.kind.currentData())]
        return [*words, "--one-call"] if self.one_call.isChecked() else words

    def show_row(self, row: Any) -> None:
        """Show the question that would be asked about."""
        self.number.blockSignals(True)
        self.number.setRange(1, row.total)
        self.number.setValue(row.number + 1)
        self.number.setSuffix(self.tr(" of {0}").format(QLocale().toString(row.total)))
        self.number.blockSignals(False)
        if row.question.text != self.question.text():
            self.clear()
        self.question.setText(row.question.text)

    def set_busy(self, busy: bool) -> None:
        """The teacher is being asked, or no longer is."""
        self._busy = busy
        self.ask_button.setText(self.tr("Stop asking") if busy else self.tr("Ask one"))
        if busy:
            self.notice.clear()
            self.figures.setText(self.tr("asking …"))
            self.raw.clear()
            self.parsed.clear()

    def set_narrow(self, narrow: bool) -> None:
        """Put how to ask below what is asked about, or beside it."""
        direction = QBoxLayout.Direction
        self.head.setDirection(direction.TopToBottom if narrow else direction.LeftToRight)

    def set_recorded(self, recorded: bool) -> None:
        """A recording has no requests: hide what it does not know."""
        self.one_call.setVisible(not recorded)

    def clear(self) -> None:
        """Say what this place is for."""
        self.notice.clear()
        self.figures.setText(self.tr("Try the teacher on one question before the run; nothing is stored."))
        self.raw.clear()
        self.parsed.clear()

    def show_requests(self, requests: Sequence[Mapping[str, Any]], price: Any = None) -> None:
        """Show replies and what was read from them."""
        self.raw.setPlainText("\n\n".join(f"── {_title(one)} ──\n{one.get('text', '')}" for one in requests))
        self.parsed.setPlainText(parsed_text(requests))
        self.figures.setText(figures(requests, price))
        wrong = [one for one in requests if one.get("problem")]
        if wrong:
            hint = str(wrong[0].get("hint") or "")
            self.notice.say(f"{_title(wrong[0])}: {wrong[0]['problem']} {hint}".strip(), "wrong")
        else:
            self.notice.clear()

    def show_failure(self, failure: Failed | None) -> None:
        """Say why nothing could be asked."""
        self.figures.setText("")
        if failure is not None:
            self.notice.say_failure(failure)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.number = QSpinBox()
        self.number.setAccessibleName(self.tr("Number of the question to ask about"))
        self.number.setGroupSeparatorShown(True)
        self.number.setRange(1, 1)
        self.number.lineEdit().setTextMargins(theme.gap(1.4), 0, 0, 0)
        self.number.valueChanged.connect(lambda value: self.row_wanted.emit(value - 1))
        self.kind = QComboBox()
        self.kind.setAccessibleName(self.tr("Kind of rationale"))
        for kind, title in KINDS.items():
            self.kind.addItem(title, kind)
        self.kind.setCurrentIndex(list(KINDS).index("pot"))
        self.kind.setMinimumContentsLength(8)
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.one_call = QCheckBox(self.tr("In one reply"))
        self.one_call.setToolTip(self.tr("Key points and rationale in one reply"))
        self.ask_button = QPushButton(self.tr("Ask one"))
        self.ask_button.setToolTip(self.tr("Ask about this question; nothing is stored (Ctrl+T)"))
        self.ask_button.setProperty("kind", "primary")
        self.ask_button.clicked.connect(lambda: (self.stop_wanted if self._busy else self.ask_wanted).emit())
        self.question = QLabel()
        self.question.setWordWrap(True)
        self.question.setTextFormat(Qt.TextFormat.PlainText)
        self.question.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notice = Notice()
        self.figures = QLabel()
        self.figures.setProperty("role", "caption")
        self.figures.setWordWrap(True)
        self.raw = _text(self.tr("The raw reply"))
        self.parsed = _text(self.tr("What was read from it"))
        head = QHBoxLayout()
        head.setSpacing(theme.gap(2))
        label = QLabel(self.tr("Question"))
        label.setBuddy(self.number)
        for widget in (label, self.number, self.kind):
            head.addWidget(widget)
        how = QHBoxLayout()
        how.addWidget(self.one_call)
        how.addStretch(1)
        how.addWidget(self.ask_button)
        self.head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.head.setSpacing(theme.gap(2))
        self.head.addLayout(head)
        self.head.addLayout(how, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(_titled(self.tr("The raw reply"), self.raw, theme.gap(2), 0))
        both.addWidget(_titled(self.tr("What was read from it"), self.parsed, 0, theme.gap(2)))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.gap(5), theme.gap(4), theme.gap(5), theme.gap(3))
        column.setSpacing(theme.gap(2))
        column.addLayout(self.head)
        for part in (self.question, self.figures, self.notice):
            column.addWidget(part)
        column.addWidget(both, 1)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        for box in (self.raw, self.parsed):
            box.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font(-0.5))} }}")
            box.setMinimumHeight(theme.line_height() * 6)


def parsed_text(requests: Sequence[Mapping[str, Any]]) -> str:
    """Return the fields that were read from the replies, and what could not be read."""
    parts = []
    for one in requests:
        if one.get("core_question"):
            items = "\n".join(f"{n}. {item}" for n, item in enumerate(one.get("information") or (), 1))
            parts += [f"── core question ──\n{one['core_question']}", f"── information ──\n{items}"]
        if one.get("rationale"):
            parts.append(f"── {_title(one)} ──\n{one['rationale']}")
        if one.get("problem"):
            parts.append(f"── {_title(one)} ──\ncould not be read: {one['problem']}")
    return "\n\n".join(parts)


def figures(requests: Sequence[Mapping[str, Any]], price: Any = None) -> str:
    """Return what the trial took: seconds, tokens, money where the price is known."""
    number = QLocale().toString
    sums = [sum(one.get(name) or 0 for one in requests)
            for name in ("prompt_tokens", "cached_tokens", "completion_tokens", "latency_s")]  # fmt: skip
    if not sums[0] and not sums[2]:
        return ""
    text = f"{number(float(sums[3]), 'f', 1)} s · {number(sums[0])} tokens in · {number(sums[2])} out"
    money = price.money(*sums[:3]) if price is not None else 0
    models = ", ".join(dict.fromkeys(str(one.get("model")) for one in requests if one.get("model")))
    return text + (f" · {number(money, 'g', 3)} {price.currency}" if money else "") + f" · {models}"


def _title(one: Mapping[str, Any]) -> str:
    return TITLES.get(str(one.get("name")), str(one.get("name")))


def _titled(title: str, box: QPlainTextEdit, right: int, left: int) -> QWidget:
    head = QLabel(title)
    head.setProperty("role", "muted")
    head.setBuddy(box)
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(left, 0, right, 0)
    column.setSpacing(theme.gap(1))
    column.addWidget(head)
    column.addWidget(box, 1)
    return whole


def _text(name: str) -> QPlainTextEdit:
    box = QPlainTextEdit()
    box.setReadOnly(True)
    box.setTabChangesFocus(True)
    box.setAccessibleName(name)
    return box
