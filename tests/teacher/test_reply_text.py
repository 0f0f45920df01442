"""The parts of a reply as texts, before anything is made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_backend.teacher.reply_parts import NAMES, parts
from training_backend.teacher.reply_text import (
    Line,
    chatter_cut,
    items_of,
    json_parts,
    labelled_parts,
    lines_of,
    paragraph_of,
    without_thinking,
)

POINTS = parts("key_points")


def test_lines_know_the_code_they_stand_in():
    text = "a\n```python\nb\n```\n```\nc\n```\nd"
    assert list(lines_of(text)) == [Line("a"), Line("b", 1, "python"), Line("c", 2), Line("d")]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("- a 1\n- b 2", ("a 1", "b 2")),
        ("1) a\n2) b", ("a", "b")),
        ("a 1\nb 2", ("a 1", "b 2")),
        ("1. packs of 13. 2. Mia buys 39 pens.", ("packs of 13.", "Mia buys 39 pens.")),
        ("The facts:\n- a\n- b\n\nThese are all the facts.", ("a", "b")),
        ("- a that goes\n  on\n- b", ("a that goes on", "b")),
        ('["a", "b"]', ("a", "b")),
        ("['a', 'b']", ("a", "b")),
        ("- **a**\n- “b”", ("a", "b")),
        ("-5 degrees at noon\n3 more later", ("-5 degrees at noon", "3 more later")),
        ("None.", ()),
        ("", ()),
    ],
)
def test_lists(text, items):
    assert items_of(text) == items


def test_a_question_on_one_line():
    assert paragraph_of("* **How many\n  are left?**\n\nThat is asked.") == "How many are left?"
    assert paragraph_of("From 1:00 PM - 6:00 PM, 3/4 * $120 is how much?") == (
        "From 1:00 PM - 6:00 PM, 3/4 * $120 is how much?"
    )


def test_the_first_part_that_holds_something_counts():
    text = "Core question:\nInformation:\n- a\nCore question: How many?\nInformation:\n- c"
    assert labelled_parts(text, POINTS) == [{"": "", "information": "\n- a", "core_question": "How many?"}]


def test_an_object_of_something_else_is_passed_by():
    text = '{"a": 1} {"information": ["x"]} {"core_question": "Q", "information": ["y"]}'
    assert json_parts(text, POINTS) == {"core_question": "Q", "information": '["y"]'}
    assert json_parts("{x} is a set", POINTS) == {}


def test_only_words_of_a_model_are_cut():
    lines = [Line(text) for text in ("Sure!", "", "Here is 1 of them:", "3 + 4 = 7", "Let me know.")]
    assert [line.text for line in chatter_cut(lines)] == ["Here is 1 of them:", "3 + 4 = 7"]
    assert chatter_cut([Line("Sure!")]) == [Line("Sure!")]
    assert chatter_cut([]) == []


def test_thinking_goes_and_line_ends_are_plain():
    assert without_thinking("\ufeff<think>a</think>\r\nb\rc") == ("b\nc", "")
    assert without_thinking("<|im_start|>a<|im_end|></s>") == ("a", "")
    assert without_thinking("if 3 < 4 > 2") == ("if 3 < 4 > 2", "")


@given(st.text(max_size=300), st.sampled_from(NAMES))
def test_any_text_can_be_cut(text, name):
    wanted = parts(name, "pot")
    assert all(isinstance(way, dict) for way in labelled_parts(text, wanted))
    assert isinstance(json_parts(text, wanted), dict | str)
    assert isinstance(items_of(text), tuple)
    assert "\n" not in paragraph_of(text)
