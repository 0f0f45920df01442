"""A run folder: everything one training run needs and leaves behind, so that any machine can run and read it.

run.json                        what it is: method, title, counts, versions, hash of the examples
config.yaml                     the settings
events.jsonl                    what happened; tensorboard/<role> has the same figures
examples/<role>.train.jsonl     the exact texts; examples/<role>.held_out.jsonl those kept from training
checkpoints/<role>/step-N/      loadable students with what resuming needs
checkpoints/<role>/status.json  running, stopped, failed or done; step; best step
students/<role>/                the finished student
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError, DatasetError
from training_backend.paths import demo_students_dir
from training_backend.students.examples import (
    Example,
    TrainingRowLike,
    build_examples,
    read_examples,
    split_examples,
    write_examples,
)
from training_backend.students.run_config import RunConfig

VERSION = 1
# a run on another machine that said nothing for so long is taken for ended
SILENT_S = 1800.0
STATUSES = ("prepared", "running", "stopped", "interrupted", "failed", "done")
_STEP = re.compile(r"step-(\d+)")


@dataclass(frozen=True)
class RoleStatus:
    """Where the training of one student stands; `status` is one of STATUSES."""

    role: str
    status: str
    step: int = 0
    total_steps: int = 0
    best_step: int = 0
    best_score: float | None = None
    error: str = ""
    pid: int = 0
    host: str = ""


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path, about: dict[str, Any], config: RunConfig) -> None:
        """Hold the folder, the content of `run.json` and the settings."""
        self.path = path
        self.about = about
        self.config = config

    @classmethod
    def open(cls, folder: Path | str) -> RunFolder:
        """Open a run folder; ConfigError or CheckpointError names the file that is missing or unreadable."""
        path = Path(folder)
        file = path / "run.json"
        if not file.is_file():
            raise CheckpointError(
                "This is no run folder: it has no run.json.",
                "Choose the folder of a run, such as NAME.runs/<date>-<method>-<n>.",
                str(path),
            )
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
            version = int(about["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                "What the run is cannot be read: the file is damaged.", "Prepare the run again.", str(file)
            ) from error
        if version > VERSION:
            raise CheckpointError(
                f"The run has version {version}, this program reads {VERSION}.",
                "Install a newer version of the program.",
                str(file),
            )
        return cls(path, about, RunConfig.load(path / "config.yaml"))

    @property
    def method(self) -> methods.Method:
        """Return the method of the run."""
        return methods.get(self.config.method)

    @property
    def title(self) -> str:
        """Return the run's name for people."""
        return str(self.about.get("title") or self.path.name)

    @property
    def events_file(self) -> Path:
        """Return the file of what happened."""
        return self.path / "events.jsonl"

    def examples_file(self, role: str, part: str = "train") -> Path:
        """Return the examples of a role; `part` is train or held_out."""
        return self.path / "examples" / f"{role}.{part}.jsonl"

    def own_key_points_file(self, role: str) -> Path:
        """Return the key points that the run's own students wrote for `role` to be trained on."""
        return self.path / "examples" / f"{role}.own_key_points.json"

    def checkpoints_dir(self, role: str) -> Path:
        """Return the folder of a role's checkpoints."""
        return self.path / "checkpoints" / role

    def student_dir(self, role: str) -> Path:
        """Return the folder of a role's finished student."""
        return self.path / "students" / role

    def students(self) -> dict[str, Path]:
        """Return the finished students that exist, by role, in the order in which they work."""
        found = {role.name: self.student_dir(role.name) for role in self.method.roles}
        return {name: folder for name, folder in found.items() if (folder / "student.json").is_file()}

    def usable_students(self) -> dict[str, Path]:
        """Return for each role its finished student, else its newest checkpoint, else nothing."""
        found = self.students()
        for role in self.method.roles:
            if role.name not in found:
                steps = self.checkpoints(role.name)
                if steps:
                    found[role.name] = steps[-1]
        return {role.name: found[role.name] for role in self.method.roles if role.name in found}

    def checkpoints(self, role: str) -> list[Path]:
        """Return a role's complete checkpoints, oldest first."""
        folder = self.checkpoints_dir(role)
        found = [
            (int(match.group(1)), path)
            for path in (folder.iterdir() if folder.is_dir() else ())
            if (match := _STEP.fullmatch(path.name)) and (path / "student.json").is_file()
        ]
        return [path for _, path in sorted(found)]

    def require_unbegun(self, roles: Iterable[str]) -> None:
        """Raise ConfigError where a role holds checkpoints: no forgotten --resume costs hours of work."""
        there = [
            f"{role}, step {checkpoints[-1].name.removeprefix('step-')}"
            for role in roles
            if (checkpoints := self.checkpoints(role))
        ]
        if there:
            raise ConfigError(
                f"This run holds checkpoints already ({'; '.join(there)}).",
                "Add --resume to go on (--resume-from ROLE:STEP from an earlier one) or prepare another run.",
                str(self.path),
            )

    def require_free(self, roles: Iterable[methods.Role]) -> None:
        """Raise ConfigError where another process trains one of the students."""
        for role in roles:
            at = self.role_status(role.name)
            if at.status == "running" and (at.pid, at.host) != (os.getpid(), platform.node()):
                where = f" on {at.host}" if at.host not in ("", platform.node()) else ""
                raise ConfigError(
                    f"The student {role.title} of this run is being trained already "
                    f"(process {at.pid}{where}).",
                    "Wait for it or stop it, then resume; or prepare another run.",
                    str(self.path),
                )

    def role_status(self, role: str) -> RoleStatus:
        """Return where the training of a role stands; a dead process that left `running` is `interrupted`."""
        file = self.checkpoints_dir(role) / "status.json"
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            status = RoleStatus(**data)
        except (OSError, ValueError, TypeError):
            status = RoleStatus(role, "prepared")
        if status.status == "running" and not self._at_work(status):
            return RoleStatus(**{**status.__dict__, "status": "interrupted"})
        return status

    def _at_work(self, status: RoleStatus) -> bool:
        """Tell whether the process of a run is alive; of another machine's, by its last words."""
        file = self.checkpoints_dir(status.role) / "status.json"
        try:
            if status.host in ("", platform.node()):
                return _alive(status.pid, file.stat().st_mtime)
            return time.time() - self.events_file.stat().st_mtime < SILENT_S
        except OSError:
            return False

    def set_role_status(self, status: RoleStatus) -> None:
        """Write where a role stands (atomically: a reader never sees half a file)."""
        folder = self.checkpoints_dir(status.role)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "status.json", json.dumps(status.__dict__))

    def status(self) -> str:
        """Return the status of the whole run: the least finished of its students says it."""
        found = {self.role_status(role.name).status for role in self.method.roles}
        if found == {"done"}:
            return "done"
        for word in ("running", "failed", "interrupted", "stopped"):
            if word in found:
                return word
        return "prepared" if "done" not in found else "stopped"


def prepare_run(
    folder: Path, config: RunConfig, rows: Iterable[TrainingRowLike], title: str = "", source: str = ""
) -> RunFolder:
    """Make a run folder with its examples, ready for `train RUN_FOLDER` on any machine.

    `source` says where the rows came from. Raises ConfigError with every mistake of the settings, and
    DatasetError when a student would have nothing to learn from.
    """
    config.require_valid()
    method = methods.get(config.method)
    rows = list(rows)
    if folder.exists() and any(folder.iterdir()):
        raise _not_empty(folder)
    parts = parted_examples(config, rows)
    counts = {name: {"train": len(train), "held_out": len(held)} for name, (train, held) in parts.items()}
    run = RunFolder(folder, {}, config)
    run.about = {
        "version": VERSION,
        "title": title or f"{method.title}, {base_title(config.base)}",
        "method": method.key,
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "source": source,
        "rows": len(rows),
        "examples": counts,
        "tasks": {role.name: [task.prefix for task in role.tasks] for role in method.roles},
        "versions": _versions(),
    }
    try:
        (folder / "examples").mkdir(parents=True)
    except FileExistsError:
        # another start took the name meanwhile: nothing of its run may be touched
        raise _not_empty(folder) from None
    try:
        _write_run(run, parts)
    except BaseException:
        # a full disk, or a stop: half a run is none
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return run


def _not_empty(folder: Path) -> ConfigError:
    return ConfigError("The run folder is not empty.", "Choose another name.", str(folder))


def _write_run(run: RunFolder, parts: Mapping[str, tuple[list[Example], list[Example]]]) -> None:
    """Write the files of a new run; run.json, by which a folder is known for a run, is the last."""
    digest = hashlib.sha256()
    for name, (train, held) in parts.items():
        for part, examples in (("train", train), ("held_out", held)):
            file = run.examples_file(name, part)
            write_examples(file, examples)
            digest.update(file.read_bytes())
    run.config.save(run.path / "config.yaml")
    run.about["examples_sha256"] = digest.hexdigest()
    write_atomically(run.path / "run.json", json.dumps(run.about, ensure_ascii=False, indent=1) + "\n")


def parted_examples(
    config: RunConfig, rows: Sequence[TrainingRowLike]
) -> dict[str, tuple[list[Example], list[Example]]]:
    """Return (train, held out) examples for each student; DatasetError where one has none to learn from."""
    method = methods.get(config.method)
    parts: dict[str, tuple[list[Example], list[Example]]] = {}
    for role in method.roles:
        examples = build_examples(role, rows)
        train, held = split_examples(examples, config.held_out, config.seed)
        if not train:
            wants = " and ".join(sorted({task.writes.replace("_", " ") for task in role.tasks}))
            raise DatasetError(
                f"There is no row that {role.title} could learn from "
                f"({len(rows)} rows, {len(examples)} examples).",
                f"{method.title} needs rows with {wants}, equal to gold or accepted by a person.",
            )
        parts[role.name] = (train, held)
    return parts


def base_run(base: str) -> Path | None:
    """Return the run folder that a base student names (`demo` or a folder with run.json), else None."""
    if base == "demo":
        return demo_students_dir()
    folder = Path(base).expanduser()
    return folder if base and (folder / "run.json").is_file() else None


def student_of_run(run: Path, role: str) -> Path:
    """Return the student of a run from which the student `role` of another run goes on.

    CheckpointError where `run` is none; ConfigError where it has no student of that role.
    """
    found = RunFolder.open(run).usable_students()
    if role not in found:
        raise ConfigError(
            f"The run has no student '{role}' to go on from"
            + (f", only {' and '.join(found)}." if found else "."),
            "Choose the method whose students the run holds, or another base student.",
            str(run),
        )
    return found[role]


def base_title(base: str) -> str:
    """Return a base student's name for a title.

    >>> base_title("random:flan-t5-small:/data/t5"), base_title("/data/students/key"), base_title("demo")
    ('random flan-t5-small', 'key', 'demo students')
    """
    if base == "demo":
        return "demo students"
    if base.startswith("random:"):
        return f"random {base.split(':')[1]}"
    if base.startswith("tiny"):
        return "tiny"
    return base if base.count("/") == 1 and not Path(base).exists() else Path(base).name


def new_run_folder(runs: Path, method: str, today: datetime.date | None = None) -> Path:
    """Return a path for a new run, `<date>-<method>-<n>`, not made yet."""
    day = (today or datetime.date.today()).isoformat()
    number = 1
    while (runs / f"{day}-{method}-{number}").exists():
        number += 1
    return runs / f"{day}-{method}-{number}"


def write_atomically(file: Path, text: str) -> None:
    """Write a small file so that a reader sees the old or the new content, never half."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def replace_folder(temporary: Path, final: Path) -> None:
    """Put a completely written folder in the place of `final`; an old one is removed only afterwards."""
    old = final.with_name(f".old-{final.name}")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    temporary.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def read_role_examples(run: RunFolder, role: str) -> tuple[list, list]:
    """Return (train, held out) examples of a role."""
    held_file = run.examples_file(role, "held_out")
    return (
        read_examples(run.examples_file(role)),
        read_examples(held_file) if held_file.exists() else [],
    )


def _alive(pid: int, written: float) -> bool:
    """Tell whether the process that wrote a status at `written` (Unix seconds) is still there."""
    if pid <= 0:
        return False
    import psutil

    try:
        process = psutil.Process(pid)
        # a number is given again: who began later is another
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written + 2
    except psutil.Error:
        return False


def _versions() -> dict[str, str]:
    found = {}
    for name in ("kpdd-studio", "torch", "transformers", "accelerate", "tokenizers", "safetensors"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
