"""The head of the Solve page: whose students work at each stage, how tokens are chosen, what loads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.pages.solve_way import WayRow
from kpdd_app.student_choices import DEMO, Choice, demo_choice, folder_choice
from training_backend import methods

RECORDED = "recorded"
TEACHER = "teacher"
_SAME = ""
# so many lines of text wide the bar is when its labels are shown
LABELS_NEED = 40


class StudentsBar(QWidget):
    """Students of all stages, key points by others or by the teacher, the way of writing, the state."""

    chosen = Signal()
    """Other students are to work from now on."""
    beside_wanted = Signal(object)
    """Solve the same question with these students too."""
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the bar with the demo students."""
        super().__init__(parent)
        self.base = demo_choice()
        self.choices: list[Choice] = [self.base]
        self.combo = self._combo(self.tr("Students"), 14)
        self.source = self._combo(self.tr("Key points by"), 10)
        self.about = QLabel()
        self.about.setProperty("role", "muted")
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.state = QLabel()
        self.state.setProperty("role", "muted")
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.setToolTip(self.tr("Give up loading and go back to the students before"))
        self.cancel.clicked.connect(self.cancel_wanted)
        self.cancel.hide()
        self.way = WayRow()
        self._build()
        self.combo.activated.connect(self._combo_used)
        self.source.activated.connect(lambda _: self._tell())
        self.fill([])

    # --- properties -------------------------------------------------------------------------------

    @property
    def choice(self) -> Choice:
        """Return the students that are to work, those of another run for the key points among them."""
        other = self.source.currentData()
        return mixed(self.base, other) if isinstance(other, Choice) else self.base

    @property
    def from_teacher(self) -> bool:
        """Tell whether the teacher's key points are to be taken."""
        return self.source.currentData() == TEACHER

    @property
    def recorded(self) -> bool:
        """Tell whether a solution that the project holds is to be shown instead."""
        return is_recorded(self.base)

    # --- methods ----------------------------------------------------------------------------------

    def fill(self, runs: list[Choice], with_project: bool = False) -> None:
        """Offer the demo students, runs, what the project recorded, any folder; the choice is kept."""
        listed = [demo_choice(), *runs, *([recorded_choice()] if with_project else [])]
        if self.base.students not in [choice.students for choice in listed]:
            listed.insert(len(listed) - int(with_project), self.base)
        self.choices = listed
        self.combo.clear()
        for choice in listed:
            self.combo.addItem(choice.title)
        self.combo.addItem(self.tr("Choose a folder…"))
        self.combo.setCurrentIndex(self._index(self.base))
        self._fill_source()

    def use(self, students: str) -> None:
        """Choose `demo` or a run folder, as other pages do."""
        for choice in self.choices:
            if choice.students == students:
                self.choose(choice)
                return
        self.choose(folder_choice(Path(students)))

    def choose(self, choice: Choice) -> None:
        """Choose students; unknown ones join the list."""
        if choice.students not in [known.students for known in self.choices]:
            self.choices.append(choice)
            self.combo.insertItem(len(self.choices) - 1, choice.title)
        self.base = choice
        self.combo.setCurrentIndex(self._index(choice))
        self._fill_source()
        self._tell()

    def say_state(self, text: str, loading: bool) -> None:
        """Say what the worker does; loading can be given up."""
        self.state.setText(text)
        self.cancel.setVisible(loading)

    # --- helpers ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.label = QLabel(self.tr("Students"))
        self.label.setBuddy(self.combo)
        self.source_label = QLabel(self.tr("Key points by"))
        self.source_label.setProperty("role", "muted")
        self.source_label.setBuddy(self.source)
        self.writes = QLabel(self.tr("Writing"))
        self.writes.setProperty("role", "muted")
        self.writes.setBuddy(self.way.choice)
        self.beside = QPushButton(self.tr("Also with…"))
        self.beside.setToolTip(self.tr("Solve the same question with other students too, side by side"))
        self._menu = QMenu(self.beside)
        self.beside.clicked.connect(self._open_menu)
        row = QHBoxLayout()
        row.setSpacing(theme.gap(1.5))
        for part in (self.label, self.combo, self.source_label, self.source, self.beside):
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.state)
        row.addWidget(self.cancel)
        lower = QHBoxLayout()
        lower.setSpacing(theme.gap(1.5))
        lower.addWidget(self.about, 1)
        lower.addWidget(self.writes)
        lower.addWidget(self.way)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(0.5))
        column.addLayout(row)
        column.addLayout(lower)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the labels out where there is no room for them; the fields keep their names."""
        super().resizeEvent(event)
        for combo in (self.combo, self.source):
            combo.setMinimumWidth(theme.line_height() * 4)
        for label in (self.label, self.source_label, self.writes):
            label.setMaximumWidth(16_777_215 if self.width() > theme.line_height() * LABELS_NEED else 0)

    def _combo(self, name: str, length: int) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        combo.setMinimumContentsLength(length)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _index(self, choice: Choice) -> int:
        return [known.students for known in self.choices].index(choice.students)

    def _combo_used(self, index: int) -> None:
        if index < len(self.choices):
            self.choose(self.choices[index])
            return
        self.combo.setCurrentIndex(self._index(self.base))
        self._ask_folder(self.choose)

    def _ask_folder(self, then: Callable[[Choice], object]) -> None:
        folder = messages.open_folder(self, self.tr("Choose a run folder"))
        if folder is not None:
            then(folder_choice(folder))

    def _fill_source(self) -> None:
        """Offer who can write the key points for the students that are chosen."""
        first = set(self.base.roles) - {"solve"}
        usable = bool(first) and not self.recorded
        self.source.clear()
        self.source.addItem(self.tr("themselves"), _SAME)
        self.source.addItem(self.tr("the teacher"), TEACHER)
        for other in self.choices:
            if other.students != self.base.students and first and first <= set(other.folders):
                self.source.addItem(other.title, other)
        self.source.setVisible(usable)
        self.source_label.setVisible(usable)
        self._say_about()

    def _tell(self) -> None:
        self._say_about()
        self.chosen.emit()

    def _say_about(self) -> None:
        if self.recorded:
            text = self.tr("What the project holds for the question on this page, run again line by line.")
        else:
            method = methods.get(self.base.method)
            way = " → ".join([self.tr("question"), *(words(role) for role in method.roles)])
            text = f"{method.title}: {way}" + (self.tr(" → run") if self.base.kind != "cot" else "")
        self.about.setText(text)
        self.about.setToolTip(text)

    def _open_menu(self) -> None:
        self._menu.clear()
        for choice in self.choices:
            if choice.students not in (self.base.students, RECORDED):
                self._menu.addAction(choice.title, partial(self.beside_wanted.emit, choice))
        self._menu.addAction(self.tr("Choose a folder…"), lambda: self._ask_folder(self.beside_wanted.emit))
        self._menu.popup(self.beside.mapToGlobal(self.beside.rect().bottomLeft()))


def recorded_choice() -> Choice:
    """Return the entry that shows what the project holds."""
    return Choice("Recorded solution", RECORDED, demo_choice().method)


def mixed(solve: Choice, key: Choice) -> Choice:
    """Return the students of `solve` with those of `key` for what comes before Solve."""
    folders = {
        role: (solve if role == "solve" else key).folders[role]
        for role in solve.roles
        if role in (solve if role == "solve" else key).folders
    }
    told = {"students": {role: str(folder) for role, folder in folders.items()}, "method": solve.method}
    return dataclasses.replace(
        solve,
        title=f"{solve.title}, key points by {key.title}",
        students=json.dumps(told, ensure_ascii=False),
        folders=folders,
        problem=solve.problem or key.problem,
        writers={role: (solve if role == "solve" else key).title for role in folders},
    )


def words(role: methods.Role) -> str:
    """Return what a student writes, in words."""
    kinds = [methods.KINDS.get(task.writes, task.writes.replace("_", " ")) for task in role.tasks]
    return " / ".join(kinds)


def is_demo(choice: Choice) -> bool:
    """Tell whether these are the shipped demo students."""
    return choice.students == DEMO


def is_recorded(choice: Choice) -> bool:
    """Tell whether nobody is to solve: what the project holds is shown."""
    return choice.students == RECORDED
