"""The arithmetic that a chain of thought states: every `a op b = c` found, computed again, marked.

Read are numbers (`1,200.50`, `2 1/2`, `\\frac{1}{2}`) with signs (`+ - − * × · x / ÷ ^`, `plus`, `\\times`),
brackets, money signs, `%`, and `of` after a percentage or a fraction; words between a number and the next
sign are units (`apples`, `km/h`, `(in cents)`) and are left out. A statement with an unknown, a time of day
or a measure in two units is not arithmetic and is not looked at. All values are exact fractions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from training_backend.rationale.arithmetic_tokens import (
    CLOCK,
    MEASURES,
    ROUNDED,
    SIGNS,
    UNIT_LETTERS,
    Token,
    digits_of,
    is_torn,
    is_unknown,
    tokens_of,
)

_CENTS = re.compile(r"\s?(?:cents?\b|¢)")
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


class _NoExpression(Exception):
    """The tokens are no arithmetic."""


def claims(text: str) -> list[Claim]:
    """Return the arithmetic statements of a text, in order.

    >>> [(claim.left, claim.claimed, claim.holds) for claim in claims("Ina keeps 20 - 6 - 5 = 8 plums.")]
    [('20 - 6 - 5', 8.0, False)]
    """
    tokens = tokens_of(text)
    found = []
    for place, token in enumerate(tokens):
        if token.kind == "equals":
            claim = _claim(text, tokens, place)
            if claim is not None:
                found.append(claim)
    return found


def _claim(text: str, tokens: list[Token], place: int) -> Claim | None:
    """Read the statement around one equals sign."""
    left = _left_side(tokens, place)
    right = _right_side(tokens, place)
    if not left or not right or is_torn(text, left[0].start):
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
        elif _CENTS.search(text[left[0].start : left[-1].end]) and text[right[0].start - 1] == "$":
            # "25 cents * 4 = $1"
            holds = holds or _same(computed / 100, claimed, shown, sign)
        elif _CENTS.match(text, right[-1].end) and text[left[0].start - 1 : left[0].start] == "$":
            # "$1 / 2 = 50 cents"
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
    if shown.rstrip(" %").endswith(ROUNDED):
        return abs(computed - claimed) < Fraction(1, 10**places)
    if not places and sign != "≈":
        return False
    return abs(computed - claimed) <= Fraction(1, 2 * 10**places)


def _left_side(tokens: list[Token], place: int) -> list[Token]:
    """Return the longest run of tokens before the sign that can be one expression, units left out."""
    kept: list[Token] = []
    units: list[Token] = []
    depth = 0
    for at in range(place - 1, max(0, place - _MAX_TOKENS) - 1, -1):
        token = tokens[at]
        before = kept[-1] if kept else None
        if token.kind == "word":
            if not units and _joins(token, before, tokens[at - 1] if at else None):
                kept.append(token)
            else:
                units.append(token)
            continue
        if token.kind in ("end", "equals") or (token.kind == "number" and _is_factor(token, units)):
            break
        if token.kind == "money":
            continue
        depth += (token.kind == "close") - (token.kind == "open")
        if depth < 0:
            break
        if _two_operands(token, before, units):
            if token.kind == "number" and len(units) == 1 and _goes_on(units[0], kept[::-1]):
                return []
            break
        if token.kind in ("sign", "open") and units and not _may_stand_before_operand(token, units, before):
            break
        if any(is_unknown(unit) for unit in units):
            return []
        units = []
        kept.append(token)
    kept.reverse()
    first = next((token for token in kept if token.kind != "close"), None)
    if first is not None and first.kind == "sign" and (
        first is not kept[0] or not (_unary(kept) or _begins_line(first, tokens))
    ):  # fmt: skip
        # a sign whose left operand is no number: an unknown
        return []
    return _trimmed(kept)


def _joins(word: Token, after: Token | None, before: Token | None) -> bool:
    """Tell whether a word is a sign: `x` before an operand, `of` between a share and an operand."""
    if after is None or after.kind not in ("number", "open"):
        return False
    if word.text.lower() == "of":
        return before is not None and before.kind in ("number", "percent", "close")
    return word.text.lower() in ("x", "times")


def _is_factor(number: Token, units: list[Token]) -> bool:
    """Tell whether the word after the number is no unit: a letter touching it (`3t`), or `of`."""
    if not units:
        return False
    word = units[-1]
    if word.text in UNIT_LETTERS and len(units) == 1:
        return False
    return (len(word.text) == 1 and word.start == number.end) or word.text.lower() == "of"


def _two_operands(token: Token, after: Token | None, units: list[Token]) -> bool:
    """Tell whether two operands follow one another without a sign: there the sentence ends."""
    if (
        token.kind not in ("number", "close", "percent")
        or after is None
        or after.kind not in ("number", "open")
    ):
        return False
    return bool(units) or after.kind != "open" or token.end != after.start


def _may_stand_before_operand(sign: Token, units: list[Token], after: Token | None) -> bool:
    """Tell whether the words between a sign and what follows are one or two before a number, no unknown."""
    if after is None or after.kind not in ("number", "open") or len(units) > 2:
        return False
    if sign.end == units[-1].start:
        # a hyphen, as in "6-seater"
        return False
    return all(len(unit.text) > 1 and not unit.text.startswith("_") for unit in units)


def _trimmed(tokens: list[Token]) -> list[Token]:
    """Drop what cannot begin an expression, and `of` where nothing can be taken a part of."""
    kept: list[Token] = []
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


def _unary(tokens: list[Token]) -> bool:
    """Tell whether a leading minus touches its number, as in `-3 + 5`."""
    return len(tokens) > 1 and tokens[0].text in "-−–" and tokens[0].end == tokens[1].start


def _begins_line(token: Token, tokens: list[Token]) -> bool:
    """Tell whether nothing stands before a token in its line: a list's bullet."""
    place = tokens.index(token)
    return place == 0 or tokens[place - 1].text == "\n"


def _is_part(tokens: list[Token]) -> bool:
    """Tell whether the tokens end in a percentage or a fraction."""
    if not tokens:
        return False
    if tokens[-1].kind in ("percent", "close"):
        return True
    if tokens[-1].kind != "number":
        return False
    return "/" in digits_of(tokens[-1].text) or (len(tokens) > 2 and tokens[-2].text in "/÷")


def _right_side(tokens: list[Token], place: int) -> list[Token]:
    """Return the expression after the sign, units left out: up to other words, an end or the next equals
    sign; empty where it holds an unknown."""
    kept: list[Token] = []
    ahead = tokens[place + 1 : place + 1 + _MAX_TOKENS]
    at = 0
    while at < len(ahead) and ahead[at].kind not in ("end", "equals"):
        token = ahead[at]
        if token.kind == "word":
            if token.text.lower() in ("x", "times") and kept and kept[-1].kind in ("number", "close"):
                if token.text == "x" and ahead[at + 1 : at + 2] and ahead[at + 1].kind == "sign":
                    return []
                kept.append(token)
            else:
                after = _after_units(ahead, at, kept)
                if after == 0:
                    break
                at = after - 1
        elif token.kind == "sign" and token.text[0].isalpha():
            # "= 360 divided by 5 is …": the sentence goes on
            break
        elif token.kind != "money":
            kept.append(token)
        at += 1
    following = ahead[at] if at < len(ahead) else None
    if following is not None and following.kind == "word" and _is_torn_off(kept, ahead, at):
        return []
    if kept and kept[-1].text in ("x", "*", "/", "×", "÷", "·", "^"):
        return []
    while kept and kept[-1].kind in ("sign", "open", "word"):
        kept.pop()
    while (
        kept and kept[-1].kind == "close" and sum((t.kind == "open") - (t.kind == "close") for t in kept) < 0
    ):
        kept.pop()
    return kept


def _after_units(ahead: list[Token], at: int, kept: list[Token]) -> int:
    """Return where a sign with an operand follows the one or two units that begin at `at`; else 0."""
    if not kept or kept[-1].kind not in ("number", "close", "percent"):
        return 0
    end = at
    while end < len(ahead) and ahead[end].kind == "word" and not is_unknown(ahead[end]):
        end += 1
    operand = [token for token in ahead[end + 1 : end + 3] if token.kind != "money"][:1]
    if not 0 < end - at <= 2 or end >= len(ahead) or not operand:
        return 0
    if ahead[end].kind == "close":
        return end if sum((t.kind == "open") - (t.kind == "close") for t in kept) > 0 else 0
    return end if ahead[end].kind == "sign" and operand[0].kind in ("number", "open") else 0


def _is_torn_off(kept: list[Token], ahead: list[Token], at: int) -> bool:
    """Tell whether the word where the right side ends makes it something else: `2x`, `5 pm`, `3 hours 15`."""
    word, last = ahead[at], kept[-1] if kept else None
    if last is None or last.kind not in ("number", "close"):
        return False
    if is_unknown(word) and (word.text in CLOCK or word.start == last.end):
        return True
    return _goes_on(word, ahead[at + 1 :])


def _goes_on(word: Token, rest: list[Token]) -> bool:
    """Tell whether a number, a word and more make one number: `3 hours 15 minutes`, `1 and 1/4`."""
    if word.text == "and":
        return len(rest) > 1 and rest[0].kind == "number" and rest[1].text == "/" and (
            rest[0].end == rest[1].start
        )  # fmt: skip
    rest = rest[1:] if rest and rest[0].text == "and" else rest
    return bool(MEASURES.fullmatch(word.text) and rest and rest[0].kind == "number")


def _value(tokens: list[Token]) -> tuple[Fraction, int]:
    """Return (value, number of operations); _NoExpression when the tokens are none."""
    reader = _Reader(tokens)
    value = reader.sum()
    if reader.at != len(tokens):
        raise _NoExpression
    return value, reader.operations


class _Reader:
    """Recursive descent over the tokens of one side."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens_of = tokens
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
            other = self._share() if sign == "/" else self._power()
            value = value * other if sign == "*" else value / other
        return _bounded(value)

    def _share(self) -> Fraction:
        """Return a divisor; in `7 / 1/2` the closer slash is a fraction."""
        before, rest = self.tokens_of[self.at - 1], self.tokens_of[self.at : self.at + 3]
        value = self._power()
        if (
            len(rest) == 3
            and rest[1].text == "/"
            and rest[0].end == rest[1].start
            and rest[0].kind == "number"
        ):
            tight = rest[1].end == rest[2].start and rest[2].kind == "number"
            if tight and before.end < rest[0].start and before.text in "/÷":
                self._step()
                value /= self._power()
        return value

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
            if re.match(r"0\d", token.text):
                # 0900: a time, no number
                raise _NoExpression
            value = sum((Fraction(part) for part in digits_of(token.text).split()), Fraction(0))
        else:
            raise _NoExpression
        if self.at < len(self.tokens_of) and self.tokens_of[self.at].kind == "percent":
            self.at += 1
            value /= 100
        return value

    def _sign(self) -> str:
        if self.at >= len(self.tokens_of):
            return ""
        token = self.tokens_of[self.at]
        if token.kind == "sign":
            return SIGNS.get(token.text, token.text)
        return "*" if token.kind in ("word", "open") else ""

    def _step(self) -> None:
        self.operations += 1
        if self.tokens_of[self.at].kind != "open":
            self.at += 1

    def _take(self) -> Token:
        if self.at >= len(self.tokens_of):
            raise _NoExpression
        self.at += 1
        return self.tokens_of[self.at - 1]


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise _NoExpression
    return value
