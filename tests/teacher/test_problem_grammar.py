"""The sample problems are right, readable, reproducible and keep their two worlds of numbers apart."""

from __future__ import annotations

import builtins
import contextlib
import keyword
import multiprocessing
import re

import pytest
import sympy

from training_backend.errors import ConfigError
from training_backend.rationale.answers import numbers_in, read_answer
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import generate, is_held_out, pool, variable_names
from training_backend.teacher.problem_words import DISTRACTORS, MEN, NOUNS, WOMEN, article, plural

ALL = tuple(problem_templates.all_templates())


@pytest.fixture(scope="module", params=["train", "held_out"])
def problems(request):
    return list(generate(len(ALL) * 6, 7, templates=ALL, numbers=request.param))


def _run_programs(programs: list[str]) -> list[object]:
    answers: list[object] = []
    for program in programs:
        names: dict[str, object] = {}
        with contextlib.suppress(Exception):
            exec(program, names)
        answers.append(names.get("ans"))
    return answers


def _solve_equations(systems: list[str]) -> list[object]:
    answers: list[object] = []
    for system in systems:
        values: dict[str, object] = {"floor": sympy.floor}
        for line in system.splitlines():
            name, expression = line.split(" = ")
            values[name] = sympy.sympify(expression, locals=values)
        answers.append(int(str(values["ans"])))
    return answers


def _in_another_process(function, argument):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (argument,))


def test_there_are_more_than_a_hundred_templates():
    assert len(problem_templates.known()) >= 100
    assert len(problem_templates.new()) >= 8
    assert not set(problem_templates.known()) & set(problem_templates.new())
    shapes = {
        (clauses, template.question)
        for template in problem_templates.all_templates().values()
        for clauses in ["".join(clause.text for clause in template.clauses)]
    }
    assert len(shapes) == len(ALL)


def test_programs_give_the_answer(problems):
    answers = _in_another_process(_run_programs, [problem.pot for problem in problems])
    assert answers == [problem.answer for problem in problems]


def test_equations_give_the_answer(problems):
    answers = _solve_equations([problem.eot for problem in problems])
    assert answers == [problem.answer for problem in problems]
    for problem in problems:
        names = [line.split(" = ")[0] for line in problem.eot.splitlines()]
        assert len(set(names)) == len(names), problem.eot
        assert names[-1] == "ans"


def test_chains_of_thought_end_with_the_answer_and_every_sum_is_true(problems):
    sums = 0
    for problem in problems:
        assert problem.cot.endswith(f" The answer is {problem.answer}.")
        read = read_answer(problem.cot)
        assert read is not None and read.value == problem.answer
        for left, right in re.findall(r"([\d(][\d ()*/+-]*) = (\d+)", problem.cot):
            assert eval(left) == int(right), problem.cot
            sums += 1
    assert sums > 2 * len(problems)


def test_programs_are_readable_and_read_their_numbers_from_the_question(problems):
    loops = branches = 0
    for problem in problems:
        assert problem.pot.splitlines()[-1].startswith("ans = ")
        loops += "for " in problem.pot or "while " in problem.pot
        branches += "if " in problem.pot
        shown = {value for _, _, value in numbers_in(problem.question)}
        for line in problem.pot.splitlines():
            given = re.fullmatch(r"(\w+) = (\d+)", line)
            if given and given.group(1) not in (
                "total",
                "days",
                "weeks",
                "minutes",
                "guides",
                "singers",
                "cost",
            ):
                assert float(given.group(2)) in shown, problem.pot
    assert loops >= 10 * 6 and branches >= 4 * 6


def test_key_points_quote_and_leak_nothing(problems):
    for problem in problems:
        points = problem.key_points
        shown = {value for _, _, value in numbers_in(problem.question)}
        assert points.core_question.endswith("?")
        assert len(points.information) >= 2
        for item in points.information:
            assert "=" not in item
            assert {value for _, _, value in numbers_in(item)} <= shown, item
        facts = " ".join(points.information)
        if str(problem.answer) not in re.findall(r"\d+", problem.question):
            assert str(problem.answer) not in re.findall(r"\d+", facts)


def test_distractors_stay_out_of_the_key_points(problems):
    with_distractor = 0
    marks = [re.compile(re.sub(r"\\{[^{}]*\\}", r"\\S+", re.escape(text)))
             for texts in DISTRACTORS.values() for text in texts]  # fmt: skip
    for problem in problems:
        with_distractor += any(mark.search(problem.question) for mark in marks)
        for item in problem.key_points.information:
            # the one template that is about an age
            if problem.template == "candles_birthday":
                continue
            assert not any(mark.fullmatch(item) for mark in marks), item
    assert 0.3 < with_distractor / len(problems) < 0.7


def test_english(problems):
    plurals = {plural(noun) for nouns in NOUNS.values() for noun in nouns}
    singulars = {noun for nouns in NOUNS.values() for noun in nouns}
    for problem in problems:
        texts = [
            problem.question,
            problem.key_points.core_question,
            *problem.key_points.information,
            problem.cot,
        ]
        for text in texts:
            assert "  " not in text and text == text.strip()
            assert not re.search(r"[{}\[\]|]", text), text
            assert not re.search(r" [.,?]", text), text
            assert not re.search(r"\ba [aeio]|\ban [^aeiouh]", text, re.IGNORECASE), text
            for sentence in re.split(r"(?<=[.?]) ", text):
                assert sentence[0].isupper() or sentence[0].isdigit(), sentence
                assert sentence[-1] in ".?", sentence
            for number, noun in re.findall(r"\b(\d+) ([a-z]+)", text):
                if noun in singulars - plurals:
                    assert number == "1", text
        assert problem.question.count("?") == 1
        assert problem.question.endswith("?")


def test_two_people_of_one_problem_can_be_told_apart(problems):
    both = 0
    for problem in problems:
        women = {name for name in WOMEN if re.search(rf"\b{name}\b", problem.question)}
        men = {name for name in MEN if re.search(rf"\b{name}\b", problem.question)}
        assert len(women) <= 1 and len(men) <= 1
        both += bool(women and men)
    assert both > 0


def test_words():
    assert [plural(noun) for noun in ("daisy", "scarf", "bench", "radio", "tomato", "dress")] == [
        "daisies", "scarves", "benches", "radios", "tomatoes", "dresses",
    ]  # fmt: skip
    assert [article(noun) for noun in ("orange", "hat", "eraser")] == ["an", "a", "an"]


def test_names_are_safe_in_python_and_in_sympy():
    names = variable_names()
    assert len(names) > 100
    for name in names:
        assert not keyword.iskeyword(name), name
        assert not hasattr(builtins, name), name
        assert not hasattr(sympy, name), name


def test_same_seed_same_problems():
    first = list(generate(150, 3))
    assert first == list(generate(150, 3))
    assert first != list(generate(150, 4))
    assert len({problem.question for problem in first}) == 150
    assert {problem.template for problem in first} == set(problem_templates.known())


def test_numbers_of_training_are_never_held_out():
    templates = problem_templates.all_templates()
    for problem in generate(len(ALL) * 3, 11, templates=ALL):
        choices = {
            choice
            for number in templates[problem.template].numbers
            if not number.is_range
            for choice in number.choices
        }
        fixed = {float(word) for word in re.findall(r"\d+", templates[problem.template].question)} | choices
        told = " ".join(clause.text for clause in templates[problem.template].clauses)
        fixed |= {float(word) for word in re.findall(r"\b\d+\b", told)}
        for _, _, value in numbers_in(problem.question):
            assert value in fixed or not is_held_out(int(value)), problem.question


def test_every_range_has_both_worlds_and_they_share_nothing():
    ranges = 0
    for template in problem_templates.all_templates().values():
        for number in template.numbers:
            if number.is_range and number.formula is None and number.shown:
                place = f"{template.key} {number.name}"
                train = set(pool(place, number.choices, False))
                held_out = set(pool(place, number.choices, True))
                assert train and held_out, place
                assert not train & held_out and train | held_out == set(number.choices)
                assert len(held_out) <= len(train), place
                assert all(
                    is_held_out(choice) == (choice in held_out) for choice in number.choices if choice > 9
                )
                ranges += 1
    assert ranges > 300


def test_magnitudes(problems):
    for problem in problems:
        for _, _, value in numbers_in(problem.cot):
            assert value == int(value) and 1 <= value <= 9999


def test_unknown_templates_and_worlds_are_refused():
    with pytest.raises(ConfigError, match="no_such"):
        list(generate(1, 1, templates=["no_such"]))
    with pytest.raises(ConfigError, match="both"):
        list(generate(1, 1, numbers="both"))
