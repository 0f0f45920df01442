"""Solving equations: exactness, the traps, the rules, and the recorded equations of a public teacher."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from training_backend.execution.equation_solver import NoSolution, Solver, encoded, run_equations
from training_backend.execution.judge import judge_many
from training_backend.execution.runner import ProgramRunner
from training_backend.rationale.equations import parse


def solved(text, reading="strict"):
    return encoded(Solver(parse(text), reading).solve())["v"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a = 2\nb = a * 3\nans = a + b", "8"),
        ("ans = b + 1\nb = 2", "3"),
        ("x + y = 10\nx - y = 2\nans = x", "6"),
        ("x + y = 10\nx - y = 2\nans = x * y", "24"),
        ("a + b = 3\nb + c = 5\na + c = 4\nans = c", "3"),
        ("ans = 0.1 + 0.2", "0.3"),
        ("ans = 1 / 3", "1/3"),
        ("ans = 1 / 8", "0.125"),
        ("ans = 1 / 3 * 3", "1"),
        ("12 / x = 3\nans = x", "4"),
        ("2x = 7\nans = x", "3.5"),
        ("(1 + r) * 100 = 120\nans = r", "0.2"),
        ("x^2 = 9\nans = x", "3"),
        ("x * (x + 2) = 15\nans = x", "3"),
        ("x^2 = 2\nans = x", "sqrt(2)"),
        ("2^n = 8\nans = n", "3"),
        ("x^2 - 5*x + 6 = 0\nx > 2.5\nans = x", "3"),
        ("x * y = 6\nx + y = 5\nx > y\nans = x", "3"),
        ("ans = ceil(7 / 2) + floor(7 / 2) + round(2.5)", "10"),
        ("ans = max(1, min(5, 3)) + abs(2 - 6) + mod(7, 4) + sqrt(49)", "17"),
        ("ans = 7 // 2", "3"),
        ("ans = round(2.345, 2)", "2.35"),
        ("x = 5\nx = 5\nans = x", "5"),
        ("x = y\ny = 3\nans = x", "3"),
        ("free = z\nans = 4", "4"),
        ("a + b + c = 6\na + b = 3\nans = c", "3"),
        ("2 * a + 2 * b = 10\nans = a + b", "5"),
    ],
)
def test_a_system_is_solved_exactly(text, answer):
    assert solved(text) == answer


@pytest.mark.parametrize(
    "name", ["E", "I", "N", "S", "Q", "O", "beta", "gamma", "zeta", "pi", "lambda_", "C", "oo"]
)
def test_names_that_sympy_knows_are_plain_unknowns(name):
    assert solved(f"{name} + 1 = 3\nans = 2 * {name}") == "4"
    assert solved(f"{name}^2 = 16\nans = {name}") == "4"
    assert solved(f"{name} + y = 3\n{name} - y = 1\nans = {name}") == "2"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("x = 1\nx = 2\nans = x", "contradicts", 2),
        ("x + y = 1\nx + y = 2\nans = x", "contradict", None),
        ("x + y = 10\nans = x", "nothing determines", None),
        ("a = x\nans = a", "nothing determines", None),
        ("x = 1", "no line says what ans is; the last line should be: ans = NAME", None),
        ("x^2 = -1\nans = x", "no real value", 1),
        ("x^2 - 5*x + 6 = 0\nans = x", "several solutions: 2, 3", 1),
        ("a = 0\nans = 1 / a", "division by zero", 2),
        ("ans = 3 - 5", "negative", None),
        ("x = 1\nx = x + 1\nans = x", "contradicts", 2),
        ("ans = 2 ^ (10 ^ 9)", "exponent", None),
        ("ans = sqrt(0 - 4)", "real", None),
    ],
)
def test_no_answer_has_its_reason(text, reason, line):
    with pytest.raises(NoSolution) as nothing:
        solved(text)
    assert reason in str(nothing.value)
    if line is not None:
        assert nothing.value.line == line


def test_the_free_reading_updates_names_and_takes_any_answer():
    assert solved("x = 1\nx = x + 1\nx = 2 * x\nans = x + 1", "free") == "5"
    assert solved("ans = 3 - 5", "free") == "-2"
    assert solved("ans = 1\nans = ans + 1", "free") == "2"


def test_the_order_in_which_the_unknowns_fall():
    solver = Solver(parse("x + y = 10\nx - y = 2\nz = 3\nans = x * z"))
    solver.solve()
    assert [(name, line) for name, _, line in solver.order] == [("z", 3), ("x", 1), ("y", 2), ("ans", 4)]


def test_equations_have_a_trace(runner):
    with runner.trace("% apples:\na = 2\nb = a + 1\nans = a * b", "eot") as trace:
        records = list(trace)
    assert [(record["ln"], record["ch"]) for record in records] == [
        (2, {"a": ["2", "number"]}),
        (3, {"b": ["3", "number"]}),
        (4, {"ans": ["6", "number"]}),
    ]
    assert trace.result.value == 6


def test_a_light_child_says_that_it_needs_sympy():
    assert run_equations("x^2 = 2\nans = x", None, with_sympy=False) == {"status": "needs_sympy"}
    assert run_equations("2x = 2\nans = x", None, with_sympy=False)["answer"] == {"k": "int", "v": "1"}


def test_text_that_attacks_sympys_parser_is_only_text(runner):
    for text in (
        "ans = __import__('os').system('touch /tmp/made')",
        "ans = x.func(1)",
        "ans = (1).__class__",
        "ans = lambda: 1",
        "import os\nans = 1",
        "ans = exec(1)",
    ):
        result = runner.run(text, "eot")
        assert result.verdict == "raised" and result.error.startswith("EquationError"), result


def test_equations_that_never_end_are_ended(runner):
    result = runner.run("ans = " + "*".join(["(x+1)^9999"] * 30) + "\nx^99 + x^7 = 5", "eot")
    assert result.verdict in ("timed_out", "no_answer", "out_of_memory")


def test_recorded_equations_of_a_public_teacher(shared_data, runner):
    path = shared_data / "restricted" / "xot" / "gsm8k_test_eot.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no recorded equations at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][300:420]
    items = ((row["id"], "eot", row["reason/eot"], float(row["inst/gold_answer"])) for row in rows)
    states = {key: judgement.state for key, judgement in judge_many(items, runner)}
    public = {row["id"]: row["reason/eot/score"] == 1 for row in rows}
    answered = sum(row["reason/eot/ans"] is not None for row in rows)
    count = Counter(states.values())
    assert count["equal"] >= sum(public.values())
    # of the whole set (the slow test below) it is fewer
    assert count["not_equal"] <= answered - sum(public.values()) + 3


@pytest.mark.slow
@pytest.mark.parametrize(("reading", "equal", "wrong"), [("strict", 870, 150), ("free", 903, 178)])
def test_all_recorded_equations(shared_data, reading, equal, wrong):
    path = shared_data / "restricted" / "xot" / "gsm8k_test_eot.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no recorded equations at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    items = ((row["id"], "eot", row["reason/eot"], float(row["inst/gold_answer"])) for row in rows)
    with ProgramRunner(reading=reading) as own:
        count = Counter(judgement.state for _, judgement in judge_many(items, own))
    # the public solver: 844 equal, 150 wrong
    assert count["equal"] >= equal and count["not_equal"] <= wrong, count


def test_a_process_without_sympy_leaves_the_trace_to_the_one_that_has_it():
    class Recorder(list):
        def emit(self, **record):
            self.append(record)

        def finish(self):
            pass

    records = Recorder()
    text = "total = 10\nx + y = total\nx - y = 2\nans = x"
    assert run_equations(text, records, with_sympy=False) == {"status": "needs_sympy"} and records == []
    assert run_equations(text, records)["status"] == "ok" and len(records) == 4
