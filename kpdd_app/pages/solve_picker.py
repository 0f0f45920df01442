"""Picking a question: search in the project as one types, or in a benchmark file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.open_project import OpenProject

if TYPE_CHECKING:
    from training_backend.project.store import Project

SHOWN = 200
TYPING_MS = 120


@dataclass(frozen=True)
class Pick:
    """A question to solve; `id` is its number in the project, 0 when it is from elsewhere."""

    text: str
    gold: float | None
    source: str
    id: int = 0


class QuestionPicker(QDialog):
    """A search field over a list; Return takes the marked question."""

    picked = Signal(object)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Search in the open project; without one, a benchmark file can be opened."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Pick a question"))
        self._project = project
        self._benchmark: list[Pick] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self.search)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Search the questions"))
        self.field.setAccessibleName(self.tr("Search the questions"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(lambda _: self._timer.start())
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Questions"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAlternatingRowColors(True)
        self.list.itemActivated.connect(lambda _: self._take())
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        file = QPushButton(self.tr("From a file…"))
        file.setAutoDefault(False)
        file.clicked.connect(self._choose_file)
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        take = QPushButton(self.tr("Take"))
        take.setProperty("kind", "primary")
        take.setDefault(True)
        take.clicked.connect(self._take)
        buttons = QHBoxLayout()
        buttons.addWidget(file)
        buttons.addWidget(self.count, 1)
        buttons.addWidget(cancel)
        buttons.addWidget(take)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.resize(theme.line_height() * 40, theme.line_height() * 28)
        self.search()

    def search(self) -> None:
        """Show what the words find."""
        words = self.field.text().strip()
        if self._benchmark:
            found = [
                pick for pick in self._benchmark if all(w in pick.text.lower() for w in words.lower().split())
            ]
            self._show(found[:SHOWN], len(found))
        elif self._project.project is None:
            self._show([], 0)
            self.count.setText(self.tr("No project is open."))
        else:
            self._project.read(
                lambda project: search(project, words),
                lambda found: self._show(found, len(found)),
                lambda _: self._show([], 0),
                key="solve-search",
            )

    def open_benchmark(self, path: Path) -> None:
        """Search in a benchmark file from now on."""
        from training_backend.project.question_file import Unreadable, read_questions

        picks = []
        try:
            for item in read_questions(path):
                if not isinstance(item, Unreadable):
                    picks.append(
                        Pick(item.text, item.gold_value, f"{item.dataset} {item.split} {item.native_id}")
                    )
        except Exception as error:
            messages.error(self, error)
            return
        if not picks:
            messages.error(self, self.tr("{0} holds no question that could be read.").format(path.name))
            return
        self._benchmark = picks
        self.setWindowTitle(self.tr("Pick a question from {0}").format(path.name))
        self.search()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the arrows move the mark while the search field keeps the keyboard."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + step)))
            return
        super().keyPressEvent(event)

    def _show(self, picks: Sequence[Pick], count: int) -> None:
        self.list.clear()
        for pick in picks:
            item = QListWidgetItem(f"{' '.join(pick.text.split())[:300]}\n{pick.source}")
            item.setData(Qt.ItemDataRole.UserRole, pick)
            self.list.addItem(item)
        if picks:
            self.list.setCurrentRow(0)
        more = self.tr(" (the first {0})").format(SHOWN) if count >= SHOWN else ""
        self.count.setText(
            (self.tr("1 question") if len(picks) == 1 else self.tr("{0} questions").format(len(picks))) + more
            if picks
            else self.tr("Nothing found")
        )

    def _choose_file(self) -> None:
        path = messages.open_file(
            self, self.tr("Open a benchmark"), self.tr("Questions (*.jsonl *.json *.xml)")
        )
        if path is not None:
            self.open_benchmark(path)

    def _take(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        pick: Pick = item.data(Qt.ItemDataRole.UserRole)
        self.accept()
        self.picked.emit(pick)


def search(project: Project, words: str) -> list[Pick]:
    """Return the questions of a project that hold the words, each once."""
    from training_backend.project.listing import Listing, RowFilter

    listing = Listing(project.path)
    try:
        ids = listing.ids(RowFilter(search=words), limit=SHOWN * 4)
        rows = listing.page(ids[: SHOWN * 4])
    finally:
        listing.close()
    wanted = list(dict.fromkeys(row.question_id for row in rows))[:SHOWN]
    return whole(project, wanted)


def whole(project: Project, question_ids: Sequence[int]) -> list[Pick]:
    """Return questions of a project by their numbers, in that order, with their whole text."""
    from training_backend.project.questions import questions

    found = {question.id: question for question in questions(project, ids=list(question_ids))}
    return [
        Pick(q.text, q.gold_value, f"{q.dataset} {q.split} {q.native_id}".strip(), q.id)
        for q in (found[number] for number in question_ids if number in found)
    ]


def random_of_project(project: Project, number: float) -> Pick | None:
    """Return the question that stands at `number` (0 to 1) of the way through a project, or None."""
    from training_backend.project.listing import Listing, RowFilter

    listing = Listing(project.path)
    try:
        ids = listing.ids(RowFilter())
        if not len(ids):
            return None
        rows = listing.page(ids[int(number * len(ids)) % len(ids) :][:1])
    finally:
        listing.close()
    picks = whole(project, [row.question_id for row in rows])
    return picks[0] if picks else None


def random_of_grammar(seed: int) -> Pick:
    """Return a fresh problem of the kind the demo students were trained on, with numbers they never saw."""
    from training_backend.teacher.problem_grammar import generate

    problem = next(iter(generate(1, seed, numbers="held_out")))
    return Pick(problem.question, float(problem.answer), "made for the demo students")
