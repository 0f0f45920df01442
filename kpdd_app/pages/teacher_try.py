"""Ask one: a question goes to the teacher, the raw reply stands beside what was read from it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from kpdd_app import theme
from training_backend.errors import DatasetError
from training_backend.methods import KINDS
from training_backend.teacher.protocol import TeacherReply

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project


@dataclass(frozen=True)
class Choice:
    """What the form holds; empty texts and 0 mean "not restricted"."""

    teacher: str
    recordings: Path | None
    models: tuple[str, ...]
    mapping: str
    dataset: str
    split: str
    kinds: tuple[str, ...]
    paths: int
    limit: int

    def arguments(self, project: Path) -> list[str]:
        """Return the words of `kpdd generate`."""
        words = ["generate", str(project), "--teacher", self.teacher, "--kinds", ",".join(self.kinds)]
        words += ["--paths", str(self.paths)]
        if self.recordings is not None:
            words += ["--recordings", str(self.recordings)]
            if self.models and self.teacher != "replay:jsonl":
                words += ["--models", ",".join(self.models)]
        if self.teacher == "replay:jsonl":
            words += ["--map", self.mapping]
        for option, value in (("--dataset", self.dataset), ("--split", self.split)):
            if value:
                words += [option, value]
        if self.limit:
            words += ["--limit", str(self.limit)]
        return words


@dataclass(frozen=True)
class Tried:
    """One question and what the teacher answered."""

    question: Question
    reply: TeacherReply


def ask_one(project: Project, choice: Choice, number: int) -> Tried:
    """Ask about the `number`-th question of the choice (going round); DatasetError when there is none."""
    from training_backend.commands.generate import choose_teacher
    from training_backend.project.questions import questions

    found = list(islice(questions(project, choice.dataset or None, choice.split or None), number, number + 1))
    if not found:
        found = list(questions(project, choice.dataset or None, choice.split or None, limit=1))
    if not found:
        raise DatasetError("There is no question to ask about.", "Import questions first.")
    models = choice.models if choice.recordings is not None else ()
    teacher = choose_teacher(choice.teacher, choice.recordings, models, choice.mapping)
    reply = next(iter(teacher.answer(found, choice.kinds[:1], 0)))
    return Tried(found[0], reply)


class TryPanel(QWidget):
    """The raw reply at left, the parsed fields at right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._number = -1
        self.title = QLabel(self.tr("Ask one"))
        self.title.setProperty("role", "heading")
        self.question = QLabel()
        self.question.setWordWrap(True)
        self.question.setTextFormat(Qt.TextFormat.PlainText)
        self.question.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.raw = _text(self.tr("The raw reply"))
        self.parsed = _text(self.tr("What was read from it"))
        both = QHBoxLayout()
        both.setSpacing(theme.gap(4))
        for title, box in (
            (self.tr("The raw reply"), self.raw),
            (self.tr("What was read from it"), self.parsed),
        ):
            head = QLabel(title)
            head.setProperty("role", "muted")
            column = QVBoxLayout()
            column.setSpacing(theme.gap(1))
            column.addWidget(head)
            column.addWidget(box, 1)
            both.addLayout(column, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.gap(2))
        outer.addWidget(self.title)
        outer.addWidget(self.question)
        outer.addLayout(both, 1)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.clear()

    def next_number(self) -> int:
        """Return which question is next: each trial asks about another one."""
        self._number += 1
        return self._number

    def show_waiting(self) -> None:
        """Say that the teacher is being asked."""
        self.question.setText(self.tr("asking …"))

    def clear(self) -> None:
        """Show what this place is for."""
        self.question.setText(self.tr("Try the teacher on one question before the run; nothing is stored."))
        self.raw.clear()
        self.parsed.clear()

    def show_tried(self, tried: Tried) -> None:
        """Show a question and its reply."""
        self.question.setText(tried.question.text)
        self.raw.setPlainText("\n\n".join(f"── {name.replace('_', ' ')} ──\n{text}"
                                          for name, text in tried.reply.raw.items()))  # fmt: skip
        self.parsed.setPlainText(parsed_text(tried.reply))

    def _restyle(self) -> None:
        for box in (self.raw, self.parsed):
            box.setFont(theme.mono_font(-0.5))


def parsed_text(reply: TeacherReply) -> str:
    """Return the fields that were read from a reply, and what could not be read."""
    parts = []
    if reply.parse_error:
        parts.append(f"could not be read: {reply.parse_error}")
    if reply.key_points is not None:
        items = "\n".join(f"{n}. {item}" for n, item in enumerate(reply.key_points.information, 1))
        parts += [f"── core question ──\n{reply.key_points.core_question}", f"── information ──\n{items}"]
    if reply.rationale is not None:
        parts.append(f"── {KINDS.get(reply.kind, reply.kind)} ──\n{reply.rationale}")
    return "\n\n".join(parts) if parts else "the teacher gave no answer to this question"


def _text(name: str) -> QPlainTextEdit:
    box = QPlainTextEdit()
    box.setReadOnly(True)
    box.setTabChangesFocus(True)
    box.setAccessibleName(name)
    return box
