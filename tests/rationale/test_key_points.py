"""Key points: what is rendered for a student is read back the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training_backend.rationale.key_points import KeyPoints, parse, parse_information, render, split_items

words = st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=8)
sentence = st.lists(words, min_size=1, max_size=6).map(" ".join)


@given(sentence, st.lists(sentence, max_size=5))
def test_round_trip(core, items):
    points = KeyPoints(core, tuple(items))
    assert parse(render(points)) == points


def test_numbers_inside_items_do_not_split_them():
    points = KeyPoints("How many?", ("On 5. May she has 3 eggs.", "A box holds 12. Each costs 2. dollars"))
    assert parse(render(points)) == points


def test_missing_labels_are_no_key_points():
    assert parse("A lamp takes 2 bulbs") is None
    assert parse("core question: How many?") is None
    assert parse("core question: How many? information:") == KeyPoints("How many?", ())
    assert parse_information("no numbers here") == ("no numbers here",)


def test_items_of_a_teachers_list():
    text = "- A lamp takes 2 bulbs.\n* half of it\n3) third\n\n  4. fourth  \n(5) fifth"
    assert split_items(text) == ("A lamp takes 2 bulbs.", "half of it", "third", "fourth", "fifth")
    # an item that starts with a number is not taken for its bullet
    assert split_items("12 eggs\n3.5 miles") == ("12 eggs", "3.5 miles")


def test_bullets_that_touch_the_words():
    assert split_items("-The bus left.\n-10 seats stayed empty.") == (
        "The bus left.",
        "10 seats stayed empty.",
    )
    # alone before a number a dash is a minus
    assert split_items("It was cold:\n-5 degrees") == ("It was cold:", "-5 degrees")
    assert split_items("-5 degrees\n-7 degrees") == ("-5 degrees", "-7 degrees")


def test_an_item_may_end_in_a_number_and_a_full_stop():
    points = KeyPoints("How many packs does Mia buy?", ("Pens come in packs of 13.", "Mia buys 39 pens."))
    assert parse(render(points)) == points
