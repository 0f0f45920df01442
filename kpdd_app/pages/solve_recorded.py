"""What the project holds for the question of the Solve page: solutions, and the teacher's key points."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from kpdd_app.open_project import OpenProject
from training_backend.project.replies import Origin
from training_backend.rationale.key_points import KeyPoints, split_items

if TYPE_CHECKING:
    from training_backend.project.details import RowDetail
    from training_backend.project.store import Project

READ = 200
WORDS = 10
# teachers whose stored name does not read as one
NAMES = {"sample": "the sample teacher", "person": "a person"}


class Recorded(QObject):
    """The rows of one question, read off the window's thread; those whose answer equals gold come first."""

    came = Signal(bool)
    """The rows are there; True: somebody waits for them."""

    def __init__(self, project: OpenProject, parent: QObject | None = None) -> None:
        """Begin without a question."""
        super().__init__(parent)
        self._project = project
        self.rows: list[RowDetail] = []

    @property
    def points(self) -> KeyPoints | None:
        """Return the key points of the best row that has them."""
        found = self._with_points()
        return found[1] if found is not None else None

    @property
    def points_origin(self) -> Origin | None:
        """Return where those key points come from."""
        found = self._with_points()
        return found[0].origins.get("key_points") if found is not None else None

    def read(self, question: str, question_id: int = 0, wanted: bool = False) -> None:
        """Look for the rows of a question, by its number or else its text."""
        if self._project.project is None:
            self._take([], wanted)
            return
        self._project.read(
            lambda project: recorded_rows(project, question, question_id),
            lambda rows: self._take(rows, wanted),
            lambda _: self._take([], wanted),
            key="solve-recorded",
        )

    def hold(self, detail: RowDetail) -> None:
        """Take a row that is shown already, where none was read."""
        self.rows = self.rows or [detail]

    def forget(self) -> None:
        """Another question stands on the page."""
        self.rows = []

    def _with_points(self) -> tuple[RowDetail, KeyPoints] | None:
        for detail in self.rows:
            points = KeyPoints(detail.core_question.text, split_items(detail.information.text))
            if points.core_question and points.information:
                return detail, points
        return None

    def _take(self, rows: list[RowDetail], wanted: bool) -> None:
        self.rows = rows
        self.came.emit(wanted)


def name_of(origin: Origin | None) -> str:
    """Return what the writer of key points is called within a sentence."""
    if origin is None:
        return "the teacher"
    return NAMES.get(origin.teacher, origin.teacher)


def recorded_rows(project: Project, question: str, question_id: int = 0) -> list[RowDetail]:
    """Return the rows that a project holds for a question (by number, else by its text), best first."""
    from training_backend.project.details import row_detail
    from training_backend.project.listing import Listing, RowFilter

    words = " ".join(re.findall(r"\w+", question)[:WORDS])
    listing = Listing(project.path)
    try:
        rows = listing.page(listing.ids(RowFilter(search=words), limit=READ)[:READ])
    finally:
        listing.close()
    details = [row_detail(project, row.id) for row in rows if question_id in (0, row.question_id)]
    same = [detail for detail in details if detail.question.text.split() == question.split()]
    return sorted(same, key=lambda detail: detail.row.verdict != "equal")
