"""Reading a number from text, and comparing it with the gold answer.

Equal means `abs(a - b) < 1e-3`, as in PAL and XoT; for numbers beyond a million a relative 1e-9 counts too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

ABSOLUTE_TOLERANCE = 1e-3
RELATIVE_TOLERANCE = 1e-9
_LARGE = 1e6

# a number as people write it: 1,234.5  -3  .5  3/4  1e6
_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)"
)
_ANSWER_PHRASE = re.compile(r"answer(?:\s+is)?\s*:?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ReadAnswer:
    """A number that was read from text: its value, the text it was read from, and the rule that read it."""

    value: float
    text: str
    rule: str


def parse_number(text: str) -> float | None:
    """Return the one number that `text` is (commas, a leading currency sign, `a/b` allowed), else None.

    >>> parse_number("$1,200"), parse_number("3/4"), parse_number("12 apples")
    (1200.0, 0.75, None)
    """
    cleaned = text.strip().replace("−", "-").lstrip("$€£").replace("$", "").strip()
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", cleaned):
        cleaned = cleaned.replace(",", "")
    cleaned = cleaned.rstrip(".") if re.fullmatch(r"[-+]?\d+\.", cleaned) else cleaned
    # more digits than a float can tell apart are not worth an integer-to-float error
    if len(cleaned) > 400:
        return None
    if re.fullmatch(r"[-+]?\d+\s*/\s*\d+", cleaned):
        try:
            return float(Fraction(cleaned.replace(" ", "")))
        except (ZeroDivisionError, ValueError, OverflowError):
            return None
    try:
        value = float(cleaned)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def numbers_in(text: str) -> list[tuple[int, int, float]]:
    """Return every number of `text` as (start, end, value), in order; spans are character offsets."""
    found = []
    for match in _NUMBER.finditer(text):
        value = parse_number(match.group())
        if value is not None:
            found.append((match.start(), match.end(), value))
    return found


def read_answer(rationale: str) -> ReadAnswer | None:
    """Read the answer of a chain of thought, or None when it states no number.

    Rules, in order: the first number after the last "answer is" or "answer:"; the number after the last
    "####"; the last number of the text. A percent sign is not interpreted.
    """
    marks = list(_ANSWER_PHRASE.finditer(rationale))
    for match in reversed(marks):
        after = numbers_in(rationale[match.end() : match.end() + 200])
        if after:
            start, end, value = after[0]
            return ReadAnswer(value, rationale[match.end() + start : match.end() + end], "after 'answer is'")
    if "####" in rationale:
        tail = rationale.rsplit("####", 1)[1]
        after = numbers_in(tail)
        if after:
            start, end, value = after[0]
            return ReadAnswer(value, tail[start:end], "after '####'")
    every = numbers_in(rationale)
    if every:
        start, end, value = every[-1]
        return ReadAnswer(value, rationale[start:end], "last number")
    return None


def equal(answer: float | None, gold: float | None) -> bool:
    """Tell whether two answers are the same number within the tolerance of the module."""
    if answer is None or gold is None:
        return False
    if not (math.isfinite(answer) and math.isfinite(gold)):
        return False
    difference = abs(answer - gold)
    if difference < ABSOLUTE_TOLERANCE:
        return True
    return abs(gold) > _LARGE and difference <= RELATIVE_TOLERANCE * abs(gold)


def format_number(value: float) -> str:
    """Return a number as a person writes it: no `.0`, at most ten significant digits."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"
