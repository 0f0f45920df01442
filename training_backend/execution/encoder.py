"""An answer as bounded, tagged data, by exact type; no method of a program's own class is called."""

from __future__ import annotations

import datetime
import decimal
import fractions
import sys
from typing import Any

from training_backend.execution.output import safe

MAX_DEPTH = 5
MAX_ITEMS = 200
MAX_NODES = 2000
MAX_TEXT = 16 * 1024
MAX_MESSAGE = 1000
# below Python's own limit for turning integers into text, whatever a program set it to
MAX_INT_BITS = 13_000
_MAX_SYMPY_NODES = 500

# found by identity: a program's metaclass may answer what it likes when classes are compared
_CONTAINERS = {id(list): "list", id(tuple): "tuple", id(set): "set", id(frozenset): "set", id(dict): "dict"}
_DATES = (datetime.date, datetime.datetime, datetime.time)


class Encoder:
    """Encodes one answer; counts the nodes it wrote."""

    def __init__(self) -> None:
        """Remember the library classes that are loaded now, before a program can pretend to be one."""
        self._nodes = 0
        numpy, sympy = sys.modules.get("numpy"), sys.modules.get("sympy")
        self._generic: Any = getattr(numpy, "generic", None)
        self._ndarray: Any = getattr(numpy, "ndarray", None)
        self._basic: Any = getattr(sympy, "Basic", None)
        self._sympy_matrices: tuple[Any, ...] = tuple(
            filter(None, (getattr(sympy, "Matrix", None), getattr(sympy, "ImmutableMatrix", None)))
        )

    def encode(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """Return `{"k": kind, "v": text, "n": length, "items": […], "x": number}`, parts as they apply."""
        self._nodes += 1
        kind = type(value)
        if id(kind) in _CONTAINERS:
            return self._container(value, kind, depth)
        plain = self._plain(value, kind)
        if plain is not None:
            return plain
        try:
            library = self._library(value, kind, depth)
        except Exception:
            library = None
        return library or {"k": "other", "v": type_name(kind)}

    def _container(self, value: Any, kind: type, depth: int) -> dict[str, Any]:
        items: list[dict[str, Any]] = []
        if depth < MAX_DEPTH:
            for item in value.values() if kind is dict else value:
                if len(items) >= MAX_ITEMS or self._nodes >= MAX_NODES:
                    break
                items.append(self.encode(item, depth + 1))
        return {"k": _CONTAINERS[id(kind)], "n": len(value), "items": items}

    def _plain(self, value: Any, kind: type) -> dict[str, Any] | None:
        """Encode what the interpreter itself brings; None for everything else."""
        if kind is bool:
            return {"k": "bool", "v": "True" if value else "False"}
        if kind is int:
            return {"k": "int", "v": int_text(value)}
        if kind is float:
            return {"k": "float", "v": repr(value)}
        if kind is str:
            return {"k": "str", "v": safe(value[:MAX_TEXT]), "n": len(value)}
        if value is None:
            return {"k": "none", "v": "None"}
        if kind is complex:
            return {"k": "complex", "v": repr(value)}
        if kind is fractions.Fraction:
            return _fraction(value)
        if kind is decimal.Decimal:
            text = str(value)
            return {"k": "decimal", "v": text if len(text) <= MAX_TEXT else "Decimal"}
        if any(kind is date for date in _DATES):
            return {"k": "date", "v": value.isoformat()}
        if kind is datetime.timedelta:
            return {"k": "duration", "v": str(value)}
        if kind is bytes:
            return {"k": "bytes", "v": repr(value[:1000]), "n": len(value)}
        if kind is range:
            return {"k": "range", "v": repr(value)[:200]}
        return None

    def _library(self, value: Any, kind: type, depth: int) -> dict[str, Any] | None:
        """Encode numpy scalars and arrays and SymPy numbers and expressions."""
        if not is_library(kind, ("numpy", "sympy")):
            return None
        if self._generic is not None and self._generic in kind.__mro__:
            item = value.item()
            inner = self.encode(item, depth) if not self._is_numpy(type(item)) else None
            return {**inner, "dtype": str(value.dtype)[:40]} if inner else None
        if kind is self._ndarray:
            return self._array(value, depth)
        if self._basic is not None and (self._basic in kind.__mro__ or kind in self._sympy_matrices):
            return self._sympy(value)
        return None

    def _array(self, value: Any, depth: int) -> dict[str, Any]:
        flat = value.reshape(-1)[:MAX_ITEMS].tolist()
        items = [self.encode(item, depth + 1) for item in flat] if value.dtype.kind != "O" else []
        return {"k": "ndarray", "n": int(value.size), "items": items, "v": str(value.shape)[:80]}

    def _sympy(self, value: Any) -> dict[str, Any]:
        encoded: dict[str, Any] = {"k": "sympy", "v": sympy_text(value)}
        if getattr(value, "is_number", False) is True and encoded["v"]:
            number = value.evalf(30)
            real, imaginary = number.as_real_imag()
            if abs(imaginary) < 1e-12:
                encoded["x"] = repr(float(real))
        elif str(value) in ("True", "False"):
            return {"k": "bool", "v": str(value)}
        return encoded

    def _is_numpy(self, kind: type) -> bool:
        return self._generic is not None and self._generic in kind.__mro__


def sympy_text(value: Any) -> str:
    """Return SymPy's text of an expression that is small enough to print, else its type's name."""
    for count, node in enumerate(_walk(value)):
        if count > _MAX_SYMPY_NODES or (hasattr(node, "p") and abs(getattr(node, "p", 0)) >> MAX_INT_BITS):
            return type_name(type(value))
    return safe(str(value)[:MAX_TEXT])


def _walk(value: Any) -> Any:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(getattr(node, "args", ()))


def int_text(value: int) -> str:
    """Return the digits of an integer, or its size when it is very large."""
    bits = value.bit_length()
    if bits > MAX_INT_BITS:
        return f"an integer of about {int(bits * 0.30103):,} digits"
    try:
        return str(value)
    except ValueError:
        return f"an integer of {bits} bits"


def _fraction(value: fractions.Fraction) -> dict[str, Any]:
    top, bottom = value._numerator, value._denominator  # type: ignore[attr-defined]
    if type(top) is not int or type(bottom) is not int:
        return {"k": "other", "v": "Fraction"}
    return {"k": "fraction", "v": int_text(top) + "/" + int_text(bottom)}


def is_library(kind: type, packages: tuple[str, ...]) -> bool:
    """Tell whether `kind` really is the class of that name in a loaded module of these packages."""
    module = type.__dict__["__module__"].__get__(kind)
    if type(module) is not str or module.partition(".")[0] not in packages:
        return False
    return getattr(sys.modules.get(module), type_name(kind), None) is kind


def message_of(error: BaseException) -> str:
    """Return the text of an exception; one whose own text fails has none."""
    try:
        text = str(error)
        return safe(text[:MAX_MESSAGE]) if type(text) is str else ""
    except BaseException:
        return ""


def type_name(kind: type) -> str:
    """Return the name of a class without asking its metaclass."""
    name = type.__dict__["__name__"].__get__(kind)
    return safe(str(name)[:100])
