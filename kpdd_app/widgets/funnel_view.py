"""The project as one picture: a funnel whose every number opens the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QLocale, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kpdd_app import theme


@dataclass(frozen=True)
class Step:
    """One stage: its name, its number, what the number counts, and where a click leads.

    `share` in 0..1 is the height of its bar (None: it has none), `through` that of the stream which it marks
    but does not narrow; `tone` is a colour of the theme; `target` is given back on a click; `text` stands
    where the number is not a count.
    """

    title: str
    number: int
    unit: str
    share: float | None
    tone: str
    target: Any
    aside: str = ""
    through: float | None = None
    text: str = ""


class FunnelView(QWidget):
    """Stages from left to right, each as high as its share of the first; arrows move, Return opens."""

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.steps: list[Step] = []
        self._current = 0
        self._hover = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("The project as a funnel"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.notifier().changed.connect(self.updateGeometry)

    def set_steps(self, steps: list[Step]) -> None:
        """Show these stages."""
        self.steps = steps
        self._current = min(self._current, max(0, len(steps) - 1))
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.gap(180), theme.gap(90))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.gap(120), theme.gap(44))

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number in range(len(self.steps)):
                self._paint_shape(painter, number)
            for number in range(len(self.steps)):
                self._paint_words(painter, number)
        finally:
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.steps:
            way = 1 if key == Qt.Key.Key_Right else -1
            self._current = max(0, min(len(self.steps) - 1, self._current + way))
            self._describe()
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.steps:
            self.opened.emit(self.steps[self._current].target)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover = self._at(event.position())
        can = self._hover >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if can else Qt.CursorShape.ArrowCursor)
        self.update()

    def leaveEvent(self, event) -> None:
        self._hover = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._at(event.position())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._current = number
            self.opened.emit(self.steps[number].target)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self._hover >= 0:
            step = self.steps[self._hover]
            QToolTip.showText(event.globalPos(), f"{step.title}: {step.unit}", self)  # type: ignore[attr-defined]
            return True
        return super().event(event)

    def focusInEvent(self, event) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.update()

    # --- helpers ----------------------------------------------------------------------------------

    def _box(self, number: int) -> QRectF:
        width = self.width() / max(1, len(self.steps))
        return QRectF(number * width, 0, width, self.height())

    def _at(self, point: QPointF) -> int:
        return next((n for n in range(len(self.steps)) if self._box(n).contains(point)), -1)

    def _span(self, number: int) -> tuple[float, float]:
        """Return top and bottom of a stage's shape: a share of the height, never thinner than a line."""
        words = theme.line_height() * 2 + theme.gap(5)
        room = self.height() - words - theme.gap(2)
        step = self.steps[number]
        share = step.share if step.through is None else step.through
        half = max(1.5, (share or 0.0) * room / 2)
        middle = words + room / 2
        return middle - half, middle + half

    def _paint_shape(self, painter: QPainter, number: int) -> None:
        step, box = self.steps[number], self._box(number)
        if step.share is None:
            return
        top, bottom = self._span(number)
        tone, stream = theme.colour(step.tone), theme.colour(step.tone if step.through is None else "equal")
        stream.setAlphaF(0.22)
        strong = 0.85 if number == self._hover else 0.68
        flat = box.width() * 0.62
        painter.setPen(Qt.PenStyle.NoPen)
        if step.through is not None:
            painter.setBrush(stream)
            painter.drawRect(QRectF(box.left(), top, flat, bottom - top))
            room = (bottom - top) * (step.share / step.through if step.through else 0)
            inner = QRectF(box.left(), bottom - max(3.0, room), flat, max(3.0, room))
        else:
            inner = QRectF(box.left(), top, flat, bottom - top)
        tone.setAlphaF(strong)
        painter.setBrush(tone)
        painter.drawRect(inner)
        if number + 1 < len(self.steps) and self.steps[number + 1].share is not None:
            begin, end = box.left() + flat, box.right()
            painter.setBrush(stream)
            painter.drawPath(_stream(begin, (top, bottom), end, self._span(number + 1)))

    def _paint_words(self, painter: QPainter, number: int) -> None:
        step, box = self.steps[number], self._box(number)
        here = number == self._hover or (number == self._current and self.hasFocus())
        big = theme.text_font(5, bold=True)
        painter.setFont(big)
        painter.setPen(theme.colour("accent" if here else "text"))
        text = step.text or QLocale().toString(step.number)
        if painter.fontMetrics().horizontalAdvance(text) > box.width() - theme.gap(1):
            painter.setFont(theme.text_font(1, bold=True))
        painter.drawText(QRectF(box.left(), 0, box.width(), theme.line_height(big)), text)
        painter.setFont(theme.text_font(-0.5))
        painter.setPen(theme.colour("text" if here else "muted"))
        below = QRectF(box.left(), theme.line_height(big), box.width() - theme.gap(1), theme.line_height())
        words = f"{step.title}  {step.aside}" if step.aside else step.title
        if painter.fontMetrics().horizontalAdvance(words) > below.width():
            words = step.title
        short = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(below.width()))
        painter.drawText(below, short)
        if number == self._current and self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-3 if number else 0.5, 0.5, -theme.gap(1), -0.5), 5, 5)

    def _describe(self) -> None:
        if self.steps:
            step = self.steps[self._current]
            self.setAccessibleDescription(f"{step.title}: {step.text or step.number} {step.unit}")


def _stream(begin: float, here: tuple[float, float], end: float, there: tuple[float, float]) -> QPainterPath:
    """Return the shape that flows from one bar (left edge, top and bottom) into the next."""
    middle = (begin + end) / 2
    path = QPainterPath(QPointF(begin, here[0]))
    path.cubicTo(middle, here[0], middle, there[0], end, there[0])
    path.lineTo(end, there[1])
    path.cubicTo(middle, there[1], middle, here[1], begin, here[1])
    path.closeSubpath()
    return path
