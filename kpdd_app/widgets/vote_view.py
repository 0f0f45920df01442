"""How several paths of one question voted: every answer with its share; a click shows a path that gave it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from kpdd_app import theme
from training_backend.events import Vote
from training_backend.rationale.answers import format_number

SHOWN = 8
NO_ANSWER = "no answer"


class VoteView(QWidget):
    """A row of answers, most votes first; hidden while there is no vote."""

    path_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it hidden."""
        super().__init__(parent)
        self.setAccessibleName(self.tr("Vote"))
        self._vote: Vote | None = None
        self._turn: dict[int, int] = {}
        self.caption = QLabel()
        self.caption.setProperty("role", "muted")
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.gap(1.5))
        self._row.addWidget(self.caption)
        self._row.addStretch(1)
        self.hide()

    def show_vote(self, vote: Vote | None) -> None:
        """Show a vote; None hides the row."""
        if vote is self._vote:
            return
        self._vote = vote
        self._turn = {}
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        self.setVisible(vote is not None)
        if vote is not None:
            self.caption.setText(self.tr("{0} paths voted").format(len(vote.paths)))
            for number, (text, paths) in enumerate(answers_of(vote)[:SHOWN]):
                self._add(number, text, paths, len(vote.paths))

    def _add(self, number: int, text: str, paths: list[int], total: int) -> None:
        button = QPushButton(self.tr("{0}:  {1} of {2}").format(text, len(paths), total))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setToolTip(
            self.tr("Show a path that ended so, written token by token: {0}").format(
                ", ".join(str(path + 1) for path in paths[:12])
            )
        )
        if number == 0 and text != NO_ANSWER:
            button.setIcon(theme.icon("check", "accent"))
        button.clicked.connect(lambda: self._wanted(number, paths))
        self.buttons.append(button)
        self._row.insertWidget(self._row.count() - 1, button)

    def _wanted(self, number: int, paths: list[int]) -> None:
        turn = self._turn.get(number, 0)
        self._turn[number] = turn + 1
        self.path_wanted.emit(paths[turn % len(paths)])


def answers_of(vote: Vote) -> list[tuple[str, list[int]]]:
    """Return the answers as text with the numbers of their paths, most votes first, those without last."""
    found = [(format_number(value), [int(path) for path in paths]) for value, paths in vote.candidates]
    spoken = {path for _, paths in found for path in paths}
    silent = [number for number in range(len(vote.paths)) if number not in spoken]
    return [*found, (NO_ANSWER, silent)] if silent else found
