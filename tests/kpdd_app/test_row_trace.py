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
