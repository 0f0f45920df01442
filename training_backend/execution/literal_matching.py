"""Which number of a text a number in a program was taken from: by value, by shared words, by order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from training_backend.execution.program_lines import Literal
from training_backend.rationale.number_mentions import DIRECT, Mention, words_of

# (as written, weak, each mention once)
_PASSES = (
    (True, False, True), (False, False, True), (True, False, False), (True, True, False),
    (False, False, False), (False, True, False),
)  # fmt: skip


def match(
    literals: Sequence[Literal], mentioned: Sequence[Mention], shares: Sequence[int] = ()
) -> dict[int, tuple[int, str]]:
    """Return {literal: (mention, how)}, by value, then by shared words, then by order.

    First the fractions that the program writes as such (`shares`, the places of their upper numbers). Then
    every mention as it is written is taken once, then those that a literal follows from (`half` for a
    division by 2, a part of a fraction, 1.2 for 20 %); what is left repeats a mention, or comes from a weak
    one (an ordinal, a unit such as `week` for 7).
    """
    by_value: dict[str, list[tuple[int, str]]] = {}
    for number, mention in enumerate(mentioned):
        for value, how in mention.values:
            by_value.setdefault(_key(value), []).append((number, how))
    words = [words_of(literal.beside.replace("_", " ")) for literal in literals]
    found: dict[int, tuple[int, str]] = {}
    taken: set[int] = set()
    for index in shares:
        said = _said_as_share(literals[index].value, literals[index + 1].value, mentioned)
        ranked = [(number in taken, -len(words[index] & mentioned[number].near), number) for number in said]
        if ranked:
            number = min(ranked)[2]
            found[index] = found[index + 1] = (number, "fraction")
            taken.add(number)
    for direct, weak, fresh in _PASSES:
        pairs = []
        for index, literal in enumerate(literals):
            if index in found:
                continue
            fitting = by_value.get(_key(literal.value), []) + ([] if direct else _rounded(literal, mentioned))
            for number, how in fitting:
                if (how in DIRECT) == direct and mentioned[number].weak == weak:
                    shared = len(words[index] & mentioned[number].near)
                    pairs.append((-shared, index, number, how))
        for _, index, number, how in sorted(pairs):
            if index not in found and not (fresh and number in taken):
                found[index] = (number, how)
                taken.add(number)
    return found


def written_shares(literals: Sequence[Literal], program: str) -> list[int]:
    """Return the literals that are the upper number of a fraction: `2/5`, `Fraction(2, 5)`."""
    lines = program.split("\n")
    found: list[int] = []
    for index, (top, bottom) in enumerate(pairwise(literals)):
        if top.line != bottom.line or (found and found[-1] == index - 1):
            continue
        text = lines[top.line - 1]
        between, before = text[top.end : bottom.start].strip(), text[: top.start].rstrip()
        if between == "/" or (between == "," and before.endswith(("Fraction(", "Rational("))):
            found.append(index)
    return found


def _said_as_share(top: float, bottom: float, mentioned: Sequence[Mention]) -> list[int]:
    """Return the mentions that say `top/bottom` as a fraction or in words: `2/5`, `half`, `two fifths`."""
    if not bottom or top >= bottom:
        return []
    found = []
    for number, mention in enumerate(mentioned):
        parts = {value for value, how in mention.values if how == "part"}
        said = any(
            how in ("fraction", "word") and _key(value) == _key(top / bottom) for value, how in mention.values
        )
        if said and bottom in parts and (top == 1 or top in parts):
            found.append(number)
    return found


def _key(value: float) -> str:
    return f"{value:.9g}"


def _rounded(literal: Literal, mentioned: Sequence[Mention]) -> list[tuple[int, str]]:
    """Return the fractions that a literal such as 0.33 or 0.667 is a rounding of."""
    if literal.decimals < 2:
        return []
    half = 0.5 * 10.0 ** -min(literal.decimals, 12) * (1 + 1e-9)
    return [
        (number, "rounded")
        for number, mention in enumerate(mentioned)
        for value, how in mention.values
        if how in ("fraction", "word") and value % 1 and abs(value - literal.value) <= half
    ]
