"""The part of the import dialog that says which column of a file holds what."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from kpdd_app import theme
from training_backend.project.column_mapping import TARGETS, TEACHER_TARGETS

_TITLES = {
    "question": "Question",
    "gold": "Gold answer",
    "id": "Id",
    "dataset": "Data set",
    "split": "Split",
    "core_question": "Core question",
    "information": "Information",
    "cot": "Chain of thought",
    "pot": "Program",
    "eot": "Equations",
    "rationale": "Rationale",
    "kind": "Kind of it",
    "path": "Path",
}
_ACROSS = 3
_LONGEST = 60  # characters of a column's name that are shown


class Columns(QWidget):
    """A choice of column for everything that a column can hold, and who the teacher was."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without columns."""
        super().__init__(parent)
        self.choices: dict[str, QComboBox] = {}
        self._columns: list[str] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.gap(theme.M))
        grid.setVerticalSpacing(theme.gap(1.2))
        for number, target in enumerate(TARGETS):
            self._add(grid, number, self._title(target), self._choice(target))
        self.teacher = QLineEdit("recorded")
        self.teacher.setAccessibleName(self.tr("Teacher"))
        self.teacher.setToolTip(self.tr("who wrote it: every row that comes of it names this and the file"))
        self._add(grid, len(TARGETS), self.tr("Teacher"), self.teacher)
        for across in range(_ACROSS):
            grid.setColumnStretch(2 * across + 1, 1)

    # --- methods ----------------------------------------------------------------------------------

    def show_mapping(self, columns: list[str], mapping: dict[str, str]) -> None:
        """Offer these columns and choose as `mapping` says, without a signal."""
        for target, choice in self.choices.items():
            choice.blockSignals(True)
            if columns != self._columns:
                choice.clear()
                choice.addItem("–", "")
                for column in columns:
                    choice.addItem(_short(column), column)
                    choice.setItemData(choice.count() - 1, column, Qt.ItemDataRole.ToolTipRole)
            choice.setCurrentIndex(max(0, choice.findData(mapping.get(target, ""))))
            choice.blockSignals(False)
        self._columns = list(columns)
        self._enable()

    def mapping(self) -> dict[str, str]:
        """Return what is chosen."""
        return {target: str(choice.currentData()) for target, choice in self.choices.items()
                if choice.currentData()}  # fmt: skip

    # --- helpers ----------------------------------------------------------------------------------

    def _title(self, target: str) -> str:
        return self.tr(_TITLES[target])

    def _choice(self, target: str) -> QComboBox:
        choice = QComboBox()
        choice.setAccessibleName(self.tr("Column of: {0}").format(self._title(target)))
        choice.setToolTip(TARGETS[target])
        choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        choice.setMinimumWidth(theme.gap(20))
        choice.currentIndexChanged.connect(self._chosen)
        self.choices[target] = choice
        return choice

    def _add(self, grid: QGridLayout, number: int, title: str, field: QWidget) -> None:
        label = QLabel(title)
        label.setBuddy(field)
        row, across = divmod(number, _ACROSS)
        grid.addWidget(label, row, 2 * across)
        grid.addWidget(field, row, 2 * across + 1)

    def _chosen(self) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.teacher.setEnabled(any(self.choices[target].currentData() for target in TEACHER_TARGETS))


def _short(column: str) -> str:
    text = " ".join(column.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
