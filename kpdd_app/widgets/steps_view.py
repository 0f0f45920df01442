"""Worked steps one below the other: equations of a chain of thought checked, or a system being solved.

Each has its number and its sign, why it is wrong or how it came about, and what its numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from kpdd_app import theme
from kpdd_app.key_bindings import scrolls
from kpdd_app.solution_steps import origin, why
from training_backend.execution.worked_steps import RESULT, WorkedStep

_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
# so many steps, the last, are told to who cannot see them
SPOKEN = 4


@dataclass(frozen=True)
class _Row:
    """Where a step stands: its top, and its text, why, and where from, each with its height."""

    top: int
    texts: tuple[str, str, str]
    heights: tuple[int, int, int]

    @property
    def height(self) -> int:
        return sum(self.heights) + theme.gap(3)


class StepsView(QAbstractScrollArea):
    """A list of steps; those that were looked at so far carry their sign, the last one stands out."""

    step_pointed = Signal(str)
    """The number of the step under the pointer, or an empty text."""
    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self._steps: list[WorkedStep] = []
        self._rows: list[_Row] = []
        self._laid: tuple = ()
        self._count = self._pointed = 0
        self._ahead = True
        self._lit: tuple[int, ...] = ()
        self._delta = 0.0
        self._nothing = self.tr("This chain of thought states no equation that could be checked.")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Checked steps"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.notifier().changed.connect(self._restyle)

    # --- properties -------------------------------------------------------------------------------

    @property
    def shown(self) -> list[WorkedStep]:
        """Return the steps that carry their sign."""
        return self._steps[: self._count]

    # --- methods ----------------------------------------------------------------------------------

    def show_steps(self, steps: Sequence[WorkedStep], count: int, ahead: bool = True) -> None:
        """Show the steps, the first `count` of them done; `ahead`: also those to come, without their sign."""
        self._steps, self._count, self._ahead = list(steps), count, ahead
        self.setAccessibleDescription("; ".join(f"{s.text} {word(s)}" for s in self.shown[-SPOKEN:]))
        self._lay_out()
        self._reveal()

    def say_nothing(self, text: str) -> None:
        """Say what stands there when there are no steps."""
        self._nothing = text
        self.viewport().update()

    def light(self, steps: Sequence[int]) -> None:
        """Mark steps (from 1) that another one reads."""
        if tuple(steps) != self._lit:
            self._lit = tuple(steps)
            self.viewport().update()

    def set_size_delta(self, points: float) -> None:
        """Make the text larger or smaller, in points."""
        if points != self._delta:
            self._delta = points
            self._restyle()

    def sizeHint(self) -> QSize:
        """Return room for some steps."""
        return QSize(theme.line_height() * 18, theme.line_height() * 9)

    def minimumSizeHint(self) -> QSize:
        """Return room for one step."""
        return QSize(theme.line_height() * 9, round(theme.line_height() * 3.6))

    # --- events -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap again."""
        super().resizeEvent(event)
        self._lay_out()
        self._reveal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll here; the keys of the time line belong to the page."""
        if scrolls(event):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the step under the pointer."""
        self._point(self.step_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the step that was clicked."""
        step = self.step_at(event.position())
        if step and event.button() == Qt.MouseButton.LeftButton:
            self.step_clicked.emit(step)

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self._point(0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the frame of the focus away."""
        super().focusOutEvent(event)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the steps that are in sight."""
        painter = QPainter(self.viewport())
        try:
            self._paint(painter, event.rect())
        finally:
            painter.end()

    # --- places -----------------------------------------------------------------------------------

    def step_at(self, place: QPointF) -> int:
        """Return the number (from 1) of the step at a place of the viewport, or 0."""
        y = place.y() + self.verticalScrollBar().value()
        last = len(self._steps) if self._ahead else self._count
        return next((n for n, r in enumerate(self._rows[:last], 1) if r.top <= y < r.top + r.height), 0)

    def step_rect(self, number: int) -> QRect:
        """Return where a step (from 1) stands in the viewport."""
        row = self._rows[number - 1]
        return QRect(0, row.top - self.verticalScrollBar().value(), self.viewport().width(), row.height)

    # --- helpers ----------------------------------------------------------------------------------

    def _point(self, step: int) -> None:
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if step else Qt.CursorShape.ArrowCursor)
        if step != self._pointed:
            self._pointed = step
            self.viewport().update()
            self.step_pointed.emit(str(step) if 0 < step <= self._count else "")

    def _fonts(self) -> tuple[QFont, QFont, QFont]:
        return (
            theme.mono_font(self._delta + 0.5),
            theme.text_font(self._delta),
            theme.text_font(self._delta - 1),
        )

    def _numbers(self) -> int:
        """Return the room for the running number."""
        return QFontMetrics(self._fonts()[2]).horizontalAdvance("9" * max(2, len(str(len(self._steps)))))

    def _edge(self) -> int:
        """Return the size of a sign, which grows with the text."""
        return max(theme.icon_size(), round(QFontMetrics(self._fonts()[0]).height() * 0.7))

    def _left(self) -> int:
        return self._numbers() + self._edge() + theme.gap(5)

    def _lay_out(self) -> None:
        width = max(40, self.viewport().width() - self._left() - theme.gap(2))
        if self._laid != (self._steps, width):
            self._laid = (self._steps, width)
            self._rows, top = [], 0
            for step in self._steps:
                texts = (_fitted(step.text, self._fonts()[0], width), why(step), origin(step))
                first, second, third = (
                    _height(text, font, width) for font, text in zip(self._fonts(), texts, strict=True)
                )
                self._rows.append(_Row(top, texts, (first, second, third)))
                top += self._rows[-1].height
        bar = self.verticalScrollBar()
        there = self._rows if self._ahead else self._rows[: self._count]
        height = there[-1].top + there[-1].height if there else 0
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(theme.line_height())
        bar.setRange(0, max(0, height - self.viewport().height()))
        self.viewport().update()

    def _reveal(self) -> None:
        """Keep the step on the time line in sight, with the one before and the one after where they fit."""
        if not self._rows:
            return
        after = len(self._rows) if self._ahead else max(1, self._count)
        bar, view = self.verticalScrollBar(), self.viewport().height()
        at = max(0, self._count - 1)
        first, last = self._rows[max(0, at - 1)], self._rows[min(after - 1, at + 1)]
        here = self._rows[at]
        if here.top < bar.value() or here.top + here.height > bar.value() + view:
            top = first.top if here.top < bar.value() else last.top + last.height - view
            # a step that is higher than the view is read from its top
            least = min(here.top, here.top + here.height - view)
            bar.setValue(max(least, min(here.top, top)))

    def _paint(self, painter: QPainter, clip: QRect) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._steps:
            painter.setPen(theme.colour("muted"))
            painter.setFont(self._fonts()[1])
            painter.drawText(self.viewport().rect().adjusted(0, theme.gap(1), 0, 0), _WRAP, self._nothing)
            return
        for number, step in enumerate(self._steps, 1):
            place = self.step_rect(number)
            if place.intersects(clip) and (self._ahead or number <= self._count):
                self._paint_step(painter, number, step, place)

    def _paint_step(self, painter: QPainter, number: int, step: WorkedStep, place: QRect) -> None:
        done = number <= self._count
        here = number == self._count
        if here or number in self._lit or number == self._pointed:
            tint = "accent_tint" if here else "changed_tint" if number in self._lit else "hover"
            if here and step.holds is False:
                tint = "wrong_tint"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(tint))
            painter.drawRoundedRect(QRectF(place).adjusted(0, 1, 0, -1), 4, 4)
        row, left = self._rows[number - 1], self._left()
        top = place.top() + theme.gap(1.5)
        text, figures = QFontMetrics(self._fonts()[0]).height(), self._fonts()[2]
        painter.setFont(figures)
        painter.setPen(theme.colour("muted" if done else "faint"))
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(theme.gap(1), top, self._numbers(), text), side, str(number))
        edge = self._edge()
        sign, colour = signs(step) if done else ("ring", "faint")
        picture = theme.pixmap(sign, colour, edge, self.devicePixelRatioF())
        painter.drawPixmap(self._numbers() + theme.gap(3), top + (text - edge) // 2, picture)
        inks = ("text" if done else "muted", "wrong" if step.holds is False else "muted", "muted")
        for what, ink, font, height in zip(row.texts, inks, self._fonts(), row.heights, strict=True):
            painter.setFont(font)
            painter.setPen(theme.colour(ink))
            if done or what is row.texts[0]:
                painter.drawText(
                    QRect(left, top, place.width() - left - theme.gap(2), height + 2), _WRAP, what
                )
            top += height

    def _restyle(self) -> None:
        self._laid = ()
        self._lay_out()
        self._reveal()


def _fitted(text: str, font: QFont, width: int) -> str:
    """Return a step's text; where it is too long for a line, its result begins the next one."""
    fits = QFontMetrics(font).horizontalAdvance(text) <= width
    return text if fits else text.replace(f"  {RESULT}  ", f"\n{RESULT} ")


def _height(text: str, font: QFont, width: int) -> int:
    return QFontMetrics(font).boundingRect(QRect(0, 0, width, 10_000), _WRAP, text).height() if text else 0


def signs(step: WorkedStep) -> tuple[str, str]:
    """Return the sign and colour of a step that was looked at."""
    if step.holds is None:
        return "question", "unjudged"
    return ("check", "equal") if step.holds else ("cross", "wrong")


def word(step: WorkedStep) -> str:
    """Return what a step is, in a word."""
    return {True: "true", False: "false", None: "open"}[step.holds]
