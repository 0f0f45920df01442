"""Colours for Python, line by line; strings over several lines are carried from block to block."""

from __future__ import annotations

import builtins
import keyword
import re

from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from kpdd_app import theme

_KEYWORDS = frozenset(keyword.kwlist) | {"match", "case"}
_BUILTINS = frozenset(name for name in dir(builtins) if name.islower())
_TOKEN = re.compile(
    r"(?P<comment>\#.*)"
    r"|(?P<triple>[rbfuRBFU]{0,2}(?:\"\"\"|'''))"
    r"|(?P<string>[rbfuRBFU]{0,2}(?:\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?))"
    r"|(?P<number>\b(?:0[xX][\da-fA-F_]+|\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?)\b)"
    r"|(?P<name>[^\W\d]\w*)"
)


class PythonHighlighter(QSyntaxHighlighter):
    """Highlights a document; `off` leaves plain text as it is."""

    def __init__(self, document: QTextDocument) -> None:
        """Begin switched on."""
        super().__init__(document)
        self.on = True
        self._formats: dict[str, QTextCharFormat] = {}
        self._make_formats()
        theme.notifier().changed.connect(self._restyle)

    def set_on(self, on: bool) -> None:
        """Switch highlighting on or off."""
        if on != self.on:
            self.on = on
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if not self.on:
            return
        start = self._inside_string(text)
        for match in _TOKEN.finditer(text, start):
            if match.start() < start:
                continue
            kind = match.lastgroup or ""
            if kind == "triple":
                start = self._begin_string(text, match)
            else:
                self._paint(kind, match)

    def _paint(self, kind: str, match: re.Match[str]) -> None:
        if kind == "name":
            word = match.group()
            if word in _KEYWORDS:
                kind = "keyword"
            elif word in _BUILTINS:
                kind = "builtin"
            else:
                return
        self.setFormat(match.start(), match.end() - match.start(), self._formats[kind])

    def _begin_string(self, text: str, match: re.Match[str]) -> int:
        """Colour a triple-quoted string that begins here; return where it ends on this line."""
        quotes = match.group()[-3:]
        end = text.find(quotes, match.end())
        stop = len(text) if end < 0 else end + 3
        self.setFormat(match.start(), stop - match.start(), self._formats["string"])
        if end < 0:
            self.setCurrentBlockState(1 if quotes == '"""' else 2)
        return stop

    def _inside_string(self, text: str) -> int:
        """Colour the rest of a string that began on an earlier line; return where it ends."""
        self.setCurrentBlockState(0)
        state = self.previousBlockState()
        if state not in (1, 2):
            return 0
        end = text.find('"""' if state == 1 else "'''")
        stop = len(text) if end < 0 else end + 3
        self.setFormat(0, stop, self._formats["string"])
        if end < 0:
            self.setCurrentBlockState(state)
        return stop

    def _make_formats(self) -> None:
        for kind, tone in (
            ("keyword", "code_keyword"), ("builtin", "code_name"), ("number", "code_number"),
            ("string", "code_string"), ("comment", "code_comment"),
        ):  # fmt: skip
            style = QTextCharFormat()
            style.setForeground(theme.colour(tone))
            if kind == "keyword":
                style.setFontWeight(QFont.Weight.Medium)
            self._formats[kind] = style

    def _restyle(self) -> None:
        self._make_formats()
        self.rehighlight()
