"""The Teacher page: a choice becomes a command, one question is tried, a run adds up, states open rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kpdd_app.jobs import Jobs
from kpdd_app.pages.teacher import TeacherPage
from kpdd_app.pages.teacher_form import JSONL
from training_backend.commands.generate import add_arguments


@pytest.fixture
def recording(tmp_path) -> Path:
    """A recording of our own for the small project's questions: programs, two of them wrong."""
    file = tmp_path / "recorded.jsonl"
    lines = [
        {"question": f"A shelf holds {n + 2} boxes with 3 jars each. How many jars are there?",
         "core": "How many jars?", "info": f"{n + 2} boxes\n3 jars a box",
         "code": f"answer = {n + 2} * {3 if n < 10 else 5}"}
        for n in range(12)
    ]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def page(qtbot, open_project, recording):
    jobs = Jobs()
    page = TeacherPage(open_project, jobs)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: page.form.questions.count() == 3)
    yield page
    jobs.close()


def choose(page: TeacherPage, recording: Path) -> None:
    page.form.teacher.setCurrentIndex(page.form.teacher.findData(JSONL))
    page.form.recordings.setText(str(recording))
    page.form.mapping.setText("question=question,core_question=core,information=info,pot=code")


def test_the_form_shows_what_the_teacher_needs(page):
    form = page.form
    form.teacher.setCurrentIndex(form.teacher.findData("sample"))
    assert not form.form.isRowVisible(form.recordings_row)
    form.teacher.setCurrentIndex(form.teacher.findData("replay:dup"))
    assert form.form.isRowVisible(form.recordings_row)
    assert form.form.isRowVisible(form.models)
    assert not form.kinds["pot"].isEnabled()
    assert not form.check()
    assert "kind" in form.problem.text()
    form.kinds["cot"].setChecked(True)
    assert not form.check()
    assert "recordings" in form.problem.text()
    form.recordings.setText("/no/such folder")
    assert not form.check()
    assert "/no/such folder" in form.problem.text()


def test_a_choice_is_a_command_that_the_backend_reads(page, recording, tmp_path):
    import argparse

    choose(page, recording)
    page.form.questions.setCurrentIndex(2)
    page.form.paths.setValue(2)
    page.form.limit.setValue(5)
    words = page.form.arguments(tmp_path / "p.kpdd")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(words[1:])
    assert (args.teacher, args.recordings, args.paths, args.limit) == (JSONL, recording, 2, 5)
    assert (args.dataset, args.split) == page.form.questions.currentData()
    assert args.kinds == "pot"


def test_ask_one_shows_the_reply_beside_what_was_read(qtbot, page, recording):
    choose(page, recording)
    page.ask_button.click()
    qtbot.waitUntil(lambda: "answer = 2 * 3" in page.trial.raw.toPlainText())
    parsed = page.trial.parsed.toPlainText()
    assert "How many jars?" in parsed
    assert "1. 2 boxes" in parsed
    assert page.trial.question.text().startswith("A shelf holds 2 boxes")
    page.ask_button.click()
    qtbot.waitUntil(lambda: "answer = 3 * 3" in page.trial.raw.toPlainText())


def test_a_run_adds_up_and_opens_its_rows(qtbot, page, recording):
    choose(page, recording)
    page.start_button.click()
    assert page.job is not None
    assert not page.start_button.isEnabled()
    with qtbot.waitSignal(page.jobs.job_ended, timeout=40000):
        pass
    counts = page.view.counts
    assert counts["asked"] == counts["done"] + counts["failed"] + counts["waiting"] == 12
    assert counts["done"] == 12
    texts = [button.text() for button in page.view._buttons]
    assert "10  equal" in texts
    assert "2  not equal" in texts
    with qtbot.waitSignal(page.rows_wanted) as wanted:
        page.view._buttons[0].click()
    assert wanted.args[0].facets == {"verdict": frozenset({"equal"})}
    assert page.start_button.isEnabled()


def test_a_recording_that_is_missing_says_so(qtbot, page, recording, monkeypatch):
    from kpdd_app.pages import teacher

    shown: list = []
    monkeypatch.setattr(teacher.messages, "error", lambda parent, problem, *rest: shown.append(problem))
    choose(page, recording)
    recording.write_text("no json at all\n", encoding="utf-8")
    page.start_button.click()
    with qtbot.waitSignal(page.jobs.job_ended, timeout=40000):
        pass
    qtbot.waitUntil(lambda: bool(shown))
    assert "recorded.jsonl" in f"{shown[0].where} {shown[0].message}"
