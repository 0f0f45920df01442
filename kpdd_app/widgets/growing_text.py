"""A text field that is as high as its text, saves nothing itself, and never keeps the Tab key."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.widgets.found_words import found_words
from training_backend.rationale.answers import numbers_in


class GrowingText(QPlainTextEdit):
    """A plain text editor between `least` and `most` lines high.

    Undo belongs to the project: the field has no history of its own, Ctrl+Z goes to the window.
    """

    left = Signal()
    """The keyboard went elsewhere."""

    def __init__(self, name: str, least: int = 1, most: int = 14, parent: QWidget | None = None) -> None:
        """`name` is what a screen reader says; `least` and `most` are lines."""
        super().__init__(parent)
        self._least, self._most = least, most
        self._show_numbers = False
        self._search = ""
        self.setAccessibleName(name)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(theme.gap(1))
        self.textChanged.connect(self._changed)
        theme.notifier().changed.connect(self._restyle)

    @property
    def text(self) -> str:
        """Return the text."""
        return self.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a text in without saying that it changed; the cursor stays where it makes sense."""
        old = self.toPlainText()
        if text == old:
            return
        self.blockSignals(True)
        # replace only what differs, so that cursor and scroll position survive an undo
        head = 0
        while head < min(len(old), len(text)) and old[head] == text[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(text)) - head and old[-1 - tail] == text[-1 - tail]:
            tail += 1
        if _astral(old) or _astral(text):
            self.setPlainText(text)
        else:
            cursor = QTextCursor(self.document())
            cursor.setPosition(head)
            cursor.setPosition(len(old) - tail, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(text[head : len(text) - tail])
        self.blockSignals(False)
        self._changed()

    def mark_numbers(self, on: bool) -> None:
        """Mark every number of the text."""
        self._show_numbers = on
        self._changed()

    def mark_search(self, search: str) -> None:
        """Mark the words of a search; empty: none."""
        if search != self._search:
            self._search = search
            self._mark()

    def sizeHint(self) -> QSize:
        return QSize(theme.gap(60), self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.gap(20), self._height())

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()

    def wheelEvent(self, event) -> None:
        # what fits entirely has nothing to scroll: the page scrolls
        if self.verticalScrollBar().maximum() > 0 and self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.focusNextChild()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Ctrl+Z and Ctrl+Shift+Z are the window's
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and is_undo(event):
            event.ignore()
            return False
        return super().event(event)

    def canInsertFromMimeData(self, source) -> bool:
        # a file that is dropped here is meant for the window
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def _changed(self) -> None:
        self._fit()
        if self._show_numbers or self._search:
            self._mark()

    def _mark(self) -> None:
        self.setExtraSelections(self._text_marks())

    def _text_marks(self) -> list[QTextEdit.ExtraSelection]:
        """Return the marks of numbers and, over them, of the words that are searched for."""
        text = self.toPlainText()
        shift = _utf16_shifts(text)
        marks = []
        if self._show_numbers:
            style = QTextCharFormat()
            style.setBackground(theme.colour("accent_tint"))
            style.setForeground(theme.colour("accent"))
            marks += [self._text_mark(start, end, shift, style) for start, end, _ in numbers_in(text)]
        if self._search:
            style = QTextCharFormat()
            style.setBackground(theme.colour("accent_tint"))
            style.setUnderlineColor(theme.colour("accent"))
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            marks += [self._text_mark(*place, shift, style) for place in found_words(self._search, text)]
        return marks

    def _text_mark(
        self, start: int, end: int, shift: Callable[[int], int], style: QTextCharFormat
    ) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start + shift(start))
        cursor.setPosition(end + shift(end), QTextCursor.MoveMode.KeepAnchor)
        mark.cursor = cursor
        mark.format = style
        return mark

    def _height(self) -> int:
        # a row of text may stand higher than its font says
        rows = self.document().firstBlock().layout()
        row = math.ceil(rows.lineAt(0).height()) if rows is not None and rows.lineCount() else 0
        line = max(self.fontMetrics().lineSpacing(), row)
        margin = round(2 * self.document().documentMargin()) + 2 * self.frameWidth() + 2
        # a plain text layout counts its height in lines
        lines = max(self._least, min(self._most, round(self.document().size().height())))
        return lines * line + margin

    def _fit(self) -> None:
        self.updateGeometry()

    def _restyle(self) -> None:
        self.document().setDocumentMargin(theme.gap(1))
        self._changed()


def is_undo(event: QKeyEvent) -> bool:
    """Tell whether a key is one of the window's undo keys."""
    control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    return control and event.key() in (Qt.Key.Key_Z, Qt.Key.Key_Y)


def _astral(text: str) -> bool:
    """Tell whether Qt counts more positions in a text than Python."""
    return not text.isascii() and max(text) > "\uffff"


def _utf16_shifts(text: str):
    """Return a function: Python offset → how many positions Qt is ahead there."""
    if not _astral(text):
        return lambda offset: 0
    places = [index for index, sign in enumerate(text) if ord(sign) > 0xFFFF]
    return lambda offset: sum(1 for place in places if place < offset)
