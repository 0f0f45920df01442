"""What a student writes, token by token: tinted by how sure it was, alternatives under the pointer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QWidget

from kpdd_app import theme
from kpdd_app.key_bindings import scrolls
from kpdd_app.widgets.alternatives_view import AlternativesView
from kpdd_app.widgets.token_layout import Block, Faces, Paragraph, TokenLayout
from training_backend.events import Token


class TokenStrip(QAbstractScrollArea):
    """Text made of tokens. White space stays as written; a caret stands where the student is at work."""

    token_hovered = Signal(object)
    token_clicked = Signal(int)
    alternative_picked = Signal(object, int, str)

    def __init__(self, parent: QWidget | None = None, mono: bool = False) -> None:
        """`mono`: show in the monospace face (programs and equations)."""
        super().__init__(parent)
        self._mono = mono
        self._laid = TokenLayout()
        self._marks: list[tuple[int, int]] = []
        self._placeholder = ""
        self._caret = False
        self._hovered = -1
        self._size_delta = 0.0
        self._popup: AlternativesView | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setMouseTracking(True)
        # it fills its ground itself: nothing below it is painted with every token
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    # --- what is shown ----------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Return the text shown now."""
        return self._laid.text

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
        had_text, had_caret, carets = bool(self.text), self._caret, self._caret_rects()
        self._laid.show(tokens, ends, count, blocks)
        self._caret = caret
        self.setAccessibleDescription(self.text[-400:])
        changed = self._lay_out()
        if count > 1:
            self._reveal_end()
        else:
            # what was not written token by token is read from its beginning
            self.verticalScrollBar().setValue(0)
        if had_text != bool(self.text) or (had_caret != caret and not self.text):
            self.viewport().update()
            return
        shift = self.verticalScrollBar().value()
        if changed is not None:
            top = max(0, int(changed) - shift - 2)
            self.viewport().update(0, top, self.viewport().width(), self.viewport().height() - top)
        if had_caret != caret:
            for rect in carets + self._caret_rects():
                self.viewport().update(rect.translated(0, -shift).toAlignedRect().adjusted(-1, -1, 1, 1))

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

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move the picture; only what comes into sight is painted."""
        self.viewport().scroll(dx, dy)

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
            QGuiApplication.clipboard().setText(self.text)
        elif scrolls(event):
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
        return self._laid.token_at(place.x(), place.y() + self.verticalScrollBar().value())

    def token_rect(self, number: int) -> QRectF:
        """Return where the beginning of a token stands in the viewport; empty when it is not shown."""
        for rect in self._laid.token_rects(number):
            return rect.translated(0, -self.verticalScrollBar().value())
        return QRectF()

    # --- helpers ----------------------------------------------------------------------------------

    def _restyle(self) -> None:
        self._laid.dress(Faces.of(self._mono, self._size_delta))
        self._lay_out()
        self.viewport().update()

    def _lay_out(self) -> float | None:
        """Lay out what changed; return from which height on the text looks different."""
        bar = self.verticalScrollBar()
        # room for the scroll bar is kept: no line breaks elsewhere once it comes
        room = self.width() - bar.sizeHint().width() - theme.gap(1)
        changed = self._laid.lay_out(max(40, room))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(theme.line_height())
        bar.setRange(0, max(0, round(self._laid.height + theme.gap(2)) - self.viewport().height()))
        return changed

    def _reveal_end(self) -> None:
        if not self._laid.paragraphs:
            return
        last = max(self._laid.paragraphs, key=lambda p: p.start + len(p.layout.text()))
        bottom = round(last.bottom) + theme.gap(2)
        bar = self.verticalScrollBar()
        view = self.viewport().height()
        if bottom > bar.value() + view:
            bar.setValue(bottom - view)
        elif bottom - theme.line_height() * 2 < bar.value():
            bar.setValue(max(0, bottom - view))

    def _hover(self, token: int, place: QPoint) -> None:
        if token == self._hovered:
            return
        for number in (self._hovered, token):
            for rect in self._laid.token_rects(number):
                shown = rect.translated(0, -self.verticalScrollBar().value())
                self.viewport().update(shown.toAlignedRect().adjusted(-2, -2, 2, 2))
        self._hovered = token
        self.token_hovered.emit(self._laid.tokens[token] if token >= 0 else None)
        if token < 0:
            self._hide_popup()
            return
        if self._popup is None:
            self._popup = AlternativesView(self, floating=True)
            self._popup.picked.connect(self._picked)
            self._popup.left.connect(lambda: self._hover(-1, QPoint()))
        rect = self.token_rect(token)
        below = self.viewport().mapToGlobal(rect.bottomLeft().toPoint()) if rect.isValid() else place
        self._popup.show_beside(self._laid.tokens[token], below)

    def _picked(self, token: Token, number: int, text: str) -> None:
        self._hover(-1, QPoint())
        self.alternative_picked.emit(token, number, text)

    def _hide_popup(self) -> None:
        if self._popup is not None:
            self._popup.hide()

    def _paint(self, painter: QPainter, clip: QRectF) -> None:
        painter.fillRect(clip, theme.colour("surface"))
        if not self.text:
            self._paint_placeholder(painter)
            return
        shift = self.verticalScrollBar().value()
        painter.translate(0, -shift)
        clip.translate(0, shift)
        self._paint_marks(painter)
        ink = theme.colour("text")
        for paragraph in self._laid.paragraphs:
            if paragraph.bottom < clip.top() or paragraph.top > clip.bottom():
                continue
            self._paint_labels(painter, paragraph)
            painter.setPen(ink)
            paragraph.layout.draw(painter, QPointF(paragraph.indent, paragraph.text_top))
        self._outline(painter, self._hovered, "muted")
        if self._caret:
            self._paint_caret(painter)

    def _paint_placeholder(self, painter: QPainter) -> None:
        painter.setPen(theme.colour("faint"))
        painter.setFont(theme.text_font())
        flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(self.viewport().rect().adjusted(0, theme.gap(1), -theme.gap(2), 0), flags,
                         self._placeholder)  # fmt: skip
        if self._caret:
            painter.fillRect(QRectF(0, theme.gap(1), 2, theme.line_height()), theme.colour("accent"))

    def _paint_marks(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("changed"), 1.5))
        painter.setBrush(theme.colour("changed_tint"))
        for start, end in self._marks:
            for rect in self._laid.rects(start, min(end, len(self.text))):
                painter.drawRoundedRect(rect.adjusted(-2, 0.5, 2, -0.5), 3, 3)

    def _paint_labels(self, painter: QPainter, paragraph: Paragraph) -> None:
        base = paragraph.text_top
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
        for rect in self._caret_rects():
            painter.fillRect(rect, theme.colour("accent"))

    def _caret_rects(self) -> list[QRectF]:
        """Return where the caret stands in the whole text, if it is shown."""
        rects = self._laid.token_rects(self._laid.current)[-1:] if self._caret else []
        return [QRectF(rect.right() + 1, rect.top(), 2, rect.height()) for rect in rects]

    def _outline(self, painter: QPainter, token: int, colour: str) -> None:
        if token < 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(colour), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rect in self._laid.token_rects(token):
            painter.drawRoundedRect(rect.adjusted(-0.5, 0.5, 0.5, -0.5), 3, 3)
