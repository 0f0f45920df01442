"""Going on from an earlier checkpoint: it becomes the newest, and nothing is removed."""

from __future__ import annotations

import pytest
from rows import make_rows

from training_backend.errors import CheckpointError, ConfigError
from training_backend.students.going_back import go_back
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, prepare_run


@pytest.fixture
def run(tmp_path):
    run = prepare_run(tmp_path / "run", RunConfig(held_out=0.3), make_rows(40), "Mine")
    for step in (10, 20, 30):
        folder = run.checkpoints_dir("solve") / f"step-{step}"
        folder.mkdir(parents=True)
        (folder / "student.json").write_text("{}")
    run.set_role_status(RoleStatus("solve", "done", 30, 30, best_step=20))
    return run


def steps(run) -> list[str]:
    return [path.name for path in run.checkpoints("solve")]


def test_later_checkpoints_are_set_aside(run):
    go_back(run, "solve:10")
    assert steps(run) == ["step-10"]
    assert sorted(p.name for p in (run.checkpoints_dir("solve") / "aside-1").iterdir()) == [
        "step-20",
        "step-30",
    ]
    status = run.role_status("solve")
    assert (status.status, status.step, status.best_step) == ("stopped", 10, 0)


def test_going_back_twice_keeps_both(run):
    go_back(run, "solve:20")
    assert run.role_status("solve").best_step == 20
    go_back(run, "solve:10")
    aside = sorted(p.name for p in run.checkpoints_dir("solve").iterdir() if p.name.startswith("aside"))
    assert aside == ["aside-1", "aside-2"]


@pytest.mark.parametrize("where", ["solve", "solve:x", "nobody:10", ":10"])
def test_words_that_name_no_checkpoint_are_refused(run, where):
    with pytest.raises(ConfigError, match="names no checkpoint"):
        go_back(run, where)
    assert len(steps(run)) == 3


def test_a_step_that_is_not_there_says_which_are(run):
    with pytest.raises(CheckpointError, match="10, 20, 30"):
        go_back(run, "solve:15")
