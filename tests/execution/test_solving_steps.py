"""The way of the solver through a system, told again: values, order, and where there is no answer."""

from __future__ import annotations

import pytest

from training_backend.execution.equation_solver import run_equations
from training_backend.execution.solving_steps import solving_steps

FARM = "% heads\nchickens + cows = 35\n% legs\n2*chickens + 4*cows = 94\nans = chickens"


class _Records(list):
    def emit(self, **record):
        self.append(record)

    def finish(self):
        pass


def told(text, question="", items=()):
    records = _Records()
    ending = run_equations(text, records)
    return solving_steps(text, records, ending.get("reason", ""), question, items)


def test_an_equation_with_one_unknown_is_written_out_with_what_is_known():
    steps = told("pens = 3 * 2\ntotal = pens + 9\nans = 20 - total")
    assert [(step.text, step.detail) for step in steps] == [
        ("pens = 3 * 2 = 6", "line 1"),
        ("total = 6 + 9 = 15", "line 2, with pens = 6"),
        ("ans = 20 - 15 = 5", "line 3, with total = 15"),
    ]
    assert [(step.name, step.value) for step in steps] == [("pens", "6"), ("total", "15"), ("ans", "5")]
    assert steps[1].sources[0].step == 1 and steps[2].sources[0].text == "total"


def test_equations_that_need_each_other_are_solved_by_substitution():
    steps = told(FARM)
    assert [step.text for step in steps] == [
        "chickens + cows = 35  →  chickens = 35 - cows",
        "2 * (35 - cows) + 4 * cows = 94  →  cows = 12",
        "chickens = 35 - 12 = 23",
        "ans = 23",
    ]
    assert [step.lines for step in steps] == [(2,), (4,), (), (5,)]
    assert steps[1].detail == "line 4, with chickens = 35 - cows"


def test_three_unknowns_come_out_at_the_solvers_values():
    steps = told("a + b = 3\nb + c = 5\na + c = 4\nans = c")
    assert {step.name: step.value for step in steps if step.name} == {
        "a": "1", "b": "2", "c": "3", "ans": "3",
    }  # fmt: skip


def test_numbers_of_a_line_are_found_in_question_and_items():
    question = "A farm has chickens and cows, 35 animals with 94 legs in all."
    steps = told(FARM, question, ["There are 35 animals.", "They have 94 legs."])
    (heads,) = steps[0].sources
    assert question[slice(*heads.question)] == "35" and heads.item.item == 0
    legs = {source.text: source for source in steps[1].sources}
    assert question[slice(*legs["94"].question)] == "94" and legs["2"].question is None
    assert legs["chickens"].step == 1


@pytest.mark.parametrize(
    ("text", "last", "holds", "why"),
    [
        ("x + y = 10\nx + y = 12\nans = x", "10 = 12", False, "contradict"),
        ("2x = 7\nx = 3\nans = x", "3.5 = 3", False, "cannot be"),
        ("x + y = 10\ntotal = 10\nans = x", "y = ?", None, "nothing determines y"),
        ("x + y = 4\n2x + 2y = 8\nans = x", "y = ?", None, "nothing determines y"),
        ("x^2 = 5*x - 6\nans = x", "x^2 = 5 * x - 6", None, "several solutions: 2, 3"),
        ("a = 3\nans = a - 5", "ans = -2", None, "negative"),
        ("ans = 1/0", "ans = ?", None, "division by zero"),
    ],
)
def test_a_system_without_an_answer_ends_with_the_reason(text, last, holds, why):
    step = told(text)[-1]
    assert (step.text, step.holds) == (last, holds) and why in step.detail


def test_what_is_not_linear_names_its_lines():
    steps = told("x * y = 6\nx - y = 1\nans = x")
    assert [(step.text, step.detail) for step in steps] == [
        ("x = 3", "lines 1 and 2, solved together"),
        ("y = 2", "lines 1 and 2, solved together"),
        ("ans = 3", "line 3, with x = 3"),
    ]
    assert told("x^2 = 2\nans = x")[0].text == "x^2 = 2  →  x = sqrt(2)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 7\nb = 2\nans = a - (b - 1)", "ans = 7 - (2 - 1) = 6"),
        ("a = 8\nans = a / (2 * 2)", "ans = 8 / (2 * 2) = 2"),
        ("a = 1/3\nans = a * 6", "ans = (1/3) * 6 = 2"),
        ("a = 7\nans = 2 * (a // 2)", "ans = 2 * (7 // 2) = 6"),
        ("a = 7\nans = a // 2 * 2", "ans = 7 // 2 * 2 = 6"),
        ("a = 2\nans = -(a + 1) + 9", "ans = -(2 + 1) + 9 = 6"),
        ("a = 2\nans = max(a, 3) ^ 2", "ans = max(2, 3)^2 = 9"),
    ],
)
def test_brackets_stand_where_they_are_needed(text, shown):
    assert told(text)[-1].text.replace("(-(2 + 1))", "-(2 + 1)") == shown


def test_a_text_that_is_no_system_has_no_steps():
    assert solving_steps("4 and a half", []) == []
