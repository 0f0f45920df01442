"""The editor for rationales: line numbers, colours, the error's line."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QTextCursor, QTextFormat
from PySide6.QtWidgets import QTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.widgets.growing_text import GrowingText
from kpdd_app.widgets.python_text import PythonHighlighter

_INDENT = "    "


class CodeEditor(GrowingText):
    """A `GrowingText` for programs. Tab indents; Ctrl+Tab or Escape leaves."""

    def __init__(self, name: str, least: int = 6, most: int = 26, parent: QWidget | None = None) -> None:
        """Begin empty, as a program."""
        super().__init__(name, least, most, parent)
        self.setTabChangesFocus(False)
        self._gutter = _Gutter(self)
        self._highlighter = PythonHighlighter(self.document())
        self._error_line: int | None = None
        self._code = True
        self._leaving = False
        self.blockCountChanged.connect(self._lay_out)
        self.updateRequest.connect(self._scroll_gutter)
        self.cursorPositionChanged.connect(self._mark_lines)
        theme.notifier().changed.connect(self._dress)
        self._dress()

    def set_code(self, code: bool) -> None:
        """Show a program (True) or prose (False)."""
        self._highlighter.set_on(code)
        if code != self._code:
            self._code = code
            self._dress()

    def set_text(self, text: str) -> None:
        """Put a text in; the margin gets room for the number of its last line."""
        super().set_text(text)
        if self._code and self.viewportMargins().left() != self.gutter_width():
            self._lay_out()

    def set_error_line(self, line: int | None) -> None:
        """Mark the line (from 1) at which the program failed."""
        before, self._error_line = self._error_line, line
        if before is not None or line is not None or self.hasFocus():
            self._mark_lines()
            self._gutter.update()

    @property
    def error_line(self) -> int | None:
        """Return the marked line."""
        return self._error_line

    # --- events -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        key = event.key()
        if key == Qt.Key.Key_Escape or (key == Qt.Key.Key_Tab and (control or not self._indents())):
            self._leave(forward=True)
        elif key == Qt.Key.Key_Backtab and not self._indents():
            self._leave(forward=False)
        elif not self._indents():
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Tab:
            self._indent(+1)
        elif key == Qt.Key.Key_Backtab:
            self._indent(-1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._new_line()
        elif key == Qt.Key.Key_Backspace and not event.modifiers() and self._in_indent():
            self._shallower()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Ctrl+Tab would switch a tab bar around the editor; here it leaves the editor
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Tab
            and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            event.accept()
            return True
        return super().event(event)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        box = self.contentsRect()
        self._gutter.setGeometry(QRect(box.left(), box.top(), self.gutter_width(), box.height()))

    def focusNextPrevChild(self, forward: bool) -> bool:
        # a bare Tab belongs to the text; `_leave` is the way out
        return QWidget.focusNextPrevChild(self, forward) if self._leaving else False

    # --- the gutter -------------------------------------------------------------------------------

    def gutter_width(self) -> int:
        """Return the width of the line numbers in pixels."""
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + theme.gap(3)

    def paint_gutter(self, painter: QPainter, area: QRect) -> None:
        """Draw line numbers, and a sign at the line of the error."""
        painter.fillRect(area, theme.colour("window"))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        here = self.textCursor().blockNumber()
        while block.isValid() and top <= area.bottom():
            height = self.blockBoundingRect(block).height()
            number = block.blockNumber() + 1
            wrong = number == self._error_line
            tone = "wrong" if wrong else "text" if number - 1 == here and self.hasFocus() else "faint"
            painter.setPen(theme.colour(tone))
            box = QRect(0, round(top), self.gutter_width() - theme.gap(1.5), self.fontMetrics().height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"✗ {number}" if wrong else f"{number}")
            top += height
            block = block.next()

    # --- helpers ----------------------------------------------------------------------------------

    def _indents(self) -> bool:
        return self._code and not self.isReadOnly()

    def _leave(self, forward: bool) -> None:
        self._leaving = True
        self.focusNextPrevChild(forward)
        self._leaving = False

    def _dress(self) -> None:
        self.setFont(theme.mono_font() if self._code else theme.text_font())
        self._gutter.setVisible(self._code)
        self._lay_out()
        self._mark_lines()

    def _lay_out(self) -> None:
        self.setViewportMargins(self.gutter_width() if self._code else 0, 0, 0, 0)
        self._fit()

    def _scroll_gutter(self, area: QRect, by: int) -> None:
        if by:
            self._gutter.scroll(0, by)
        else:
            self._gutter.update(0, area.y(), self._gutter.width(), area.height())

    def _mark(self) -> None:
        self._mark_lines()

    def _mark_lines(self) -> None:
        marks = []
        if self._error_line is not None and self._error_line <= self.blockCount():
            block = self.document().findBlockByNumber(self._error_line - 1)
            marks.append(_line_mark(QTextCursor(block), "wrong_tint"))
        if self.hasFocus() and self._code and not self.isReadOnly():
            marks.append(_line_mark(self.textCursor(), "window"))
        self.setExtraSelections(marks + self._text_marks())
        self._gutter.update()

    def _indent(self, way: int) -> None:
        cursor = self.textCursor()
        if not cursor.hasSelection() and way > 0:
            cursor.insertText(" " * (4 - cursor.positionInBlock() % 4))
            return
        first = self.document().findBlock(cursor.selectionStart()).blockNumber()
        last = (
            self.document().findBlock(max(cursor.selectionStart(), cursor.selectionEnd() - 1)).blockNumber()
        )
        edit = QTextCursor(self.document())
        edit.beginEditBlock()
        for number in range(first, last + 1):
            block = self.document().findBlockByNumber(number)
            edit.setPosition(block.position())
            if way > 0:
                edit.insertText(_INDENT)
            else:
                spaces = len(block.text()) - len(block.text().lstrip(" "))
                edit.setPosition(block.position() + min(4, spaces), QTextCursor.MoveMode.KeepAnchor)
                edit.removeSelectedText()
        edit.endEditBlock()

    def _in_indent(self) -> bool:
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        return bool(before) and not cursor.hasSelection() and not before.strip(" ")

    def _shallower(self) -> None:
        cursor = self.textCursor()
        spaces = (cursor.positionInBlock() - 1) % 4 + 1
        cursor.movePosition(cursor.MoveOperation.Left, cursor.MoveMode.KeepAnchor, spaces)
        cursor.removeSelectedText()

    def _new_line(self) -> None:
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        space = re.match(r"[ \t]*", before)
        indent = space.group() if space else ""
        deeper = _INDENT if before.rstrip().endswith(":") else ""
        cursor.insertText("\n" + indent + deeper)
        self.ensureCursorVisible()


class _Gutter(QWidget):
    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            self._editor.paint_gutter(painter, event.rect())
        finally:
            painter.end()


def _line_mark(cursor: QTextCursor, tone: str) -> QTextEdit.ExtraSelection:
    mark = QTextEdit.ExtraSelection()
    mark.format.setBackground(theme.colour(tone))
    mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
    cursor.clearSelection()
    mark.cursor = cursor
    return mark
