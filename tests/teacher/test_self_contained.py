"""Completing imports: what a program needs is added, its own text stays."""

from __future__ import annotations

import pytest

from training_backend.teacher.self_contained import self_contained


@pytest.mark.parametrize(
    "program",
    [
        "answer = 1 + 2",
        "import math\nanswer = math.ceil(2.5)",
        "from math import ceil\nanswer = ceil(2.5)",
        "def ceil(x):\n    return 3\nanswer = ceil(1)",
        "floor = 3\nanswer = floor * 2",
        "answer = n_in_dozen * 2",
        "answer = (1,",
    ],
)
def test_nothing_is_added_where_nothing_is_missing(program):
    assert self_contained(program) == program


@pytest.mark.parametrize(
    ("program", "head"),
    [
        ("answer = math.ceil(2.5)", "import math\n"),
        ("answer = ceil(2.5) + pi", "from math import ceil, pi\n"),
        ("x = Symbol('x')\nanswer = solve(Eq(x, 3), x)[0]", "from sympy import Eq, Symbol, solve\n"),
    ],
)
def test_the_head_holds_what_is_used(program, head):
    assert self_contained(program) == head + program


def test_a_system_solved_with_the_head_gives_its_number():
    from training_backend.execution.runner import ProgramRunner

    program = "x = Symbol('x')\nfound = solve_it(Eq(2 * x + 1, 9), x)\nanswer = found[x]"
    with ProgramRunner(workers=1) as runner:
        assert runner.run(program).verdict == "raised"
        assert runner.run(self_contained(program)).value == 4
