"""What key points say that the question does not: the answer, results of sums, numbers from nowhere.

An item quotes or restates; it computes nothing. A plain reading of the question's words is no leak: `half`
for 1/2, `twice` for 2, `a dozen` for 12, `a week` for 7 days, `20%` for 0.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from training_backend.rationale.answers import equal, format_number, parse_number
from training_backend.rationale.number_mentions import DIRECT, Mention, mentions, words_of

_QUOTED_CHARS = 80
# 80 where the question says 20 % is a step in the head, not a reading
_READINGS = DIRECT | {"part"}
# "12 inches in a foot", "7 days": what a unit holds is read beside a unit only
_UNITS = words_of(
    "second minute hour day week weekend month year decade century inch inches foot feet yard meter "
    "kilometer gram kilogram pound ounce dollar cent penny pennies quarter dime nickel percent mile liter "
    "milliliter centimeter"
)
_THOUSANDS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?[kK]\b")
# two of something that the question lists is a count, and one of it is grammar
_LARGEST_COUNT = 4
_RESULT = re.compile(
    r"=\s*[$€£]?\s*([-−]?(?>\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?+)(?!\s*[-+*/×÷x^]\s*[\d($]|[a-z])"
)
# cheap and wide: whatever may be a number in digits or in words
_PIECES = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[½¼¾⅓⅔%=]")
_PLAIN_WORDS = re.compile(
    r"(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand"
    r"|million|billion|dozens?|half|halves|thirds?|quarters?|\w+ths?|twice|doubl\w*|thrice|tripl\w*|quadrupl\w*"
    r"|percent|cents?|[½¼¾⅓⅔%])\Z"
)


@dataclass(frozen=True)
class Leaks:
    """What was found, as sentences; empty where there is nothing.

    `answer`: an item states the gold answer or a result; `foreign`: a number that the question has not.
    """

    answer: str = ""
    foreign: str = ""


@dataclass(frozen=True)
class QuestionNumbers:
    """The numbers that a question states or plainly means, and the words and digits it is written with."""

    values: frozenset[float]
    units: frozenset[float]
    pieces: frozenset[str] = field(repr=False)

    def have(self, value: float) -> bool:
        """Tell whether the question states a value or plainly means it."""
        return round(value, 6) in self.values or any(equal(value, known) for known in self.values)

    def explain(self, mention: Mention) -> bool:
        """Tell whether a number of another text is a reading of the question's."""
        for value, meaning in mention.values:
            if meaning not in DIRECT:
                continue
            if self.have(value) or (0 < value < 1 and self.have(1 / value)):
                return True
            if value in self.units and not mention.near.isdisjoint(_UNITS):
                return True
        return False


def numbers_of(question: str) -> QuestionNumbers:
    """Return what a question's numbers may be read as."""
    readings = [reading for mention in mentions(question) for reading in mention.values]
    values = {round(value, 6) for value, meaning in readings if meaning in _READINGS}
    values |= {float(match.group(1)) * 1000 for match in _THOUSANDS.finditer(question)}
    units = {value for value, meaning in readings if meaning == "unit"}
    return QuestionNumbers(frozenset(values), frozenset(units), frozenset(_pieces(question)))


def find_leaks(
    numbers: QuestionNumbers, gold: float | None, core_question: str, items: Sequence[str]
) -> Leaks:
    """Return what the core question and the items say that the question does not."""
    texts = [("The core question", core_question)]
    texts += [(f"Item {number}", item) for number, item in enumerate(items, 1)]
    answer = foreign = ""
    for place, text in texts:
        if _holds_nothing_new(numbers, text):
            continue
        result = _result(numbers, gold, text)
        if result is not None:
            answer = answer or _say_answer(place, text, result, gold)
        for mention in _strange(numbers, text):
            if any(equal(value, gold) for value in _direct(mention)):
                answer = answer or _say_answer(place, text, mention.value, gold)
            elif result is None and not foreign and not _is_count(mention):
                foreign = f"{place} holds {mention.text}, which the question does not have: “{_cut(text)}”"
    return Leaks(answer, foreign)


def _holds_nothing_new(numbers: QuestionNumbers, text: str) -> bool:
    """Tell, quickly, that everything that may be a number stands in the question in the same form."""
    return all(
        piece in numbers.pieces or not (piece[0].isdigit() or piece == "=" or _PLAIN_WORDS.match(piece))
        for piece in _pieces(text)
    )


def _pieces(text: str) -> Iterable[str]:
    return _PIECES.findall(text.lower())


def _strange(numbers: QuestionNumbers, text: str) -> list[Mention]:
    """Return the numbers of a text that the question neither states nor means."""
    return [
        mention
        for mention in mentions(text)
        if not mention.weak
        and mention.value != 1
        and not numbers.explain(mention)
        and not {word := mention.text.lower(), f"{word}s"} & numbers.pieces
    ]


def _is_count(mention: Mention) -> bool:
    return mention.text.isalpha() and 1 < mention.value <= _LARGEST_COUNT


def _direct(mention: Mention) -> list[float]:
    return [value for value, meaning in mention.values if meaning in DIRECT]


def _result(numbers: QuestionNumbers, gold: float | None, text: str) -> float | None:
    """Return the result of an equation in a text, where the question does not have it."""
    for match in _RESULT.finditer(text):
        value = parse_number(match.group(1))
        if value is not None and not numbers.have(abs(value)):
            return value
    return None


def _say_answer(place: str, text: str, value: float, gold: float | None) -> str:
    what = "the gold answer" if equal(value, gold) else "a result"
    return f"{place} states {format_number(value)}, {what}, which the question does not: “{_cut(text)}”"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED_CHARS else text[: _QUOTED_CHARS - 1].rstrip() + "…"
