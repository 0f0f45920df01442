"""Several runs side by side: one curve of each over the others, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train_curves import Recorded, differing, read_recorded
from kpdd_app.pages.train_figures import loss_text, share_text
from kpdd_app.pages.train_parts import STATUS_WORDS, scrolled, short_name
from kpdd_app.pages.train_words import in_words
from kpdd_app.widgets.choice_box import ChoiceBox
from kpdd_app.widgets.compare_plot import ComparePlot
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS
from kpdd_app.widgets.notice import Notice
from kpdd_app.widgets.plain_table import PlainTable
from training_backend.students.run_config import FIELDS


class CompareView(QWidget):
    """Reads the runs off the window's thread and shows them together."""

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self._project = project
        self.runs: list[Recorded] = []
        self._folders: list[Path] = []
        title = QLabel(self.tr("Runs compared"))
        title.setProperty("role", "title")
        self.curve = ChoiceBox(self.tr("Curve"))
        for name, words in (
            (HELD_OUT, self.tr("Held-out loss")),
            (ACCURACY, self.tr("Held-out accuracy")),
            (LOSS, self.tr("Loss")),
        ):
            self.curve.addItem(words, name)
        self.curve.currentIndexChanged.connect(lambda _: self._draw())
        self.everything = QCheckBox(self.tr("Equal settings too"))
        self.everything.toggled.connect(lambda _: self._fill())
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.everything)
        head.addWidget(self.curve)
        self.problem = Notice()
        self.plot = ComparePlot()
        frame = QFrame()
        frame.setProperty("panel", "surface")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(*[theme.gap(theme.M)] * 4)
        inside.addWidget(self.plot, 1)
        self.table = PlainTable(self.tr("Figures and differing settings"), [])
        column = scrolled(self)
        column.addLayout(head)
        column.addWidget(self.problem)
        for part, lines, share in ((frame, 15, 3), (self.table, 8, 2)):
            # as high as the page allows, whatever the curves would like
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
            part.setMinimumHeight(theme.line_height() * lines)
            column.addWidget(part, share)
        theme.notifier().changed.connect(self._fill)

    def show_runs(self, runs: Sequence[tuple[Path, str]]) -> None:
        """Show runs given by folder and title."""
        self._folders = [folder for folder, _ in runs]
        wanted = list(runs)
        self._project.read(
            lambda _: [read_recorded(folder, title) for folder, title in wanted], self._take, key="compare"
        )

    def _take(self, runs: list[Recorded]) -> None:
        if [run.folder for run in runs] != self._folders:
            return
        broken = [run for run in runs if run.problem]
        self.runs = [run for run in runs if not run.problem]
        if broken:
            self.problem.say("; ".join(f"{run.title}: {run.problem}" for run in broken), "wrong")
        else:
            self.problem.clear()
        self._choose_curve()
        self._draw()
        self._fill()

    def _choose_curve(self) -> None:
        """Begin with the held-out loss, or with the loss where no run has looked twice."""
        looks = [len(curves[HELD_OUT].xs) for run in self.runs for curves in run.curves.values()]
        if self.curve.currentData() == HELD_OUT and max(looks, default=0) < 2:
            self.curve.setCurrentIndex(self.curve.findData(LOSS))

    def _draw(self) -> None:
        name = self.curve.currentData()
        titles = {role: title for run in self.runs for role, title in run.roles.items()}
        names = dict(zip([run.folder for run in self.runs], unlike(self.runs), strict=True))
        panels = {
            title: [
                (names[run.folder], run.curves[role][name].xs, run.curves[role][name].ys)
                for run in self.runs
                if role in run.curves and run.curves[role][name].xs
            ]
            for role, title in titles.items()
        }
        hint = self.tr("None of these runs has measured this yet.")
        self.plot.show_lines(panels, name == ACCURACY, hint)

    def _fill(self) -> None:
        names = unlike(self.runs)
        rows = [*self._figures(), *(
            (FIELDS[name].title if name in FIELDS else name, [in_words(name, value) for value in values])
            for name, values in differing(self.runs, self.everything.isChecked())
        )]  # fmt: skip
        if len(rows) == len(self._figures()):
            rows.append((self.tr("Settings"), [self.tr("all the same")] * len(names)))
        self.table.set_headings(["", *(name.replace(" (", "\n").rstrip(")") for name in names)])
        self.table.setRowCount(len(rows))
        for number, (title, values) in enumerate(rows):
            for column, text in enumerate([title, *values]):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column == 0:
                    item.setForeground(theme.colour("muted"))
                self.table.setItem(number, column, item)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

    def _figures(self) -> list[tuple[str, list[str]]]:
        rows = [(self.tr("How it stands"), [STATUS_WORDS.get(run.status, run.status) for run in self.runs])]
        roles = {role: title for run in self.runs for role, title in run.roles.items()}
        for role, title in roles.items():
            counts = [f"{run.examples[role]:,}" if role in run.examples else "–" for run in self.runs]
            rows.append((self.tr("{0}: examples").format(title), counts))
            for name, words, form, best in (
                (HELD_OUT, self.tr("{0}: lowest held-out loss"), loss_text, min),
                (ACCURACY, self.tr("{0}: best held-out accuracy"), share_text, max),
            ):
                values = [run.curves[role][name].ys if role in run.curves else [] for run in self.runs]
                if any(values):
                    shown = [form(best(ys)) if ys else "–" for ys in values]
                    rows.append((words.format(title), shown))
        return rows


def unlike(runs: Sequence[Recorded]) -> list[str]:
    """Return the titles of runs; those of the same title with the names of their folders."""
    titles = [run.title for run in runs]
    return [
        f"{run.title} ({short_name(run.folder, str(run.settings['method']))})"
        if titles.count(run.title) > 1
        else run.title
        for run in runs
    ]
