"""Several processes train one student on the curve of one process; slow, since each starts torch anew."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rows import make_rows

from training_backend.errors import ConfigError
from training_backend.events import HeldOut, Log, Metrics, read_events
from training_backend.paths import resources_dir
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
    assert ended.returncode == 0, ended.stderr[:6000]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def torchrun() -> list[str]:
    return ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", free_port()]


def accelerate() -> list[str]:
    config = str(resources_dir() / "cluster" / "accelerate.yaml")
    return ["-m", "accelerate.commands.launch", "--config_file", config, "--main_process_port", free_port()]


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
def test_shards_have_the_curve_of_one_process_and_resume_on_it(tmp_path, lossy):
    alone, shards = (
        prepared(tmp_path, lossy, name, dropout=0.0, micro_tokens=300) for name in ("one", "two")
    )
    start([], alone)
    start(torchrun(), shards, "--shard")
    wanted, found = curve(alone), curve(shards)
    shared = wanted.keys() & found.keys()
    assert {1, 6} <= shared
    assert all(found[step] == pytest.approx(wanted[step], abs=1e-4) for step in shared)
    looks = [
        [event.loss for event in read_events(run.events_file) if isinstance(event, HeldOut)]
        for run in (alone, shards)
    ]
    assert looks[0] == pytest.approx(looks[1], abs=1e-4) and len(looks[0]) == 2
    back_to_step_3(shards)
    start(torchrun(), shards, "--shard", "--resume")
    assert curve(shards)[6] == pytest.approx(wanted[6], abs=1e-4)


def back_to_step_3(run: RunFolder) -> None:
    """Leave the run as if it had been stopped at step 3."""
    shutil.rmtree(run.checkpoints("solve")[-1])
    shutil.rmtree(run.student_dir("solve"))
    run.set_role_status(RoleStatus("solve", "stopped", 3, 6))
    run.events_file.unlink()


@pytest.mark.slow
def test_two_processes_resume_where_they_stopped(tmp_path, lossy):
    run = prepared(tmp_path, lossy, "run", dropout=0.1)
    start(torchrun(), run)
    wanted = curve(run)[6]
    back_to_step_3(run)
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


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "only one process"),
        ({"packing": True}, "packed rows"),
        ({"optimizer": "adafactor"}, "choose adamw"),
        ({"tuning": "lora"}, "LoRA"),
    ],
)
def test_what_cannot_be_sharded_is_one_sentence(changes, why):
    from training_backend.students.sharding import require_shardable

    with pytest.raises(ConfigError, match=f"cannot be sharded: .*{why}"):
        require_shardable(RunConfig(**changes))


def test_the_files_for_clusters_are_sound():
    folder = resources_dir() / "cluster"
    config = RunConfig.load(folder / "flan-t5-xl.yaml")
    assert config.validate() == [] and config.gradient_checkpointing and config.optimizer == "adamw"
    script = folder / "train.slurm"
    subprocess.run(["bash", "-n", str(script)], check=True)
    from training_backend.commands import train

    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    assert 'train "$run" --shard "$@"' in script.read_text()
    assert parser.parse_args(["run", "--shard", "--resume"]).shard


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_slurm_stops_a_run_through_its_folder(tmp_path):
    """The script with stand-ins for Slurm's commands: its signal becomes the word `stop`, and it waits."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "scontrol").write_text("#!/bin/bash\necho node1\n")
    (tools / "srun").write_text(
        '#!/bin/bash\necho "$@" > "$WHERE/started"\n'
        'kill -TERM $PPID\nuntil [ -f "$WHERE/control" ]; do sleep 0.02; done\nexit 1\n'
    )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    slurm = {
        "NNODES": "1",
        "GPUS_ON_NODE": "4",
        "CPUS_PER_TASK": "16",
        "JOB_ID": "7",
        "JOB_NODELIST": "node1",
    }
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}", "WHERE": str(tmp_path),
        **{f"SLURM_{name}": value for name, value in slurm.items()},
    }  # fmt: skip
    script = resources_dir() / "cluster" / "train.slurm"
    ended = subprocess.run(
        ["bash", str(script), str(tmp_path), "--resume"], env=environment, timeout=30, capture_output=True
    )
    assert ended.returncode == 1, ended.stderr
    assert (tmp_path / "control").read_text() == "stop\n"
    started = (tmp_path / "started").read_text()
    assert "--nproc-per-node=4" in started and f"train {tmp_path} --shard --resume" in started


def test_a_project_is_prepared_before_several_processes_start(tmp_path, monkeypatch, capsys):
    from training_backend.__main__ import main

    monkeypatch.setenv("WORLD_SIZE", "2")
    project = tmp_path / "some.kpdd"
    project.write_bytes(b"")
    assert main(["train", str(project)]) != 0
    assert "--prepare-only" in capsys.readouterr().err
