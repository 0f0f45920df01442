"""The trace of a program: records as they come, their content, caps, and endless programs."""

from __future__ import annotations

import sys

import pytest

from training_backend.execution.limits import MAX_TRACE_STEPS, Limits
from training_backend.execution.runner import ProgramRunner


def traced(runner: ProgramRunner, code: str, **limits):
    with runner.trace(code, limits=Limits(**{"cpu_s": 5, "wall_s": 10, **limits})) as trace:
        records = list(trace)
    return records, trace


def outcome(result):
    # where a recursion meets its end decides how the interpreter words it
    error = result.error.split(" while ")[0]
    return result.verdict, result.answer_text, result.value, result.stdout, error, result.error_line


def brief(records):
    """Return what a person reads of each record."""
    return [
        (r["ev"], r["depth"], r["ln"], {n: v and v[0] for n, v in r["ch"].items()}, r.get("rv"), r.get("o"))
        for r in records
    ]


def test_a_straight_program_gives_one_record_for_each_line(runner):
    records, trace = traced(runner, "a = 2\nb = a * 3\nprint(b)\nans = a + b")
    assert brief(records) == [
        ("line", 0, 1, {"a": "2"}, None, None),
        ("line", 0, 2, {"b": "6"}, None, None),
        ("line", 0, 3, {}, None, "6\n"),
        ("line", 0, 4, {"ans": "8"}, None, None),
    ]
    assert [r["n"] for r in records] == [1, 2, 3, 4]
    assert [r["nx"] for r in records] == [2, 3, 4, None]
    assert records[0]["ch"]["a"] == ["2", "int"]
    assert trace.result.verdict == "ok" and trace.result.value == 8 and trace.result.stdout == "6\n"
    assert trace.cut == ""


GOLDEN = """\
def half(x):
    y = x / 2
    return y

def solution():
    total = 0
    for n in [1, 2]:
        total += half(n)
    return total
"""


@pytest.mark.skipif(
    sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)), reason="no golden trace recorded"
)
def test_the_golden_trace_of_calls_and_a_loop(runner):
    records, trace = traced(runner, GOLDEN)
    function = "function half"
    assert brief(records) == [
        ("line", 0, 1, {"half": function}, None, None),
        ("line", 0, 5, {"solution": "function solution"}, None, None),
        ("call", 0, 5, {}, None, None),
        ("line", 0, 6, {"total": "0"}, None, None),
        ("line", 0, 7, {"n": "1"}, None, None),
        ("call", 1, 1, {"x": "1"}, None, None),
        ("line", 1, 2, {"y": "0.5"}, None, None),
        ("line", 1, 3, {}, None, None),
        ("return", 1, 3, {}, "0.5", None),
        ("line", 0, 8, {"total": "0.5"}, None, None),
        ("line", 0, 7, {"n": "2"}, None, None),
        ("call", 1, 1, {"x": "2"}, None, None),
        ("line", 1, 2, {"y": "1.0"}, None, None),
        ("line", 1, 3, {}, None, None),
        ("return", 1, 3, {}, "1.0", None),
        ("line", 0, 8, {"total": "1.5"}, None, None),
        ("line", 0, 7, {}, None, None),
        ("line", 0, 9, {}, None, None),
        ("return", 0, 9, {}, "1.5", None),
    ]
    assert trace.result.value == 1.5
    frames = [r["f"] for r in records if r["ev"] == "call"]
    assert len(set(frames)) == 3, "a frame's id is never used again"


FOLDED = """\
def squares(xs):
    return [x * x for x in xs]
n = 0
d = {k: v for k, v in zip("ab", squares([3, 4]))}
try:
    n = sum(d[k] for k in "abc")
except KeyError:
    n = 25
ans = n
"""


@pytest.mark.skipif(
    sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)), reason="no golden trace recorded"
)
def test_the_golden_trace_of_comprehensions_and_an_exception(runner):
    """Comprehensions are frames of their own in 3.11 and not in 3.12: the trace is the same."""
    records, trace = traced(runner, FOLDED)
    assert brief(records) == [
        ("line", 0, 1, {"squares": "function squares"}, None, None),
        ("line", 0, 3, {"n": "0"}, None, None),
        ("call", 1, 1, {"xs": "[3, 4]"}, None, None),
        ("line", 1, 2, {}, None, None),
        ("return", 1, 2, {}, "[9, 16]", None),
        ("line", 0, 4, {"d": "{'a': 9, 'b': 16}"}, None, None),
        ("line", 0, 5, {}, None, None),
        ("exc", 0, 6, {}, None, None),
        ("line", 0, 7, {}, None, None),
        ("line", 0, 8, {"n": "25"}, None, None),
        ("line", 0, 9, {"ans": "25"}, None, None),
    ]
    assert trace.result.value == 25


def test_an_exception_is_a_record_where_it_passes(runner):
    code = "def f(x):\n    return 1 / x\ntry:\n    f(0)\nexcept ZeroDivisionError:\n    ans = 1\nf(0)"
    records, trace = traced(runner, code)
    passing = [(r["depth"], r["ln"], r["ex"]) for r in records if r["ev"] == "exc"]
    error = ["ZeroDivisionError", "division by zero"]
    assert passing == [(1, 2, error), (0, 4, error), (1, 2, error), (0, 7, error)]
    assert (trace.result.verdict, trace.result.error_line) == ("raised", 2)


def test_generators_comprehensions_and_deleted_names(runner):
    code = "def g():\n    yield 1\n    yield 2\nx = [i * 2 for i in g()]\ndel x\nans = sum(n for n in (1, 2))"
    records, _ = traced(runner, code)
    assert [r["rv"] for r in records if r["ev"] == "return"] == ["1", "2", "None"]
    assert not any(r.get("fn", "").startswith("<") for r in records)
    deleted = [r for r in records if r["ch"].get("x", 0) is None]
    assert [r["ln"] for r in deleted] == [5]
    assert not any(r["ev"] == "exc" for r in records)


def test_changes_inside_containers_and_objects_are_seen(runner):
    code = (
        "a = [1]\na.append(2)\nclass P:\n    def __init__(self): self.x = 1\n"
        "p = P()\np.x = 5\nd = {'k': a}\na[0] = 9\nans = 1"
    )
    records, _ = traced(runner, code)
    own = [record for record in records if record["ev"] == "line" and record["depth"] == 0]
    changes = [(record["ln"], name, value[0]) for record in own for name, value in record["ch"].items()]
    assert (2, "a", "[1, 2]") in changes
    assert (6, "p", "P(x=5)") in changes
    assert (8, "a", "[9, 2]") in changes and (8, "d", "{'k': [9, 2]}") in changes


def test_values_are_shown_short_and_never_asked(runner):
    code = (
        "class R:\n    def __repr__(self): raise SystemExit\n    def __eq__(self, o): raise SystemExit\n"
        "r = R()\nr = R()\nbig = 7 ** 5000\ntext = 'x' * 10**5\nmany = list(range(10**5))\n"
        "import math\nimport sympy\ne = sympy.Symbol('q') / 2\nf = sympy.Rational(1, 3)\nans = 1"
    )
    records, trace = traced(runner, code)
    last = {}
    for record in records:
        last.update({name: value[0] for name, value in record["ch"].items() if value})
    assert trace.result.value == 1
    assert last["r"] == "R object" and last["big"].startswith("an integer of about 4,22")
    assert all(len(text) < 600 for text in last.values())
    assert last["e"] == "q/2" and last["f"] == "1/3"
    assert "math" not in last and "__name__" not in last


def test_an_endless_loop_gives_its_partial_trace(runner):
    records, trace = traced(runner, "x = 0\nwhile True:\n    x += 1", cpu_s=0.3, wall_s=3)
    assert trace.result.verdict == "timed_out"
    assert len(records) >= 100
    assert records[:2][1]["ln"] == 2


def test_a_program_that_hangs_at_once_shows_how_far_it_came(runner):
    records, trace = traced(runner, "a = 1\nprint('here')\nb = sum(range(10**11))\nans = 1", cpu_s=0.3)
    assert [r["ln"] for r in records] == [1, 2]
    assert trace.result.verdict == "timed_out" and trace.result.stdout == "here\n"


def test_after_the_cap_the_program_runs_on_without_recording(runner):
    records, trace = traced(runner, "x = 0\nfor i in range(20000):\n    x += i\nprint('end')\nans = x")
    assert len(records) == MAX_TRACE_STEPS
    assert "10,000" in trace.cut
    assert trace.result.value == sum(range(20000)) and trace.result.stdout == "end\n"


def test_large_values_reach_the_cap_in_bytes(runner):
    code = "a = ['x' * 300]\nfor i in range(9000):\n    a = [str(i) + 'y' * 390]\nans = 1"
    records, trace = traced(runner, code)
    assert 1000 < len(records) < MAX_TRACE_STEPS
    assert trace.cut and trace.result.value == 1


@pytest.mark.parametrize(
    "code",
    [
        "ans = 6 * 7",
        GOLDEN,
        "import numpy as np\nans = np.random.rand()",
        "def f(n): return 0 if n == 0 else 1 + f(n - 1)\nans = f(900)",
        "def f(n): return f(n + 1)\nf(0)",
        "ans = sorted([3, 1, 2], key=lambda x: -x)[0]",
        "x = 1 / 0",
        "ans = ceil(2.5)",
        "x = (1",
        "import os",
        "",
        "import sys\nsys.settrace(None)\nans = 3",
        "def main():\n    return [5]",
        "print(input())",
    ],
)
def test_a_traced_program_ends_like_an_untraced_one(runner, code):
    plain = runner.run(code)
    _, trace = traced(runner, code)
    assert outcome(trace.result) == outcome(plain)


def test_records_come_while_the_program_runs_and_it_can_be_cancelled(runner):
    code = "x = 1\nimport time\ntime.sleep(60)\nans = 1"
    with runner.trace(code, limits=Limits(cpu_s=5, wall_s=60)) as trace:
        assert next(iter(trace))["ln"] == 1
        with pytest.raises(RuntimeError, match="not ended"):
            _ = trace.result
        trace.cancel()
        assert list(trace)[-1:] != [None]
    assert trace.result.verdict == "crashed" and trace.result.reason == "cancelled"


def test_leaving_the_context_ends_the_program(runner):
    with runner.trace("while True: pass", limits=Limits(cpu_s=50, wall_s=60)) as trace:
        pass
    assert list(trace) is not None
    assert trace.result.reason == "cancelled"
