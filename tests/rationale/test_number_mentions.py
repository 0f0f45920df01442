"""Numbers that a text mentions: digits, words, fractions, percentages, units, and their places."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_backend.rationale.number_mentions import MAX_MENTIONS, mentions, words_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ann has 4 apples,5 pears and .5 melons.", [("4", 4), ("5", 5), (".5", 0.5)]),
        ("It costs $1,250.75 or 2.5 million.", [("1,250.75", 1250.75), ("2.5 million", 2.5e6)]),
        ("twenty-five cows", [("twenty-five", 25)]),
        ("one hundred and six hens", [("one hundred and six", 106)]),
        ("two hundred thousand", [("two hundred thousand", 200_000)]),
        ("He read two, three or four books", [("two", 2), ("three", 3), ("four", 4)]),
        ("two and three", [("two", 2), ("three", 3)]),
        ("two dozen eggs, half a dozen pies", [("two dozen", 24), ("half a dozen", 6)]),
        ("3/4 of it, 1 1/2 cups, ½ a cup", [("3/4", 0.75), ("1 1/2", 1.5), ("½", 0.5)]),
        ("two-thirds of them, half the rest", [("two-thirds", 2 / 3), ("half", 0.5)]),
        ("20% off, 5 percent tax", [("20%", 20), ("5 percent", 5)]),
        ("a 5-foot rope, 2-3 times", [("5", 5), ("2", 2), ("3", 3)]),
        ("room B12, mp3", []),
    ],
)
def test_numbers_that_must_be_used(text, found):
    strong = [m for m in mentions(text) if not m.weak]
    assert [(m.text, pytest.approx(m.value)) for m in strong] == found
    assert all(text[m.start : m.end] == m.text for m in strong)


@pytest.mark.parametrize("text", ["the 3rd day", "one of them", "in a week", "both", "the third day"])
def test_weak_mentions_explain_and_need_not_be_used(text):
    found = mentions(text)
    assert found and all(m.weak for m in found)


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("20%", 0.2, "percent"), ("20%", 1.2, "complement"), ("20%", 0.8, "complement"),
        ("half", 2, "part"), ("3/4", 4, "part"), ("two dozen", 12, "part"), ("50 cents", 0.5, "cents"),
        ("a week", 7, "unit"), ("3 thousand", 3, "same"), ("twice", 2, "word"),
    ],
)  # fmt: skip
def test_what_else_a_mention_can_stand_for(text, value, how):
    meanings = [(pytest.approx(number), way) for m in mentions(text) for number, way in m.values]
    assert (value, how) in meanings


def test_one_and_many_are_alike():
    assert words_of("apples_eaten") == words_of("apple eaten")


def test_a_text_is_read_up_to_its_caps():
    assert len(mentions("7 " * 5000)) == MAX_MENTIONS
    assert mentions("9" * 5000)[0].value == float("inf")


@given(st.text(max_size=300))
def test_any_text_gives_ordered_spans(text):
    found = mentions(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(text[m.start : m.end] == m.text and m.values for m in found)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_every_whole_number_is_found_with_commas_or_without(numbers):
    text = "; ".join(f"{number:,} or {number} pears" for number in numbers)
    strong = [m.value for m in mentions(text) if not m.weak]
    assert strong == [number for number in numbers for _ in range(2)]
