"""A table to read: whole rows are chosen, Tab leaves it, headings stand in line with what is below them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QWidget

from kpdd_app import theme

# what Qt leaves free at both sides of a cell's text, beside any padding
_MARGIN_PX = 3


class PlainTable(QTableWidget):
    """A table without an editor or a grid; its rows grow with the text."""

    def __init__(self, name: str, headings: Sequence[str], parent: QWidget | None = None) -> None:
        """Build it empty; `name` is what a screen reader calls it."""
        super().__init__(0, len(headings), parent)
        self.setAccessibleName(name)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.set_headings(headings)
        theme.notifier().changed.connect(self._fit_text)
        self._fit_text()

    def set_headings(self, headings: Sequence[str]) -> None:
        """Name the columns; a name that is wider than its column ends in an ellipsis."""
        self.setColumnCount(len(headings))
        self.setHorizontalHeaderLabels(list(headings))
        # Qt shortens the lines of a name as if they were one
        lines = any("\n" in heading for heading in headings)
        mode = Qt.TextElideMode.ElideNone if lines else Qt.TextElideMode.ElideRight
        self.horizontalHeader().setTextElideMode(mode)

    def _fit_text(self) -> None:
        # the padding of a heading in the style sheet, less what cells have anyway
        pad = max(0, theme.gap(1.6) - _MARGIN_PX)
        self.setStyleSheet(f"QTableView::item {{ padding: 0 {pad}px; }}")
        self.verticalHeader().setDefaultSectionSize(theme.row_height())
