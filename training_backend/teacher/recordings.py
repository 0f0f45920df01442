"""Recorded outputs of teachers as their authors publish them, read row by row and never paired by guess."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from training_backend.errors import TeacherError

# our name of a data set → DUP's name, Faithful-CoT's name
SETS: dict[str, tuple[str, str]] = {
    "gsm8k": ("gsm8k", "GSM8K"),
    "svamp": ("svamp", "SVAMP"),
    "multiarith": ("multiarith", "MultiArith"),
    "asdiv": ("", "ASDiv"),
}
# our name of a model → DUP's name
DUP_MODELS = {"gpt4": "gpt4", "gpt-3.5-turbo": "gpt3.5"}
DUP_FILES = {
    "core_question": "core_question_responses.txt",
    "information": "useful_infomation_responses.txt",  # spelled so by its authors
    "cot": "DUP_final_responses.txt",
}
# a home folder given by mistake is not searched for minutes
_FOLDERS_LOOKED_AT = 4000


@dataclass(frozen=True)
class RecordedRow:
    """One recorded row: its number in the benchmark file, the question, and the replies by name."""

    row: int
    question: str
    replies: Mapping[str, str]


class Recording:
    """The recorded rows of one data set, found by row number and text."""

    def __init__(self, title: str, rows: Iterator[RecordedRow]) -> None:
        """Keep the rows; `title` names the recording in reasons."""
        self.title = title
        self._by_row: dict[int, RecordedRow] = {}
        self._by_text: dict[str, list[RecordedRow]] = {}
        for recorded in rows:
            self._by_row[recorded.row] = recorded
            self._by_text.setdefault(fingerprint(recorded.question), []).append(recorded)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._by_row)

    def find(self, native_id: str, text: str) -> RecordedRow | str:
        """Return the row of a question, or in one sentence why there is none.

        A number in `native_id` is the row, and the row's text must be the question's. An id that holds no
        row number (ASDiv's) is matched by text, which then must occur once.
        """
        number = row_number(native_id)
        same = self._by_text.get(fingerprint(text), [])
        if number is None:
            if len(same) == 1:
                return same[0]
            return f"{self.title} has this question {len(same)} times, and its id '{native_id}' is no row."
        found = self._by_row.get(number)
        if found is None:
            return f"{self.title} has no row {number}."
        if found not in same:
            return f"row {number} of {self.title} is another question: '{_start(found.question)}'."
        return found


def row_number(native_id: str) -> int | None:
    """Return the row (from 0) of the benchmark file that an id names, or None when it names none.

    SVAMP counts `chal-1` from one; the others carry the row itself.

    >>> row_number("12"), row_number("chal-1"), row_number("nluds-0001")
    (12, 0, None)
    """
    if native_id.isdecimal():
        return int(native_id)
    challenge = re.fullmatch(r"chal-(\d+)", native_id)
    return int(challenge.group(1)) - 1 if challenge else None


def fingerprint(text: str) -> str:
    """Return what two spellings of one question share: its letters and numbers, without case and spaces.

    Recordings join SVAMP's body and question without a space, or with a comma in place of a full stop.
    """
    return "".join(
        f"<{part}>" if part[0].isdecimal() else part
        for part in re.findall(r"\d+(?:[.,]\d+)*|[^\W\d_]+", text.casefold())
    )


def read_dup(root: Path, dataset: str, model: str) -> Recording:
    """Read DUP's core questions, information and chains of thought; replies stay as the file spells them.

    The folder is `<set>_<model>` or, as published, `outputs/<set>/all_test_dataset_<model>_<score>`.
    """
    name, dup_model = SETS.get(dataset, ("", ""))[0], DUP_MODELS.get(model, "")
    if not name or not dup_model:
        sets = ", ".join(key for key, (dup, _) in SETS.items() if dup)
        raise TeacherError(
            f"DUP has no recording of {dataset} by {model}.", f"It has {sets} by {' and '.join(DUP_MODELS)}."
        )
    patterns = (f"{name}_{dup_model}", f"outputs/{name}/all_test_dataset_{dup_model}_*")
    folder = _find(root, patterns, f"DUP's recording of {dataset} by {model}")
    columns = {key: _lines(folder / file) for key, file in DUP_FILES.items()}
    questions = _lines(folder / "dataset.txt")
    for key, lines in columns.items():
        if len(lines) != len(questions):
            raise TeacherError(
                f"{len(lines)} lines, but dataset.txt has {len(questions)} questions.",
                "Copy the folder again as it was published.",
                where=str(folder / DUP_FILES[key]),
            )
    rows = (
        RecordedRow(i, question, {key: lines[i] for key, lines in columns.items()})
        for i, question in enumerate(questions)
    )
    return Recording(f"DUP ({dataset}, {model})", rows)


def read_faithful_cot(root: Path, dataset: str, model: str, prompt: str) -> Recording:
    """Read the completions of one of Faithful-CoT's prompts (NL+SL, noNL, COT, LtM) as reply `completion`.

    The file is `<Set>/<model>_<prompt>.jsonl[.gz]` or, as published,
    `output_dir/<Set>/test/<model>_<prompt>/predictions.jsonl`; the questions stand in `data/`.
    """
    name = SETS.get(dataset, ("", ""))[1]
    if not name:
        raise TeacherError(f"Faithful-CoT has no recording of {dataset}.", f"It has {', '.join(SETS)}.")
    what = f"Faithful-CoT's recording of {dataset} by {model} ({prompt})"
    patterns = (
        f"{name}/{model}_{prompt}.jsonl",
        f"{name}/{model}_{prompt}.jsonl.gz",
        f"output_dir/{name}/test/{model}_{prompt}/predictions.jsonl",
    )
    file = _find(root, patterns, what)
    questions_file = _find(
        root, (f"data/{name}_test.jsonl", f"data/{name}/test.jsonl"), f"Faithful-CoT's questions of {dataset}"
    )
    questions = {int(row["id"]): str(row["question"]) for _, row in json_lines(questions_file)}
    rows = (
        RecordedRow(int(row["id"]), questions.get(int(row["id"]), ""), {"completion": str(row["completion"])})
        for _, row in json_lines(file)
    )
    return Recording(f"Faithful-CoT ({dataset}, {model}, {prompt})", rows)


def json_lines(file: Path) -> Iterator[tuple[int, dict]]:
    """Yield (line from 1, object) of a JSON Lines file, gzipped or not; TeacherError names a bad line."""
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _object(line, file, number)
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise TeacherError(f"The recording cannot be read: {error}.", where=str(file)) from None


def literal(line: str) -> str:
    """Return the text that a line of DUP spells as a Python string; ValueError says why it spells none."""
    try:
        value = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"the line is no Python string ({type(error).__name__})") from None
    if not isinstance(value, str):
        raise ValueError(f"the line is a Python {type(value).__name__}, no string")
    return value


def _object(line: str, file: Path, number: int) -> dict:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise TeacherError(
            f"The line is no JSON ({error}).", "Copy the file again.", f"{file}, line {number}"
        ) from None
    if not isinstance(value, dict):
        raise TeacherError("The line is no JSON object.", where=f"{file}, line {number}")
    return value


def _lines(file: Path) -> list[str]:
    """Return the lines of a text file, split at line feeds only: questions hold other separators."""
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            return [line.rstrip("\r\n") for line in lines]
    except (OSError, UnicodeDecodeError) as error:
        raise TeacherError(f"The recording cannot be read: {error}.", where=str(file)) from None


def _find(root: Path, patterns: tuple[str, ...], what: str) -> Path:
    """Return the first file or folder of the given forms in `root` or at most two folders below it."""
    for base in _bases(root):
        for pattern in patterns:
            found = next(iter(sorted(base.glob(pattern))), None)
            if found is not None:
                return found
    raise TeacherError(
        f"{what} is not in this folder.",
        f"Give the folder that holds {' or '.join(patterns)}.",
        where=str(root),
    )


def _bases(root: Path) -> Iterator[Path]:
    """Yield `root` and the folders one and two levels below it, in order of name."""
    if not root.is_dir():
        raise TeacherError("The folder of recordings does not exist.", "Check its name.", str(root))
    level, looked_at = [root], 0
    for _ in range(3):
        below: list[Path] = []
        for folder in level:
            yield folder
            looked_at += 1
            if looked_at > _FOLDERS_LOOKED_AT:
                return
            below += sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        level = below


def _start(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
