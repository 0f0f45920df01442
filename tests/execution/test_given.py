"""Which names a program gets without importing them: those it reads and binds nowhere."""

from __future__ import annotations

import pytest

from training_backend.execution.given import given_names, given_of
from training_backend.execution.pure import pure_tree

SOURCES = [
    ("ans = math.ceil(sqrt(2))", {"math", "sqrt"}),
    ("def f():\n    return floor(2.5)\nans = f()", {"floor"}),
    ("import math\nans = math.pi", set()),
    ("from math import *\nans = ceil(2.5)", set()),
    ("def f(ceil):\n    return ceil(1)\nans = f(math.floor)", {"math"}),
    ("def f():\n    import math\nans = math.pi", set()),
    ("class A:\n    sqrt = 1\nans = sqrt(4)", set()),
    ("try:\n    1 / 0\nexcept Exception as math:\n    pass\nans = math", set()),
    ("match 1:\n    case math:\n        ans = math", set()),
    ("ans = [gcd for gcd in [1]]\nb = gcd(2, 4)", set()),
    ("if (lcm := 3):\n    ans = lcm", set()),
    ("def f(**more):\n    return more\nans = f(ceil=3)", set()),
    ("x = 1\nans = x.floor", set()),
    ("('*',)\nans = math.pi", {"math"}),
]
PURE = [
    "if False:\n    ans = ceil(1)\nans = 1",
    "def f(x: sqrt) -> floor:\n    return x\nans = f(1)",
    "def f():\n    x: gcd\n    return 1\nans = f()",
    "def f():\n    ceil = 1\n    del ceil\n    return 2\nans = floor(f() / 2)",
    "ceil = 1\nceil += 1\nans = ceil",
    "try:\n    ans = sqrt(-1)\nexcept ValueError as floor:\n    ans = floor",
    "import math as sqrt\nfrom math import pi as gcd\nans = sqrt.ceil(gcd) + lcm(2, 3)",
    "ans = (lambda ceil=floor: ceil(2.5))()",
    "for math.x in []:\n    pass\nans = 1",
]


@pytest.mark.parametrize(("source", "names"), SOURCES)
def test_a_name_is_given_where_it_is_read_and_bound_nowhere(source, names):
    assert set(given_names(source, compile(source, "<program>", "exec"))) == names


@pytest.mark.parametrize("source", [source for source, _ in SOURCES] + PURE)
def test_a_pure_program_is_given_the_same_without_a_second_reading(source):
    pure = pure_tree(source)
    if pure is None:
        # it runs alone, where it is read the other way
        return
    tree, free = pure
    names = given_of(free, compile(tree, "<program>", "exec"))
    assert names == given_names(source, compile(source, "<program>", "exec"))


def test_most_of_these_programs_are_pure():
    pure = [source for source in [*PURE, *(source for source, _ in SOURCES)] if pure_tree(source)]
    assert len(pure) >= 15
