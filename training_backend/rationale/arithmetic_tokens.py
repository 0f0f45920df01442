"""The tokens of the arithmetic in a sentence: numbers, signs, brackets, units."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<number>(?:\d{1,3} [1-9]\d?/[1-9]\d{0,2}(?![\d/.])|\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?"
    r"|\d+(?:\.\d+)?|\.\d+)(?:\.\.\.|…)?|\\[dt]?frac\{\d+\}\{\d+\})"
    r"|(?P<word>\\text\{[^{}]*\}|(?<=[^\W_])/(?:[^\W\d_]{2,}|[hs])(?![^\W_]))"
    r"|(?P<sign>\*\*|[-+*/^−–×·⋅÷]|\\times|\\cdot|\\div|\b(?:plus|minus|divided by|multiplied by)\b)"
    r"|(?P<end>\n|\\[()\[\]])|(?P<open>(?:\\left)?[(\[])|(?P<close>(?:\\right)?[)\]])|(?P<percent>\\?%)"
    r"|(?P<money>\\?[$€£¢])|(?P<equals>=+|≈|\\approx|\bequals\b)"
    r"|(?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*|_\w*)|(?P<space>[ \t\u00a0]+)|(?P<other>.)"
)
_KINDS = {"name": "word", "other": "end"}
SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "**": "^", "plus": "+", "minus": "-",
          "divided by": "/", "multiplied by": "*", "\\times": "*", "\\cdot": "*", "\\div": "/"}  # fmt: skip
# one letter is a unit only here; any other one stands for an unknown
UNIT_LETTERS = frozenset("hsmgl")
# what is measured in two units at once, as in "2 hours 30 minutes"
MEASURES = re.compile(
    r"(?:hour|hr|minute|min|second|sec|day|week|month|year|inche?|pound|lb|ounce|oz|dollar|cent|yard|meter)s?"
    r"|ft|feet|foot|in|km|cm|m|kg|g|h"
)
CLOCK = frozenset({"am", "pm", "AM", "PM"})
ROUNDED = ("...", "…")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Cut a text into tokens; spaces and the stars of bold type are left out, `(in words)` becomes units."""
    kept: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, start, end = str(match.lastgroup), match.start(), match.end()
        if kind == "space" or (match.group() == "**" and _is_bold(text, start, end)):
            continue
        kept.append(Token(_KINDS.get(kind, kind), match.group(), start, end))
        if kind == "close":
            place = len(kept) - 2
            while place > 0 and kept[place].kind == "word":
                place -= 1
            # what touches its number is a factor: `.1(number of minutes)`
            spaced = place > 0 and kept[place - 1].end < kept[place].start
            if spaced and place < len(kept) - 2 and kept[place].kind == "open":
                kept[place:] = kept[place + 1 : -1]
    return kept


def _is_bold(text: str, start: int, end: int) -> bool:
    """Tell whether two stars touch a number on one side only."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalnum() or before in ("%", ")")) != (after.isalnum() or after in ("$", "(", "€", "£"))


def digits_of(text: str) -> str:
    """Return a number's text as fractions read it, two parts of a mixed number with a space between."""
    if text.startswith("\\"):
        return "/".join(re.findall(r"\d+", text))
    return text.replace(",", "").rstrip(".…")


def is_unknown(unit: Token) -> bool:
    """Tell whether a word between a number and a sign is none of its units: a letter, a time of day."""
    return (len(unit.text) == 1 and unit.text not in UNIT_LETTERS) or unit.text in CLOCK


def is_torn(text: str, start: int) -> bool:
    """Tell whether a number is the rest of something else: `5:00`, `16,0000`, `x2`, `1e3`."""
    before = text[start - 1 : start] if start else ""
    if before in (":", ",", "."):
        return text[start - 2 : start - 1].isdigit()
    return before.isalnum() or before == "_"
