"""The one door to the user: what happened, where, what to do; every message can be copied."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from training_backend.errors import KpddError

log = logging.getLogger(__name__)


class _Notes(QObject):
    said = Signal(str)


_notes: _Notes | None = None


def notes() -> _Notes:
    """Return the object whose signal `said(text)` carries short notes for the status bar."""
    global _notes
    if _notes is None:
        _notes = _Notes()
    return _notes


def note(text: str) -> None:
    """Say something short that needs no answer; the status bar shows it for a few seconds."""
    notes().said.emit(text)


class Message(QDialog):
    """One message: a sign, what happened, where, what to do, and details that can be unfolded."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        what: str,
        hint: str = "",
        where: str = "",
        details: str = "",
        sign: tuple[str, str] = ("warning", "unjudged"),
        choices: tuple[str, ...] = ("OK",),
    ) -> None:
        """`choices` are the buttons, the last one being the one that Return presses; `chosen` is its text."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.chosen = ""
        self._parts = (title, where, what, hint, details)
        line = theme.line_height()
        self.setMinimumWidth(line * (40 if details else 26))
        picture = QLabel()
        picture.setPixmap(theme.pixmap(*sign, round(line * 1.6), self.devicePixelRatioF()))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(theme.gap(theme.S))
        texts.addWidget(_label(what, "heading"))
        if where:
            texts.addWidget(_label(where, "muted"))
        if hint:
            texts.addWidget(_label(hint))
        texts.addStretch(1)
        body = QHBoxLayout()
        body.setSpacing(theme.gap(theme.L))
        body.addWidget(picture)
        body.addLayout(texts, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.gap(theme.L)] * 4)
        outer.setSpacing(theme.gap(theme.L))
        outer.addLayout(body)
        if details:
            outer.addWidget(self._details(details), 1)
        row, usual = self._buttons(choices)
        outer.addLayout(row)
        # only once it stands in the dialog; before, the first button would get it
        usual.setFocus()

    @property
    def text(self) -> str:
        """Return the whole message as text, as *Copy* gives it."""
        return "\n".join(part for part in self._parts if part)

    def _details(self, details: str) -> QPlainTextEdit:
        box = QPlainTextEdit(details)
        box.setReadOnly(True)
        box.setTabChangesFocus(True)
        box.setFont(theme.mono_font(-0.5))
        box.setAccessibleName(self.tr("Details"))
        box.setMinimumHeight(theme.line_height() * 9)
        return box

    def _buttons(self, choices: tuple[str, ...]) -> tuple[QHBoxLayout, QPushButton]:
        row = QHBoxLayout()
        copy = QPushButton(self.tr("Copy"))
        copy.setProperty("kind", "quiet")
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        row.addWidget(copy)
        row.addStretch(1)
        for text in choices:
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, text=text: self._choose(text))
            row.addWidget(button)
        button.setProperty("kind", "primary")
        button.setDefault(True)
        return row, button

    def _choose(self, text: str) -> None:
        self.chosen = text
        self.accept()


def error(parent: QWidget | None, problem: Any, title: str = "") -> None:
    """Show a failure: a KpddError, a `Failed` event, another exception or a sentence."""
    what, hint, where, details = _parts(problem)
    log.info("shown to the user: %s %s %s", where, what, hint)
    title = title or QCoreApplication.translate("messages", "That did not work")
    Message(parent, title, what, hint, where, details, sign=("warning", "wrong")).exec()


def inform(parent: QWidget | None, what: str, hint: str = "", details: str = "", title: str = "") -> None:
    """Show something worth knowing that needs no decision."""
    Message(parent, title or QApplication.applicationDisplayName(), what, hint, "", details,
            sign=("info", "accent")).exec()  # fmt: skip


def question(parent: QWidget | None, what: str, hint: str = "", yes: str = "", no: str = "") -> bool:
    """Ask for a decision; return True when the person chose `yes`."""
    yes = yes or QCoreApplication.translate("messages", "Yes")
    no = no or QCoreApplication.translate("messages", "Cancel")
    box = Message(parent, QApplication.applicationDisplayName(), what, hint, sign=("question", "accent"),
                  choices=(no, yes))  # fmt: skip
    box.exec()
    return box.chosen == yes


def open_file(parent: QWidget | None, title: str, kinds: str, folder: str = "") -> Path | None:
    """Ask for an existing file; None when the person gave up."""
    name, _ = QFileDialog.getOpenFileName(parent, title, folder, kinds)
    return Path(name) if name else None


def save_file(parent: QWidget | None, title: str, kinds: str, suggestion: str = "") -> Path | None:
    """Ask for the place of a new file; None when the person gave up."""
    name, _ = QFileDialog.getSaveFileName(parent, title, suggestion, kinds)
    return Path(name) if name else None


def open_folder(parent: QWidget | None, title: str, folder: str = "") -> Path | None:
    """Ask for an existing folder; None when the person gave up."""
    name = QFileDialog.getExistingDirectory(parent, title, folder)
    return Path(name) if name else None


def _parts(problem: Any) -> tuple[str, str, str, str]:
    if isinstance(problem, KpddError):
        return problem.message, problem.hint, problem.where, ""
    if isinstance(problem, BaseException):
        return f"{type(problem).__name__}: {problem}", "", "", ""
    if hasattr(problem, "message"):
        return (problem.message, getattr(problem, "hint", ""), getattr(problem, "where", ""),
                getattr(problem, "traceback", ""))  # fmt: skip
    return str(problem), "", "", ""


def _label(text: str, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label
