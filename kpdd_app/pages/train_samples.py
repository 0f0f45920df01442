"""Held-out questions while students learn: what was asked, what was wanted, and what a student says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme

SHOWN = 5
_VERDICT = 4


class SamplesView(QSplitter):
    """A table of questions; beside it the whole texts of the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._rows: list[tuple[str, Mapping[str, Any]]] = []
        self._titles: Mapping[str, str] = {}
        self.table = self._table()
        self.texts = QPlainTextEdit()
        self.texts.setReadOnly(True)
        self.texts.setTabChangesFocus(True)
        self.texts.setAccessibleName(self.tr("Texts of the chosen question"))
        self.texts.hide()
        self.hint = QLabel(self.tr("The students are asked at every look at the held-out questions."))
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.table.viewport()).addWidget(self.hint)
        self.addWidget(self.table)
        self.addWidget(self.texts)
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)
        self.setChildrenCollapsible(False)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def clear(self) -> None:
        """Show nothing."""
        self.show_samples({}, {})

    def show_samples(self, titles: Mapping[str, str], samples: Mapping[str, Sequence[Mapping]]) -> None:
        """Show the newest samples by student, five of each; the chosen line stays chosen."""
        rows = [(role, sample) for role, each in samples.items() for sample in each[:SHOWN]]
        if rows == self._rows:
            return
        self._rows, self._titles = rows, titles
        self.table.setRowCount(len(rows))
        self.hint.setVisible(not rows)
        for number, (role, sample) in enumerate(rows):
            self._fill(number, role, sample)
        self._show_chosen()

    def _table(self) -> QTableWidget:
        tr = self.tr
        table = QTableWidget(0, 5)
        table.setAccessibleName(tr("Held-out questions"))
        table.setHorizontalHeaderLabels(
            [tr("Student"), tr("Held-out question"), tr("Wanted"), tr("It says now"), tr("Verdict")]
        )
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for section in (1, 2, 3):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Stretch)
        table.itemSelectionChanged.connect(self._show_chosen)
        return table

    def _fill(self, number: int, role: str, sample: Mapping[str, Any]) -> None:
        state = str(sample.get("state") or "")
        texts = (
            self._titles[role],
            asked(sample),
            sample.get("wanted", ""),
            sample.get("said", ""),
            theme.look(state).word if state else "",
        )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(" ".join(str(text).split())[:300])
            item.setToolTip(str(text)[:2000])
            if column == _VERDICT and state:
                look = theme.look(state)
                item.setForeground(theme.colour(look.colour))
                item.setIcon(theme.icon(look.sign, look.colour))
            self.table.setItem(number, column, item)

    def _show_chosen(self) -> None:
        number = self.table.currentRow()
        chosen = bool(self.table.selectedItems()) and number < len(self._rows)
        if chosen and not self.texts.isVisible():
            self.setSizes([3 * self.width() // 5, 2 * self.width() // 5])
        self.texts.setVisible(chosen)
        if chosen:
            _, sample = self._rows[number]
            parts = (
                asked(sample),
                f"wanted:\n{sample.get('wanted', '')}",
                f"says:\n{sample.get('said', '')}",
            )
            self.texts.setPlainText("\n\n".join(parts))

    def _restyle(self) -> None:
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(theme.line_height() * 3)
        self.table.setColumnWidth(0, theme.line_height() * 4)
        self.table.setColumnWidth(_VERDICT, theme.line_height() * 8)
        self.table.verticalHeader().setDefaultSectionSize(theme.row_height())
        self.table.setMinimumHeight(theme.row_height() * 4)
        self.texts.setFont(theme.mono_font(-1))


def asked(sample: Mapping[str, Any]) -> str:
    """Return the question of a sample without the words that name the task.

    >>> asked({"source": "extract key points: question: How many?"})
    'How many?'
    """
    return str(sample.get("source", "")).split(": ", 1)[-1].removeprefix("question: ")
