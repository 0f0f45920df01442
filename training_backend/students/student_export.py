"""A trained student for others: a folder that plain transformers loads, with its texts, rule and card.

LoRA's weights are added into their base student's. Before the folder stands under its name it is loaded as
anybody would load it, and its probabilities are compared with those of the student it came from.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jinja2
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError, StoreError
from training_backend.methods import KINDS, Task
from training_backend.paths import resources_dir
from training_backend.students.base_student import save_student_files
from training_backend.students.decoding import Student
from training_backend.students.examples import source_text
from training_backend.students.hf_engine import HFEngine
from training_backend.students.run_folder import replace_folder
from training_backend.students.text import SEQ2SEQ

# what the card puts into a source in place of a question's own words
_FIELDS = {
    "question": "{question}",
    "core_question": "{core question}",
    "information": ("{first}", "{second}"),
}
_WRITES = {"key_points": "core question: … information: 1. … 2. …", "core_question": "the core question",
           "information": "information: 1. … 2. …", **KINDS}  # fmt: skip
# rounding of sums in another order; a student whose outputs are scaled wrongly is off by whole units
_SAME = 1e-3


def export_student(folder: Path, out: Path, replace: bool = False) -> dict[str, Any]:
    """Write the student of `folder` to the new folder `out`; return what was written, as data.

    `replace` takes the place of another student, never of anything else. Raises ConfigError when `out` is
    taken, CheckpointError for a student that cannot be read or does not come back the same, StoreError when
    it cannot be written; then what stood at `out` before stands there still.
    """
    _free(out, replace)
    if out.resolve() == folder.resolve():
        raise ConfigError("The student cannot be exported onto itself.", "Name another folder.", str(out))
    student = Student.load(folder, "cpu")
    if not student.about:
        raise CheckpointError(
            "It is not known what this student was trained for: it has no student.json.",
            "Export the student of a run, or one of its checkpoints.",
            str(folder),
        )
    merged = (folder / "adapter_config.json").is_file()
    temporary = out.with_name(f".new-{out.name}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_student_files(temporary, student.network, student.text, folder)
        (temporary / "student.json").write_text(
            json.dumps(student.about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        (temporary / "README.md").write_text(card(student, merged), encoding="utf-8")
        difference = _prove(student, temporary)
        replace_folder(temporary, out)
    except OSError as error:
        raise StoreError(
            f"The student cannot be written ({error.strerror or error}).",
            "Check the disk and its permissions, then try again.",
            str(out),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    size = sum(file.stat().st_size for file in out.iterdir())
    return {"folder": str(out), "role": student.about.get("role", ""), "kind": student.kind, "merged": merged,
            "bytes": size, "difference": difference}  # fmt: skip


def _free(out: Path, replace: bool) -> None:
    """Raise ConfigError when something stands at `out` that is not to be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / "student.json").is_file():
        raise ConfigError("Something else stands at that place already.", "Name a new folder.", str(out))
    if not replace:
        raise ConfigError(
            "A student stands at that place already.", "Name a new folder, or replace it.", str(out)
        )


def card(student: Student, merged: bool = False) -> str:
    """Return the model card of a student: what it is for, its texts, its encoding, and how it is used."""
    about, text = student.about, student.text
    method = methods.get(str(about["method"]))
    tasks = [Task(task["prefix"], tuple(task["reads"]), task["writes"]) for task in about["tasks"]]
    seq2seq = student.kind == SEQ2SEQ
    base = str(about.get("base", ""))
    template = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined).from_string(
        _resource("card.md")
    )
    before, after = _around(student)
    return template.render(
        title=f"{str(about['role']).capitalize()} of {method.title}",
        kind=student.kind,
        hub_base=base.partition("@")[0] if base.count("/") == 1 and ":" not in base else "",
        does=" and ".join(f"writes {_short(task)}" for task in tasks),
        students={1: "only student", 2: "two students", 3: "three students"}[len(method.roles)],
        method=method,
        about=about,
        longest_source=student.max_source_tokens,
        longest_target=student.max_new_tokens,
        parameters=sum(weights.numel() for weights in student.network.parameters()),
        merged=merged,
        tasks=[
            {"source": source_text(task, _FIELDS), "writes": _WRITES.get(task.writes, task.writes)}
            for task in tasks
        ],
        rule=text.rule.to_json(),
        reader=_resource("reader.py").rstrip(),
        auto="AutoModelForSeq2SeqLM" if seq2seq else "AutoModelForCausalLM",
        example=repr(source_text(tasks[0], _FIELDS)),
        before=f"{before} + " if before else "",
        after=after,
        begin="1" if seq2seq else "ids.shape[1]",
        ends=(text.eos_id, text.pad_id),
    )


def _around(student: Student) -> tuple[list[int], list[int]]:
    """Return the ids before and after those of a source."""
    mark = student.text.encode("a")
    ids = student.source_ids("a")
    begin = next(n for n in range(len(ids)) if ids[n : n + len(mark)] == mark)
    return ids[:begin], ids[begin + len(mark) :]


def _short(task: Task) -> str:
    names = {"key_points": "key points", "core_question": "core questions", "cot": "chains of thought",
             "pot": "programs"}  # fmt: skip
    return names.get(task.writes, task.writes if task.writes != "eot" else "equations")


def _prove(student: Student, folder: Path) -> float:
    """Return by how much log-probabilities differ in what was written; CheckpointError if too much."""
    kind = AutoModelForSeq2SeqLM if student.kind == SEQ2SEQ else AutoModelForCausalLM
    written = kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    pairs = [(student.source_ids("12 boxes of 3 pens"), student.text.target_ids("ans = 12 * 3"))]
    (wanted,), (found,) = (
        HFEngine(network, student.text).score(pairs) for network in (student.network, written)
    )
    difference = float((wanted - found).abs().max())
    if not difference <= _SAME:
        raise CheckpointError(
            f"The exported student gives other probabilities (log-probabilities differ by {difference:.2g}).",
            "Export it from another checkpoint, and report this student's configuration.",
            str(folder),
        )
    return difference


def _resource(name: str) -> str:
    return (resources_dir() / "student_card" / name).read_text(encoding="utf-8")
