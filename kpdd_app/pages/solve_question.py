"""The left column of the Solve page: the question, its gold answer, what the students cannot read of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from kpdd_app import messages, theme
from kpdd_app.background import Background
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_picker import Pick, QuestionPicker, random_of_grammar, random_of_project
from kpdd_app.widgets.notice import Notice
from training_backend.rationale.answers import format_number, parse_number

CHECK_MS = 300
# room in the limit for what stands before the question in the student's text
PREFIX_TOKENS = 16


class QuestionPanel(QWidget):
    """Type, pick or draw a question; Ctrl+Return solves it."""

    solve_asked = Signal(str, object)
    stop_asked = Signal()

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Build the panel, empty."""
        super().__init__(parent)
        self._project = project
        self._from_grammar = True
        self._text_folder: Path | None = None
        self._limit = 0
        # a question that was too long, and what of it is read
        self._cut = ("", "")
        self.question_id = 0
        # the question whose gold answer was put in with it
        self._gold_of = ""
        self._texts: dict[Path, Any] = {}
        self._background = Background("solve-text", self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._build()
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    # --- properties -------------------------------------------------------------------------------

    @property
    def question(self) -> str:
        """Return the question as it is typed, without white space around it."""
        return self.edit.toPlainText().strip()

    @property
    def gold(self) -> float | None:
        """Return the gold answer, or None when there is none (or it is no number)."""
        return parse_number(self.gold_edit.text()) if self.gold_edit.text().strip() else None

    @property
    def gold_shown(self) -> bool:
        """Tell whether the gold answer may be seen."""
        return self.gold_edit.echoMode() == QLineEdit.EchoMode.Normal

    # --- methods ----------------------------------------------------------------------------------

    def stands_for(self, asked: str) -> bool:
        """Tell whether a question that was asked is the one in the field, whole or cut at the limit."""
        typed = self.question
        return typed == asked.strip() or self._cut == (typed, asked)

    def gold_is(self, gold: float | None) -> bool:
        """Tell whether a gold answer is the one in its field."""
        typed = self.gold_edit.text().strip()
        if gold is None:
            return not typed
        return typed == format_number(gold) or parse_number(typed) == gold

    def set_question(self, question: str, gold: float | None, source: str = "") -> None:
        """Put a question into the field; its gold answer goes when another question is typed."""
        self._gold_of = ""
        self.edit.setPlainText(question)
        self.gold_edit.setText(format_number(gold) if gold is not None else "")
        self._gold_of = self.question if gold is not None else ""
        self.source.setText(source)
        self.source.setVisible(bool(source))
        self.empty.clear()

    def set_students(self, text_folder: Path | None, limit: int, demo: bool) -> None:
        """Say whose vocabulary the question is checked against, and how long it may be."""
        self._text_folder = text_folder
        self._limit = limit
        self._from_grammar = demo
        self._timer.start()

    def set_busy(self, busy: bool) -> None:
        """While a question is being solved the button stops it."""
        self.stop_button.setVisible(busy)
        self.solve_button.setVisible(not busy)

    def solve(self) -> None:
        """Ask for a solution of what stands in the fields."""
        gold = self.gold_edit.text().strip()
        if not self.question:
            self.empty.say(self.tr("There is no question yet. Type one, pick one, or draw one at random."))
            self.edit.setFocus()
            return
        if gold and self.gold is None:
            self.empty.say(self.tr("The gold answer “{0}” is no number.").format(gold[:40]))
            self.gold_edit.setFocus()
            return
        self.empty.clear()
        question, cut = self.question, self._cut
        if self._may_be_long(question) and cut[0] != question:
            # what is left out is said before it is left out: the next press solves
            self._check()
            return
        self.solve_asked.emit(cut[1] if cut[0] == question else question, self.gold)

    def pick(self) -> QuestionPicker:
        """Open the search over the project's questions."""
        picker = QuestionPicker(self._project, self.window())
        picker.picked.connect(self._take)
        picker.open()
        return picker

    def draw(self) -> None:
        """Draw a question at random: for demo students one of their kind, else one of the project."""
        if self._from_grammar or self._project.project is None:
            self.draw_from_grammar()
        else:
            self.draw_from_project()

    def draw_from_project(self) -> None:
        """Draw a question of the open project."""
        where = random.random()
        self._project.read(lambda project: random_of_project(project, where), self._take_drawn)

    def draw_from_grammar(self) -> None:
        """Draw a fresh problem of the kind the demo students know."""
        seed = random.randrange(1 << 30)
        self._background.run(lambda: random_of_grammar(seed), self._take,
                             lambda error: messages.error(self, error), key="draw")  # fmt: skip

    def close_threads(self) -> None:
        """End the thread that reads texts."""
        self._background.close(wait=False)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.edit = QPlainTextEdit()
        self.edit.setPlaceholderText(self.tr("Type a word problem, or pick one."))
        self.edit.setAccessibleName(self.tr("Question"))
        self.edit.setTabChangesFocus(True)
        self.edit.textChanged.connect(self._edited)
        self.edit.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self.source = QLabel()
        self.source.setProperty("role", "caption")
        self.source.setTextFormat(Qt.TextFormat.PlainText)
        self.source.hide()
        self.empty, self.unknown, self.too_long = Notice(), Notice(), Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1.5))
        column.addLayout(self._pick_row())
        column.addWidget(self.edit)
        column.addWidget(self.source)
        for notice in (self.empty, self.unknown, self.too_long):
            column.addWidget(notice)
        column.addLayout(self._gold_row())

    def _pick_row(self) -> QHBoxLayout:
        self.pick_button = QPushButton(self.tr("Pick…"))
        self.pick_button.setToolTip(self.tr("Search the project's questions or a benchmark file  (Ctrl+L)"))
        self.pick_button.clicked.connect(lambda _=False: self.pick())
        self.random_button = QToolButton()
        self.random_button.setText(self.tr("Random"))
        self.random_button.setToolTip(self.tr("Draw a question at random  (Ctrl+R)"))
        self.random_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.random_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.random_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.random_button.clicked.connect(self.draw)
        menu = QMenu(self.random_button)
        menu.addAction(self.tr("From the project"), self.draw_from_project)
        menu.addAction(self.tr("A fresh one of the demo students' kind"), self.draw_from_grammar)
        self.random_button.setMenu(menu)
        self.heading = QLabel(self.tr("Question"))
        self.heading.setProperty("role", "heading")
        row = QHBoxLayout()
        row.setSpacing(theme.gap(1))
        row.addWidget(self.heading, 1)
        row.addWidget(self.pick_button)
        row.addWidget(self.random_button)
        return row

    def _gold_row(self) -> QHBoxLayout:
        self.gold_edit = QLineEdit()
        self.gold_edit.setAccessibleName(self.tr("Gold answer"))
        self.gold_edit.setPlaceholderText(self.tr("not known"))
        self.gold_edit.textEdited.connect(lambda _: self._gold_typed())
        self.hide_gold = QToolButton()
        self.hide_gold.setCheckable(True)
        self.hide_gold.setText(self.tr("hide"))
        self.hide_gold.setAccessibleName(self.tr("Hide the gold answer"))
        self.hide_gold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide_gold.toggled.connect(self._hide_gold)
        label = QLabel(self.tr("Gold"))
        label.setProperty("role", "muted")
        label.setBuddy(self.gold_edit)
        self.solve_button = QPushButton(self.tr("Solve"))
        self.solve_button.setProperty("kind", "primary")
        self.solve_button.setToolTip(self.tr("Solve this question  (Ctrl+Return)"))
        self.solve_button.clicked.connect(self.solve)
        self.stop_button = QPushButton(self.tr("Stop"))
        self.stop_button.clicked.connect(self.stop_asked)
        self.stop_button.hide()
        row = QHBoxLayout()
        row.setSpacing(theme.gap(1.5))
        row.addWidget(label)
        row.addWidget(self.gold_edit, 1)
        row.addWidget(self.hide_gold)
        row.addWidget(self.solve_button)
        row.addWidget(self.stop_button)
        return row

    # --- slots ------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Make the field as high as its text, from three lines to nine."""
        lines = self.edit.document().documentLayout().documentSize().height() + 1
        line = QFontMetrics(self.edit.font()).lineSpacing()
        self.edit.setFixedHeight(round(line * min(9, max(3, lines)) + theme.gap(3)))

    def _gold_typed(self) -> None:
        # what a person typed stays, whatever happens to the question
        self._gold_of = ""
        self.empty.clear()

    def _edited(self) -> None:
        if self._gold_of and self.question != self._gold_of:
            self._gold_of = ""
            self.gold_edit.clear()
        self.question_id = 0
        self.empty.clear()
        self.source.hide()
        self._timer.start()

    def _hide_gold(self, hidden: bool) -> None:
        mode = QLineEdit.EchoMode.Password if hidden else QLineEdit.EchoMode.Normal
        self.gold_edit.setEchoMode(mode)

    def _take(self, pick: Pick) -> None:
        self.set_question(pick.text, pick.gold, pick.source)
        self.question_id = pick.id
        self.solve_button.setFocus()

    def _take_drawn(self, pick: Pick | None) -> None:
        if pick is None:
            self.empty.say(self.tr("The project has no questions yet. Import some first."))
        else:
            self._take(pick)

    def _may_be_long(self, text: str) -> bool:
        # a token is one character at least
        return bool(self._text_folder and self._limit and len(text) > self._limit * 8)

    def _check(self) -> None:
        self._timer.stop()
        folder, text = self._text_folder, self.question
        if folder is None or not text:
            self.unknown.clear()
            self.too_long.clear()
            return
        self._background.run(lambda: self._report(folder, text), self._show_report,
                             lambda _: self.unknown.clear(), key="check")  # fmt: skip

    def _report(self, folder: Path, text: str) -> tuple[str, Any, str]:
        """Return a text, what the students' vocabulary says of it, and what of it they can read."""
        if folder not in self._texts:
            from training_backend.students.text import StudentText

            self._texts[folder] = StudentText.for_folder(folder)
        student, limit = self._texts[folder], self._limit
        report = student.check(text)
        cut = text
        if limit and report.tokens > limit:
            cut = beginning(text, lambda part: student.check(part).tokens <= limit - PREFIX_TOKENS)
        return text, report, cut

    def _show_report(self, checked: tuple[str, Any, str]) -> None:
        text, report, cut = checked
        self._cut = (text, cut)
        words = list(dict.fromkeys(report.unknown_words))
        if words:
            named = ", ".join(f"“{_short(word)}”" for word in words[:8]) + (" …" if len(words) > 8 else "")
            self.unknown.say(self.tr("These students have never seen: {0}. They will guess.").format(named))
        else:
            self.unknown.clear()
        if cut != text:
            text = self.tr(
                "{0} tokens: these students read at most {1}. What stands after “… {2}” is left out."
            )
            last = _short(" ".join(cut.split()[-4:]), 40)
            self.too_long.say(text.format(f"{report.tokens:,}", f"{self._limit:,}", last))
        else:
            self.too_long.clear()

    def _restyle(self) -> None:
        self.edit.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.text_font(1))} }}")
        self._fit()
        self.random_button.setIcon(theme.icon("refresh", "muted"))
        self.random_button.setStyleSheet(
            "QToolButton::menu-button { border: none; background: transparent; }"
        )
        self.random_button.setIconSize(QSize(theme.icon_size(), theme.icon_size()))
        self.gold_edit.setMinimumWidth(theme.line_height() * 4)


def beginning(text: str, fits: Callable[[str], bool]) -> str:
    """Return the longest beginning of whole words (of characters where there is one word) that fits."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    if not ends or not fits(text[: ends[0]]):
        ends = list(range(1, len(text) + 1))
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[: ends[middle - 1]]):
            low = middle
        else:
            high = middle - 1
    return text[: ends[low - 1]] if low else ""


def _short(word: str, most: int = 24) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"
