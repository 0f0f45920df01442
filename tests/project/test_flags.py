"""Flags are several values in one number; the list filters, counts and orders by them."""

from __future__ import annotations

import pytest

from training_backend.project import flags
from training_backend.project.listing import Listing, RowFilter


@pytest.fixture
def listing(filled):
    with filled.writing() as connection:
        for row_id, names in {
            1: ("paths_disagree",), 2: ("paths_disagree", "gold_disputed"), 3: ("duplicate_path",),
        }.items():  # fmt: skip
            connection.exec_driver_sql(
                "UPDATE row SET flags = ?, suspicion = ? WHERE id = ?",
                (flags.mask_of(names), flags.suspicion_of(names), row_id),
            )
    found = Listing(filled.path)
    yield found
    found.close()


def test_a_number_holds_any_flags_and_gives_them_back():
    assert flags.names_in(flags.mask_of(["gold_disputed", "foreign_number", "gold_disputed"])) == (
        "foreign_number",
        "gold_disputed",
    )
    assert flags.names_in(flags.mask_of([])) == ()
    assert len({flag.bit for flag in flags.FLAGS}) == len({flag.name for flag in flags.FLAGS}) == 8
    with pytest.raises(KeyError):
        flags.mask_of(["odd"])


def test_rows_are_found_by_any_of_their_flags_and_by_having_none(listing):
    def ids(*names):
        return listing.ids(RowFilter({"flags": frozenset(names)})).tolist()

    assert ids("paths_disagree") == [1, 2]
    assert ids("gold_disputed", "duplicate_path") == [2, 3]
    assert ids("none") == [4, 5, 6, 7]
    assert ids("none", "duplicate_path") == [3, 4, 5, 6, 7]
    words = RowFilter({"flags": frozenset({"paths_disagree"})}, search="Ina")
    assert listing.ids(words, limit=1).tolist() == [1]
    assert listing.ids(words).tolist() == [1, 2]


def test_a_row_counts_under_each_of_its_flags(listing):
    counts = dict(listing.facets(RowFilter({"kind": frozenset({"pot"})}))["flags"])
    assert counts == {"paths_disagree": 2, "gold_disputed": 1, "duplicate_path": 1, "none": 0}


def test_suspicion_orders_the_heaviest_rows_first(listing):
    heaviest = listing.ids(RowFilter(sort="suspicion", descending=True)).tolist()
    assert heaviest == [2, 1, 3, 4, 5, 6, 7]
    assert listing.ids(RowFilter(sort="suspicion")).tolist() == heaviest[::-1]
    assert [row.suspicion for row in listing.page(heaviest[:4])] == [70, 25, 5, 0]


def test_the_funnel_counts_the_unreviewed_rows_with_a_flag(filled, listing):
    from training_backend.project.funnel import funnel
    from training_backend.project.history import set_review

    assert funnel(filled)["suspects"] == 3
    set_review(filled, [2], "accepted")
    assert funnel(filled)["suspects"] == 2


def test_changes_that_concern_flags_make_their_question_due(filled):
    from training_backend.project.history import edit_field, set_review

    def due():
        with filled.reading() as connection:
            return dict(connection.execute("SELECT question_id, times FROM flag_due").fetchall())

    assert set(due()) == {1, 2, 3, 4, 5, 6}
    with filled.writing() as connection:
        connection.exec_driver_sql("DELETE FROM flag_due")
    set_review(filled, [1, 2], "accepted")
    assert due() == {}
    edit_field(filled, 1, "rationale", "ans = 1")
    edit_field(filled, 2, "information", "9 bolts")
    edit_field(filled, 4, "gold", "3")
    assert set(due()) == {1, 2, 4}
