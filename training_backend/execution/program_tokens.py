"""A program's text cut into tokens and logical lines, by a scanner in linear time that never fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)|(?P<join>\\\r?\n)|(?P<newline>\r?\n)|(?P<space>[ \t\f\r\u00a0]+)"
    r"|(?P<string>(?i:[rbuf]{0,2})(?:'''|\"\"\"|'|\"))"
    r"|(?P<number>(?:0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*)(?:\.[\d_]*)?(?:[eE][-+]?\d+)?|\.\d[\d_]*(?:[eE][-+]?\d+)?)[jJ]?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<op>\*\*=|//=|>>=|<<=|:=|==|!=|<=|>=|->|[-+*/%@&|^]=|\*\*|//|.)"
)


@dataclass(frozen=True)
class Token:
    """One token: kind `name`, `number`, `op` or `string`; `line` from 1, columns from 0."""

    kind: str
    text: str
    line: int
    start: int
    end: int
    depth: int


def logical_lines(source: str) -> Iterator[tuple[list[Token], str]]:
    """Yield the tokens and the comment of each logical line."""
    kept: list[Token] = []
    line, line_start, place, depth = 1, 0, 0, 0
    comment = ""
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            place += 1
            continue
        kind, text, end = str(match.lastgroup), match.group(), match.end()
        if kind == "string":
            end = _string_end(source, end, text.lstrip("rRbBuUfF"))
            text = source[place:end]
        if kind == "comment":
            comment = text
        elif kind == "newline" and depth == 0:
            if kept:
                yield kept, comment
                kept, comment = [], ""
        elif kind not in ("newline", "space", "join"):
            depth = max(0, depth - 1) if text in (")", "]", "}") and kind == "op" else depth
            kept.append(Token(kind, text, line, place - line_start, end - line_start, depth))
            depth += text in ("(", "[", "{") and kind == "op"
        if breaks := text.count("\n"):
            line += breaks
            line_start = source.rfind("\n", 0, end) + 1
        place = end
    if kept:
        yield kept, comment


def _string_end(source: str, place: int, quote: str) -> int:
    """Return where a string ends: at its quote, or, where it has none, at the end of the line or text."""
    while place < len(source):
        here = source[place]
        if here == "\\":
            place += 2
        elif source.startswith(quote, place):
            return place + len(quote)
        elif here == "\n" and len(quote) == 1:
            return place
        else:
            place += 1
    return len(source)
