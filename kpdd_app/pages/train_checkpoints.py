"""The checkpoints of a run, to choose one from which it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.pages.train_figures import loss_text, share_text
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, Curve
from kpdd_app.widgets.plain_table import PlainTable
from training_backend.errors import KpddError
from training_backend.students.run_folder import RunFolder

Curves = Mapping[str, Mapping[str, Curve]]


@dataclass(frozen=True)
class Choice:
    """One checkpoint: `where` is ROLE:STEP as the command takes it; at the end nothing is left to do."""

    where: str
    title: str
    step: int
    loss: float | None
    accuracy: float | None
    note: str
    at_end: bool = False


def choices(folder: Path, curves: Curves) -> list[Choice]:
    """Return the checkpoints of a run by student, the newest first; none where the folder is no run."""
    try:
        run = RunFolder.open(folder)
    except KpddError:
        return []
    found = []
    for role in run.method.roles:
        steps = [int(path.name.removeprefix("step-")) for path in run.checkpoints(role.name)]
        status = run.role_status(role.name)
        best, end = status.best_step, status.total_steps if status.status == "done" else 0
        for step in reversed(steps):
            notes = ["newest"] * (step == steps[-1]) + ["best"] * (step == best)
            notes += ["the end"] * (step == end)
            known = curves.get(role.name, {})
            found.append(Choice(f"{role.name}:{step}", role.title, step, _at(known.get(HELD_OUT), step),
                                _at(known.get(ACCURACY), step), ", ".join(notes), step == end))  # fmt: skip
    return found


def goes_on_from(folder: Path) -> str:
    """Return the student and the step from which a run goes on by itself; empty where it begins anew."""
    try:
        run = RunFolder.open(folder)
    except KpddError:
        return ""
    for role in run.method.roles:
        steps = run.checkpoints(role.name)
        if steps and run.role_status(role.name).status != "done":
            return f"{role.title}, step {int(steps[-1].name.removeprefix('step-')):,}"
    return ""


class CheckpointsDialog(QDialog):
    """A table of checkpoints; `chosen` carries ROLE:STEP of the one to go on from."""

    chosen = Signal(str)

    def __init__(self, title: str, found: list[Choice], parent: QWidget | None = None) -> None:
        """Build it with the newest chosen from which something is left to do."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Resume from a checkpoint"))
        self._found = found
        about = QLabel(self.tr(
            "{0} goes on from the chosen step. Later checkpoints of that student are set aside in the run's "
            "folder; the curve is written over from there."
        ).format(title))  # fmt: skip
        about.setWordWrap(True)
        self.go = QPushButton(self.tr("Resume from this one"))
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        self.nothing = QLabel(self.tr("Nothing is left to do from there."))
        self.nothing.setProperty("role", "muted")
        self.table = self._table()
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self.nothing)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(3))
        column.addWidget(about)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self.resize(theme.line_height() * 36, theme.line_height() * 22)
        self.table.setFocus()

    def _table(self) -> PlainTable:
        tr = self.tr
        headings = [tr("Student"), tr("Step"), tr("Held-out loss"), tr("Held-out accuracy"), ""]
        table = PlainTable(tr("Checkpoints"), headings)
        table.setRowCount(len(self._found))
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        for number, one in enumerate(self._found):
            loss = loss_text(one.loss) if one.loss is not None else "–"
            accuracy = share_text(one.accuracy) if one.accuracy is not None else "–"
            for column, text in enumerate((one.title, f"{one.step:,}", loss, accuracy, one.note)):
                table.setItem(number, column, QTableWidgetItem(text))
        table.currentCellChanged.connect(lambda row, *_: self._show_allowed(row))
        open_ones = [number for number, one in enumerate(self._found) if not one.at_end]
        table.selectRow(open_ones[0] if open_ones else 0)
        table.doubleClicked.connect(lambda _: self._choose())
        return table

    def _show_allowed(self, number: int) -> None:
        at_end = 0 <= number < len(self._found) and self._found[number].at_end
        self.go.setEnabled(not at_end)
        self.nothing.setVisible(at_end)

    def _choose(self) -> None:
        number = self.table.currentRow()
        if 0 <= number < len(self._found) and not self._found[number].at_end:
            self.chosen.emit(self._found[number].where)
            self.accept()


def _at(curve: Curve | None, step: int) -> float | None:
    """Return the value of a curve at a step, None where it was not measured there."""
    if curve is None:
        return None
    return next((y for x, y in zip(curve.xs, curve.ys, strict=True) if x == step), None)
