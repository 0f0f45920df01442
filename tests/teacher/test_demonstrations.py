"""The shipped worked examples are right: everything in them is run, read and looked through."""

from __future__ import annotations

import pytest

from training_backend.execution.runner import ProgramRunner
from training_backend.project.near_questions import BenchmarkQuestion, NearIndex
from training_backend.project.question_file import Unreadable, read_questions
from training_backend.rationale.answers import parse_number, read_answer
from training_backend.rationale.leaks import Leaks, find_leaks, numbers_of
from training_backend.rationale.normal_form import normal_form
from training_backend.teacher.prompts import NAMES, built_in

EXAMPLES = built_in("key_points").demonstrations
# of each example: program for the harder question, its answer, program for the alike question, its answer
NEW_QUESTIONS = (
    ("ans = (4 * 36 - 58 + 15 + 58 / 2) / 5", 26, "ans = 7 * 24 - 95 + 40", 113),
    ("ans = (2.5 * 18 + 4) / (2.5 + 1)", 14, "ans = 3.25 * 16 + 7", 59),
    ("ans = 80 * 0.85 + 80 / 4 * 0.9 - 10", 76, "ans = 60 * 0.65 - 5", 34),
    ("tom = (134 - 12 - 2) / 5\nans = 2 * tom + 12 - 10", 50, "blue = (95 - 5) / 5\nans = 4 * blue + 5", 77),
    ("ans = 24 * 2 / 3 * 3 / 4 / 3 * 8", 32, "ans = 45 * 4 / 5 * 2 / 3", 24),
    (
        "fifth = 5 * 14 - (14 + 9 + 17 + 12)\nans = 5 * 14 + fifth / 2",
        79,
        "ans = 4 * 125 - (120 + 95 + 140)",
        145,
    ),
    ("ans = (500 - 100 - 9 * (35 - 10)) / 35", 5, "ans = (900 - 180) / (75 - 15)", 12),
    ("ans = (1200 - 164) / (7 * ((24 - 5) * 3 - 20))", 4, "ans = 5 * ((36 - 6) * 2 - 9)", 255),
)


@pytest.fixture(scope="module")
def runner():
    with ProgramRunner(workers=2) as programs:
        yield programs


def test_there_are_eight_and_every_prompt_has_them():
    assert len(EXAMPLES) == 8
    assert all(built_in(name).demonstrations == EXAMPLES for name in NAMES)
    assert len({example.question for example in EXAMPLES}) == 8


@pytest.mark.parametrize("number", range(8))
def test_every_kind_gives_the_gold_answer(number, runner):
    example = EXAMPLES[number]
    gold = parse_number(example.answer)
    ran, solved = runner.run(example.pot, "pot"), runner.run(example.eot, "eot")
    assert (ran.verdict, ran.value) == ("ok", gold)
    assert (solved.verdict, solved.value) == ("ok", gold)
    assert read_answer(example.cot).value == gold
    assert example.cot.endswith(f"The answer is {example.answer}.")
    assert example.pot.splitlines()[-1].startswith("ans = ")
    assert example.eot.splitlines()[-1].startswith("ans = ")


@pytest.mark.parametrize("number", range(8))
def test_key_points_compute_nothing(number):
    example = EXAMPLES[number]
    gold = parse_number(example.answer)
    found = find_leaks(numbers_of(example.question), gold, example.core_question, example.information)
    assert found == Leaks()
    assert example.core_question.endswith("?")
    assert all(item.endswith(".") and "=" not in item for item in example.information)
    assert len(example.information) >= 2


@pytest.mark.parametrize("number", range(8))
def test_the_new_questions_have_the_answers_that_they_were_written_for(number, runner):
    harder, harder_answer, alike, alike_answer = NEW_QUESTIONS[number]
    assert runner.run(harder, "pot").value == pytest.approx(harder_answer)
    assert runner.run(alike, "pot").value == pytest.approx(alike_answer)
    example = EXAMPLES[number]
    for text, answer in ((example.harder_question, harder_answer), (example.alike_question, alike_answer)):
        assert text.count("?") == 1
        # neither states its own answer
        assert not numbers_of(text).have(float(answer))


def test_the_examples_differ_in_how_they_are_solved():
    assert len({normal_form("pot", example.pot) for example in EXAMPLES}) == 8
    assert len({normal_form("eot", example.eot) for example in EXAMPLES}) == 8


def test_no_example_is_a_benchmark_question(shared_data):
    files = ["gsm8k/test.jsonl", "gsm8k/train.jsonl", "svamp/SVAMP.json", "multiarith/MultiArith.json"]
    entries = [entry for name in files for entry in read_questions(shared_data / name)]
    questions = [entry for entry in entries if not isinstance(entry, Unreadable)]
    index = NearIndex(BenchmarkQuestion(n, str(n), entry.text) for n, entry in enumerate(questions))
    own = [text for one in EXAMPLES for text in (one.question, one.harder_question, one.alike_question)]
    assert [(text, near) for text in own if (near := index.nearest(text))] == []
    assert len(questions) > 10_000
