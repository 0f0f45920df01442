"""Teachers, prompts, runs and replies of another project come along with its questions, once."""

from __future__ import annotations

import json

import pytest

from training_backend.events import Control
from training_backend.project import merged_teachers
from training_backend.project.merge_report import MergeReport
from training_backend.project.merging import merge_project
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project

RUN = ("d1", "Loop", "m", "", json.dumps({"prompts": {"pot": "v1"}}), "running", "", "2026-01-01", "")


@pytest.fixture
def both(tmp_path):
    with Project.create(tmp_path / "ours.kpdd") as ours, Project.create(tmp_path / "theirs.kpdd") as theirs:
        # the ids of the same questions differ
        add_questions(ours, [NewQuestion("d", "train", "own", "An own one?", "1", 1.0)])
        for project in (ours, theirs):
            add_questions(project, [NewQuestion("d", "train", str(n), f"{n} and {n}?", f"{2 * n}", 2.0 * n)
                                    for n in range(3)])  # fmt: skip
        yield ours, theirs
        assert ours.check(full=True) == []


def write(project, sql, *values):
    with project.writing() as connection:
        return connection.exec_driver_sql(sql, values).lastrowid


def read(project, sql):
    with project.reading() as connection:
        return connection.execute(sql).fetchall()


def add_run(project, line=RUN):
    return write(project, "INSERT INTO teacher_run (digest, teacher, model, folder, settings, status, "
                 "problem, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *line)  # fmt: skip


def add_request(project, run, native_id, status="done", reply=None, reason=""):
    response = reply and write(
        project, "INSERT INTO response (digest, run_id, model, prompt_version, text, money) "
        "VALUES (?, ?, 'm', 'v1', ?, 0.5)", reply, run, f"reply {reply}"
    )  # fmt: skip
    write(project, "INSERT INTO request (run_id, question_id, name, kind, status, reason, response_id) "
          "SELECT ?, id, 'pot', 'pot', ?, ?, ? FROM question WHERE native_id = ?",
          run, status, reason, response, native_id)  # fmt: skip


def add_prompt(project, version):
    write(project, "INSERT INTO prompt (name, version, content, created_at) VALUES ('pot', ?, '{}', 'then')",
          version)  # fmt: skip


def add_teacher(project, model):
    write(project, "INSERT INTO teacher (name, kind, settings) VALUES ('Loop', 'endpoint', ?)",
          json.dumps({"model": model}))  # fmt: skip


def test_an_empty_project_takes_teachers_prompts_runs_and_replies(both):
    ours, theirs = both
    add_teacher(theirs, "theirs")
    add_prompt(theirs, "v1")
    run = add_run(theirs)
    add_request(theirs, run, "0", reply="r0")
    add_request(theirs, run, "1", "failed", reply="r1", reason="refusal")
    add_request(theirs, run, "2", "waiting")
    report = merge_project(ours, theirs.path)
    assert (report.teachers, report.prompts, report.teacher_runs) == (1, 1, 1)
    assert (report.replies, report.requests) == (2, 3)
    # nobody works on it here, whatever its own project says
    assert read(ours, "SELECT digest, status FROM teacher_run") == [("d1", "stopped")]
    requests = read(
        ours, "SELECT u.native_id, q.status, q.reason, p.text, p.money FROM request AS q JOIN question AS u "
        "ON u.id = q.question_id LEFT JOIN response AS p ON p.id = q.response_id ORDER BY q.id"
    )  # fmt: skip
    assert requests == [("0", "done", "", "reply r0", 0.5), ("1", "failed", "refusal", "reply r1", 0.5),
                        ("2", "waiting", "", None, None)]  # fmt: skip
    assert merge_project(ours, theirs.path) == MergeReport()


def test_what_ours_has_stands_and_what_waits_takes_their_answer(both):
    ours, theirs = both
    for project, model in ((ours, "ours"), (theirs, "theirs")):
        add_teacher(project, model)
    our_run, their_run = add_run(ours), add_run(theirs)
    add_request(ours, our_run, "0", reply="r0")
    add_request(ours, our_run, "1", "waiting")
    add_request(theirs, their_run, "0", "failed", reason="length")
    add_request(theirs, their_run, "1", reply="r1")
    report = merge_project(ours, theirs.path)
    assert (report.teachers, report.teacher_runs, report.replies, report.requests) == (0, 0, 1, 1)
    assert read(ours, "SELECT json_extract(settings, '$.model') FROM teacher") == [("ours",)]
    assert read(ours, "SELECT status, response_id IS NOT NULL FROM request ORDER BY id") == [("done", 1)] * 2


def test_the_prompt_in_use_stays_in_use(both):
    ours, theirs = both
    for version in ("old", "mine"):
        add_prompt(ours, version)
    for version in ("old", "theirs"):
        add_prompt(theirs, version)
    assert merge_project(ours, theirs.path).prompts == 1
    versions = [version for (version,) in read(ours, "SELECT version FROM prompt ORDER BY id")]
    assert versions == ["old", "mine", "theirs", "mine"]
    assert merge_project(ours, theirs.path) == MergeReport()


def test_a_stop_among_replies_leaves_the_questions_to_the_next_merge(both, monkeypatch):
    ours, theirs = both
    run = add_run(theirs)
    for number in range(3):
        add_request(theirs, run, str(number), reply=f"r{number}")
    control = Control()
    control.stop()
    monkeypatch.setattr(merged_teachers, "CHUNK", 2)
    first = merge_project(ours, theirs.path, control=control)
    assert (first.stopped, first.replies, first.requests) == (True, 2, 0)
    rest = merge_project(ours, theirs.path)
    assert (rest.stopped, rest.replies, rest.requests) == (False, 1, 3)
    assert read(ours, "SELECT count(*) FROM request WHERE response_id IS NULL") == [(0,)]
