"""What decides a value is carried beside what it is computed from."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_backend.execution.program_lines import read_program
from training_backend.execution.value_following import ValueFollower


def followed(runner, program: str):
    """Return the literals' values that the answer was computed from, and those that only decided it."""
    with runner.trace(program) as trace:
        records = list(trace)
    assert trace.result.verdict == "ok", trace.result
    read = read_program(program)
    follower = ValueFollower(read)
    for record in records:
        follower.take(record)
    assert follower.ended
    answer = follower.answer()
    assert answer is not None
    return (
        {read.literals[index].value for index in answer.literals},
        {read.literals[index].value for index in answer.deciding},
    )


@pytest.mark.parametrize(
    ("program", "computed", "decided"),
    [
        ("pages = 139\nread = 67\ndays = 0\nwhile read < pages:\n    read += 12\n    days += 1\nans = days",
         {0, 1}, {139, 67, 12}),
        ("many = 9\nbound = 7\nif many > bound:\n    ans = 5\nelse:\n    ans = 6", {5}, {9, 7}),
        ("many = 9\nif many > 70:\n    ans = 5\nelse:\n    ans = 6", {6}, {9, 70}),
        # not entered, but it could have been
        ("many = 9\nans = 5\nif many > 70:\n    ans = 6", {5}, {9, 70}),
        ("many = 9\nans = 5\nwhile many > 70:\n    ans += 6", {5}, {9, 70}),
        ("ans = 5\nfor i in range(0):\n    ans += 6", {5}, {0}),
        ("xs = [5]\nif 8 > 70:\n    xs.append(6)\nans = xs[0]", {5, 0}, {8, 70}),
        # what does not touch the answer decides nothing of it
        ("many = 9\nans = 5\nif many > 7:\n    other = 6\nfor i in range(3):\n    other = 8", {5}, set()),
        ("ans = 5\nif 9 > 7:\n    ans = 6\nans = 8", {8}, set()),
        ("if 9 > 7:\n    a = 5\nb = 6\nans = b", {6}, set()),
        # the branches before decide about those after
        ("n = 9\nif n < 3:\n    ans = 4\nelif n < 8:\n    ans = 5\nelif n < 10:\n    ans = 6\nelse: ans = 7",
         {6}, {9, 3, 8, 10}),
        ("n = 2\nif n < 3:\n    ans = 4\nelif n < 8:\n    ans = 5", {4}, {2, 3}),
        ("if 9 > 7: ans = 5\nelse: ans = 6", {5}, {9, 7}),
        ("if 6 > 7: ans = 5\nelse: ans = 4", {4}, {6, 7}),
        ("if (8 >\n        7):\n    ans = 5", {5}, {8, 7}),
        # rounds
        ("ans = 5\nfor i in range(3):\n    ans += 6", {5, 6}, {3}),
        ("t = 0\nfor i in [7, 8]: t += 1\nans = t", {0, 1}, {7, 8}),
        ("n = 0\nwhile True:\n    n += 1\n    if n * 3 > 14:\n        break\nans = n", {0, 1}, {3, 14}),
        ("for n in range(1, 50):\n    if n % 7 == 3:\n        if n > 12: break\nans = n",
         {1, 50}, {7, 3, 12}),
        ("t = 0\nfor n in range(9):\n    if n < 4:\n        continue\n    t += 2\nans = t", {0, 2}, {9, 4}),
        ("for n in range(3):\n    if n == 5:\n        break\nelse:\n    n = 8\nans = n", {8}, {3, 5}),
        ("t = 0\nfor n in range(3):\n    while True:\n        if n < 4: break\n    t += 2\nans = t",
         {0, 2}, {3}),
        # functions
        ("def f(x):\n    if x > 7:\n        return 5\n    return 6\nans = f(9)", {5}, {9, 7}),
        ("def f(x):\n    if x > 70:\n        return 5\n    y = 6\n    return y\nans = f(9)", {6}, {9, 70}),
        ("def f(x):\n    for n in range(20):\n        if n * x > 50:\n            return n\nans = f(9)",
         {20}, {9, 50}),
        ("def big(x):\n    return x > 7\nans = 5\nif big(9):\n    ans = 6", {6}, {9, 7}),
        ("def solution():\n    n = 9\n    if n > 7:\n        n = 5\n    return n", {5}, {9, 7}),
        ("def f(x):\n    if x > 7:\n        x = 5\n    return x\nif 3 < 4:\n    z = 6\nans = f(9)",
         {5}, {9, 7}),
        # exceptions
        ("x = 9\ntry:\n    y = 4 / (x - 9)\nexcept ZeroDivisionError:\n    y = 6\nans = y", {6}, {9, 4}),
        ("ans = 2\ntry:\n    y = 4 / 1\nexcept ZeroDivisionError:\n    ans = 6", {2}, set()),
        ("n = 5\nwhile n < 9:\n    try:\n        n += 3\n    finally:\n        k = 8\nans = k",
         {8}, {5, 9, 3}),
        ("match 9:\n    case 3:\n        ans = 4\n    case 9:\n        ans = 5\n    case _:\n        ans = 6",
         {5}, {9, 3}),
        # what decides within an expression is data of it
        ("ans = 5 if 9 > 7 else 6", {5, 9, 7, 6}, set()),
        ("ans = sum(x for x in [5, 6, 7] if x > 5.5)", {5, 6, 7, 5.5}, set()),
        ("ans = 9 > 70 and 4 or 5", {9, 70, 4, 5}, set()),
    ],
)  # fmt: skip
def test_what_decides_is_told_from_what_is_computed_with(runner, program, computed, decided):
    assert followed(runner, program) == (computed, decided)


def test_what_decides_travels_with_the_value(runner):
    program = "n = 9\nif n > 7:\n    price = 5\nsold = price * 2\ntotal = [sold]\nans = sum(total) + 4"
    assert followed(runner, program) == ({5, 2, 4}, {9, 7})


def test_a_trace_that_stops_before_the_end_says_so(runner):
    for program in ("a = 5\nb = a / 0", "for n in range(9000):\n    a = n\nans = a * 5"):
        follower = ValueFollower(read_program(program))
        with runner.trace(program) as trace:
            for record in trace:
                follower.take(record)
        assert not follower.ended


NAMES = st.sampled_from("abc")
NUMBER = st.integers(1, 9).map(str)
TERM = st.one_of(NAMES, NUMBER)
TEST = st.tuples(TERM, st.sampled_from(["<", ">", "==", "!="]), TERM).map(" ".join)
ASSIGN = st.tuples(NAMES, st.sampled_from(["=", "+=", "-="]), TERM, st.sampled_from("+-"), TERM).map(" ".join)


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def compound(inner):
    """Return the strategy of `if`, `for` and `while` around statements; each is a list of lines."""
    block = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: indented(list(chain.from_iterable(parts)))
    )
    leave = st.tuples(TEST, st.sampled_from(["break", "continue"])).map(
        lambda t: indented([f"if {t[0]}:", f"    {t[1]}"])
    )
    rounds = st.tuples(block, st.one_of(st.just([]), leave), block).map(lambda t: t[0] + t[1] + t[2])
    otherwise: st.SearchStrategy[list[str]] = st.one_of(st.just([]), block.map(lambda body: ["else:", *body]))
    return st.one_of(
        st.tuples(TEST, block, TEST, block, otherwise).map(
            lambda t: [f"if {t[0]}:", *t[1], f"elif {t[2]}:", *t[3], *t[4]]
        ),
        st.tuples(TEST, block, otherwise).map(lambda t: [f"if {t[0]}:", *t[1], *t[2]]),
        st.tuples(TERM, rounds, otherwise).map(lambda t: [f"for n in range({t[0]}):", *t[1], *t[2]]),
        st.tuples(TEST, rounds).map(lambda t: ["k = 0", f"while {t[0]} and k < 4:", "    k += 1", *t[1]]),
        st.tuples(TEST, TERM).map(lambda t: [f"if {t[0]}:", f"    return {t[1]}"]),
    )


STATEMENT = st.recursive(ASSIGN.map(lambda line: [line]), compound, max_leaves=8)


def outcome(program: str):
    """Return the answer of a program of our own, None where it takes too long to be worth it."""
    names: dict = {}
    exec(program, names)
    return names["ans"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STATEMENT, min_size=1, max_size=5))
def test_a_number_that_is_said_to_be_unused_can_be_another(runner, parts):
    """Whatever number the answer is said neither to come from nor to be decided by: changed, it stays."""
    body = indented([*chain.from_iterable(parts), "return a"])
    program = "\n".join(["def f(a, b, c):", *body, "ans = f(2, 3, 4)"])
    # a loop over a number that grew is long; the counts of `range` stay small
    program = re.sub(r"range\((\w+)\)", r"range(min(5, \1))", program)
    with runner.trace(program) as trace:
        records = list(trace)
    if trace.cut:
        return
    read = read_program(program)
    follower = ValueFollower(read)
    for record in records:
        follower.take(record)
    answer = follower.answer()
    assert answer is not None
    used = {*answer.literals, *answer.deciding}
    lines = program.split("\n")
    for index, literal in enumerate(read.literals):
        if index in used or "k <" in lines[literal.line - 1]:
            continue
        changed = list(lines)
        line = changed[literal.line - 1]
        changed[literal.line - 1] = f"{line[: literal.start]}7{line[literal.end :]}"
        assert outcome("\n".join(changed)) == trace.result.value, (literal, program)
