"""Which columns the table shows, in which order, by keys alone: Space shows or hides, Alt and arrows move."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.row_header import RowHeader
from kpdd_app.widgets.row_paint import COLUMN

KEY = Qt.ItemDataRole.UserRole


class ColumnDialog(QDialog):
    """Changes show in the table at once."""

    def __init__(self, header: RowHeader, parent: QWidget | None = None) -> None:
        """Change the columns of `header`."""
        super().__init__(parent)
        self.header = header
        self.setWindowTitle(self.tr("Columns"))
        self.list = _List(self)
        self.list.setAccessibleName(self.tr("Columns in their order"))
        self.list.itemChanged.connect(self._toggled)
        hint = QLabel(self.tr("Space shows or hides a column, Alt+Up and Alt+Down move it."))
        hint.setProperty("role", "caption")
        hint.setWordWrap(True)
        usual = QPushButton(self.tr("Usual columns"))
        usual.setAutoDefault(False)
        usual.clicked.connect(self._forget)
        close = QPushButton(self.tr("Close"))
        close.setProperty("kind", "primary")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addWidget(usual)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addWidget(self.list, 1)
        column.addWidget(hint)
        column.addLayout(foot)
        self._fill()
        self.list.setCurrentRow(0)
        lines = self.list.sizeHintForRow(0) * (len(COLUMN) + 1)
        self.resize(theme.gap(90), min(lines + theme.gap(40), self.screen().availableSize().height() - 80))

    def step(self, way: int) -> None:
        """Move the chosen column one place up (-1) or down."""
        row = self.list.currentRow()
        if 0 <= row + way < self.list.count():
            self.header.place(self.list.item(row).data(KEY), row + way)
            self._fill()
            self.list.setCurrentRow(row + way)

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        hidden = self.header.hidden()
        for key in self.header.order():
            item = QListWidgetItem(COLUMN[key].title if key != "id" else self.tr("# (number of the row)"))
            item.setData(KEY, key)
            item.setCheckState(Qt.CheckState.Unchecked if key in hidden else Qt.CheckState.Checked)
            self.list.addItem(item)
        self.list.blockSignals(False)

    def _toggled(self, item: QListWidgetItem) -> None:
        key = item.data(KEY)
        self.header.set_hidden(key, item.checkState() == Qt.CheckState.Unchecked)
        if key not in self.header.hidden() and item.checkState() == Qt.CheckState.Unchecked:
            # one column always stays
            self.list.blockSignals(True)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.blockSignals(False)

    def _forget(self) -> None:
        self.header.forget()
        self._fill()
        self.list.setCurrentRow(0)


class _List(QListWidget):
    def __init__(self, dialog: ColumnDialog) -> None:
        super().__init__(dialog)
        self._dialog = dialog

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        way = ways.get(Qt.Key(event.key()))
        if way is not None and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._dialog.step(way)
        else:
            super().keyPressEvent(event)
