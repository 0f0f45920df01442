"""Exact arithmetic on equation trees: a tree as a sum of unknowns with fractions in front.

Most equations of word problems are linear; only what is not goes to SymPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from training_backend.rationale.equations import Binary, Call, Name, Negative, Number, Tree

_MAX_BITS = 4096


class NotLinear(Exception):
    """The tree is no sum of unknowns; SymPy may know more."""


@dataclass
class Linear:
    """`constant + Σ factor · unknown`; factors are never 0."""

    constant: Fraction = Fraction(0)
    factors: dict[str, Fraction] = field(default_factory=dict)

    def plus(self, other: Linear, times: Fraction = Fraction(1)) -> Linear:
        """Return `self + times · other`."""
        factors = dict(self.factors)
        for name, factor in other.factors.items():
            total = factors.get(name, Fraction(0)) + factor * times
            if total:
                factors[name] = total
            else:
                factors.pop(name, None)
        return Linear(_bounded(self.constant + other.constant * times), factors)

    def times(self, factor: Fraction) -> Linear:
        """Return the product with a number."""
        return Linear().plus(self, factor)


def linear(tree: Tree, known: Mapping[str, Fraction]) -> Linear:
    """Return `tree` with the known names filled in; NotLinear when it is no sum of unknowns.

    ZeroDivisionError at a division by zero.
    """
    if isinstance(tree, Number):
        return Linear(tree.value)
    if isinstance(tree, Name):
        if tree.name in known:
            return Linear(known[tree.name])
        return Linear(factors={tree.name: Fraction(1)})
    if isinstance(tree, Negative):
        return linear(tree.item, known).times(Fraction(-1))
    if isinstance(tree, Call):
        return Linear(_called(tree, [_constant(linear(item, known)) for item in tree.arguments]))
    return _binary(tree, linear(tree.left, known), linear(tree.right, known))


def _binary(tree: Binary, left: Linear, right: Linear) -> Linear:
    if tree.sign in "+-":
        return left.plus(right, Fraction(1 if tree.sign == "+" else -1))
    if tree.sign == "*":
        if not left.factors:
            return right.times(left.constant)
        return left.times(_constant(right))
    if tree.sign == "/":
        return left.times(1 / _constant(right))
    if tree.sign == "//":
        return Linear(Fraction(_constant(left) // _constant(right)))
    return Linear(_power(_constant(left), _constant(right)))


def _constant(value: Linear) -> Fraction:
    if value.factors:
        raise NotLinear
    return value.constant


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) * size > _MAX_BITS:
        raise NotLinear
    return Fraction(base ** int(exponent))


def _called(call: Call, values: list[Fraction]) -> Fraction:
    name, first = call.function, values[0]
    if name == "sqrt":
        return _root(first)
    if name == "abs":
        return abs(first)
    if name in ("ceil", "ceiling"):
        return Fraction(math.ceil(first))
    if name == "floor":
        return Fraction(math.floor(first))
    if name == "mod":
        return first % values[1]
    if name == "round":
        return rounded(first, values[1] if len(values) > 1 else Fraction(0))
    return min(values) if name == "min" else max(values)


def rounded(value: Fraction, places: Fraction) -> Fraction:
    """Return `value` rounded half away from zero, as people round."""
    if places.denominator != 1 or abs(places) > 50:
        raise NotLinear
    scale = Fraction(10) ** int(places)
    size = math.floor(abs(value) * scale + Fraction(1, 2)) / scale
    return -size if value < 0 else size


def _root(value: Fraction) -> Fraction:
    if value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    raise NotLinear


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 4 * _MAX_BITS:
        raise NotLinear
    return value
