"""The newest figures of every student of a run, as a small table of labels."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from kpdd_app import theme
from kpdd_app.pace import Pace
from kpdd_app.widgets.job_bar import duration
from training_backend import methods
from training_backend.errors import KpddError
from training_backend.events import HeldOut, Metrics
from training_backend.students.run_folder import RunFolder

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
# so many figures stand in a line beside a student's name: all, or fewer where there is no room
BESIDE = (8, 4, 3, 2)
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

    def look(self, event: HeldOut) -> None:
        """Take a look at held-out questions; one without answers leaves those of the look before."""
        before = self.held_out
        if before is not None and not event.samples and event.accuracy is None:
            event = replace(event, samples=before.samples, accuracy=before.accuracy)
        self.held_out = event


class FiguresView(QWidget):
    """A line for each student; what is not known yet is a dash."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self.figures: dict[str, Figures] = {}
        self.labels: dict[tuple[str, str], QLabel] = {}
        # the labels of each column: its heading, then the students
        self._columns: list[list[QLabel]] = []
        # the students' names once more for each line after the first
        self._names: list[list[QLabel]] = []
        self._beside = BESIDE[0]
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.gap(4))
        self._grid.setVerticalSpacing(theme.gap(1))

    def set_roles(self, titles: Mapping[str, str]) -> None:
        """Begin anew with a line for each student."""
        self.figures = {name: Figures() for name in titles}
        self.labels = {}
        while self._grid.takeAt(0) is not None:
            pass
        for label in self._all():
            label.deleteLater()
        self._columns = [[_caption(heading, self)] for _, heading in COLUMNS]
        for role, title in titles.items():
            for column, (name, _) in zip(self._columns, COLUMNS, strict=True):
                label = QLabel(title if name == "role" else NOT_YET, self)
                self.labels[role, name] = label
                column.append(label)
        self._names = [
            [_caption(COLUMNS[0][1], self), *(QLabel(title, self) for title in titles.values())]
            for _ in range(len(COLUMNS) // BESIDE[-1] - 1)
        ]
        self._grid.setColumnStretch(len(COLUMNS), 1)
        self._lay_out()

    def minimumSizeHint(self) -> QSize:
        """Return the width of the figures in the shortest lines: they stand so where there is no room."""
        if not self._columns:
            return super().minimumSizeHint()
        return QSize(self._width(BESIDE[-1]), super().minimumSizeHint().height())

    def resizeEvent(self, event) -> None:
        """Put as many figures in a line as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def refresh(self, running: bool) -> None:
        """Show the newest figures; the time left only while the run is at work."""
        for role, figures in self.figures.items():
            for name, text in figure_texts(figures, running).items():
                self.labels[role, name].setText(text)
        self._fit()

    def _all(self) -> list[QLabel]:
        return [label for column in (*self._columns, *self._names) for label in column]

    def _lines(self, beside: int) -> list[list[list[QLabel]]]:
        """Return the columns of each line, which begins with the students' names, then `beside` figures."""
        figures = self._columns[1:]
        parts = [figures[start : start + beside] for start in range(0, len(figures), beside)]
        return [[names, *part] for names, part in zip([self._columns[0], *self._names], parts, strict=False)]

    def _width(self, beside: int) -> int:
        wide = [
            max(max(label.sizeHint().width() for label in column) for column in same)
            for same in zip_longest(*self._lines(beside), fillvalue=self._columns[0])
        ]
        return sum(wide) + self._grid.horizontalSpacing() * len(wide)

    def _fit(self) -> None:
        if not self._columns:
            return
        beside = next((n for n in BESIDE if self._width(n) <= self.width()), BESIDE[-1])
        if beside != self._beside:
            self._beside = beside
            self._lay_out()

    def _lay_out(self) -> None:
        used = 0
        for columns in self._lines(self._beside):
            for number, column in enumerate(columns):
                for line, label in enumerate(column, used):
                    self._grid.addWidget(label, line, number)
                    label.show()
            used += len(columns[0])
        for names in self._names[len(self._lines(self._beside)) - 1 :]:
            for label in names:
                label.hide()
        self.updateGeometry()


def figure_texts(figures: Figures, running: bool) -> dict[str, str]:
    """Return the figures of a student as people read them."""
    m, h = figures.metrics, figures.held_out
    texts = {"left": NOT_YET}
    if m is not None:
        texts = {
            "step": f"{m.step:,} / {m.total_steps:,}",
            "loss": loss_text(m.loss),
            "rate": f"{m.learning_rate:.2g}",
            "speed": f"{m.tokens_per_s:,.0f}",
            "memory": f"{m.memory_bytes / 2**30:.1f} GiB",
            "left": left_text(figures.pace) if running else NOT_YET,
        }
    if h is not None:
        texts["held"] = loss_text(h.loss) if h.loss is not None else NOT_YET
        texts["accuracy"] = share_text(h.accuracy) if h.accuracy is not None else NOT_YET
    return texts


def loss_text(loss: float) -> str:
    """Return a loss with three places, a small one with two digits.

    >>> loss_text(1.23456), loss_text(0.00071), loss_text(0.0)
    ('1.235', '0.00071', '0.000')
    """
    return f"{loss:.3f}" if not 0 < loss < 0.01 else f"{loss:.2g}"


def share_text(share: float) -> str:
    """Return a share (0 to 1) in percent.

    >>> share_text(0.975)
    '97.5 %'
    """
    return f"{100 * share:.1f} %"


def left_text(pace: Pace) -> str:
    """Return the time left, "measuring …" until the pace holds still, a dash at the end."""
    left = pace.left()
    if left is not None:
        return duration(left)
    return "measuring …" if pace.measuring else NOT_YET


def held_out_of(folder: Path) -> bool | None:
    """Tell whether rows of a run are held out; None where the run does not say it."""
    try:
        counts = RunFolder.open(folder).about["examples"].values()
        return any(count["held_out"] for count in counts)
    except (KpddError, AttributeError, KeyError, TypeError):
        return None


def judged_roles(folder: Path, method: str) -> list[str]:
    """Return the titles of the students whose held-out answers are judged: those that write rationales."""
    with contextlib.suppress(KpddError):
        if not RunFolder.open(folder).config.held_out_judged:
            return []
    return [
        role.title
        for role in methods.get(method).roles
        if any(task.writes in methods.KINDS for task in role.tasks)
    ]


def legend_text(tokens: theme.Tokens, held_out: bool, judged: Sequence[str], students: int) -> str:
    """Return the legend of the curves; the accuracy is that of the `judged` students alone."""
    signs = [(tokens.accent, "━", "loss")]
    if held_out:
        signs.append((tokens.changed, "●", "held-out loss"))
    if held_out and judged:
        whose = f" of {', '.join(judged)}" if len(judged) < students else ""
        signs.append((tokens.equal, "■", f"held-out accuracy{html.escape(whose)} (right axis)"))
    return " &nbsp;&nbsp; ".join(f'<span style="color:{c}">{sign}</span> {word}' for c, sign, word in signs)


def _caption(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("role", "caption")
    return label
