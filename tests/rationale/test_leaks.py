"""What key points may restate, and what they may not say."""

from __future__ import annotations

import pytest

from training_backend.rationale.leaks import find_leaks, numbers_of

QUESTION = "A robe takes 2 bolts of blue fiber and half that much white fiber. It is worn for 25% of a week."


@pytest.mark.parametrize(
    "item",
    [
        "It takes half as much white fiber.",
        "It takes 1/2 as much white fiber.",
        "It takes 50% as much white fiber.",
        "A week has 7 days.",
        "It is worn 0.25 of the time.",
        "It is worn a quarter of the time.",
        "Blue fiber = 2 bolts",
        "One robe takes two bolts.",
        "The first two robes.",
    ],
)
def test_a_plain_reading_of_the_question_is_no_leak(item):
    leaks = find_leaks(numbers_of(QUESTION), 3.0, "How many bolts?", [item])
    assert (leaks.answer, leaks.foreign) == ("", "")


def test_the_answer_a_result_and_a_number_from_nowhere_are_told_apart():
    numbers = numbers_of(QUESTION)
    gold = find_leaks(numbers, 3.0, "", ["It takes 2 bolts.", "It takes 3 bolts in total."])
    assert gold.answer.startswith("Item 2 states 3, the gold answer") and not gold.foreign
    in_words = find_leaks(numbers, 3.0, "", ["It takes three bolts in total."])
    assert "the gold answer" in in_words.answer
    result = find_leaks(numbers, 30.0, "", ["White fiber: 2 * 4 = 8 bolts"])
    assert result.answer.startswith("Item 1 states 8, a result")
    foreign = find_leaks(numbers, 3.0, "How many bolts for 9 robes?", ["It takes 2 bolts."])
    assert foreign.foreign.startswith("The core question holds 9") and not foreign.answer
    assert find_leaks(numbers, None, "", ["x = 88,000 / 11"]).answer == ""


def test_what_a_unit_holds_is_read_beside_a_unit_only():
    numbers = numbers_of("There is a ribbon of 144 inches and some gifts.")
    assert find_leaks(numbers, 12.0, "", ["A foot has 12 inches."]).answer == ""
    assert find_leaks(numbers, 12.0, "", ["She has 12 gifts to wrap."]).answer


def test_numbers_of_lists_and_thousands_in_letters_are_known():
    numbers = numbers_of("A job pays 25k a year.")
    assert find_leaks(numbers, 4.0, "", ["The job pays $25,000."]).foreign == ""
    assert find_leaks(numbers, 4.0, "", ["The job pays 26,000."]).foreign


def test_recorded_key_points_leak_as_often_as_was_counted(shared_data):
    import ast

    from training_backend.rationale.answers import parse_number
    from training_backend.rationale.key_points import split_items

    folder = shared_data / "restricted" / "dup" / "gsm8k_gpt3.5"
    if not folder.is_dir():
        pytest.skip(f"no recorded key points at {folder}")
    names = ("dataset", "labels", "core_question_responses", "useful_infomation_responses")
    files = [(folder / f"{name}.txt").read_text(encoding="utf-8").splitlines() for name in names]
    found = [
        find_leaks(numbers_of(question), parse_number(gold), ast.literal_eval(core),
                   split_items(ast.literal_eval(items)))
        for question, gold, core, items in zip(*files, strict=True)
    ]  # fmt: skip
    assert len(found) == 1319
    assert 80 <= sum(bool(leaks.answer) for leaks in found) <= 100
    assert 55 <= sum(bool(leaks.foreign) for leaks in found) <= 85
