"""The table of results: students on benchmarks with intervals, and the published figures, marked as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHeaderView, QTableWidgetItem, QWidget

from kpdd_app import theme
from kpdd_app.widgets.plain_table import PlainTable
from training_backend import methods
from training_backend.evaluation.published import AVERAGE, NOT_AVAILABLE, neighbours, published


@dataclass(frozen=True)
class Result:
    """One evaluation as it is shown; `id` is 0 for one that no project keeps, `wrong` then holds its rows."""

    id: int
    students: str
    method: str
    benchmark: str
    summary: Mapping[str, Any]
    when: str = ""
    finished: bool = True
    wrong: tuple[Any, ...] = field(default=(), compare=False)
    running: bool = False
    # what the students are called where they can be chosen; they may be gone since
    title: str = ""

    @property
    def dataset(self) -> str:
        """Return the data set's name as the published figures know it."""
        return self.benchmark.split()[0].lower() if self.benchmark.split() else ""


COLUMNS = (
    "Students",
    "Method",
    "Benchmark",
    "Accuracy",
    "95 % interval",
    "Right",
    "Not scored",
    "Published:\nthis method, here",
    "Published:\nthis method, average",
    "Published:\nother work, here",
)
PUBLISHED_FROM = 7


class ResultsTable(PlainTable):
    """A row per evaluation, the newest first."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the table, empty."""
        super().__init__("Results", COLUMNS, parent)
        self.results: list[Result] = []
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.currentCellChanged.connect(self._current_changed)
        theme.notifier().changed.connect(self._restyle)

    def show_results(self, results: Sequence[Result]) -> None:
        """Show the results; the marked one stays marked wherever it stands now, else it is the first."""
        before = self.currentRow()
        marked = self.results[before] if 0 <= before < len(self.results) else None
        self.results = list(results)
        self.blockSignals(True)
        self.setRowCount(len(self.results))
        for number, result in enumerate(self.results):
            for column, (text, tip) in enumerate(cells(result)):
                self.setItem(number, column, _cell(text, tip, column))
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)
        if self.results:
            same = (number for number, one in enumerate(self.results) if marked and _same(one, marked))
            self.setCurrentCell(next(same, 0), 0)

    def _restyle(self) -> None:
        self.show_results(self.results)

    def _current_changed(self, row: int, *_: int) -> None:
        if 0 <= row < len(self.results):
            self.chosen.emit(self.results[row])


def _same(one: Result, other: Result) -> bool:
    """Tell whether two are the same evaluation, which may have ended in between."""
    return one.id == other.id if one.id or other.id else one == other


def cells(result: Result) -> list[tuple[str, str]]:
    """Return (text, tool tip) of every cell of a result."""
    summary = result.summary
    total, accuracy = summary.get("total") or 0, summary.get("accuracy")
    interval = summary.get("interval_95")
    method = methods.METHODS.get(result.method)
    here, average = published(result.method, result.dataset), published(result.method, AVERAGE)
    others = neighbours(result.dataset)
    best = max(others, key=lambda figure: figure.percent or 0, default=None)
    share = f"{100 * accuracy:.1f} %" if accuracy is not None else "–"
    return [
        (result.title or result.students, "\n".join(filter(None, (result.students, result.when)))),
        (method.title if method else result.method, method.note if method else ""),
        (result.benchmark, ""),
        (share if result.finished else "running …" if result.running else "not finished", ""),
        (f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}" if interval else "–", "Wilson"),
        (f"{summary.get('right', 0):,} of {total:,}" if total else "–", ""),
        (f"{summary.get('unscored', 0):,}" if total else "–", "counted as wrong in the accuracy"),
        (_percent(here), _about(here)),
        (_percent(average), _about(average)),
        (f"{_percent(best)}  ({best.student})" if best else NOT_AVAILABLE,
         "\n".join(f"{f.method}, {f.student}: {f.text} %  ({f.source})" for f in others)),
    ]  # fmt: skip


def _percent(figure: Any) -> str:
    return NOT_AVAILABLE if figure.percent is None else f"{figure.text} %"


def _about(figure: Any) -> str:
    if figure.percent is None:
        return "no source could be read"
    return f"{figure.student}, {figure.source}" + (f", {figure.note}" if figure.note else "")


def _cell(text: str, tip: str, column: int) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    if tip:
        item.setToolTip(tip)
    if column == 3:
        item.setFont(theme.text_font(bold=True))
    if column >= PUBLISHED_FROM:
        font = theme.text_font()
        font.setItalic(True)
        item.setFont(font)
        item.setForeground(theme.colour("faint" if text == NOT_AVAILABLE else "muted"))
    return item
