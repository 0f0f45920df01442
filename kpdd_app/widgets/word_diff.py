"""Which words two texts share: equal ends cut first, long texts by line before by word. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\s*\w+|\s*[^\w\s]|\s+$")
_LONG = 600  # words; beyond that the lines are paired first


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both have (`same`), only the old (`gone`) or only the new (`new`)."""

    kind: Literal["same", "gone", "new"]
    text: str


def words(text: str) -> list[str]:
    """Return the words of a text, each with the space before it; joined they are the text again."""
    return _WORDS.findall(text)


def diff(old: str, new: str) -> list[Piece]:
    """Return the pieces that lead from `old` to `new`.

    The `same` and `gone` pieces joined are `old`, the `same` and `new` pieces joined are `new`.
    """
    a, b = words(old), words(new)
    if len(a) > _LONG or len(b) > _LONG:
        return _merge(_by_line(old, new))
    return _merge(_by_word(a, b))


def _by_word(a: list[str], b: list[str]) -> list[Piece]:
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    pieces = [Piece("same", "".join(a[:head]))]
    pieces += _matched(a[head : len(a) - tail], b[head : len(b) - tail])
    pieces.append(Piece("same", "".join(a[len(a) - tail :])))
    return pieces


def _matched(a: list[str], b: list[str]) -> list[Piece]:
    pieces = []
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(a[i:j])))
        else:
            pieces += [Piece("gone", "".join(a[i:j])), Piece("new", "".join(b[k:m]))]
    return pieces


def _by_line(old: str, new: str) -> list[Piece]:
    """Pair whole lines; only those between two pairs are compared word by word."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pieces = []
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        before, after = "".join(a[i:j]), "".join(b[k:m])
        if tag == "equal":
            pieces.append(Piece("same", before))
        elif tag == "replace" and max(len(before), len(after)) < 8 * _LONG:
            pieces += _by_word(words(before), words(after))
        else:
            pieces += [Piece("gone", before), Piece("new", after)]
    return pieces


def _merge(pieces: list[Piece]) -> list[Piece]:
    """Drop empty pieces and join neighbours of one kind."""
    merged: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if merged and merged[-1].kind == piece.kind:
            merged[-1] = Piece(piece.kind, merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged
