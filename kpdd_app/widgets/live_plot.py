"""Curves that grow while a run goes on: drawn by matplotlib, moved by blitting, thinned to what pixels show.

matplotlib is imported when the first plot is shown, never before. The background is kept from its own
`draw_event`; a new point redraws only the lines. A full draw happens when an axis has to grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kpdd_app import theme

REDRAW_MS = 100
LOSS, HELD_OUT, ACCURACY = "loss", "held-out loss", "held-out accuracy"
# the end of an axis of shares and of steps, so that a mark at 100 % or at the last step is seen whole
TOP, RIGHT = 1.04, 1.02


@dataclass
class Curve:
    """The points of one line."""

    xs: list[float] = field(default_factory=list)
    ys: list[float] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        """Append a point; a run resumed from an earlier step goes over its own end."""
        while self.xs and self.xs[-1] >= x:
            self.xs.pop()
            self.ys.pop()
        self.xs.append(x)
        self.ys.append(y)


@dataclass
class Panel:
    """One pair of axes: losses on the left one, accuracy on the right one."""

    title: str
    curves: dict[str, Curve] = field(
        default_factory=lambda: {name: Curve() for name in (LOSS, HELD_OUT, ACCURACY)}
    )
    total_steps: int = 0


class LivePlot(QWidget):
    """A panel for every student, side by side."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build an empty plot; nothing is imported yet."""
        super().__init__(parent)
        self.panels: dict[str, Panel] = {}
        self._canvas: Any = None
        self._figure: Any = None
        self._axes: dict[str, tuple[Any, Any]] = {}
        self._lines: dict[tuple[str, str], Any] = {}
        self._waiting: dict[str, Any] = {}
        self._background: Any = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._hint = QLabel(self.tr("The curves begin with the first step."))
        self._hint.setProperty("role", "muted")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._column.addWidget(self._hint)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        self.setMinimumHeight(theme.line_height() * 12)
        self.setAccessibleName(self.tr("Loss curves"))
        theme.notifier().changed.connect(self._restyle)

    def set_panels(self, titles: dict[str, str]) -> None:
        """Begin anew with a panel for each name."""
        self.panels = {name: Panel(title) for name, title in titles.items()}
        self._forget()
        self._timer.start()

    def add(self, panel: str, curve: str, x: float, y: float, total: int = 0) -> None:
        """Append a point to LOSS, HELD_OUT or ACCURACY (0 to 1) of a panel."""
        if panel not in self.panels:
            return
        self.panels[panel].curves[curve].add(x, y)
        self.panels[panel].total_steps = max(total, self.panels[panel].total_steps)
        self._describe(panel)
        if not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while the page was hidden."""
        super().showEvent(event)
        self._timer.start()

    # --- drawing ----------------------------------------------------------------------------------

    def _redraw(self) -> None:
        if (
            not self.isVisible()
            or not self.panels
            or not any(p.curves[LOSS].xs for p in self.panels.values())
        ):
            self._hint.setVisible(self._canvas is None)
            return
        if self._canvas is None:
            self._build()
        if self._fit_axes() or self._background is None:
            self._canvas.draw()
            return
        self._canvas.restore_region(self._background)
        self._draw_lines()
        self._canvas.blit(self._figure.bbox)

    def _build(self) -> None:
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        self._hint.hide()
        use_face()
        self._figure = Figure()
        self._canvas = FigureCanvasQTAgg(self._figure)
        self._canvas.setAccessibleName(self.tr("Loss curves"))
        self._column.addWidget(self._canvas, 1)
        for number, name in enumerate(self.panels):
            left = self._figure.add_subplot(1, len(self.panels), number + 1)
            right = left.twinx()
            self._axes[name] = (left, right)
            self._waiting[name] = left.text(
                0.5, 0.5, self.tr("not begun yet"), transform=left.transAxes, ha="center", va="center"
            )
            self._make_lines(name)
        self._dress()
        self._canvas.mpl_connect("draw_event", self._drawn)
        # the canvas gets its size after it was built, and when the legend's line changes
        self._canvas.mpl_connect("resize_event", lambda _: self._resized())

    def _make_lines(self, name: str) -> None:
        left, right = self._axes[name]
        (self._lines[name, LOSS],) = left.plot([], [], animated=True, linewidth=1.4, markersize=4)
        (self._lines[name, HELD_OUT],) = left.plot(
            [], [], animated=True, linewidth=1.4, marker="o", markersize=4
        )
        (self._lines[name, ACCURACY],) = right.plot(
            [], [], animated=True, linewidth=1.4, marker="s", markersize=4, linestyle="--"
        )

    def _dress(self) -> None:
        """Give everything the colours and sizes of the theme."""
        tokens = theme.current()
        self._figure.set_facecolor(tokens.surface)
        size = theme.point_size() * 0.9
        for name, (left, right) in self._axes.items():
            left.set_title(self.panels[name].title, fontsize=size * 1.1, color=tokens.text, loc="left")
            left.set_facecolor(tokens.surface)
            self._waiting[name].set_color(tokens.muted)
            self._waiting[name].set_fontsize(size)
            left.grid(True, color=tokens.border, linewidth=0.6)
            left.set_axisbelow(True)
            # small losses as they are: a common factor would stand in the title
            left.ticklabel_format(axis="y", useOffset=False, style="plain")
            left.set_xlabel("optimizer steps", fontsize=size * 0.9, color=tokens.muted, loc="right")
            for axes in (left, right):
                axes.tick_params(colors=tokens.muted, labelsize=size * 0.9, length=0)
                for spine in axes.spines.values():
                    spine.set_visible(False)
            left.spines["bottom"].set_visible(True)
            left.spines["bottom"].set_color(tokens.strong_border)
            # a little above: a line along the edge would be cut off
            right.set_ylim(-0.014, TOP)
            right.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
            for curve, colour in (
                (LOSS, tokens.accent),
                (HELD_OUT, tokens.changed),
                (ACCURACY, tokens.equal),
            ):
                self._lines[name, curve].set_color(colour)
            has_accuracy = bool(self.panels[name].curves[ACCURACY].xs)
            right.tick_params(labelright=has_accuracy)
        self._place()

    def _place(self) -> None:
        """Leave room for the labels by hand: a layout engine would run at every draw."""
        if self._canvas is not None:
            leave_room(self._figure, self._canvas, len(self.panels))

    def _fit_axes(self) -> bool:
        """Grow the axes where points lie outside; return whether anything but the lines must be drawn."""
        grown = False
        for name, panel in self.panels.items():
            left, right = self._axes[name]
            xs, ys = panel.curves[LOSS].xs, panel.curves[LOSS].ys + panel.curves[HELD_OUT].ys
            waits = not xs
            if self._waiting[name].get_visible() != waits or left.xaxis.get_visible() == waits:
                # axes without a curve would show made-up numbers
                self._waiting[name].set_visible(waits)
                for part in (left.xaxis, left.yaxis, right.yaxis, left.spines["bottom"]):
                    part.set_visible(not waits)
                grown = True
            wanted_x = RIGHT * reach(xs[-1] if xs else 1, panel.total_steps)
            wanted_y = max(ys, default=1.0) * 1.05
            if left.get_xlim()[1] != wanted_x:
                left.set_xlim(0, wanted_x)
                grown = True
            if not wanted_y <= left.get_ylim()[1] <= wanted_y * 1.6:
                # a little below nought: a loss that has vanished still has its line
                left.set_ylim(-0.015 * wanted_y, wanted_y * 1.1)
                grown = True
            if panel.curves[ACCURACY].xs and not right.yaxis.get_tick_params().get("labelright"):
                right.tick_params(labelright=True)
                grown = True
        return grown

    def _drawn(self, event: Any) -> None:
        """Keep the background just drawn and put the lines on it."""
        if event.canvas is not self._canvas:
            # of a run that is no longer shown, drawn a last time before it goes
            return
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)
        self._draw_lines()

    def _draw_lines(self) -> None:
        for (name, curve), line in self._lines.items():
            left, right = self._axes[name]
            points = self.panels[name].curves[curve]
            xs, ys = thinned(points.xs, points.ys, 2 * max(100, int(left.bbox.width)))
            line.set_data(xs, ys)
            if curve == LOSS:
                # a line of one point would not be seen
                line.set_marker("o" if len(xs) == 1 else "")
            (right if curve == ACCURACY else left).draw_artist(line)

    def resizeEvent(self, event) -> None:
        """Keep the room for the labels."""
        super().resizeEvent(event)
        self._resized()

    def _resized(self) -> None:
        if self._figure is not None:
            self._background = None
            self._place()
            self._timer.start()

    def _restyle(self) -> None:
        self.setMinimumHeight(theme.line_height() * 12)
        if self._figure is not None:
            self._dress()
            self._background = None
            self._timer.start()

    def _forget(self) -> None:
        if self._canvas is not None:
            self._column.removeWidget(self._canvas)
            self._canvas.hide()
            self._canvas.deleteLater()
        self._canvas = self._figure = self._background = None
        self._axes, self._lines, self._waiting = {}, {}, {}
        self._hint.show()

    def _describe(self, panel: str) -> None:
        loss = self.panels[panel].curves[LOSS]
        if loss.xs:
            self.setAccessibleDescription(
                f"{self.panels[panel].title}: step {loss.xs[-1]:g}, loss {loss.ys[-1]:.3f}"
            )


@lru_cache(maxsize=1)
def use_face() -> None:
    """Write plots in the face of the window, where matplotlib finds it too."""
    from matplotlib import rcParams
    from matplotlib.font_manager import get_font_names

    face = theme.text_font().family()
    if face in get_font_names():
        # what the face lacks is taken from matplotlib's own
        rcParams["font.family"] = [face, "DejaVu Sans"]


def reach(step: float, total: float) -> float:
    """Return up to where steps are shown: all of them, or for a young run a half, a quarter, … of them.

    >>> reach(30, 4000), reach(1700, 4000), reach(3000, 4000), reach(5, 0)
    (62.5, 4000, 4000, 5)
    """
    far = max(step, total, 1)
    while far / 2 >= max(1.25 * step, 10):
        far /= 2
    return far


def leave_room(figure: Any, canvas: QWidget, panels: int) -> None:
    """Keep room for the labels round the panels of a figure, at whatever size its canvas has."""
    width, height, line = max(1, canvas.width()), max(1, canvas.height()), theme.line_height()
    side = min(0.3, 2.6 * line / width)
    bottom, top = 2.4 * line / height, 1.8 * line / height
    if bottom + top > 0.8:
        return
    figure.subplots_adjust(
        left=side,
        right=1 - side,
        bottom=bottom,
        top=1 - top,
        wspace=min(0.6, 7.0 * line * panels / width),
    )


def thinned(xs: Sequence[float], ys: Sequence[float], limit: int) -> tuple[list[float], list[float]]:
    """Return at most about `limit` points that look the same: the least and the greatest of every stretch.

    >>> thinned([1, 2, 3], [5, 4, 6], 10)
    ([1, 2, 3], [5, 4, 6])
    """
    if len(xs) <= limit:
        return list(xs), list(ys)
    import numpy as np

    size = -(-len(ys) // (limit // 2))
    count = len(ys) // size
    stretches = np.asarray(ys[: count * size]).reshape(count, size)
    low, high = stretches.argmin(axis=1), stretches.argmax(axis=1)
    offsets = np.arange(count) * size
    kept = np.unique(np.concatenate([offsets + low, offsets + high, np.arange(count * size, len(ys))]))
    return [xs[i] for i in kept], [ys[i] for i in kept]
