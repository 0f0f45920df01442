"""Facet values as numbers: what fits, what is counted, rows that come and change, against plain counting."""

from __future__ import annotations

import random

import numpy as np

from training_backend.project import flags
from training_backend.project.lines import FACETS
from training_backend.project.snapshot import Snapshot, values_of

VALUES = {
    "verdict": ("equal", "raised"), "review": ("unreviewed", "accepted"), "kind": ("", "pot"),
    "dataset": ("one", "two", "three"), "split": ("train",), "path": (0, 1), "changed": (0, 1),
    "flagged": (0, 1), "round": (0, 3),
    "flags": (0, flags.mask_of(["near_benchmark"]), flags.mask_of(["near_benchmark", "gold_disputed"])),
}  # fmt: skip
WANTED = {"verdict": frozenset({"raised"}), "flags": frozenset({"near_benchmark", flags.NONE})}


def combinations(count):
    chance = random.Random(1)
    return {n: tuple(chance.choice(VALUES[name]) for name in FACETS) for n in range(1, count + 1)}


def fits(values, wanted):
    return all(chosen & set(values_of(name, values[FACETS.index(name)])) for name, chosen in wanted.items())


def counted(rows, name, wanted):
    others = {facet: chosen for facet, chosen in wanted.items() if facet != name}
    totals = {}
    for values in rows.values():
        for value in values_of(name, values[FACETS.index(name)]):
            totals[value] = totals.get(value, 0) + fits(values, others)
    return totals


def filled(rows):
    """Take rows as `Listing` reads them: grouped, and the ids in the order of the groups."""
    groups = {}
    for row_id, values in rows.items():
        groups.setdefault(values, []).append(row_id)
    snapshot = Snapshot(0)
    ids = np.array([row_id for part in groups.values() for row_id in part], dtype=np.int64)
    snapshot.fill([(*values, len(part)) for values, part in groups.items()], ids)
    return snapshot


def test_masks_and_counts_are_those_of_plain_counting():
    rows = combinations(500)
    snapshot = filled(rows)
    for wanted in ({}, WANTED, {"dataset": frozenset()}, {"dataset": frozenset({"unknown"})}):
        chosen = {name: values for name, values in wanted.items() if values}
        found = np.flatnonzero(snapshot.mask(wanted)).tolist()
        assert found == [n for n, values in rows.items() if fits(values, chosen)]
        counts = snapshot.counts(wanted)
        assert {name: dict(counts[name]) for name in FACETS} == {
            name: counted(rows, name, chosen) for name in FACETS
        }


def test_counts_are_those_of_the_hits_alone():
    rows = combinations(60)
    hits = np.zeros(61, dtype=bool)
    hits[[3, 7, 50]] = True
    counts = filled(rows).counts({}, hits)
    kept = {n: rows[n] for n in (3, 7, 50)}
    assert {value: n for value, n in counts["dataset"] if n} == counted(kept, "dataset", {})


def test_rows_come_change_and_leave_room():
    rows = combinations(40)
    snapshot = filled(rows)
    others = combinations(900)
    for row_id in (5, 41, 900):
        snapshot.put(row_id, others[row_id])
        rows[row_id] = others[row_id]
    new = ("no_answer", *others[5][1:])
    snapshot.put(6, new)
    rows[6] = new
    assert np.flatnonzero(snapshot.mask({})).tolist() == sorted(rows)
    assert dict(snapshot.counts({})["verdict"]) == counted(rows, "verdict", {})
    assert dict(snapshot.counts({})["verdict"])["no_answer"] == 1


def test_more_combinations_than_were_made_room_for():
    snapshot = Snapshot(0)
    for n in range(1, 300):
        snapshot.put(n, ("equal", "unreviewed", "pot", f"set {n}", "train", 0, 0, 0, 0, 0))
    assert np.flatnonzero(snapshot.mask({"dataset": frozenset({"set 250"})})).tolist() == [250]


def test_ranks_follow_the_values():
    rows = combinations(50)
    ids = np.arange(1, 51)
    ranks = filled(rows).ranks("dataset", ids)
    names = sorted(VALUES["dataset"])
    assert [names[rank] for rank in ranks] == [rows[n][FACETS.index("dataset")] for n in range(1, 51)]


def test_a_project_without_rows():
    snapshot = filled({})
    assert not snapshot.mask(WANTED).any() and snapshot.counts(WANTED)["verdict"] == []
