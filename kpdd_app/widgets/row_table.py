"""The table: a scroll area that paints its rows whole, as smooth at a million rows as at a hundred."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from kpdd_app import theme
from kpdd_app.widgets.row_header import RowHeader
from kpdd_app.widgets.row_paint import RowPainter, kind_text
from kpdd_app.widgets.row_source import RowSource
from training_backend.project.listing import ListRow

# Qt counts scroll positions in an int
_MOST_PIXELS = 2**31 - 2**16


class RowTable(QAbstractScrollArea):
    """Rows of a `RowSource`; one row is current, any number are selected."""

    current_changed = Signal(object)
    """The id of the current row, or None."""
    selection_changed = Signal(int)
    """How many rows are selected."""
    activated = Signal(int)
    """A row was double-clicked or Return was pressed on it."""
    sort_wanted = Signal(str, bool)
    """Order by a column; True: descending."""
    menu_wanted = Signal(QPoint)

    def __init__(self, source: RowSource, parent: QWidget | None = None) -> None:
        """Show `source`."""
        super().__init__(parent)
        self.source = source
        self.header = RowHeader(self)
        self._painter = RowPainter(self.devicePixelRatioF())
        self._current = -1
        self._current_id: int | None = None
        self._anchor = -1
        self._selected = np.zeros(0, dtype=bool)
        self._hover = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Rows"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.header.widths_changed.connect(self._lay_out)
        self.header.sort_wanted.connect(self._sort)
        source.ids_changed.connect(self._take_ids)
        source.rows_arrived.connect(self._rows_arrived)
        self.horizontalScrollBar().valueChanged.connect(self._scrolled_sideways)
        theme.notifier().changed.connect(self._restyle)
        self._lay_out()

    # --- what is where ----------------------------------------------------------------------------

    @property
    def current(self) -> int:
        """Return the position of the current row, -1 for none."""
        return self._current

    @property
    def current_id(self) -> int | None:
        """Return the id of the current row."""
        return self._current_id

    def current_row(self) -> ListRow | None:
        """Return the current row as it was read last."""
        return self.source.row(self._current) if 0 <= self._current < len(self.source) else None

    def selected(self) -> np.ndarray:
        """Return the ids of the selected rows in the order of the table, as a vector of its own."""
        return self.source.ids[self._selected]

    def selected_count(self) -> int:
        """Return how many rows are selected."""
        return int(np.count_nonzero(self._selected))

    def rows_a_page(self) -> int:
        """Return how many whole rows the screen holds."""
        return max(1, self.viewport().height() // self._painter.height)

    # --- moving -----------------------------------------------------------------------------------

    def set_current(self, position: int, extend: bool = False, toggle: bool = False) -> None:
        """Make a row current and select it; `extend`: from the anchor on, `toggle`: add or take away."""
        count = len(self.source)
        if not count:
            return
        position = max(0, min(count - 1, position))
        before = self._current
        single = not (toggle or extend) and self.selected_count() <= 1
        if toggle:
            self._selected[position] = not self._selected[position]
            self._anchor = position
        else:
            self._selected[:] = False
            if not extend or self._anchor < 0:
                self._anchor = position
            low, high = sorted((self._anchor, position))
            self._selected[low : high + 1] = True
        self._current = position
        row_id = int(self.source.ids[position])
        changed = row_id != self._current_id
        self._current_id = row_id
        self.show_position(position)
        if single:
            # two rows look different, not the whole screen; what scrolled into view is painted anyway
            for place in {before, position}:
                self._update_rows(place, place + 1)
        else:
            self.viewport().update()
        self._describe()
        if changed:
            self.current_changed.emit(row_id)
        self.selection_changed.emit(self.selected_count())

    def show_row(self, row_id: int) -> bool:
        """Make the row with this id current; False when it is not in the vector."""
        position = self.source.position(row_id)
        if position is None:
            return False
        self.set_current(position)
        return True

    def forget_current(self) -> None:
        """Let the first row become current when the next vector comes."""
        self._current_id = None

    def step(self, steps: int) -> None:
        """Go some rows on (or back)."""
        self.set_current(self._current + steps if self._current >= 0 else 0)

    def select_all(self) -> None:
        """Select every row of the filter."""
        self._selected[:] = True
        self.viewport().update()
        self.selection_changed.emit(self.selected_count())

    def show_position(self, position: int) -> None:
        """Scroll as little as needed to see a row."""
        bar, height = self.verticalScrollBar(), self._painter.height
        top = position * height
        if top < bar.value():
            bar.setValue(top)
        elif top + height > bar.value() + self.viewport().height():
            bar.setValue(top + height - self.viewport().height())

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        source, height = self.source, self._painter.height
        offset = self.verticalScrollBar().value()
        area = self.viewport().rect()
        first = offset // height
        last = min(len(source), (offset + area.height()) // height + 1)
        source.want(first, last)
        # only what has to be painted again
        area = event.rect()
        first = max(first, (offset + area.top()) // height)
        last = min(last, (offset + area.bottom()) // height + 1)
        shift = self.horizontalScrollBar().value()
        columns = [
            (column, left - shift, width)
            for column, left, width in self.header.columns()
            if left + width > shift and left - shift < self.viewport().width()
        ]
        self._painter.look_for(source.filter.search)
        painter = QPainter(self.viewport())
        try:
            painter.fillRect(area, self._painter.colours["surface"])
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            for position in range(first, last):
                self._paint_row(painter, position, position * height - offset, columns)
        finally:
            painter.end()

    def resizeEvent(self, event) -> None:
        self._lay_out()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if dx == 0 and abs(dy) < self.viewport().height():
            # what stays on the screen is moved, not painted again
            self.viewport().scroll(0, dy)
        else:
            self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._restyle()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._restyle()
        return super().event(event)

    def focusInEvent(self, event) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page, count = self.rows_a_page() - 1, len(self.source)
        steps = {
            Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_Home: -count, Qt.Key.Key_End: count,
        }  # fmt: skip
        key = Qt.Key(event.key())
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key in steps:
            self.set_current(max(0, self._current) + steps[key] if self._current >= 0 else 0, extend)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() + (1 if key == Qt.Key.Key_Right else -1) * theme.gap(15))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current_id is not None:
            self.activated.emit(self._current_id)
        elif key == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.select_all()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = self._position_at(event)
        if position is None:
            return
        keys = event.modifiers()
        if event.button() == Qt.MouseButton.LeftButton:
            self.set_current(
                position,
                extend=bool(keys & Qt.KeyboardModifier.ShiftModifier),
                toggle=bool(keys & Qt.KeyboardModifier.ControlModifier),
            )
        elif event.button() == Qt.MouseButton.RightButton and not self._selected[position]:
            self.set_current(position)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._position_at(event) is not None and self._current_id is not None:
            self.activated.emit(self._current_id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = self._position_at(event)
        if event.buttons() & Qt.MouseButton.LeftButton and position is not None:
            self.set_current(position, extend=True)
        self._set_hover(-1 if position is None else position)

    def leaveEvent(self, event) -> None:
        self._set_hover(-1)

    def contextMenuEvent(self, event) -> None:
        self.menu_wanted.emit(event.globalPos())

    # --- slots ------------------------------------------------------------------------------------

    def _take_ids(self) -> None:
        count = len(self.source)
        self._selected = np.zeros(count, dtype=bool)
        found = None if self._current_id is None else self.source.position(self._current_id)
        self._lay_out()
        self._anchor = -1
        if count:
            self._current_id = None if found is None else self._current_id
            self.set_current(found or 0)
        else:
            self._current, self._current_id = -1, None
            self.viewport().update()
            self.current_changed.emit(None)
            self.selection_changed.emit(0)

    def _rows_arrived(self, first: int, last: int) -> None:
        self._update_rows(first, last)
        if first <= self._current < last:
            self._describe()

    def _scrolled_sideways(self, value: int) -> None:
        self.header.offset = value
        self.header.update()

    def _sort(self, key: str) -> None:
        descending = not self.header.descending if key == self.header.sort else False
        self.sort_wanted.emit(key, descending)

    def _restyle(self) -> None:
        self._painter = RowPainter(self.devicePixelRatioF())
        self._lay_out()

    # --- helpers ----------------------------------------------------------------------------------

    def _set_hover(self, position: int) -> None:
        """Tint the row under the mouse, -1: none."""
        if position != self._hover:
            before, self._hover = self._hover, position
            for place in (before, position):
                if place >= 0:
                    self._update_rows(place, place + 1)

    def _update_rows(self, first: int, last: int) -> None:
        """Paint the rows first..last (exclusive) again."""
        height = self._painter.height
        top = first * height - self.verticalScrollBar().value()
        box = QRect(0, top, self.viewport().width(), (last - first) * height)
        self.viewport().update(box.intersected(self.viewport().rect()))

    def _lay_out(self) -> None:
        head = self._painter.height + theme.gap(0.5)
        self.setViewportMargins(0, head, 0, 0)
        view = self.viewport().geometry()
        self.header.setGeometry(view.left(), view.top() - head, view.width(), head)
        self.header.set_available(view.width())
        tall = min(_MOST_PIXELS, len(self.source) * self._painter.height)
        vertical, horizontal = self.verticalScrollBar(), self.horizontalScrollBar()
        vertical.setRange(0, max(0, tall - view.height()))
        vertical.setPageStep(view.height())
        vertical.setSingleStep(self._painter.height)
        horizontal.setRange(0, max(0, self.header.total() - view.width()))
        horizontal.setPageStep(view.width())
        horizontal.setSingleStep(theme.gap(5))
        self.header.update()
        self.viewport().update()

    def _paint_row(self, painter: QPainter, position: int, top: int, columns: list) -> None:
        style, width = self._painter, self.viewport().width()
        if self._selected[position]:
            painter.fillRect(0, top, width, style.height, style.colours["accent_tint"])
        elif position == self._hover:
            painter.fillRect(0, top, width, style.height, style.colours["window"])
        row = self.source.row(position)
        if row is None:
            style.placeholder(painter, columns, top, position)
        else:
            left_filter = not self.source.fits(row)
            style.paint(painter, row, columns, top, left_filter)
            if left_filter:
                self._mark(painter, top)
        if position == self._current:
            painter.fillRect(0, top, 3, style.height, style.colours["accent" if self.hasFocus() else "faint"])

    def _mark(self, painter: QPainter, top: int) -> None:
        """A row that no longer fits the filter: a sign before its first column, its text in grey."""
        style = self._painter
        left = 4 - self.horizontalScrollBar().value()
        painter.drawPixmap(left, top + (style.height - style.edge) // 2,
                           theme.pixmap("leave", "muted", style.edge, style.scale))  # fmt: skip

    def _position_at(self, event: QMouseEvent) -> int | None:
        y = round(event.position().y()) + self.verticalScrollBar().value()
        position = y // self._painter.height
        return position if 0 <= position < len(self.source) and event.position().y() >= 0 else None

    def _describe(self) -> None:
        """Say the current row to a screen reader."""
        row = self.current_row()
        if row is not None:
            words = (kind_text(row), theme.look(row.verdict).word, row.review, row.question)
            place = self.tr("Row {0} of {1}").format(self._current + 1, len(self.source))
            self.setAccessibleDescription(f"{place}: {', '.join(words)}")
