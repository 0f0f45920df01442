"""What a student writes, token by token: tinted by how sure it was, alternatives under the pointer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextLayout,
    QTextOption,
)  # fmt: skip
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QWidget

from kpdd_app import theme
from kpdd_app.widgets.alternatives_view import AlternativesView
from kpdd_app.widgets.tints import tint_step, tinted
from training_backend.events import Token


@dataclass(frozen=True)
class Block:
    """A part of the text to show: characters `start` to `end`, under a heading or beside a marker."""

    start: int
    end: int
    heading: str = ""
    marker: str = ""
    strong: bool = False


@dataclass
class _Paragraph:
    """One laid-out line of source text (it may wrap), where it stands, and which characters it shows."""

    key: tuple
    layout: QTextLayout
    start: int
    height: float
    indent: float
    heading: str = ""
    marker: str = ""
    top: float = 0.0
    above: float = 0.0


class TokenStrip(QAbstractScrollArea):
    """Text made of tokens. White space stays as written; a caret stands where the student is at work."""

    token_hovered = Signal(object)
    token_clicked = Signal(int)
    alternative_picked = Signal(object, int, str)

    def __init__(self, parent: QWidget | None = None, mono: bool = False) -> None:
        """`mono`: show in the monospace face (programs and equations)."""
        super().__init__(parent)
        self._mono = mono
        self._tokens: Sequence[Token] = ()
        self._ends: Sequence[int] = ()
        self._marks: list[tuple[int, int]] = []
        self._text = ""
        self._blocks: list[Block] = []
        self._paragraphs: list[_Paragraph] = []
        self._placeholder = ""
        self._caret = False
        self._current = -1
        self._hovered = -1
        self._size_delta = 0.0
        self._popup: AlternativesView | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.notifier().changed.connect(self._restyle)

    # --- what is shown ----------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Return the text shown now."""
        return self._text

    @property
    def hovered_token(self) -> int:
        """Return the number of the token under the pointer, or -1."""
        return self._hovered

    def set_placeholder(self, text: str) -> None:
        """Say what will stand here."""
        self._placeholder = text
        self.viewport().update()

    def set_mono(self, mono: bool) -> None:
        """Choose the monospace face (programs, equations) or the text face."""
        if mono != self._mono:
            self._mono = mono
            self._restyle()

    def set_size_delta(self, points: float) -> None:
        """Make the text larger or smaller than ordinary text, in points."""
        if points != self._size_delta:
            self._size_delta = points
            self._restyle()

    def show_tokens(
        self,
        tokens: Sequence[Token],
        ends: Sequence[int],
        count: int,
        blocks: Sequence[Block] | None = None,
        caret: bool = False,
    ) -> None:
        """Show the first `count` tokens; `ends`: the text's length after each. Without blocks: all of it."""
        text = "".join(token.text for token in tokens[:count])
        self._tokens, self._ends, self._text = tokens, ends, text
        self._current = count - 1
        self._caret = caret
        self._blocks = list(blocks) if blocks is not None else [Block(0, len(text))]
        self.setAccessibleDescription(text[-400:])
        self._lay_out()
        if count:
            self._reveal_end()
        else:
            self.verticalScrollBar().setValue(0)
        self.viewport().update()

    def set_marks(self, spans: Sequence[tuple[int, int]]) -> None:
        """Light up characters (start, end) of the text: the numbers that a value came from."""
        if list(spans) != self._marks:
            self._marks = list(spans)
            self.viewport().update()

    def clear(self) -> None:
        """Show nothing but the placeholder."""
        self._hide_popup()
        self.show_tokens((), (), 0, [])

    # --- sizes ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Return a comfortable size; the strip scrolls."""
        return QSize(theme.line_height() * 18, theme.line_height() * 10)

    def minimumSizeHint(self) -> QSize:
        """Return the least that is readable."""
        return QSize(theme.line_height() * 9, theme.line_height() * 3)

    # --- events -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap again."""
        super().resizeEvent(event)
        self._lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the alternatives of the token under the pointer."""
        self._hover(self.token_at(event.position()), event.globalPosition().toPoint())

    def leaveEvent(self, event) -> None:
        """Take the alternatives away, unless the pointer went into them."""
        if self._popup is None or not self._popup.isVisible() or not self._popup.is_pointed_at():
            self._hover(-1, QPoint())
        super().leaveEvent(event)

    def hideEvent(self, event) -> None:
        """Take the alternatives away with the page."""
        self._hide_popup()
        super().hideEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the token that was clicked."""
        token = self.token_at(event.position())
        if token >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.token_clicked.emit(token)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll up and down, copy; other keys belong to the page."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self._text)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the paragraphs that are in sight."""
        painter = QPainter(self.viewport())
        try:
            self._paint(painter, QRectF(event.rect()))
        finally:
            painter.end()

    # --- places -----------------------------------------------------------------------------------

    def token_at(self, place: QPointF) -> int:
        """Return the number of the token at a place of the viewport, or -1."""
        y = place.y() + self.verticalScrollBar().value()
        for paragraph in self._paragraphs:
            top = paragraph.top + paragraph.above
            if not top <= y < top + paragraph.height:
                continue
            for number in range(paragraph.layout.lineCount()):
                line = paragraph.layout.lineAt(number)
                if not line.y() <= y - top < line.y() + line.height():
                    continue
                x = place.x() - paragraph.indent
                if not 0 <= x <= line.naturalTextWidth():
                    return -1
                char = paragraph.start + line.xToCursor(x, line.CursorPosition.CursorOnCharacter)
                return self._token_of(char)
        return -1

    def token_rect(self, number: int) -> QRectF:
        """Return where the beginning of a token stands in the viewport; empty when it is not shown."""
        start, end = self._span(number)
        for rect in self._rects(start, end):
            return rect.translated(0, -self.verticalScrollBar().value())
        return QRectF()

    # --- helpers ----------------------------------------------------------------------------------

    def _font(self, strong: bool = False) -> QFont:
        font = theme.mono_font(self._size_delta) if self._mono else theme.text_font(self._size_delta + 0.5)
        if strong:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _restyle(self) -> None:
        self._paragraphs = []
        self._lay_out()
        self.viewport().update()

    def _lay_out(self) -> None:
        """Lay out what changed; a paragraph whose text, place and width are the same is kept."""
        kept = {paragraph.key: paragraph for paragraph in self._paragraphs}
        self._paragraphs = []
        width = max(40, self.viewport().width() - theme.gap(1))
        top = float(theme.gap(0.5))
        for number, block in enumerate(self._blocks):
            start = block.start
            for index, part in enumerate(self._text[block.start : block.end].split("\n")):
                first = index == 0
                key = (part, start, width, block.strong, block.heading if first else "", block.marker, first)
                paragraph = kept.get(key) or self._paragraph(key)
                paragraph.above = self._above(block, number) if first else 0.0
                paragraph.top = top
                top += paragraph.above + paragraph.height
                self._paragraphs.append(paragraph)
                start += len(part) + 1
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(theme.line_height())
        bar.setRange(0, max(0, round(top + theme.gap(2)) - self.viewport().height()))

    def _above(self, block: Block, number: int) -> float:
        between = theme.gap(1.5 if block.marker else 3) if number else 0
        heading = QFontMetrics(theme.text_font(-1)).height() + theme.gap(0.5) if block.heading else 0
        return float(between + heading)

    def _paragraph(self, key: tuple) -> _Paragraph:
        part, start, width, strong, heading, marker, first = key
        indent = theme.gap(6) if marker else 0
        font = self._font(strong)
        layout = QTextLayout(part, font)
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
            line.setLineWidth(width - indent)
            line.setPosition(QPointF(0, height))
            height += line.height() * 1.12
        layout.endLayout()
        return _Paragraph(key, layout, start, height or float(QFontMetrics(font).height()), indent,
                          heading, marker if first else "")  # fmt: skip

    def _formats(self, start: int, end: int) -> list[QTextLayout.FormatRange]:
        """Return the tints of a stretch of text, neighbours of one step joined."""
        ranges: list[QTextLayout.FormatRange] = []
        last = (-1, -1)
        token = bisect_right(self._ends, start)
        while token < len(self._tokens) and token <= self._current:
            first, after = self._span(token)
            if first >= end:
                break
            # the space before a word is not what it was unsure of
            word = self._tokens[token].text
            first += len(word) - len(word.lstrip(" ")) if word.strip() else 0
            a, b = max(start, first), min(end, after)
            step = tint_step(self._tokens[token].probability)
            if step and b > a:
                if last == (step, a) and ranges:
                    ranges[-1].length += b - a
                else:
                    ranges.append(tinted(a - start, b - a, step))
                last = (step, b)
            token += 1
        return ranges

    def _span(self, token: int) -> tuple[int, int]:
        if not 0 <= token < len(self._ends):
            return (0, 0)
        return (self._ends[token - 1] if token else 0, self._ends[token])

    def _token_of(self, char: int) -> int:
        token = bisect_right(self._ends, char)
        return token if token <= self._current else -1

    def _rects(self, start: int, end: int) -> list[QRectF]:
        """Return the rectangles of characters `start` to `end`, in the coordinates of the whole text."""
        rects = []
        for paragraph in self._paragraphs:
            a, b = start - paragraph.start, end - paragraph.start
            length = len(paragraph.layout.text())
            if b <= 0 or a >= max(1, length) or (a < 0 and b > length + 1):
                continue
            for number in range(paragraph.layout.lineCount()):
                line = paragraph.layout.lineAt(number)
                first, last = max(a, line.textStart()), min(b, line.textStart() + line.textLength())
                if last > first:
                    x0, x1 = _x(line, first), _x(line, last)
                    y = paragraph.top + paragraph.above + line.y()
                    rects.append(QRectF(paragraph.indent + x0, y, x1 - x0, line.height()))
        return rects

    def _reveal_end(self) -> None:
        if not self._paragraphs:
            return
        last = max(self._paragraphs, key=lambda p: p.start + len(p.layout.text()))
        bottom = round(last.top + last.above + last.height) + theme.gap(2)
        bar = self.verticalScrollBar()
        view = self.viewport().height()
        if bottom > bar.value() + view:
            bar.setValue(bottom - view)
        elif bottom - theme.line_height() * 2 < bar.value():
            bar.setValue(max(0, bottom - view))

    def _hover(self, token: int, place: QPoint) -> None:
        if token == self._hovered:
            return
        self._hovered = token
        self.viewport().update()
        self.token_hovered.emit(self._tokens[token] if token >= 0 else None)
        if token < 0:
            self._hide_popup()
            return
        if self._popup is None:
            self._popup = AlternativesView(self, floating=True)
            self._popup.picked.connect(self._picked)
            self._popup.left.connect(lambda: self._hover(-1, QPoint()))
        rect = self.token_rect(token)
        below = self.viewport().mapToGlobal(rect.bottomLeft().toPoint()) if rect.isValid() else place
        self._popup.show_beside(self._tokens[token], below)

    def _picked(self, token: Token, number: int, text: str) -> None:
        self._hover(-1, QPoint())
        self.alternative_picked.emit(token, number, text)

    def _hide_popup(self) -> None:
        if self._popup is not None:
            self._popup.hide()

    def _paint(self, painter: QPainter, clip: QRectF) -> None:
        if not self._text:
            painter.setPen(theme.colour("faint"))
            painter.setFont(theme.text_font())
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(0, theme.gap(1), -theme.gap(2), 0), flags,
                             self._placeholder)  # fmt: skip
            if self._caret:
                painter.fillRect(QRectF(0, theme.gap(1), 2, theme.line_height()), theme.colour("accent"))
            return
        shift = self.verticalScrollBar().value()
        painter.translate(0, -shift)
        clip.translate(0, shift)
        self._paint_marks(painter)
        painter.setPen(theme.colour("text"))
        for paragraph in self._paragraphs:
            top = paragraph.top
            if top + paragraph.above + paragraph.height < clip.top() or top > clip.bottom():
                continue
            self._paint_labels(painter, paragraph)
            painter.setPen(theme.colour("text"))
            paragraph.layout.draw(painter, QPointF(paragraph.indent, top + paragraph.above))
        self._outline(painter, self._hovered, "muted")
        if self._caret:
            self._paint_caret(painter)

    def _paint_marks(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("changed"), 1.5))
        painter.setBrush(theme.colour("changed_tint"))
        for start, end in self._marks:
            for rect in self._rects(start, min(end, len(self._text))):
                painter.drawRoundedRect(rect.adjusted(-2, 0.5, 2, -0.5), 3, 3)

    def _paint_labels(self, painter: QPainter, paragraph: _Paragraph) -> None:
        base = paragraph.top + paragraph.above
        if paragraph.heading:
            font = theme.text_font(-1)
            painter.setFont(font)
            painter.setPen(theme.colour("muted"))
            metrics = QFontMetrics(font)
            painter.drawText(QPointF(0, base - theme.gap(0.5) - metrics.descent()), paragraph.heading)
        if paragraph.marker:
            font = theme.text_font(-0.5, bold=True)
            painter.setFont(font)
            painter.setPen(theme.colour("accent"))
            line = paragraph.layout.lineAt(0)
            ascent = line.ascent() if line.isValid() else QFontMetrics(font).ascent()
            painter.drawText(QPointF(theme.gap(1), base + ascent), paragraph.marker)

    def _paint_caret(self, painter: QPainter) -> None:
        rects = self._rects(*self._span(self._current))
        if rects:
            rect = rects[-1]
            painter.fillRect(QRectF(rect.right() + 1, rect.top(), 2, rect.height()), theme.colour("accent"))

    def _outline(self, painter: QPainter, token: int, colour: str) -> None:
        if token < 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(colour), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rect in self._rects(*self._span(token)):
            painter.drawRoundedRect(rect.adjusted(-0.5, 0.5, 0.5, -0.5), 3, 3)


def _x(line, position: int) -> float:
    value = line.cursorToX(position)
    return float(value[0] if isinstance(value, tuple) else value)
