"""When two rationales are the same: programs and equations up to names and spacing, words up to case."""

from __future__ import annotations

import ast
import builtins
import hashlib
import re
import warnings
from collections.abc import Iterable

MAX_CHARS = 50_000
_WORD = re.compile(r"\w+(?:[.,]\d+)*|[^\w\s]")
_NAME = re.compile(r"[^\W\d]\w*")
_KEPT = frozenset(dir(builtins))
_COMMENT = re.compile(r"#[^\n]*")
_NUMBER = re.compile(r"(?<![\w.])\.?\d[\w.]*")


def normal_form(kind: str, text: str) -> str:
    """Return what is equal for rationales of one kind that are the same: 16 characters; empty for no text.

    Programs (`pot`) are compared as syntax trees whose own names are numbered in order; what does not parse,
    equations (`eot`) and chains of thought as their words and signs, equations with their names numbered.
    """
    if not text.strip():
        return ""
    if kind == "pot" and len(text) <= MAX_CHARS and (tree := _parsed(text)) is not None:
        form = ast.dump(_Renamer(_imported(tree)).visit(tree))
    elif kind == "eot":
        form = _equations(text)
    else:
        form = " ".join(_WORD.findall(text.casefold()))
    return hashlib.blake2b(form.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def rough_form(kind: str, text: str) -> str:
    """Return something cheap that is equal wherever `normal_form` is: different ones need no closer look.

    For programs the numbers in their order; empty (nothing is known) for those with strings: docstrings.
    """
    if kind != "pot" or "'" in text or '"' in text:
        return ""
    return " ".join(_NUMBER.findall(_COMMENT.sub("", text))).replace("_", "")


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.AST) -> frozenset[str]:
    return frozenset(
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    )


class _Renamer(ast.NodeTransformer):
    """Numbers the program's own names in the order in which they come; strings that nobody reads go."""

    def __init__(self, imported: Iterable[str]) -> None:
        self._kept = _KEPT | frozenset(imported)
        self._names: dict[str, str] = {}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._name(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._name(node.arg), None
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg is not None and node.arg in self._names:
            node.arg = self._names[node.arg]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns = self._name(node.name), None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        # a docstring is a comment
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def _name(self, name: str) -> str:
        return name if name in self._kept else self._names.setdefault(name, f"v{len(self._names)}")


def _equations(text: str) -> str:
    lines = [line.split("%", 1)[0].split("#", 1)[0] for line in text.splitlines()]
    names: dict[str, str] = {}
    kept = [
        _NAME.sub(lambda match: names.setdefault(match.group(), f"v{len(names)}"), "".join(line.split()))
        for line in lines
    ]
    return "\n".join(line for line in kept if line)
