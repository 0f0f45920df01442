"""What the text of a program may not hold: a label for people and a second line, not the boundary.

The boundary is the kernel's (`lockdown.py`): text that runs other text (`sympify`, format strings, `eval`)
passes any reading of the program. The policy names what is wrong in a sentence with its line, and ends
before running.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

# standard library and the three libraries that recorded programs use
ALLOWED_IMPORTS = frozenset({
    "__future__", "abc", "array", "bisect", "calendar", "cmath", "collections", "contextlib", "copy",
    "dataclasses", "datetime", "dateutil", "decimal", "enum", "fractions", "functools", "heapq",
    "itertools", "json", "locale", "math", "mpmath", "numbers", "numpy", "operator", "pprint", "random",
    "re", "secrets", "statistics", "string", "sympy", "sys", "textwrap", "time", "timeit", "typing",
    "typing_extensions", "unicodedata", "warnings", "zoneinfo", "__main__",
})  # fmt: skip
_FORBIDDEN_NAMES = frozenset({"open", "exec", "compile", "breakpoint", "__import__", "__builtins__",
                              "__loader__", "__spec__"})  # fmt: skip
_ALLOWED_SYS = frozenset({
    "argv", "stdin", "stdout", "stderr", "maxsize", "float_info", "int_info", "hash_info", "version",
    "version_info", "exit", "byteorder", "setrecursionlimit", "getrecursionlimit",
    "set_int_max_str_digits", "get_int_max_str_digits", "getsizeof", "platform", "float_repr_style",
    "getrefcount", "intern", "maxunicode", "implementation",
})  # fmt: skip
_ALLOWED_DUNDERS = frozenset({
    "__abs__", "__add__", "__all__", "__and__", "__annotations__", "__bool__", "__call__", "__ceil__",
    "__complex__", "__contains__", "__delitem__", "__div__", "__divmod__", "__doc__", "__enter__",
    "__eq__", "__exit__", "__file__", "__float__", "__floor__", "__floordiv__", "__format__", "__ge__",
    "__getitem__", "__gt__", "__hash__", "__iadd__", "__imul__", "__index__", "__init__", "__int__",
    "__invert__", "__isub__", "__iter__", "__le__", "__len__", "__lshift__", "__lt__", "__main__",
    "__matmul__", "__missing__", "__mod__", "__mul__", "__name__", "__ne__", "__neg__", "__new__",
    "__next__", "__or__", "__pos__", "__post_init__", "__pow__", "__qualname__", "__radd__", "__repr__",
    "__reversed__", "__rmul__", "__round__", "__rshift__", "__rsub__", "__rtruediv__", "__rfloordiv__",
    "__rmod__", "__rpow__", "__setitem__", "__slots__", "__str__", "__sub__", "__truediv__", "__trunc__",
    "__version__", "__xor__", "__wrapped__", "__match_args__",
})  # fmt: skip
# frames, code objects, generators, tracebacks: the ways from a value to the machinery behind it
_INTROSPECTION = frozenset({
    "tb_frame", "tb_next", "f_back", "f_builtins", "f_code", "f_globals", "f_locals", "f_trace",
    "co_code", "co_consts", "co_names", "gi_frame", "gi_code", "gi_yieldfrom", "cr_await", "cr_frame",
    "cr_code", "cr_origin", "ag_frame", "ag_await", "ag_code", "func_globals", "func_code", "im_func",
    "im_self", "im_class", "mro",
})  # fmt: skip
_HIDDEN_MODULES = frozenset({
    "os", "sys", "subprocess", "socket", "ctypes", "ctypeslib", "importlib", "builtins", "posix", "pty",
    "signal", "shutil", "pathlib", "io", "inspect", "gc", "threading", "multiprocessing", "asyncio",
    "pickle", "marshal", "code", "codecs", "runpy", "f2py", "distutils", "testing",
})  # fmt: skip

# A text without any of this needs no walk over its tree. ASCII only, because Python folds other letters.
_SUSPICIOUS = re.compile(
    r"__|\bsys\b|\bopen\b|\bexec\b|\bcompile\b|\bbreakpoint\b|\b(?:tb|f|co|gi|cr|ag|func|im)_\w+|\bmro\b|\._"
    r"|\.(?:" + "|".join(sorted(_HIDDEN_MODULES)) + r")\b|[;\\]"
)
_IMPORT_LINE = re.compile(r"^[ \t]*(?:from|import)\b.*$", re.MULTILINE)
_WORD = re.compile(r"\w+")
_IMPORT_WORD = re.compile(r"\bimport\b")
_SIMPLE_IMPORT = re.compile(
    r"[ \t]*(?:import[ \t]+([\w]+)(?:[ \t]+as[ \t]+\w+)?"
    r"|from[ \t]+(\w+)[ \t]+import[ \t]+(?:\*|\w+(?:[ \t]*,[ \t]*\w+)*))[ \t]*(?:#.*)?"
)


@dataclass(frozen=True)
class Refusal:
    """Why a program is not run, and the 1-based line that shows it."""

    reason: str
    line: int


def check(source: str) -> Refusal | None:
    """Return the first thing of `source` that is refused, or None. SyntaxError when it is no Python."""
    if _looks_harmless(source):
        return None
    try:
        tree = ast.parse(source)
    except ValueError as error:
        raise SyntaxError(str(error)) from None
    found = [refusal for node in ast.walk(tree) if (refusal := _refused(node))]
    return min(found, key=lambda refusal: refusal.line, default=None)


def _looks_harmless(source: str) -> bool:
    """Tell by the text alone that the walk would find nothing; most programs are told here."""
    if not source.isascii() or _SUSPICIOUS.search(source):
        return False
    lines = _IMPORT_LINE.findall(source)
    if len(_IMPORT_WORD.findall(source)) != sum("import" in _WORD.findall(line) for line in lines):
        # an import that does not begin its line
        return False
    for match in _IMPORT_LINE.finditer(source):
        simple = _SIMPLE_IMPORT.fullmatch(match.group())
        if not simple or (simple.group(1) or simple.group(2)) not in ALLOWED_IMPORTS - {"sys", "__main__"}:
            return False
        if not _HIDDEN_MODULES.isdisjoint(_WORD.findall(match.group())):
            return False
    return True


def _refused(node: ast.AST) -> Refusal | None:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Import):
        for alias in node.names:
            if reason := _bad_import(alias.name):
                return Refusal(reason, line)
    elif isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names]
        if reason := _bad_import_from("." if node.level else node.module or "", names):
            return Refusal(reason, line)
    elif isinstance(node, ast.Attribute):
        if reason := _bad_attribute(node):
            return Refusal(reason, line)
    elif isinstance(node, ast.Name) and node.id in _FORBIDDEN_NAMES:
        return Refusal(f"uses {node.id}", line)
    return None


def _bad_import(module: str) -> str:
    top, *rest = module.split(".")
    if top not in ALLOWED_IMPORTS:
        return f"imports {top}, which is none of the libraries a program may use"
    hidden = _HIDDEN_MODULES.intersection(rest)
    return f"imports {module}" if hidden else ""


def _bad_import_from(module: str, names: list[str]) -> str:
    if reason := _bad_import(module):
        return reason
    for name in names:
        if (
            name in _HIDDEN_MODULES
            or name in _FORBIDDEN_NAMES
            or (module == "sys" and name not in _ALLOWED_SYS)
        ):
            return f"imports {name} from {module}"
        if name.startswith("_") and module != "__future__":
            return f"imports the private name {name} from {module}"
    return ""


def _bad_attribute(node: ast.Attribute) -> str:
    name = node.attr
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if name in _INTROSPECTION:
        return f"looks into the interpreter with .{name}"
    if name.startswith("__") and name.endswith("__"):
        return "" if name in _ALLOWED_DUNDERS else f"uses the special name {name}"
    if owner == "sys" and name not in _ALLOWED_SYS:
        return f"uses sys.{name}"
    if owner != "self" and name in _HIDDEN_MODULES and owner in ALLOWED_IMPORTS | {"np"}:
        return f"reaches for {owner}.{name}"
    if name.startswith("_") and owner in ALLOWED_IMPORTS | {"np"}:
        return f"uses the private name {owner}.{name}"
    return ""
