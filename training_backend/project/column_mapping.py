"""Which columns of a file hold what: a question, its gold answer, what a teacher wrote about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from training_backend.errors import ConfigError
from training_backend.project.native_formats import Missing, is_plain, read_gold
from training_backend.rationale.key_points import KeyPoints, split_items

KINDS = ("cot", "pot", "eot")

# what a column can be → what it means, for people
TARGETS = {
    "question": "the question",
    "gold": "the gold answer (what follows #### where there is one)",
    "id": "the question's number or name in its source",
    "dataset": "the data set",
    "split": "train, test, …",
    "core_question": "the core question that a teacher wrote",
    "information": "the problem-solving information: a list, or one item per line",
    "cot": "a chain of thought",
    "pot": "a program",
    "eot": "equations",
    "rationale": "a rationale whose kind stands in another column",
    "kind": "the kind of that rationale: cot, pot or eot",
    "path": "which of several answers to one question: 0, 1, 2 …",
}
QUESTION_TARGETS = ("question", "gold", "id", "dataset", "split")
TEACHER_TARGETS = tuple(target for target in TARGETS if target not in QUESTION_TARGETS)

# names of columns in small letters without signs; the first that a file has is guessed
_NAMES = {
    "question": ("question", "problem", "query", "prompt", "instruction", "questiontext", "squestion",
                 "originalquestion", "input", "text"),
    "gold": ("gold", "goldtext", "goldanswer", "answer", "groundtruth", "trueanswer", "label", "target",
             "finalanswer", "answervalue", "expectedanswer", "solution", "output"),
    "id": ("nativeid", "id", "itemid", "questionid", "qid", "uid", "idx", "index"),
    "dataset": ("dataset", "datasetname"),
    "split": ("split", "subset"),
    "core_question": ("corequestion", "core"),
    "information": ("information", "probleminformation", "problemsolvinginformation", "usefulinformation",
                    "keyinformation", "hints", "conditions"),
    "cot": ("cot", "chainofthought", "answercot", "reasoning", "thought"),
    "pot": ("pot", "program", "code", "python", "programofthought"),
    "eot": ("eot", "equations", "equationofthought"),
    "rationale": ("rationale",),
    "kind": ("kind", "rationalekind"),
    "path": ("path", "sample", "samplenumber"),
}  # fmt: skip


@dataclass(frozen=True)
class Rationale:
    """What a teacher wrote to solve a question; `path` is None where the file does not number its answers."""

    kind: str
    path: int | None
    text: str


@dataclass(frozen=True)
class MappedRecord:
    """What one record says under a mapping; empty texts where it says nothing.

    `key_points` is None where there are none.
    """

    text: str
    gold_text: str
    gold_value: float | None
    native_id: str
    dataset: str
    split: str
    key_points: KeyPoints | None
    rationales: tuple[Rationale, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)


# together they are the fields of our own export, and of nothing else that is known
_OWN = {
    "question",
    "gold_text",
    "core_question",
    "information",
    "kind",
    "path",
    "rationale",
    "verdict",
    "review",
}


@dataclass(frozen=True)
class ColumnMapping:
    """Targets (of TARGETS) with the columns that hold them; a column `a.b` is the entry b of the object a."""

    columns: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse a mapping that gives no question and names none."""
        for target in self.columns:
            if target not in TARGETS:
                raise ConfigError(f"There is nothing called '{target}' to map a column to.",
                                  f"Use one of: {', '.join(TARGETS)}.")  # fmt: skip
        if "question" not in self.columns and not ("id" in self.columns and self.has_teacher):
            raise ConfigError("No column is mapped to the question.",
                              "Map one: --map question=COLUMN. What a teacher wrote about questions of the "
                              "project needs only the id: --map id=COLUMN")  # fmt: skip
        if "question" in self.columns and "gold" not in self.columns and not self.has_teacher:
            raise ConfigError("No column is mapped to the gold answer.", "Map one: --map gold=COLUMN")
        if ("rationale" in self.columns) != ("kind" in self.columns):
            raise ConfigError("A rationale and its kind need a column each.",
                              "Map both, or map the column to cot, pot or eot.")  # fmt: skip

    @property
    def has_teacher(self) -> bool:
        """Tell whether a column holds what a teacher wrote."""
        return any(target in self.columns for target in TEACHER_TARGETS if target not in ("path", "kind"))

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the columns of the mapping that are not among these."""
        known = set(columns)
        return [column for column in self.columns.values() if column not in known]

    def read(self, record: Mapping[str, Any]) -> MappedRecord:
        """Return what a record says; Missing tells what it lacks or what has a wrong type."""
        gold: tuple[str, float | None] = ("", None)
        if "gold" in self.columns:
            gold = read_gold(value_of(record, self.columns["gold"]), self.columns["gold"])
        used = set(self.columns.values())
        return MappedRecord(
            self._plain(record, "question", needed="question" in self.columns), *gold,
            self._plain(record, "id", needed="id" in self.columns), self._plain(record, "dataset"),
            self._plain(record, "split"), self._key_points(record), tuple(self._rationales(record)),
            {str(name): value for name, value in record.items()
             if name not in used and is_plain(value)},
        )  # fmt: skip

    def _plain(self, record: Mapping[str, Any], target: str, needed: bool = False) -> str:
        """Return a text; a number is one only where a name or number is asked for."""
        column = self.columns.get(target)
        value = None if column is None else value_of(record, column)
        if isinstance(value, int | float) and not isinstance(value, bool) and target != "question":
            value = str(int(value)) if float(value).is_integer() else str(value)
        if value is not None and not isinstance(value, str):
            raise Missing(f"'{column}' is no text")
        text = (value or "").strip()
        if needed and not text:
            raise Missing(f"'{column}' is missing or empty")
        return text

    def _key_points(self, record: Mapping[str, Any]) -> KeyPoints | None:
        column = self.columns.get("information")
        value = None if column is None else value_of(record, column)
        if isinstance(value, list):
            if not all(isinstance(item, str) for item in value):
                raise Missing(f"'{column}' is no list of texts")
            items = tuple(" ".join(split_items(item)) for item in value if item.strip())
        elif isinstance(value, str):
            items = split_items(value)
        elif value is None:
            items = ()
        else:
            raise Missing(f"'{column}' is neither text nor a list of texts")
        points = KeyPoints(self._plain(record, "core_question"), items)
        return None if points.is_empty() else points

    def _rationales(self, record: Mapping[str, Any]) -> Iterable[Rationale]:
        path = self._path(record)
        for kind in KINDS:
            if kind in self.columns:
                yield from _written(value_of(record, self.columns[kind]), kind, path, self.columns[kind])
        if "rationale" in self.columns:
            kind = self._plain(record, "kind").lower()
            value = value_of(record, self.columns["rationale"])
            if value and kind not in KINDS:
                raise Missing(f"'{self.columns['kind']}' is '{kind}', not one of {', '.join(KINDS)}")
            yield from _written(value, kind, path, self.columns["rationale"])

    def _path(self, record: Mapping[str, Any]) -> int | None:
        text = self._plain(record, "path")
        if text and not re.fullmatch(r"\d{1,6}", text):
            raise Missing(f"'{self.columns['path']}' is no whole number from 0")
        return int(text) if text else None


def value_of(record: Mapping[str, Any], column: str) -> Any:
    """Return what a record holds in a column; None where it has none."""
    if column in record or "." not in column:
        return record.get(column)
    outer, inner = column.split(".", 1)
    value = record.get(outer)
    return value_of(value, inner) if isinstance(value, Mapping) else None


def columns_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the columns of some records in the order in which they come, with `a.b` for objects in them."""
    columns: dict[str, None] = {}
    for record in records:
        for name, value in record.items():
            if isinstance(value, Mapping) and value:
                columns.update({f"{name}.{inner}": None for inner in value})
            else:
                columns[str(name)] = None
    return list(columns)


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Return a mapping for columns of these names; no column is used twice."""
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(re.sub(r"[^a-z0-9]", "", column.lower()), column)
    found: dict[str, str] = {}
    for target, names in _NAMES.items():
        free = [plain[name] for name in names if name in plain and plain[name] not in found.values()]
        if free:
            found[target] = free[0]
    if ("rationale" in found) != ("kind" in found):
        found.pop("kind", None)
        if "rationale" in found and "cot" not in found:
            found["cot"] = found["rationale"]
        found.pop("rationale", None)
    if not any(target in found for target in (*KINDS, "rationale")):
        found.pop("path", None)
    return {target: found[target] for target in TARGETS if target in found}


def own_columns(columns: Iterable[str]) -> ColumnMapping | None:
    """Return the mapping of a file that this program exported with all fields; None for any other."""
    names = list(columns)
    return ColumnMapping(guess(names)) if set(names) >= _OWN else None


def read_words(words: Iterable[str]) -> ColumnMapping:
    """Return the mapping of words such as `question=prompt`; ConfigError names what is wrong."""
    columns: dict[str, str] = {}
    for word in words:
        target, sign, column = word.partition("=")
        if not sign or not target.strip() or not column.strip():
            raise ConfigError(f"'{word}' maps no column.", "Write it so: --map question=COLUMN")
        if target.strip() in columns:
            raise ConfigError(f"Two columns are mapped to {target.strip()}.", "Map one.")
        columns[target.strip()] = column.strip()
    return ColumnMapping(columns)


def _written(value: Any, kind: str, path: int | None, column: str) -> Iterable[Rationale]:
    """Yield the rationales of a cell: one text, or a list of texts that are paths of their own."""
    if value is None or value == "" or value == []:
        return
    if isinstance(value, str):
        if value.strip():
            yield Rationale(kind, path, _without_fence(value, kind))
        return
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Missing(f"'{column}' is neither text nor a list of texts")
    for number, text in enumerate(value):
        if text.strip():
            yield Rationale(kind, number if path is None else path + number, _without_fence(text, kind))


def _without_fence(text: str, kind: str) -> str:
    """Return the code between the first ``` and the next in a program or equations, else the text itself."""
    fenced = re.search(r"```[a-zA-Z]*\n(.*?)\n?```", text, re.DOTALL) if kind != "cot" else None
    return fenced.group(1) if fenced else text.strip("\n").rstrip()
