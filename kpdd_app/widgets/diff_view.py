"""A text as it was written against the person's: one text, what went crossed out, what came underlined."""

from __future__ import annotations

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.background import Background
from kpdd_app.widgets.word_diff import Piece, diff

# below this the window's thread is faster than the way to another one
_SHORT = 4000


class DiffView(QPlainTextEdit):
    """Shows a word diff; long texts are compared off the window's thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(self.tr("Differences from the text as it was written"))
        self.pieces: list[Piece] = []
        self._background: Background | None = None
        theme.notifier().changed.connect(self._show)

    def compare(self, old: str, new: str, mono: bool = False) -> None:
        """Show what changed from `old` to `new`."""
        self.compare_all([("", old, new)], mono)

    def compare_all(self, texts: list[tuple[str, str, str]], mono: bool = False, unchanged: str = "") -> None:
        """Show several fields one under the other: (title, old, new); with none say `unchanged`."""
        self.setFont(theme.mono_font() if mono else theme.text_font())
        if not texts:
            self._take([Piece("same", unchanged)])
            return
        if sum(len(old) + len(new) for _, old, new in texts) < _SHORT:
            self._take(_under_titles(texts))
            return
        self._thread().run(lambda: _under_titles(texts), self._take, key="diff")

    def _thread(self) -> Background:
        if self._background is None:
            self._background = Background("diff", self)
            self.destroyed.connect(self._background.close)
        return self._background

    def _take(self, pieces: list[Piece]) -> None:
        if pieces != self.pieces:
            self.pieces = pieces
            self._show()

    def _show(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for piece in self.pieces:
            cursor.insertText(piece.text, _format(piece.kind))
        cursor.endEditBlock()


def _under_titles(texts: list[tuple[str, str, str]]) -> list[Piece]:
    pieces: list[Piece] = []
    for title, old, new in texts:
        if title:
            pieces.append(Piece("same", ("\n\n" if pieces else "") + f"{title}\n"))
        pieces += diff(old, new)
    return pieces


def _format(kind: str) -> QTextCharFormat:
    style = QTextCharFormat()
    if kind == "gone":
        style.setForeground(theme.colour("muted"))
        style.setBackground(theme.colour("hover"))
        style.setFontStrikeOut(True)
    elif kind == "new":
        style.setForeground(theme.colour("changed"))
        style.setBackground(theme.colour("changed_tint"))
        style.setFontUnderline(True)
    else:
        style.setForeground(theme.colour("text"))
    return style
