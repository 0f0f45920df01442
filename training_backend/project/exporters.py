"""Writing rows to files that others read: JSONL with our fields, CSV, Alpaca and OpenAI messages; streams."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from training_backend.errors import ConfigError, DatasetError
from training_backend.project.faults import explained
from training_backend.project.flags import BY_NAME, NONE
from training_backend.project.listing import FACETS, Listing, RowFilter

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter
    from training_backend.project.store import Project

FIELDS = (
    "row_id", "question_id", "dataset", "split", "native_id", "question", "gold_text", "gold_value",
    "core_question", "information", "kind", "path", "rationale", "verdict", "answer_text", "answer_value",
    "review", "flagged", "changed", "note", "key_points_teacher", "rationale_teacher",
)  # fmt: skip

_SQL = """
    SELECT t.id, t.question_id, t.dataset, t.split, q.native_id, t.question, t.gold_text, t.gold_value,
           t.core_question, t.information, t.kind, t.path, t.rationale, t.verdict, r.answer_text,
           r.answer_value, t.review, r.flagged, r.changed, t.note,
           trim(coalesce(ko.teacher, '') || ' ' || coalesce(ko.model, '')),
           trim(coalesce(ao.teacher, '') || ' ' || coalesce(ao.model, ''))
    FROM row_text AS t JOIN row AS r ON r.id = t.id JOIN question AS q ON q.id = t.question_id
    LEFT JOIN key_points AS k ON k.id = r.key_points_id LEFT JOIN origin AS ko ON ko.id = k.origin_id
    LEFT JOIN rationale AS a ON a.id = r.rationale_id LEFT JOIN origin AS ao ON ao.id = a.origin_id
    WHERE t.id IN ({marks})"""
_AT_ONCE = 500
_INSTRUCTIONS = {
    "cot": "Solve the problem step by step and end with: The answer is N.",
    "pot": "Write a Python program that solves the problem and leaves the answer in ans.",
    "eot": "Write a system of equations that solves the problem; the last line is ans = name.",
}
Record = dict[str, Any]


def records(project: Project, ids) -> Iterator[Record]:
    """Yield the rows of these ids as dicts of FIELDS, in order, with the texts as corrected."""
    with project.reading() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            part = [int(number) for number in ids[start : start + _AT_ONCE]]
            found = {line[0]: line for line in _lines(connection, part)}
            for number in part:
                if number in found:
                    yield _record(found[number])


def _lines(connection: sqlite3.Connection, ids: list[int]) -> sqlite3.Cursor:
    return connection.execute(_SQL.format(marks=",".join("?" * len(ids))), ids)


def _record(line: tuple) -> Record:
    record = dict(zip(FIELDS, line, strict=True))
    record["information"] = record["information"].splitlines()
    record["flagged"], record["changed"] = bool(record["flagged"]), bool(record["changed"])
    return record


def _messages(record: Record) -> Record | None:
    if not record["rationale"]:
        return None
    return {
        "messages": [
            {"role": "system", "content": _INSTRUCTIONS[record["kind"]]},
            {"role": "user", "content": _user_text(record)},
            {"role": "assistant", "content": record["rationale"]},
        ]
    }


def _alpaca(record: Record) -> Record | None:
    if not record["rationale"]:
        return None
    instruction = _INSTRUCTIONS[record["kind"]]
    return {"instruction": instruction, "input": _user_text(record), "output": record["rationale"]}


def _user_text(record: Record) -> str:
    lines = [record["question"]]
    if record["core_question"]:
        lines += ["", f"Core question: {record['core_question']}"]
    if record["information"]:
        lines += ["", "Information:", *(f"{n}. {item}" for n, item in enumerate(record["information"], 1))]
    return "\n".join(lines)


def _write_jsonl(file: IO[str], rows: Iterator[Record], shape: Callable[[Record], Record | None]) -> int:
    written = 0
    for record in rows:
        shaped = shape(record)
        if shaped is not None:
            file.write(json.dumps(shaped, ensure_ascii=False) + "\n")
            written += 1
    return written


def _write_csv(file: IO[str], rows: Iterator[Record]) -> int:
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    written = 0
    for record in rows:
        writer.writerow({**record, "information": "\n".join(record["information"]),
                         "flagged": int(record["flagged"]), "changed": int(record["changed"])})  # fmt: skip
        written += 1
    return written


FORMATS: dict[str, Callable[[IO[str], Iterator[Record]], int]] = {
    "jsonl": lambda file, rows: _write_jsonl(file, rows, lambda record: record),
    "csv": _write_csv,
    "messages": lambda file, rows: _write_jsonl(file, rows, _messages),
    "alpaca": lambda file, rows: _write_jsonl(file, rows, _alpaca),
}


def parse_where(conditions: list[str]) -> RowFilter:
    """Return the filter of conditions such as `verdict=equal,not_equal`; ConfigError names what is wrong.

    One of them may be `search=words`.
    """
    facets: dict[str, frozenset] = {}
    search = ""
    for condition in conditions:
        name, sign, values = condition.partition("=")
        name = name.strip()
        if sign and name == "search":
            search = values
        elif sign and name in FACETS:
            facets[name] = frozenset(_value(name, value.strip()) for value in values.split(","))
        else:
            raise ConfigError(f"'{condition}' is no condition.",
                              f"Write NAME=VALUE,… with one of: {', '.join(FACETS)}, search.")  # fmt: skip
    # a trailing space: the last word is finished, not the beginning of one
    return RowFilter(facets, f"{search} " if search else "")


def _value(facet: str, text: str) -> str | int:
    if facet in ("changed", "flagged"):
        words = {"yes": 1, "true": 1, "1": 1, "no": 0, "false": 0, "0": 0}
        if text.lower() not in words:
            raise ConfigError(f"'{text}' is neither yes nor no.", f"Write {facet}=yes or {facet}=no.")
        return words[text.lower()]
    if facet in ("path", "round"):
        if not text.isdecimal():
            raise ConfigError(f"'{text}' is no {facet}.", f"Write {facet}=0, {facet}=1, …")
        return int(text)
    if facet == "flags" and text not in (*BY_NAME, NONE):
        raise ConfigError(f"'{text}' is no flag.", f"Use one of: {', '.join(BY_NAME)}, {NONE}.")
    return text


def export_rows(
    project: Project,
    target: str | Path,
    wanted: RowFilter | None = None,
    format: str = "",
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> int:
    """Write the matching rows to `target` and return how many; `format` is told by the name when empty.

    The file appears whole or not at all: it is written beside its place and then moved there. Alpaca and
    messages hold the rows that have a rationale.
    """
    target = Path(target)
    format = format or ("csv" if target.suffix.lower() == ".csv" else "jsonl")
    if format not in FORMATS:
        raise ConfigError(f"There is no format '{format}'.", f"Use one of: {', '.join(FORMATS)}.")
    if target.is_dir() or not target.parent.is_dir():
        raise DatasetError("No file can be written there.", "Give the name of a file in an existing folder.",
                           where=str(target))  # fmt: skip
    listing = Listing(project.path)
    try:
        ids = listing.ids(wanted or RowFilter())
    finally:
        listing.close()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with explained(target), unfinished.open("w", encoding="utf-8", newline="") as file:
            written = FORMATS[format](file, _watched(records(project, ids), len(ids), reporter, control))
        if control is not None and control.stop_requested:
            return 0
        unfinished.replace(target)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return written


def _watched(
    rows: Iterator[Record], total: int, reporter: Reporter | None, control: Control | None
) -> Iterator[Record]:
    for done, record in enumerate(rows, 1):
        if control is not None and control.stop_requested:
            return
        yield record
        if reporter is not None and (done % 1000 == 0 or done == total):
            reporter.progress("export", done, total)
