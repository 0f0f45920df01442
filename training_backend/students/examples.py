"""What a student reads and writes: the exact texts of a task, the same at training and at inference.

Key:   `extract key points: {question}` → `core question: … information: 1. … 2. …`
Solve: `solve by program: question: … core question: … information: 1. … 2. …` → the program, as it is
A task that reads only the question gets it right after its prefix. These texts are ours: papers name none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from training_backend.errors import DatasetError
from training_backend.methods import KINDS, Role, Task
from training_backend.rationale.key_points import (
    KeyPoints,
    parse,
    parse_information,
    render,
    render_information,
)


class TrainingRowLike(Protocol):
    """What a row must have to become examples (`project.training_rows.TrainingRow` has it)."""

    @property
    def row_id(self) -> int: ...
    @property
    def question_id(self) -> int: ...
    @property
    def question(self) -> str: ...
    @property
    def gold_value(self) -> float | None: ...
    @property
    def core_question(self) -> str: ...
    @property
    def information(self) -> tuple[str, ...]: ...
    @property
    def kind(self) -> str: ...
    @property
    def rationale(self) -> str: ...


@dataclass(frozen=True)
class Example:
    """One source and target of one task. `id` names the row, `group` the question.

    `kind` is that of the rationale, empty for tasks that write key points; `gold` is the gold answer.
    `question` is kept where the source holds key points, so that others can take their place.
    """

    id: str
    task: str
    source: str
    target: str
    gold: float | None = None
    kind: str = ""
    group: str = ""
    question: str = ""


def source_text(task: Task, fields: Mapping[str, Any]) -> str:
    """Return the source of `task` for the fields it reads (information: a sequence of items)."""
    if task.reads == ("question",):
        return f"{task.prefix}: {str(fields['question']).strip()}"
    parts = [f"{task.prefix}:"]
    for name in task.reads:
        if name == "information":
            parts.append(render_information(tuple(fields.get(name, ()))))
        else:
            parts.append(f"{name.replace('_', ' ')}: {str(fields.get(name, '')).strip()}")
    return " ".join(parts)


def target_text(task: Task, fields: Mapping[str, Any]) -> str:
    """Return what the student of `task` is to write for the fields of a row."""
    if task.writes == "key_points":
        return render(KeyPoints(str(fields["core_question"]), tuple(fields["information"])))
    if task.writes == "core_question":
        return str(fields["core_question"]).strip()
    if task.writes == "information":
        return render_information(tuple(fields["information"]))
    return str(fields["rationale"])


def read_target(task: Task, text: str) -> dict[str, Any]:
    """Read what a student wrote: the fields it fills, empty where they cannot be read.

    Key points give `core_question` and `information`; text without `information:` is the core question.
    """
    if task.writes == "key_points":
        points = parse(text)
        if points is None:
            core = re.sub(r"^\s*core question:", "", text, flags=re.IGNORECASE)
            return {"core_question": core.strip(), "information": ()}
        return {"core_question": points.core_question, "information": points.information}
    if task.writes == "core_question":
        return {"core_question": text.strip()}
    if task.writes == "information":
        return {"information": parse_information(text)}
    return {"rationale": text, "kind": task.writes}


def build_examples(role: Role, rows: Iterable[TrainingRowLike]) -> list[Example]:
    """Return the examples of a student from training rows, in order, each (source, target) once.

    A rationale task takes the rows of its kind; a task that reads or writes key points needs rows that have
    them; such tasks take every kind, since paths of one question may share or differ in key points.
    """
    examples: list[Example] = []
    seen: set[tuple[str, str]] = set()
    for row in rows:
        for task in role.tasks:
            if not _fits(task, row):
                continue
            fields = {
                "question": row.question,
                "core_question": row.core_question,
                "information": row.information,
                "rationale": row.rationale,
            }
            source, target = source_text(task, fields), target_text(task, fields)
            if (source, target) in seen:
                continue
            seen.add((source, target))
            examples.append(
                Example(
                    id=str(row.row_id),
                    task=task.prefix,
                    source=source,
                    target=target,
                    gold=row.gold_value,
                    kind=task.writes if task.writes in KINDS else "",
                    group=str(row.question_id),
                    question=row.question if reads_key_points(task) else "",
                )
            )
    return examples


def reads_key_points(task: Task) -> bool:
    """Tell whether `task` reads what another student writes of the key points."""
    return bool({"core_question", "information"} & set(task.reads))


def with_own_key_points(
    examples: Sequence[Example],
    role: Role,
    written: Mapping[str, Mapping[str, Any]],
    share: float = 1.0,
    seed: int = 0,
) -> tuple[list[Example], int]:
    """Return the examples of `role` with the key points that a student wrote, and how many have them.

    `written` maps a question's `group` to its fields `core_question` and `information`. `share` is the share
    of the questions that get them (by a hash of the group); the others, those whose fields are missing or
    empty and tasks that read no key points keep what they have.
    """
    tasks = {task.prefix: task for task in role.tasks}
    made: list[Example] = []
    for example in examples:
        task, own = tasks[example.task], written.get(example.group, {})
        wanted = {name for name in task.reads if name in ("core_question", "information")}
        if not wanted or not example.question or not all(own.get(name) for name in wanted):
            made.append(example)
        elif _share_of(f"key points:{seed}:{example.group}") < share:
            source = source_text(task, {**own, "question": example.question})
            made.append(dataclasses.replace(example, source=source))
        else:
            made.append(example)
    return made, sum(new is not old for new, old in zip(made, examples, strict=True))


def split_examples(
    examples: Sequence[Example], held_out: float, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Return (train, held out): whole questions by a hash of their id, so every role holds out the same.

    `held_out` is the share of questions, 0 to 0.5.
    """
    train: list[Example] = []
    held: list[Example] = []
    for example in examples:
        share = _share_of(f"{seed}:{example.group or example.source}")
        (held if share < held_out else train).append(example)
    return train, held


def write_examples(file: Path, examples: Iterable[Example]) -> None:
    """Write examples as JSON lines."""
    with file.open("w", encoding="utf-8") as out:
        for example in examples:
            out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def read_examples(file: Path) -> list[Example]:
    """Read examples; DatasetError names the file and line that cannot be read."""
    examples = []
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    data = json.loads(line)
                    examples.append(Example(**data))
                except (ValueError, TypeError) as error:
                    raise DatasetError(
                        f"This line is no example ({error}).",
                        "An example has id, task, source, target, gold, kind, group and question.",
                        f"{file}:{number}",
                    ) from error
    except OSError as error:
        raise DatasetError(
            f"The examples cannot be read ({error.strerror}).", "Prepare the run again.", str(file)
        ) from error
    return examples


def _share_of(text: str) -> float:
    """Return a number from 0 to 1 that `text` alone decides."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def _fits(task: Task, row: TrainingRowLike) -> bool:
    if task.writes in KINDS and (row.kind != task.writes or not row.rationale.strip()):
        return False
    needed = {*task.reads, task.writes}
    if needed & {"core_question", "key_points"} and not row.core_question.strip():
        return False
    return not (needed & {"information", "key_points"} and not row.information)
