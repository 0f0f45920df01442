"""The parts of a reply as texts: out of JSON, or out of text by its labels; what stands around them is cut.

Every step goes through the text line by line, so that a reply of any shape costs time in proportion.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training_backend.rationale.key_points import parse_information, split_items
from training_backend.teacher.reply_parts import Part

MAX_REPLY_CHARS = 50_000  # a long solution has 5,000; what a teacher thinks aloud is cut before
_MOST_OBJECTS = 50
PYTHON = ("python", "py", "python3")

_LABELS = {
    "core_question": ("core question", "main question", "key question"),
    "information": (
        "problem-solving information", "problem solving information", "information", "useful information",
        "key information", "relevant information", "given information", "known information", "key facts",
        "facts", "hints",
    ),
    "chain_of_thought": ("chain of thought", "solution", "reasoning", "rationale", "step-by-step solution"),
    "program": ("program", "python program", "python code", "python solution", "python", "code", "solution"),
    "equations": ("equations", "system of equations", "equation system", "equation", "solution"),
    "question": ("new question", "new problem", "rewritten question", "variation", "question", "problem"),
}  # fmt: skip


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", name.lower())).strip()


# what names a part, in JSON too
_NAMES = {key: frozenset(map(_plain, (key, *labels))) for key, labels in _LABELS.items()}
# a label that no part has ends the part before it
_OTHER = ("question", "problem", "answer", "final answer", "solution", "explanation", "note")
_CODE = ("program", "equations")
# a model that writes on begins its own example so
_TELLING = ("question", "problem")
_TOLD = re.compile(r"[*_ \t]*(?:question|problem)\b[*_]*[ \t]?\d{0,3}[*_]*:", re.IGNORECASE)
_THINKING = ("think", "thinking", "thought", "reasoning", "reflection")
_OPENED = re.compile(rf"<(?:{'|'.join(_THINKING)})>", re.IGNORECASE)
_CLOSED = re.compile(rf"</(?:{'|'.join(_THINKING)})>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|channel\|>final(?:<\|[a-z]+\|>)*", re.IGNORECASE)
_SPECIAL = re.compile(r"<\|[\w ]{1,30}\|>|<(?:/s|eos|end_of_turn)>|\[/?INST\]")
_FENCE = re.compile(r"[ \t>]*(?:```+|~~~+)[ \t]*([\w+-]*)[^`~]*$")
_BULLET = re.compile(r"^\s*(?:[-*•–]\s+|\(?\d{1,3}[.)]\s+)")
_OPENER = re.compile(
    r"(?:(?:sure|certainly|of course|okay|ok|great|absolutely|alright)\b[,!.:]"
    r"|(?:here (?:is|are)|here['’]s|below|the following)\b)[^\d=]*$",
    re.IGNORECASE,
)
_CLOSER = re.compile(
    r"(?:i hope|hope (?:this|that)|let me know|feel free|if you (?:need|have|want|would)|please let"
    r"|(?:do|would) you (?:want|need|like)|is there anything|note that (?:i|the)|these are (?:all )?the)\b",
    re.IGNORECASE,
)
_DECORATION = r"[#>*_`\-•\d.)( \t]*"


@dataclass(frozen=True)
class Line:
    """A line of a reply; inside code fences `block` counts these from 1, and `fence` is their language."""

    text: str
    block: int = 0
    fence: str = ""


def without_thinking(text: str) -> tuple[str, str]:
    """Return (what stands after a model's thinking, with plain line ends; problem)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\ufeff \n\t")
    if channel := list(_CHANNEL.finditer(text)):
        text = text[channel[-1].end() :]
    if closed := list(_CLOSED.finditer(text)):
        text = text[closed[-1].end() :]
    elif _OPENED.match(text.lstrip()):
        return "", "The reply ends inside its thinking: it was cut off."
    text = _SPECIAL.sub("", text).strip()
    return text, "" if text else "The reply is empty."


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines of a text without the fences around code."""
    block, inside, fence = 0, False, ""
    for line in text.split("\n"):
        if match := _FENCE.match(line):
            inside = not inside
            block, fence = block + inside, match.group(1).lower() if inside else ""
        else:
            yield Line(line, block if inside else 0, fence)


def json_parts(text: str, wanted: Sequence[Part]) -> dict[str, str] | str:
    """Return the parts that a JSON object in the text holds, by key; {} when there is none.

    A text that sets out to be such an object and is none gives a sentence instead.
    """
    best: dict[str, str] = {}
    for found in _objects(text):
        names = {_plain(str(name)): value for name, value in found.items()}
        read = {
            part.key: _text(names[name], part.is_list)
            for part in wanted
            for name in _NAMES[part.key]
            if name in names
        }
        if len(read) > len(best):
            best = read
    begins = text.lstrip("`~ \n").removeprefix("json").lstrip()
    if not best and begins.startswith("{") and any(f'"{part.key}"' in text for part in wanted):
        return "The reply is JSON that is not well formed or was cut off."
    return best


def labelled_parts(text: str, wanted: Sequence[Part]) -> list[dict[str, str]]:
    """Return the parts that stand behind their labels, by key, in whatever order.

    A reply to a prompt with one part needs no label, so there are two ways to read it, the likelier first.
    """
    found = dict(_sections(text, wanted))
    if len(wanted) > 1:
        if "core_question" in found and "information" not in found:
            found |= _inline(found["core_question"])
        return [found]
    key = wanted[0].key
    bare = _until_told(text, is_code=key in _CODE)
    label = _label_pattern(key).fullmatch(bare.strip())
    if label and not label.group(2).strip():
        return [{}]
    before = dict(_sections(bare, wanted))
    # a label behind a question of the model's own, or in the middle of a solution, begins no part
    if key in before and not (key == "chain_of_thought" and "=" in before[""]):
        return [before, {key: bare}]
    return [{key: bare}, found]


def paragraph_of(text: str) -> str:
    """Return a sentence or question on one line, without bullet, bold and quotation marks."""
    kept: list[str] = []
    for line in _without_chatter(text):
        if not line.strip() and kept:
            # a question may have a blank line before its last sentence
            if kept[-1].rstrip('*_"”').endswith("?"):
                break
            continue
        kept += [_BULLET.sub("", line, count=1).strip()] if line.strip() else []
    return _bare(" ".join(kept))


def items_of(text: str) -> tuple[str, ...]:
    """Return the items of a list: bulleted, numbered, one a line, numbered in one line, or as JSON."""
    if (listed := _literal_list(text)) is not None:
        return tuple(item for item in map(_bare, listed) if item)
    lines = _without_chatter(text)
    bulleted = [number for number, line in enumerate(lines) if _BULLET.match(line)]
    if bulleted:
        lines = _bulleted(lines, bulleted[0])
    lines = [line for number, line in enumerate(lines) if not _introduces(lines, number)]
    lines = [line for line in lines if line.strip()]
    numbered = parse_information(lines[0]) if len(lines) == 1 else ()
    found = numbered if len(numbered) > 1 else split_items("\n".join(lines))
    items = (_bare(item) for item in found)
    return tuple(item for item in items if item and item.lower().strip(".") not in ("none", "n/a"))


def chatter_cut(lines: Sequence[Line]) -> list[Line]:
    """Return lines without a model's opening and closing words."""
    first, last = 0, len(lines)
    while last and not lines[last - 1].text.strip():
        last -= 1
    for number in range(last - 1, max(last - 6, 0), -1):
        line = lines[number]
        if line.block or any(sign.isdigit() for sign in line.text):
            break
        if _CLOSER.match(line.text.strip()):
            last = number
    while first < last - 1 and (not lines[first].text.strip() or _opens(lines[first])):
        first += 1
    return list(lines[first:last])


def _opens(line: Line) -> bool:
    text = line.text.strip(" *_#")
    return not line.block and len(text) < 200 and text[-1:] in ":!." and bool(_OPENER.match(text))


def _without_chatter(text: str) -> list[str]:
    return [line.text for line in chatter_cut(list(lines_of(text)))]


def _sections(text: str, wanted: Sequence[Part]) -> list[tuple[str, str]]:
    """Cut a reply at its labels: (key of the part, its text); '' as the key of anything else.

    Inside code, a label is a comment of the program. The reply ends where, after a part, a question is told
    or a part is told again: a model has written on with an example of its own.
    """
    pattern = _label_pattern(*(part.key for part in wanted))
    sections: list[tuple[str, list[str]]] = [("", [])]
    filled: set[str] = set()
    fence, blank = "", True
    for line in text.split("\n"):
        if mark := _FENCE.match(line):
            fence = "" if fence else mark.group(1).lower() or "text"
        current = sections[-1][0]
        hidden = fence in PYTHON or (current in _CODE and (not blank or line.lstrip()[:1] == "#"))
        blank = not line.strip()
        match = None if hidden else pattern.match(line)
        label = _plain(match.group(1)) if match else ""
        key = _key_of(label, wanted)
        if key in filled and not _BULLET.match(line):
            break
        if label in _TELLING and not key and filled:
            break
        # a line of a chain of thought may say "Answer: 5" or "Note: …", an item "The core question is: …"
        thought = current == "chain_of_thought" and not key and label not in _TELLING
        if match is None or key in filled or thought:
            sections[-1][1].append(line)
        else:
            line = _after_label(match.group(2))
            sections.append((key, [line]))
        if sections[-1][0] and line.strip():
            filled.add(sections[-1][0])
    texts = [(key, "\n".join(lines)) for key, lines in sections]
    # of a part that stands there twice the first counts, where it holds something
    return [("", texts[0][1]), *((key, part) for key, part in reversed(texts) if key and part.strip())]


def _after_label(text: str) -> str:
    """Return what stands behind a label; its marks of bold may close behind the text."""
    text = text.strip().lstrip("*_").strip()
    return text.rstrip("*") if text.count("**") % 2 else text


@functools.cache
def _label_pattern(*keys: str) -> re.Pattern[str]:
    names = {name for key in keys for name in _LABELS[key]} | set(_OTHER)
    if len(keys) == 1 and keys[0] in _CODE:
        # in a bare program these words are names and comments
        names -= {"python", "code", "solution", "equation", "note", "explanation", "answer", "final answer"}
    for texts in _LABELS.values():
        names |= {text for text in texts if " " in text}
    listed = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(
        rf"{_DECORATION}(?:the )?({listed})(?:[ \t]*\([^()]{{0,60}}\))?"
        rf"(?:[ \t]+(?:is|are)(?=[ \t]*[:*]))?[*_`]*[ \t]*(?::|[-–—](?=[ \t])|$)(.*)$",
        re.IGNORECASE,
    )


def _key_of(label: str, wanted: Sequence[Part]) -> str:
    """Return the key of the part that a label in plain words names, or ''."""
    return next((part.key for part in wanted if label in _NAMES[part.key]), "") if label else ""


def _until_told(text: str, is_code: bool) -> str:
    """Return a reply as a whole, up to where a model tells another question."""
    kept: list[str] = []
    fence = False
    for line in text.split("\n"):
        fence ^= bool(_FENCE.match(line))
        blank = bool(kept) and not kept[-1].strip()
        if not fence and (blank or (kept and not is_code)) and _TOLD.match(line):
            break
        kept.append(line)
    return "\n".join(kept)


def _inline(text: str) -> dict[str, str]:
    """Split `…? Information: 1. … 2. …`, all in one line, into core question and information."""
    names = "|".join(sorted(map(re.escape, _LABELS["information"]), key=len, reverse=True))
    match = re.search(rf"(?:^|\s)[*_]*(?:{names})[*_]*\s?:", text, re.IGNORECASE)
    if match is None:
        return {}
    return {"core_question": text[: match.start()], "information": text[match.end() :]}


def _bulleted(lines: list[str], first: int) -> list[str]:
    """Return the lines of a bulleted list: it ends where, after a blank line, something else begins."""
    kept = [line for line in lines[:first] if line.strip()]
    after_blank = False
    for line in lines[first:]:
        if line.strip() and after_blank and not _BULLET.match(line) and not line[:1].isspace():
            break
        after_blank = not line.strip()
        if line[:1].isspace() and line.strip() and not _BULLET.match(line):
            kept[-1] = f"{kept[-1].rstrip()} {line.strip()}"
        elif line.strip():
            kept.append(line)
    return kept


def _introduces(lines: Sequence[str], number: int) -> bool:
    """Tell whether a line only announces the items below it."""
    line = lines[number].strip()
    return line.endswith(":") and not _BULLET.match(lines[number]) and number + 1 < len(lines)


def _literal_list(text: str) -> list[str] | None:
    text = "\n".join(line.text for line in lines_of(text)).strip().rstrip(",")
    if not text.startswith("["):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return _texts(value) if isinstance(value, list) else None
    return None


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a text, also those inside others, as far as there are few."""
    decoder = json.JSONDecoder(strict=False)
    for number, match in enumerate(re.finditer(r"\{\s*\"", text)):
        if number == _MOST_OBJECTS:
            return
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _text(value: Any, is_list: bool) -> str:
    """Return a value of JSON as text: a list as JSON where a list is wanted, else with one item a line."""
    if isinstance(value, list | dict):
        return json.dumps(_texts(value), ensure_ascii=False) if is_list else "\n".join(_texts(value))
    return "" if value is None else str(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [", ".join(_texts(item)) for item in value]
    return [] if value is None else [str(value)]


def _bare(text: str) -> str:
    """Return a sentence on one line without the marks of bold and quotation around all of it."""
    text = " ".join(text.split())
    text = re.sub(r"(?<![\w)])(\*\*|__)(?=\S)([^*_]+)(?<=\S)\1(?![\w(])", r"\2", text)
    for left, right in ('""', "“”", "''", "``", "**", "__"):
        if len(text) > 2 and text[0] == left and text[-1] == right and left not in text[1:-1]:
            text = text[1:-1].strip()
    return text
