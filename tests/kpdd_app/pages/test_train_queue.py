"""Runs that wait, are compared, go on from a checkpoint, are killed, or come from elsewhere."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from kpdd_app.followed_run import note_death
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train import TrainPage
from kpdd_app.pages.train_checkpoints import CheckpointsDialog
from kpdd_app.widgets.job_bar import JobBar
from kpdd_app.widgets.live_plot import LOSS
from training_backend.events import Ended, Failed, read_events
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, RunFolder

TRAINING = [sys.executable, str(Path(__file__).parents[1] / "fake_training.py")]
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(train_window):
    return train_window


def start(qtbot, page, title: str) -> None:
    page.form.title.setText(title)
    qtbot.mouseClick(page.form.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.folder is not None, timeout=15_000)


def choose_base(form, base: str) -> None:
    number = form.base.box.findData(base)
    form.base.box.setCurrentIndex(number)
    form.base.box.activated.emit(number)


def statuses(page) -> dict[str, str]:
    return {entry.title: entry.status for entry in page.runs.entries()}


def enqueue(qtbot, page, title: str) -> None:
    page.form.title.setText(title)
    qtbot.mouseClick(page.form.side.queue, Qt.MouseButton.LeftButton)


def test_runs_that_wait_start_one_after_the_other(window, qtbot):
    start(qtbot, window, "endless")
    enqueue(qtbot, window, "second")
    enqueue(qtbot, window, "third")
    assert [run.title for run in window.queue.waiting] == ["second", "third"]
    assert window.side.waiting.isVisible() and window.form.side.start.text() == "Train beside it"
    window.side.waiting.list.setCurrentRow(1)
    qtbot.mouseClick(window.side.waiting.up, Qt.MouseButton.LeftButton)
    assert [run.title for run in window.queue.waiting] == ["third", "second"]
    assert window.side.waiting.list.currentRow() == 0
    qtbot.waitUntil(lambda: window.view.status == "running", timeout=15_000)
    qtbot.mouseClick(window.view.stop, Qt.MouseButton.LeftButton)
    done = {"endless": "stopped", "third": "done", "second": "done"}
    qtbot.waitUntil(lambda: statuses(window) == done, timeout=40_000)
    # the list has the newest first: the third began before the second
    assert [entry.title for entry in window.runs.entries()] == ["second", "third", "endless"]
    assert not window.queue.waiting and not window.side.waiting.isVisible()


def test_waiting_runs_are_moved_and_taken_out_by_keys(window, qtbot):
    start(qtbot, window, "endless")
    for title in ("second", "third"):
        enqueue(qtbot, window, title)
    waiting = window.side.waiting.list
    waiting.setFocus()
    waiting.setCurrentRow(1)
    qtbot.keyClick(waiting, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [run.title for run in window.queue.waiting] == ["third", "second"] and waiting.currentRow() == 0
    qtbot.keyClick(waiting, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert [run.title for run in window.queue.waiting] == ["second", "third"] and waiting.currentRow() == 1
    for _ in range(2):
        qtbot.keyClick(waiting, Qt.Key.Key_Delete)
    assert not window.queue.waiting


def test_the_queue_is_held_after_a_restart_and_what_cannot_start_stays(window, qtbot):
    path = window._project.path
    window.queue.hold(True)
    window.queue.add("refused", ["train", str(path), "--title", "refused"])
    window._project.close()
    jobs, project = Jobs(command=TRAINING, grace_s=1.0), OpenProject()
    page = TrainPage(project, jobs)
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    project.open(path)
    qtbot.waitUntil(lambda: page.side.waiting.isVisible(), timeout=10_000)
    assert page.queue.held and page.side.waiting.go_on.isVisible() and not jobs.running()
    qtbot.mouseClick(page.side.waiting.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.problem.isVisible() and not jobs.running(), timeout=15_000)
    assert [run.title for run in page.queue.waiting] == ["refused"] and page.queue.held
    page.view.release()
    jobs.close()
    project.close()
    project.shut_down()


def test_two_chosen_runs_are_compared(window, qtbot):
    for title, epochs in (("one", "3"), ("two", "7")):
        window.form.form.rows["epochs"].editor.setText(epochs)
        start(qtbot, window, title)
        qtbot.waitUntil(lambda: window.view.status == "done", timeout=20_000)
        qtbot.waitUntil(lambda title=title: statuses(window).get(title) == "done", timeout=10_000)
        window.show_form()
    items = [window.runs.visualItemRect(window.runs.item(number)).center() for number in (0, 1)]
    qtbot.mouseClick(window.runs.viewport(), Qt.MouseButton.LeftButton, pos=items[0])
    qtbot.mouseClick(window.runs.viewport(), Qt.MouseButton.LeftButton, CONTROL, items[1])
    comparison = window.comparison
    qtbot.waitUntil(lambda: len(comparison.runs) == 2, timeout=10_000)
    assert window.stack.currentWidget() is comparison
    assert [run.title for run in comparison.runs] == ["two", "one"]
    table = comparison.table
    rows = {
        table.item(n, 0).text(): [table.item(n, c).text() for c in (1, 2)] for n in range(table.rowCount())
    }
    assert rows["Key: best held-out accuracy"] == ["50.0 %", "50.0 %"]
    comparison.curve.setCurrentIndex(comparison.curve.findData(LOSS))
    assert [name for name, xs, _ in comparison.plot.panels["Key"]] == ["two", "one"]
    assert all(list(xs) == list(range(1, 51)) for _, xs, _ in comparison.plot.panels["Solve"])


def test_a_run_goes_on_from_the_chosen_checkpoint(window, qtbot):
    start(qtbot, window, "curves")
    qtbot.waitUntil(lambda: window.view.status == "done", timeout=20_000)
    run = RunFolder.open(window.view.folder)
    for step in (10, 20, 50):
        folder = run.checkpoints_dir("key") / f"step-{step}"
        folder.mkdir(parents=True)
        (folder / "student.json").write_text("{}")
    run.set_role_status(RoleStatus("key", "done", 50, 50, best_step=10))
    started: list[list[str]] = []
    window._jobs.job_started.connect(lambda job: started.append(list(job.arguments)))
    with qtbot.waitSignal(window.view.resume_wanted) as wanted:
        qtbot.mouseClick(window.view.resume_from, Qt.MouseButton.LeftButton)
        dialog = next(
            w for w in QApplication.topLevelWidgets() if isinstance(w, CheckpointsDialog) and w.isVisible()
        )
        cells = [[dialog.table.item(n, c).text() for c in range(5)] for n in range(3)]
        assert cells == [
            ["Key", "50", "0.180", "50.0 %", "newest, the end"],
            ["Key", "20", "0.450", "20.0 %", ""],
            ["Key", "10", "0.900", "10.0 %", "best"],
        ]
        assert dialog.table.currentRow() == 1 and dialog.go.isEnabled()
        qtbot.keyClick(dialog.table, Qt.Key.Key_Up)
        assert not dialog.go.isEnabled() and dialog.nothing.isVisible()
        qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
        qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert wanted.args == [run.path, "key:10"]
    qtbot.waitUntil(
        lambda: any(words[-2:] == ["--resume-from", "key:10"] for words in started), timeout=20_000
    )
    qtbot.waitUntil(lambda: not any(job.arguments for job in window._jobs.running()), timeout=20_000)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
def test_a_killed_run_has_failed_and_says_how_in_every_window(window, qtbot):
    start(qtbot, window, "endless")
    view = window.view
    qtbot.waitUntil(
        lambda: view.status == "running" and view.figures.figures["key"].metrics is not None, timeout=15_000
    )
    pid = next(job.pid for job in window._jobs.running() if job.arguments[:1] == ["train"])
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(
        lambda: view.status == "failed" and statuses(window).get("endless") == "failed", timeout=15_000
    )
    assert "signal SIGKILL" in view.problem.text.text() and view.resume.isVisible()
    qtbot.waitUntil(lambda: isinstance(read_events(view.folder / "events.jsonl")[-1], Ended), timeout=5_000)
    events = read_events(view.folder / "events.jsonl")
    assert "SIGKILL" in next(event for event in events if isinstance(event, Failed)).message
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert RunFolder.open(view.folder).role_status("key").error.startswith("The process was ended")


def test_a_run_that_an_earlier_window_left_at_work_is_shown_and_counted(window, qtbot):
    start(qtbot, window, "endless")
    folder = window.view.folder
    qtbot.waitUntil(lambda: window.view.status == "running", timeout=15_000)
    path = window._project.path
    window._jobs.close()
    window._project.close()

    jobs, project = Jobs(command=TRAINING, grace_s=1.0), OpenProject()
    bar, page = JobBar(jobs), TrainPage(project, jobs)
    for widget in (bar, page):
        qtbot.addWidget(widget)
    project.open(path)
    qtbot.waitUntil(lambda: bar.job() is not None, timeout=10_000)
    job = bar.job()
    assert (job.title, job.run_folder) == ("Training endless", folder)
    assert job.detached and job.followed and not job.background
    # reading the list again adds none
    page._read_runs()
    page._read_runs()
    project.flush()
    qtbot.waitUntil(lambda: job.status == "running", timeout=10_000)
    assert jobs.running() == [job]
    bar.refresh()
    qtbot.mouseClick(bar.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not jobs.running(), timeout=15_000)
    assert job.status == "stopped"
    qtbot.waitUntil(lambda: RunFolder.open(folder).status() != "running", timeout=15_000)
    jobs.close()
    project.close()
    project.shut_down()


def test_a_last_word_that_was_said_is_kept(tmp_path, window, qtbot):
    start(qtbot, window, "broken")
    qtbot.waitUntil(lambda: window.view.status == "failed", timeout=20_000)
    file = window.view.folder / "events.jsonl"
    before = file.read_bytes()
    if b'"ended"' not in before:
        file.write_bytes(before + b'{"event":"ended","status":"failed"}\n')
        before = file.read_bytes()
    note_death(window.view.folder, Failed("another"))
    assert file.read_bytes() == before


def test_a_run_made_elsewhere_is_opened_and_can_begin(window, qtbot, tmp_path):
    folder = tmp_path / "from the cluster"
    folder.mkdir()
    (folder / "run.json").write_text('{"version": 1, "title": "From the cluster"}')
    RunConfig(method="potd").save(folder / "config.yaml")
    window.take_run(folder)
    qtbot.waitUntil(lambda: window.view.folder == folder and window.view.begin.isVisible(), timeout=10_000)
    assert window.view.status == "prepared" and window.view.title.text() == "From the cluster"
    assert window.view.problem.isHidden()
    with qtbot.waitSignal(window.view.settings_wanted):
        window.view.settings_wanted.emit(folder)
    assert window.form.method == "potd"


def test_a_folder_that_is_no_run_is_refused(window, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("kpdd_app.pages.train.messages.error", lambda _, error: said.append(error.message))
    window.take_run(tmp_path)
    assert said == ["This is no run folder: it has no run.json."] and window.runs.count() == 0


def test_settings_of_a_run_fill_the_form_and_are_copied(window, qtbot):
    config = RunConfig.from_preset("small-gpu", method="potd", seed=7, held_out=0.1)
    window.form.use_settings(config)
    made, mistakes = window.form.settings()
    assert mistakes == {} and made == config
    window.form.copy_yaml()
    text = QApplication.clipboard().text()
    assert "tuning: lora" in text and "seed: 7" in text and text.startswith("# kpdd train")


def test_what_changes_nothing_is_not_asked(window):
    form = window.form
    rows = form.form.rows
    assert not rows["lora_rank"].editor.isVisibleTo(form)
    assert rows["key_points_from"].editor.isVisibleTo(form)
    choose_base(form, "google/flan-t5-small")
    rows["tuning"].set_text("lora")
    assert rows["lora_rank"].editor.isVisibleTo(form)
    form.method_box.setCurrentIndex(form.method_box.findData("cotd"))
    assert not rows["key_points_from"].editor.isVisibleTo(form)
    assert rows["max_steps"].editor.placeholderText() == "no limit" and rows["max_steps"].unit.text() == ""
    assert rows["dropout"].editor.placeholderText() == "the base's own"


def test_a_base_student_that_is_not_here_is_downloaded_first(window, qtbot, monkeypatch):
    monkeypatch.setenv("HF_HOME", os.devnull)
    choose_base(window.form, "google/flan-t5-small")

    def said() -> list[str]:
        layout = window.form.side.findings
        return [layout.itemAt(n).widget().findChildren(QLabel)[1].text() for n in range(layout.count())]

    qtbot.waitUntil(
        lambda: any("is downloaded first (about 0.3 GiB)" in text for text in said()), timeout=10_000
    )
    assert any(text.startswith("Memory: about ") for text in said())
