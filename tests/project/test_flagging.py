"""Flags follow the texts: what is due is looked at once, and what changes meanwhile again."""

from __future__ import annotations

import pytest

from training_backend.project import flagging
from training_backend.project.details import row_detail
from training_backend.project.flagging import Flagging
from training_backend.project.history import edit_field, undo, undo_label
from training_backend.project.judgements import store_judgements
from training_backend.project.questions import add_questions
from training_backend.project.replies import add_replies
from training_backend.rationale.judgement import Judgement


def flags_of(project):
    with project.reading() as connection:
        marked = dict(connection.execute("SELECT id, flags FROM row WHERE flags <> 0").fetchall())
        found: dict[int, dict[str, str]] = {}
        for row_id, flag, why in connection.execute("SELECT row_id, flag, why FROM row_flag"):
            found.setdefault(row_id, {})[flag] = why
    assert set(marked) == set(found)
    return found


def due(project):
    with project.reading() as connection:
        return dict(connection.execute("SELECT question_id, times FROM flag_due").fetchall())


def judged(answer):
    return Judgement("not_equal", "ok", str(answer), answer)


def test_everything_is_looked_at_once_and_then_only_what_changed(filled):
    done = Flagging(filled).run()
    assert (done.questions, done.rows, done.complete) == (6, 7, True)
    # question 1 asks about 10 eggs and 1 eaten; its key points say 3
    assert set(flags_of(filled)) == {1, 2, 7}
    assert flags_of(filled)[1]["foreign_number"].startswith("Item 2 holds 3")
    assert due(filled) == {}
    assert Flagging(filled).run().questions == 0
    edit_field(filled, 1, "information", "There are 10 eggs.")
    done = Flagging(filled).run()
    assert (done.questions, done.changed) == (1, 2)
    assert set(flags_of(filled)) == {2}


def test_flags_stand_in_the_row_with_their_reasons_and_in_no_history(filled):
    store_judgements(filled, [(1, judged(9.0)), (7, judged(8.0))])
    Flagging(filled).run()
    detail = row_detail(filled, 1)
    assert detail.row.flags == ("foreign_number", "kinds_disagree")
    assert dict(detail.flags)["kinds_disagree"] == "The program ends on 9, the chain of thought ends on 8."
    assert detail.row.suspicion == 50
    assert undo_label(filled) == "" and undo(filled) is None


def test_undo_leaves_flags_to_the_next_look(filled):
    Flagging(filled).run()
    edit_field(filled, 2, "question", "There are 8 bolts. How many boxes?")
    Flagging(filled).run()
    assert 2 not in flags_of(filled)
    undo(filled)
    assert 2 not in flags_of(filled) and set(due(filled)) == {2}
    Flagging(filled).run()
    assert 2 in flags_of(filled)


def test_what_changed_while_it_was_looked_at_stays_due(filled):
    def fit(row):
        if row.row_id == 2 and not seen:
            seen.append(row.row_id)
            edit_field(filled, 2, "rationale", "ans = 1")
        return ""

    seen: list[int] = []
    Flagging(filled, fit).run()
    assert set(due(filled)) == {2}
    Flagging(filled).run()
    assert due(filled) == {}


def test_a_stop_between_two_transactions_leaves_the_rest_due(filled, monkeypatch):
    for name in ("_FEWEST", "_FIRST", "_MOST"):
        monkeypatch.setattr(flagging, name, 2)
    asked: list[bool] = []

    def stopped():
        asked.append(True)
        return len(asked) > 2

    done = Flagging(filled).run(stopped)
    assert not done.complete and 0 < done.questions < 6
    assert len(due(filled)) == 6 - done.questions
    assert Flagging(filled).run().complete and due(filled) == {}


def test_a_new_benchmark_question_makes_only_its_neighbours_due(filled, make):
    looking = Flagging(filled)
    looking.run()
    test = make.question(1, dataset="eggs", split="test", native_id="t1")
    add_questions(filled, [test])
    done = looking.run()
    # all six questions are alike up to a number
    assert done.questions == 7
    why = flags_of(filled)[1]["near_benchmark"]
    assert "eggs test t1 (question 7)" in why and "word for word" in why
    assert "only numbers differ" in flags_of(filled)[6]["near_benchmark"]
    assert 8 not in flags_of(filled), "a benchmark question is not compared with itself"
    far = make.question(8, dataset="eggs", split="test", text="Which is the largest prime below one hundred?")
    add_questions(filled, [far])
    done = looking.run()
    assert done.changed == 0
    edit_field(filled, 8, "question", "Something else altogether is asked here, at some length.")
    looking.run()
    assert not any("near_benchmark" in found for found in flags_of(filled).values())


def test_replies_to_benchmark_questions_make_no_training_question_due(filled, make):
    add_questions(filled, [make.question(1, dataset="eggs", split="test")])
    looking = Flagging(filled)
    looking.run()
    add_replies(filled, [make.reply(7, "pot", "ans = 3")])
    assert looking.run().questions == 1


def test_the_choice_of_a_student_is_kept_and_makes_all_due(filled):
    Flagging(filled).run()
    flagging.choose_student(filled, "/a/student")
    assert flagging.chosen_student(filled) == "/a/student" and flagging.due_count(filled) == 6
    Flagging(filled, lambda row: "too long" if row.kind == "pot" else "").run()
    assert flagging.flag_counts(filled)["unfit_for_student"] == 3
    flagging.choose_student(filled, "/a/student")
    assert flagging.due_count(filled) == 0
    flagging.choose_student(filled, "/a/student", (64, 256))
    assert flagging.chosen_longest(filled) == (64, 256) and flagging.due_count(filled) == 6
    flagging.choose_student(filled, "")
    assert flagging.chosen_longest(filled) is None
    Flagging(filled).run()
    assert flagging.flag_counts(filled)["unfit_for_student"] == 0


def test_other_rules_look_at_everything_again(filled, monkeypatch):
    Flagging(filled).run()
    monkeypatch.setattr(flagging, "RULES", "later")
    assert Flagging(filled).run().questions == 6
    assert Flagging(filled).run().questions == 0


def test_a_project_without_rows_is_done_at_once(project):
    done = Flagging(project).run()
    assert (done.questions, done.complete) == (0, True)


@pytest.mark.parametrize("text", ["", "\x00", "1" * 5000, "😀 ½ = = ="])
def test_odd_texts_are_no_trouble(filled, text):
    for field in ("question", "core_question", "information", "rationale"):
        edit_field(filled, 2, field, text)
    assert Flagging(filled).run().complete
