"""The list of runs: how each stands, which are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from kpdd_app import theme
from kpdd_app.pages.train_parts import STATUS_SIGNS, STATUS_WORDS, short_name
from training_backend.errors import KpddError
from training_backend.students.run_folder import RunFolder

ENTRY = Qt.ItemDataRole.UserRole


@dataclass
class Entry:
    """One run of the list."""

    folder: Path
    title: str
    method: str
    status: str


class RunList(QListWidget):
    """One line a run; several can be chosen, to be compared."""

    run_chosen = Signal(object)
    several_chosen = Signal(list)
    none_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(parent)
        self.setAccessibleName(self.tr("Runs"))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.itemSelectionChanged.connect(self._tell)
        theme.notifier().changed.connect(self._restyle)

    def entries(self) -> list[Entry]:
        """Return all runs in their order."""
        return [self.item(number).data(ENTRY) for number in range(self.count())]

    def fill(self, entries: Sequence[Entry]) -> None:
        """Show these runs; what was chosen stays chosen, and nothing is told."""
        chosen = {entry.folder for entry in self.chosen()}
        self.blockSignals(True)
        self.clear()
        for entry in entries:
            item = QListWidgetItem()
            self._dress(item, entry)
            self.addItem(item)
            item.setSelected(entry.folder in chosen)
        self.blockSignals(False)

    def chosen(self) -> list[Entry]:
        """Return the chosen runs in the order of the list."""
        items = [self.item(number) for number in range(self.count())]
        return [item.data(ENTRY) for item in items if item.isSelected()]

    def choose(self, folder: Path, tell: bool) -> bool:
        """Choose a run; return whether it is there. With `tell` its signal follows."""
        for number, entry in enumerate(self.entries()):
            if entry.folder == folder:
                self.blockSignals(True)
                self.clearSelection()
                self.setCurrentRow(number)
                self.blockSignals(False)
                if tell:
                    self.run_chosen.emit(entry)
                return True
        return False

    def choose_none(self) -> None:
        """Let go of the chosen runs, telling nobody."""
        self.blockSignals(True)
        self.clearSelection()
        self.setCurrentRow(-1)
        self.blockSignals(False)

    def set_status(self, folder: Path, status: str) -> None:
        """Show how a run stands now."""
        for number in range(self.count()):
            entry = self.item(number).data(ENTRY)
            if entry.folder == folder:
                entry.status = status
                self._dress(self.item(number), entry)

    def _tell(self) -> None:
        chosen = self.chosen()
        if len(chosen) == 1:
            self.run_chosen.emit(chosen[0])
        elif chosen:
            self.several_chosen.emit(chosen)
        else:
            self.none_chosen.emit()

    def _dress(self, item: QListWidgetItem, entry: Entry) -> None:
        item.setData(ENTRY, entry)
        word = STATUS_WORDS.get(entry.status, entry.status)
        item.setText(f"{entry.title}\n{word} · {short_name(entry.folder, entry.method)}")
        item.setToolTip(f"{entry.title}\n{entry.folder}")
        item.setIcon(theme.icon(*STATUS_SIGNS.get(entry.status, ("dash", "faint"))))
        item.setSizeHint(QSize(0, theme.line_height() * 2 + theme.gap(3)))

    def _restyle(self) -> None:
        for number in range(self.count()):
            self._dress(self.item(number), self.item(number).data(ENTRY))


def status_of(folder: Path, known: str) -> str:
    """Return how a run stands by its own folder; what the project knows where the folder is gone."""
    try:
        return RunFolder.open(folder).status()
    except KpddError:
        return known
