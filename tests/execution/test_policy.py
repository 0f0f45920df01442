"""The policy reads the text only: what it lets pass and what it names, without running anything."""

from __future__ import annotations

import ast

import pytest

from training_backend.execution import policy

LEGAL = [
    "import math\nfrom math import sqrt, ceil\nans = sqrt(4)",
    "import numpy as np\nans = np.linalg.det(np.eye(2))",
    "from sympy import *\nx = symbols('x')\nans = solve(x - 1)[0]",
    "from datetime import datetime, timedelta\nans = (datetime(2020, 1, 2) - datetime(2020, 1, 1)).days",
    "import sys\nsys.setrecursionlimit(5000)\nprint(sys.maxsize, file=sys.stderr)",
    "class A:\n    def __init__(self): self.code = 1\n    def __add__(self, o): return 1\nans = A().code",
    "if __name__ == '__main__':\n    print(__file__)",
    "ans = eval('1 + 2') + len(globals())",
    "_private = 1\nself_ = _private\nans = self_",
    "text = 'open the door; import nothing'\nans = 1",
    "from __future__ import annotations\nans = 1",
    "x = 'os'\nans = 1",
    "# open('x')\nans = 1",
    "ans = 1; y = 2",
]


@pytest.mark.parametrize("source", LEGAL)
def test_what_honest_programs_write_passes(source):
    assert policy.check(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from os import path",
        "import math, os",
        "from numpy import ctypeslib",
        "import math as m; import os",
        "import\\\n os",
        "open('x')",
        "().__class__",
        "f.gi_frame",
        "np._x",
        "sys.modules",
        "ｏｐｅｎ('x')",
        "from math import(sqrt)\nimport os",
        "if 1: import os",
        "import math\nif 1: import os",
        "import numpy.f2py",
        "from . import x",
        "x.os",
    ],
)
def test_the_quick_look_passes_nothing_that_has_to_be_looked_at(source):
    assert not policy._looks_harmless(source)


def test_the_first_line_is_named():
    refusal = policy.check("x = 1\nimport os\nopen('x')")
    assert refusal is not None and refusal.line == 2


def test_what_is_no_python_is_a_syntax_error():
    for source in ("x = (;", "x = 1\x00", "__x__ = 'a\x00b'"):
        with pytest.raises(SyntaxError):
            policy.check(source) or ast.parse(source)


def test_every_library_that_is_allowed_is_there(runner):
    names = sorted(policy.ALLOWED_IMPORTS - {"__main__"})
    found = dict(runner.run_many((name, f"import {name}\nans = 1", "pot") for name in names))
    assert len(found) > 35
    assert {name: result.error for name, result in found.items() if result.verdict != "ok"} == {}
