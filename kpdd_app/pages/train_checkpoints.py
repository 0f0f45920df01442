"""The checkpoints of a run, to choose one from which it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, Curve
from training_backend.errors import KpddError
from training_backend.students.run_folder import RunFolder

Curves = Mapping[str, Mapping[str, Curve]]


@dataclass(frozen=True)
class Choice:
    """One checkpoint: `where` is ROLE:STEP as the command takes it."""

    where: str
    title: str
    step: int
    loss: float | None
    accuracy: float | None
    note: str


def choices(folder: Path, curves: Curves) -> list[Choice]:
    """Return the checkpoints of a run by student, the newest first; none where the folder is no run."""
    try:
        run = RunFolder.open(folder)
    except KpddError:
        return []
    found = []
    for role in run.method.roles:
        steps = [int(path.name.removeprefix("step-")) for path in run.checkpoints(role.name)]
        best = run.role_status(role.name).best_step
        for step in reversed(steps):
            notes = ["newest"] * (step == steps[-1]) + ["best"] * (step == best)
            known = curves.get(role.name, {})
            found.append(Choice(f"{role.name}:{step}", role.title, step, _at(known.get(HELD_OUT), step),
                                _at(known.get(ACCURACY), step), ", ".join(notes)))  # fmt: skip
    return found


class CheckpointsDialog(QDialog):
    """A table of checkpoints; `chosen` carries ROLE:STEP of the one to go on from."""

    chosen = Signal(str)

    def __init__(self, title: str, found: list[Choice], parent: QWidget | None = None) -> None:
        """Build it with the newest chosen."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Resume from a checkpoint"))
        self._found = found
        about = QLabel(self.tr(
            "{0} goes on from the chosen step. Later checkpoints of that student are set aside in the run's "
            "folder; the curve is written over from there."
        ).format(title))  # fmt: skip
        about.setWordWrap(True)
        self.table = self._table()
        self.go = QPushButton(self.tr("Resume from this one"))
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
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

    def _table(self) -> QTableWidget:
        tr = self.tr
        table = QTableWidget(len(self._found), 5)
        table.setAccessibleName(tr("Checkpoints"))
        table.setHorizontalHeaderLabels(
            [tr("Student"), tr("Step"), tr("Held-out loss"), tr("Held-out accuracy"), ""]
        )
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.row_height())
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        for number, one in enumerate(self._found):
            loss = f"{one.loss:.3f}" if one.loss is not None else "–"
            accuracy = f"{one.accuracy:.1%}" if one.accuracy is not None else "–"
            for column, text in enumerate((one.title, f"{one.step:,}", loss, accuracy, one.note)):
                table.setItem(number, column, QTableWidgetItem(text))
        table.selectRow(0)
        table.doubleClicked.connect(lambda _: self._choose())
        return table

    def _choose(self) -> None:
        number = self.table.currentRow()
        if 0 <= number < len(self._found):
            self.chosen.emit(self._found[number].where)
            self.accept()


def _at(curve: Curve | None, step: int) -> float | None:
    """Return the value of a curve at a step, None where it was not measured there."""
    if curve is None:
        return None
    return next((y for x, y in zip(curve.xs, curve.ys, strict=True) if x == step), None)
