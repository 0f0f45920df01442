"""Several processes train one student on the curve of one process; slow, since each starts torch anew."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rows import make_rows

from training_backend.events import Log, Metrics, read_events
from training_backend.students import processes
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, RunFolder, prepare_run

REPOSITORY = Path(__file__).resolve().parents[2]


def prepared(tmp_path, lossy, name, **changes) -> RunFolder:
    settings = {
        "method": "potd", "base": f"tiny:{lossy}", "epochs": 0, "max_steps": 6, "learning_rate": 1e-3,
        "batch": 7, "held_out": 0.2, "held_out_judged": 2, "save_every": 3, "eval_every": 3, "threads": 1,
        "take": "last", "keep_checkpoints": 5,
    }  # fmt: skip
    return prepare_run(tmp_path / name, RunConfig(**{**settings, **changes}), make_rows(20))


def start(launcher: list[str], run: RunFolder, *more: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(
        [sys.executable, *launcher, "-m", "training_backend", "train", str(run.path), "--quiet", *more],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def torchrun() -> list[str]:
    return ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", free_port()]


def accelerate() -> list[str]:
    # its way to several processes without a GPU is MPI; the one for GPUs starts them here as well
    return [
        "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
        "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", free_port(),
    ]  # fmt: skip


def curve(run: RunFolder) -> dict[int, float]:
    figures = [event for event in read_events(run.events_file) if isinstance(event, Metrics)]
    assert len(figures) == len({event.step for event in figures}), "only one process may speak"
    return {event.step: event.loss for event in figures}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [torchrun, accelerate])
@pytest.mark.parametrize("packing", [False, True])
def test_two_processes_have_the_curve_of_one(tmp_path, lossy, launcher, packing):
    if launcher is accelerate and packing:
        pytest.skip("the launcher makes no difference to packing")
    alone, together = (
        prepared(tmp_path, lossy, name, packing=packing, dropout=0.0) for name in ("one", "two")
    )
    start([], alone)
    start(launcher(), together)
    wanted, found = curve(alone), curve(together)
    # quick steps are not all told: the first and the last always are
    shared = wanted.keys() & found.keys()
    assert {1, 6} <= shared
    assert all(found[step] == pytest.approx(wanted[step], abs=1e-4) for step in shared)
    assert any(isinstance(e, Log) and "in 2 processes" in e.text for e in read_events(together.events_file))
    assert together.status() == "done"
    assert [path.name for path in together.checkpoints("solve")] == ["step-3", "step-6"]
    student = json.loads((together.student_dir("solve") / "student.json").read_text())
    assert student["step"] == 6
    assert not list(together.student_dir("solve").glob("rng_state*"))


@pytest.mark.slow
def test_two_processes_resume_where_they_stopped(tmp_path, lossy):
    run = prepared(tmp_path, lossy, "run", dropout=0.1)
    start(torchrun(), run)
    wanted = curve(run)[6]
    # as if it had been stopped at step 3
    shutil.rmtree(run.checkpoints("solve")[-1])
    shutil.rmtree(run.student_dir("solve"))
    run.set_role_status(RoleStatus("solve", "stopped", 3, 6))
    run.events_file.unlink()
    start(torchrun(), run, "--resume")
    found = curve(run)
    assert min(found) == 4 and found[6] == pytest.approx(wanted, abs=1e-4)


def test_one_process_waits_for_nobody(monkeypatch):
    import torch

    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert processes.first() and processes.world() == 1
    processes.all_here()
    assert processes.most(3.0, torch.device("cpu")) == 3.0
    assert processes.told_by_first([1.0, 2.0], torch.device("cpu")) == [1.0, 2.0]


def test_a_project_is_prepared_before_several_processes_start(tmp_path, monkeypatch, capsys):
    from training_backend.__main__ import main

    monkeypatch.setenv("WORLD_SIZE", "2")
    project = tmp_path / "some.kpdd"
    project.write_bytes(b"")
    assert main(["train", str(project)]) != 0
    assert "--prepare-only" in capsys.readouterr().err
