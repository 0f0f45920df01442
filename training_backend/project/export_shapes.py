"""What one exported row looks like: our own fields with their meaning, and the shapes that others read."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from training_backend.project import flags

if TYPE_CHECKING:
    from training_backend.project.store import Project

Record = dict[str, Any]

# our fields: what kind of value, and what it means; the dataset card and Parquet carry the words
COLUMNS: dict[str, tuple[str, str]] = {
    "row_id": ("integer", "the row in the project it comes from"),
    "question_id": ("integer", "the question in that project; rows of one question share it"),
    "dataset": ("text", "which data set the question comes from"),
    "split": ("text", "train, test, or what the source calls it"),
    "native_id": ("text", "the question's id or row number in its source"),
    "question": ("text", "the question, as corrected"),
    "gold_text": ("text", "the gold answer, as corrected"),
    "gold_value": ("number", "the gold answer as a number; null where it is none"),
    "core_question": ("text", "key point: what is asked, in one sentence"),
    "information": ("list", "key points: the facts that solve the problem, one each"),
    "kind": ("text", "cot (chain of thought), pot (program) or eot (equations); empty: no reply"),
    "path": ("integer", "0, 1, 2 …: which of several answers to one question"),
    "rationale": ("text", "the chain of thought, program or equations, as corrected"),
    "verdict": ("text", "equal (to gold), not_equal, raised, no_answer, not_run, …"),
    "answer_text": ("text", "what was read as the answer of the rationale"),
    "answer_value": ("number", "that answer as a number; null where it is none"),
    "review": ("text", "what a person decided: unreviewed, accepted or rejected"),
    "flagged": ("yes/no", "a person marked the row"),
    "changed": ("yes/no", "a person corrected a text of the row"),
    "key_points_teacher": ("text", "who wrote the key points: teacher and model"),
    "rationale_teacher": ("text", "who wrote the rationale: teacher and model"),
    "key_points_prompt": ("text", "the version of the prompt that gave the key points"),
    "rationale_prompt": ("text", "the version of the prompt that gave the rationale"),
    "round": ("integer", "0: an imported question; n: one that a teacher wrote in round n"),
    "flags": ("list", "what the program found odd about the row"),
}
FIELDS = tuple(COLUMNS)
# a person's own words are exported only when that is asked for
NOTE = ("text", "a person's note")

INSTRUCTIONS = {
    "cot": "Solve the problem step by step and end with: The answer is N.",
    "pot": "Write a Python program that solves the problem and leaves the answer in ans.",
    "eot": "Write a system of equations that solves the problem; the last line is ans = name.",
}

_SQL = """
    SELECT t.id, t.question_id, t.dataset, t.split, q.native_id, t.question, t.gold_text, t.gold_value,
           t.core_question, t.information, t.kind, t.path, t.rationale, t.verdict, r.answer_text,
           r.answer_value, t.review, r.flagged, r.changed,
           trim(coalesce(ko.teacher, '') || ' ' || coalesce(ko.model, '')),
           trim(coalesce(ao.teacher, '') || ' ' || coalesce(ao.model, '')),
           coalesce(ko.prompt_version, ''), coalesce(ao.prompt_version, ''), r.round, r.flags, t.note
    FROM row_text AS t JOIN row AS r ON r.id = t.id JOIN question AS q ON q.id = t.question_id
    LEFT JOIN key_points AS k ON k.id = r.key_points_id LEFT JOIN origin AS ko ON ko.id = k.origin_id
    LEFT JOIN rationale AS a ON a.id = r.rationale_id LEFT JOIN origin AS ao ON ao.id = a.origin_id
    WHERE t.id IN ({marks})"""
_AT_ONCE = 200  # rows read together; a text may have a hundred thousand characters


def columns(notes: bool = False) -> dict[str, tuple[str, str]]:
    """Return (kind of value, meaning) of every field of a record, in order."""
    return {**COLUMNS, "note": NOTE} if notes else COLUMNS


def records(project: Project, ids, notes: bool = False) -> Iterator[Record]:
    """Yield the rows of these ids as dicts of `columns`, in order, with the texts as corrected."""
    with project.reading() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            part = [int(number) for number in ids[start : start + _AT_ONCE]]
            found = {line[0]: line for line in _lines(connection, part)}
            for number in part:
                if number in found:
                    yield _record(found[number], notes)


def _lines(connection: sqlite3.Connection, ids: list[int]) -> sqlite3.Cursor:
    return connection.execute(_SQL.format(marks=",".join("?" * len(ids))), ids)


def _record(line: tuple, notes: bool) -> Record:
    record = dict(zip((*FIELDS, "note"), line, strict=True))
    record["information"] = record["information"].splitlines()
    record["flags"] = list(flags.names_in(record["flags"]))
    record["flagged"], record["changed"] = bool(record["flagged"]), bool(record["changed"])
    for name in ("gold_value", "answer_value"):
        # JSON has no word for what is not finite; the text beside it says what was read
        if record[name] is not None and not math.isfinite(record[name]):
            record[name] = None
    if not notes:
        del record["note"]
    return record


def own(record: Record) -> Record | None:
    """Return the record with our own fields."""
    return record


def messages(record: Record) -> Record | None:
    """Return a conversation as OpenAI's fine-tuning reads it; None where there is no rationale.

    https://platform.openai.com/docs/guides/supervised-fine-tuning
    """
    if not record["rationale"]:
        return None
    return {
        "messages": [
            {"role": "system", "content": INSTRUCTIONS[record["kind"]]},
            {"role": "user", "content": user_text(record)},
            {"role": "assistant", "content": record["rationale"]},
        ]
    }


def alpaca(record: Record) -> Record | None:
    """Return instruction, input and output as Stanford Alpaca has them; None where there is no rationale."""
    if not record["rationale"]:
        return None
    return {
        "instruction": INSTRUCTIONS[record["kind"]],
        "input": user_text(record),
        "output": record["rationale"],
    }


def sharegpt(record: Record) -> Record | None:
    """Return a conversation of `from` and `value`, as ShareGPT has it; None where there is no rationale."""
    if not record["rationale"]:
        return None
    return {
        "id": f"row-{record['row_id']}",
        "conversations": [
            {"from": "system", "value": INSTRUCTIONS[record["kind"]]},
            {"from": "human", "value": user_text(record)},
            {"from": "gpt", "value": record["rationale"]},
        ],
    }


def user_text(record: Record) -> str:
    """Return what the user says in a conversation: the question, and its key points where there are any."""
    lines = [record["question"]]
    if record["core_question"]:
        lines += ["", f"Core question: {record['core_question']}"]
    if record["information"]:
        lines += ["", "Information:", *(f"{n}. {item}" for n, item in enumerate(record["information"], 1))]
    return "\n".join(lines)


SHAPES: dict[str, Callable[[Record], Record | None]] = {
    "jsonl": own,
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "messages": messages,
}
