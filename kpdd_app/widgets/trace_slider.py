"""One slider over everything: the tokens of every stage, the lines of the trace, the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from kpdd_app import theme

# a short phase (the answer is one step) still gets room for its name
LEAST_SHARE = 0.08
# the handle's radius in gaps; with the focus it has a halo so many times as large
HANDLE, HALO = 1.6, 1.6


@dataclass(frozen=True)
class Stretch:
    """A phase on the slider: its title and its steps `start + 1` to `start + length`."""

    title: str
    start: int
    length: int


class TraceSlider(QAbstractSlider):
    """Phases lie side by side, each drawn as long as its share allows; the handle stands at a step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build an empty slider."""
        super().__init__(parent)
        self._stretches: list[Stretch] = []
        self._dragging = False
        self._last = 0
        self.setRange(0, 0)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Time line"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        theme.notifier().changed.connect(self.updateGeometry)

    def set_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Take the phases; the range becomes their steps."""
        if list(stretches) == self._stretches:
            return
        self._stretches = list(stretches)
        self.setRange(0, max((part.start + part.length for part in stretches), default=0))
        self.update()

    def stretch_at(self, step: int) -> int:
        """Return the number of the phase that a step belongs to; 0 before the first."""
        for number, part in enumerate(self._stretches):
            if part.start < step <= part.start + part.length:
                return number
        return 0

    def sizeHint(self) -> QSize:
        """Return room for the titles and the track."""
        return QSize(theme.line_height() * 20, theme.line_height() + theme.gap(6))

    def minimumSizeHint(self) -> QSize:
        """Return the least that can be hit."""
        return QSize(theme.line_height() * 10, self.sizeHint().height())

    def x_of(self, step: int) -> float:
        """Return where a step stands, in pixels."""
        rects = self._rects()
        for part, rect in zip(self._stretches, rects, strict=True):
            if part.length and part.start < step <= part.start + part.length:
                return rect.left() + rect.width() * (step - part.start) / part.length
        return rects[0].left() if rects else 0.0

    def step_at(self, x: float) -> int:
        """Return the step nearest to a place."""
        for part, rect in zip(self._stretches, self._rects(), strict=True):
            if x <= rect.right() + theme.gap(0.5):
                share = (x - rect.left()) / max(1.0, rect.width())
                return part.start + round(max(0.0, min(1.0, share)) * part.length)
        return self.maximum()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go where the person pressed and follow."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging = True
            self.setSliderDown(True)
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self._dragging:
            self._go(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._dragging = False
        self.setSliderDown(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the keys to the page: they mean the same wherever the focus is."""
        event.ignore()

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        """Paint only the way of the handle when it moves within a phase."""
        last, self._last = self._last, self.value()
        if change != QAbstractSlider.SliderChange.SliderValueChange or self._here(last) != self._here():
            super().sliderChange(change)
            return
        ends = sorted((self.x_of(last), self.x_of(self.value())))
        reach = HALO * theme.gap(HANDLE) + 1
        left, right = ends[0] - reach, ends[1] + reach
        top = min(float(self._titles_end()), theme.line_height() + theme.gap(3) - reach)
        self.update(QRectF(left, top, right - left, self.height()).toAlignedRect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint titles, track, what was passed, and the handle."""
        painter = QPainter(self)
        try:
            self._paint(painter, QRectF(event.rect()))
        finally:
            painter.end()

    def _go(self, x: float) -> None:
        step = self.step_at(x)
        if step != self.value():
            self.setSliderPosition(step)
            self.sliderMoved.emit(step)

    def _rects(self) -> list[QRectF]:
        """Return the track of each phase: shares by length, none below LEAST_SHARE."""
        count = len(self._stretches)
        if not count:
            return []
        between = theme.gap(1)
        side = theme.gap(2)
        room = max(10.0, self.width() - 2 * side - between * (count - 1))
        total = sum(part.length for part in self._stretches)
        free = 1 - LEAST_SHARE * count
        y = theme.line_height() + theme.gap(2.4)
        rects, x = [], float(side)
        for part in self._stretches:
            share = LEAST_SHARE + free * (part.length / total if total else 1 / count)
            rects.append(QRectF(x, y, room * share, theme.gap(1.2)))
            x += room * share + between
        return rects

    def _here(self, step: int | None = None) -> int:
        """Return the number of the phase at a step (default: the handle's), -1 before the first."""
        step = self.value() if step is None else step
        return self.stretch_at(step) if step else -1

    @staticmethod
    def _titles_end() -> int:
        """Return where the titles end and the track's halo may begin, in pixels from the top."""
        return theme.gap(0.5) + QFontMetrics(theme.text_font(-1)).height()

    def _paint(self, painter: QPainter, clip: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rects = self._rects()
        here = self._here()
        titles = clip.top() < self._titles_end()
        for number, (part, rect) in enumerate(zip(self._stretches, rects, strict=True)):
            if titles:
                self._paint_title(painter, part, rect, number == here)
            if rect.right() < clip.left() or rect.left() > clip.right():
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            if part.length:
                share = max(0.0, min(1.0, (self.value() - part.start) / part.length))
                done = QRectF(rect.left(), rect.top(), rect.width() * share, rect.height())
                painter.setBrush(theme.colour("accent"))
                painter.drawRoundedRect(done, rect.height() / 2, rect.height() / 2)
                self._paint_ticks(painter, part, rect)
        if rects and self.maximum():
            self._paint_handle(painter, rects[0])

    def _paint_title(self, painter: QPainter, part: Stretch, rect: QRectF, here: bool) -> None:
        font = theme.text_font(-1, bold=here)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(theme.colour("text" if here else "muted" if part.length else "faint"))
        room = QRectF(rect.left(), theme.gap(0.5), rect.width(), metrics.height())
        full = f"{part.title}  {part.length}" if part.length > 1 else part.title
        if metrics.horizontalAdvance(full) > room.width():
            full = metrics.elidedText(part.title, Qt.TextElideMode.ElideRight, int(room.width()) + 1)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, full)

    def _paint_ticks(self, painter: QPainter, part: Stretch, rect: QRectF) -> None:
        """Mark single steps where there is room to tell them apart."""
        if rect.width() / part.length < theme.gap(3):
            return
        for step in range(1, part.length):
            x = rect.left() + rect.width() * step / part.length
            passed = part.start + step <= self.value()
            painter.setPen(QPen(theme.colour("on_accent" if passed else "strong_border"), 1))
            painter.drawLine(QPointF(x, rect.top() + 1), QPointF(x, rect.bottom() - 1))

    def _paint_handle(self, painter: QPainter, track: QRectF) -> None:
        radius = theme.gap(HANDLE)
        centre = QPointF(self.x_of(self.value()), track.center().y())
        if self.hasFocus():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent", 0.25))
            painter.drawEllipse(centre, radius * HALO, radius * HALO)
        painter.setPen(QPen(theme.colour("accent"), 2))
        painter.setBrush(theme.colour("raised"))
        painter.drawEllipse(centre, radius, radius)
