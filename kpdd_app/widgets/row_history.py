"""The history of a row's fields: who wrote what when; any earlier text can be brought back."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from training_backend.project.details import HistoryItem

TEXT_FIELDS = ("question", "gold", "core_question", "information", "rationale", "note")


class RowHistory(QWidget):
    """A list of changes, the newest first, and the button that brings a text back."""

    bring_back_wanted = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.items: list[HistoryItem] = []
        self.list = QTreeWidget()
        self.list.setAccessibleName(self.tr("History of the fields"))
        self.list.setHeaderLabels([self.tr("When"), self.tr("Field"), self.tr("What"), self.tr("Who")])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setMinimumHeight(theme.row_height() * 7)
        # who and what share the room that is left; the tool tip has both whole
        header, ways = self.list.header(), QHeaderView.ResizeMode
        for place in range(4):
            header.setSectionResizeMode(place, ways.ResizeToContents if place < 2 else ways.Stretch)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda *_: self._show_text())
        self.list.itemActivated.connect(lambda *_: self._bring_back())
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setProperty("role", "muted")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton(self.tr("Bring this text back"))
        self.button.clicked.connect(self._bring_back)
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.gap(1), 0, 0)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._show_text()

    def take(self, items: list[HistoryItem], read_only: bool) -> None:
        """Show the history of a row."""
        self.items = list(reversed(items))
        self.list.clear()
        for item in self.items:
            what = self.tr("{0} (undone)").format(item.what) if item.undone else item.what
            words = [_when(item.when), item.field.replace("_", " "), what, item.who]
            line = QTreeWidgetItem(words)
            for column, text in enumerate(words):
                line.setToolTip(column, text)
            if item.undone:
                for column in range(4):
                    line.setForeground(column, theme.colour("faint"))
            self.list.addTopLevelItem(line)
        self.button.setVisible(not read_only)
        if self.items:
            self.list.setCurrentIndex(self.list.model().index(0, 0))
        self._show_text()

    def _current(self) -> HistoryItem | None:
        index = self.list.currentIndex().row()
        return self.items[index] if 0 <= index < len(self.items) else None

    def _show_text(self) -> None:
        item = self._current()
        text = item.new if item else ""
        self.text.setText(text if len(text) < 600 else text[:600] + " …")
        self.button.setEnabled(item is not None and item.field in TEXT_FIELDS)

    def _bring_back(self) -> None:
        item = self._current()
        if item is not None and item.field in TEXT_FIELDS and not self.button.isHidden():
            self.bring_back_wanted.emit(item.field, item.new)


def _when(iso: str) -> str:
    """Return a UTC time of the project in the person's own time zone."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return iso
