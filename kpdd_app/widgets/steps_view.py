"""A chain of thought checked step by step: every `a op b = c` recomputed, with a sign and a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from kpdd_app import theme


@dataclass(frozen=True)
class Step:
    """One equation of a chain of thought; `right` is None when it could not be recomputed."""

    text: str
    right: bool | None
    detail: str = ""


class StepsView(QAbstractScrollArea):
    """A list of equations; those that were looked at so far carry their sign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self._steps: list[Step] = []
        self._count = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Checked steps"))
        theme.notifier().changed.connect(self._lay_out)

    @property
    def shown(self) -> list[Step]:
        """Return the steps that carry their sign."""
        return self._steps[: self._count]

    def show_steps(self, steps: Sequence[Step], count: int) -> None:
        """Show the steps, the first `count` of them checked."""
        self._steps, self._count = list(steps), count
        self.setAccessibleDescription("; ".join(f"{s.text} {word(s)}" for s in self.shown))
        self._lay_out()

    def resizeEvent(self, event) -> None:
        """Keep the scroll range right."""
        super().resizeEvent(event)
        self._lay_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll here; the keys of the time line belong to the page."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a line per step."""
        painter = QPainter(self.viewport())
        try:
            self._paint(painter)
        finally:
            painter.end()

    def _lay_out(self) -> None:
        bar = self.verticalScrollBar()
        height = self._row() * max(1, len(self._steps))
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, height - self.viewport().height()))
        if self._count:
            bar.setValue(max(0, min(bar.maximum(), self._count * self._row() - self.viewport().height())))
        self.viewport().update()

    def _paint(self, painter: QPainter) -> None:
        if not self._steps:
            painter.setPen(theme.colour("muted"))
            painter.setFont(theme.text_font())
            painter.drawText(
                self.viewport().rect().adjusted(0, theme.gap(1), 0, 0),
                Qt.TextFlag.TextWordWrap,
                self.tr("This chain of thought states no equation that could be checked."),
            )
            return
        edge = theme.icon_size()
        for number, step in enumerate(self._steps):
            top = number * self._row() - self.verticalScrollBar().value()
            checked = number < self._count
            if number == self._count - 1:
                painter.fillRect(0, top, self.viewport().width(), self._row(), theme.colour("accent_tint"))
            sign, colour = signs(step) if checked else ("ring", "faint")
            picture = theme.pixmap(sign, colour, edge, self.devicePixelRatioF())
            painter.drawPixmap(theme.gap(1), top + (self._row() - edge) // 2, picture)
            self._paint_words(painter, step, checked, top, edge + theme.gap(3))

    def _paint_words(self, painter: QPainter, step: Step, checked: bool, top: int, left: int) -> None:
        font = theme.mono_font(0.5)
        painter.setFont(font)
        painter.setPen(theme.colour("text" if checked else "muted"))
        metrics = QFontMetrics(font)
        middle = Qt.AlignmentFlag.AlignVCenter
        room = self.viewport().width() - left
        shown = metrics.elidedText(step.text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(left, top, room, self._row()), middle, shown)
        if checked and step.right is not True:
            after = left + metrics.horizontalAdvance(shown) + theme.gap(3)
            painter.setFont(theme.text_font(-0.5))
            painter.setPen(theme.colour(signs(step)[1]))
            painter.drawText(
                QRectF(after, top, max(0, self.viewport().width() - after), self._row()),
                middle,
                step.detail or word(step),
            )

    @staticmethod
    def _row() -> int:
        return theme.line_height() + theme.gap(2.5)


def signs(step: Step) -> tuple[str, str]:
    """Return the sign and colour of a checked step."""
    if step.right is None:
        return "question", "unjudged"
    return ("check", "equal") if step.right else ("cross", "wrong")


def word(step: Step) -> str:
    """Return what a checked step is, in a word."""
    return {True: "true", False: "false", None: "could not be checked"}[step.right]
