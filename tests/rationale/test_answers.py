"""Reading answers: the forms in which gold answers and rationales write numbers."""

from __future__ import annotations

import math

import pytest

from training_backend.rationale.answers import equal, format_number, numbers_in, parse_number, read_answer


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", 18), ("1,234", 1234), ("-3", -3), ("−3", -3), ("3.50", 3.5), ("$1,200.5", 1200.5),
        ("3/4", 0.75), ("7.", 7), ("1e3", 1000), (" 12 ", 12), (".5", 0.5),
        ("", None), ("12 apples", None), ("1,23", None), ("nan", None), ("inf", None), ("3/0", None),
        ("9" * 500, None),
    ],
)  # fmt: skip
def test_parse_number(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("rationale", "value", "rule"),
    [
        ("She has 3 + 4 = 7 left. The answer is 7.", 7, "after 'answer is'"),
        ("The answer is 5? No: the answer is $1,250.", 1250, "after 'answer is'"),
        ("Answer: 12 apples of 20", 12, "after 'answer is'"),
        ("9 - 2 = 7\n#### 7", 7, "after '####'"),
        ("so 12 eggs, then 30 eggs", 30, "last number"),
        ("It is -4 degrees.", -4, "last number"),
        ("The answer is 50%.", 50, "after 'answer is'"),
        ("The answer is 53 - 49 = 4.", 4, "after 'answer is'"),
        ("The answer is 6 / 12 = 1/2 = 50%. Or 7 = 7.", 50, "after 'answer is'"),
        ("The answer is clear. It is 9 eggs.", 9, "after 'answer is'"),
        # a verb, a noun and a heading are no statement of the answer
        ("She answers 60% of 5 questions. So she scores 3 points.", 3, "last number"),
        ("8 correct answers. She has 41 points.", 41, "last number"),
        ("Here is the answer:\nOf 36 cups 17 break, which leaves 19.", 19, "last number"),
        # the last sentence repeats facts of the question beside the result
        ("28 / 2 = 14 bags.\nJean fills 14 bags with 2 cups each.", 14,
         "last result, repeated in the last sentence"),
        ("3 * 8 = $<<3*8=24>>24.\n\nSo he pays $24 for 8 pens.", 24,
         "last result, repeated in the last sentence"),
        ("He pays 3 = 2 + 1, no: 2 + 2 = 4. 5 pens, 6 cups.", 6, "last number"),
        ("57 birds did not hide. This is found by taking 40 from 97.", 57,
         "last number before the explanation"),
    ],
)  # fmt: skip
def test_read_answer(rationale, value, rule):
    read = read_answer(rationale)
    assert (read.value, read.rule) == (value, rule)


def test_a_rationale_without_number_is_unscored():
    assert read_answer("I cannot tell.") is None


def test_numbers_are_found_with_their_spans():
    text = "Buy 1,200 for $3.50 on day 2nd, x2 and 4-5."
    assert [(text[a:b], value) for a, b, value in numbers_in(text)][:2] == [("1,200", 1200.0), ("3.50", 3.5)]
    # a name that ends in a digit is no number
    assert "x2" in text and 2.0 not in [value for a, _, value in numbers_in("x2")]


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        (18.0, 18, True), (18.0009, 18, True), (18.001001, 18, False), (None, 18, False), (3.0, None, False),
        (1e12 + 500, 1e12, True), (1e12 + 5000, 1e12, False),
        (math.nan, 1.0, False), (math.inf, math.inf, False),
    ],
)  # fmt: skip
def test_equal(answer, gold, same):
    assert equal(answer, gold) is same


def test_format_number():
    assert [format_number(value) for value in (3.0, 2.5, -0.0, 1e20, 1 / 3)] == [
        "3",
        "2.5",
        "0",
        "1e+20",
        "0.3333333333",
    ]
