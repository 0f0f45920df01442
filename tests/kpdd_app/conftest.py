"""What the tests of the window share: no screen, a home of their own, and jobs over a small fake command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FAKE_COMMAND = Path(__file__).parent / "fake_command.py"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KPDD_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def fake_jobs(qtbot):
    """Jobs whose command is the fake one; closed at the end, so that no child outlives a test."""
    from kpdd_app.jobs import Jobs

    jobs = Jobs(command=[sys.executable, str(FAKE_COMMAND)], grace_s=0.6)
    yield jobs
    jobs.close(stop_detached=True)


@pytest.fixture
def small_project(tmp_path):
    """Return a project file of 12 questions of our own: some programs wrong, one broken, one not asked."""
    from training_backend.project.judgements import store_judgements, to_judge
    from training_backend.project.questions import NewQuestion, add_questions, questions
    from training_backend.project.replies import Origin, Reply, add_origin, add_replies
    from training_backend.project.store import Project
    from training_backend.rationale.judgement import Judgement
    from training_backend.rationale.key_points import KeyPoints

    path = tmp_path / "small project.kpdd"
    with Project.create(path) as project:
        add_questions(project, [
            NewQuestion("shelf", "train" if n < 9 else "test", f"q{n}",
                        f"A shelf holds {n + 2} boxes with 3 jars each. How many jars are there?",
                        str(3 * (n + 2)), 3.0 * (n + 2))
            for n in range(12)
        ])  # fmt: skip
        origin = add_origin(project, Origin("tester", "model-1", "test"))
        replies = [
            Reply(question.id, "pot", path_number,
                  KeyPoints("How many jars are there?", (f"There are {n + 2} boxes.", "A box has 3 jars.")),
                  f"boxes = {n + 2}\njars = boxes * {4 if n == 1 else 3}\nanswer = jars",
                  {"pot": "raw reply"},
                  key_points_origin=origin, rationale_origin=origin)
            for n, question in enumerate(questions(project)) if n < 11
            for path_number in ((0, 1) if n < 2 else (0,))
        ]  # fmt: skip
        add_replies(project, replies)
        store_judgements(project, [
            (row_id, Judgement("raised", "raised", "", None, error="NameError: name 'x'", error_line=2)
             if n == 4 else Judgement("not_equal", "ok", "12", 12.0) if "* 4" in text
             else Judgement("equal", "ok", f"{gold:g}", gold, elapsed_ms=2.0))
            for n, (row_id, kind, text, gold) in enumerate(to_judge(project))
        ])  # fmt: skip
    return path


@pytest.fixture
def open_project(qtbot, small_project):
    """Return an OpenProject with the small project open."""
    from kpdd_app.open_project import OpenProject

    project = OpenProject()
    project.open(small_project)
    yield project
    project.shut_down()
