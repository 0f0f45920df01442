"""The same curve of several runs over each other, a panel for each student."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.live_plot import TOP, leave_room, thinned, use_face

# never by colour alone: every line has a dash of its own
_DASHES = ("-", "--", ":", "-.")
_SIGNS = ("━━", "╍╍", "┅┅", "━╍")
_COLOURS = ("accent", "changed", "equal", "wrong", "unjudged", "muted")
_POINTS = 1500
Lines = Sequence[tuple[str, Sequence[float], Sequence[float]]]


class ComparePlot(QWidget):
    """Panels by student; in each a line for every run, with its name in the legend."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty; nothing is imported yet."""
        super().__init__(parent)
        self.panels: dict[str, Lines] = {}
        self._percent = False
        self._canvas: Any = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._column.addWidget(self.hint)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self._column.addWidget(self.legend)
        self.setMinimumHeight(theme.line_height() * 11)
        self.setAccessibleName(self.tr("Curves of several runs"))
        theme.notifier().changed.connect(self.draw)

    def show_lines(self, panels: Mapping[str, Lines], percent: bool, hint: str) -> None:
        """Show for each student (its title) the lines (name, steps, values); `hint` where there are none."""
        self.panels = {title: lines for title, lines in panels.items() if lines}
        self._percent = percent
        self.hint.setText(hint)
        self.draw()

    def draw(self) -> None:
        """Draw everything anew."""
        if self._canvas is not None:
            self._column.removeWidget(self._canvas)
            self._canvas.hide()
            self._canvas.deleteLater()
            self._canvas = None
        self.hint.setVisible(not self.panels)
        self.legend.setVisible(bool(self.panels))
        if not self.panels:
            return
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        use_face()
        figure = Figure()
        figure.set_facecolor(theme.current().surface)
        for number, (title, lines) in enumerate(self.panels.items(), 1):
            self._panel(figure.add_subplot(1, len(self.panels), number), title, lines)
        canvas = self._canvas = FigureCanvasQTAgg(figure)
        canvas.setAccessibleName(self.accessibleName())
        canvas.mpl_connect("resize_event", lambda _: leave_room(figure, canvas, len(self.panels)))
        leave_room(figure, canvas, len(self.panels))
        self._column.insertWidget(0, canvas, 1)
        self.legend.setText(self._legend())

    def _panel(self, axes: Any, title: str, lines: Lines) -> None:
        tokens, size = theme.current(), theme.point_size() * 0.9
        for name, xs, ys in lines:
            few = len(xs) <= 40
            axes.plot(
                *thinned(xs, ys, _POINTS), linewidth=1.5, marker="o" if few else "", markersize=3.5,
                color=self._colour(name), linestyle=_DASHES[self._names().index(name) % len(_DASHES)],
            )  # fmt: skip
        axes.set_title(title, fontsize=size * 1.1, color=tokens.text, loc="left")
        axes.set_facecolor(tokens.surface)
        axes.set_xlabel(self.tr("optimizer steps"), fontsize=size * 0.9, color=tokens.muted, loc="right")
        axes.grid(True, color=tokens.border, linewidth=0.6)
        axes.tick_params(colors=tokens.muted, labelsize=size * 0.9, length=0)
        axes.set_xlim(left=0)
        if self._percent:
            axes.set_ylim(0, TOP)
            axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        else:
            axes.set_ylim(bottom=0)
            # short numbers: there is little room beside the axis
            axes.yaxis.get_major_locator().set_params(steps=[1, 2, 5, 10])
            # a factor over the axis (1e-5) would stand where the title does
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("e-0", "e-"))
        for spine in axes.spines.values():
            spine.set_visible(False)

    def _legend(self) -> str:
        """Return the names of the lines with their colours and dashes; every panel has the same."""
        names = self._names()
        return " &nbsp;&nbsp; ".join(
            f'<span style="color:{self._colour(name)}">{_SIGNS[names.index(name) % len(_SIGNS)]}</span> '
            f"{html.escape(name)}"
            for name in names
        )

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for lines in self.panels.values() for name, *_ in lines))

    def _colour(self, name: str) -> str:
        return str(getattr(theme.current(), _COLOURS[self._names().index(name) % len(_COLOURS)]))
