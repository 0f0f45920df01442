"""Reading a number from text, and comparing it with the gold answer.

Equal means `abs(a - b) < 1e-3`, as in PAL and XoT; for numbers beyond a million a relative 1e-9 counts too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

ABSOLUTE_TOLERANCE = 1e-3
RELATIVE_TOLERANCE = 1e-9
_LARGE = 1e6

# a number as people write it: 1,234.5  -3  .5  3/4  1e6
_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)"
)
# "the answer is 5", "Final answer: 5"; not "she answers 60 %" or "8 correct answers"
_ANSWER_PHRASE = re.compile(r"\banswers?\s*(?:is|are|was|would be|will be|:|=)[ \t]*:?[ \t]*", re.IGNORECASE)
_PHRASE_REACH = 60
# GSM8K's calculator marks repeat what stands beside them
_CALCULATOR = re.compile(r"<<[^<>]*>>")
# a full stop inside a number ends no sentence
_SENTENCE_END = re.compile(r"[.!?](?=\s)\s*|\n\s*")
# a last sentence that only says how the answer before it was found
_EXPLANATION = re.compile(
    r"(?:This|That|It)(?:\s+\w+)?\s+(?:is|was)\b|(?:You|We)\s+(?:can|could)\s+(?:find|calculate)\b"
)
_OPERATOR = re.compile(r"[+*/×÷]|\s[-−]\s")


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
    if cleaned.isdigit() and cleaned.isascii() and len(cleaned) < 300:
        # what most answers are
        return float(cleaned)
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

    Rules, in order: the first number after the last "answer is" or "answer:", where a sum stands there its
    result; the number after the last "####"; where the last sentence states several numbers ("28 cups fill
    14 bags with 2 each"), the one that is the result of the last equation; the last number of the text,
    without a closing sentence that only explains ("This is found by subtracting 40 from 97."). A percent
    sign is not interpreted.
    """
    for match in reversed(list(_ANSWER_PHRASE.finditer(rationale))):
        if found := _after_phrase(rationale[match.end() :]):
            return found
    if "####" in rationale and (found := _first(rationale.rsplit("####", 1)[1], "after '####'")):
        return found
    return _from_the_end(_CALCULATOR.sub("", rationale))


def _after_phrase(rest: str) -> ReadAnswer | None:
    # "here is the answer:" and a new line begin an explanation, they do not end one
    sentences = _sentences(_CALCULATOR.sub("", rest.split("\n")[0])[:_PHRASE_REACH])
    if not sentences:
        return None
    rule = "after 'answer is'"
    # "the answer is 53 - 49 = 4"
    return _first(sentences[0].rsplit("=", 1)[-1], rule) or _first("".join(sentences), rule)


def _from_the_end(text: str) -> ReadAnswer | None:
    """Read the answer from the last sentence that has a number."""
    sentences = [part for part in _sentences(text) if numbers_in(part)]
    if not sentences:
        return None
    last = sentences[-1]
    result = _last_result(text)
    stated = numbers_in(last)
    if result is not None and len({value for _, _, value in stated}) > 1:
        for start, end, value in reversed(stated):
            if equal(value, result):
                return ReadAnswer(value, last[start:end], "last result, repeated in the last sentence")
    rule = "last number"
    if len(sentences) > 1 and result is None and _EXPLANATION.match(last):
        last, rule = sentences[-2], "last number before the explanation"
    start, end, value = numbers_in(last)[-1]
    return ReadAnswer(value, last[start:end], rule)


def _first(text: str, rule: str) -> ReadAnswer | None:
    """Return the first number of a text as an answer."""
    for start, end, value in numbers_in(text):
        return ReadAnswer(value, text[start:end], rule)
    return None


def _sentences(text: str) -> list[str]:
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if text[start:end].strip()]


def _last_result(text: str) -> float | None:
    """Return the number on the right of the last `=` that is followed by a number and not by another sum."""
    for match in reversed(list(re.finditer("=", text))):
        right = text[match.end() : match.end() + 40]
        for start, _, value in numbers_in(right)[:1]:
            if not _OPERATOR.search(right[:start]):
                return value
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
