"""The rules behind the flags: what each finds, what it says, and what it leaves alone."""

from __future__ import annotations

import pytest

from training_backend.project.flag_rules import RowTexts, find_flags
from training_backend.project.near_questions import BenchmarkQuestion, NearIndex

QUESTION = "Ina has 10 eggs and eats 3. How many are left?"


def row(
    row_id: int, answer: float | None = 7.0, kind: str = "pot", path: int = 0, rationale: str = "", **changes
):
    values = {
        "row_id": row_id, "question_id": 1, "question": QUESTION, "gold_value": 7.0, "kind": kind,
        "path": path, "origin_id": 1, "answer": answer, "key_points_id": 0, "core_question": "",
        "information": (),
        "rationale": rationale or f"ans = {row_id} + {answer}",
    }  # fmt: skip
    return RowTexts(**{**values, **changes})


def names(found):
    return {row_id: sorted(flags) for row_id, flags in found.items()}


def test_rows_that_agree_with_gold_and_each_other_have_no_flag():
    assert find_flags([row(1), row(2, kind="cot"), row(3, path=1), row(4, None, path=2)]) == {}


def test_key_points_are_judged_once_for_all_rows_that_share_them():
    points = {
        "key_points_id": 5,
        "core_question": "How many?",
        "information": ("10 eggs", "7 are left", "12 hens"),
    }
    found = find_flags([row(1, **points), row(2, path=1, **points), row(3, path=2)])
    assert names(found) == {1: ["answer_in_key_points", "foreign_number"],
                            2: ["answer_in_key_points", "foreign_number"]}  # fmt: skip
    assert found[1]["answer_in_key_points"].startswith("Item 2 states 7, the gold answer")
    assert "“12 hens”" in found[2]["foreign_number"]


def test_kinds_of_one_path_that_disagree_are_both_flagged_with_both_answers():
    found = find_flags([row(1), row(2, 13.0, "cot"), row(3, path=1), row(4, 7.0, "cot", path=1)])
    assert found[1]["kinds_disagree"] == "The program ends on 7, the chain of thought ends on 13."
    assert found[2]["kinds_disagree"] == found[1]["kinds_disagree"]
    assert 3 not in found and "kinds_disagree" not in found.get(4, {})


def test_paths_that_most_others_do_not_share_are_flagged_and_a_majority_is_not():
    found = find_flags([row(1), row(2, path=1), row(3, path=2), row(4, 8.0, path=3)])
    assert names(found) == {4: ["paths_disagree"]}
    assert found[4]["paths_disagree"] == "This path ends on 8; 3 of 3 other paths on 7."
    tie = find_flags([row(1), row(2, 8.0, path=1)])
    assert names(tie) == {1: ["paths_disagree"], 2: ["paths_disagree"]}


def test_gold_is_disputed_by_two_that_agree_while_none_gives_gold():
    rows = [row(1, 8.0), row(2, 8.0, path=1), row(3, 9.0, path=2)]
    found = find_flags(rows)
    assert all("gold_disputed" in found[number] for number in (1, 2, 3))
    assert found[3]["gold_disputed"] == (
        "2 answers (pot 1, pot 2) agree on 8; gold is 7, and no answer equals it."
    )
    assert "gold_disputed" not in find_flags([*rows, row(4, 7.0, path=3)]).get(1, {})
    assert "gold_disputed" not in find_flags([row(1, 8.0), row(2, 9.0, path=1)])[1]
    without_gold = [row(1, 8.0, gold_value=None), row(2, 8.0, path=1, gold_value=None)]
    assert find_flags(without_gold) == {}


def test_the_same_text_twice_is_one_opinion_and_a_duplicate():
    text = "ans = 10 - 2"
    found = find_flags([row(1, 8.0, rationale=text), row(2, 8.0, path=1, rationale="left = 10-2  # eggs")])
    assert names(found) == {2: ["duplicate_path"]}
    assert found[2]["duplicate_path"] == "The same as path 1 (row 1) up to names, spacing and comments."


@pytest.mark.parametrize("first", ['"""Eggs."""\nx = 10\ny = x - 3', "x = 10  # 3 eaten\ny = x - 3"])
def test_docstrings_and_comments_hide_no_duplicate(first):
    found = find_flags([row(1, rationale=first), row(2, path=1, rationale="a = 10\nb = a - 3")])
    assert names(found) == {2: ["duplicate_path"]}


def test_a_near_benchmark_and_an_unfit_text_concern_every_row():
    index = NearIndex(
        [BenchmarkQuestion(9, "eggs test 4 (question 9)", "Ina has 12 eggs and eats 3. How many are left?")]
    )
    near = index.nearest(QUESTION)
    found = find_flags([row(1), row(2, path=1)], near, lambda row: "too long" if row.row_id == 2 else "")
    assert names(found) == {1: ["near_benchmark"], 2: ["near_benchmark", "unfit_for_student"]}
    why = found[1]["near_benchmark"]
    assert "eggs test 4 (question 9)" in why and "only numbers differ" in why and "12 eggs" in why
