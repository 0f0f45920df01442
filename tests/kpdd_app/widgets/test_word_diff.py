"""The pieces of a diff join to both texts, whatever the texts are, and long texts are still fast."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kpdd_app.widgets.word_diff import diff, words


def old_of(pieces) -> str:
    return "".join(piece.text for piece in pieces if piece.kind in ("same", "gone"))


def new_of(pieces) -> str:
    return "".join(piece.text for piece in pieces if piece.kind in ("same", "new"))


def test_only_the_changed_word_differs():
    pieces = diff("a shelf holds 3 boxes", "a shelf holds 4 boxes")
    assert [(piece.kind, piece.text) for piece in pieces] == [
        ("same", "a shelf holds"), ("gone", " 3"), ("new", " 4"), ("same", " boxes"),
    ]  # fmt: skip


@given(st.text(max_size=120), st.text(max_size=120))
def test_pieces_join_to_both_texts(old, new):
    pieces = diff(old, new)
    assert old_of(pieces) == old
    assert new_of(pieces) == new
    assert "".join(words(old)) == old
    assert all(a.kind != b.kind for a, b in pairwise(pieces))


def test_long_texts_are_paired_by_line():
    old = "\n".join(f"line {n} holds some words and a number {n * 7}" for n in range(2000))
    new = old.replace("line 1000 holds", "row 1000 carries")
    pieces = diff(old, new)
    assert old_of(pieces) == old
    assert new_of(pieces) == new
    assert sum(len(piece.text) for piece in pieces if piece.kind != "same") < 60
