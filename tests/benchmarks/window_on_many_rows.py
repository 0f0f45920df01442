"""Walk the Dataset page of the real window over a large project and print what its thread spent, as JSON.

python tests/benchmarks/window_on_many_rows.py PROJECT.kpdd       (offscreen; test_million_rows.py runs it)

Turns of the event loop that took the thread more than 16 ms are told on standard error with what was done.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["KPDD_HOME"] = tempfile.mkdtemp(prefix="kpdd-home-")

import numpy as np
from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop, QProcess, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kpdd_app import theme
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.settings import Settings
from training_backend.project.listing import SORTS, RowFilter

STALL_MS = 16
WAIT_S = 60
WRITER_S = 10
WORDS = (
    "rob", "robes", "Ina", "tickets", "417", "shells 417", "how many", "zzzz", "per_day", "Anna buys",
    "marbles in", "days", "carries 2", "ans", "Quin", "stam", "tiles 4", "box", "the end", "Ja",
)  # fmt: skip


class Turns:
    """Watches the turns of the event loop: what the thread spent between two waits."""

    def __init__(self) -> None:
        self.doing = ""
        self.long: list[tuple[str, float, float]] = []
        self._began: tuple[float, float] | None = None
        dispatcher = QAbstractEventDispatcher.instance()
        dispatcher.awake.connect(self._begin)
        dispatcher.aboutToBlock.connect(self._end)

    def _begin(self) -> None:
        self._began = time.thread_time(), time.perf_counter()

    def _end(self) -> None:
        if self._began is None:
            return
        cpu, wall = ((now - before) * 1000 for now, before in
                     zip((time.thread_time(), time.perf_counter()), self._began, strict=True))  # fmt: skip
        self._began = None
        if cpu > STALL_MS:
            self.long.append((self.doing, round(cpu, 1), round(wall, 1)))


class Walk:
    """The window with the project, and what is measured in it."""

    def __init__(self, path: Path) -> None:
        self.app = QApplication([])
        theme.apply(self.app, "light")
        self.turns = Turns()
        self.figures: dict[str, tuple[float, float]] = {}
        # s of the thread that went into asking whether all is there: no work of the window
        self.asking = 0.0
        self.path = path
        self.project = OpenProject()
        self.project.failed.connect(lambda error: print("failed:", repr(error), file=sys.stderr))
        self.window = MainWindow(self.project, Jobs(), Settings())
        self.window.resize(1600, 1000)
        self.page = self.window.show_page("dataset")
        self.window.show()
        # an event now and then, so that waiting ends
        self.pulse = QTimer()
        self.pulse.start(5)
        self.idle(0.5)

    # --- how it is measured -----------------------------------------------------------------------

    def until(self, done: Callable[[], bool]) -> None:
        """Let the window work until something holds."""
        latest = time.monotonic() + WAIT_S
        while not self.asked(done):
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            assert time.monotonic() < latest, f"{self.turns.doing}: waited too long"
        self.app.processEvents()

    def asked(self, done: Callable[[], bool]) -> bool:
        """Return what a condition says; what asking costs is kept apart."""
        began = time.thread_time()
        said = done()
        self.asking += time.thread_time() - began
        return said

    def idle(self, seconds: float) -> None:
        """Let the window work for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def spent(
        self, what: str, act: Callable[[], object], done: Callable[[], bool] | None = None
    ) -> tuple[float, float]:
        """Return the ms of the thread and of the clock from `act` until `done` (else all) is painted."""
        self.turns.doing = what
        cpu, wall, asking = time.thread_time(), time.perf_counter(), self.asking
        act()
        self.until(done or self.settled)
        spent = time.thread_time() - cpu - (self.asking - asking)
        return spent * 1000, (time.perf_counter() - wall) * 1000

    def rows_there(self) -> bool:
        """Tell whether every row on the screen is read."""
        table, source = self.page.table, self.page.source
        if source.loading or not len(source):
            return False
        height = table._painter.height
        first = table.verticalScrollBar().value() // height
        last = min(len(source), first + table.viewport().height() // height + 1)
        return all(source.row(place) is not None for place in range(first, last))

    def settled(self) -> bool:
        """Tell whether everything asked for is on the screen: rows, the row's texts, nothing to write."""
        editor, source = self.page.editor, self.page.source
        shown = editor.detail.row.id if editor.detail is not None else None
        busy = source._id_thread.busy or source._page_thread.busy or self.project._waiting
        if not len(source):
            return not source.loading and not busy
        return self.rows_there() and shown == self.page.table.current_id and not busy

    def key(self, key: Qt.Key) -> Callable[[], object]:
        """Return what presses a key in the table."""
        return lambda: QTest.keyClick(self.page.table, key)

    def note(self, name: str, found: list[tuple[float, float]], share: float = 100) -> None:
        """Keep a percentile (100: the worst) of measurements under a name."""
        self.figures[name] = tuple(float(np.percentile(part, share)) for part in zip(*found, strict=True))

    # --- what is measured -------------------------------------------------------------------------

    def opening(self) -> None:
        """From the wish to open the file to its first rows on the screen."""
        first = self.spent("opening", lambda: self.project.open_later(self.path), self.rows_there)
        self.note("opening to the first rows", [first])
        self.note("opening, everything shown", [self.spent("opening, rest", lambda: None)])

    def moving(self) -> None:
        """Page down through the table, and to its ends."""
        page = self.page
        page.take_focus()
        pages = [self.spent("page down", self.key(Qt.Key.Key_PageDown)) for _ in range(300)]
        self.note("page down and the row beside it, p50", pages, 50)
        self.note("page down and the row beside it, p99", pages, 99)
        # the table alone: the texts beside it come in a turn of their own, as soon as they are read
        page.table.current_changed.disconnect(page.editor.show_row)
        pages = [
            self.spent("page down, table", self.key(Qt.Key.Key_PageDown), self.rows_there) for _ in range(400)
        ]
        page.table.current_changed.connect(page.editor.show_row)
        self.note("page down, p50", pages, 50)
        self.note("page down, p99", pages, 99)
        self.spent("jump to the top", self.key(Qt.Key.Key_Home))
        ends = []
        for _ in range(10):
            ends.append(self.spent("jump to the end", self.key(Qt.Key.Key_End)))
            self.spent("jump to the top", self.key(Qt.Key.Key_Home))
        self.note("jump to the end", ends)

    def filtering(self) -> None:
        """Every value of every facet alone, and two facets together."""
        page, found = self.page, []
        values = [(line.facet, line.value) for line in page.facets.lines() if not line.title]
        for facet, value in values:
            wanted = RowFilter({facet: frozenset({value})})
            found.append(
                self.spent(f"filter {facet} {value}", lambda wanted=wanted: page.show_filter(wanted))
            )
        both = RowFilter({"verdict": frozenset({"equal"}), "review": frozenset({"unreviewed"})})
        found.append(self.spent("filter of two facets", lambda: page.show_filter(both)))
        found.append(self.spent("no filter", page.clear_filter))
        self.note("filter, p50", found, 50)
        self.note("filter, worst", found)

    def sorting(self) -> None:
        """By every column, for the first time and again, up and down."""
        first = [self.spent(f"sort by {name}", lambda name=name: self.page.sort(name, name == "suspicion"))
                 for name in SORTS]  # fmt: skip
        again = [self.spent(f"sort by {name} again", lambda name=name: self.page.sort(name, True))
                 for name in SORTS]  # fmt: skip
        self.note("sort, worst", first)
        self.note("sort again, worst", again)
        self.spent("sort by id", lambda: self.page.sort("id", False))

    def searching(self) -> None:
        """First hits and all hits of words as they are typed."""
        firsts, alls = [], []
        for word in WORDS * 5:
            came: list[bool] = []
            connection = self.page.source.ids_changed.connect(lambda came=came: came.append(True))
            show = RowFilter(search=word)
            firsts.append(self.spent(f"search {word}", lambda show=show: self.page.show_filter(show),
                                     lambda came=came: bool(came)))  # fmt: skip
            alls.append(self.spent(f"search {word}, all", lambda: None))
            self.page.source.ids_changed.disconnect(connection)
        self.note("first hits of a search, p50", firsts, 50)
        self.note("first hits of a search, p99", firsts, 99)
        self.note("all hits of a search, worst", alls)
        self.spent("no search", self.page.clear_filter)

    def reviewing(self) -> None:
        """A accepts the row and goes to the next."""
        self.page.take_focus()
        found = [self.spent("accept and next", self.page.actions_of_page.accept.trigger) for _ in range(100)]
        self.note("accept and next, p50", found, 50)
        self.note("accept and next, p99", found, 99)
        self.note("undo", [self.spent("undo", self.page.actions_of_page.undo.trigger) for _ in range(20)], 50)

    def beside_a_writer(self) -> None:
        """A process adds a thousand rows a second and says so, as a job does; nobody touches the window."""
        self.idle(2)
        for name, wanted in (
            ("", RowFilter()),
            (", sorted", RowFilter(sort="question")),
            (", searched", RowFilter(search="tickets")),
        ):
            self.spent("before the writer", lambda wanted=wanted: self.page.show_filter(wanted))
            writer = QProcess()
            told: list[bytes] = []

            def hear(writer=writer, told=told) -> None:
                told.append(bytes(writer.readAllStandardOutput().data()))
                self.project.rows_changed.emit(None)

            writer.readyReadStandardOutput.connect(hear)
            writer.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
            self.turns.doing = "beside a writer" + name
            script = str(Path(__file__).with_name("write_rows.py"))
            writer.start(sys.executable, [script, str(self.path), str(WRITER_S)])
            self.until(lambda told=told: bool(told))
            thread, process, wall = time.thread_time(), time.process_time(), time.monotonic()
            self.until(lambda writer=writer: writer.state() == QProcess.ProcessState.NotRunning)
            seconds = time.monotonic() - wall
            spent = time.thread_time() - thread, time.process_time() - process
            self.figures[f"a writer of 1,000 rows a second{name}, %"] = 100 * spent[0] / seconds, seconds
            self.figures[f"the same{name}, all threads, %"] = 100 * spent[1] / seconds, seconds
            rows, own = b"".join(told).split()[-2:]
            self.figures[f"the writer's own share{name}, %"] = 100 * float(own) / seconds, seconds
            print(f"writer{name}: {int(rows) / seconds:,.0f} rows a second", file=sys.stderr)
            self.idle(2)

    def memory(self, name: str) -> None:
        """Keep what the process has resident."""
        with Path("/proc/self/status").open(encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        self.figures[name] = int(fields["VmRSS"].split()[0]) / 1024, int(fields["VmHWM"].split()[0]) / 1024

    def run(self, parts: list[str]) -> None:
        """Measure everything (or these parts) and print it."""
        random.seed(0)
        self.memory("memory before the project, MiB")
        self.opening()
        self.memory("memory after opening, MiB")
        for part in ("moving", "filtering", "sorting", "searching", "reviewing", "beside_a_writer"):
            if not parts or part in parts:
                getattr(self, part)()
                self.memory(f"memory after {part}, MiB")
        self.turns.doing = "building the other pages"
        for key, _ in self.window.titles():
            self.window.page(key)
        self.idle(0.5)
        self.memory("memory, MiB")
        for doing, cpu, wall in self.turns.long:
            print(
                f"{cpu:7.1f} ms of the thread in one turn ({wall:.0f} by the clock): {doing}", file=sys.stderr
            )
        self.window.close()
        print(json.dumps(self.figures), flush=True)
        # no tidying up of what Qt and Python hold: everything is written
        os._exit(0)


if __name__ == "__main__":
    Walk(Path(sys.argv[1])).run(sys.argv[2:])
