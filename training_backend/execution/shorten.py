"""A value as a short text for the eye. Nothing that a program defined is called."""

from __future__ import annotations

import types
from typing import Any

from training_backend.execution.encoder import Encoder, is_library, sympy_text, type_name
from training_backend.execution.output import safe

MAX_TEXT = 400
_MAX_ITEMS = 30
_MAX_BITS = 1200
_DEPTH = 2
# classes are found by identity: comparing them could ask a program's metaclass
_BRACKETS = {
    id(list): ("[", "]"),
    id(tuple): ("(", ")"),
    id(set): ("{", "}"),
    id(frozenset): ("{", "}"),
    id(dict): ("{", "}"),
}
_UNCHANGING = frozenset(map(id, (int, float, bool, str, type(None), complex, bytes, range)))
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def unchanging(kind: type) -> bool:
    """Tell whether an unchanged object of this class is an unchanged value."""
    return id(kind) in _UNCHANGING


def short(value: Any, depth: int = _DEPTH) -> str:
    """Return at most about 400 characters that show `value`."""
    kind = type(value)
    if kind is int:
        return str(value) if value.bit_length() <= _MAX_BITS else _big(value)
    if kind is str:
        text = repr(value[:MAX_TEXT])
        return safe(text if len(value) <= MAX_TEXT else text + "…")
    if kind is float or kind is bool or value is None or kind is complex:
        return repr(value)
    if id(kind) in _BRACKETS:
        return _container(value, kind, depth)
    return _other(value, kind, depth)[:MAX_TEXT]


def _big(value: int) -> str:
    return f"an integer of about {int(value.bit_length() * 0.30103):,} digits"


def _container(value: Any, kind: type, depth: int) -> str:
    left, right = _BRACKETS[id(kind)]
    if not value:
        return f"{kind.__name__}()" if kind is set or kind is frozenset else left + right
    if depth == 0:
        return f"{left}…{right}"
    parts: list[str] = []
    size = 0
    for item in value.items() if kind is dict else value:
        if len(parts) >= _MAX_ITEMS or size > MAX_TEXT:
            parts.append("…")
            break
        if kind is dict:
            text = f"{short(item[0], depth - 1)}: {short(item[1], depth - 1)}"
        else:
            text = short(item, depth - 1)
        parts.append(text)
        size += len(text)
    inner = ", ".join(parts) + ("," if kind is tuple and len(value) == 1 else "")
    shown = (left + inner + right) if len(inner) <= MAX_TEXT else left + inner[:MAX_TEXT] + "…" + right
    return f"frozenset({shown})" if kind is frozenset else shown


def _other(value: Any, kind: type, depth: int) -> str:
    if any(kind is function for function in _FUNCTIONS):
        return f"function {safe(str(getattr(value, '__name__', '')))[:80]}"
    if kind is type:
        return f"class {type_name(value)}"
    encoded: dict[str, Any] = Encoder().encode(value) if is_library(kind, _LIBRARIES) else {"k": "other"}
    if encoded["k"] == "ndarray":
        return "array(" + ", ".join(item.get("v", "…") for item in encoded["items"][:_MAX_ITEMS]) + ")"
    if encoded["k"] not in ("other", "list"):
        return str(encoded.get("v", ""))
    if is_library(kind, ("sympy",)):
        return sympy_text(value)
    return _object(value, kind, depth)


_LIBRARIES = ("numpy", "sympy", "fractions", "decimal", "datetime", "builtins")


def _object(value: Any, kind: type, depth: int) -> str:
    """Show an object of a program's own class by its class and, once, its attributes."""
    name = type_name(kind)
    attributes = _attributes(value, kind) if depth > 0 else None
    if not attributes:
        return f"{name} object"
    parts = []
    for key, item in list(attributes.items())[:_MAX_ITEMS]:
        if type(key) is str:
            parts.append(f"{safe(key[:60])}={short(item, min(depth - 1, 1))}")
    return f"{name}({', '.join(parts)})"


def _attributes(value: Any, kind: type) -> dict[Any, Any] | None:
    """Return the `__dict__` of an object as the interpreter keeps it, never as a program redefined it."""
    for base in type.__dict__["__mro__"].__get__(kind):
        found = type.__dict__["__dict__"].__get__(base).get("__dict__")
        if found is not None:
            if type(found) is not types.GetSetDescriptorType:
                return None
            attributes = found.__get__(value)
            return attributes if type(attributes) is dict else None
    return None
