"""Held-out questions while students learn: what was asked, what was wanted, and what a student says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QSplitter,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.diff_view import DiffView
from kpdd_app.widgets.plain_table import PlainTable

SHOWN = 5
_WANTED, _VERDICT = 2, 4


_AS_WANTED = theme.Look("check", "as wanted", "equal", "equal_tint")
_OTHER_WORDS = theme.Look("pencil", "other words", "muted", "hover")


class SamplesView(QSplitter):
    """A table of questions; beside it the whole texts of the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it empty."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setProperty("panel", "apart")
        self._rows: list[tuple[str, Mapping[str, Any]]] = []
        self._titles: Mapping[str, str] = {}
        self._compared: list[tuple[str, str, str]] = []
        self.table = self._table()
        self.texts = DiffView()
        self.texts.setAccessibleName(self.tr("Texts of the chosen question"))
        self.texts.hide()
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.table.viewport()).addWidget(self.hint)
        self.addWidget(self.table)
        self.addWidget(self.texts)
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)
        self.setChildrenCollapsible(False)
        theme.notifier().changed.connect(self._restyle)
        self.say_held_out(True)
        self._restyle()

    def say_held_out(self, some: bool) -> None:
        """Say what will stand here: the questions of a run of which `some` rows are held out, or nothing."""
        self.hint.setText(
            self.tr("The students are asked at every look at the held-out questions.")
            if some
            else self.tr("No rows of this run are held out: the students are asked nothing while they learn.")
        )

    def clear(self) -> None:
        """Show nothing."""
        self.show_samples({}, {})

    def show_samples(self, titles: Mapping[str, str], samples: Mapping[str, Sequence[Mapping]]) -> None:
        """Show the newest samples by student, five of each; the chosen line stays chosen."""
        rows = [(role, sample) for role, each in samples.items() for sample in each[:SHOWN]]
        if rows == self._rows:
            return
        self._rows, self._titles = rows, titles
        self.table.setRowCount(len(rows))
        self.hint.setVisible(not rows)
        for number, (role, sample) in enumerate(rows):
            self._fill(number, role, sample)
        self._show_chosen()

    def _table(self) -> PlainTable:
        tr = self.tr
        headings = [tr("Student"), tr("Held-out question"), tr("Wanted"), tr("It says now"), tr("Verdict")]
        table = PlainTable(tr("Held-out questions"), headings)
        header = table.horizontalHeader()
        for section in (1, 2, 3):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Stretch)
        table.itemSelectionChanged.connect(self._show_chosen)
        return table

    def _fill(self, number: int, role: str, sample: Mapping[str, Any]) -> None:
        look = verdict(sample)
        texts = (
            self._titles[role],
            asked(sample),
            sample.get("wanted", ""),
            sample.get("said", ""),
            look.word,
        )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(" ".join(str(text).split())[:300])
            item.setToolTip(str(text)[:2000])
            if column == _VERDICT:
                item.setForeground(theme.colour(look.colour))
                item.setIcon(theme.icon(look.sign, look.colour))
            self.table.setItem(number, column, item)

    def _show_chosen(self) -> None:
        number = self.table.currentRow()
        chosen = bool(self.table.selectedItems()) and number < len(self._rows)
        if chosen and not self.texts.isVisible():
            self.setSizes([3 * self.width() // 5, 2 * self.width() // 5])
        self.texts.setVisible(chosen)
        # it stands beside the table then, against what the student says
        self.table.setColumnHidden(_WANTED, chosen)
        if chosen:
            _, sample = self._rows[number]
            wanted, said = str(sample.get("wanted", "")), str(sample.get("said", ""))
            title = (
                self.tr("It says just what is wanted:")
                if wanted == said
                else self.tr("What it says (underlined) against what is wanted (crossed out):")
            )
            texts = [(f"{_in_lines(asked(sample))}\n\n{title}", wanted, said)]
            if texts != self._compared:
                # what is read stays where it is while others change
                self._compared = texts
                self.texts.compare_all(texts, mono="\n" in wanted)

    def _restyle(self) -> None:
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(theme.line_height() * 3)
        self.table.setColumnWidth(0, theme.line_height() * 4)
        self.table.setColumnWidth(_VERDICT, theme.line_height() * 8)
        self.table.setMinimumHeight(theme.row_height() * 4)
        for number, (role, sample) in enumerate(self._rows):
            self._fill(number, role, sample)
        self._compared = []
        self._show_chosen()


def verdict(sample: Mapping[str, Any]) -> theme.Look:
    """Return how what a student says is shown: by its answer, or, where it has none, by its words.

    >>> verdict({"wanted": "core  question", "said": "core question"}).word
    'as wanted'
    """
    if state := str(sample.get("state") or ""):
        return theme.look(state)
    wanted, said = (str(sample.get(name, "")).split() for name in ("wanted", "said"))
    return _AS_WANTED if wanted == said else _OTHER_WORDS


def _in_lines(source: str) -> str:
    """Begin a line with each of the key points that stand behind a question."""
    for name in ("core question: ", "information: "):
        source = source.replace(f" {name}", f"\n{name}")
    return source


def asked(sample: Mapping[str, Any]) -> str:
    """Return the question of a sample without the words that name the task.

    >>> asked({"source": "extract key points: question: How many?"})
    'How many?'
    """
    return str(sample.get("source", "")).split(": ", 1)[-1].removeprefix("question: ")
