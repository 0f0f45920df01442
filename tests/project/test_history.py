"""Corrections stand beside the teacher's text, serve all rows that share it, and can be undone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_backend.errors import ConfigError, DatasetError
from training_backend.project import history
from training_backend.project.corrections import FIELDS
from training_backend.project.details import FieldText, field_history, row_detail
from training_backend.project.history import bring_back, edit_field, redo, set_flagged, set_review, undo
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.store import Project


def list_rows(project):
    listing = Listing(project.path)
    try:
        return {row.id: row for row in listing.page(listing.ids(RowFilter()))}
    finally:
        listing.close()


def test_a_correction_stands_beside_the_text(filled):
    assert edit_field(filled, 1, "rationale", "ans = 7") == [1]
    detail = row_detail(filled, 1)
    assert detail.rationale == FieldText("eggs = 10\nans = eggs - 3", "ans = 7")
    assert detail.row.changed and detail.row.rationale == "ans = 7"
    assert bring_back(filled, 1, "rationale") is not None
    detail = row_detail(filled, 1)
    assert detail.rationale.corrected is None and not detail.row.changed
    assert bring_back(filled, 1, "rationale") == []


def test_corrected_key_points_serve_all_rows_that_share_them(filled):
    assert edit_field(filled, 7, "core_question", "How many eggs has Ina left?") == [1, 7]
    rows = list_rows(filled)
    assert rows[1].core_question == rows[7].core_question == "How many eggs has Ina left?"
    assert rows[1].changed and rows[7].changed and not rows[2].changed
    assert row_detail(filled, 1).core_question.teacher == "How many eggs are left?"


def test_a_corrected_question_serves_its_rows_and_no_other(filled):
    assert edit_field(filled, 1, "question", "Ben has 10 nuts.") == [1, 7]
    assert list_rows(filled)[7].question == "Ben has 10 nuts."
    assert row_detail(filled, 7).siblings[0].question == "Ben has 10 nuts."


def test_the_same_text_again_is_no_change(filled):
    assert edit_field(filled, 1, "rationale", "eggs = 10\nans = eggs - 3") == []
    assert edit_field(filled, 1, "note", "") == []
    assert history.undo_label(filled) == ""
    edit_field(filled, 1, "rationale", "ans = 1")
    assert edit_field(filled, 1, "rationale", "ans = 1") == []
    # writing the teacher's text again takes the correction away
    edit_field(filled, 1, "rationale", "eggs = 10\nans = eggs - 3")
    assert row_detail(filled, 1).rationale.corrected is None


def test_a_person_can_write_key_points_where_there_are_none(filled):
    assert edit_field(filled, 3, "information", "a fact\nanother") == [3]
    detail = row_detail(filled, 3)
    assert (
        detail.information == FieldText("", "a fact\nanother")
        and detail.origins["key_points"].teacher == "person"
    )
    undo(filled)
    assert row_detail(filled, 3).information.text == ""


@pytest.mark.parametrize(
    ("row_id", "field", "error", "sentence"),
    [
        (4, "rationale", DatasetError, "no rationale yet"),
        (99, "question", DatasetError, "no such row"),
        (1, "colour", ConfigError, "no field 'colour'"),
    ],
)
def test_what_cannot_be_edited_is_told(filled, row_id, field, error, sentence):
    with pytest.raises(error, match=sentence):
        edit_field(filled, row_id, field, "x")


def test_a_reply_that_did_not_parse_can_be_written_by_hand(filled):
    edit_field(filled, 3, "rationale", "ans = 9")
    assert list_rows(filled)[3].verdict == "not_run"
    bring_back(filled, 3, "rationale")
    assert list_rows(filled)[3].verdict == "does_not_parse"


def test_undo_and_redo_after_a_restart(filled):
    before = list_rows(filled)
    edit_field(filled, 1, "core_question", "one")
    set_review(filled, [1, 2, 3], "accepted")
    set_flagged(filled, [2], True)
    edit_field(filled, 2, "note", "look again")
    after = list_rows(filled)
    labels = []
    with Project.open(filled.path) as again:
        while step := undo(again):
            labels.append((step.label, step.row_ids))
        assert list_rows(again) == before
        assert history.undo_label(again) == "" and history.redo_label(again) == "edit core question"
    assert labels == [
        ("edit note", [2]), ("flag 1 row", [2]), ("accept 3 rows", [1, 2, 3]), ("edit core question", [1, 7])
    ]  # fmt: skip
    with Project.open(filled.path) as again:
        while redo(again):
            pass
        assert list_rows(again) == after
        assert row_detail(again, 2).note == "look again"
        assert redo(again) is None


def test_a_bulk_change_brings_every_row_back_to_its_own_value(filled):
    set_review(filled, [1], "accepted")
    set_review(filled, [2], "rejected")
    set_review(filled, range(1, 8), "rejected")
    assert {row.review for row in list_rows(filled).values()} == {"rejected"}
    assert undo(filled).row_ids == [1, 3, 4, 5, 6, 7]
    assert [row.review for row in list_rows(filled).values()][:3] == ["accepted", "rejected", "unreviewed"]


def test_a_bulk_change_that_changes_nothing_is_no_step(filled):
    set_flagged(filled, [1, 2], False)
    set_review(filled, [], "accepted")
    assert history.undo_label(filled) == ""
    with pytest.raises(ConfigError, match="no review"):
        set_review(filled, [1], "maybe")


def test_a_new_change_ends_what_could_be_redone(filled):
    for text in ("a", "b"):
        edit_field(filled, 1, "note", text)
    undo(filled)
    edit_field(filled, 1, "note", "c")
    assert redo(filled) is None
    undo(filled)
    assert row_detail(filled, 1).note == "a"
    assert redo(filled).label == "edit note" and row_detail(filled, 1).note == "c"


def test_saving_while_typing_is_one_step(filled):
    edit_field(filled, 1, "note", "l")
    edit_field(filled, 1, "note", "look", continues=True)
    edit_field(filled, 2, "note", "other", continues=True)
    undo(filled)
    assert row_detail(filled, 1).note == "look"
    undo(filled)
    assert row_detail(filled, 1).note == ""
    assert undo(filled) is None


def test_the_history_names_source_and_prompt_of_what_a_teacher_wrote(filled):
    assert field_history(filled, 1)[-1].what == "written (recording.jsonl)"
    with filled.writing() as connection:
        connection.exec_driver_sql("UPDATE origin SET prompt_version = 'c91429'")
    assert field_history(filled, 1)[-1].what == "written (recording.jsonl, prompt c91429)"


def test_the_history_of_a_row_tells_who_wrote_what(filled):
    edit_field(filled, 7, "core_question", "first")
    edit_field(filled, 1, "core_question", "second", who="Ada")
    undo(filled)
    set_review(filled, [1], "accepted")
    told = [
        (item.who, item.field, item.old[:6], item.new[:6], item.undone) for item in field_history(filled, 1)
    ]
    assert told == [
        ("import", "question", "", "Questi", False), ("import", "gold", "", "7", False),
        ("replay big model", "core_question", "", "How ma", False),
        ("replay big model", "information", "", "There ", False),
        ("replay big model", "rationale", "", "eggs =", False),
        ("person", "core_question", "How ma", "first", False),
        ("Ada", "core_question", "first", "second", True),
        ("person", "review", "unrevi", "accept", False),
    ]  # fmt: skip
    assert [item.field for item in field_history(filled, 4)] == ["question", "gold"]
    with pytest.raises(DatasetError, match="no such row"):
        field_history(filled, 99)
    with pytest.raises(DatasetError, match="no such row"):
        row_detail(filled, 99)


def test_nothing_is_ever_removed_from_the_history(filled):
    edit_field(filled, 1, "note", "a")
    undo(filled)
    redo(filled)
    edit_field(filled, 1, "note", "b")
    with filled.reading() as connection:
        actions = [action for (action,) in connection.execute("SELECT action FROM change ORDER BY id")]
    assert actions == ["edit", "undo", "redo", "edit"]


FEW = st.lists(st.integers(1, 7), max_size=4)
STEP = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from([1, 2, 7]), st.sampled_from(FIELDS), st.sampled_from("abc")),
    st.tuples(st.just("review"), FEW, st.sampled_from(["accepted", "rejected"])),
    st.tuples(st.just("flag"), FEW, st.booleans()),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=14))
def test_undoing_everything_and_redoing_it_gives_the_same_rows(filled, steps):
    while undo(filled):
        pass
    start = list_rows(filled)
    # a change, so that nothing of the example before can be redone
    edit_field(filled, 4, "note", "begin" + row_detail(filled, 4).note)
    for kind, *values in steps:
        if kind == "edit":
            edit_field(filled, *values)
        elif kind == "review":
            set_review(filled, *values)
        elif kind == "flag":
            set_flagged(filled, *values)
        else:
            (undo if kind == "undo" else redo)(filled)
    end = list_rows(filled)
    undone = 0
    while undo(filled):
        undone += 1
    assert list_rows(filled) == start
    for _ in range(undone):
        assert redo(filled)
    assert list_rows(filled) == end
    assert filled.check(full=True) == []


def test_a_large_step_is_written_in_parts_and_is_one_step(filled, monkeypatch):
    from training_backend.project import corrections

    monkeypatch.setattr(history, "PART", 2)
    monkeypatch.setattr(corrections, "PART", 2)
    told = []
    changed = set_review(filled, range(1, 8), "accepted", report=lambda *at: told.append(at) or True)
    assert changed == 7 and told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert history.undo_label(filled) == "accept 7 rows"
    assert history.step_size(filled, "undo") == 7
    change = undo(filled)
    assert change.whole and change.row_ids is None
    assert {row.review for row in list_rows(filled).values()} == {"unreviewed"}
    assert history.undo_label(filled) == ""
    redo(filled)
    assert {row.review for row in list_rows(filled).values()} == {"accepted"}


def test_a_stopped_step_says_what_it_did_and_a_stopped_undo_goes_on(filled, monkeypatch):
    from training_backend.project import corrections

    monkeypatch.setattr(history, "PART", 2)
    monkeypatch.setattr(corrections, "PART", 2)
    assert set_flagged(filled, range(1, 8), True, report=lambda done, total: done < 4) == 4
    assert history.undo_label(filled) == "flag 4 rows"
    stopped = undo(filled, lambda done, total: False)
    assert not stopped.whole
    assert sum(row.flagged for row in list_rows(filled).values()) == 2
    assert history.undo_label(filled) == "flag 4 rows"
    assert undo(filled).whole
    assert not any(row.flagged for row in list_rows(filled).values())
