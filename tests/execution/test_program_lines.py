"""The scanner: what statements read and bind, on any text, in linear time."""

from __future__ import annotations

import io
import time
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_backend.execution.program_lines import read_program


def binds(source: str, line: int = 1):
    return [(b.name, b.reads.names) for s in read_program(source).at(line) for b in s.binds]


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("a = b + c", [("a", ["b", "c"])]),
        ("a, b = c, d", [("a", ["c"]), ("b", ["d"])]),
        ("a, b = pair", [("a", ["pair"]), ("b", ["pair"])]),
        ("a, *b = c, d", [("a", ["c", "d"]), ("b", ["c", "d"])]),
        ("(a, b) = (c, d)", [("a", ["c"]), ("b", ["d"])]),
        ("a = b = c", [("a", ["c"]), ("b", ["c"])]),
        ("a += b", [("a", ["b", "a"])]),
        ("a: int = b", [("a", ["b"])]),
        ("d['x'] = b", [("d", ["b", "d"])]),
        ("d[i, j] = b", [("d", ["b", "d"])]),
        ("p.x = b", [("p", ["b", "p"])]),
        ("a = 1; b = a", [("a", []), ("b", ["a"])]),
        ("for i, (j, k) in rows: t += j", [("i", ["rows"]), ("j", ["rows"]), ("k", ["rows"]),
                                               ("t", ["j", "t"])]),
        ("if (n := m) > 3: a = n", [("n", ["n", "m"]), ("a", ["n"])]),
        ("a = 'b = c'  # d = e", [("a", [])]),
        ("a = f'{b} of {c!r}'", [("a", ["b", "c"])]),
        ("a = b == c", [("a", ["b", "c"])]),
        ("a = f(x=b)", [("a", [])]),
        ("import math as m", []),
    ],
)  # fmt: skip
def test_what_is_bound_from_what(source, bound):
    assert binds(source) == bound


def test_arguments_are_kept_apart():
    (statement,) = read_program("a = f(b, [1, c], k=g(d, 2)) * e").at(1)
    (call,) = statement.all.calls
    assert statement.all.names == ["e"]
    assert [part.names for part in call.arguments] == [["b"], ["c"]]
    assert [c.name for c in call.keywords["k"].calls] == ["g"]


def test_lines_that_belong_together():
    program = read_program("a = (1 +\n  2)\nb = 3 \\\n + 4\nc = '''x\n= 5'''\nd = 6")
    assert [binds_at.name for s in program.at(2) for binds_at in s.binds] == ["a"]
    assert [(one.line, one.value) for one in program.literals] == [(1, 1), (2, 2), (3, 3), (4, 4), (7, 6)]
    assert [s.binds[0].name for s in program.at(7)] == ["d"]


def test_parameters_and_their_defaults():
    program = read_program("def cost(n: int, price=4, *, tax: float = 0.2):\n    '''text'''\n    return n")
    (statement,) = program.at(1)
    assert statement.defines == "cost" and list(statement.parameters) == ["n", "price", "tax"]
    assert [bool(reads.literals) for reads in statement.parameters.values()] == [False, True, True]
    assert program.after(1) == 3


@pytest.mark.parametrize(
    "text",
    ["(" * 60_000, "'''" * 20_000, "f(" * 30_000, "a=1;" * 15_000, "lambda:" * 8000, "\\" * 60_000,
     "[a," * 20_000,
     "def f(" * 10_000, "x = " * 15_000, "0x" * 30_000, "1e" * 30_000, "if a: " * 10_000, "#\n" * 30_000,
     "f(1)+" * 12_000, "'" * 60_001],
)  # fmt: skip
def test_hostile_text_is_read_in_bounded_time(text):
    began = time.process_time()
    read_program(text)
    assert time.process_time() - began < 3


@given(st.text(alphabet="ab1.0 ()[]{}=+,:;'\"\\\n#@!f\t\x00é", max_size=200))
def test_any_text_is_read(text):
    program = read_program(text)
    lines = text.split("\n")
    for literal in program.literals:
        assert 1 <= literal.line <= len(lines)


CODE = st.sampled_from(
    [
        "a = 12 + b3",
        "x1 = f(2, y=.5)  # 9",
        "s = 'no 5'",
        "if a: b = 7",
        "t = (1,\n 2_000,\n 3e2)",
        "u = '''4\n'''",
    ]
)


@given(st.lists(CODE, max_size=8))
def test_literals_stand_where_the_tokenizer_of_python_sees_them(lines):
    source = "\n".join(lines) + "\n"
    expected = [
        t.start for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.NUMBER
    ]
    assert [(one.line, one.start) for one in read_program(source).literals] == expected
