"""The head of the table: titles, the arrow of the order, and widths that a mouse can draw."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QPainter
from PySide6.QtWidgets import QMenu, QWidget

from kpdd_app import theme
from kpdd_app.widgets.row_paint import COLUMN, COLUMNS, ELASTIC, LEFT, RIGHT, Column

NARROWEST = 28
GRIP = 4


class RowHeader(QWidget):
    """Column titles over a `RowTable`; holds widths and which columns are shown."""

    widths_changed = Signal()
    sort_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with every column at its usual width."""
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Column titles"))
        self.sort = "id"
        self.descending = False
        self.offset = 0
        self._widths: dict[str, int] = {}
        self._hidden = {column.key for column in COLUMNS if not column.shown}
        self._available = 0
        self._dragged: tuple[str, int, int] | None = None
        self._hover = ""

    # --- columns ----------------------------------------------------------------------------------

    def columns(self) -> list[tuple[Column, int, int]]:
        """Return (column, left, width) of the shown columns; left does not count the scroll offset."""
        left, found = 0, []
        for column in COLUMNS:
            if column.key not in self._hidden:
                width = self.width_of(column.key)
                found.append((column, left, width))
                left += width
        return found

    def total(self) -> int:
        """Return the width of all shown columns together."""
        return sum(width for _, _, width in self.columns())

    def width_of(self, key: str) -> int:
        """Return a column's width in pixels."""
        if key == ELASTIC and key not in self._widths:
            others = sum(self.width_of(column.key) for column in COLUMNS
                         if column.key not in self._hidden | {key})  # fmt: skip
            return max(self._usual(key), self._available - others)
        return self._widths.get(key) or self._usual(key)

    def _usual(self, key: str) -> int:
        return round(COLUMN[key].characters * theme.text_metrics().averageCharWidth()) + theme.gap(3)

    def set_available(self, width: int) -> None:
        """Say how wide the table is, for the elastic column."""
        self._available = width

    def set_width(self, key: str, width: int) -> None:
        """Give a column a width."""
        self._widths[key] = max(NARROWEST, width)
        self.update()
        self.widths_changed.emit()

    def hidden(self) -> set[str]:
        """Return the keys of the columns that are not shown."""
        return set(self._hidden)

    def set_hidden(self, key: str, hidden: bool) -> None:
        """Show or hide a column; one always stays."""
        if hidden and len(self._hidden) < len(COLUMNS) - 1:
            self._hidden.add(key)
        else:
            self._hidden.discard(key)
        self.update()
        self.widths_changed.emit()

    def state(self) -> dict[str, int]:
        """Return widths to be remembered: 0 for a hidden column, 1 for one of its usual width."""
        shown = {column.key: self._widths.get(column.key, 1) for column in COLUMNS}
        return {**shown, **dict.fromkeys(self._hidden, 0)}

    def restore(self, state: dict[str, int]) -> None:
        """Take up a remembered state."""
        for key, width in state.items():
            if key in COLUMN and width == 0:
                self._hidden.add(key)
            elif key in COLUMN:
                self._hidden.discard(key)
                if width > 1:
                    self._widths[key] = max(NARROWEST, width)
        self.widths_changed.emit()

    def menu(self) -> QMenu:
        """Return the menu that shows and hides columns."""
        menu = QMenu(self)
        for column in COLUMNS:
            action = QAction(column.title, menu)
            action.setCheckable(True)
            action.setChecked(column.key not in self._hidden)
            action.toggled.connect(lambda shown, key=column.key: self.set_hidden(key, not shown))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(self.tr("Usual widths"), self._forget_widths)
        return menu

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme.colour("window"))
            painter.setFont(theme.text_font(-0.5))
            for column, left, width in self.columns():
                self._paint_title(painter, column, left - self.offset, width)
            painter.setPen(theme.colour("border"))
            painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        finally:
            painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = round(event.position().x())
        if self._dragged is not None:
            key, start, width = self._dragged
            self.set_width(key, width + x - start)
            return
        self.setCursor(Qt.CursorShape.SplitHCursor if self._edge(x) else Qt.CursorShape.ArrowCursor)
        hover = self._at(x)
        if hover != self._hover:
            self._hover = hover
            self.update()

    def leaveEvent(self, event) -> None:
        self._hover = ""
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = round(event.position().x())
        edge = self._edge(x)
        if event.button() == Qt.MouseButton.LeftButton and edge:
            self._dragged = (edge, x, self.width_of(edge))
        elif event.button() == Qt.MouseButton.LeftButton and self._at(x):
            self.sort_wanted.emit(self._at(x))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        edge = self._edge(round(event.position().x()))
        if edge:
            self._widths.pop(edge, None)
            self.update()
            self.widths_changed.emit()

    def contextMenuEvent(self, event) -> None:
        self.menu().exec(event.globalPos())

    # --- helpers ----------------------------------------------------------------------------------

    def _forget_widths(self) -> None:
        self._widths.clear()
        self.update()
        self.widths_changed.emit()

    def _paint_title(self, painter: QPainter, column: Column, left: int, width: int) -> None:
        sorted_by = column.key == self.sort
        pad = theme.gap(1.6)
        indent = pad // 2 if column.key in ("verdict", "review") else pad
        inner = QRect(left + indent, 0, 0, self.height())
        inner.setRight(left + width - pad // 2 - 1)
        edge = round(theme.line_height() * 0.75)
        if sorted_by:
            name = "chevron-down" if self.descending else "chevron-up"
            picture = theme.pixmap(name, "accent", edge, self.devicePixelRatioF())
            painter.drawPixmap(left + width - edge - 3, (self.height() - edge) // 2, picture)
            inner.setRight(inner.right() - edge)
        painter.setPen(theme.colour("text" if sorted_by or self._hover == column.key else "muted"))
        title = painter.fontMetrics().elidedText(column.title, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, RIGHT if column.right else LEFT, title)
        painter.setPen(theme.colour("border"))
        painter.drawLine(left + width - 1, theme.gap(1.5), left + width - 1, self.height() - theme.gap(1.5))

    def _at(self, x: int) -> str:
        x += self.offset
        return next((column.key for column, left, width in self.columns() if left <= x < left + width), "")

    def _edge(self, x: int) -> str:
        x += self.offset
        for column, left, width in self.columns():
            if abs(left + width - x) <= GRIP:
                return column.key
        return ""
