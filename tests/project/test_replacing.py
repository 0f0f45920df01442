"""Find and replace: what it finds, what it leaves, and that all of it is one step."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.project import corrections, replacing
from training_backend.project.corrections import FIELDS
from training_backend.project.details import row_detail
from training_backend.project.history import edit_field, redo, undo, undo_label
from training_backend.project.replacing import Search, find_hits, replace_hits, replacer

ROWS = [1, 2, 3, 4, 5, 6, 7]


def hits(project, search, fields=FIELDS, rows=ROWS):
    return list(find_hits(project, rows, fields, search))


@pytest.mark.parametrize(
    ("search", "text", "result"),
    [
        (Search("egg", "nut"), "Eggs and egg", ("nuts and nut", 2)),
        (Search("egg", "nut", match_case=True), "Eggs and egg", ("Eggs and nut", 1)),
        (Search("egg", "nut", whole_words=True), "Eggs and egg.", ("Eggs and nut.", 1)),
        (Search("a.c", "x"), "abc a.c", ("abc x", 1)),
        (Search("$5", r"\1"), "it is $5", (r"it is \1", 1)),
        (Search(r"(\d+) eggs", r"\1 nuts", regex=True), "10 eggs", ("10 nuts", 1)),
        (Search("^", "> ", regex=True), "a\nb", ("> a\n> b", 2)),
        (Search("١", "1"), "١٢ 🥚", ("1٢ 🥚", 1)),
    ],
)
def test_what_is_found_and_put(search, text, result):
    assert replacer(search)(text) == result


@pytest.mark.parametrize(
    ("search", "where", "words"),
    [
        (Search("", "x"), "find", "nothing to look for"),
        (Search("(a", "x", regex=True), "find", "no regular expression"),
        (Search("a", r"\1", regex=True), "replace", "cannot be used"),
        (Search("a", r"\g<name>", regex=True), "replace", "cannot be used"),
        (Search("a", "\\", regex=True), "replace", "cannot be used"),
    ],
)
def test_mistakes_say_in_which_field_they_are(search, where, words):
    with pytest.raises(ConfigError, match=words) as caught:
        replacer(search)
    assert caught.value.where == where


def test_a_pattern_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(replacing, "SLOW_PATTERN_S", 0.05)
    change = replacer(Search(r"(a|aa)+$", "", regex=True))
    with pytest.raises(ConfigError, match="for one text") as caught:
        change("a" * 80 + "b")
    assert caught.value.where == "find"
    with pytest.raises(ConfigError, match="would grow"):
        replacer(Search("a", "b" * 2000))("a" * 1000)


def test_shared_texts_are_met_once_and_in_the_order_asked(filled):
    found = hits(filled, Search("eggs", "nuts"), rows=[7, 1, 2])
    assert [(hit.row_id, hit.field) for hit in found] == [
        (7, "question"), (7, "core_question"), (7, "information"), (1, "rationale"), (2, "question"),
    ]  # fmt: skip
    assert hits(filled, Search("Eggs", "nuts", match_case=True)) == []
    with pytest.raises(ConfigError):
        hits(filled, Search("eggs", "nuts"), fields=())


def test_replacing_is_one_step_that_can_be_undone_and_done_again(filled):
    found = hits(filled, Search("eggs", "nuts"))
    assert replace_hits(filled, found).texts == len(found)
    assert undo_label(filled) == f"replace in {len(found)} texts"
    detail = row_detail(filled, 1)
    assert detail.rationale.corrected == "nuts = 10\nans = nuts - 3"
    assert detail.rationale.teacher == "eggs = 10\nans = eggs - 3"
    assert detail.row.verdict == "not_run"
    assert hits(filled, Search("eggs", "nuts")) == []
    undone = undo(filled)
    assert set(undone.row_ids) == set(ROWS)
    assert row_detail(filled, 1).rationale.corrected is None
    redo(filled)
    assert row_detail(filled, 7).information.text == "There are 10 nuts.\nIna eats 3."


def test_putting_the_teachers_words_back_is_no_correction(filled):
    edit_field(filled, 1, "rationale", "nuts = 10\nans = nuts - 3")
    replace_hits(filled, hits(filled, Search("nuts", "eggs"), ["rationale"]))
    assert row_detail(filled, 1).rationale.corrected is None


def test_a_text_changed_since_the_preview_is_left(filled):
    found = hits(filled, Search("eggs", "nuts"), ["rationale", "core_question"])
    edit_field(filled, 1, "rationale", "ans = 7")
    done = replace_hits(filled, found)
    assert (done.texts, done.left) == (len(found) - 1, 1)
    assert row_detail(filled, 1).rationale.corrected == "ans = 7"


def test_many_texts_in_parts_are_still_one_step(filled, monkeypatch):
    monkeypatch.setattr(replacing, "TEXT_PART", 2)
    monkeypatch.setattr(corrections, "TEXT_PART", 2)
    told = []
    found = hits(filled, Search("eggs", "nuts"))
    replace_hits(filled, found, report=lambda done, total: told.append((done, total)) or True)
    assert told[-1] == (len(found), len(found)) and len(told) > 3
    undo(filled)
    assert undo_label(filled) == ""
    assert len(hits(filled, Search("eggs", "nuts"))) == len(found)


def test_searching_and_replacing_can_be_stopped(filled, monkeypatch):
    monkeypatch.setattr(replacing, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(replacing, "TEXT_PART", 1)
    some = list(find_hits(filled, ROWS, ["question"], Search("eggs", "nuts"), lambda done, total: done < 2))
    assert len(some) == 2
    assert replace_hits(filled, some, report=lambda *_: False).texts == 1
    assert undo_label(filled) == "replace in 1 text"
