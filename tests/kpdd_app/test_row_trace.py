"""A row becomes a recording: its texts at once, then the trace of its program and the answer."""

from __future__ import annotations

from kpdd_app.jobs import Jobs
from kpdd_app.pages.solve import SolvePage
from kpdd_app.row_trace import row_recording
from training_backend.project.details import row_detail
from training_backend.project.replies import Reply, add_replies


def test_a_row_stands_there_before_it_runs(open_project):
    recording = row_recording(row_detail(open_project.project, 1))
    assert [stage.role for stage in recording.stages] == ["key", "solve"]
    assert recording.stages[0].text == (
        "core question: How many jars are there? information: 1. There are 2 boxes. 2. A box has 3 jars."
    )
    assert recording.program == "boxes = 2\njars = boxes * 3\nanswer = jars"
    assert (recording.gold, recording.kind, len(recording.trace)) == (6.0, "pot", 0)


def test_a_chain_of_thought_is_walked_by_its_checked_sums(qtbot, open_project, monkeypatch):
    monkeypatch.setattr(SolvePage, "_load", lambda self: None)
    add_replies(
        open_project.project, [Reply(12, "cot", 0, None, "2 + 3 = 6. Then 13 * 3 = 39. The answer is 39.")]
    )
    with open_project.project.reading() as connection:
        (row_id,) = connection.execute("SELECT id FROM row WHERE kind = 'cot'").fetchone()
    jobs = Jobs()
    page = SolvePage(open_project, jobs)
    qtbot.addWidget(page)
    try:
        page.trace_row(row_detail(open_project.project, row_id))
        assert page.recording.over and page.recording.answer.equal is True
        assert [step.holds for step in page.recording.checks] == [False, True]
        assert not jobs.running()
        page.player.slider.setValue(page.recording.length)
        assert page.columns.run.answer.number.text() == "39"
    finally:
        page.leave()
        jobs.close()


def test_its_program_is_traced_on_the_solve_page(qtbot, open_project, monkeypatch):
    monkeypatch.setattr(SolvePage, "_load", lambda self: None)
    jobs = Jobs()
    page = SolvePage(open_project, jobs)
    qtbot.addWidget(page)
    try:
        page.trace_row(row_detail(open_project.project, 1))
        qtbot.waitUntil(lambda: page.recording.answer is not None, timeout=30000)
        assert page.recording.answer.equal is True
        assert len(page.recording.trace) >= 3
    finally:
        page.leave()
        jobs.close()


def test_the_program_of_a_row_is_stopped_by_the_button_and_by_another_row(qtbot, open_project, monkeypatch):
    monkeypatch.setattr(SolvePage, "_load", lambda self: None)
    endless = "n = 0\nwhile True:\n    n += 1"
    add_replies(open_project.project, [Reply(12, "pot", 0, None, endless)])
    with open_project.project.reading() as connection:
        (row_id,) = connection.execute("SELECT id FROM row WHERE question_id = 12").fetchone()
    jobs = Jobs()
    page = SolvePage(open_project, jobs)
    qtbot.addWidget(page)
    stop = page.question.stop_button
    try:
        page.trace_row(row_detail(open_project.project, row_id))
        recording = page.recording
        assert not stop.isHidden()
        qtbot.waitUntil(lambda: len(recording.trace) > 0, timeout=30_000)
        stop.click()
        assert recording.over and recording.answer is None and stop.isHidden()
        # it hears that at once: its time is not waited for, and nothing of it comes any more
        steps = len(recording.trace)
        qtbot.waitUntil(lambda: not jobs.running(), timeout=30_000)
        assert len(recording.trace) == steps and recording.answer is None

        page.trace_row(row_detail(open_project.project, row_id))
        (job,) = jobs.running()
        left = page.recording
        page.trace_row(row_detail(open_project.project, 1))
        assert left.over and job.status == "stopping"
        qtbot.waitUntil(lambda: page.recording.answer is not None, timeout=30_000)
        assert page.recording.answer.equal is True and left.answer is None and stop.isHidden()
    finally:
        page.leave()
        jobs.close()
