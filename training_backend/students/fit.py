"""Whether a student can carry the texts of a row: nothing lost, nothing unknown, nothing too long."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from training_backend.errors import CheckpointError
from training_backend.methods import Role, Task
from training_backend.paths import demo_students_dir
from training_backend.students.base_files import TOKENIZER, has_tokenizer, kind_of_folder
from training_backend.students.examples import TrainingRowLike, build_examples
from training_backend.students.hub_download import find_base, is_hub_id
from training_backend.students.lint import check_example
from training_backend.students.run_folder import RunFolder
from training_backend.students.text import SEQ2SEQ, StudentText

LONGEST = 512
_PLAIN = Role("student", "Student", (
    Task("extract key points", ("question",), "key_points"),
    *(Task("solve", ("question", "core_question", "information"), kind) for kind in ("pot", "cot", "eot")),
))  # fmt: skip


@dataclass(frozen=True)
class _Student:
    """One student: its tasks, its text, and how many tokens it reads and writes (the end mark included)."""

    role: Role
    text: StudentText
    longest_source: int
    longest_target: int
    kind: str = SEQ2SEQ


def fit_for(source: Path | str, longest: tuple[int, int] | None = None) -> Callable[[TrainingRowLike], str]:
    """Return what says why a row does not fit the students of `source`, or "" where it does.

    `source` is `demo`, the folder of a run or of one student, any folder with a tokenizer, or a hub id that
    is here (texts are then checked as those of KPDD, up to 512 tokens). `longest` is how many tokens they
    read and write at most, where these are not their own. CheckpointError where there is no such student.
    """
    students = _students(source)
    if longest is not None:
        students = [replace(each, longest_source=longest[0], longest_target=longest[1]) for each in students]
    for student in students:
        # several rows share a question and its key points
        student.text.check = functools.lru_cache(maxsize=4096)(student.text.check)  # type: ignore[method-assign]

    def why(row: TrainingRowLike) -> str:
        return next((found for student in students if (found := _why(student, row))), "")

    return why


def _students(source: Path | str) -> list[_Student]:
    folder = _folder(str(source))
    if (folder / "run.json").is_file():
        found = RunFolder.open(folder).usable_students()
        if not found:
            raise CheckpointError("The run has no trained student yet.", "Wait for its first checkpoint.",
                                  str(folder))  # fmt: skip
        return [_student(each) for each in found.values()]
    return [_student(folder)]


def _folder(source: str) -> Path:
    if source == "demo":
        return demo_students_dir()
    if Path(source).is_dir() or not is_hub_id(source):
        return Path(source)
    found = find_base(source)
    if found is None:
        raise CheckpointError(
            "The base student is not here yet.", "It is downloaded when a run with it starts.", source
        )
    return found


def _student(folder: Path) -> _Student:
    text = _text(folder)
    try:
        about = json.loads((folder / "student.json").read_text(encoding="utf-8"))
        tasks = tuple(Task(task["prefix"], tuple(task["reads"]), task["writes"]) for task in about["tasks"])
        role = Role(about["role"], str(about["role"]).capitalize(), tasks)
        longest = int(about["max_source_tokens"]), int(about["max_target_tokens"])
        return _Student(role, text, *longest, about.get("kind", SEQ2SEQ))
    except FileNotFoundError:
        return _Student(_PLAIN, text, LONGEST, LONGEST, kind_of_folder(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"The student's description cannot be read ({error}).",
            "Take the folder from the run that trained this student.",
            str(folder / "student.json"),
        ) from error


def _text(folder: Path) -> StudentText:
    if (folder / TOKENIZER).is_file() or not has_tokenizer(folder):
        return StudentText.for_folder(folder)
    # made by transformers, which is loaded only for this
    from training_backend.students.base_tokenizer import tokenizer_folder

    return StudentText.for_folder(tokenizer_folder(folder))


def _why(student: _Student, row: TrainingRowLike) -> str:
    limits = (student.longest_source, student.longest_target)
    for example in build_examples(student.role, [row]):
        for checked in check_example(example, student.text, *limits, student.kind):
            if why := checked.why(student.role.title):
                return why
    return ""
