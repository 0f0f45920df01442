"""The newest figures of every student of a run, as a small table of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from kpdd_app import theme
from kpdd_app.pace import Pace
from kpdd_app.widgets.job_bar import duration
from training_backend.events import HeldOut, Metrics

COLUMNS = (
    ("role", "Student"),
    ("step", "Step"),
    ("loss", "Loss"),
    ("held", "Held-out loss"),
    ("accuracy", "Held-out accuracy"),
    ("rate", "Learning rate"),
    ("speed", "Tokens/s"),
    ("memory", "Memory"),
    ("left", "Time left"),
)
NOT_YET = "–"


@dataclass
class Figures:
    """The newest figures of one student, and its pace."""

    metrics: Metrics | None = None
    held_out: HeldOut | None = None
    pace: Pace = field(default_factory=Pace)

    def take(self, event: Metrics) -> None:
        """Take the figures of a step."""
        self.metrics = event
        self.pace.add(event.elapsed_s, event.step, event.total_steps)


class FiguresView(QWidget):
    """A line for each student; what is not known yet is a dash."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self.figures: dict[str, Figures] = {}
        self.labels: dict[tuple[str, str], QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.gap(4))
        self._grid.setVerticalSpacing(theme.gap(1))

    def set_roles(self, titles: Mapping[str, str]) -> None:
        """Begin anew with a line for each student."""
        self.figures = {name: Figures() for name in titles}
        self.labels = {}
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for column, (_, heading) in enumerate(COLUMNS):
            label = QLabel(heading)
            label.setProperty("role", "caption")
            self._grid.addWidget(label, 0, column)
        for number, (role, title) in enumerate(titles.items(), 1):
            for column, (name, _) in enumerate(COLUMNS):
                label = QLabel(title if name == "role" else NOT_YET)
                self.labels[role, name] = label
                self._grid.addWidget(label, number, column)
        self._grid.setColumnStretch(len(COLUMNS), 1)

    def refresh(self, running: bool) -> None:
        """Show the newest figures; the time left only while the run is at work."""
        for role, figures in self.figures.items():
            for name, text in figure_texts(figures, running).items():
                self.labels[role, name].setText(text)


def figure_texts(figures: Figures, running: bool) -> dict[str, str]:
    """Return the figures of a student as people read them."""
    m, h = figures.metrics, figures.held_out
    texts = {"left": NOT_YET}
    if m is not None:
        texts = {
            "step": f"{m.step:,} / {m.total_steps:,}",
            "loss": f"{m.loss:.3f}",
            "rate": f"{m.learning_rate:.2g}",
            "speed": f"{m.tokens_per_s:,.0f}",
            "memory": f"{m.memory_bytes / 2**30:.1f} GiB",
            "left": left_text(figures.pace) if running else NOT_YET,
        }
    if h is not None:
        texts["held"] = f"{h.loss:.3f}" if h.loss is not None else NOT_YET
        texts["accuracy"] = f"{100 * h.accuracy:.1f} %" if h.accuracy is not None else NOT_YET
    return texts


def left_text(pace: Pace) -> str:
    """Return the time left, "measuring …" until the pace holds still, a dash at the end."""
    left = pace.left()
    if left is not None:
        return duration(left)
    return "measuring …" if pace.measuring else NOT_YET
