"""What a teacher wrote, as a file has it: finding its question in the project, storing it as replies."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.project.lines import storable
from training_backend.project.question_file import Entry, Unreadable
from training_backend.project.replies import Origin, Reply, add_origin, add_replies

if TYPE_CHECKING:
    from training_backend.project.store import Project

_START = 2**20  # bytes that tell two files of one name apart

Key = tuple[str, str, str]

_ALL = "SELECT dataset, split, text, native_id FROM question ORDER BY id DESC"
_ONE = "SELECT id, text FROM question WHERE dataset = ? AND split = ? AND native_id = ?"


class RecordedReplies:
    """The teacher's part of one import; numbers the answers to one question where the file does not."""

    def __init__(self, project: Project, path: Path, teacher: str) -> None:
        """`teacher` and the file's name become the origin of every reply."""
        self._project, self._path, self._teacher = project, path, teacher
        self._known: dict[bytes, str] | None = None
        self._paths: dict[tuple[Key, str], int] = {}
        self._origin = 0

    def begin(self) -> None:
        """Begin a reading of the file: its answers are numbered from 0."""
        self._paths.clear()

    def place(self, chunk: list[Entry]) -> tuple[list[Entry], list[Unreadable]]:
        """Return the entries under the names that the project has for them, and why others have no place.

        A record without an id belongs to the question of the same data set, split and text.
        """
        placed = [self._named(entry) for entry in chunk]
        texts = self._texts([entry.key for entry in placed])
        good, problems = [], []
        for entry in placed:
            problem = self._problem(entry, texts.get(entry.key))
            if problem:
                problems.append(Unreadable(str(self._path), entry.line, problem))
            else:
                good.append(entry)
        return good, problems

    def store(self, chunk: list[Entry]) -> int:
        """Store what the teacher wrote about these questions of the project; return how many were new."""
        if not self._origin:
            self._origin = add_origin(
                self._project,
                Origin(self._teacher, "", self._path.name, details={"begins": _digest_of_start(self._path)}),
            )
        ids = self._ids([entry.key for entry in chunk])
        replies = [reply for entry in chunk for reply in self._replies(entry, ids[entry.key])]
        return add_replies(self._project, replies)

    def _replies(self, entry: Entry, question_id: int) -> list[Reply]:
        replies = []
        for rationale in entry.rationales:
            count = self._paths.get((entry.key, rationale.kind), 0)
            path = count if rationale.path is None else rationale.path
            self._paths[entry.key, rationale.kind] = max(count, path + 1)
            replies.append(
                Reply(question_id, rationale.kind, path, entry.key_points, rationale.text,
                      key_points_origin=self._origin, rationale_origin=self._origin)
            )  # fmt: skip
        if not replies and entry.key_points is not None:
            replies.append(Reply(question_id, "", 0, entry.key_points, None, key_points_origin=self._origin))
        return replies

    def _problem(self, entry: Entry, text: str | None) -> str:
        if entry.question is None:
            return "" if text is not None else f"the project has no question {'/'.join(entry.key)}"
        if text is not None and text != storable(entry.question.text):
            return f"the project has another question under {'/'.join(entry.key)}"
        return ""

    def _named(self, entry: Entry) -> Entry:
        if entry.named or entry.question is None:
            return entry
        if self._known is None:
            self._known = self._all_texts()
        dataset, split, _ = entry.key
        digest = _digest(dataset, split, storable(entry.question.text))
        # a name made of the text: the same question has it again in the next import
        name = self._known.setdefault(digest, f"text-{digest.hex()}")
        question = dataclasses.replace(entry.question, native_id=name)
        return dataclasses.replace(entry, key=(dataset, split, name), question=question)

    def _all_texts(self) -> dict[bytes, str]:
        with self._project.reading() as connection:
            found = connection.execute(
                "SELECT dataset, split, text, native_id FROM question ORDER BY id DESC"
            )
            return {_digest(*line[:3]): line[3] for line in found}

    def _texts(self, keys: list[Key]) -> dict[Key, str]:
        return {key: text for key, (_, text) in self._questions(keys).items()}

    def _ids(self, keys: list[Key]) -> dict[Key, int]:
        return {key: number for key, (number, _) in self._questions(keys).items()}

    def _questions(self, keys: list[Key]) -> dict[Key, tuple[int, str]]:
        """Return (id, text) of those of these questions that the project has."""
        with self._project.reading() as connection:
            found = {key: connection.execute(_ONE, [*map(storable, key)]).fetchone() for key in set(keys)}
        return {key: line for key, line in found.items() if line is not None}


def _digest(dataset: str, split: str, text: str) -> bytes:
    return hashlib.blake2b(f"{dataset}\x00{split}\x00{text}".encode(), digest_size=8).digest()


def _digest_of_start(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.blake2b(file.read(_START), digest_size=8).hexdigest()
