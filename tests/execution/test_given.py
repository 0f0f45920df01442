"""Which names a program gets without importing them: those it reads and binds nowhere."""

from __future__ import annotations

import pytest

from training_backend.execution.given import given_names


@pytest.mark.parametrize(
    ("source", "names"),
    [
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
    ],
)
def test_a_name_is_given_where_it_is_read_and_bound_nowhere(source, names):
    assert set(given_names(source, compile(source, "<program>", "exec"))) == names
