"""Rationales that are the same, and such that only look alike."""

from __future__ import annotations

import pytest

from training_backend.rationale.normal_form import normal_form, rough_form

PROGRAM = "eggs = 16\neaten = 3\nans = (eggs - eaten) * 2\n"
SAME = [
    "a=16\nb=3\n\nc = (a-b)*2",
    "# Janet's eggs, 99 of them\neggs = 16\neaten = 3  # for breakfast\nans = ((eggs - eaten)) * 2",
    '"""Said before."""\neggs = 16\neaten = 3\nans = (eggs - eaten) * 2',
]
OTHER = [
    "eggs = 16\neaten = 3\nans = (eaten - eggs) * 2",
    "eggs = 16\neaten = 3\nans = 2 * (eggs - eaten)",
    "eggs = 16\neaten = 4\nans = (eggs - eaten) * 2",
    "eaten = 3\neggs = 16\nans = (eggs - eaten) * 2",
]


@pytest.mark.parametrize("text", SAME)
def test_names_spacing_and_comments_do_not_count(text):
    assert normal_form("pot", text) == normal_form("pot", PROGRAM)


@pytest.mark.parametrize("text", OTHER)
def test_other_programs_are_others(text):
    assert normal_form("pot", text) != normal_form("pot", PROGRAM)


def test_functions_and_imports_keep_what_is_not_theirs():
    one = "import math\ndef solution(x: int) -> int:\n    return math.floor(x)\nans = solution(x=3)"
    other = "import math\ndef f(y):\n    return math.floor(y)\nresult = f(y=3)"
    assert normal_form("pot", one) == normal_form("pot", other)
    assert normal_form("pot", one) != normal_form("pot", one.replace("floor", "ceil"))
    assert normal_form("pot", "ans = max(1, 2)") != normal_form("pot", "ans = min(1, 2)")


def test_what_does_not_parse_and_other_kinds_are_compared_as_text():
    assert normal_form("pot", "ans = (3") == normal_form("pot", "ans  =  (3")
    assert normal_form("cot", "3 + 4 = 7. The answer is 7.") == normal_form(
        "cot", "3+4 = 7.  the answer is 7."
    )
    assert normal_form("cot", "The answer is 7.") != normal_form("cot", "The answer is 8.")
    assert normal_form("eot", "% eggs\neggs = 16\nans = eggs") == normal_form("eot", "x=16\ny = x")
    assert normal_form("eot", "x = 16\nans = x") != normal_form("eot", "x = 16\nans = 2*x")
    assert normal_form("cot", "  ") == ""
    assert normal_form("pot", "(" * 60_000)


@pytest.mark.parametrize("text", [PROGRAM, *SAME])
def test_the_rough_form_never_parts_what_is_the_same(text):
    rough = {rough_form("pot", text), ""}
    assert rough_form("pot", PROGRAM) in rough or rough_form("pot", text) == ""
    assert rough_form("pot", OTHER[2]) != rough_form("pot", PROGRAM)
