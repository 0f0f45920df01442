"""A program as it runs: line numbers, the line that just ran, the one to come, values beside the lines."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPolygonF,
    QResizeEvent,
    QTextCursor,
    QTextOption,
)  # fmt: skip
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.trace_log import TraceState
from kpdd_app.widgets.python_text import PythonHighlighter

GHOST_CHARS = 160


class _Gutter(QWidget):
    """The margin with line numbers and arrows."""

    def __init__(self, view: ProgramView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self._view.paint_gutter(painter, event.rect())
        finally:
            painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        line = self._view.line_at(event.position().y())
        if line and event.button() == Qt.MouseButton.LeftButton:
            self._view.toggle_breakpoint(line)


class ProgramView(QPlainTextEdit):
    """A read-only program; `show_state` lays a state of its trace over it."""

    breakpoints_changed = Signal()
    run_to_asked = Signal(int)
    name_pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build an empty view."""
        super().__init__(parent)
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setAccessibleName(self.tr("Program"))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.breakpoints: set[int] = set()
        self._origins: list[tuple[int, int, int]] = []
        self._pointed = ""
        self._values: dict[int, str] = {}
        self._fresh: set[int] = set()
        self._line: int | None = None
        self._next: int | None = None
        self._error: tuple[int, str] | None = None
        self._size_delta = 0.0
        self._gutter = _Gutter(self)
        self._colours = PythonHighlighter(self.document())
        self.updateRequest.connect(self._update_gutter)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    # --- what is shown ----------------------------------------------------------------------------

    @property
    def current_line(self) -> int | None:
        """Return the line that just ran, 1-based."""
        return self._line

    @property
    def ghost_texts(self) -> dict[int, str]:
        """Return the text that stands after each line."""
        texts = dict(self._values)
        if self._error is not None:
            texts[self._error[0]] = self._error[1]
        return texts

    def set_program(self, text: str, python: bool = True) -> None:
        """Show a program (or, without `python`, equations); nothing of it has run yet."""
        if text != self.toPlainText():
            self._colours.set_on(python)
            self.breakpoints = set()
            self._origins = []
            self.setPlainText(text)
        self.show_state(None)

    def show_state(self, state: TraceState | None, error: tuple[int | None, str] | None = None) -> None:
        """Show the lines and values of a state; `error` is (line, text) of how the program ended badly."""
        if state is None:
            self._values, self._line, self._next, self._error, self._fresh = {}, None, None, None, set()
        else:
            self._fresh = (
                {state.line} if state.line is not None and (state.changed or state.returned) else set()
            )
            self._values = state.line_values
            self._line, self._next = state.line, state.next_line
            self._error = None
            if state.exception is not None and state.exception_line is not None:
                kind, message = state.exception
                self._error = (state.exception_line, f"{kind}: {message}" if message else kind)
        if error is not None:
            line = error[0] or self._line or self._last_line()
            self._error = (line, error[1])
        if self._error is not None:
            self._line, self._next = self._error[0], None
        self._mark_lines()
        self._reveal()
        self.viewport().update()
        self._gutter.update()

    def set_size_delta(self, points: float) -> None:
        """Make the text larger or smaller, in points."""
        if points != self._size_delta:
            self._size_delta = points
            self._restyle()

    def show_origins(self, spans: Sequence[tuple[int, int, int]]) -> None:
        """Light up (line, start column, end column): the numbers that a value came from."""
        if list(spans) != self._origins:
            self._origins = list(spans)
            self._mark_lines()

    # --- breakpoints ------------------------------------------------------------------------------

    def toggle_breakpoint(self, line: int) -> None:
        """Set a breakpoint at a line, or take it away; a line without code gets none."""
        text = self.document().findBlockByNumber(line - 1).text().strip()
        if line in self.breakpoints:
            self.breakpoints.remove(line)
        elif text and not text.startswith("#"):
            self.breakpoints.add(line)
        else:
            return
        self._gutter.update()
        self.breakpoints_changed.emit()

    @property
    def caret_line(self) -> int:
        """Return the line that keys mean: the caret's while the text has the focus, else the current one."""
        if self.hasFocus():
            return self.textCursor().blockNumber() + 1
        return self._line or self._next or 1

    def context_menu(self, line: int) -> QMenu:
        """Return what can be done with a line."""
        menu = QMenu(self)
        menu.addAction(self.tr("Run to line {0}").format(line), lambda: self.run_to_asked.emit(line))
        said = self.tr("Remove the breakpoint") if line in self.breakpoints else self.tr("Stop at this line")
        menu.addAction(said, lambda: self.toggle_breakpoint(line))
        menu.addSeparator()
        copy = menu.addAction(self.tr("Copy"), self.copy)
        copy.setEnabled(self.textCursor().hasSelection())
        return menu

    # --- geometry ---------------------------------------------------------------------------------

    def gutter_width(self) -> int:
        """Return the width of the margin: room for the largest line number and an arrow."""
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + 2 * self._arrow() + theme.gap(4)

    def line_at(self, y: float) -> int:
        """Return the 1-based line at a height of the view, or 0."""
        block = self.firstVisibleBlock()
        while block.isValid():
            top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
            if top <= y < top + self.blockBoundingRect(block).height():
                return block.blockNumber() + 1
            if top > y:
                break
            block = block.next()
        return 0

    def sizeHint(self) -> QSize:
        """Return room for a usual program."""
        return QSize(theme.line_height() * 18, theme.line_height() * 12)

    def minimumSizeHint(self) -> QSize:
        """Return the least that is readable."""
        return QSize(theme.line_height() * 9, theme.line_height() * 3)

    # --- events -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the margin at the left."""
        super().resizeEvent(event)
        area = self.contentsRect()
        self._gutter.setGeometry(QRect(area.left(), area.top(), self.gutter_width(), area.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text, then the values beside it."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        try:
            self._paint_ghosts(painter, event.rect())
        finally:
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll and copy here; the keys of the time line belong to the page."""
        if (
            event.matches(QKeySequence.StandardKey.Copy)
            or event.matches(QKeySequence.StandardKey.SelectAll)
            or event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        ):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the line under the pointer."""
        line = self.line_at(event.pos().y())
        if line:
            self.context_menu(line).popup(event.globalPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the name under the pointer."""
        super().mouseMoveEvent(event)
        self._point(self.name_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self._point("")

    def name_at(self, place: QPoint) -> str:
        """Return the name in the program at a place of the viewport, or an empty text."""
        cursor = self.cursorForPosition(place)
        if not self.cursorRect(cursor).adjusted(-theme.gap(2), 0, theme.gap(2), 0).contains(place):
            return ""
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        word = cursor.selectedText()
        return word if word.isidentifier() else ""

    def _point(self, name: str) -> None:
        if name != self._pointed:
            self._pointed = name
            self.name_pointed.emit(name)

    # --- painting ---------------------------------------------------------------------------------

    def paint_gutter(self, painter: QPainter, clip: QRect) -> None:
        """Paint line numbers; a filled arrow at the line that just ran, an open one at the next."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        right = self.gutter_width() - self._arrow() - theme.gap(2)
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if box.top() > clip.bottom():
                break
            box.setHeight(self.fontMetrics().height())
            number = block.blockNumber() + 1
            here = number == self._line
            if number in self.breakpoints:
                self._paint_breakpoint(painter, box)
            painter.setPen(theme.colour("text" if here else "faint"))
            place = QRectF(0, box.top(), right, box.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))
            failed = self._error is not None and number == self._error[0]
            if here:
                self._paint_arrow(painter, right, box, theme.colour("wrong" if failed else "accent"), True)
            elif number == self._next:
                self._paint_arrow(painter, right, box, theme.colour("accent"), False)
            block = block.next()

    def _paint_breakpoint(self, painter: QPainter, box: QRectF) -> None:
        size = self._arrow() * 0.58
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("wrong"))
        painter.drawEllipse(QRectF(theme.gap(1), box.center().y() - size / 2, size, size))

    def _paint_arrow(self, painter: QPainter, x: float, box: QRectF, colour: QColor, filled: bool) -> None:
        size = self._arrow() * 0.62
        left, middle = x + theme.gap(1.2), box.center().y()
        shape = QPolygonF([QPointF(left, middle - size / 2), QPointF(left + size, middle),
                           QPointF(left, middle + size / 2)])  # fmt: skip
        painter.setPen(colour)
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawPolygon(shape)

    def _paint_ghosts(self, painter: QPainter, clip: QRect) -> None:
        font = theme.mono_font(self._size_delta - 0.5)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        block = self.firstVisibleBlock()
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if box.top() > clip.bottom():
                break
            line = block.blockNumber() + 1
            failed = self._error is not None and line == self._error[0]
            text = self._error[1] if failed and self._error else self._values.get(line, "")
            if text:
                box.setHeight(self.fontMetrics().height())
                end = self.fontMetrics().horizontalAdvance(block.text().replace("\t", "    "))
                after = QRectF(box.left() + end, box.top(), 0, box.height())
                colour = "wrong" if failed else "accent" if line in self._fresh else "muted"
                self._paint_ghost(painter, metrics, after, text, colour)
            block = block.next()

    def _paint_ghost(
        self, painter: QPainter, metrics: QFontMetrics, after: QRectF, text: str, colour: str
    ) -> None:
        sign = "✗ " if colour == "wrong" else ""
        text = sign + " ".join(text.split())[:GHOST_CHARS]
        wanted = metrics.horizontalAdvance(text) + theme.gap(2)
        right = self.viewport().width() - theme.gap(1)
        x = after.left() + theme.gap(4)
        if right - x < min(wanted, theme.gap(24)):
            if colour == "muted":
                return
            # what just happened is worth covering the end of a long line
            x = max(right - wanted, self.viewport().width() * 0.35)
        width = min(wanted, right - x)
        box = QRectF(x, after.top() + 1, width, after.height() - 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour({"wrong": "wrong_tint", "accent": "accent_tint"}.get(colour, "hover")))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(theme.colour(colour))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(width - theme.gap(2)) + 1)
        painter.drawText(box.adjusted(theme.gap(1), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)

    # --- helpers ----------------------------------------------------------------------------------

    def _mark_lines(self) -> None:
        marks = []
        if self._line is not None:
            failed = self._error is not None and self._error[0] == self._line
            marks.append(self._mark(self._line, theme.colour("wrong_tint" if failed else "accent_tint")))
        marks += [self._mark_span(*span) for span in self._origins]
        self.setExtraSelections([mark for mark in marks if mark is not None])

    def _mark(self, line: int, colour: QColor) -> QTextEdit.ExtraSelection | None:
        block = self.document().findBlockByNumber(line - 1)
        if not block.isValid():
            return None
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(colour)
        mark.format.setProperty(mark.format.Property.FullWidthSelection, True)
        mark.cursor = QTextCursor(block)
        return mark

    def _mark_span(self, line: int, start: int, end: int) -> QTextEdit.ExtraSelection | None:
        block = self.document().findBlockByNumber(line - 1)
        if not block.isValid() or end > len(block.text()):
            return None
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(theme.colour("changed_tint"))
        mark.format.setForeground(theme.colour("changed"))
        mark.format.setFontWeight(QFont.Weight.Bold)
        mark.format.setFontUnderline(True)
        mark.cursor = QTextCursor(block)
        mark.cursor.setPosition(block.position() + start)
        mark.cursor.setPosition(block.position() + end, QTextCursor.MoveMode.KeepAnchor)
        return mark

    def _reveal(self) -> None:
        line = self._line or self._next
        block = self.document().findBlockByNumber((line or 1) - 1)
        if not block.isValid():
            return
        box = self.blockBoundingGeometry(block).translated(self.contentOffset())
        if box.top() < 0 or box.bottom() > self.viewport().height():
            bar = self.verticalScrollBar()
            per_page = max(1, self.viewport().height() // max(1, round(box.height())))
            bar.setValue(max(0, block.blockNumber() - per_page // 2))

    def _last_line(self) -> int:
        return max(1, self.blockCount())

    def _arrow(self) -> int:
        return round(self.fontMetrics().height() * 0.85)

    def _update_gutter(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def _restyle(self) -> None:
        font = theme.mono_font(self._size_delta)
        self.setFont(font)
        self.setStyleSheet("QPlainTextEdit { background: transparent; border: none; }")
        self.setTabStopDistance(4 * QFontMetrics(font).horizontalAdvance(" "))
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)
        self._mark_lines()
        self.viewport().update()
