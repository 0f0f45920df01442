"""The demo goes the whole path, says what it found, and leaves its project and run behind."""

from __future__ import annotations

import json
import time

import pytest

from training_backend.__main__ import main
from training_backend.commands import demo, make_demo_students
from training_backend.commands.demo_text import limits, trace_lines
from training_backend.errors import ConfigError
from training_backend.events import Control, Log, Metrics, Progress, Reporter
from training_backend.execution.runner import ProgramRunner
from training_backend.paths import demo_students_dir
from training_backend.students.run_folder import RoleStatus

SMALL = demo.Size(templates=3, questions=12, epochs=1.0, measured=3, max_tokens=12)


class _Heard(Reporter):
    """Keeps every event."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.heard = []

    def emit(self, event) -> None:
        self.heard.append(event)


def untrained_students(run, reporter, control, resume=False, parallel=True) -> None:
    """Leave students with random weights where training would leave its own."""
    from training_backend.students.base_student import make_tiny

    for role in run.method.roles:
        folder = run.student_dir(role.name)
        make_tiny(folder, demo_students_dir() / "tokenizer")
        about = {
            "role": role.name, "method": run.config.method, "version": 1,
            "max_source_tokens": 256, "max_target_tokens": run.config.max_target_tokens,
        }  # fmt: skip
        (folder / "student.json").write_text(json.dumps(about), encoding="utf-8")
        run.set_role_status(RoleStatus(role.name, "done", 3, 3))


def test_the_whole_path_but_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_demo_students, "train_students", untrained_students)
    monkeypatch.setattr(demo, "QUICK", SMALL)
    folder = tmp_path / "a demo"
    assert main(["demo", "--quick", "--json", "--folder", str(folder)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["rows"]["asked"] == 12 >= data["rows"]["parsed"] >= data["rows"]["equal"] > 6
    assert data["fresh"]["total"] == 3
    assert data["steps"] == {"key": "3 of 3", "solve": "3 of 3"}
    assert data["solved"]["question"] and data["limits"]["unknown_words"]

    from training_backend.project.runs import evaluations, runs
    from training_backend.project.store import Project

    with Project.open(folder / "demo.kpdd") as project:
        assert [run.folder for run in runs(project)] == [data["run_folder"]]
        assert evaluations(project)


def test_people_get_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_demo_students, "train_students", untrained_students)
    monkeypatch.setattr(demo, "QUICK", SMALL)
    monkeypatch.setenv("KPDD_HOME", str(tmp_path))
    assert main(["demo", "--quick"]) == 0
    told = capsys.readouterr()
    for words in (
        "asked",
        "parsed",
        "equal gold",
        "students trained just now",
        "What these students cannot do",
    ):
        assert words in told.out, words
    assert "--quick" in told.out
    assert "1  Sample questions" in told.err and "4  Both answer" in told.err
    assert len(list((tmp_path / "demo").iterdir())) == 1


def test_a_folder_in_use_is_refused(tmp_path, capsys):
    (tmp_path / "something").write_text("mine")
    assert main(["demo", "--folder", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["demo", "--minutes", "0", "--folder", str(tmp_path / "new")]) == 2


def test_folders_of_demos_do_not_meet(tmp_path, monkeypatch):
    monkeypatch.setenv("KPDD_HOME", str(tmp_path))
    assert demo._folder(None) != demo._folder(None)
    with pytest.raises(ConfigError):
        demo._folder(tmp_path)


def test_trace_lines_show_line_source_and_change():
    program = "total = 0\nfor day in range(2):\n    total = total + 5\nans = total"
    with ProgramRunner(workers=1) as runner, runner.trace(program) as running:
        records = list(running)
    lines = trace_lines(program, records)
    assert lines[0].split() == ["1", "total", "=", "0", "total", "=", "0"]
    assert [line for line in lines if line.startswith("  3")][-1].endswith("total = 10")
    assert lines[-1].endswith("ans = 10")
    assert sum(line.startswith("  3") for line in lines) == 2


def test_limits_name_words_that_cannot_be_read():
    found = limits()
    assert "bicycles" in found["unknown_words"]
    assert "Anna" not in found["unknown_words"]


def test_one_bar_adds_up_the_students_and_keeps_quiet_otherwise():
    heard = _Heard()
    bar = demo._OneBar(heard)
    bar.emit(Metrics("key", 10, 40, 0.5, 1.25))
    bar.emit(Metrics("solve", 5, 20, 0.5, 0.75))
    bar.emit(Progress("Key: training", 1, 40))
    bar.emit(Log("told by a child"))
    bar.emit(Log("mind this", "warning"))
    shown = [event for event in heard.heard if isinstance(event, Progress)]
    assert [(event.done, event.total) for event in shown] == [(10, 40), (15, 60)]
    assert "key 1.250" in shown[-1].text and "solve 0.750" in shown[-1].text
    assert [event.text for event in heard.heard if isinstance(event, Log)] == ["mind this"]


def test_training_ends_when_the_time_is_up_or_the_demo_is_stopped():
    outer = Control()
    assert demo._Until(outer, time.monotonic() - 1).stop_requested
    until = demo._Until(outer, time.monotonic() + 60)
    assert not until.stop_requested and not until.time_is_up
    outer.stop()
    assert until.stop_requested and not until.time_is_up


@pytest.mark.slow
def test_the_quick_demo_trains_and_takes_less_than_a_minute(tmp_path, capsys):
    began = time.monotonic()
    assert main(["demo", "--quick", "--json", "--folder", str(tmp_path / "demo")]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["training_ended_by_itself"]
    # twice the promise: tests share their machine
    assert time.monotonic() - began < 120
