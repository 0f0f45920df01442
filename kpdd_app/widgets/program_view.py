"""A program as it runs: line numbers, the line that just ran, the one to come, values beside the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
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
    QRegion,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextOption,
)  # fmt: skip
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.key_bindings import scrolls
from kpdd_app.trace_log import TraceState
from kpdd_app.widgets.program_marks import Gutter, Marks, MonoRuler, paint_gutter, paint_values
from kpdd_app.widgets.python_text import PythonHighlighter

# of more changed lines than this all are painted
FEW_LINES = 12


class _Gutter(QWidget):
    """The margin with line numbers and arrows."""

    def __init__(self, view: ProgramView) -> None:
        super().__init__(view)
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(self._view.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self._view.paint_gutter(painter, event.region())
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

    def __init__(self, parent: QWidget | None = None, ground: str = "surface") -> None:
        """Build an empty view; `ground` is the colour of the theme on which it stands."""
        super().__init__(parent)
        self._ground = ground
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setAccessibleName(self.tr("Program"))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        # it fills its ground itself: nothing below it is painted with every step
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.breakpoints: set[int] = set()
        self._origins: list[tuple[int, int, int]] = []
        self._pointed = ""
        self._marks = Marks()
        self._marked: tuple = ()
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
        return self._marks.line

    @property
    def ghost_texts(self) -> dict[int, str]:
        """Return the text that stands after each line."""
        return {**self._marks.values, **dict([self._marks.error] if self._marks.error else [])}

    def set_program(self, text: str, python: bool = True) -> None:
        """Show a program (or, without `python`, equations); nothing of it has run yet."""
        if text != self.toPlainText():
            self._colours.set_on(python)
            self.breakpoints = set()
            self._origins = []
            self.setPlainText(text)
            self._keep_shapes()
        self.show_state(None)

    def show_state(self, state: TraceState | None, error: tuple[int | None, str] | None = None) -> None:
        """Show the lines and values of a state; `error` is (line, text) of how the program ended badly."""
        old, self._marks = self._marks, Marks.of(state, error, self._last_line())
        self._mark_lines()
        self._reveal()
        self._repaint(self.viewport(), old.differing(self._marks))
        self._repaint(self._gutter, old.moved(self._marks))

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
        return self._marks.line or self._marks.next_line or 1

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
        painter = QPainter(self.viewport())
        try:
            painter.fillRect(event.rect(), theme.colour(self._ground))
        finally:
            painter.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        try:
            font = theme.mono_font(self._size_delta - 0.5)
            paint_values(painter, self._line_ends(event.region()), self._marks, font, self.viewport().width())
        finally:
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll and copy here; the keys of the time line belong to the page."""
        if (
            event.matches(QKeySequence.StandardKey.Copy)
            or event.matches(QKeySequence.StandardKey.SelectAll)
            or scrolls(event)
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

    def paint_gutter(self, painter: QPainter, region: QRegion) -> None:
        """Paint the margin beside the lines of a region."""
        painter.fillRect(region.boundingRect(), theme.colour(self._ground))
        painter.setFont(self.font())
        arrow = self._arrow()
        gutter = Gutter(self.gutter_width() - arrow - theme.gap(2), arrow)
        lines = ((block.blockNumber() + 1, box) for block, box in self._blocks(region))
        paint_gutter(painter, lines, self._marks, self.breakpoints, gutter)

    def _blocks(self, region: QRegion) -> Iterator[tuple[QTextBlock, QRectF]]:
        """Yield the blocks that a region of the viewport meets, each with the box of its text."""
        height = self.fontMetrics().height()
        around = region.boundingRect()
        bottom, right, simple = around.bottom(), around.right(), region.rectCount() == 1
        block = self.firstVisibleBlock()
        box = self.blockBoundingGeometry(block).translated(self.contentOffset())
        while block.isValid() and box.top() <= bottom:
            below = box.bottom()
            met = below >= around.top() if simple else region.intersects(
                box.toAlignedRect().adjusted(0, 0, right, 0)
            )  # fmt: skip
            if met:
                box.setHeight(height)
                yield block, box
            block = block.next()
            box = QRectF(box.left(), below, box.width(), self.blockBoundingRect(block).height())

    def _line_ends(self, region: QRegion) -> Iterator[tuple[int, QRectF]]:
        """Yield (line, box without width behind its text) of the lines in a region that show a text."""
        ruler, shown = MonoRuler(self.font()), self.ghost_texts
        for block, box in self._blocks(region):
            line = block.blockNumber() + 1
            if line in shown:
                end = ruler.width(block.text().replace("\t", "    "))
                yield line, QRectF(box.left() + end, box.top(), 0, box.height())

    def _repaint(self, part: QWidget, lines: set[int]) -> None:
        """Paint lines of the viewport or of the margin anew."""
        if len(lines) > FEW_LINES:
            part.update()
            return
        for line in lines:
            block = self.document().findBlockByNumber(line - 1)
            if block.isValid():
                box = self.blockBoundingGeometry(block).translated(self.contentOffset()).toAlignedRect()
                part.update(0, box.top() - 1, part.width(), box.height() + 2)

    # --- helpers ----------------------------------------------------------------------------------

    def _keep_shapes(self) -> None:
        """Let each line keep its letters as they were shaped: they are painted with every step."""
        block = self.document().firstBlock()
        while block.isValid():
            block.layout().setCacheEnabled(True)
            block = block.next()

    def _mark_lines(self) -> None:
        line = self._marks.line
        colour = theme.colour("wrong_tint" if self._marks.failed(line) else "accent_tint")
        wanted = (line, colour.name(), tuple(self._origins), self.document().revision())
        if wanted == self._marked:
            return
        self._marked = wanted
        marks = [self._mark(line, colour)] if line is not None else []
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
        line = self._marks.line or self._marks.next_line
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
        self._marked = ()
        self._mark_lines()
        self.viewport().update()
        self._gutter.update()
