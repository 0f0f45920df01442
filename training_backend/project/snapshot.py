"""The facet values of all rows at one moment, as numbers: which rows fit, how many have each value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from training_backend.project import flags
from training_backend.project.lines import FACETS

Choices = Mapping[str, frozenset]
"""Values wanted per facet: alternatives within one, joined by "and" between them; empty: any."""


class Snapshot:
    """Which combination of facet values each row has; a project has far fewer combinations than rows.

    `code` has a place for every id: the number of its combination, or -1 where there is no such row.
    `version` tells whether anybody has written since, `seq` up to which entry of `row_touched` it reaches.
    """

    def __init__(self, seq: int) -> None:
        """Begin without rows."""
        self.version = -1
        self.seq = seq
        self.code = np.full(1, -1, dtype=np.int32)
        # per facet: value → small number, in the order in which the values came
        self._numbers: list[dict[Any, int]] = [{} for _ in FACETS]
        self._known: dict[bytes, int] = {}
        self._room = np.zeros((64, len(FACETS)), dtype=np.int32)

    # --- filling ----------------------------------------------------------------------------------

    def fill(self, counted: Iterable[Sequence], ids: np.ndarray) -> None:
        """Take all rows: lines (values of FACETS, how many rows), and the rows' ids in the same order."""
        sizes = []
        for *values, size in counted:
            self.combination(values)
            sizes.append(size)
        self.reach(int(ids.max(initial=0)))
        self.code[ids] = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)

    def put(self, row_id: int, values: Sequence) -> None:
        """Take one row that is new or was changed."""
        self.reach(row_id)
        self.code[row_id] = self.combination(values)

    def reach(self, row_id: int) -> None:
        """Make room for ids up to this one."""
        if row_id >= len(self.code):
            room = np.full(max(row_id + 1, len(self.code) * 5 // 4), -1, dtype=np.int32)
            room[: len(self.code)] = self.code
            self.code = room

    def combination(self, values: Sequence) -> int:
        """Return the number of a combination of values, a new one where it was never seen."""
        line = np.array(
            [known.setdefault(value, len(known)) for known, value in zip(self._numbers, values, strict=True)],
            dtype=np.int32,
        )
        number = self._known.setdefault(line.tobytes(), len(self._known))
        if number == len(self._room):
            self._room = np.concatenate([self._room, np.zeros_like(self._room)])
        self._room[number] = line
        return number

    # --- answers ----------------------------------------------------------------------------------

    def mask(self, wanted: Choices) -> np.ndarray:
        """Return, for each id, whether there is such a row and it fits."""
        fits = np.ones(len(self._known), dtype=bool)
        for part in self._fitting(wanted).values():
            fits &= part
        # the last place answers for code -1: there is no such row
        return np.append(fits, False)[self.code]

    def counts(self, wanted: Choices, hits: np.ndarray | None = None) -> dict[str, list[tuple[Any, int]]]:
        """Return, for each facet, (value, rows) under the choices of all other facets, most frequent first.

        `hits`, a mask of ids, leaves the other rows out; values that count nothing are listed with 0.
        """
        codes = self.code if hits is None else self.code[hits]
        rows = np.bincount(codes[codes >= 0], minlength=len(self._known))
        fitting = self._fitting(wanted)
        found = {}
        for place, name in enumerate(FACETS):
            counted = rows
            for other, fits in fitting.items():
                counted = counted if other == name else counted * fits
            sums = np.bincount(self._lines()[:, place], counted, len(self._numbers[place])).astype(np.int64)
            totals: dict[Any, int] = {}
            for value, count in zip(self._numbers[place], sums.tolist(), strict=True):
                for one in values_of(name, value):
                    totals[one] = totals.get(one, 0) + count
            found[name] = sorted(totals.items(), key=lambda item: (-item[1], str(item[0])))
        return found

    def ranks(self, name: str, ids: np.ndarray) -> np.ndarray:
        """Return the place of each row's value of a facet among all its values, as int16."""
        place = FACETS.index(name)
        values = list(self._numbers[place])
        rank = {value: number for number, value in enumerate(sorted(values))}
        by_number = np.array([rank[value] for value in values], dtype=np.int16)
        return by_number[self._lines()[:, place]][self.code[ids]]

    def _lines(self) -> np.ndarray:
        """Return, for each combination, the numbers of its values."""
        return self._room[: len(self._known)]

    def _fitting(self, wanted: Choices) -> dict[str, np.ndarray]:
        """Return, for each facet that restricts something, which combinations fit it."""
        found = {}
        for name, chosen in chosen_of(wanted):
            place = FACETS.index(name)
            fits = [not chosen.isdisjoint(values_of(name, value)) for value in self._numbers[place]]
            found[name] = np.array(fits, dtype=bool)[self._lines()[:, place]]
        return found


def chosen_of(wanted: Choices) -> list[tuple[str, frozenset]]:
    """Return the facets that restrict something; an empty choice restricts nothing."""
    return [(name, values) for name, values in wanted.items() if values]


def values_of(name: str, value: Any) -> tuple:
    """Return the values of a facet that a row with this column value has: several only of `flags`."""
    if name != "flags":
        return (value,)
    return flags.names_in(value) or (flags.NONE,)
