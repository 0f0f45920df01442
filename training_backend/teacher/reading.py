"""Reading a teacher's reply: structured JSON or labelled text, with whatever a model puts around it.

Where a model writes on with an example of its own after the reply ("Question: …"), that is cut off. Nothing
here changes what was stored: the raw reply is kept beside what was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher.found_rationale import find_chain, find_equations, find_program
from training_backend.teacher.reply_parts import RATIONALES, Part, parts
from training_backend.teacher.reply_text import (
    MAX_REPLY_CHARS,
    items_of,
    json_parts,
    labelled_parts,
    paragraph_of,
    without_thinking,
)

_QUOTED_CHARS = 120
_LEAD = re.compile(r"^(?:the )?core question(?: is)?:\s*", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:I(?:['’]m| am) (?:very |really |so )?(?:sorry|afraid|unable|not able)"
    r"|I (?:can(?:no|['’])t|won['’]t|will not|am not able to|must decline)\b"
    r"|(?:as|being) an? (?:AI|language model)|cannot (?:help|assist|comply))",
    re.IGNORECASE,
)
_REFUSED_WITHIN = 300
_FINDERS = {"cot": find_chain, "pot": find_program, "eot": find_equations}


@dataclass(frozen=True)
class ReadReply:
    """What was read from a reply; a part that is missing or cannot be used is None.

    `problem` says in one sentence why the reply does not parse; it is empty when every part is there. A part
    that could be read is there in spite of another's problem.
    """

    key_points: KeyPoints | None = None
    rationale: str | None = None
    question: str | None = None
    problem: str = ""


def read_reply(name: str, kind: str, text: str) -> ReadReply:
    """Read the reply `text` to prompt `name`; `kind` is needed for one_call only.

    Any text gives a ReadReply, in a time that grows with its length. ConfigError: no such prompt or kind.
    """
    wanted = parts(name, kind)
    text, problem = without_thinking(text)
    if not problem and len(text) > MAX_REPLY_CHARS:
        problem = f"The reply has {len(text):,} characters, far more than an answer, and was not read."
    if problem:
        return ReadReply(problem=problem)
    found = json_parts(text, wanted)
    if isinstance(found, str):
        return ReadReply(problem=found)
    kind = name if name in _FINDERS else kind
    ways = [_read(way, wanted, kind) for way in ([found] if found else labelled_parts(text, wanted))]
    read = next((way for way in ways if not way.problem), ways[0])
    if read.problem and (refusal := _refusal(text)):
        return ReadReply(read.key_points, read.rationale, read.question, refusal)
    return read


def _read(found: Mapping[str, str], wanted: Sequence[Part], kind: str) -> ReadReply:
    keys = {part.key for part in wanted}
    points = rationale = question = None
    problems = []
    if "core_question" in keys:
        core = _LEAD.sub("", paragraph_of(found.get("core_question", "")))
        items = items_of(found.get("information", ""))
        missing = ["core question"] * (not core) + ["information"] * (not items)
        if missing:
            problems.append(f"The reply holds no {' and no '.join(missing)}.")
        else:
            points = KeyPoints(core, items)
    if RATIONALES.get(kind) in wanted:
        rationale, problem = _FINDERS[kind](found.get(RATIONALES[kind].key, ""))
        problems += [problem] * bool(problem)
    if "question" in keys:
        question = paragraph_of(found.get("question", "")) or None
        problems += ["The reply holds no new question."] * (question is None)
    return ReadReply(points, rationale, question, " ".join(problems))


def _refusal(text: str) -> str:
    """Return a sentence that quotes a refusal, or ''."""
    if not _REFUSAL.search(text[:_REFUSED_WITHIN]):
        return ""
    said = " ".join(text.split())
    return f"The teacher refused: “{said if len(said) <= _QUOTED_CHARS else said[:_QUOTED_CHARS] + '…'}”"
