"""The student whose texts the rows must fit: chosen in a menu, kept by `kpdd flags --student`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QWidget

from kpdd_app import messages
from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.student_choices import DEMO, demo_choice, run_choices

NONE = "none"
# what is chosen now ("" for none), and (title, student) of what is offered
_Found = tuple[str, list[tuple[str, str]]]


class StudentMenu(QObject):
    """A menu of the students that can be chosen: none, the demo's, the project's runs, a folder."""

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget) -> None:
        """Choose for `project`; the rows are looked at by one of `jobs`."""
        super().__init__(parent)
        self._project, self._jobs, self._parent = project, jobs, parent
        self.menu: QMenu | None = None

    def show(self, place: QPoint) -> None:
        """Read what there is and open the menu at a place of the screen."""
        path = self._project.path
        if path is not None and not self._project.read_only:
            read = partial(_find, path=path)
            self._project.read(read, partial(self._open, place), self._failed, key="flag-student")

    def choose(self, student: str) -> None:
        """Check the rows against this student (`none`: against no one) from now on."""
        # what was typed must be on disk before the other process reads it
        self._project.flush()
        job = self._jobs.start(
            self.tr("Checking which rows fit the student"),
            ["flags", str(self._project.path), "--student", student, "--quiet"],
        )
        job.ended.connect(lambda status: self._ended(job, status, student))

    # --- helpers ----------------------------------------------------------------------------------

    def _open(self, place: QPoint, found: _Found) -> None:
        now, students = found
        menu = self.menu = QMenu(self._parent)
        menu.setToolTipsVisible(True)
        title = menu.addAction(self.tr("Look whether rows fit the student:"))
        title.setEnabled(False)
        if now and now not in [student for _, student in students]:
            students = [*students, (Path(now).name, now)]
        for words, student in [(self.tr("none"), NONE), *students]:
            action = menu.addAction(words.replace("&", "&&"))
            action.triggered.connect(partial(self._chosen, student))
            action.setCheckable(True)
            action.setChecked(student == (now or NONE))
            action.setToolTip(student)
        menu.addSeparator()
        menu.addAction(self.tr("A student's folder…"), self._browse)
        menu.popup(place)

    def _chosen(self, student: str, _checked: bool = False) -> None:
        self.choose(student)

    def _browse(self) -> None:
        folder = messages.open_folder(self._parent, self.tr("A run, a student or a tokenizer"))
        if folder is not None:
            self.choose(str(folder.absolute()))

    def _ended(self, job: Job, status: str, student: str) -> None:
        if status == "failed":
            messages.error(self._parent, job.last_failure)
        elif student == NONE:
            messages.note(self.tr("Rows are no longer checked against a student"))
        else:
            messages.note(self.tr("Rows that do not fit the student have a flag now"))

    def _failed(self, error: Exception) -> None:
        messages.error(self._parent, error)


def _find(project: Any, path: Path) -> _Found:
    from training_backend.project.flagging import chosen_student
    from training_backend.project.runs import runs

    demo = demo_choice()
    found = [] if demo.problem else [(demo.title, DEMO)]
    for choice in run_choices(path, runs(project)):
        found.append((choice.title, str(Path(choice.students).absolute())))
    return chosen_student(project), found
