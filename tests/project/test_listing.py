"""The list: filters, order, pages, search and counts agree with the rows, whatever a person types."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from training_backend.project import search
from training_backend.project.history import edit_field, set_flagged, set_review, undo
from training_backend.project.judgements import store_judgements
from training_backend.project.listing import FACETS, SORTS, Interrupted, Listing, RowFilter
from training_backend.project.questions import add_questions
from training_backend.project.replies import add_replies
from training_backend.rationale.judgement import Judgement


@pytest.fixture
def listing(filled):
    opened = Listing(filled.path)
    yield opened
    opened.close()


def ids(listing, text="", **facets):
    wanted = RowFilter({name: frozenset(values) for name, values in facets.items()}, text)
    return listing.ids(wanted).tolist()


def test_ids_are_int64_and_pages_keep_the_order_asked(listing):
    found = listing.ids(RowFilter())
    assert found.dtype == np.int64 and found.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert [row.id for row in listing.page([7, 2, 99, 1])] == [7, 2, 1]
    assert [row.id for row in listing.page(found[::-1])] == [7, 6, 5, 4, 3, 2, 1]
    assert listing.page([]) == []
    assert listing.ids(RowFilter(), limit=3).tolist() == [1, 2, 3]


def test_news_are_the_rows_that_came_and_those_that_fit_no_longer(filled, listing):
    wanted = RowFilter({"review": frozenset(["unreviewed"])}, sort="question", descending=True)
    shown = listing.ids(wanted)
    assert listing.news(wanted, shown) == (0, 0)
    set_review(filled, [1, 4], "accepted")
    assert listing.news(wanted, shown) == (0, 2)
    assert listing.news(wanted, np.array([1, 2, 9999])) == (4, 2)


def test_hits_are_found_again_after_a_change(filled, listing):
    word = listing.page([1])[0].question.split()[1]
    before = ids(listing, word)
    assert 1 in before and listing.facets(RowFilter(search=word))["review"] == [("unreviewed", len(before))]
    edit_field(filled, 1, "question", "Something else.")
    assert 1 not in ids(listing, word)


def test_facets_are_joined_by_and_their_values_by_or(filled, listing):
    set_review(filled, [1, 4], "accepted")
    set_flagged(filled, [1, 2], True)
    assert ids(listing, review=["accepted"]) == [1, 4]
    assert ids(listing, review=["accepted"], kind=["pot"]) == [1]
    assert ids(listing, verdict=["not_asked", "does_not_parse"]) == [3, 4, 5, 6]
    assert ids(listing, flagged=[True]) == [1, 2]
    assert ids(listing, path=[0], flagged=[0]) == [3, 4, 5, 6, 7]
    assert ids(listing, kind=[]) == [1, 2, 3, 4, 5, 6, 7]
    assert ids(listing, dataset=["unknown"]) == []


def test_counts_of_a_facet_obey_the_others_but_not_itself(filled, listing):
    set_review(filled, [1, 4], "accepted")
    counts = listing.facets(RowFilter({"review": frozenset(["accepted"])}))
    assert set(counts) == set(FACETS)
    assert counts["review"] == [("unreviewed", 5), ("accepted", 2)]
    assert counts["kind"] == [("", 1), ("pot", 1), ("cot", 0)]
    assert counts["changed"] == [(0, 2)]
    searched = listing.facets(RowFilter(search="boxes"))
    assert dict(searched["verdict"]) == {"not_run": 1, "not_asked": 0, "does_not_parse": 0}


def test_the_list_follows_what_others_write(filled, listing, make):
    assert ids(listing, verdict=["equal"]) == []
    store_judgements(filled, [(1, Judgement("equal", "ok", "7", 7.0))])
    assert ids(listing, verdict=["equal"]) == [1]
    add_questions(filled, [make.question(7)])
    assert len(ids(listing)) == 8
    assert dict(listing.facets(RowFilter())["verdict"])["equal"] == 1


def counted_anew(project):
    fresh = Listing(project.path)
    try:
        return fresh.facets(RowFilter())
    finally:
        fresh.close()


def without_zeros(counts):
    return {name: {value: count for value, count in lines if count} for name, lines in counts.items()}


def test_following_what_others_write_counts_the_same_as_counting_anew(filled, listing, make, monkeypatch):
    whole = []
    read_all = listing._read_all
    monkeypatch.setattr(listing, "_read_all", lambda: whole.append(1) or read_all())
    listing.facets(RowFilter())
    for step in (
        lambda: set_review(filled, [1, 2], "accepted"),
        lambda: edit_field(filled, 1, "rationale", "ans = 1"),
        lambda: add_questions(filled, [make.question(n, dataset="more") for n in range(20, 60)]),
        lambda: add_replies(filled, [make.reply(4, "pot", "ans = 1"), make.reply(4, "cot", "x", path=3)]),
        lambda: store_judgements(filled, [(1, Judgement("equal", "ok", "7", 7.0))]),
        lambda: undo(filled),
        lambda: edit_field(filled, 2, "note", "no facet changes"),
    ):
        step()
        assert without_zeros(listing.facets(RowFilter())) == without_zeros(counted_anew(filled))
    assert len(whole) == 1
    monkeypatch.setattr("training_backend.project.lines.TOUCHED_KEPT", 5)
    set_flagged(filled, range(1, 30), True)
    assert without_zeros(listing.facets(RowFilter())) == without_zeros(counted_anew(filled))
    assert len(whole) == 2
    with filled.reading() as connection:
        assert connection.execute("SELECT count(*) FROM row_touched").fetchone() == (5,)


def test_every_column_sorts(filled, listing):
    store_judgements(
        filled, [(1, Judgement("equal", "ok", "7", 7.0)), (2, Judgement("not_equal", "ok", "10", 10.0))]
    )
    edit_field(filled, 5, "question", "A first one")
    rows = listing.page(listing.ids(RowFilter()))
    numeric = {"answer_text": lambda row: (row.answer_text != "", float(row.answer_text or 0)),
               "gold_text": lambda row: float(row.gold_text)}  # fmt: skip
    for column in SORTS:
        key = numeric.get(column, lambda row, column=column: getattr(row, column))
        expected = [key(row) for row in sorted(rows, key=lambda row: (key(row), row.id))]
        found = listing.page(listing.ids(RowFilter(sort=column)))
        assert [key(row) for row in found] == expected, column
        backwards = listing.ids(RowFilter(sort=column, descending=True)).tolist()
        assert backwards == [row.id for row in found][::-1], column
    chosen = RowFilter({"kind": frozenset(["pot"])}, sort="question", descending=True)
    assert listing.ids(chosen).tolist() == [3, 2, 1]


def test_search_finds_words_in_every_text(filled, listing):
    edit_field(filled, 5, "note", "ask Ádám about it")
    assert ids(listing, "boxes") == [2]
    assert ids(listing, "BOLTS boxes") == [2]
    assert ids(listing, "answer is") == [7]
    assert ids(listing, "adam ") == [5]
    assert ids(listing, "eggs kind", kind=["pot"]) == []
    assert ids(listing, "eggs - 3", kind=["pot"]) == [1, 3]


def test_search_as_you_type(listing):
    # the last word may be unfinished: in the question from two letters, everywhere from four
    assert ids(listing, "Qu") == [1, 2, 3, 4, 5, 6, 7]
    assert ids(listing, "bolt") == [2]
    assert ids(listing, "bol") == []
    assert ids(listing, "bolt ") == []
    assert ids(listing, "8") == [2]
    assert ids(listing, "Question 4: Ina h") == [4]


def test_signs_are_found_too(listing):
    assert ids(listing, "/") == [2]
    assert ids(listing, "%") == ids(listing, "_") == ids(listing, "!") == []
    assert ids(listing, "   ") == ids(listing, "\x00") == [1, 2, 3, 4, 5, 6, 7]


def test_the_first_hits_are_among_all_hits(listing):
    wanted = RowFilter({"kind": frozenset(["pot", "cot"]), "changed": frozenset([0])}, "eggs")
    assert listing.ids(wanted, limit=2).tolist() == listing.ids(wanted).tolist()[:2] == [1, 2]
    assert listing.ids(RowFilter(search="eggs", sort="kind"), limit=1).tolist() == [4]


def test_search_follows_corrections_and_their_undo(filled, listing):
    edit_field(filled, 7, "core_question", "Where is the zebra?")
    assert ids(listing, "zebra") == [1, 7]
    edit_field(filled, 2, "question", "A zebra eats.")
    assert ids(listing, "ze") == [2] and ids(listing, "Question 2") == []
    undo(filled)
    undo(filled)
    assert ids(listing, "zebra") == [] and 2 in ids(listing, "Question 2")
    assert filled.check(full=True) == []


def test_what_the_index_does_not_reach_yet_is_found_all_the_same(filled, listing, make, monkeypatch):
    monkeypatch.setattr(search, "index_new", lambda connection: 0)
    add_questions(filled, [make.question(7, text="A walrus has 100% of it")])
    add_replies(filled, [make.reply(7, "pot", "walrus_total = 3"), make.reply(5, "pot", "walrus = 5")])
    assert ids(listing, "walrus") == [5, 8]
    monkeypatch.undo()
    assert filled.check(full=True) == []
    assert search.catch_up(filled) == 2  # the row and the question
    assert ids(listing, "walrus") == [5, 8]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=12))
@example('"')
@example('eggs" OR "boxes')
@example("NEAR(eggs boxes)")
@example("question:eggs")
@example("eggs*")
@example("^eggs -boxes")
@example("\x00eggs")
@example("''); DROP TABLE row")
def test_no_text_is_an_operator(listing, text):
    listing.ids(RowFilter(search=text))
    listing.ids(RowFilter(search=text), limit=5)
    listing.facets(RowFilter(search=text))
    if "OR" in text:
        assert ids(listing, text) == []


def test_interrupt_ends_a_query_that_runs(listing):
    running, told = threading.Event(), threading.Event()

    def while_it_runs():
        running.set()
        told.wait(10)
        return 0

    listing.ids(RowFilter())
    listing._queries.set_progress_handler(while_it_runs, 1)
    outcome = []

    def ask():
        try:
            outcome.append(listing.ids(RowFilter(search="eggs")))
        except Interrupted as ended:
            outcome.append(ended)

    thread = threading.Thread(target=ask)
    thread.start()
    assert running.wait(10)
    # pages do not wait for the query
    assert len(listing.page([1, 2])) == 2
    listing.interrupt()
    told.set()
    thread.join(10)
    assert isinstance(outcome[0], Interrupted)
    listing._queries.set_progress_handler(None, 0)
    assert ids(listing, "boxes") == [2]


def test_an_empty_project_has_an_empty_list(project):
    listing = Listing(project.path)
    assert (
        listing.ids(RowFilter(search="x")).tolist() == listing.ids(RowFilter(sort="question")).tolist() == []
    )
    assert listing.facets(RowFilter()) == {name: [] for name in FACETS}
    listing.close()
    listing.close()
    with pytest.raises(Interrupted):
        listing.ids(RowFilter())


def test_many_rows_come_in_one_piece(project, make):
    add_questions(project, (make.question(n, text=f"word{n % 7} and more") for n in range(3000)))
    listing = Listing(project.path)
    assert len(listing.ids(RowFilter())) == 3000
    assert len(listing.ids(RowFilter(search="word3 "))) == 429
    assert len(listing.page(listing.ids(RowFilter())[:1200])) == 1200
    ordered = listing.page(listing.ids(RowFilter(sort="gold_text", descending=True))[:3])
    assert [row.gold_text for row in ordered] == ["3005", "3004", "3003"]
    listing.close()
