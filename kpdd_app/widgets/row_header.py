"""The head of the table: titles, the arrow of the order, and columns that a mouse can widen and move."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QPainter
from PySide6.QtWidgets import QMenu, QWidget

from kpdd_app import theme
from kpdd_app.widgets.row_paint import COLUMN, COLUMNS, ELASTIC, LEFT, RIGHT, Column

NARROWEST = 28
GRIP = 4
# a title that is drawn further than this is moved, not clicked
MOVE_FROM = 10


class RowHeader(QWidget):
    """Column titles over a `RowTable`; holds widths and which columns are shown."""

    widths_changed = Signal()
    layout_changed = Signal()
    """A person chose other columns, another order or other widths."""
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
        self._moved: tuple[str, int, bool] | None = None
        self._order = list(COLUMN)
        self._laid_out: list[tuple[Column, int, int]] | None = None
        self._hover = ""
        theme.notifier().changed.connect(self._changed)

    # --- columns ----------------------------------------------------------------------------------

    def columns(self) -> list[tuple[Column, int, int]]:
        """Return (column, left, width) of the shown columns; left does not count the scroll offset."""
        if self._laid_out is None:
            self._laid_out = self._lay_out()
        return self._laid_out

    def total(self) -> int:
        """Return the width of all shown columns together."""
        return sum((width for _, _, width in self.columns()), gutter())

    def width_of(self, key: str) -> int:
        """Return a shown column's width in pixels, 0 for a hidden one."""
        return next((width for column, _, width in self.columns() if column.key == key), 0)

    def _lay_out(self) -> list[tuple[Column, int, int]]:
        """Give the elastic column what the others leave; where there is too little, let them shrink."""
        shown = [COLUMN[key] for key in self._order if key not in self._hidden]
        widths = {column.key: self._widths.get(column.key) or _pixels(column.characters) for column in shown}
        free = self._available - gutter() - sum(widths.values())
        if free > 0 and ELASTIC in widths and ELASTIC not in self._widths:
            widths[ELASTIC] += free
        if free < 0:
            can = {column.key: max(0, widths[column.key] - _pixels(column.least)) for column in shown
                   if column.key not in self._widths}  # fmt: skip
            # the others alike, and only then the elastic one: it says which row it is
            rest = sum(can.values()) - can.get(ELASTIC, 0)
            share = min(1.0, -free / rest) if rest else 0.0
            first = min(can.get(ELASTIC, 0), max(0, -free - rest))
            for key, room in can.items():
                widths[key] -= first if key == ELASTIC else math.ceil(room * share)
        left, found = gutter(), []
        for column in shown:
            found.append((column, left, widths[column.key]))
            left += widths[column.key]
        return found

    def set_available(self, width: int) -> None:
        """Say how wide the table is, for the elastic column."""
        if width != self._available:
            self._available = width
            self._laid_out = None

    def set_width(self, key: str, width: int) -> None:
        """Give a column a width."""
        self._widths[key] = max(NARROWEST, width)
        self._changed()

    def hidden(self) -> set[str]:
        """Return the keys of the columns that are not shown."""
        return set(self._hidden)

    def set_hidden(self, key: str, hidden: bool) -> None:
        """Show or hide a column; one always stays."""
        if hidden and len(self._hidden) < len(COLUMNS) - 1:
            self._hidden.add(key)
        else:
            self._hidden.discard(key)
        self._changed(kept=True)

    def order(self) -> list[str]:
        """Return the keys of all columns in their order, the hidden ones too."""
        return list(self._order)

    def restore_order(self, keys: list[str]) -> None:
        """Take up a remembered order; columns that it does not name keep their usual place at the end."""
        known = [key for key in dict.fromkeys(keys) if key in COLUMN]
        self._order = known + [key for key in COLUMN if key not in known]
        self._changed()

    def place(self, key: str, place: int) -> None:
        """Put a column at a place among all columns."""
        self._order.remove(key)
        self._order.insert(max(0, min(place, len(self._order))), key)
        self._changed(kept=True)

    def forget(self) -> None:
        """Show the usual columns, in their usual order and widths."""
        self._widths.clear()
        self._order = list(COLUMN)
        self._hidden = {column.key for column in COLUMNS if not column.shown}
        self._changed(kept=True)

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
        self._changed()

    def menu(self) -> QMenu:
        """Return the menu that shows and hides columns."""
        menu = QMenu(self)
        for column in [COLUMN[key] for key in self._order]:
            action = QAction(column.title, menu)
            action.setCheckable(True)
            action.setChecked(column.key not in self._hidden)
            action.toggled.connect(lambda shown, key=column.key: self.set_hidden(key, not shown))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(self.tr("Usual widths"), self._forget_widths)
        menu.addAction(self.tr("Usual columns"), self.forget)
        return menu

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme.colour("window"))
            painter.setFont(theme.text_font(-0.5))
            for column, left, width in self.columns():
                self._paint_title(painter, column, left - self.offset, width)
            if self._moved is not None and self._moved[2]:
                x = self._drop_edge(self._moved[1]) - self.offset
                painter.fillRect(x - 1, 0, 3, self.height(), theme.colour("accent"))
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
        if self._moved is not None:
            key, start, moving = self._moved
            if moving or abs(x - start) > MOVE_FROM:
                self._moved = (key, x, True)
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.update()
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
            self._moved = (self._at(x), x, False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved, self._moved = self._moved, None
        if self._dragged is not None:
            self._dragged = None
            self.layout_changed.emit()
        elif moved is not None and moved[2]:
            self._drop(moved[0], moved[1])
        elif moved is not None and moved[0]:
            self.sort_wanted.emit(COLUMN[moved[0]].sort)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        edge = self._edge(round(event.position().x()))
        if edge:
            self._widths.pop(edge, None)
            self._changed(kept=True)

    def contextMenuEvent(self, event) -> None:
        self.menu().exec(event.globalPos())

    # --- helpers ----------------------------------------------------------------------------------

    def _forget_widths(self) -> None:
        self._widths.clear()
        self._changed(kept=True)

    def _changed(self, kept: bool = False) -> None:
        """Lay the columns out again; `kept`: a person chose so, to be remembered."""
        self._laid_out = None
        self.update()
        self.widths_changed.emit()
        if kept:
            self.layout_changed.emit()

    def _drop_edge(self, x: int) -> int:
        """Return the edge between two columns that is nearest to a place in the header."""
        columns = self.columns()
        edges = [columns[0][1], *(left + width for _, left, width in columns)]
        return min(edges, key=lambda edge: abs(edge - x - self.offset))

    def _drop(self, key: str, x: int) -> None:
        """Put a column where it was let go."""
        edge = self._drop_edge(x)
        after = [column.key for column, left, _ in self.columns() if left >= edge and column.key != key]
        rest = [name for name in self._order if name != key]
        self.place(key, rest.index(after[0]) if after else len(rest))

    def _paint_title(self, painter: QPainter, column: Column, left: int, width: int) -> None:
        sorted_by = column.sort == self.sort
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


def gutter() -> int:
    """Return the room at the left of all columns, where a row is marked that left the filter."""
    return round(theme.line_height() * 0.92) + theme.gap(1)


def _pixels(characters: float) -> int:
    return round(characters * theme.text_metrics().averageCharWidth()) + theme.gap(3)
