"""Key points: the core question and the problem-solving information, as data and as a student's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ITEM = re.compile(r"\s*(?:[-*•]\s+|\(?\d{1,3}[.)]\s+)?(.*\S)\s*$")
_TOUCHING = re.compile(r"^\s*[-*•](?=\S)")
_TOUCHING_WORD = re.compile(r"^\s*[-*•](?=[^\W\d])")
# the space behind one number may be the space before the next: "packs of 13. 2. Mom buys"
_NUMBERED = re.compile(r"(?:^|\s)(\d{1,3})\.(?=\s)")


@dataclass(frozen=True)
class KeyPoints:
    """What a question asks (`core_question`, one sentence) and the facts it needs (`information`)."""

    core_question: str
    information: tuple[str, ...]

    def is_empty(self) -> bool:
        """Tell whether there is neither a core question nor an item."""
        return not self.core_question and not self.information


def split_items(text: str) -> tuple[str, ...]:
    """Return the items of a list written one per line with any usual bullet or number in front."""
    lines = [line for line in text.splitlines() if line.strip()]
    # "-The bus" holds a bullet, "-5 degrees" a number, unless all lines touch their bullets
    every = all(map(_TOUCHING.match, lines)) and any(map(_TOUCHING_WORD.match, lines))
    bullet = _TOUCHING if every else _TOUCHING_WORD
    items = (_ITEM.match(bullet.sub("- ", line, count=1)) for line in lines)
    return tuple(match.group(1) for match in items if match)


def render(points: KeyPoints) -> str:
    """Return the student's text: `core question: … information: 1. … 2. …` (what `parse` reads back)."""
    core = _one_line(points.core_question)
    return " ".join(
        part for part in (f"core question: {core}", render_information(points.information)) if part
    )


def render_information(items: tuple[str, ...]) -> str:
    """Return `information: 1. … 2. …`, the second half of the student's text."""
    numbered = " ".join(f"{n}. {_one_line(item)}" for n, item in enumerate(items, 1))
    return f"information: {numbered}" if numbered else "information:"


def parse(text: str) -> KeyPoints | None:
    """Read key points from a student's text, or return None when the two labels are not there.

    Items are split only at the running numbers 1, 2, 3 …, so an item may itself hold "5. May".
    """
    match = re.match(r"\s*core question:(.*?)\binformation:(.*)\Z", text, re.DOTALL | re.IGNORECASE)
    if not match:
        return None
    return KeyPoints(match.group(1).strip(), parse_information(match.group(2)))


def parse_information(text: str) -> tuple[str, ...]:
    """Read the items of `1. … 2. …`; without any running number the whole text is one item."""
    text = re.sub(r"^\s*information:", "", text, flags=re.IGNORECASE)
    cuts: list[tuple[int, int]] = []
    for match in _NUMBERED.finditer(text):
        if int(match.group(1)) == len(cuts) + 1:
            cuts.append((match.start(), match.end()))
    if not cuts:
        return (text.strip(),) if text.strip() else ()
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    return tuple(text[end:stop].strip() for (_, end), stop in zip(cuts, ends, strict=True))


def _one_line(text: str) -> str:
    return " ".join(text.split())
