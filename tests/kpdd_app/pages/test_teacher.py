"""The Teacher page against a real server on loopback: configure, test, prompts, one question, the run."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from kpdd_app.jobs import Jobs
from kpdd_app.pages.teacher import PROMPTS, RUN, SETTINGS, TRY, TeacherPage
from kpdd_app.pages.teacher_estimate import estimate_text
from kpdd_app.pages.teacher_fields import FIELDS, SHOWN, to_text, to_value
from kpdd_app.pages.teacher_price import PriceDialog
from kpdd_app.pages.teacher_reads import last_run
from kpdd_app.pages.teacher_run import FILTER
from kpdd_app.pages.teacher_wanted import Wanted
from kpdd_app.widgets.generation_view import GenerationView
from training_backend.project.listing import RowFilter
from training_backend.teacher.cost import Estimate, Range
from training_backend.teacher.teacher_config import DEFAULTS, PRESETS, TeacherConfig, teachers

sys.path.insert(0, str(Path(__file__).parents[2] / "teacher"))
from loopback import Loopback

sys.path.pop(0)

KEY = "planted-key-0123456789"
WAIT_MS = 40_000


def reply(messages: list[dict[str, str]]) -> str:
    """Answer the shelf questions: key points, or a program that multiplies."""
    boxes = messages[-1]["content"].split(" boxes")[0].split()[-1]
    if "program" in messages[0]["content"].lower():
        return f"Program:\nans = {boxes} * 3"
    return f"Core question: How many jars?\nInformation:\n- There are {boxes} boxes.\n- A box has 3 jars."


@pytest.fixture
def server():
    with Loopback(reply=reply) as server:
        yield server


@pytest.fixture
def page(qtbot, open_project):
    jobs = Jobs()
    page = TeacherPage(open_project, jobs)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: page.empty.isVisible() and page.run.rows.count() > 2)
    yield page
    page.leave()
    jobs.close(stop_detached=True)


def add_endpoint(qtbot, page: TeacherPage, server: Loopback, **settings) -> TeacherConfig:
    """Add a teacher as the page does; it is kept in the project when this returns."""
    page.list.add(TeacherConfig("Loop", "endpoint", {"base_url": server.base_url, "model": "tiny-teacher",
                                                     "key_source": "none", **settings}))  # fmt: skip
    qtbot.waitUntil(lambda: [one.name for one in teachers(page.project.project)] == ["Loop"])
    return page.config()


def test_without_a_teacher_the_one_next_action_is_offered(qtbot, page):
    assert page.empty.what.text() == "This project has no teacher yet"
    page.empty.other.click()
    qtbot.waitUntil(lambda: page.body.isVisible())
    assert page.list.current() == "Sample teacher"
    assert page.tabs.currentIndex() == RUN
    assert not page.tabs.isTabVisible(PROMPTS)


def test_settings_are_saved_as_they_are_typed(qtbot, page, server):
    page.list.add(PRESETS["other"])
    QTest.keyClicks(page.settings.address, server.base_url)
    page.settings._form.rows["temperature"].editor.setText("0.2")
    page.settings._form.rows["headers"].editor.setText("X-Title: KPDD")

    def kept():
        found = teachers(page.project.project)
        return found and found[0].settings.get("base_url") == server.base_url and found[0]

    qtbot.waitUntil(lambda: bool(kept()))
    assert kept().settings["temperature"] == 0.2
    assert kept().settings["headers"] == {"X-Title": "KPDD"}
    page.settings._form.rows["temperature"].editor.setText("warm")
    page.settings.flush()
    assert page.settings._form.rows["temperature"].mistake.text() == "This must be a number."
    assert page.config().settings["temperature"] == 0.2


def test_a_key_in_the_wrong_field_is_not_saved(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    page.settings._form.rows["headers"].editor.setText(f"Authorization: {KEY}")
    page.settings.flush()
    page.project.flush()
    assert "not saved" in page.settings.problems.text()
    files = [file for file in page.project.path.parent.rglob("*") if file.is_file()]
    assert len(files) > 1
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_every_setting_of_a_kind_has_a_field_and_comes_back_from_its_text():
    beside = {"base_url", "model", "models", "key_source", "budget", "recordings", "structured",
              "concurrency", "timeout_s"}  # fmt: skip
    seen = 0
    for kind, names in SHOWN.items():
        assert not set(DEFAULTS[kind]) - set(names) - beside
        for name in names:
            assert name in FIELDS
            value = DEFAULTS[kind][name]
            if value is not None:
                assert to_value(kind, name, to_text(name, value)) == value
                seen += 1
    assert seen > 15


def test_a_kind_shows_its_own_fields_and_no_others(qtbot, page):
    for key in ("other", "local", "replay", "sample"):
        page.list.add(PRESETS[key])
        page.show_tab(SETTINGS)
        wanted = set(SHOWN[PRESETS[key].kind])
        qtbot.waitUntil(lambda wanted=wanted: shown_fields(page) == wanted)
        boxes = [one for one in page.settings.findChildren(QWidget)
                 if one.accessibleName() == FIELDS["temperature"].title and one.isVisible()]  # fmt: skip
        assert len(boxes) == ("temperature" in wanted)


def shown_fields(page: TeacherPage) -> set[str]:
    return {name for name, row in page.settings._form.rows.items() if row.editor.isVisible()}


def test_models_are_fetched_and_the_test_names_its_results(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    page.settings.models_button.click()
    assert not page.settings.models_button.isEnabled()
    qtbot.waitUntil(page.settings.models_button.isEnabled, timeout=WAIT_MS)
    assert [page.settings.model.itemText(n) for n in range(page.settings.model.count())] == sorted(
        server.models
    )
    assert page.settings.model.currentText() == "tiny-teacher"
    page.settings.test_button.click()
    qtbot.waitUntil(page.settings.test_button.isEnabled, timeout=WAIT_MS)
    assert page.settings.results.text().count("✓") >= 3
    assert "✕" not in page.settings.results.text()


def test_what_a_test_found_is_not_told_of_other_settings(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    page.settings.test_button.click()
    page.settings.address.setText("http://127.0.0.1:1/v1")
    qtbot.waitUntil(page.settings.test_button.isEnabled, timeout=WAIT_MS)
    assert "changed meanwhile" in page.settings.results.text()
    assert "The server answers" not in page.settings.results.text()
    page.settings.address.setText(server.base_url)
    page.settings.flush()
    assert page.settings.results.isHidden()


def test_what_is_typed_first_replaces_the_price(qtbot):
    dialog = PriceDialog(TeacherConfig("Loop", "endpoint", {"model": "m"}), None)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    QTest.keyClicks(dialog.prompt, "2")
    assert dialog.values()[0] == 2.0


def test_a_server_that_is_not_there_is_named(qtbot, page):
    page.list.add(TeacherConfig("Gone", "endpoint", {"base_url": "http://127.0.0.1:9/v1", "model": "m",
                                                     "key_source": "none"}))  # fmt: skip
    page.settings.test_button.click()
    qtbot.waitUntil(page.settings.test_button.isEnabled, timeout=WAIT_MS)
    assert "✕" in page.settings.results.text()
    assert "127.0.0.1:9" in page.settings.results.text()


def test_a_session_key_reaches_the_server_and_nothing_that_is_written(qtbot, page, server, tmp_path):
    import os

    add_endpoint(qtbot, page, server, key_source="session")
    QTest.keyClicks(page.settings.key.key, KEY)
    QTest.keyClick(page.settings.key.key, Qt.Key.Key_Return)
    assert page.settings.key.key.text() == ""
    qtbot.waitUntil(lambda: "session only" in page.settings.key.state.text())
    page.ask()
    job = page.asks.trying
    assert KEY not in " ".join(job.arguments)
    qtbot.waitUntil(lambda: page.asks.trying is None, timeout=WAIT_MS)
    assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    files = [file for folder in (tmp_path, Path(os.environ["KPDD_HOME"]))
             for file in folder.rglob("*") if file.is_file()]  # fmt: skip
    assert len(files) > 2
    assert not [file for file in files if KEY.encode() in file.read_bytes()]
    page.settings.key.forget()
    qtbot.waitUntil(lambda: "no key yet" in page.settings.key.state.text())


def test_teachers_are_renamed_copied_and_removed(qtbot, page, server, monkeypatch):
    from kpdd_app.pages import teacher

    add_endpoint(qtbot, page, server)
    page.list.names.currentItem().setText("My loop")
    qtbot.waitUntil(lambda: [one.name for one in teachers(page.project.project)] == ["My loop"])
    page.list.copy_current()
    qtbot.waitUntil(lambda: len(teachers(page.project.project)) == 2)
    assert page.list.current() == "My loop 2"
    assert page.config().settings["model"] == "tiny-teacher"
    monkeypatch.setattr(teacher.messages, "question", lambda *_, **__: True)
    page.list.names.setFocus()
    QTest.keyClick(page.list.names, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: [one.name for one in teachers(page.project.project)] == ["My loop"])


def test_another_project_shows_its_own_teacher_of_the_same_name(qtbot, page, server, tmp_path, small_project):
    import shutil

    from training_backend.project.store import Project
    from training_backend.teacher.teacher_config import save_teacher

    other = tmp_path / "other.kpdd"
    shutil.copy(small_project, other)
    add_endpoint(qtbot, page, server)
    with Project.open(other, holder="") as project:
        save_teacher(project, TeacherConfig("Loop", "endpoint", {"base_url": "http://other.example/v1"}))
    # typed, and not saved yet when the project goes
    page.settings.address.setText("http://typed.example/v1")
    page.project.open(other)
    qtbot.waitUntil(lambda: page.settings.address.text() == "http://other.example/v1")
    page.settings.flush()
    page.project.flush()
    assert teachers(page.project.project)[0].settings["base_url"] == "http://other.example/v1"


def test_the_preview_is_what_is_sent_and_a_mistake_names_its_line(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    page.show_tab(PROMPTS)
    qtbot.waitUntil(lambda: "A shelf holds 2 boxes" in page.prompts.preview.toPlainText())
    page.prompts.user.setPlainText("Read this.\n{{ question }}\n{{ gold }}")
    qtbot.waitUntil(lambda: "line 3" in page.prompts.mistake.text())
    page.prompts.user.setPlainText("Read this with care.\n{{ question }}")
    qtbot.waitUntil(lambda: not page.prompts.mistake.isVisible())
    page.ask()
    qtbot.waitUntil(lambda: page.asks.trying is None, timeout=WAIT_MS)
    sent = server.asked[0].body["messages"]
    assert sent[-1]["content"].startswith("Read this with care.\nA shelf holds 2 boxes")
    shown = "\n\n".join(f"── {one['role']} ──\n{one['content']}" for one in sent)
    page.prompts.name.setCurrentIndex(0)
    assert page.prompts.preview.toPlainText() == shown
    qtbot.waitUntil(lambda: page.prompts.version.count() == 2)


def test_a_draft_of_a_prompt_outlives_the_window(qtbot, page, server, open_project):
    add_endpoint(qtbot, page, server)
    page.prompts.system.setPlainText("Half of a new text {{ reply_format }}")
    page.leave()
    other = TeacherPage(open_project, page.jobs)
    qtbot.addWidget(other)
    qtbot.waitUntil(lambda: other.prompts.system.toPlainText().startswith("Half of a new text"))
    other.leave()


def test_ask_one_shows_the_reply_beside_what_was_read(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    qtbot.waitUntil(lambda: page.trial.number.maximum() == 12)
    page.trial.number.setValue(3)
    qtbot.waitUntil(lambda: page.trial.question.text().startswith("A shelf holds 4 boxes"))
    page.trial.ask_button.click()
    qtbot.waitUntil(lambda: "ans = 4 * 3" in page.trial.raw.toPlainText(), timeout=WAIT_MS)
    parsed = page.trial.parsed.toPlainText()
    assert "How many jars?" in parsed
    assert "1. There are 4 boxes." in parsed
    assert "tokens in" in page.trial.figures.text()


def test_a_reply_that_cannot_be_read_says_why(qtbot, page, server):
    server.reply = lambda _: "I will think about it."
    add_endpoint(qtbot, page, server)
    page.ask()
    qtbot.waitUntil(lambda: page.asks.trying is None, timeout=WAIT_MS)
    assert page.trial.notice.isVisible()
    assert "core question" in page.trial.notice.text.text()
    assert "I will think about it." in page.trial.raw.toPlainText()


def test_a_run_adds_up_pauses_and_asks_again_by_reason(qtbot, page, server):
    # the first four questions are refused once
    refused = iter(["refusal"] * 4)
    server._fault = lambda number, body: next(refused, "")
    add_endpoint(qtbot, page, server, concurrency=1)
    page.start()
    assert page.tabs.currentIndex() == RUN
    assert not page.run.start_button.isEnabled()
    assert page.follower.job.detached
    qtbot.waitUntil(lambda: page.view.counts.get("done", 0) > 2, timeout=WAIT_MS)
    page.follower.pause()
    assert page.run.pause_button.text() == "Go on"
    page.follower.pause()
    with qtbot.waitSignal(page.jobs.job_ended, timeout=WAIT_MS):
        pass
    counts = page.view.counts
    assert counts["asked"] == counts["done"] + counts["failed"] + counts["waiting"] == 24
    assert counts["failed"] == 8
    assert set(page.view._reasons) == {"refusal", "key_points"}
    asked = len(server.asked)
    page.view._reasons["refusal"][1].click()
    assert page.follower.job is not None
    with qtbot.waitSignal(page.jobs.job_ended, timeout=WAIT_MS):
        pass
    assert page.view.counts["failed"] == 0
    assert len(server.asked) == asked + 8
    with qtbot.waitSignal(page.rows_wanted) as wanted:
        page.view._buttons["equal"].click()
    assert wanted.args[0].facets == {"verdict": frozenset({"equal"})}


def test_a_run_goes_on_without_the_window_and_is_found_again(qtbot, page, server, open_project):
    server.latency_s = 0.3
    add_endpoint(qtbot, page, server, concurrency=1)
    page.run.kinds["pot"].setChecked(False)
    page.run.kinds["cot"].setChecked(True)
    page.start()
    qtbot.waitUntil(lambda: page.view.counts.get("done", 0) > 0, timeout=WAIT_MS)
    page.jobs.close()
    jobs = Jobs()
    other = TeacherPage(open_project, jobs)
    qtbot.addWidget(other)
    qtbot.waitUntil(lambda: other.follower.job is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: other.view.counts.get("done", 0) > 2, timeout=WAIT_MS)
    assert other.run.wanted().kinds == ("cot",)
    other.follower.stop()
    qtbot.waitUntil(lambda: other.follower.job is None, timeout=WAIT_MS)
    counts = other.view.counts
    assert counts["asked"] == counts["done"] + counts["failed"] + counts["waiting"] == 24
    assert 0 < counts["waiting"] < 24
    assert "stopped" in other.view.note.text()
    other.leave()
    jobs.close()


def test_a_budget_ends_a_run_without_a_failure(qtbot, page, server):
    add_endpoint(qtbot, page, server, concurrency=1, max_tokens=10)
    page.settings.price.set(1000.0, 1000.0, None)
    page.run.budget.setValue(6.0)
    page.start()
    with qtbot.waitSignal(page.jobs.job_ended, timeout=WAIT_MS):
        pass
    assert "budget is reached" in page.view.note.text()
    assert page.view.counts["waiting"] > 0
    assert page.view.counts["money_millionths"] <= 6_000_000


def test_a_run_without_its_key_is_not_begun_and_says_so(qtbot, page, server):
    add_endpoint(qtbot, page, server, key_source="session")
    page.show_tab(RUN)
    qtbot.waitUntil(lambda: page.settings.key.missing)
    page.start()
    assert page.follower.job is None and "has no key" in page.run.mistake.text()
    page.settings.key.key.setText(KEY)
    page.settings.key.keep()
    qtbot.waitUntil(lambda: not page.settings.key.missing)
    page.start(pilot=True)
    assert page.run.mistake.text() == "" and page.follower.job is not None
    qtbot.waitUntil(lambda: page.follower.job is None, timeout=WAIT_MS)
    assert page.view.note.text().startswith("The pilot is done")
    # what the project knows of the run does not take the sentence away
    page.follower._take_last(last_run(page.project.project, "Loop"))
    assert page.view.note.text().startswith("The pilot is done")
    page.follower._pilot = ""
    page.follower._take_last(last_run(page.project.project, "Loop"))
    assert page.view.note.text() == "The run is done."


def test_the_run_stands_beside_its_form_or_below_it(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    page.show_tab(RUN)

    def beside() -> bool:
        start, rows = (part.mapTo(page, QPoint()) for part in (page.run.start_button, page.run.rows))
        return start.x() > rows.x() + page.run.rows.width()

    qtbot.waitUntil(beside)
    page.resize(620, 800)
    qtbot.waitUntil(lambda: not beside())
    assert page.run.horizontalScrollBar().maximum() == 0


def test_a_choice_is_a_command_that_the_backend_reads(page, tmp_path):
    import argparse

    from training_backend.commands.generate import add_arguments

    wanted = Wanted("shelf", "train", None, ("pot", "cot"), 3, 7, True, 16, 2.5)
    words = wanted.arguments(tmp_path / "p.kpdd", TeacherConfig("T", "endpoint"), tmp_path / "rows.txt")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(words[1:])
    assert (args.teacher, args.kinds, args.paths, args.limit) == ("T", "pot,cot", 3, 7)
    assert (args.dataset, args.split, args.rows_file) == ("shelf", "train", tmp_path / "rows.txt")
    assert (args.one_call, args.concurrency, args.budget) == (True, 16, 2.5)


def test_only_the_rows_of_a_filter_are_asked(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    place = [page.run.rows.itemData(n)[0] for n in range(page.run.rows.count())].index(FILTER)
    page.run.rows.setCurrentIndex(place)
    page.start()
    qtbot.waitUntil(lambda: page.follower.job is not None, timeout=WAIT_MS)
    with qtbot.waitSignal(page.jobs.job_ended, timeout=WAIT_MS):
        pass
    # one question of the small project was not asked before
    assert page.view.counts["asked"] == 2
    assert page.run.wanted().rows == RowFilter({"verdict": frozenset({"not_asked"})})


def test_an_estimate_says_what_is_not_known():
    low = Estimate(10, 0, Range(1, 2, 3), Range(4, 5, 6), None, None)
    assert "not known: this model has no price" in estimate_text(low)
    assert "by the length of the texts" in estimate_text(low)
    priced = Estimate(10, 20, Range(1, 2, 3), Range(4, 5, 6), Range(1.0, 2.0, 3.0), Range(60, 90, 120), "USD")
    assert "2.0000 (1.0000 to 3.0000) USD" in estimate_text(priced)
    assert "more than the budget" in estimate_text(priced, 2.5)
    assert "more than the budget" not in estimate_text(priced, 3.5)
    assert "Everything" in estimate_text(Estimate(0, 20, *[Range(0, 0, 0)] * 4))


def test_counts_that_change_keep_the_buttons_and_show_every_reason(qtbot):
    view = GenerationView()
    qtbot.addWidget(view)
    view.begin("T")
    view.set_counts(
        {"asked": 9, "done": 5, "failed": 3, "waiting": 1, "failed:refusal": 2, "failed:server": 1}
    )
    button = view._reasons["refusal"][1]
    assert not button.isEnabled()
    view.set_counts({"asked": 9, "done": 5, "failed": 4, "waiting": 0, "failed:refusal": 4})
    view.end("done")
    assert list(view._reasons) == ["refusal"]
    assert view._reasons["refusal"][1] is button
    assert button.isEnabled()
    assert "4" in view._reasons["refusal"][0].text()
    with qtbot.waitSignal(view.again_wanted) as wanted:
        button.click()
    assert wanted.args == ["refusal"]


def test_everything_that_takes_the_keyboard_has_a_name(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    checked = 0
    for place in (SETTINGS, PROMPTS, TRY, RUN):
        page.show_tab(place)
        for widget in page.findChildren(QWidget):
            by_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
            if not by_tab or not widget.isVisible() or widget.objectName().startswith("qt_"):
                continue
            if widget.focusProxy() is not None or type(widget).__name__ == "QComboBoxListView":
                continue
            assert widget.accessibleName() or getattr(widget, "text", lambda: "")(), widget
            checked += 1
    assert checked > 50


def test_the_page_is_walked_without_the_mouse(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    key, control, alt = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    for number, place in ((key.Key_2, PROMPTS), (key.Key_3, TRY), (key.Key_4, RUN), (key.Key_1, SETTINGS)):
        QTest.keyClick(page.focusWidget() or page, number, alt)
        assert page.tabs.currentIndex() == place
    began = time.monotonic()
    QTest.keyClick(page.focusWidget(), key.Key_T, control)
    assert page.tabs.currentIndex() == TRY
    assert page.asks.trying is not None
    # the window's thread starts a process and does not wait for it
    assert time.monotonic() - began < 5
    qtbot.waitUntil(lambda: page.asks.trying is None, timeout=WAIT_MS)
    QTest.keyClick(page.focusWidget(), key.Key_4, alt)
    assert page.focusWidget() is page.run.rows
    QTest.keyClick(page.focusWidget(), key.Key_Return, control)
    assert page.follower.job is not None
    with qtbot.waitSignal(page.jobs.job_ended, timeout=WAIT_MS):
        pass
    assert page.view.counts["waiting"] == 0
    # the keys work on: nothing that was switched off meanwhile has taken the keyboard with it
    assert page.focusWidget() is page.run.start_button


def programs(page: TeacherPage) -> list[tuple[int, str, int, str | None]]:
    with page.project.project.reading() as connection:
        return connection.execute(
            "SELECT r.question_id, r.kind, r.path, t.text FROM row AS r LEFT JOIN rationale AS t "
            "ON t.id = r.rationale_id ORDER BY r.id"
        ).fetchall()


def test_another_answer_to_rows_is_priced_first_and_becomes_a_new_path(qtbot, page, server):
    add_endpoint(qtbot, page, server)
    before = programs(page)
    page.ask_again([1, 3])
    assert page.tabs.currentIndex() == RUN and page.run.start_button.hasFocus()
    assert page.run.rows.currentText() == "another answer to 2 rows"
    assert not page.run.kinds_box.isVisible() and page.run.paths.value() == 1
    assert "what is there stays" in page.run.how.text()
    qtbot.waitUntil(lambda: "Estimate" in page.run.estimate.text(), timeout=WAIT_MS)
    assert not server.asked and programs(page) == before
    QTest.keyClick(page.run.start_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.follower.job is not None)
    qtbot.waitUntil(lambda: page.follower.job is None, timeout=WAIT_MS)
    now = programs(page)
    assert now[: len(before)] == before
    new = now[len(before) :]
    # the first question has paths 0 and 1 already; each row is asked for its own kind
    assert sorted(row[:3] for row in new) == [(1, "pot", 2), (3, "pot", 1)] and len(server.asked) == 4
    # once more the same: the wish is fulfilled, nothing is sent
    page.start()
    qtbot.waitUntil(lambda: page.follower.job is not None)
    qtbot.waitUntil(lambda: page.follower.job is None, timeout=WAIT_MS)
    assert len(server.asked) == 4 and programs(page) == now


def test_without_a_teacher_that_can_be_asked_another_answer_is_refused_in_a_sentence(
    qtbot, page, monkeypatch
):
    said = []
    monkeypatch.setattr("kpdd_app.messages.inform", lambda parent, what, *more: said.append(what))
    page.list.add(PRESETS["sample"])
    page.ask_again([1])
    assert said and "can be asked" in said[0] and not page.run.asks_again()


def test_rows_that_come_before_the_page_has_read_its_teachers_wait(qtbot, open_project, server):
    from training_backend.teacher.teacher_config import save_teacher

    save_teacher(open_project.project, TeacherConfig("Loop", "endpoint", {
        "base_url": server.base_url, "model": "tiny-teacher", "key_source": "none"}))  # fmt: skip
    jobs = Jobs()
    page = TeacherPage(open_project, jobs)
    qtbot.addWidget(page)
    page.ask_again([2])
    assert not page.run.asks_again()
    qtbot.waitUntil(page.run.asks_again)
    assert page.run.wanted().again.row_ids == (2,)
    open_project.close()
    # the rows of a closed project are asked for in no other one
    assert page.run.wanted().again is None and not page.run.asks_again()
    page.leave()
    jobs.close()
