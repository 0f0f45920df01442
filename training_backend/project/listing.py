"""The list of rows that a window paints: id vectors, pages and facet counts, read with raw sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training_backend.project import flags
from training_backend.project.faults import explained
from training_backend.project.lines import FACETS, SORT_PREFIX, TOUCHED_KEPT
from training_backend.project.search import parse_query
from training_backend.project.snapshot import Snapshot, chosen_of

REVIEWS = ("unreviewed", "accepted", "rejected")
SORTS = (
    "id", "question_id", "dataset", "split", "kind", "path", "verdict", "review", "flagged", "changed",
    "question", "core_question", "rationale", "answer_text", "gold_text", "suspicion", "round",
)  # fmt: skip


@dataclass(frozen=True)
class RowFilter:
    """Which rows, in which order: values wanted per facet (of FACETS), words to find, a column of SORTS.

    Values of one facet are alternatives, facets are joined by "and". `changed` and `flagged` hold 0 or 1;
    `flags` the names of flags.FLAGS, of which a row may have several, or "none".
    """

    facets: Mapping[str, frozenset] = field(default_factory=dict)
    search: str = ""
    sort: str = "id"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line of the list; its texts are snippets. `verdict` is a state of rationale.judgement."""

    id: int
    question_id: int
    dataset: str
    split: str
    kind: str
    path: int
    verdict: str
    review: str
    flagged: bool
    changed: bool
    question: str
    core_question: str
    rationale: str
    answer_text: str
    gold_text: str
    flags: tuple[str, ...] = ()
    suspicion: int = 0
    round: int = 0


LIST_COLUMNS = (
    "id, question_id, dataset, split, kind, path, verdict, review, flagged, changed, question, "
    "core_question, rationale, answer_text, gold_text, flags, suspicion, round"
)
# columns whose order is read from an index; every other one is a facet and is ordered by its few values
_ORDERED = {
    "question_id": "question_id",
    **{name: f"substr({name}, 1, {SORT_PREFIX})" for name in ("question", "core_question", "rationale")},
    "answer_text": "answer_value, answer_text",
    "gold_text": "gold_value, gold_text",
}


ORDERS_KEPT = 3  # of a million rows each takes 4 MB


class Interrupted(Exception):
    """The query was ended by `Listing.interrupt` because nobody waits for it any more."""


def list_row(line: Sequence) -> ListRow:
    """Return the ListRow of one line of LIST_COLUMNS."""
    line = list(line)
    line[8:10] = bool(line[8]), bool(line[9])
    line[15] = flags.names_in(line[15])
    return ListRow(*line)


def read_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> list[ListRow]:
    """Return the rows of these ids in the order asked; an id that the project does not have is left out."""
    found: dict[int, ListRow] = {}
    for start in range(0, len(ids), 500):
        part = [int(number) for number in ids[start : start + 500]]
        marks = ",".join("?" * len(part))
        for line in connection.execute(f"SELECT {LIST_COLUMNS} FROM row WHERE id IN ({marks})", part):
            found[line[0]] = list_row(line)
    return [found[int(number)] for number in ids if int(number) in found]


class Listing:
    """Answers a table: which rows (ids), what they show (page), how many of each value (facets).

    It only reads, sees what others commit, and may be used from several threads: `page` never waits for a
    query of `ids` or `facets`, and `interrupt`, called from any thread, ends the one that runs.
    """

    def __init__(self, project_path: str | Path) -> None:
        """Open the project file for reading."""
        from training_backend.project.store import connect_reader

        self._path = Path(project_path)
        self._pages = connect_reader(self._path)
        self._queries = connect_reader(self._path)
        self._snapshot: Snapshot | None = None
        self._orders: dict[str, tuple[int, np.ndarray]] = {}
        self._hits: tuple[int, str, np.ndarray] | None = None
        self._interrupted = False
        self._closed = False

    def close(self) -> None:
        """Close both connections; a query that still runs ends as interrupted."""
        if self._closed:
            return
        self._closed = True
        self.interrupt()
        self._pages.close()
        self._queries.close()

    def interrupt(self) -> None:
        """End the running `ids` or `facets`: it raises Interrupted."""
        self._interrupted = True
        self._queries.interrupt()

    def page(self, ids: Sequence[int] | np.ndarray) -> list[ListRow]:
        """Return the rows of these ids, in the order asked."""
        with explained(self._path):
            return read_rows(self._pages, [int(number) for number in ids])

    def ids(self, wanted: RowFilter, limit: int | None = None) -> np.ndarray:
        """Return the ids of all matching rows in order, as int64; with `limit` the first ones only.

        In the order of ids the first ones come at once, before all are known, where there is a search or no
        filter at all: show them, then ask for all. Interrupted when `interrupt` was called meanwhile.
        """
        with self._query():
            if limit is not None and wanted.sort == "id" and not wanted.descending:
                if parse_query(wanted.search).words:
                    return self._first_hits(wanted, limit)
                if not chosen_of(wanted.facets):
                    first = self._queries.execute("SELECT id FROM row ORDER BY id LIMIT ?", (limit,))
                    return np.array([number for (number,) in first], dtype=np.int64)
            snapshot = self._current()
            return self._ordered(snapshot, self._mask(snapshot, wanted), wanted)[:limit]

    def facets(self, wanted: RowFilter) -> dict[str, list[tuple[object, int]]]:
        """Return, for each facet, its values with their row counts, most frequent first.

        The counts of a facet obey the search and the other facets but not its own choice, so that a person
        sees what another choice would give; values that count nothing are listed with 0.
        """
        with self._query():
            snapshot = self._current()
            searching = parse_query(wanted.search).words
            hits = self._search_mask(wanted.search, snapshot) if searching else None
            return snapshot.counts(wanted.facets, hits)

    def news(self, wanted: RowFilter, ids: np.ndarray) -> tuple[int, int]:
        """Return how many matching rows are not among `ids`, and how many of `ids` match no longer."""
        with self._query():
            mask = self._mask(self._current(), wanted)
            shown = np.zeros_like(mask)
            shown[ids[ids < len(mask)]] = True
            kept = np.count_nonzero(mask & shown)
            return int(np.count_nonzero(mask) - kept), int(len(ids) - kept)

    @contextmanager
    def _query(self) -> Iterator[None]:
        self._interrupted = False
        try:
            with explained(self._path):
                yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                raise Interrupted from None
            raise
        except sqlite3.ProgrammingError:
            if self._closed:
                raise Interrupted from None
            raise

    def _go_on(self) -> None:
        """Between two statements nothing runs that SQLite could interrupt."""
        if self._interrupted:
            raise Interrupted

    def _version(self) -> int:
        return self._queries.execute("PRAGMA data_version").fetchone()[0]

    def _current(self) -> Snapshot:
        """Return the facet values of all rows; what others wrote since the last time is read in addition."""
        version = self._version()
        if self._snapshot is None or self._snapshot.version != version:
            self._queries.execute("BEGIN")
            try:
                if self._snapshot is None or not self._follow(self._snapshot):
                    self._snapshot = self._read_all()
                self._snapshot.version = version
            finally:
                self._queries.execute("COMMIT")
        self._go_on()
        return self._snapshot

    def _read_all(self) -> Snapshot:
        seq = self._queries.execute("SELECT coalesce(max(seq), 0) FROM row_touched").fetchone()[0]
        names = ", ".join(FACETS)
        snapshot = Snapshot(seq)
        # both walk through the same index, so the ids come in the order of the groups
        ids = self._vector(f"SELECT id FROM row INDEXED BY row_facets ORDER BY {names}")
        snapshot.fill(
            self._queries.execute(
                f"SELECT {names}, count(*) FROM row INDEXED BY row_facets GROUP BY {names} ORDER BY {names}"
            ),
            ids,
        )
        return snapshot

    def _follow(self, snapshot: Snapshot) -> bool:
        """Bring a snapshot up to date with the rows touched since; False where too much has happened."""
        first, last = self._queries.execute(
            "SELECT (SELECT min(seq) FROM row_touched), (SELECT max(seq) FROM row_touched)"
        ).fetchone()
        if last is None or last == snapshot.seq:
            return last is not None
        if first > snapshot.seq + 1 or last - snapshot.seq > TOUCHED_KEPT:
            return False
        touched = self._queries.execute(
            f"SELECT id, {', '.join(FACETS)} FROM row "
            "WHERE id IN (SELECT row_id FROM row_touched WHERE seq > ?)",
            (snapshot.seq,),
        ).fetchall()
        snapshot.reach(max((line[0] for line in touched), default=0))
        for row_id, *values in touched:
            snapshot.put(row_id, values)
        snapshot.seq = last
        return True

    def _vector(self, sql: str, values: tuple = ()) -> np.ndarray:
        """Return the ids that a statement gives, in its order; SQLite and numpy leave the GIL free."""
        text = self._queries.execute(f"SELECT group_concat(id) FROM ({sql})", values).fetchone()[0]
        self._go_on()
        return _numbers(text)

    def _mask(self, snapshot: Snapshot, wanted: RowFilter) -> np.ndarray:
        mask = snapshot.mask(wanted.facets)
        if parse_query(wanted.search).words:
            mask &= self._search_mask(wanted.search, snapshot)
        return mask

    def _search_mask(self, search: str, snapshot: Snapshot) -> np.ndarray:
        """Return, for each id, whether it is a hit; rows and facets of one search ask for the same."""
        size = len(snapshot.code)
        if self._hits is None or self._hits[:2] != (snapshot.version, search):
            mask = np.zeros(size, dtype=bool)
            for sql, values in self._search_statements(search):
                hits = self._vector(sql, values)
                mask[hits[hits < size]] = True
            self._hits = snapshot.version, search, mask
        return self._hits[2]

    def _search_statements(self, search: str) -> list[tuple[str, tuple]]:
        """Return the statements whose ids together are the hits of a search."""
        query = parse_query(search)
        behind = "(SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'search_rows')"
        likes = " AND ".join(
            "(question LIKE ? ESCAPE '!' OR core_question LIKE ? ESCAPE '!' OR information LIKE ? ESCAPE '!' "
            "OR rationale LIKE ? ESCAPE '!' OR note LIKE ? ESCAPE '!')"
            for _ in query.words
        )
        patterns = tuple(pattern for word in query.words for pattern in [_like(word)] * 5)
        if not query.rows:
            # signs only, such as "<<": no index knows them, so the texts themselves are read
            return [(f"SELECT id FROM row_text WHERE {likes}", patterns)]
        statements: list[tuple[str, tuple]] = [
            ("SELECT rowid AS id FROM search WHERE search MATCH ?", (query.rows,))
        ]
        if query.questions:
            statements.append((
                "SELECT row.id FROM search_question AS s JOIN row ON row.question_id = s.rowid "
                "WHERE search_question MATCH ?", (query.questions,),
            ))  # fmt: skip
        statements.append((f"SELECT id FROM row_text WHERE id > {behind} AND {likes}", patterns))
        return statements

    def _first_hits(self, wanted: RowFilter, limit: int) -> np.ndarray:
        found: set[int] = set()
        clauses, values = ["1"], []
        for name, chosen in chosen_of(wanted.facets):
            if name == "flags":
                clauses.append("(row.flags & ? <> 0 OR (? AND row.flags = 0))")
                values += [flags.mask_of(chosen - {flags.NONE}), flags.NONE in chosen]
                continue
            clauses.append(f"row.{name} IN ({','.join('?' * len(chosen))})")
            values += sorted(chosen, key=str)
        for sql, matched in self._search_statements(wanted.search):
            lines = self._queries.execute(
                f"SELECT row.id FROM ({sql}) AS hit JOIN row ON row.id = hit.id "
                f"WHERE {' AND '.join(clauses)} LIMIT ?",
                (*matched, *values, limit),
            )
            found.update(number for (number,) in lines)
            self._go_on()
        return np.array(sorted(found)[:limit], dtype=np.int64)

    def _ordered(self, snapshot: Snapshot, mask: np.ndarray, wanted: RowFilter) -> np.ndarray:
        if wanted.sort == "id":
            ids = np.flatnonzero(mask)
        elif wanted.sort == "suspicion":
            ids = self._by_suspicion(mask)
        elif wanted.sort in _ORDERED:
            order = self._order(wanted.sort)
            order = order[order < len(mask)]
            ids = order[mask[order]]
        else:
            ids = np.flatnonzero(mask)
            ids = ids[np.argsort(snapshot.ranks(wanted.sort, ids), kind="stable")]
        ids = ids.astype(np.int64, copy=False)
        return np.ascontiguousarray(ids[::-1]) if wanted.descending else ids

    def _by_suspicion(self, mask: np.ndarray) -> np.ndarray:
        """Return the masked ids, those without any flag first, then as their flags weigh."""
        suspects = self._vector(
            "SELECT id FROM row INDEXED BY row_by_suspicion WHERE suspicion > 0 ORDER BY suspicion, id DESC"
        )
        suspects = suspects[suspects < len(mask)]
        suspects = suspects[mask[suspects]]
        rest = mask.copy()
        rest[suspects] = False
        return np.concatenate([np.flatnonzero(rest)[::-1], suspects])

    def _order(self, column: str) -> np.ndarray:
        """Return the ids of all rows in the order of a column, from its index."""
        version = self._version()
        known = self._orders.get(column)
        if known is None or known[0] != version:
            # of older ones none is true any more, and of those that are the latest do
            true = [(name, kept) for name, kept in self._orders.items() if kept[0] == version]
            self._orders = dict(true[1 - ORDERS_KEPT :])
            order = self._vector(f"SELECT id FROM row ORDER BY {_ORDERED[column]}, id")
            known = self._orders[column] = version, order.astype(np.min_scalar_type(order.max(initial=0)))
        return known[1]


def _numbers(text: str | None) -> np.ndarray:
    """Return the int64 ids of a group_concat; numpy parses a million of them in a seventh of a second."""
    if not text:
        return np.empty(0, dtype=np.int64)
    return np.fromstring(text, dtype=np.int64, sep=",")


def _like(word: str) -> str:
    return "%" + word.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
