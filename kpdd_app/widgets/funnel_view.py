"""The project as one picture: a funnel whose every number opens the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QLocale, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kpdd_app import theme

TITLE_LINES = 3


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
    """Stages from left to right, each as high as its share of the first; arrows move, Return opens.

    Where their names have no room beside each other the stages lie below each other, one a line.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.steps: list[Step] = []
        self._current = 0
        self._hover = -1
        self._stacked = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("The project as a funnel"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.notifier().changed.connect(self._lay_out)

    @property
    def stacked(self) -> bool:
        """Tell whether the stages lie below each other."""
        return self._stacked

    def set_steps(self, steps: list[Step]) -> None:
        """Show these stages."""
        self.steps = steps
        self._current = min(self._current, max(0, len(steps) - 1))
        self._describe()
        self._lay_out()

    def sizeHint(self) -> QSize:
        return QSize(theme.gap(180), self._lines_height() if self._stacked else theme.gap(90))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.gap(60), self._lines_height() if self._stacked else theme.gap(54))

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number in range(len(self.steps)):
                if not self._stacked:
                    self._paint_shape(painter, number)
            for number in range(len(self.steps)):
                (self._paint_line if self._stacked else self._paint_words)(painter, number)
        finally:
            painter.end()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        ways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self._stacked:
            ways |= {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if key in ways and self.steps:
            way = ways[Qt.Key(key)]
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

    def _lay_out(self) -> None:
        """Put the stages beside or below each other, as the longest word of their names allows."""
        metrics = QFontMetrics(theme.text_font(-0.5))
        words = [word for step in self.steps for word in step.title.split()]
        longest = max((metrics.horizontalAdvance(word) for word in words), default=0)
        self._stacked = self.width() < (longest + theme.gap(2.5)) * max(1, len(self.steps))
        self.setMaximumHeight(self._lines_height() if self._stacked else theme.gap(90))
        self.updateGeometry()
        self.update()

    def _line_height(self) -> int:
        return theme.row_height() + theme.gap(1)

    def _lines_height(self) -> int:
        return self._line_height() * max(1, len(self.steps))

    def _box(self, number: int) -> QRectF:
        if self._stacked:
            return QRectF(0, number * self._line_height(), self.width(), self._line_height())
        width = self.width() / max(1, len(self.steps))
        return QRectF(number * width, 0, width, self.height())

    def _at(self, point: QPointF) -> int:
        return next((n for n in range(len(self.steps)) if self._box(n).contains(point)), -1)

    def _span(self, number: int) -> tuple[float, float]:
        """Return top and bottom of a stage's shape: a share of the height, never thinner than a line."""
        words = self._words_height()
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
        here = self._is_here(number)
        big = theme.text_font(5, bold=True)
        room = box.width() - theme.gap(2.5)
        painter.setFont(big)
        text = _number(step)
        if painter.fontMetrics().horizontalAdvance(text) > room:
            painter.setFont(theme.text_font(1, bold=True))
        painter.setPen(theme.colour("accent" if here else "text"))
        top = QRectF(box.left(), 0, box.width(), theme.line_height(big))
        base = Qt.AlignmentFlag.AlignBottom
        painter.drawText(top, base, text)
        beside = painter.fontMetrics().horizontalAdvance(text) + theme.gap(1.2)
        small = theme.text_font(-0.5)
        painter.setFont(small)
        painter.setPen(theme.colour("text" if here else "muted"))
        if self._asides_fit() and step.aside:
            # both stand on the line of the large figures
            lift = QFontMetrics(big).descent() - QFontMetrics(small).descent()
            painter.drawText(top.adjusted(beside, 0, 0, -lift), base, step.aside)
        line, height = QFontMetrics(small), theme.line_height(small)
        for place, words in enumerate(wrapped(step.title, line, room)):
            short = line.elidedText(words, Qt.TextElideMode.ElideRight, round(room))
            painter.drawText(QRectF(box.left(), top.bottom() + place * height, room, height), short)
        if number == self._current and self.hasFocus():
            self._paint_focus(painter, box.adjusted(-3 if number else 0.5, 0.5, -theme.gap(1), -0.5))

    def _paint_line(self, painter: QPainter, number: int) -> None:
        """Draw a stage as a line: its number, its name, its bar, the share behind it."""
        step, box = self.steps[number], self._box(number)
        here = self._is_here(number)
        figures, words = theme.text_font(bold=True), theme.text_font()
        first = max(QFontMetrics(figures).horizontalAdvance(_number(one)) for one in self.steps)
        second = max(QFontMetrics(words).horizontalAdvance(one.title) for one in self.steps)
        middle, right = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight
        painter.setFont(figures)
        painter.setPen(theme.colour("accent" if here else "text"))
        painter.drawText(QRectF(box.left(), box.top(), first, box.height()), middle | right, _number(step))
        left = box.left() + first + theme.gap(2)
        painter.setFont(words)
        painter.setPen(theme.colour("text" if here else "muted"))
        room = min(second, box.right() - left)
        short = painter.fontMetrics().elidedText(step.title, Qt.TextElideMode.ElideRight, round(room))
        painter.drawText(QRectF(left, box.top(), room, box.height()), middle, short)
        left += second + theme.gap(3)
        percent = painter.fontMetrics().horizontalAdvance("100 %") + theme.gap(2)
        bar = box.right() - left - percent
        if step.aside and box.right() - left >= percent:
            painter.drawText(QRectF(box.right() - percent, box.top(), percent - theme.gap(1), box.height()),
                             middle | right, step.aside)  # fmt: skip
        if step.share is not None and bar > theme.gap(8):
            tone = theme.colour(step.tone, 0.85 if number == self._hover else 0.68)
            thick = box.height() * 0.5
            painter.fillRect(
                QRectF(left, box.center().y() - thick / 2, max(2.0, bar * step.share), thick), tone
            )
        if number == self._current and self.hasFocus():
            self._paint_focus(painter, box.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_focus(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(QPen(theme.colour("accent"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 5, 5)

    def _is_here(self, number: int) -> bool:
        return number == self._hover or (number == self._current and self.hasFocus())

    def _asides_fit(self) -> bool:
        """Tell whether every share has room beside its number: all are shown, or none."""
        big = QFontMetrics(theme.text_font(5, bold=True))
        small = QFontMetrics(theme.text_font(-0.5))
        return all(
            big.horizontalAdvance(_number(step)) + small.horizontalAdvance(step.aside) + theme.gap(2.5)
            <= self._box(0).width() for step in self.steps if step.aside
        )  # fmt: skip

    def _words_height(self) -> int:
        small = theme.text_font(-0.5)
        room = self._box(0).width() - theme.gap(2.5)
        lines = max((len(wrapped(step.title, QFontMetrics(small), room)) for step in self.steps), default=1)
        return (
            theme.line_height(theme.text_font(5, bold=True)) + lines * theme.line_height(small) + theme.gap(2)
        )

    def _describe(self) -> None:
        if self.steps:
            step = self.steps[self._current]
            self.setAccessibleDescription(f"{step.title}: {step.text or step.number} {step.unit}")


def wrapped(title: str, metrics: QFontMetrics, room: float) -> list[str]:
    """Return a title as at most three lines of whole words; the last one holds what is left."""
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (metrics.horizontalAdvance(longer) <= room or len(lines) == TITLE_LINES):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _number(step: Step) -> str:
    return step.text or QLocale().toString(step.number)


def _stream(begin: float, here: tuple[float, float], end: float, there: tuple[float, float]) -> QPainterPath:
    """Return the shape that flows from one bar (left edge, top and bottom) into the next."""
    middle = (begin + end) / 2
    path = QPainterPath(QPointF(begin, here[0]))
    path.cubicTo(middle, here[0], middle, there[0], end, there[0])
    path.lineTo(end, there[1])
    path.cubicTo(middle, there[1], middle, here[1], begin, here[1])
    path.closeSubpath()
    return path
