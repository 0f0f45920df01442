"""Questions and replies become rows once, share their key points, and survive odd text."""

from __future__ import annotations

import pytest

from training_backend.errors import DatasetError
from training_backend.project.details import row_detail
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import Added, add_questions, datasets, questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies, answered
from training_backend.rationale.key_points import KeyPoints


def rows(project):
    listing = Listing(project.path)
    try:
        return listing.page(listing.ids(RowFilter()))
    finally:
        listing.close()


def test_questions_are_added_once(project, make):
    first = [make.question(number) for number in (1, 2, 3)]
    assert add_questions(project, first) == Added(3, 0)
    again = [make.question(3), make.question(4), make.question(2, text="another text")]
    assert add_questions(project, iter(again)) == Added(1, 2, different=1)
    assert add_questions(project, [make.question(1, split="test")]).added == 1
    assert [(q.native_id, q.split) for q in questions(project)] == [
        ("1", "train"), ("2", "train"), ("3", "train"), ("4", "train"), ("1", "test")
    ]  # fmt: skip
    assert datasets(project) == [("made up", "test", 1), ("made up", "train", 4)]
    assert [row.verdict for row in rows(project)] == ["not_asked"] * 5
    assert rows(project)[0].question == "Question 1: Ina has 10 eggs and eats 1. How many are left?"


def test_questions_can_be_chosen(project, make):
    add_questions(project, [make.question(n, dataset=name) for n in range(3) for name in ("a", "b")])
    assert {q.dataset for q in questions(project, dataset="b")} == {"b"}
    assert [q.id for q in questions(project, ids=[5, 2, 99])] == [2, 5]
    assert len(list(questions(project, split="train", limit=4))) == 4
    assert list(questions(project, split="test")) == []


def test_the_first_reply_fills_the_row_and_others_add_rows(filled):
    lines = [(row.id, row.question_id, row.kind, row.verdict) for row in rows(filled)]
    assert lines == [
        (1, 1, "pot", "not_run"), (2, 2, "pot", "not_run"), (3, 3, "pot", "does_not_parse"),
        (4, 4, "", "not_asked"), (5, 5, "", "not_asked"), (6, 6, "", "not_asked"), (7, 1, "cot", "not_run"),
    ]  # fmt: skip
    assert rows(filled)[0].rationale == "eggs = 10 ans = eggs - 3"


def test_nothing_asked_twice_is_stored_twice(filled, make):
    before = rows(filled)
    known = make.reply(1, "pot", "eggs = 10\nans = eggs - 3")
    assert add_replies(filled, [known, known]) == 0
    assert rows(filled) == before
    # another path, and another origin on the same path, are other rows
    second = add_origin(filled, Origin("replay", "small model", "recording.jsonl"))
    more = [make.reply(1, "pot", "ans = 7", path=1), make.reply(1, "pot", "ans = 7", origin=second)]
    assert add_replies(filled, more) == 2
    assert [row.path for row in rows(filled)][-2:] == [1, 0]
    assert answered(filled, "pot", 0, 1) == {1, 2, 3}
    assert answered(filled, "pot", 0, 1, parsed_only=True) == {1, 2}
    assert answered(filled, "pot", 0, second) == {1}


def test_origins_are_known_by_all_they_say(project):
    one = Origin("t", "m", "s", "p1", {"temperature": 0.7})
    assert add_origin(project, one) == add_origin(project, Origin("t", "m", "s", "p1", {"temperature": 0.7}))
    assert add_origin(project, one) != add_origin(project, Origin("t", "m", "s", "p1", {"temperature": 0.0}))


def test_a_reply_that_did_not_parse_is_replaced_by_one_that_does(filled, make):
    failed = row_detail(filled, 3)
    assert failed.judgement.state == "does_not_parse" and failed.judgement.error == "no program found"
    assert failed.raw == {"text": "I cannot"}
    assert add_replies(filled, [Reply(3, "pot", 0, None, None, {"text": "no again"}, "nothing", 0, 1)]) == 0
    assert add_replies(filled, [make.reply(3, "pot", "ans = 9")]) == 1
    detail = row_detail(filled, 3)
    assert detail.row.verdict == "not_run" and detail.rationale.text == "ans = 9"
    assert "I cannot" in detail.raw["earlier reply that did not parse"]
    assert len(rows(filled)) == 7


def test_equal_key_points_of_a_question_are_stored_once(filled, make):
    points = KeyPoints("How many eggs are left?", ("There are 10 eggs.", "Ina eats 3."))
    add_replies(filled, [make.reply(1, "eot", "ans = 10 - 3", points)])
    with filled.reading() as connection:
        assert connection.execute("SELECT count(*) FROM key_points WHERE question_id = 1").fetchone() == (1,)


def test_key_points_can_come_alone_and_first(project, make):
    add_questions(project, [make.question(1)])
    origin = add_origin(project, Origin("replay", "m", "s"))
    alone = Reply(1, "", 0, KeyPoints("core?", ("one", "two")), None, {"text": "1. one"}, "", origin, 0)
    assert add_replies(project, [alone]) == 1
    assert add_replies(project, [alone]) == 0
    assert answered(project, "", 0, origin) == {1}
    detail = row_detail(project, 1)
    assert (detail.row.verdict, detail.core_question.text) == ("not_asked", "core?")
    assert detail.information.text == "one\ntwo" and detail.raw == {"text": "1. one"}
    add_replies(project, [make.reply(1, "pot", "ans = 1", origin=origin)])
    detail = row_detail(project, 1)
    assert (detail.row.verdict, detail.core_question.text) == ("not_run", "core?")


def test_a_reply_to_an_unknown_question_is_refused_and_nothing_of_it_stays(filled, make):
    with pytest.raises(DatasetError, match="does not have") as caught:
        add_replies(filled, [make.reply(4, "pot", "ans = 1"), make.reply(99, "pot", "ans = 1")])
    assert caught.value.where == "question 99"
    assert rows(filled)[3].verdict == "not_asked"


ODD = "emoji 🥚, half of one \ud83e, עברית, NUL \x00 after, \r\n\ttab" + "x" * 100_000


def test_odd_and_long_texts_come_back_whole(project, make):
    add_questions(project, [make.question(1, text=ODD)])
    add_origin(project, Origin("t", "m", "s"))
    add_replies(project, [make.reply(1, "pot", ODD, KeyPoints(ODD, (ODD, "b")))])
    stored = ODD.replace("\ud83e", "�")
    detail = row_detail(project, 1)
    assert detail.question.text == detail.rationale.text == detail.core_question.text == stored
    # an item is one line
    assert detail.information.text == " ".join(stored.split()) + "\nb"
    row = rows(project)[0]
    assert (
        len(row.question) <= 160 and "\n" not in row.question and row.question.startswith("emoji 🥚, half of")
    )
