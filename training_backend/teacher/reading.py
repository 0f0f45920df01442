"""Reading a teacher's reply: structured JSON or labelled text, with whatever a model puts around it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.reply_parts import parts


@dataclass(frozen=True)
class ReadReply:
    """What was read from a reply; a part that is missing or cannot be used is None.

    `problem` says in one sentence why the reply does not parse; it is empty when every part is there.
    """

    key_points: KeyPoints | None = None
    rationale: str | None = None
    question: str | None = None
    problem: str = ""


def read_reply(name: str, kind: str, text: str) -> ReadReply:
    """Read the reply `text` to prompt `name` (`kind` is needed for one_call only)."""
    wanted = parts(name, kind)
    if not text.strip():
        return ReadReply(problem="The reply is empty.")
    try:
        found = json.loads(text)
        sections = {
            key: "\n".join(value) if isinstance(value, list) else value for key, value in found.items()
        }
    except ValueError:
        labels = "|".join(re.escape(part.label) for part in wanted)
        pieces = re.split(rf"^({labels}):", text, flags=re.MULTILINE)
        by_label = dict(zip(pieces[1::2], (piece.strip() for piece in pieces[2::2]), strict=True))
        sections = {part.key: by_label[part.label] for part in wanted if part.label in by_label}
    missing = [part for part in wanted if not sections.get(part.key)]
    if missing:
        return ReadReply(problem=f"The reply has no {missing[0].label.lower()}.")
    points, rationale, question = None, None, None
    for part in wanted:
        if part.key == "question":
            question = sections[part.key]
        elif part.key not in ("core_question", "information"):
            rationale = sections[part.key]
    if "core_question" in sections:
        points = KeyPoints(sections["core_question"], split_items(sections["information"]))
    return ReadReply(points, rationale, question)
