"""The arithmetic that a chain of thought states: every `a op b = c` found, computed again, marked.

Read are numbers with signs (`+ - − * × · x / ÷ ^`), brackets, money signs, thousands commas, `%`, and `of`
after a percentage or a fraction; words between a number and the next sign are units and are left out. A
statement whose left side holds an unknown is not arithmetic and is not looked at. All values are exact
fractions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?P<sign>\*\*|[-+*/^−–×·÷])|(?P<open>\()"
    r"|(?P<close>\))|(?P<percent>%)|(?P<money>[$€£])|(?P<equals>=+|≈)|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*|_\w*)"
    r"|(?P<space>[ \t\u00a0]+)|(?P<end>\n|.)"
)
_SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "**": "^"}
_MAX_BITS = 2048
_MAX_TOKENS = 200


@dataclass(frozen=True)
class Claim:
    """One statement: `text[start:end]` says that `left` is `right`; `computed` is what `left` really is."""

    start: int
    end: int
    left: str
    right: str
    claimed: float
    computed: float
    holds: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


class _NoExpression(Exception):
    """The tokens are no arithmetic."""


def claims(text: str) -> list[Claim]:
    """Return the arithmetic statements of a text, in order.

    >>> [(claim.left, claim.claimed, claim.holds) for claim in claims("Ina keeps 20 - 6 - 5 = 8 plums.")]
    [('20 - 6 - 5', 8.0, False)]
    """
    tokens = [
        _Token(str(match.lastgroup), match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
    ]
    tokens = [token for token in tokens if token.kind != "space"]
    found = []
    for place, token in enumerate(tokens):
        if token.kind == "equals":
            claim = _claim(text, tokens, place)
            if claim is not None:
                found.append(claim)
    return found


def _claim(text: str, tokens: list[_Token], place: int) -> Claim | None:
    """Read the statement around one equals sign."""
    left = _left_side(tokens, place)
    right = _right_side(tokens, place)
    if not left or not right:
        return None
    try:
        computed, operations = _value(left)
        claimed, _ = _value(right)
        if operations == 0:
            return None
        shown = text[right[0].start : right[-1].end]
        sign = tokens[place].text
        holds = _same(computed, claimed, shown, sign)
        if right[-1].kind == "percent":
            # "1/4 * 100 = 25%" is meant as 25
            holds = holds or _same(computed, claimed * 100, shown, sign)
        elif left[-1].kind == "percent":
            holds = holds or _same(computed * 100, claimed, shown, sign)
        return Claim(left[0].start, right[-1].end, text[left[0].start : left[-1].end], shown, float(claimed),
                     float(computed), holds)  # fmt: skip
    except (_NoExpression, ZeroDivisionError, OverflowError):
        return None


def _same(computed: Fraction, claimed: Fraction, shown: str, sign: str) -> bool:
    """Tell whether `claimed` is `computed`, or its rounding to the digits that are shown."""
    if computed == claimed:
        return True
    decimals = re.search(r"\.(\d+)", shown)
    places = len(decimals.group(1)) if decimals else 0
    if not places and sign != "≈":
        return False
    return abs(computed - claimed) <= Fraction(1, 2 * 10**places)


def _left_side(tokens: list[_Token], place: int) -> list[_Token]:
    """Return the longest run of tokens before the sign that can be one expression, units left out."""
    kept: list[_Token] = []
    units: list[_Token] = []
    depth = 0
    for token in reversed(tokens[max(0, place - _MAX_TOKENS) : place]):
        before = kept[-1] if kept else None
        if token.kind == "word":
            if not units and _joins(token, before):
                kept.append(token)
            else:
                units.append(token)
            continue
        if token.kind in ("end", "equals") or (token.kind == "number" and _is_factor(token, units)):
            break
        if token.kind == "money":
            continue
        depth += (token.kind == "close") - (token.kind == "open")
        if depth < 0 or _two_operands(token, before, units):
            break
        if token.kind in ("sign", "open") and units and not _may_stand_before_operand(token, units, before):
            break
        units = []
        kept.append(token)
    kept.reverse()
    if kept and kept[0].kind == "sign" and not _unary(kept) and not _begins_line(kept[0], tokens):
        # a sign whose left operand is no number: an unknown
        return []
    return _trimmed(kept)


def _joins(word: _Token, after: _Token | None) -> bool:
    """Tell whether a word is a sign: `x` before an operand, `of` before one."""
    return (
        word.text.lower() in ("x", "of", "times") and after is not None and after.kind in ("number", "open")
    )


def _is_factor(number: _Token, units: list[_Token]) -> bool:
    """Tell whether the word after the number is no unit: a letter touching it (`3t`), or `of`."""
    if not units:
        return False
    word = units[-1]
    return (len(word.text) == 1 and word.start == number.end) or word.text.lower() == "of"


def _two_operands(token: _Token, after: _Token | None, units: list[_Token]) -> bool:
    """Tell whether two operands follow one another without a sign: there the sentence ends."""
    if (
        token.kind not in ("number", "close", "percent")
        or after is None
        or after.kind not in ("number", "open")
    ):
        return False
    return bool(units) or after.kind != "open" or token.end != after.start


def _may_stand_before_operand(sign: _Token, units: list[_Token], after: _Token | None) -> bool:
    """Tell whether the words between a sign and what follows are one or two before a number, no unknown."""
    if after is None or after.kind not in ("number", "open") or len(units) > 2:
        return False
    if sign.end == units[-1].start:
        # a hyphen, as in "6-seater"
        return False
    return all(len(unit.text) > 1 and not unit.text.startswith("_") for unit in units)


def _trimmed(tokens: list[_Token]) -> list[_Token]:
    """Drop what cannot begin an expression, and `of` where nothing can be taken a part of."""
    kept: list[_Token] = []
    for token in tokens:
        if token.kind == "word" and token.text.lower() == "of" and not _is_part(kept):
            # "2 bolts of 3": no multiplication, so the expression starts anew
            kept = []
            continue
        kept.append(token)
    while kept and (
        kept[0].kind in ("close", "percent", "word") or (kept[0].kind == "sign" and not _unary(kept))
    ):
        kept.pop(0)
    return kept


def _unary(tokens: list[_Token]) -> bool:
    """Tell whether a leading minus touches its number, as in `-3 + 5`."""
    return len(tokens) > 1 and tokens[0].text in "-−–" and tokens[0].end == tokens[1].start


def _begins_line(token: _Token, tokens: list[_Token]) -> bool:
    """Tell whether nothing stands before a token in its line: a list's bullet."""
    place = tokens.index(token)
    return place == 0 or tokens[place - 1].text == "\n"


def _is_part(tokens: list[_Token]) -> bool:
    """Tell whether the tokens end in a percentage or a fraction."""
    if not tokens:
        return False
    if tokens[-1].kind in ("percent", "close"):
        return True
    return len(tokens) > 2 and tokens[-1].kind == "number" and tokens[-2].text in "/÷"


def _right_side(tokens: list[_Token], place: int) -> list[_Token]:
    """Return the expression after the sign: up to a word, an end or the next equals sign."""
    kept: list[_Token] = []
    for token in tokens[place + 1 : place + 1 + _MAX_TOKENS]:
        if token.kind == "money":
            continue
        if token.kind == "word":
            if token.text.lower() in ("x", "times") and kept and kept[-1].kind in ("number", "close"):
                kept.append(token)
                continue
            break
        if token.kind in ("end", "equals"):
            break
        kept.append(token)
    while kept and kept[-1].kind in ("sign", "open", "word"):
        kept.pop()
    while (
        kept and kept[-1].kind == "close" and sum((t.kind == "open") - (t.kind == "close") for t in kept) < 0
    ):
        kept.pop()
    return kept


def _value(tokens: list[_Token]) -> tuple[Fraction, int]:
    """Return (value, number of operations); _NoExpression when the tokens are none."""
    reader = _Reader(tokens)
    value = reader.sum()
    if reader.at != len(tokens):
        raise _NoExpression
    return value, reader.operations


class _Reader:
    """Recursive descent over the tokens of one side."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self.at = 0
        self.operations = 0

    def sum(self) -> Fraction:
        """Return the value from here on."""
        value = self._product()
        while (sign := self._sign()) in ("+", "-"):
            self._step()
            other = self._product()
            value = value + other if sign == "+" else value - other
        return _bounded(value)

    def _product(self) -> Fraction:
        value = self._power()
        while (sign := self._sign()) in ("*", "/"):
            self._step()
            other = self._power()
            value = value * other if sign == "*" else value / other
        return _bounded(value)

    def _power(self) -> Fraction:
        value = self._item()
        if self._sign() == "^":
            self._step()
            exponent = self._item()
            size = max(value.numerator.bit_length(), value.denominator.bit_length())
            if exponent.denominator != 1 or abs(exponent) * size > _MAX_BITS:
                raise _NoExpression
            value = Fraction(value ** int(exponent))
        return value

    def _item(self) -> Fraction:
        token = self._take()
        if token.kind == "sign" and token.text in "-−–":
            return -self._item()
        if token.kind == "open":
            value = self.sum()
            if self._take().kind != "close":
                raise _NoExpression
        elif token.kind == "number":
            value = Fraction(token.text.replace(",", ""))
        else:
            raise _NoExpression
        if self.at < len(self._tokens) and self._tokens[self.at].kind == "percent":
            self.at += 1
            value /= 100
        return value

    def _sign(self) -> str:
        if self.at >= len(self._tokens):
            return ""
        token = self._tokens[self.at]
        if token.kind == "sign":
            return _SIGNS.get(token.text, token.text)
        return "*" if token.kind in ("word", "open") else ""

    def _step(self) -> None:
        self.operations += 1
        if self._tokens[self.at].kind != "open":
            self.at += 1

    def _take(self) -> _Token:
        if self.at >= len(self._tokens):
            raise _NoExpression
        self.at += 1
        return self._tokens[self.at - 1]


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise _NoExpression
    return value
