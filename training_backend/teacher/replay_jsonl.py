"""A teacher that replays any JSON Lines file: a mapping says which field holds what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training_backend.errors import ConfigError, TeacherError
from training_backend.methods import KINDS
from training_backend.project.questions import Question
from training_backend.project.replies import Origin
from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE, TeacherReply
from training_backend.teacher.recordings import fingerprint, json_lines

# what a mapping may name; `question` must be there, and at least one kind
TARGETS = ("question", "id", "core_question", "information", *KINDS)


@dataclass(frozen=True)
class _Row:
    line: int
    native_id: str
    fields: Mapping[str, Any]


def read_mapping(text: str) -> dict[str, str]:
    """Read `question=inst/question,pot=reason/pot`; ConfigError names what is wrong with it."""
    mapping: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        target, equals, name = part.partition("=")
        if not equals or not name or target.strip() not in TARGETS:
            raise ConfigError(
                f"The mapping '{part}' is not understood.",
                f"Write FIELD=NAME with FIELD one of {', '.join(TARGETS)}, parted by commas.",
            )
        mapping[target.strip()] = name.strip()
    if "question" not in mapping or not KINDS.keys() & mapping.keys():
        raise ConfigError(
            "The mapping must name the question and at least one of pot, cot and eot.",
            "For example: question=question,pot=program.",
        )
    return mapping


class JsonlTeacher:
    """Answers from a file with one object a line; further lines of a question, and lists, are its paths."""

    def __init__(self, file: Path, mapping: Mapping[str, str]) -> None:
        """Read the file; a line without the mapped question is refused by its number."""
        if not file.is_file():
            raise TeacherError("The recording does not exist.", "Name a JSON Lines file.", str(file))
        self.file = file
        self.mapping = dict(mapping)
        self._by_text: dict[str, list[_Row]] = {}
        seen: dict[str, None] = {}
        for line, row in json_lines(file):
            seen.update(dict.fromkeys(map(str, row)))
            question = row.get(mapping["question"])
            if not isinstance(question, str) or not question.strip():
                raise TeacherError(
                    f"The line has no text in the field '{mapping['question']}'.",
                    f"It has the fields {', '.join(map(str, row)) or 'none'}.",
                    f"{file}, line {line}",
                )
            native_id = str(row.get(mapping.get("id", ""), ""))
            self._by_text.setdefault(fingerprint(question), []).append(_Row(line, native_id, row))
        for target, field in self.mapping.items():
            if seen and field not in seen:
                raise TeacherError(
                    f"No line has the field '{field}', which --map gives for {target}.",
                    f"The lines have {', '.join(seen)}.",
                    str(file),
                )

    @property
    def name(self) -> str:
        """Return the name a person gives on the command line."""
        return "replay:jsonl"

    def origins(self, path: int = 0) -> dict[str, Origin]:
        """Return the file as the origin of everything; the folder it lies in stays private."""
        origin = Origin("recording", "", self.file.name, details={"fields": self.mapping, "replayed": True})
        return {KEY_POINTS: origin, RATIONALE: origin}

    def paths(self, kind: str) -> int:
        """Return the largest number of answers that one question has."""
        if kind not in self.mapping:
            return 0
        return max((len(self._answers(rows, kind)) for rows in self._by_text.values()), default=0)

    def answer(
        self, questions: Sequence[Question], kinds: Sequence[str], path: int
    ) -> Iterator[TeacherReply]:
        """Yield the recorded answer of each question and kind, paired by text and, where mapped, by id."""
        for question in questions:
            for kind in kinds:
                yield self._reply(question, kind, path)

    def _reply(self, question: Question, kind: str, path: int) -> TeacherReply:
        blank = TeacherReply(question.id, kind, path, None, None)
        same = self._by_text.get(fingerprint(question.text), [])
        if "id" in self.mapping:
            same = [row for row in same if row.native_id == question.native_id]
        if not same:
            return replace(blank, parse_error=f"{self.file.name} does not have this question.")
        answers = self._answers(same, kind)
        if path >= len(answers):
            return replace(
                blank, parse_error=f"{self.file.name} has {len(answers)} answers to this question."
            )
        row, text = answers[path]
        points, raw = self._key_points(row)
        return replace(blank, key_points=points, rationale=text, raw={**raw, kind: text})

    def _answers(self, rows: Sequence[_Row], kind: str) -> list[tuple[_Row, str]]:
        """Return every written answer of this kind, in the order of the file."""
        found = []
        for row in rows:
            value = row.fields.get(self.mapping[kind])
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text.strip():
                    found.append((row, text))
        return found

    def _key_points(self, row: _Row) -> tuple[KeyPoints | None, dict[str, str]]:
        core = row.fields.get(self.mapping.get("core_question", ""), "")
        listed = row.fields.get(self.mapping.get("information", ""), "")
        text = "\n".join(map(str, listed)) if isinstance(listed, list) else str(listed or "")
        items = tuple(map(str, listed)) if isinstance(listed, list) else split_items(text)
        points = KeyPoints(" ".join(str(core or "").split()), items)
        if points.is_empty():
            return None, {}
        return points, {"core_question": str(core or ""), "information": text}
