"""Key points that a run's own students write, for the student after them to be trained on.

A Solve student that learned from the teacher's key points meets other ones when it is used: those that the
trained Key student writes. Trained on these, or on a mix, it knows what it will see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from training_backend.errors import ConfigError
from training_backend.events import Control, Reporter
from training_backend.methods import Role
from training_backend.students import processes
from training_backend.students.examples import (
    Example,
    read_target,
    reads_key_points,
    source_text,
    with_own_key_points,
)
from training_backend.students.run_folder import RunFolder, write_atomically

_WRITES = ("key_points", "core_question", "information")


def own_examples(
    run: RunFolder,
    role: Role,
    train: list[Example],
    held: list[Example],
    reporter: Reporter,
    control: Control,
    resume: bool,
) -> tuple[list[Example], list[Example]]:
    """Return the examples of `role` as the settings want their key points: the teacher's, its own or mixed.

    Held-out questions get the own ones always: so the student is judged as it will be used. What was written
    is kept in the run folder, so that a resumed run has the same examples.
    Raises ConfigError where the students that write key points are not trained yet.
    """
    config = run.config
    if config.key_points_from == "teacher" or not any(reads_key_points(task) for task in role.tasks):
        return train, held
    questions = {e.group: e.question for e in [*train, *held] if e.question}
    written = _written(run, role, questions, reporter, control, resume)
    share = 1.0 if config.key_points_from == "student" else config.key_points_share
    train, changed = with_own_key_points(train, role, written, share, config.seed)
    held, _ = with_own_key_points(held, role, written)
    without = len(questions) - len(written)
    reporter.log(
        f"{role.title}: {changed} of {len(train)} examples have key points of the run's own students"
        + (f"; for {without} questions they wrote none that can be read" if without else "")
    )
    return train, held


def _written(
    run: RunFolder,
    role: Role,
    questions: Mapping[str, str],
    reporter: Reporter,
    control: Control,
    resume: bool,
) -> dict[str, dict[str, Any]]:
    """Return the fields by group: what stands in the run folder, else what the students write now."""
    file = run.own_key_points_file(role.name)
    writers = _writers(run, role)
    if not processes.first():
        processes.wait_for_file(file, stop=lambda: control.stop_requested)
    kept = _read(file)
    of = {writer.name: _mark(folder) for writer, folder in writers}
    if kept and (kept.get("students") == of or (resume and run.checkpoints(role.name))):
        return kept["written"]
    written = write_key_points(writers, role, questions, reporter, control)
    if not control.stop_requested and processes.first():
        write_atomically(file, json.dumps({"students": of, "written": written}, ensure_ascii=False))
    return written


def write_key_points(
    writers: Sequence[tuple[Role, Path]],
    reader: Role,
    questions: Mapping[str, str],
    reporter: Reporter,
    control: Control,
) -> dict[str, dict[str, Any]]:
    """Return what the students `writers` write for each question, by group, only what could be read whole."""
    from training_backend.students.decoding import Student

    groups = list(questions)
    fields: dict[str, dict[str, Any]] = {group: {"question": questions[group]} for group in groups}
    for role, folder in writers:
        student = Student.load(folder)
        told = partial(reporter.progress, f"{reader.title}: key points of {role.title}")
        for task in role.tasks:
            if task.writes not in _WRITES:
                continue
            sources = [source_text(task, fields[group]) for group in groups]
            texts = student.generate(sources, told, stop=lambda: control.stop_requested)
            for group, text in zip(groups, texts, strict=True):
                fields[group] |= read_target(task, text)
    for found in fields.values():
        del found["question"]
    return {group: found for group, found in fields.items() if all(found.values())}


def _writers(run: RunFolder, role: Role) -> list[tuple[Role, Path]]:
    """Return the roles before `role` that write key points, with their finished students."""
    roles = run.method.roles
    before = [
        each for each in roles[: roles.index(role)] if any(task.writes in _WRITES for task in each.tasks)
    ]
    students = run.students()
    missing = [each.title for each in before if each.name not in students]
    if missing or not before:
        who = " and ".join(missing) or "the student before it"
        raise ConfigError(
            f"{role.title} is to learn from key points that {who} writes, which is not trained yet.",
            f"Train {who} first, or take the teacher's key points.",
            str(run.path),
        )
    return [(each, students[each.name]) for each in before]


def _mark(folder: Path) -> str:
    """Return what changes when a student is trained again."""
    state = (folder / "student.json").stat()
    return f"{state.st_mtime_ns}:{state.st_size}"


def _read(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return kept if isinstance(kept.get("written"), dict) else {}
    except (OSError, ValueError, AttributeError):
        return {}
