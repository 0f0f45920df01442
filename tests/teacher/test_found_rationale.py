"""Programs, equations and chains of thought are found among a model's words, and nothing of them is lost."""

from __future__ import annotations

import pytest

from training_backend.teacher.found_rationale import find_chain, find_equations, find_program


@pytest.mark.parametrize(
    "program",
    [
        "ans = 3", "answer = 3", "result = 3", "def solution():\n    return 3",
        "def solver(n=3):\n    return n", "a, ans = 1, 2", "for n in range(3):\n    ans = n",
        "if True:\n    ans = 1\nelse:\n    ans = 2", "ans: int = 3", "with_tax = 2\nans = with_tax",
        "def f():\n    global ans\n    ans = 2\nf()", "import math\nans = math.ceil(2.5)",
        '"""Question: how many?\n\nQuestion: really?\n"""\nans = 2',
        "try:\n    ans = 1 / 0\nexcept ZeroDivisionError:\n    ans = 0", "(ans := 3)",
        "def solution():\n    # Question: how many?\n    return 3\n\nprint(solution())",
    ],
)  # fmt: skip
def test_every_way_to_store_an_answer(program):
    assert find_program(program) == (program, "")
    assert find_program(f"Here is it:\n\n```python\n{program}\n```\nDone.") == (program, "")
    if not program.startswith(("ans:", "(")):
        told = f"For each box, we count:\n\n{program}\n\nThat is all, I think."
        assert find_program(told) == (program, "")


@pytest.mark.parametrize(
    "program",
    ["print(3)", "total = 3", "def solution(n):\n    return n", "def f():\n    ans = 3\n    return ans",
     "ans == 3", "class A:\n    ans = 3"],
)  # fmt: skip
def test_programs_without_an_answer(program):
    assert find_program(program)[0] is None
    assert "stores no answer" in find_program(program)[1]


def test_a_line_of_a_program_is_never_dropped():
    for wrong in ("x = 3 apples\nans = x", "ans = 3 +", "import math as\nans = 2", "ans = f(\n"):
        program, problem = find_program(wrong)
        assert program is None
        assert problem.startswith("The program is no Python: ")
    assert "too long" in find_program("ans = 1\n" * 10_000)[1]


def test_of_alternatives_the_last_whole_one_and_of_pieces_all():
    blocks = "```python\na = 2\nans = a\n```\nOr:\n```python\nb = 2\nans = b\n```"
    assert find_program(blocks)[0] == "b = 2\nans = b"
    pieces = "```python\na = 2\n```\nand\n```python\nans = a\n```"
    assert find_program(pieces)[0] == "a = 2\nans = a"
    # an output is no program
    assert find_program("```python\nans = 2\n```\n```\nans = 7\n```")[0] == "ans = 2"


def test_equations_with_comments_conditions_and_words_around():
    written = "% pens in a pack:\npack = 6\n2 * x + pack = 20\nx > 0\n\nans = x"
    assert find_equations(f"We set up equations.\n\n{written}\n\nSolving gives x.") == (written, "")
    assert find_equations("Let x = the number of pens:\nx = 6\nans = x") == ("x = 6\nans = x", "")


def test_a_line_meant_as_an_equation_is_never_dropped():
    for wrong in ("pens = 4 packs\nans = pens", "ans = pens\npens = 4 packs", "x = 20%*3\nans = x"):
        assert find_equations(wrong)[1].startswith("The equations cannot be read: ")


def test_a_chain_keeps_its_signs_and_loses_its_bold():
    assert find_chain("**Step 1:** 2**3 + 4**2 = 24. **The answer is 24.**") == (
        "Step 1: 2**3 + 4**2 = 24. The answer is 24.",
        "",
    )
    # words that open or close a reply, in a sentence that calculates, are the solution's
    chain = "Great Aunt Bo has 3 cats. If you need 2 cans a cat, that is 6.\nOf course, 6 * 2 = 12."
    assert find_chain(chain) == (chain, "")
