"""`kpdd flags`: for people, for programs, with a student, and staying to follow a project."""

from __future__ import annotations

import json
import threading

import pytest

from training_backend.__main__ import main
from training_backend.commands import flags
from training_backend.events import Control, Reporter, RowsChanged
from training_backend.project import flagging
from training_backend.project.history import edit_field
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "eggs.kpdd"
    with Project.create(file) as project:
        text = "Ina has 10 eggs and eats 3. How many are left?"
        add_questions(project, [NewQuestion("eggs", "train", str(n), text, "7", 7.0, {}) for n in (1, 2)])
        origin = add_origin(project, Origin("replay", "big", "file"))
        points = KeyPoints("How many are left?", ("10 eggs", "7 are left"))
        add_replies(project, [Reply(1, "pot", 0, points, "ans = {10 - 3}", {}, "", origin, origin)])
    return file


def test_it_says_what_was_found_and_looks_only_at_what_changed(path, capsys):
    assert main(["flags", str(path)]) == 0
    told = capsys.readouterr().out
    assert "2 questions with 2 rows were looked at" in told and "1  answer in the key points" in told
    assert main(["flags", str(path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["questions"] == 0 and result["flags"]["answer_in_key_points"] == 1
    assert main(["flags", str(path), "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 2


def test_a_student_is_chosen_kept_and_let_go(path, lossy, capsys):
    assert main(["flags", str(path), "--student", str(lossy), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["student"] == str(lossy) and result["questions"] == 2
    with Project.open(path) as project:
        assert flagging.chosen_student(project) == str(lossy)
    assert main(["flags", str(path), "--student", str(lossy), "--longest", "4", "512", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["questions"] == 2 and result["flags"]["unfit_for_student"] == 1
    for wrong in ([], ["--student", "none"], ["--student", str(lossy), "--longest", "0", "9"]):
        assert main(["flags", str(path), "--longest", "4", "512", *wrong]) == 2
        assert "--longest takes two numbers of tokens" in capsys.readouterr().err
    assert main(["flags", str(path), "--student", "none", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["student"] == ""


def test_a_folder_without_a_student_is_refused_and_nothing_is_kept(path, tmp_path, capsys):
    assert main(["flags", str(path), "--student", str(tmp_path)]) == 1
    assert "tokenizer.json" in capsys.readouterr().err
    with Project.open(path) as project:
        assert flagging.chosen_student(project) == ""


@pytest.mark.expects_log_lines
def test_a_student_that_is_gone_is_said_and_the_rest_is_done(path, capsys):
    with Project.open(path) as project:
        flagging.choose_student(project, "/not/there")
    assert main(["flags", str(path)]) == 0
    told = capsys.readouterr()
    assert "not checked against a student" in told.err and "2 questions" in told.out


def test_following_looks_when_somebody_changes_the_project(path, monkeypatch):
    monkeypatch.setattr(flags, "_LOOK_S", 0.01)
    monkeypatch.setattr(flags, "_QUIET_S", 0.02)
    control = Control()
    told = threading.Semaphore(0)

    class Listening(Reporter):
        def emit(self, event):
            if isinstance(event, RowsChanged):
                told.release()

    with Project.open(path) as project, Project.open(path) as window:
        thread = threading.Thread(target=flags._follow, args=(project, Listening(quiet=True), control))
        thread.start()
        try:
            assert told.acquire(timeout=20)
            edit_field(window, 1, "information", "10 eggs")
            assert told.acquire(timeout=20)
        finally:
            control.stop()
            thread.join(20)
        assert not thread.is_alive()
        assert flagging.flag_counts(window)["answer_in_key_points"] == 0
