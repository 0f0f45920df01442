"""The Train page: the form, the check, runs that start, stop, fail, resume, and are there again later."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train import TrainPage
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS
from training_backend.commands.train import add_arguments
from training_backend.project.store import Project

TRAINING = [sys.executable, str(Path(__file__).parents[1] / "fake_training.py")]


@pytest.fixture
def window(train_window):
    """The page over a project of forty rows, with a stand-in for the command."""
    return train_window


def findings(page) -> list[str]:
    layout = page.form.side.findings
    return [layout.itemAt(n).widget().findChildren(QLabel)[1].text() for n in range(layout.count())]


def choose_base(form, base: str) -> None:
    """Choose a base student as a person does, who gets the preset that fits it."""
    number = form.base.box.findData(base)
    form.base.box.setCurrentIndex(number)
    form.base.box.activated.emit(number)


def start(qtbot, page, title: str) -> None:
    page.form.title.setText(title)
    qtbot.mouseClick(page.form.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.folder is not None, timeout=15_000)


def test_the_check_says_what_is_used_and_why_not(window, qtbot):
    qtbot.waitUntil(lambda: any("rows are used" in text for text in findings(window)), timeout=10_000)
    said = findings(window)
    assert "30 of 40 rows are used. Not used: 10 not equal to gold." in said
    assert any(text.startswith("Key: ") and "held out, about" in text for text in said)
    assert any("GPU" in text or "GiB" in text for text in said)


def link_of(page, words: str) -> QPushButton:
    """Return the button of the line of the check that holds these words."""
    layout = page.form.side.findings
    lines = [layout.itemAt(n).widget() for n in range(layout.count())]
    line = next(each for each in lines if any(words in label.text() for label in each.findChildren(QLabel)))
    return line.findChild(QPushButton)


def test_the_rows_that_are_not_used_are_one_click_away(window, qtbot):
    qtbot.waitUntil(lambda: any("rows are used" in text for text in findings(window)), timeout=10_000)
    with qtbot.waitSignal(window.rows_wanted) as wanted:
        qtbot.mouseClick(link_of(window, "rows are used"), Qt.MouseButton.LeftButton)
    facets = wanted.args[0].facets
    assert facets == {"kind": frozenset(["pot"]), "verdict": frozenset(["not_equal"])}


def test_a_check_of_older_settings_says_that_it_looks_again(window, qtbot):
    side = window.form.side
    qtbot.waitUntil(lambda: any("rows are used" in text for text in findings(window)), timeout=10_000)
    qtbot.waitUntil(lambda: not side.looking.isVisible(), timeout=10_000)
    qtbot.keyClicks(window.form.form.rows["max_steps"].editor, "2")
    assert side.looking.isVisible()
    qtbot.waitUntil(lambda: any("about 2 steps" in text for text in findings(window)), timeout=10_000)
    assert not side.looking.isVisible()


def test_no_run_starts_while_the_check_refuses_it(window, qtbot):
    form, started = window.form, []
    side = form.side
    form.start_wanted.connect(lambda *_: started.append(1))
    choose_base(form, "tiny")
    side.start.setFocus()
    qtbot.keyClicks(form.form.rows["max_target_tokens"].editor, "16")
    # not known yet: what stands there is about other settings
    assert side.start.isEnabled() and not side.why.isVisible()
    qtbot.waitUntil(lambda: not side.start.isEnabled(), timeout=10_000)
    assert "are too long" in side.why.text() and side.why.isVisible()
    assert "are too long" in side.start.toolTip()
    assert side.why.focusPolicy() & Qt.FocusPolicy.TabFocus
    form.start()
    assert not started
    form.form.rows["max_target_tokens"].editor.clear()
    assert side.start.isEnabled() and not side.why.isVisible() and not side.start.toolTip()


def test_a_check_that_could_not_run_keeps_nobody_from_the_start(window, qtbot):
    side = window.form.side
    qtbot.waitUntil(lambda: any("rows are used" in text for text in findings(window)), timeout=10_000)
    window.form._timer.stop()
    window.form._show_failure(OSError("the disk is gone"))
    assert "the disk is gone" in findings(window)
    assert side.start.isEnabled() and not side.why.isVisible()


def test_texts_that_are_too_long_are_shown_once_all_were_checked(window, qtbot):
    choose_base(window.form, "tiny")
    qtbot.waitUntil(lambda: window.form.rows_box.count() > 1, timeout=10_000)
    window.form.rows_box.setCurrentIndex(1)
    qtbot.keyClicks(window.form.form.rows["max_target_tokens"].editor, "16")
    qtbot.waitUntil(lambda: any("are too long" in text for text in findings(window)), timeout=10_000)
    assert "Key: 30 of 30 tried are too long, none is left to learn from." in findings(window)
    jobs: list[list[str]] = []
    window._jobs.job_started.connect(lambda job: jobs.append(job.arguments))
    with qtbot.waitSignal(window.rows_wanted, timeout=15_000) as wanted:
        qtbot.mouseClick(link_of(window, "are too long"), Qt.MouseButton.LeftButton)
    assert wanted.args[0].facets == {
        "kind": frozenset(["pot"]), "dataset": frozenset(["mine"]), "split": frozenset(["train"]),
        "flags": frozenset(["unfit_for_student"]),
    }  # fmt: skip
    assert jobs[0][:2] == ["flags", str(window._project.path)] and jobs[0][-2:] == ["256", "16"]


def test_a_folder_that_holds_no_student_is_said_before_the_start(window, qtbot, tmp_path):
    choose_base(window.form, "folder")
    for folder, said in ((tmp_path / "empty", "has no config.json"), (tmp_path / "gone", "no base student")):
        if folder.name == "empty":
            folder.mkdir()
        window.form.base.place.setText(str(folder))
        qtbot.waitUntil(lambda said=said: any(said in text for text in findings(window)), timeout=10_000)


def test_a_run_beside_another_is_said_in_the_check(window, qtbot):
    start(qtbot, window, "endless")
    qtbot.waitUntil(lambda: window.view.status == "running", timeout=15_000)
    window.show_form()
    qtbot.waitUntil(
        lambda: any("Another run is at work" in text for text in findings(window)), timeout=10_000
    )
    assert window.form.side.start.text() == "Train beside it"
    window._jobs.stop_all(detached=True)
    qtbot.waitUntil(lambda: not any("Another run" in text for text in findings(window)), timeout=15_000)


def test_mistakes_stand_under_their_fields_and_hold_the_start(window, qtbot):
    form = window.form
    row = form.form.rows["learning_rate"]
    qtbot.keyClicks(row.editor, "fast")
    assert row.mistake.isVisibleTo(form) and "no number" in row.mistake.text()
    assert not form.side.start.isEnabled()
    row.editor.clear()
    qtbot.keyClicks(row.editor, "7")
    assert "above 1" in row.mistake.text()
    row.editor.clear()
    assert not row.mistake.isVisibleTo(form) and form.side.start.isEnabled()


def test_defaults_are_shown_as_defaults_and_follow_the_preset(window):
    form = window.form
    epochs = form.form.rows["epochs"]
    form.preset_box.setCurrentIndex(form.preset_box.findData("kpdd-paper"))
    assert epochs.editor.text() == "" and epochs.editor.placeholderText() == "10"
    form.preset_box.setCurrentIndex(form.preset_box.findData("flan-t5-gsm8k"))
    assert epochs.editor.placeholderText() == "8"
    assert form.form.entered() == {}


def test_the_command_says_what_differs_from_the_preset(window, qtbot):
    form = window.form
    form.method_box.setCurrentIndex(form.method_box.findData("potd"))
    qtbot.keyClicks(form.form.rows["epochs"].editor, "3")
    choose_base(form, "hub")
    form.base.place.setText("google/flan-t5-small")
    words = shlex.split(form.command())
    assert words[:3] == ["kpdd", "train", str(window._project.path)]
    assert words[3:] == ["--method", "potd", "--base", "google/flan-t5-small", "--preset", "kpdd-paper",
                         "--epochs", "3"]  # fmt: skip
    form.base.place.clear()
    assert not form.side.start.isEnabled() and "name a hub id" in form.base.mistake.text()


@pytest.mark.parametrize("title", ["- a first try", "it's mine"])
def test_any_title_is_read_back_from_the_command(window, title):
    window.form.title.setText(title)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(shlex.split(window.form.command())[2:]).title == title


@pytest.mark.parametrize(
    "base, preset",
    [("demo", "go-on"), ("tiny", "demo"), ("folder", "kpdd-paper"), ("google/flan-t5-small", "kpdd-paper")],
)
def test_a_base_student_brings_the_preset_that_fits_it(window, base, preset):
    choose_base(window.form, base)
    assert window.form.preset == preset
    assert window.form.base.place.isVisibleTo(window.form) == (base == "folder")


def test_the_demo_students_go_on_only_where_they_have_the_students(window):
    form = window.form
    choose_base(form, "demo")
    assert form.base.base == "demo" and form.side.start.isEnabled()
    form.method_box.setCurrentIndex(form.method_box.findData("kpdd3-pot"))
    assert not form.side.start.isEnabled()
    assert "no student Core" in form.base.mistake.text() and form.base.mistake.isVisibleTo(form)


def test_training_from_nothing_promises_nothing(window, qtbot):
    choose_base(window.form, "tiny")
    qtbot.waitUntil(
        lambda: any("It starts from nothing" in text for text in findings(window)), timeout=10_000
    )
    assert any(text.startswith("Time: ") and "usual processor" in text for text in findings(window))
    # three epochs of forty rows are few steps beside the preset's 150 of warm-up
    assert any("takes the whole training" in text for text in findings(window))
    choose_base(window.form, "demo")
    qtbot.waitUntil(lambda: not any("from nothing" in text for text in findings(window)), timeout=10_000)


def test_a_student_that_has_not_begun_shows_no_axes(window, qtbot):
    plot = window.view.plot
    window.stack.setCurrentWidget(window.view)
    plot.set_panels({"key": "Key", "solve": "Solve"})
    assert plot._hint.isVisible()
    plot.add("key", LOSS, 1, 0.00002, 10)
    qtbot.waitUntil(lambda: plot._background is not None, timeout=20_000)
    axes = {name: left for name, (left, _) in plot._axes.items()}
    assert axes["key"].xaxis.get_visible() and not axes["solve"].xaxis.get_visible()
    assert axes["key"].yaxis.get_offset_text().get_text() == ""
    plot.add("solve", LOSS, 1, 2.0, 10)
    qtbot.waitUntil(axes["solve"].xaxis.get_visible, timeout=20_000)


@pytest.mark.parametrize("width", [830, 1030])
def test_a_small_window_cuts_nothing_of_the_form_off(window, qtbot, width):
    window.resize(width, 620)
    qtbot.waitUntil(lambda: window.width() == width)
    assert window.form.side.queue.width() >= window.form.side.queue.sizeHint().width()
    box, view = window.form.base.box, window.form.base.box.parentWidget().parentWidget()
    assert box.mapTo(view, box.rect().topRight()).x() <= view.width()
    last = window.form.form.rows["warmup"].unit
    assert last.mapTo(view, last.rect().topRight()).x() <= view.width()


def test_without_runs_the_list_stands_back(window):
    assert not window.runs.isVisible() and window.side.none.isVisible()


def test_a_run_shows_its_curves_to_the_end(window, qtbot):
    start(qtbot, window, "curves")
    view = window.view
    qtbot.waitUntil(lambda: view.status == "done", timeout=20_000)
    for role in ("key", "solve"):
        curves = view.plot.panels[role].curves
        assert curves[LOSS].xs == list(range(1, 51))
        assert curves[HELD_OUT].xs == [10, 20, 30, 40, 50] and curves[ACCURACY].ys[-1] == 0.5
    assert view.figures.labels["key", "step"].text() == "50 / 50"
    assert view.figures.labels["solve", "accuracy"].text() == "50.0 %"
    table, texts = view.samples.table, view.samples.texts
    assert table.rowCount() == 2 and table.item(0, 3).text() == "50"
    assert table.item(0, 4).text() == "not equal" and not texts.isVisible()
    place = table.visualItemRect(table.item(1, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert table.isColumnHidden(2) and texts.toPlainText().startswith("How many?")
    assert [(piece.kind, piece.text) for piece in texts.pieces[1:]] == [("gone", "12"), ("new", "50")]
    assert view.solve.isVisible() and view.evaluate.isVisible() and not view.stop.isVisible()
    with qtbot.waitSignal(window.solve_students_wanted) as wanted:
        qtbot.mouseClick(view.solve, Qt.MouseButton.LeftButton)
    assert wanted.args == [str(view.folder)]
    with qtbot.waitSignal(window.evaluate_students_wanted):
        qtbot.mouseClick(view.evaluate, Qt.MouseButton.LeftButton)


def test_pause_go_on_stop_and_resume(window, qtbot):
    start(qtbot, window, "endless")
    view = window.view
    qtbot.waitUntil(
        lambda: view.status == "running" and view.figures.figures["key"].metrics is not None, timeout=15_000
    )
    qtbot.mouseClick(view.pause, Qt.MouseButton.LeftButton)
    assert view.status == "paused" and view.pause.text() == "Go on"
    qtbot.mouseClick(view.pause, Qt.MouseButton.LeftButton)
    step = view.figures.figures["key"].metrics.step
    qtbot.waitUntil(lambda: view.figures.figures["key"].metrics.step > step + 2, timeout=10_000)
    qtbot.mouseClick(view.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.status == "stopped", timeout=10_000)
    assert view.resume.isVisible() and view.solve.isVisible()
    assert "goes on from" not in view.word.text() and "no checkpoint yet" in view.word.text()
    qtbot.mouseClick(view.resume, Qt.MouseButton.LeftButton)
    # its process needs seconds to begin: nobody is to press it again
    assert view.status == "starting" and view.stop.isVisible() and not view.resume.isVisible()
    qtbot.waitUntil(lambda: view.status == "done", timeout=20_000)
    assert view.plot.panels["key"].curves[LOSS].xs[-1] == 50


def test_a_run_that_is_to_go_on_says_so_also_when_one_comes_back_to_it(window, qtbot):
    start(qtbot, window, "broken")
    view, folder = window.view, window.view.folder
    qtbot.waitUntil(lambda: view.status == "failed", timeout=20_000)
    window.show_form()
    window._resuming[folder] = window._jobs.follow(folder)
    window.show_run(folder)
    qtbot.waitUntil(lambda: view.plot.panels["key"].curves[LOSS].xs[-1:] == [25], timeout=20_000)
    # how it ended was read again, and is no longer how it stands
    qtbot.waitUntil(lambda: view._job.is_over and not view.problem.isVisible(), timeout=20_000)
    assert view.status == "starting"


def test_a_failed_run_says_its_last_error(window, qtbot):
    start(qtbot, window, "broken")
    view = window.view
    qtbot.waitUntil(lambda: view.status == "failed", timeout=20_000)
    assert view.problem.isVisible()
    assert view.problem.text.text() == "The loss is not a number at step 25. Lower the learning rate."
    assert view.resume.isVisible() and "failed" in window.runs.item(0).text()


def test_what_could_not_be_prepared_is_said_at_the_form(window, qtbot):
    window.form.title.setText("refused")
    qtbot.mouseClick(window.form.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.problem.isVisible(), timeout=15_000)
    assert "no row that Key could learn from" in window.problem.text.text()
    assert window.stack.currentWidget() is window.form
    qtbot.waitUntil(lambda: window.form.side.start.isEnabled(), timeout=5_000)


def test_the_run_is_there_again_after_the_window_was_closed(window, qtbot):
    start(qtbot, window, "slow")
    qtbot.waitUntil(lambda: window.view.figures.figures["key"].metrics is not None, timeout=15_000)
    folder = window.view.folder
    window.view.release()
    window._jobs.close()

    jobs, project = Jobs(command=TRAINING, grace_s=1.0), OpenProject()
    page = TrainPage(project, jobs)
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    project.open(window._project.path)
    qtbot.waitUntil(lambda: page.runs.count() == 1, timeout=10_000)
    page.show_run(folder)
    qtbot.waitUntil(lambda: page.view.status == "done", timeout=20_000)
    assert page.view.plot.panels["key"].curves[LOSS].xs == list(range(1, 51))
    page.view.release()
    jobs.close()
    project.close()
    project.shut_down()


def test_a_run_whose_folder_is_gone_says_so(window, qtbot):
    start(qtbot, window, "gone")
    qtbot.waitUntil(lambda: window.view.status == "done", timeout=20_000)
    folder = window.view.folder
    (folder / "events.jsonl").unlink()
    window.show_form()
    window.show_run(folder)
    qtbot.waitUntil(lambda: window.view.status == "failed", timeout=10_000)
    assert "events cannot be read" in window.view.problem.text.text()


def test_a_project_without_rows_cannot_train(qtbot, tmp_path):
    Project.create(tmp_path / "empty.kpdd").close()
    jobs, project = Jobs(command=TRAINING), OpenProject()
    page = TrainPage(project, jobs)
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    qtbot.waitUntil(lambda: findings(page) == ["Open a project first."], timeout=5_000)
    project.open(tmp_path / "empty.kpdd")
    qtbot.waitUntil(
        lambda: any("The project has no row with a program yet." in text for text in findings(page)),
        timeout=10_000,
    )
    assert json.dumps(findings(page)).count("nothing to learn from") == 2
    with qtbot.waitSignal(page.page_wanted) as wanted:
        qtbot.mouseClick(link_of(page, "no row with a program"), Qt.MouseButton.LeftButton)
    assert wanted.args == ["dataset"]
    page.form.method_box.setCurrentIndex(page.form.method_box.findData("kpdd-eot"))
    qtbot.waitUntil(
        lambda: any("no row with equations yet" in text for text in findings(page)), timeout=10_000
    )
    jobs.close()
    project.close()
    project.shut_down()
