"""Text made of tokens, laid out: paragraphs that wrap, tinted by doubt, and which token stands where."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetrics, QTextLayout, QTextLine, QTextOption

from kpdd_app import theme
from kpdd_app.widgets.tints import tint_step, tinted
from training_backend.events import Token

# so many paragraphs stay laid out: a solution is walked forward and back
KEPT = 600
LINE_SPACING = 1.12


@dataclass(frozen=True)
class Block:
    """A part of the text to show: characters `start` to `end`, under a heading or beside a marker."""

    start: int
    end: int
    heading: str = ""
    marker: str = ""
    strong: bool = False


@dataclass
class Paragraph:
    """One laid-out line of source text (it may wrap), where it stands, and which characters it shows."""

    layout: QTextLayout
    start: int
    height: float
    indent: float
    heading: str = ""
    marker: str = ""
    top: float = 0.0
    above: float = 0.0

    @property
    def text_top(self) -> float:
        """Return where the text begins, below the heading."""
        return self.top + self.above

    @property
    def bottom(self) -> float:
        """Return where it ends."""
        return self.top + self.above + self.height

    def lines(self) -> Iterator[QTextLine]:
        """Yield the lines into which it wraps."""
        return (self.layout.lineAt(number) for number in range(self.layout.lineCount()))


@dataclass(frozen=True)
class Faces:
    """Fonts and distances of one state of the theme; made again when it changes."""

    plain: QFont
    strong: QFont
    heading_height: int

    @classmethod
    def of(cls, mono: bool, size_delta: float) -> Faces:
        """Return those of a strip."""
        plain, strong = (
            theme.mono_font(size_delta) if mono else theme.text_font(size_delta + 0.5) for _ in range(2)
        )
        strong.setWeight(QFont.Weight.DemiBold)
        return cls(plain, strong, QFontMetrics(theme.text_font(-1)).height())


class TokenLayout:
    """The first tokens of a text as paragraphs; what was laid out is kept until tokens or looks change."""

    def __init__(self) -> None:
        """Begin without a text."""
        self.tokens: Sequence[Token] = ()
        self.ends: Sequence[int] = ()
        self.text = ""
        self.current = -1
        self.paragraphs: list[Paragraph] = []
        self.height = 0.0
        self._blocks: Sequence[Block] = ()
        self._faces: Faces | None = None
        self._width = 0
        self._kept: dict[tuple, Paragraph] = {}

    # --- what is laid out -------------------------------------------------------------------------

    def show(
        self, tokens: Sequence[Token], ends: Sequence[int], count: int, blocks: Sequence[Block] | None
    ) -> None:
        """Take the first `count` tokens; `ends`: the text's length after each. Without blocks: all of it."""
        if tokens is not self.tokens:
            # the same words may have been written with other doubts
            self._kept = {}
        self.tokens, self.ends, self.current = tokens, ends, count - 1
        self.text = "".join(token.text for token in tokens[:count])
        self._blocks = blocks if blocks is not None else [Block(0, len(self.text))]

    def dress(self, faces: Faces) -> None:
        """Take other fonts and colours."""
        self._faces = faces
        self._kept = {}

    def lay_out(self, width: int) -> float | None:
        """Lay out what changed for a width in pixels; return from which height on it looks different."""
        if width != self._width:
            self._width, self._kept = width, {}
        old, self.paragraphs = self.paragraphs, []
        tops = [(paragraph, paragraph.top) for paragraph in old]
        height = float(theme.gap(0.5))
        for number, block in enumerate(self._blocks):
            start = block.start
            for index, part in enumerate(self.text[block.start : block.end].split("\n")):
                paragraph = self._paragraph(part, start, block, index == 0)
                paragraph.above = self._above(block, number) if index == 0 else 0.0
                paragraph.top = height
                height = paragraph.bottom
                self.paragraphs.append(paragraph)
                start += len(part) + 1
        self.height = height
        return self._changed_from(tops)

    def _changed_from(self, tops: list[tuple[Paragraph, float]]) -> float | None:
        same = 0
        for (before, top), now in zip(tops, self.paragraphs, strict=False):
            if before is not now or top != now.top:
                break
            same += 1
        if same == len(tops) == len(self.paragraphs):
            return None
        # the caret stood at the end of the paragraph before
        return self.paragraphs[same - 1].top if same else 0.0

    def _above(self, block: Block, number: int) -> float:
        assert self._faces is not None
        between = theme.gap(1.5 if block.marker else 3) if number else 0
        return float(between + (self._faces.heading_height + theme.gap(0.5) if block.heading else 0))

    def _paragraph(self, part: str, start: int, block: Block, first: bool) -> Paragraph:
        key = (part, start, block.strong, block.heading if first else "", block.marker, first)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= KEPT:
                shown = set(map(id, self.paragraphs))
                self._kept = {key: one for key, one in self._kept.items() if id(one) in shown}
            kept = self._kept[key] = self._laid_out(part, start, block, first)
        return kept

    def _laid_out(self, part: str, start: int, block: Block, first: bool) -> Paragraph:
        assert self._faces is not None
        indent = theme.gap(6) if block.marker else 0
        font = self._faces.strong if block.strong else self._faces.plain
        layout = QTextLayout(part, font)
        # else the letters are shaped anew with every picture
        layout.setCacheEnabled(True)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTabStopDistance(4 * QFontMetrics(font).horizontalAdvance(" "))
        layout.setTextOption(option)
        layout.setFormats(self._formats(start, start + len(part)))
        height = 0.0
        layout.beginLayout()
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(self._width - indent)
            line.setPosition(QPointF(0, height))
            height += line.height() * LINE_SPACING
        layout.endLayout()
        heading, marker = (block.heading, block.marker) if first else ("", "")
        return Paragraph(layout, start, height or float(QFontMetrics(font).height()), indent, heading, marker)

    def _formats(self, start: int, end: int) -> list[QTextLayout.FormatRange]:
        """Return the tints of a stretch of text, neighbours of one step joined."""
        ranges: list[QTextLayout.FormatRange] = []
        last = (-1, -1)
        token = bisect_right(self.ends, start)
        while token < len(self.tokens) and token <= self.current:
            first, after = self.span(token)
            if first >= end:
                break
            # the space before a word is not what it was unsure of
            word = self.tokens[token].text
            first += len(word) - len(word.lstrip(" ")) if word.strip() else 0
            a, b = max(start, first), min(end, after)
            step = tint_step(self.tokens[token].probability)
            if step and b > a:
                if last == (step, a) and ranges:
                    ranges[-1].length += b - a
                else:
                    ranges.append(tinted(a - start, b - a, step))
                last = (step, b)
            token += 1
        return ranges

    # --- places -----------------------------------------------------------------------------------

    def span(self, token: int) -> tuple[int, int]:
        """Return the characters of a token: (first, after the last)."""
        if not 0 <= token < len(self.ends):
            return (0, 0)
        return (self.ends[token - 1] if token else 0, self.ends[token])

    def token_at(self, x: float, y: float) -> int:
        """Return the number of the token at a place of the whole text, or -1."""
        for paragraph in self.paragraphs:
            top = paragraph.text_top
            if not top <= y < top + paragraph.height:
                continue
            for line in paragraph.lines():
                if not line.y() <= y - top < line.y() + line.height():
                    continue
                place = x - paragraph.indent
                if not 0 <= place <= line.naturalTextWidth():
                    return -1
                char = paragraph.start + line.xToCursor(place, line.CursorPosition.CursorOnCharacter)
                token = bisect_right(self.ends, char)
                return token if token <= self.current else -1
        return -1

    def rects(self, start: int, end: int) -> list[QRectF]:
        """Return the rectangles of characters `start` to `end`, in the coordinates of the whole text."""
        rects = []
        for paragraph in self.paragraphs:
            a, b = start - paragraph.start, end - paragraph.start
            length = len(paragraph.layout.text())
            if b <= 0 or a >= max(1, length) or (a < 0 and b > length + 1):
                continue
            for line in paragraph.lines():
                first, last = max(a, line.textStart()), min(b, line.textStart() + line.textLength())
                if last > first:
                    x0, x1 = _x(line, first), _x(line, last)
                    y = paragraph.text_top + line.y()
                    rects.append(QRectF(paragraph.indent + x0, y, x1 - x0, line.height()))
        return rects

    def token_rects(self, token: int) -> list[QRectF]:
        """Return the rectangles of a token."""
        return self.rects(*self.span(token))


def _x(line: QTextLine, position: int) -> float:
    value: Any = line.cursorToX(position)
    return float(value[0] if isinstance(value, tuple) else value)
