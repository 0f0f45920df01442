"""`kpdd train`: settings from presets, files and options, run folders, and two students side by side."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from training_backend.__main__ import main
from training_backend.events import Control, Metrics, read_events
from training_backend.project.judgements import store_judgements, to_judge
from training_backend.project.questions import NewQuestion, add_questions, questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.runs import runs
from training_backend.project.store import Project
from training_backend.rationale.judgement import Judgement
from training_backend.rationale.key_points import KeyPoints
from training_backend.students import gpu_room
from training_backend.students.base_student import make_tiny
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, RunFolder, prepare_run
from training_backend.students.waiting_runs import Waiting, WaitingRuns

FAST = ["--epochs=0", "--max-steps=2", "--batch=4", "--threads=1", "--held-out-judged=0", "--quiet"]


@pytest.fixture
def project(tmp_path):
    """Return a project file with twelve rows that equal gold."""
    file = tmp_path / "my project.kpdd"
    with Project.create(file) as project:
        new = [
            NewQuestion(
                "mine", "train", str(n), f"Tom has {n} boxes of 2 pens. How many pens?", str(2 * n), 2.0 * n
            )
            for n in range(1, 13)
        ]
        add_questions(project, new)
        origin = add_origin(project, Origin("test", "none", "written by hand"))
        points = KeyPoints("How many pens?", ("2 pens a box",))
        add_replies(
            project,
            [
                Reply(q.id, "pot", 1, points, f"ans = 2 * {q.native_id}", {}, "", origin, origin)
                for q in questions(project)
            ],
        )
        store_judgements(
            project,
            [(row, Judgement("equal", "ok", str(gold), gold)) for row, _, _, gold in to_judge(project)],
        )
    return file


def test_project_to_students(project, lossy, capsys):
    base = ["--method", "kpdd-pot", "--base", f"tiny:{lossy}"]
    status = main(["train", str(project), *base, *FAST, "--json"])
    data = json.loads(capsys.readouterr().out)
    assert status == 0 and data["status"] == "done"
    run = RunFolder.open(data["run_folder"])
    assert run.path.parent.name == "my project.runs"
    assert sorted(run.students()) == ["key", "solve"]
    assert run.config.max_steps == 2
    with Project.open(project) as opened:
        (entry,) = runs(opened)
    assert entry.method == "kpdd-pot" and entry.status == "done"
    assert any(isinstance(event, Metrics) for event in read_events(run.events_file))


def test_prepared_then_trained_elsewhere(project, lossy, tmp_path, capsys):
    base = ["--method", "potd", "--base", f"tiny:{lossy}"]
    assert main(["train", str(project), *base, *FAST, "--prepare-only", "--json"]) == 0
    folder = json.loads(capsys.readouterr().out)["run_folder"]
    assert RunFolder.open(folder).status() == "prepared"
    moved = tmp_path / "elsewhere"
    RunFolder.open(folder).path.rename(moved)
    assert main(["train", str(moved), "--quiet"]) == 0
    assert RunFolder.open(moved).status() == "done"


def test_all_mistakes_of_the_options_at_once(project, capsys):
    arguments = ["--method", "magic", "--batch", "many", "--held-out", "2", "--precision", "fp16"]
    assert main(["train", str(project), *arguments]) == 2
    said = capsys.readouterr().err
    assert all(
        word in said
        for word in ("--method: there is no 'magic'", "--batch: 'many'", "--held-out: 2", "overflows")
    )
    assert not project.with_suffix(".runs").exists()


def test_preset_file_and_option_win_in_this_order(project, tmp_path, lossy, capsys):
    file = tmp_path / "settings.yaml"
    file.write_text("batch: 5\nlearning_rate: 0.01\n")
    arguments = [
        "--preset",
        "kpdd-paper",
        "--config",
        str(file),
        "--learning-rate",
        "0.02",
        "--base",
        f"tiny:{lossy}",
    ]
    assert main(["train", str(project), *arguments, "--prepare-only", "--json", "--quiet"]) == 0
    config = RunFolder.open(json.loads(capsys.readouterr().out)["run_folder"]).config
    assert (config.learning_rate, config.batch, config.epochs) == (0.02, 5, 10.0)


def test_the_queue_runs_without_a_window(project, lossy, capsys):
    queue = WaitingRuns(project)
    made = ["train", str(project), "--method", "potd", "--base", f"tiny:{lossy}", *FAST]
    refused = [*made, "--base", "nope"]
    queue.change(lambda _: [Waiting("good", [*made, "--title", "good"]), Waiting("bad", refused)])
    assert main(["train", "--queue", str(project)]) == 1
    said = capsys.readouterr().err
    assert "good: begins, 1 more wait." in said and "good: done." in said
    assert "bad could not start: There is no base student 'nope'" in said
    assert [run.title for run in queue.read()] == ["bad"]
    with Project.open(project) as opened:
        assert [(run.title, run.status) for run in runs(opened)] == [("good", "done")]
    queue.take()
    assert main(["train", str(project), "--queue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"runs": [], "waiting": 0}
    assert main(["train", str(project), "--queue", "--batch", "3"]) == 2
    assert "--queue alone" in capsys.readouterr().err


def test_prepared_runs_keep_their_settings(tmp_path, lossy, rows_of_students, capsys):
    run = prepare_run(tmp_path / "run", RunConfig(base=f"tiny:{lossy}"), rows_of_students)
    assert main(["train", str(run.path), "--batch", "3"]) == 1
    assert "keeps its settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, said",
    [
        (["--role", "nobody"], "no student called 'nobody'"),
        (["--resume"], "no checkpoint to go on from"),
        (["--resume-from", "solve:2"], "no checkpoint to go on from"),
        (["--shard"], "--prepare-only first"),
        (["--base", "random:flan-t5-large:TOKENIZER"], "has 8.0 GiB of memory, this run needs 10."),
    ],
)
def test_what_a_new_run_cannot_do_makes_no_run(project, lossy, options, said, capsys, monkeypatch):
    memory = SimpleNamespace(total=8 * 2**30)
    monkeypatch.setattr(gpu_room.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    options = [word.replace("TOKENIZER", str(lossy)) for word in options]
    # only a name that no method has is wrong whatever the project and the machine are
    status = 2 if "nobody" in options else 1
    assert main(["train", str(project), "--base", f"tiny:{lossy}", *FAST, *options]) == status
    assert said in capsys.readouterr().err
    assert not project.with_suffix(".runs").exists()


def test_settings_for_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["train", str(tmp_path), "--base", "tiny"]) == 1
    assert "no run folder" in capsys.readouterr().err


def test_checkpoints_are_not_begun_over(tmp_path, lossy, rows_of_students, capsys):
    run = prepare_run(tmp_path / "a run", RunConfig(base=f"tiny:{lossy}", method="potd"), rows_of_students)
    checkpoint = run.checkpoints_dir("solve") / "step-40"
    checkpoint.mkdir(parents=True)
    (checkpoint / "student.json").write_text("{}")
    before = sorted(run.path.rglob("*"))
    assert main(["train", str(run.path), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "holds checkpoints already (solve, step 40)" in said and "--resume" in said
    assert sorted(run.path.rglob("*")) == before


@pytest.mark.parametrize("more", [[], ["--resume"], ["--resume-from", "solve:40"]])
def test_a_run_at_work_is_not_disturbed_by_a_second_start(tmp_path, lossy, rows_of_students, more, capsys):
    run = prepare_run(tmp_path / "a run", RunConfig(base=f"tiny:{lossy}", method="potd"), rows_of_students)
    for step in (40, 80):
        (run.checkpoints_dir("solve") / f"step-{step}").mkdir(parents=True)
        (run.checkpoints_dir("solve") / f"step-{step}" / "student.json").write_text("{}")
    run.events_file.write_text("")
    (run.path / "control").write_text("stop")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run.set_role_status(RoleStatus("solve", "running", 80, 800, pid=other.pid, host=platform.node()))
        before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
        assert main(["train", str(run.path), "--quiet", *more]) == 1
        other.communicate(b"\n")
    assert f"being trained already (process {other.pid})" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_stopped_run_says_how_to_go_on(tmp_path, lossy, rows_of_students, capsys, monkeypatch):
    config = RunConfig(base=f"tiny:{lossy}", method="potd", epochs=0, max_steps=2, batch=4, held_out=0)
    run = prepare_run(tmp_path / "a run", config, rows_of_students)
    monkeypatch.setattr(Control, "stop_requested", property(lambda self: True))
    run.set_role_status(RoleStatus("solve", status="stopped", step=1, total_steps=2))
    assert main(["train", str(run.path), "--quiet"]) == 1
    assert f"kpdd train '{run.path}' --resume" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["nowhere", "empty"])
def test_no_run_folder(tmp_path, what, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["train", str(tmp_path / what)]) == 1
    assert "no run.json" in capsys.readouterr().err


def test_project_without_rows(tmp_path, capsys):
    file = tmp_path / "none.kpdd"
    Project.create(file).close()
    assert main(["train", str(file), "--base", "tiny", "--quiet"]) == 1
    assert "holds no questions" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir() if not entry.name.startswith(".")] == ["none.kpdd"]


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("nope", "no base student 'nope'"),
        ("half", "config.json"),
        ("random:flan-t5-tiny:half", "names no random student"),
        ("tiny:half", "no tokenizer.json"),
        ("nobody/nothing", "not here, and nothing is downloaded, as HF_HUB_OFFLINE is set"),
    ],
)
def test_a_base_that_is_not_here_makes_no_run(project, base, said, capsys, monkeypatch):
    monkeypatch.chdir(project.parent)
    (project.parent / "half").mkdir()
    assert main(["train", str(project), "--base", base, "--quiet"]) == 1
    assert said in capsys.readouterr().err
    assert not (project.parent / "my project.runs").exists()
    with Project.open(project) as opened:
        assert runs(opened) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dataset", "Mina"], "no data set 'Mina'. It has: mine. Did you mean 'mine'?"),
        (["--dataset", "gsm8k"], "no data set 'gsm8k'. It has: mine.\n"),
        (
            ["--dataset", "mine", "--split", "test"],
            "The data set 'mine' has no split 'test'. It has: train.\n",
        ),
        (["--split", "trian"], "The project has no split 'trian'. It has: train. Did you mean 'train'?"),
        (["--method", "eotd"], "There is no row that Solve could learn from (0 rows, 0 examples)"),
    ],
)
def test_rows_that_are_not_there_are_told_before_the_base_is_fetched(project, options, said, capsys):
    assert main(["train", str(project), "--base", "nobody/nothing", "--quiet", *options]) == 1
    assert said in capsys.readouterr().err
    assert not project.with_suffix(".runs").exists()


@pytest.mark.parametrize("where", ["run_folder.write_atomically", "project"])
def test_half_a_run_is_not_left_behind(project, lossy, where, monkeypatch, capsys):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file")

    name = "project.runs.add_run" if where == "project" else f"students.{where}"
    monkeypatch.setattr(f"training_backend.{name}", full)
    assert main(["train", str(project), "--base", f"tiny:{lossy}", *FAST]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list((project.parent / "my project.runs").iterdir()) == []


@pytest.fixture
def wide(tmp_path, lossy):
    """Return the folder of a base student whose configuration is that of another."""
    folder = tmp_path / "wide"
    make_tiny(folder, lossy)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"d_model": 160}))
    return folder


def test_weights_that_do_not_fit_make_no_run(project, wide, lossy, capsys):
    assert main(["train", str(project), "--base", str(wide), *FAST]) == 1
    said = capsys.readouterr().err
    assert "128 × 128 in the weights and 128 × 160 by config.json" in said and said.count("\n") == 1
    assert not (project.parent / "my project.runs").exists()
    with Project.open(project) as opened:
        assert runs(opened) == []


def test_no_student_of_a_run_begins_while_the_base_of_another_is_broken(
    tmp_path, wide, lossy, rows_of_students, capsys
):
    base = prepare_run(tmp_path / "base run", RunConfig(base=f"tiny:{lossy}"), rows_of_students)
    make_tiny(base.student_dir("key"), lossy)
    wide.rename(base.student_dir("solve"))
    for role in ("key", "solve"):
        (base.student_dir(role) / "student.json").write_text("{}")
    run = prepare_run(tmp_path / "a run", RunConfig(base=str(base.path)), rows_of_students)
    assert main(["train", str(run.path), "--quiet"]) == 1
    assert "by config.json" in capsys.readouterr().err
    assert run.role_status("key").status == "prepared" and not run.checkpoints_dir("key").exists()


def test_a_prepared_run_with_impossible_settings_does_not_begin(tmp_path, lossy, rows_of_students, capsys):
    run = prepare_run(tmp_path / "run", RunConfig(base=f"tiny:{lossy}"), rows_of_students)
    file = run.path / "config.yaml"
    file.write_text(file.read_text().replace("batch: 32", "batch: -3").replace("auto", "fp16"))
    assert main(["train", str(run.path), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert f"{file}: " in said and "batch: -3 is below 1" in said and "overflows in fp16" in said
    assert not (run.path / "checkpoints").exists()


def test_damaged_texts_make_no_run_unless_they_are_to_be_left_out(project, closed, capsys):
    base = ["--method", "potd", "--base", f"tiny:{closed}"]
    assert main(["train", str(project), *base, *FAST]) == 1
    said = capsys.readouterr().err
    assert "12 rows would reach the student Solve damaged" in said and "vocabulary lacks" in said
    assert not (project.parent / "my project.runs").exists()
    # nothing is left to learn from: that is refused as well
    assert main(["train", str(project), *base, *FAST, "--damaged", "leave out"]) == 1
    assert "None of the 12 examples fits the student Solve" in capsys.readouterr().err


@pytest.mark.slow
def test_two_students_side_by_side(tmp_path, lossy, rows_of_students):
    config = RunConfig(base=f"tiny:{lossy}", epochs=0, max_steps=4, batch=4, held_out=0)
    run = prepare_run(tmp_path / "run", config, rows_of_students)
    done = subprocess.run(
        [sys.executable, "-m", "training_backend", "train", str(run.path), "--parallel-roles", "--json"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    events = read_events(run.events_file)
    assert {event.role for event in events if isinstance(event, Metrics)} == {"key", "solve"}
    assert sum(event.event == "started" for event in events) == 1
    assert events[-1].event == "ended"
