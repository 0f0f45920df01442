"""Going on from an earlier checkpoint of a run: the later ones are set aside, not removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training_backend.errors import CheckpointError, ConfigError
from training_backend.students.run_folder import RunFolder

ASIDE = "aside"


def go_back(run: RunFolder, where: str) -> None:
    """Make the checkpoint `ROLE:STEP` of a run the newest of its student, so that resuming goes on from it.

    Later ones are moved to checkpoints/ROLE/aside-N. ConfigError where the words are wrong, or the student
    is at work; CheckpointError where there is no such checkpoint.
    """
    role, _, step = where.partition(":")
    if role not in [each.name for each in run.method.roles] or not step.isdigit():
        raise ConfigError(
            f"'{where}' names no checkpoint.", "Write ROLE:STEP, such as solve:200.", str(run.path)
        )
    status = run.role_status(role)
    if status.status == "running":
        raise ConfigError("This student is being trained.", "Stop the run first.", str(run.path))
    found = {int(path.name.removeprefix("step-")): path for path in run.checkpoints(role)}
    if int(step) not in found:
        there = ", ".join(map(str, found)) or "none"
        raise CheckpointError(
            f"There is no checkpoint of step {step} of the student {role} (there are: {there}).",
            "Choose one that is there.",
            str(run.checkpoints_dir(role)),
        )
    later = [path for number, path in found.items() if number > int(step)]
    if later:
        folder = _new_folder(run.checkpoints_dir(role))
        for path in later:
            path.rename(folder / path.name)
    best = status.best_step if status.best_step <= int(step) else 0
    run.set_role_status(replace(status, status="stopped", step=int(step), best_step=best, error="", pid=0))


def _new_folder(checkpoints: Path) -> Path:
    number = 1
    while (checkpoints / f"{ASIDE}-{number}").exists():
        number += 1
    folder = checkpoints / f"{ASIDE}-{number}"
    folder.mkdir()
    return folder
