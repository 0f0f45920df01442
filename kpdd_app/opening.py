"""Opening a project: what is said meanwhile, and what a person may do about a damaged file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kpdd_app import messages
from kpdd_app.background import Background
from training_backend.events import Result

if TYPE_CHECKING:
    from kpdd_app.jobs import Jobs
    from kpdd_app.open_project import OpenProject


class Opening(QObject):
    """Opens projects for the window; large ones are checked behind its back."""

    said = Signal(str)
    """What is being done, for the status line."""

    def __init__(self, project: OpenProject, jobs: Jobs, window: QWidget) -> None:
        """Repairs run as `jobs`; messages belong to `window`."""
        super().__init__(window)
        self._project, self._jobs, self._window = project, jobs, window
        self._checker = Background("project-checker", self)
        project.opening.connect(self.said)
        project.opened.connect(self._check_later)

    def open(self, path: Path, read_only: bool = False) -> None:
        """Open a project without stopping the window; a damaged one is offered for repair."""
        self.said.emit(self.tr("Opening {0} …").format(path.name))
        self._project.open_later(path, lambda error: self._failed(path, error, read_only), read_only)

    def repair(self, path: Path) -> None:
        """Repair a project as a job, then open it."""
        if self._project.path == path:
            self._project.close()
        job = self._jobs.start(self.tr("Repairing {0}").format(path.name), ["repair", str(path)])
        results: list[Result] = []
        job.event_came.connect(lambda event: results.append(event) if isinstance(event, Result) else None)
        job.ended.connect(lambda status: self._repaired(path, status, results))
        job.failed.connect(lambda failure: messages.error(self._window, failure))

    def shut_down(self) -> None:
        """End the thread."""
        self._checker.close(wait=False)

    # --- slots ------------------------------------------------------------------------------------

    def _failed(self, path: Path, error: Exception, read_only: bool) -> None:
        # not at the top: it brings SQLAlchemy's users along, and the window starts without them
        from training_backend.project.faults import Damaged

        self.said.emit("")
        if isinstance(error, Damaged) and read_only:
            # the damage is where every look begins: reading was tried and is not offered again
            self._offer(path, self.tr("The project is too damaged to be read as it is."), "")
        elif isinstance(error, Damaged):
            self._offer(path, error.message, self.tr("Open for reading"))
        else:
            messages.error(self._window, error)

    def _offer(self, path: Path, what: str, without: str) -> None:
        """Let a person choose between repair, going on without it, and nothing."""
        cancel, mend = self.tr("Cancel"), self.tr("Repair")
        choices = tuple(word for word in (cancel, without, mend) if word)
        hint = self.tr(
            "Repair reads everything that can be read into a new file and counts what is lost. The damaged "
            "file is kept beside it."
        )
        box = messages.Message(self._window, self.tr("A damaged project"), what, hint, str(path),
                               sign=("warning", "wrong"), choices=choices)  # fmt: skip
        box.exec()
        if box.chosen == mend:
            self.repair(path)
        elif box.chosen == without:
            self.open(path, read_only=True)

    def _check_later(self, path: Path) -> None:
        project = self._project.project
        if project is not None and not project.checked and not project.read_only:
            self._checker.run(project.check, lambda problems: self._checked(path, problems), key="check")

    def _checked(self, path: Path, problems: list[str]) -> None:
        if problems and self._project.path == path:
            self._offer(path, self.tr("The project file is damaged: {0}.").format(problems[0]), "")

    def _repaired(self, path: Path, status: str, results: list[Result]) -> None:
        if status != "done" or not results:
            return
        self.open(path)
        first, _, rest = results[-1].text.partition("\n")
        messages.inform(self._window, first, details=rest)
