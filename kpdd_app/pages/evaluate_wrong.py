"""The wrong ones of an evaluation: a list, and the whole of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.growing_text import GrowingText
from kpdd_app.widgets.plain_table import PlainTable
from kpdd_app.widgets.python_text import PythonHighlighter

COLUMNS = ("Question", "Read as answer", "Gold", "Verdict")


class WrongList(QWidget):
    """Predictions that do not equal gold; a double click, Return or the button opens one in Solve."""

    solve_wanted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the list, empty."""
        super().__init__(parent)
        self.predictions: list[Any] = []
        self.heading = QLabel()
        self.heading.setProperty("role", "heading")
        self.table = PlainTable(self.tr("Wrong answers"), COLUMNS)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.currentCellChanged.connect(lambda row, *_: self._show(row))
        self.table.activated.connect(lambda _: self._open())
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("panel", "apart")
        splitter.addWidget(self.table)
        splitter.addWidget(self._detail())
        splitter.setSizes([560, 440])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1.5))
        column.addWidget(self.heading)
        column.addWidget(splitter, 1)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.show_predictions([])

    def show_predictions(self, predictions: Sequence[Any], of: str = "") -> None:
        """Show the wrong predictions `of` an evaluation."""
        self.predictions = list(predictions)
        self.heading.setText(
            self.tr("Wrong answers ({0:,})").format(len(self.predictions)) + (f" · {of}" if of else "")
        )
        self.table.blockSignals(True)
        self.table.setRowCount(len(self.predictions))
        for number, one in enumerate(self.predictions):
            look = theme.look("not_equal" if one.value is not None else one.verdict)
            cells = (" ".join(one.question.split()), one.answer_text or "–", one.gold_text, look.word)
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text[:400])
                item.setToolTip(text[:2000])
                if column == 3:
                    item.setForeground(theme.colour(look.colour))
                    item.setIcon(theme.icon(look.sign, look.colour))
                self.table.setItem(number, column, item)
        self.table.setCurrentCell(-1, -1)
        self.table.blockSignals(False)
        self._show(-1)
        if self.predictions:
            self.table.setCurrentCell(0, 0)

    def _detail(self) -> QWidget:
        self.question = _text()
        self.core = _text()
        self.information = _text()
        self.answer = _text()
        self.program = GrowingText(self.tr("What the student wrote"), 3, 40)
        self.program.setReadOnly(True)
        self._colours = PythonHighlighter(self.program.document())
        self.open_button = QPushButton(self.tr("Open in Solve"))
        self.open_button.setProperty("kind", "primary")
        self.open_button.clicked.connect(self._open)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, theme.gap(1), 0)
        column.setSpacing(theme.gap(0.6))
        for title, widget in (
            (self.tr("Question"), self.question), (self.tr("Core question"), self.core),
            (self.tr("Information"), self.information),
        ):  # fmt: skip
            caption = QLabel(title)
            caption.setProperty("role", "caption")
            column.addWidget(caption)
            column.addWidget(widget)
            column.addSpacing(theme.gap(1))
        caption = QLabel(self.tr("What the student wrote"))
        caption.setProperty("role", "caption")
        column.addWidget(caption)
        column.addWidget(self.program)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        panel = QFrame()
        panel.setProperty("panel", "surface")
        outer = QVBoxLayout(panel)
        outer.setContentsMargins(*[theme.gap(theme.M)] * 4)
        outer.setSpacing(theme.gap(1))
        outer.addWidget(scroll, 1)
        # what it came to stands below what came to it
        row = QHBoxLayout()
        row.setSpacing(theme.gap(2))
        row.addWidget(self.answer, 1)
        row.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignBottom)
        outer.addLayout(row)
        self.detail = panel
        return panel

    def _show(self, row: int) -> None:
        one = self.predictions[row] if 0 <= row < len(self.predictions) else None
        self.open_button.setEnabled(one is not None)
        self.question.setText(one.question if one else "")
        self.core.setText(one.core_question or "–" if one else "")
        items = "\n".join(f"{n}. {item}" for n, item in enumerate(one.information, 1)) if one else ""
        self.information.setText(items or ("–" if one else ""))
        self.answer.setText(_answer(one) if one else "")
        self._colours.set_on(one is not None and one.kind == "pot")
        self.program.set_text(one.rationale if one else "")

    def _open(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self.predictions):
            one = self.predictions[row]
            self.solve_wanted.emit(one.question, one.gold_value)

    def _restyle(self) -> None:
        self.program.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font())} }}")
        line = theme.line_height()
        for column, width in ((1, 7), (2, 4), (3, 8)):
            self.table.setColumnWidth(column, line * width)


def _answer(one: Any) -> str:
    rule = f" ({one.rule})" if getattr(one, "rule", "") else ""
    read = f"read {one.answer_text}{rule}" if one.answer_text else one.verdict.replace("_", " ")
    error = f": {one.error}" if one.error else ""
    return f"{read}{error} · gold {one.gold_text}"


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
