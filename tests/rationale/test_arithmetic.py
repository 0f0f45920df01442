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
    ("1,200.50 + $300 = $1,500.50", "1,200.50 + $300", 1500.5),
    ("2 1/2 * 4 = 10", "2 1/2 * 4", 10),
    ("7.5 / 1/2 = 15", "7.5 / 1/2", 15),
    ("6 hours/day × 5 days = 30 hours", "6 hours/day × 5", 30),
    ("10 km/h × 2 h = 20 km", "10 km/h × 2", 20),
    ("50¢ + 25¢ = 75¢", "50¢ + 25", 75),
    ("25 cents * 4 = $1", "25 cents * 4", 100),
    ("$1 / 2 = 50 cents", "1 / 2", 0.5),
    ("so [3 + 4] * 2 equals 14", "[3 + 4] * 2", 14),
    ("3 plus 4 equals 7", "3 plus 4", 7),
    ("12 divided by 4 equals 3", "12 divided by 4", 3),
    ("2 + 3 = **5**", "2 + 3", 5),
    (r"\( 3 \times 4 = 12 \)", r"3 \times 4", 12),
    (r"\frac{1}{2} \cdot 4 = 2\text{ kg}", r"\frac{1}{2} \cdot 4", 2),
    ("1 (Ada) + 12 + 7 = 20", "1 (Ada) + 12 + 7", 20),
    ("15 / 90 * 100% = 16.66...%", "15 / 90 * 100%", 1 / 6),
    ("2 miles / 16 minutes = 1 mile / 8 minutes", "2 miles / 16", 1 / 8),
    ("four paid half ($25) for a total of 4*$25 = $100", "4*$25", 100),
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
        "1/3 of Solomon = 22", "half of 48 is 24", "5:00 pm - 3 hours = 2:00 pm", "10 am - 5 pm = 17 hours",
        "18 * 5 = 1 * x", "40/100 = 240/x", "75 - 35 = 5C - 3C", "45 + 5 = 2x - 5 + 5", "(5/2)x + 4 = 19",
        "(f spoons) + 5 - 3 = 12", "16,0000/10 = 16000", "0900-0130 = 0730", "1e3 + 1 = 1001",
        "30 minutes + 45 minutes = 1 hour 15 minutes", "6 ft 2 in + 3 in = 9", "4 / 3 = 1 and 1/3",
        "there are 12 apples", "n = 4", "6-seater tables = 4", "9 ** 99999 = 1", "= = =", "(" * 50 + "= 3",
        "", "10:00 + 2 = 12",
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


def test_units_on_the_right_do_not_cut_it():
    text = "240 boys – (40 boys + 184 boys) = 240 boys – 224 boys = 16 boys"
    assert [(claim.right, claim.holds) for claim in claims(text)] == [("240 boys – 224", True), ("16", True)]
    (claim,) = claims("She got 8*45 = 360 divided by 5 people.")
    assert (claim.right, claim.holds) == ("360", True)


def test_a_running_total_is_no_equation():
    found = claims("3 + 4 = 7 + 2 = 9")
    assert [(claim.left, claim.holds, claim.computed) for claim in found] == [
        ("3 + 4", False, 7),
        ("7 + 2", True, 9),
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
