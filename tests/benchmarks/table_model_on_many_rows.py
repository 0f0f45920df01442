"""What QSqlTableModel in a QTableView spends on the same project for the same wishes, as JSON.

python tests/benchmarks/table_model_on_many_rows.py PROJECT.kpdd       (test_million_rows.py runs it)

It reads the view `row_text` where texts are looked for with LIKE, as a first attempt at such a window would;
everything happens in the window's thread, so the thread's time and the clock's are nearly the same.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtSql import QSqlDatabase, QSqlTableModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableView

SORTED_BY = ("verdict", "question", "answer_value", "suspicion", "dataset")
WORDS = ("rob", "robes", "tickets", "zzzz", "Anna buys")
SHOWN = ("id", "verdict", "review", "kind", "question", "answer_text", "gold_text")


class Walk:
    """The view with the model, and what is measured in it."""

    def __init__(self, path: Path) -> None:
        self.app = QApplication([])
        self.figures: dict[str, tuple[float, float]] = {}
        database = QSqlDatabase.addDatabase("QSQLITE")
        database.setDatabaseName(str(path))
        assert database.open(), database.lastError().text()
        self.view = QTableView()
        self.view.resize(1000, 950)
        self.view.show()
        self.app.processEvents()
        self.model = QSqlTableModel(db=database)
        self.model.setEditStrategy(QSqlTableModel.EditStrategy.OnFieldChange)

    def spent(self, act: Callable[[], object]) -> tuple[float, float]:
        """Return the ms of the thread and of the clock until `act` is done and painted."""
        cpu, wall = time.thread_time(), time.perf_counter()
        act()
        self.app.processEvents()
        return (time.thread_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000

    def note(self, name: str, found: list[tuple[float, float]], share: float = 100) -> None:
        """Keep a percentile (100: the worst) of measurements under a name."""
        cpu, wall = (float(np.percentile(part, share)) for part in zip(*found, strict=True))
        self.figures[name] = cpu, wall

    def open(self) -> None:
        """Show the table's first rows."""
        self.model.setTable("row")
        assert self.model.select(), self.model.lastError().text()
        self.view.setModel(self.model)
        for column in range(self.model.columnCount()):
            self.view.setColumnHidden(
                column, self.model.headerData(column, Qt.Orientation.Horizontal) not in SHOWN
            )
        self.view.selectRow(0)

    def only(self, condition: str) -> None:
        """Show the rows of a condition."""
        self.model.setFilter(condition)
        assert self.model.select()

    def search(self, word: str) -> None:
        """Show the rows that hold a word."""
        likes = " OR ".join(
            f"{column} LIKE '%{word}%'"
            for column in ("question", "core_question", "information", "rationale")
        )
        self.only(f"id IN (SELECT id FROM row_text WHERE {likes})")

    def sort(self, column: str) -> None:
        """Order by a column."""
        self.model.sort(self.model.fieldIndex(column), Qt.SortOrder.AscendingOrder)

    def to_the_end(self) -> None:
        """Read all rows, which the view needs before it can stand at the last one."""
        while self.model.canFetchMore():
            self.model.fetchMore()
        self.view.scrollToBottom()

    def accept(self, place: int) -> None:
        """Write a review and go on to the next row."""
        column = self.model.fieldIndex("review")
        assert self.model.setData(self.model.index(place, column), "accepted"), self.model.lastError().text()
        self.view.selectRow(place + 1)

    def run(self) -> None:
        """Measure everything and print it."""
        self.note("opening to the first rows", [self.spent(self.open)])
        down = lambda: QTest.keyClick(self.view, Qt.Key.Key_PageDown)  # noqa: E731
        self.view.setFocus()
        pages = [self.spent(down) for _ in range(200)]
        self.note("page down, p50", pages, 50)
        self.note("page down, p99", pages, 99)
        self.note("accept and next, p99", [self.spent(lambda n=n: self.accept(n)) for n in range(20)], 99)
        filters = ("verdict = 'equal'", "review = 'accepted'", "dataset = 'gsm8k' AND verdict = 'raised'")
        self.note("filter, worst", [self.spent(lambda c=c: self.only(c)) for c in filters])
        self.only("")
        self.note("sort, worst", [self.spent(lambda name=name: self.sort(name)) for name in SORTED_BY])
        self.sort("id")
        self.note("first hits of a search, p99", [self.spent(lambda w=w: self.search(w)) for w in WORDS], 99)
        self.only("")
        self.note("jump to the end", [self.spent(self.to_the_end)])
        fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        self.figures["memory, MiB"] = (
            int(fields["VmRSS"].split()[0]) / 1024,
            int(fields["VmHWM"].split()[0]) / 1024,
        )
        print(json.dumps(self.figures), flush=True)
        # no tidying up of what Qt and Python hold: everything is written
        os._exit(0)


if __name__ == "__main__":
    Walk(Path(sys.argv[1])).run()
