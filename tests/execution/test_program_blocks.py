"""Which tests decide about which lines, on any text, in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_backend.execution.program_blocks import read_blocks
from training_backend.execution.program_lines import read_program

PROGRAM = """\
def f(n):
    while n > 3:
        if n == 5:
            n -= 2
        elif n == 6:
            break
        else:
            m = n
        n -= 1
    else:
        return 4
    with n:
        k = 1
    return k
a = f(8)
if a: b = 1
"""


def places():
    return read_blocks(read_program(PROGRAM))


def test_a_line_is_decided_by_the_test_around_it():
    found = places()
    assert {line: place.inside for line, place in found.items()} == {
        1: None, 2: None, 3: 2, 4: 3, 5: 3, 6: 5, 7: 5, 8: 5, 9: 2, 10: 2, 11: 2, 12: None, 13: None,
        14: None, 15: None, 16: 16,
    }  # fmt: skip
    assert (found[16].before, found[16].inside) == (None, 16), "its block stands on its own line"


def test_a_fork_knows_what_it_could_change():
    found = places()
    loop, inner = found[2].fork, found[3].fork
    assert loop is not None and inner is not None and found[5].fork is inner
    assert loop.names == {"n", "m"} and loop.leaves and not loop.loops
    assert inner.names == {"n", "m"} and inner.loops == {2} and not inner.leaves
    assert [line for line, place in found.items() if place.fork is not None] == [2, 3, 5, 16]


def test_a_function_within_a_loop_is_not_decided_by_it():
    text = "for i in x:\n    def g():\n        return 5\n    y = 1\ntry:\n    z = 1\nexcept E:\n    z = 2\n"
    found = read_blocks(read_program(text))
    assert found[3].inside is None and found[4].inside == 1
    assert found[1].fork is not None and not found[1].fork.leaves and found[1].fork.names == {"i", "y"}
    assert found[5].tries and found[6].inside == found[8].inside == 5


@pytest.mark.parametrize(
    "text",
    ["\n".join(" " * depth + "if a:" for depth in range(400)), "if a: b\n" + "elif a: b\n" * 6000,
     "while a:\n" + " b = 1\n" * 8000, "while a:\n if b: break\n" * 3000, "else:\n" * 9000,
     "case a:\n" * 7000,
     "try:\n except:\n" * 4000],
)  # fmt: skip
def test_hostile_text_is_read_in_bounded_time(text):
    program = read_program(text)
    began = time.process_time()
    assert len(read_blocks(program)) == len(program.statements)
    assert time.process_time() - began < 1


LINE = st.tuples(
    st.integers(0, 4),
    st.sampled_from(["if a:", "else:", "elif b: c = 1", "a = 2", "for x in y:", "break", "try:", "except:",
                     "finally: pass", "case 1:", "match z:", "def f():", "return", "'text'", "with a:", ";"]),
).map(lambda made: " " * made[0] + made[1])  # fmt: skip


@given(st.lists(LINE, max_size=30))
def test_any_lines_are_placed_and_decided_by_lines_before(lines):
    for line, place in read_blocks(read_program("\n".join(lines))).items():
        assert place.before is None or place.before < line
        assert place.inside is None or place.inside <= line
