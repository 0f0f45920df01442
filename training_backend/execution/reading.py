"""From an encoded answer to a number, by stated rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from training_backend.execution.frames import Value
from training_backend.rationale.answers import numbers_in, parse_number

_MAX_TEXT = 2000
_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "dict": ("{", "}"),
    "ndarray": ("[", "]"),
}
_PLAIN = frozenset({"int", "float", "fraction", "decimal"})


@dataclass(frozen=True)
class ReadValue:
    """The answer as text and, where a rule finds one, as a number; else `reason` says why not."""

    text: str
    value: float | None
    rule: str = ""
    reason: str = ""


def read_value(value: Value) -> ReadValue:
    """Read a number from an encoded value.

    Numbers of Python, fractions, decimals, NumPy and SymPy count as they are; True and False as 1 and 0;
    text counts when it is a number or holds exactly one; a container when it has exactly one element; a
    complex number when its imaginary part is 0. NaN and infinity are no answers.
    """
    text = show(value)[:_MAX_TEXT]
    number, rule, reason = _number(value)
    if number is not None and not math.isfinite(number):
        number, reason = None, f"the answer is {value.v or value.x}, not a finite number"
    return ReadValue(text, number, rule if number is not None else "", reason if number is None else "")


def _number(value: Value) -> tuple[float | None, str, str]:
    """Return (number, rule, reason)."""
    kind = value.k
    if kind in _PLAIN:
        number = _plain_number(value)
        rule = (value.dtype and f"a number of NumPy ({value.dtype})") or f"a number ({kind})"
        return number, rule, "" if number is not None else "the number is too large to compare"
    if kind == "bool":
        return (1.0 if value.v == "True" else 0.0), "a truth value counts as 1 or 0", ""
    if kind == "sympy":
        number = _float(value.x)
        return (
            number,
            "a number of SymPy",
            "" if number is not None else "the expression has no number as its value",
        )
    if kind == "str":
        return _from_text(value)
    if kind == "complex":
        return _from_complex(value)
    if kind in _BRACKETS:
        if value.n == 1 and len(value.items) == 1:
            number, rule, reason = _number(value.items[0])
            return number, f"the only element of a {kind}: {rule}", reason
        return None, "", f"the answer is a {kind} with {value.n} elements, not a number"
    return None, "", f"the answer is of type {value.v if kind == 'other' else kind}, not a number"


def _plain_number(value: Value) -> float | None:
    try:
        number = float(Fraction(value.v)) if value.k == "fraction" else float(value.v)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    # digits beyond what a float can hold are read as infinity
    return None if math.isinf(number) and value.v.lstrip("-").isdigit() else number


def _float(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _from_text(value: Value) -> tuple[float | None, str, str]:
    number = parse_number(value.v)
    if number is not None:
        return number, "text that is a number", ""
    found = numbers_in(value.v)
    if len(found) == 1:
        return found[0][2], "the only number in the text", ""
    return None, "", f"the answer is text with {len(found) or 'no'} number{'s' if len(found) != 1 else ''}"


def _from_complex(value: Value) -> tuple[float | None, str, str]:
    try:
        number = complex(value.v)
    except ValueError:
        return None, "", "the answer is a complex number"
    if number.imag == 0:
        return number.real, "a complex number without imaginary part", ""
    return None, "", "the answer is a complex number"


def show(value: Value) -> str:
    """Return an encoded value as a short text, near to how Python prints it."""
    if value.k not in _BRACKETS:
        return value.v
    left, right = _BRACKETS[value.k]
    inner = ", ".join(show(item) for item in value.items[:20])
    more = ", …" if value.n > min(20, len(value.items)) else ""
    return f"{left}{inner}{more}{right}"
