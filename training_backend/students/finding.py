"""Which folder holds which student: of the demo, a run, one student, or a folder for each role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_backend.errors import CheckpointError, ConfigError
from training_backend.paths import demo_students_dir
from training_backend.students.run_folder import RunFolder


def find_students(
    source: Path | str | Mapping[str, Path | str], method: str | None = None
) -> tuple[dict[str, Path], str]:
    """Return (folder of each role, key of the method) of `demo`, a run or student folder, or a mapping.

    A run that is not finished gives the newest checkpoint of each student.
    """
    if isinstance(source, Mapping):
        folders = {role: Path(folder) for role, folder in source.items()}
        key = method or next(
            (_about(folder).get("method") for folder in folders.values() if _about(folder)), None
        )
        if key is None:
            raise ConfigError("It is not known which method the students belong to.", "Name the method.")
        return folders, str(key)
    path = demo_students_dir() if str(source) == "demo" else Path(source)
    if (path / "run.json").is_file():
        run = RunFolder.open(path)
        found = run.usable_students()
        missing = [role.title for role in run.method.roles if role.name not in found]
        if missing:
            raise CheckpointError(
                f"The run has no trained student {' and '.join(missing)} yet.",
                "Wait for its first checkpoint, or train it.",
                str(path),
            )
        return found, method or run.config.method
    about = _about(path)
    if about:
        return {str(about["role"]): path}, method or str(about["method"])
    if str(source) == "demo":
        raise CheckpointError(
            "The demo students are not installed.", "Train them: kpdd make-demo-students.", str(path)
        )
    if not path.exists():
        raise CheckpointError(
            "The folder of these students is not there: it was removed, moved or renamed.",
            "Choose another folder, or: demo.",
            str(path),
        )
    raise CheckpointError(
        "This is neither a run folder nor a student: it has no run.json and no student.json.",
        "Choose the folder of a run, or: demo.",
        str(path),
    )


def _about(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and {"role", "method"} <= data.keys() else {}
