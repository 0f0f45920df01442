"""The arithmetic of a chain of thought is found, computed again and marked."""

from __future__ import annotations

import pytest

from training_backend.rationale.arithmetic import claims

TRUE = [
    ("Ina keeps 20 - 6 - 5 = 9 plums.", "20 - 6 - 5", 9),
    ("2 coils of red wire + 1 coil of grey wire = 3 coils", "2 coils of red wire + 1", 3),
    ("20% of 50 = 10", "20% of 50", 10),
    ("1/2 of 10 = 5", "1/2 of 10", 5),
    ("In 2 weeks she has 3 * 4 = 12 apples", "3 * 4", 12),
    ("9 * $2 = $18.", "9 * $2", 18),
    ("That is 48/2=<<48/2=24>>24 clips", "48/2", 24),
    ("10/3 = 3.33", "10/3", 10 / 3),
    ("1/4 * 100 = 25%", "1/4 * 100", 25),
    ("1,200 / 3 = 400", "1,200 / 3", 400),
    ("(3 + 4) x 2 = 14", "(3 + 4) x 2", 14),
    ("2(3+4) = 14", "2(3+4)", 14),
    ("7 − 2 × 3 = 1", "7 − 2 × 3", 1),
    ("-3 + 5 = 2", "-3 + 5", 2),
    ("- 3 + 5 = 8", "3 + 5", 8),
    ("5 + another 3 = 8", "5 + another 3", 8),
]


@pytest.mark.parametrize(("text", "left", "computed"), TRUE)
def test_a_true_statement(text, left, computed):
    found = claims(text)
    assert [(claim.left, claim.holds) for claim in found] == [(left, True)]
    assert found[0].computed == pytest.approx(computed)
    claim = found[0]
    assert text[claim.start : claim.end].startswith(left)


@pytest.mark.parametrize(
    ("text", "computed"),
    [
        ("10 - 3 = 6", 7),
        ("3 * 4 = 13 apples", 12),
        ("10 / 3 = 3", 10 / 3),
        ("10 / 3 = 3.34", 10 / 3),
        ("so 2 x 2 = 5", 4),
    ],
)
def test_a_false_statement_says_what_it_really_is(text, computed):
    (claim,) = claims(text)
    assert not claim.holds
    assert claim.computed == pytest.approx(computed)


@pytest.mark.parametrize(
    "text",
    [
        "x + 3 = 7", "2 * x = 8", "5 + y - 2 = 10", "3t + 4 = 19", "7 + 4x = 52", "3*X - 3*6 = 77", "1/0 = 3",
        "1/3 of Solomon = 22",
        "there are 12 apples", "n = 4", "6-seater tables = 4", "9 ** 99999 = 1", "= = =", "(" * 50 + "= 3",
        "",
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_left_alone(text):
    assert claims(text) == []


def test_a_chain_is_a_statement_for_each_sign():
    found = claims("Total = 3 + 4 = 7 and 14 / 2 = 10 - 3")
    assert [(claim.left, claim.right, claim.holds) for claim in found] == [
        ("3 + 4", "7", True),
        ("14 / 2", "10 - 3", True),
    ]


def test_the_sentence_before_is_no_part_of_the_expression():
    found = claims("He will fill it 4 times because 140 / 35 = 4, and 3/4 of the tank is 3/4 * 4000 = 3000.")
    assert [(claim.left, claim.holds) for claim in found] == [("140 / 35", True), ("3/4 * 4000", True)]


def test_most_steps_of_recorded_rationales_are_found_and_hold(shared_data):
    import json
    import re

    marked = found = true = 0
    with (shared_data / "gsm8k" / "test.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            answer = json.loads(line)["answer"]
            marked += answer.count("<<")
            statements = claims(re.sub(r"<<[^>]*>>", "", answer))
            found += len(statements)
            true += sum(claim.holds for claim in statements)
    assert found > 0.97 * marked
    assert true > 0.985 * found
