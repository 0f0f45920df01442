"""The numbers that a text mentions: digits, fractions, percentages, number words, with their places.

A mention may stand for more than one value in a calculation (`20%` for 20, 0.2, 1.2 and 0.8; `half` for 0.5
and for the 2 that something is divided by). Each value says how it is meant, so that the nearest meaning can
be preferred. Weak mentions (`one`, ordinals, units such as `week` for 7) explain a number but are nothing a
solver must have used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARS = 20_000
MAX_MENTIONS = 500

# what is written, before what follows from it by a step in the head
DIRECT = frozenset({"same", "word", "percent", "fraction", "scale", "cents"})
_NEAR_BEFORE, _NEAR_AFTER = 3, 4

_TOKEN = re.compile(
    r"(?P<number>(?<![^\W_])(?<!\d[.,])(?:\d{1,3}(?:,\d{3})+(?!\d)|(?<=[$€£])\d{1,3}(?: \d{3})+(?!\d)|\d+)"
    r"(?:\.\d+)?|(?<![\w.])\.\d+)"
    r"|(?P<sign>[½¼¾⅓⅔])|(?P<word>[^\W\d_]+)"
)
_MIXED = re.compile(r"(\d{1,6})[ -](\d{1,4})\s?/\s?(\d{1,4})(?![\d.])")
_FRACTION = re.compile(r"(\d{1,6})\s?/\s?(\d{1,6})(?![\d.]*\d)")
_PERCENT = re.compile(r"\s?(?:%|per ?cent\b)", re.IGNORECASE)
_SCALE = re.compile(r"[\s-](hundred|thousand|million|billion|dozen)s?\b", re.IGNORECASE)
_CENTS = re.compile(r"[\s-]?(?:cents?\b|¢)", re.IGNORECASE)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_BETWEEN = re.compile(r"[\s-]+(?:and\s+)?", re.IGNORECASE)

_SIGNS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}  # fmt: skip
# one of these alone is a share more often than a place in a row
_SHARES = frozenset({"half", "quarter"})
_TIMES = {
    "twice": 2, "double": 2, "doubled": 2, "doubles": 2, "doubling": 2, "thrice": 3, "triple": 3,
    "tripled": 3, "triples": 3, "quadruple": 4, "quadrupled": 4, "dozen": 12, "dozens": 12,
}  # fmt: skip
_WEAK = {"couple": 2, "pair": 2, "pairs": 2, "both": 2, "once": 1, "twin": 2, "twins": 2, "single": 1}
# what people know: explains a literal, and is nothing that must be used
_UNITS = {
    "minute": (60,), "minutes": (60,), "hour": (60, 3600), "hours": (60, 3600), "hourly": (60,),
    "day": (24,), "days": (24,), "daily": (7, 30, 365), "week": (7, 52), "weeks": (7, 52),
    "weekly": (7, 52, 4), "weekend": (2,), "weekends": (2,), "weekday": (5,), "weekdays": (5,),
    "month": (30, 12, 4), "months": (30, 12, 4), "monthly": (12, 30, 4), "year": (12, 365, 52),
    "years": (12, 365, 52), "yearly": (12, 365, 52), "annual": (12,), "annually": (12,), "foot": (12,),
    "feet": (12,), "yard": (3, 36), "yards": (3, 36), "inches": (12,), "decade": (10,), "decades": (10,),
    "century": (100,), "dollar": (100,), "dollars": (100,), "cents": (100,), "meter": (100, 1000),
    "meters": (100, 1000), "kilometers": (1000,), "km": (1000,), "kg": (1000,), "kilograms": (1000,),
    "pound": (16,), "pounds": (16,), "ounces": (16,), "average": (2,), "percent": (100,),
    "percentage": (100,), "quarters": (25,), "dimes": (10,), "nickels": (5,),
}  # fmt: skip


@dataclass(frozen=True)
class Mention:
    """A number in a text: `text[start:end]`; `values` are (value, how it is meant), the nearest first."""

    start: int
    end: int
    text: str
    values: tuple[tuple[float, str], ...]
    weak: bool = False
    near: frozenset[str] = frozenset()

    @property
    def value(self) -> float:
        """Return the value as written."""
        return self.values[0][0]


def mentions(text: str) -> list[Mention]:
    """Return the numbers of a text in order; at most MAX_MENTIONS from the first MAX_CHARS characters.

    >>> [(m.text, m.value) for m in mentions("Two dozen eggs cost $1,200.50, half of it is 3/4 of 20%.")]
    [('Two dozen', 24.0), ('1,200.50', 1200.5), ('half', 0.5), ('3/4', 0.75), ('20%', 20.0)]
    """
    text = text[:MAX_CHARS]
    tokens = [(str(match.lastgroup), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    words = [text[start:end].lower() for _, start, end in tokens]
    found: list[Mention] = []
    place = 0
    while place < len(tokens) and len(found) < MAX_MENTIONS:
        kind, start, end = tokens[place]
        read = _read(text, kind, words, tokens, place)
        if read is None:
            place += 1
            continue
        end, values, weak = read
        after = place + 1
        while after < len(tokens) and tokens[after][1] < end:
            after += 1
        near = words_of(" ".join(_near(words, place, after)))
        found.append(Mention(start, end, text[start:end], tuple(values), weak, near))
        # a unit inside a phrase was no mention of its own
        place = after
    return found


def _near(words: list[str], place: int, after: int) -> list[str]:
    """Return the words around a mention, up to the numbers beside it."""
    before = words[max(0, place - _NEAR_BEFORE) : place]
    behind = words[after : after + _NEAR_AFTER]
    cut = max((number for number, word in enumerate(before, 1) if word[0].isdigit()), default=0)
    stop = next((number for number, word in enumerate(behind) if word[0].isdigit()), len(behind))
    return before[cut:] + behind[:stop]


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text or of a name in a form in which one and many are alike."""
    return frozenset(
        word[:-1] if word.endswith("s") else word for word in re.findall(r"[^\W\d_]{3,}", text.lower())
    )


_Read = tuple[int, list[tuple[float, str]], bool]


def _read(
    text: str, kind: str, words: list[str], tokens: list[tuple[str, int, int]], place: int
) -> _Read | None:
    _, start, end = tokens[place]
    if kind == "number":
        return _digits(text, start, end)
    if kind == "sign":
        value = _SIGNS[text[start:end]]
        return end, [(value, "fraction"), (round(1 / value), "part")], False
    return _word(text, words, tokens, place)


def _digits(text: str, start: int, end: int) -> _Read:
    """Read a number in digits and what stands directly behind it."""
    if (mixed := _MIXED.match(text, start)) and int(mixed.group(3)):
        whole, top, bottom = map(int, mixed.groups())
        values = [(whole + top / bottom, "fraction")]
        return mixed.end(), values + [(float(part), "part") for part in (whole, top, bottom)], False
    if (share := _FRACTION.match(text, start)) and int(share.group(2)):
        top, bottom = map(int, share.groups())
        values = [(top / bottom, "fraction"), (float(top), "part"), (float(bottom), "part")]
        return share.end(), values, False
    written = text[start:end].replace(",", "").replace(" ", "")
    # more digits than a float tells apart are still one number
    value = float(written[:400])
    if percent := _PERCENT.match(text, end):
        return percent.end(), _percent(value), False
    if scale := _SCALE.match(text, end):
        times = _SCALES[scale.group(1).lower()]
        return scale.end(), [(value * times, "scale"), (value, "same"), (float(times), "part")], False
    if _CENTS.match(text, end):
        return end, [(value, "same"), (value / 100, "cents")], False
    if ordinal := _ORDINAL.match(text, end):
        return ordinal.end(), [(value, "same")], True
    return end, [(value, "same")], False


def _percent(value: float) -> list[tuple[float, str]]:
    share = value / 100
    return [(value, "same"), (share, "percent"), (1 + share, "complement"), (1 - share, "complement"),
            (100 - value, "complement"), (100 + value, "complement"), (100.0, "part")]  # fmt: skip


def _word(text: str, words: list[str], tokens: list[tuple[str, int, int]], place: int) -> _Read | None:
    """Read a number in words, a share, a multiple, or a unit that people know the size of."""
    word, end = words[place], tokens[place][2]
    if word in _SMALL or word in _TENS:
        return _number_words(text, words, tokens, place)
    if word == "half" and words[place + 1 : place + 2] + words[place + 2 : place + 3] == ["a", "dozen"]:
        return tokens[place + 2][2], [(6.0, "word"), (0.5, "part"), (2.0, "part"), (12.0, "part")], False
    if word in _PARTS and word not in ("quarters",):
        value = float(_PARTS[word])
        return end, [(1 / value, "word"), (value, "part"), (1 - 1 / value, "complement"),
                     (1 + 1 / value, "complement")], word not in _SHARES  # fmt: skip
    if word in _TIMES:
        return end, [(float(_TIMES[word]), "word")], False
    if word in ("hundred", "thousand", "million"):
        return end, [(float(_SCALES[word]), "word")], False
    if word in _WEAK:
        return end, [(float(_WEAK[word]), "word")], True
    if word in _UNITS:
        return end, [(float(value), "unit") for value in _UNITS[word]], True
    return None


def _number_words(text: str, words: list[str], tokens: list[tuple[str, int, int]], place: int) -> _Read:
    """Read `twenty-five`, `two hundred and six`, `three quarters`, `two dozen`."""
    total, current = 0, 0
    first, end = place, tokens[place][2]
    while place < len(tokens) and (place == first or _joined(text, tokens, place)):
        word = words[place]
        if word == "and" and words[place - 1] in _SCALES and place + 1 < len(words):
            place += 1
            word = words[place]
        if word in _TENS and current % 100 == 0:
            current += _TENS[word]
        elif word in _SMALL and (current % 10 == 0 and (_SMALL[word] < 10 or current % 100 == 0)):
            if place > first and words[place - 1] in _SMALL:
                break
            current += _SMALL[word]
        elif word == "hundred" and 0 < current < 100:
            current *= 100
        elif word in ("thousand", "million", "billion") and current:
            total, current = total + current * _SCALES[word], 0
        else:
            break
        end = tokens[place][2]
        place += 1
    value = float(total + current)
    weak = value == 1
    if place < len(tokens) and _joined(text, tokens, place):
        word, stop = words[place], tokens[place][2]
        # "two halves", "one half", "two-thirds"; "the one third in line" is rare
        if word in _PARTS and value:
            bottom = float(_PARTS[word])
            return stop, [(value / bottom, "fraction"), (bottom, "part"), (value, "part"),
                          (1 - value / bottom, "complement")], False  # fmt: skip
        if word == "dozen" and value:
            return stop, [(12 * value, "scale"), (value, "same"), (12.0, "part")], False
    if percent := _PERCENT.match(text, end):
        return percent.end(), _percent(value), False
    if _CENTS.match(text, end):
        return end, [(value, "word"), (value / 100, "cents")], weak
    return end, [(value, "word")], weak


def _joined(text: str, tokens: list[tuple[str, int, int]], place: int) -> bool:
    """Tell whether only a space, a hyphen or an `and` stands between a word and the one before it."""
    before = tokens[place - 1][2]
    return bool(_BETWEEN.fullmatch(text, before, tokens[place][1])) or (
        text[tokens[place][1] : tokens[place][2]].lower() == "and"
    )
