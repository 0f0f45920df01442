"""Judgements belong to a text: a changed text has none, the same text again has its own."""

from __future__ import annotations

from training_backend.project.details import row_detail
from training_backend.project.funnel import funnel
from training_backend.project.history import edit_field, set_review, undo
from training_backend.project.judgements import store_judgements, to_judge
from training_backend.project.training_rows import TrainingRow, training_rows
from training_backend.rationale.judgement import Judgement

EQUAL = Judgement("equal", "ok", "7", 7.0, "printed", rule="ans", isolation="full", python="3.11")
WRONG = Judgement("not_equal", "ok", "4.0", 4.0)


def state(project, row_id):
    return row_detail(project, row_id).row.verdict


def test_rows_with_a_text_and_no_judgement_are_to_be_judged(filled):
    assert list(to_judge(filled)) == [
        (1, "pot", "eggs = 10\nans = eggs - 3", 7.0), (2, "pot", "ans = 8 / 2", 8.0),
        (7, "cot", "10 - 3 = 7. The answer is 7.", 7.0),
    ]  # fmt: skip
    assert store_judgements(filled, [(1, EQUAL), (2, WRONG)]) == 2
    assert [item[0] for item in to_judge(filled)] == [7]
    assert [item[0] for item in to_judge(filled, only_not_run=False, row_ids=[1, 3, 5])] == [1]
    detail = row_detail(filled, 1)
    assert detail.judgement == EQUAL
    assert (detail.row.verdict, detail.row.answer_text) == ("equal", "7")


def test_judgements_may_be_stored_while_rows_are_still_given_out(filled):
    judged = store_judgements(filled, ((row_id, EQUAL) for row_id, *_ in to_judge(filled)))
    assert judged == 3 and list(to_judge(filled)) == [] and filled.asked_to_judge == {}


def test_a_corrected_text_is_judged_as_it_stands(filled):
    store_judgements(filled, [(1, EQUAL), (7, EQUAL)])
    edit_field(filled, 1, "rationale", "ans = 3")
    assert (state(filled, 1), state(filled, 7)) == ("not_run", "equal")
    assert list(to_judge(filled, row_ids=[1])) == [(1, "pot", "ans = 3", 7.0)]
    store_judgements(filled, [(1, WRONG)])
    assert state(filled, 1) == "not_equal"
    undo(filled)
    assert state(filled, 1) == "equal"
    assert row_detail(filled, 1).judgement == EQUAL


def test_a_judgement_that_comes_late_does_not_judge_the_new_text(filled):
    given = list(to_judge(filled, row_ids=[1]))
    edit_field(filled, 1, "rationale", "ans = 3")
    assert store_judgements(filled, [(given[0][0], EQUAL)]) == 1
    assert state(filled, 1) == "not_run"
    undo(filled)
    assert state(filled, 1) == "equal"


def test_a_corrected_gold_asks_for_all_rows_of_the_question_again(filled):
    store_judgements(filled, [(1, EQUAL), (7, EQUAL)])
    assert edit_field(filled, 7, "gold", "1,008") == [1, 7]
    assert [item[::3] for item in to_judge(filled, row_ids=[1, 7])] == [(1, 1008.0), (7, 1008.0)]
    edit_field(filled, 7, "gold", "no number")
    assert [item[3] for item in to_judge(filled, row_ids=[1])] == [None]


def test_an_unknown_row_is_left_out(filled):
    assert store_judgements(filled, [(99, EQUAL)]) == 0


def test_students_learn_from_equal_or_accepted_rows(filled):
    store_judgements(filled, [(1, EQUAL), (2, WRONG), (7, EQUAL)])
    assert [row.row_id for row in training_rows(filled, ["pot", "cot"])] == [1, 7]
    set_review(filled, [2], "accepted")
    set_review(filled, [7], "rejected")
    set_review(filled, [3, 5], "accepted")
    edit_field(filled, 1, "information", "There are ten eggs.\nIna eats 3.")
    found = list(training_rows(filled, {"pot", "cot"}, dataset="made up", split="train"))
    assert found[0] == TrainingRow(
        row_id=1, question_id=1, dataset="made up", split="train", gold_text="7", gold_value=7.0,
        question="Question 1: Ina has 10 eggs\nand eats 1. How many are left?",
        core_question="How many eggs are left?", information=("There are ten eggs.", "Ina eats 3."),
        kind="pot", rationale="eggs = 10\nans = eggs - 3",
    )  # fmt: skip
    assert [row.row_id for row in found] == [1, 2]
    assert list(training_rows(filled, ["cot"])) == list(training_rows(filled, ["pot"], split="test")) == []


def test_the_funnel_counts_what_home_shows(filled):
    store_judgements(filled, [(1, EQUAL), (2, WRONG), (7, Judgement("raised", "raised", "", None))])
    set_review(filled, [2], "accepted")
    assert funnel(filled) == {
        "questions": 6, "asked_questions": 3, "solved_questions": 1, "used": 2, "runs": 0, "evaluations": 0,
        "rows": 7, "asked": 4, "parsed": 3, "not_run": 0, "judged": 3, "equal": 1, "not_equal": 1,
        "failed": 1, "reviewed": 1, "accepted": 1, "rejected": 0, "changed": 0, "flagged": 0, "suspects": 0,
        "unfit": 0, "trained": 0,
    }  # fmt: skip


def test_the_funnel_and_the_training_rows_follow_one_rule(filled):
    store_judgements(filled, [(1, EQUAL), (2, WRONG), (7, Judgement("does_not_parse", "", "", None))])
    for review in ("unreviewed", "accepted", "rejected"):
        set_review(filled, range(1, 8), review)
        assert funnel(filled)["used"] == len(list(training_rows(filled, ["cot", "pot", "eot"]))), review
    edit_field(filled, 1, "rationale", "")
    set_review(filled, range(1, 8), "accepted")
    assert funnel(filled)["used"] == len(list(training_rows(filled, ["cot", "pot", "eot"]))) == 2
