"""Where the table's rows come from: one vector of ids, pages of rows read beside the window's thread.

The vector is a snapshot: it changes only when the filter, the order or the person's *refresh* changes it.
A row whose new state no longer fits the filter stays where it is; `fits` tells so, and the table marks it.
"""

from __future__ import annotations

import ctypes
import linecache
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from kpdd_app.background import Background
from training_backend.project.flags import NONE as NO_FLAG
from training_backend.project.listing import Interrupted, Listing, ListRow, RowFilter

PAGE_ROWS = 128
PAGES_KEPT = 48
QUIET_MS = 900
# from so many rows on, or so large a file, the first rows are shown before all are known
MANY, LARGE_FILE_BYTES, FIRST_HITS = 20_000, 32 * 2**20, 200
# what is said about news takes at most this share of a thread
NEWS_SHARE = 0.1
_M_MMAP_THRESHOLD = -3  # malloc.h


def give_memory_back() -> None:
    """Let what a million ids took return to the system when it is freed, where the C library can be told.

    glibc otherwise learns from the first large block to keep them all for later.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if tell is not None:
        tell(_M_MMAP_THRESHOLD, 2**18)


class RowSource(QObject):
    """The rows of the open project under a filter."""

    ids_changed = Signal()
    """Another vector: the filter, the order, or a refresh."""
    rows_arrived = Signal(int, int)
    """Rows first..last (exclusive) can be painted now."""
    facets_changed = Signal(object)
    """Facet → [(value, count)] under the filter."""
    news_changed = Signal(int, int)
    """How many rows a refresh would add, and how many it would take away."""
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin without a project."""
        super().__init__(parent)
        give_memory_back()
        self.ids: np.ndarray = np.empty(0, dtype=np.int64)
        self.filter = RowFilter()
        self.loading = False
        self._pages: OrderedDict[int, dict[int, ListRow]] = OrderedDict()
        self._wanted: set[int] = set()
        self._asked: set[int] = set()
        self._generation = 0
        self._many = False
        self._first_only = False
        self._listing: Listing | None = None
        self._page_thread = Background("table-pages", self)
        self._id_thread = Background("table-ids", self)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self._look_for_news)

    # --- the project ------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Read from this project file from now on."""
        self.close()
        self._listing = Listing(path)
        self._many = path.stat().st_size > LARGE_FILE_BYTES
        self.set_filter(self.filter)

    def close(self) -> None:
        """Let go of the project; the vector is empty afterwards."""
        self._generation += 1
        listing, self._listing = self._listing, None
        if listing is not None:
            listing.interrupt()
            pages_read = self._page_thread.run(lambda: None)

            def close() -> None:
                if pages_read is not None:
                    pages_read.result()
                listing.close()

            # after everything that still reads from it
            self._id_thread.run(close)
        self._forget_pages()
        self.ids = np.empty(0, dtype=np.int64)
        self.ids_changed.emit()

    def shut_down(self) -> None:
        """Close the project and end the threads."""
        self.close()
        self._quiet.stop()
        self._page_thread.close()
        self._id_thread.close()

    # --- the vector -------------------------------------------------------------------------------

    def set_filter(self, wanted: RowFilter) -> None:
        """Show the rows of another filter or in another order; a search that still runs is interrupted."""
        self.filter = wanted
        listing = self._listing
        if listing is None:
            return
        self.loading = True
        listing.interrupt()
        self._many = self._many or len(self.ids) > MANY
        in_order = wanted.sort == "id" and not wanted.descending
        if self._many and in_order and (wanted.search or not len(self.ids)):
            self._id_thread.run(
                lambda: listing.ids(wanted, FIRST_HITS), self._take_first, self._failed, "first"
            )
        else:
            self._id_thread.drop("first")
        self._id_thread.run(lambda: listing.ids(wanted), self._take_ids, self._failed, key="ids")
        self._count_facets()

    def refresh(self) -> None:
        """Take a new snapshot under the same filter."""
        self.set_filter(self.filter)

    def __len__(self) -> int:
        return len(self.ids)

    def position(self, row_id: int) -> int | None:
        """Return where a row stands in the vector, None when it is not there."""
        found = np.flatnonzero(self.ids == row_id)
        return int(found[0]) if len(found) else None

    # --- rows -------------------------------------------------------------------------------------

    def row(self, position: int) -> ListRow | None:
        """Return the row at a position, None while it is still being read."""
        page = self._pages.get(position // PAGE_ROWS)
        return page.get(int(self.ids[position])) if page is not None else None

    def want(self, first: int, last: int) -> None:
        """Say which positions are on the screen; their pages, and one on either side, are read."""
        if not len(self.ids):
            return
        low, high = first // PAGE_ROWS, max(first, last - 1) // PAGE_ROWS
        last_page = (len(self.ids) - 1) // PAGE_ROWS
        seen = list(range(low, min(high, last_page) + 1))
        near = [number for number in (high + 1, low - 1) if 0 <= number <= last_page]
        self._wanted = {*seen, *near}
        for number in (*seen, *near):
            if number in self._pages:
                self._pages.move_to_end(number)
            elif number not in self._asked:
                self._ask(number)

    def fits(self, row: ListRow) -> bool:
        """Tell whether a row's present state is still what the filter asks for."""
        for facet, values in self.filter.facets.items():
            own = (row.flags or (NO_FLAG,)) if facet == "flags" else (getattr(row, facet),)
            if values and values.isdisjoint(own):
                return False
        return True

    def next_unreviewed(self, position: int, then: Callable[[int | None], None]) -> None:
        """Find the next unreviewed row of the vector after `position`, going round at its end."""
        listing, ids, wanted = self._listing, self.ids, self.filter
        if listing is None:
            return
        facets = {**wanted.facets, "review": frozenset({"unreviewed"})}

        def find() -> int | None:
            open_ids = listing.ids(RowFilter(facets, wanted.search))
            places = np.flatnonzero(np.isin(ids, open_ids))
            later = places[places > position]
            return int(later[0]) if len(later) else int(places[0]) if len(places) else None

        self._id_thread.run(find, then, self._failed, key="unreviewed")

    # --- news -------------------------------------------------------------------------------------

    def rows_changed(self, ids: Iterable[int] | None) -> None:
        """Read changed rows again (None: all on the screen), and tell what a refresh would bring."""
        if self._listing is None:
            return
        if ids is None:
            for number in list(self._pages):
                if number not in self._wanted:
                    del self._pages[number]
            for number in sorted(self._wanted & set(self._pages)):
                self._ask(number)
        else:
            changed = set(ids)
            for number, page in list(self._pages.items()):
                if not changed.isdisjoint(page):
                    if number in self._wanted:
                        self._ask(number)
                    else:
                        del self._pages[number]
        if not self._quiet.isActive():
            self._quiet.start()

    # --- helpers ----------------------------------------------------------------------------------

    def _forget_pages(self) -> None:
        self._pages.clear()
        self._asked.clear()
        self._wanted = set()

    def _take_first(self, ids: np.ndarray) -> None:
        self._take_ids(ids)
        self._first_only = True

    def _take_ids(self, ids: np.ndarray) -> None:
        # texts of the modules that were imported for a project; PySide reads them, and Python keeps them
        linecache.clearcache()
        self._generation += 1
        self.loading = False
        # the first rows stay on the screen when the others follow them
        same = self._first_only and np.array_equal(ids[:PAGE_ROWS], self.ids[:PAGE_ROWS])
        kept = {0: self._pages[0]} if same and 0 in self._pages else {}
        self._first_only = False
        self._forget_pages()
        self._pages.update(kept)
        self.ids = ids
        self.ids_changed.emit()
        self.news_changed.emit(0, 0)

    def _count_facets(self) -> None:
        listing, wanted = self._listing, self.filter
        if listing is not None:
            self._id_thread.run(
                lambda: listing.facets(wanted), self.facets_changed.emit, self._failed, "facets"
            )

    def _ask(self, number: int) -> None:
        listing = self._listing
        if listing is None:
            return
        generation = self._generation
        chunk = self.ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS].tolist()
        self._asked.add(number)

        def read() -> list[ListRow] | None:
            # the person scrolled on; another page matters more
            return listing.page(chunk) if number in self._wanted and generation == self._generation else None

        self._page_thread.run(read, lambda rows: self._take_page(generation, number, rows), self._failed)

    def _take_page(self, generation: int, number: int, rows: list[ListRow] | None) -> None:
        if generation != self._generation:
            return
        self._asked.discard(number)
        if rows is None:
            if number in self._wanted and number not in self._pages:
                self._ask(number)
            return
        before, now = self._pages.get(number), {row.id: row for row in rows}
        self._pages[number] = now
        self._pages.move_to_end(number)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        first, last = number * PAGE_ROWS, min(len(self.ids), (number + 1) * PAGE_ROWS)
        if before is not None:
            # read again because some of its rows changed: only those are others now
            other = [first + place for place, row_id in enumerate(self.ids[first:last].tolist())
                     if before.get(row_id) != now.get(row_id)]  # fmt: skip
            if not other:
                return
            first, last = other[0], other[-1] + 1
        self.rows_arrived.emit(first, last)

    def _look_for_news(self) -> None:
        listing, wanted, ids = self._listing, self.filter, self.ids
        if listing is None:
            return

        def compare() -> tuple[int, int, float]:
            began = time.perf_counter()
            return *listing.news(wanted, ids), time.perf_counter() - began

        self._count_facets()
        self._id_thread.run(compare, self._tell_news, self._failed, key="news")

    def _tell_news(self, told: tuple[int, int, float]) -> None:
        *news, seconds = told
        self._quiet.setInterval(max(QUIET_MS, round(seconds * 1000 / NEWS_SHARE)))
        if not len(self.ids) and news[0] and not self.loading:
            # nobody reads an empty table: show what came
            self.refresh()
            return
        self.news_changed.emit(*news)

    def _failed(self, error: Exception) -> None:
        self.loading = False
        if not isinstance(error, Interrupted):
            self.failed.emit(error)
