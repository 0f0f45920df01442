"""The import dialog: what it shows of a file, what it asks the command for, and what is said afterwards."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from kpdd_app import theme
from kpdd_app.jobs import Jobs
from kpdd_app.pages import dataset_import_result
from kpdd_app.pages.dataset import DatasetPage
from kpdd_app.pages.dataset_import import ImportDialog
from kpdd_app.pages.dataset_import_result import follow_import
from training_backend.project.store import Project


@pytest.fixture
def dialog(qtbot):
    """A dialog on the screen; given back at the end."""
    made = ImportDialog(None)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.reject()


def choose(qtbot, dialog, file):
    dialog.file.setText(str(file))
    qtbot.waitUntil(lambda: not dialog._background.busy and dialog.found.text() != "")


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_a_native_file_shows_its_first_rows(qtbot, dialog, tmp_path):
    file = tmp_path / "jars test.jsonl"
    lines = [json.dumps({"question": f"How many are {n}?", "answer": f"#### {n}"}) for n in range(3)]
    file.write_text("\n".join([lines[0], '{"question": "half', *lines[1:]]) + "\n", encoding="utf-8")
    choose(qtbot, dialog, file)
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.rows.topLevelItemCount() == 4 and dialog.columns.isHidden()
    assert "1 of them cannot be read" in dialog.found.text()
    dialog.dataset.clear()
    qtbot.keyClicks(dialog.dataset, "jars")
    words = dialog.arguments(tmp_path / "p.kpdd")
    assert words == ["import", str(tmp_path / "p.kpdd"), str(file), "--format", "auto", "--dataset", "jars",
                     "--split", "test"]  # fmt: skip
    qtbot.mouseClick(dialog.keep_good, Qt.MouseButton.LeftButton, pos=dialog.keep_good.rect().center() * 0.1)
    assert dialog.arguments(tmp_path)[-1] == "--keep-good"
    dialog.file.setText(str(tmp_path / "missing.jsonl"))
    qtbot.waitUntil(lambda: not dialog.go.isEnabled())
    assert "missing.jsonl" in dialog.found.text()


ODD = [{"Aufgabe": f"Wie viel ist {n} und 1?", "Ergebnis": n + 1, "Weg": f"ans = {n} + 1"} for n in range(3)]


def test_columns_are_chosen_by_keyboard_and_remembered(qtbot, dialog, tmp_path):
    file = write(tmp_path / "odd.jsonl", ODD)
    choose(qtbot, dialog, file)
    qtbot.waitUntil(lambda: dialog.columns.isVisible())
    # nothing can be guessed: the records are shown as they are
    assert dialog.rows.headerItem().text(0) == "Aufgabe" and not dialog.go.isEnabled()
    for target, letter in (("question", Qt.Key.Key_A), ("gold", Qt.Key.Key_E), ("pot", Qt.Key.Key_W)):
        dialog.columns.choices[target].setFocus()
        qtbot.keyClick(dialog.columns.choices[target], letter)
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.rows.headerItem().text(0) == "Id" and not dialog.rows.isColumnHidden(3)
    assert dialog.rows.topLevelItem(0).text(3) == "pot: ans = 0 + 1"
    words = dialog.arguments(tmp_path / "p.kpdd")
    assert words[3:9] == ["--map", "question=Aufgabe", "--map", "gold=Ergebnis", "--map", "pot=Weg"]
    assert words[9:11] == ["--teacher", "recorded"]
    dialog.accept()
    again = ImportDialog(write(tmp_path / "other.jsonl", ODD))
    qtbot.addWidget(again)
    qtbot.waitUntil(again.go.isEnabled)
    assert again.columns.mapping() == {"question": "Aufgabe", "gold": "Ergebnis", "pot": "Weg"}
    again.reject()


def test_guessed_columns_need_no_hand(qtbot, dialog, tmp_path):
    choose(qtbot, dialog, write(tmp_path / "a.jsonl", [{"prompt": "Why?", "label": "3", "uid": "q1"}]))
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.columns.mapping() == {"question": "prompt", "gold": "label", "id": "uid"}
    assert not dialog.columns.teacher.isEnabled() and dialog.rows.isColumnHidden(3)


def test_another_project_is_merged(qtbot, dialog, tmp_path):
    other = tmp_path / "other.kpdd"
    Project.create(other).close()
    choose(qtbot, dialog, other)
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.go.text() == "Merge" and dialog.arguments(tmp_path / "p") == [
        "import", str(tmp_path / "p"), str(other)
    ]  # fmt: skip


def test_benchmarks_are_chosen_by_keyboard_and_their_licence_is_said(qtbot, dialog, tmp_path):
    dialog.tabs.setCurrentIndex(1)
    assert not dialog.go.isEnabled()
    marks = dialog.benchmarks
    marks.list.setFocus()
    qtbot.keyClick(marks.list, Qt.Key.Key_S)
    assert dialog.go.isEnabled() and dialog.go.text() == "Download and import"
    assert dialog.arguments(tmp_path)[2:] == ["--download", "svamp"]
    qtbot.keyClick(marks.list, Qt.Key.Key_Down)
    assert "ASDiv is published under CC BY-NC 4.0" in marks.licences.text()
    qtbot.keyClicks(marks.hub, "some/sums")
    assert dialog.arguments(tmp_path)[2:] == ["--download", "asdiv", "--download", "some/sums"]


def test_everything_that_takes_the_keyboard_has_a_name(dialog):
    checked = 0
    for widget in dialog.findChildren(QWidget):
        by_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if not by_tab or widget.objectName().startswith("qt_") or widget.window() is not dialog:
            continue
        assert widget.accessibleName() or getattr(widget, "text", lambda: "")(), widget
        checked += 1
    assert checked > 20


@pytest.mark.parametrize("wanted", [True, False])
def test_a_refused_import_shows_the_places_and_asks(qtbot, open_project, tmp_path, monkeypatch, wanted):
    shown: list = []

    class Asked:
        def __init__(self, *parts):
            shown.append(parts)
            self.chosen = ""

        def exec(self):
            self.chosen = shown[-1][7][-1] if wanted else shown[-1][7][0]

    monkeypatch.setattr(dataset_import_result.messages, "Message", Asked)
    file = tmp_path / "new.jsonl"
    file.write_text(
        '{"question": "What is 1 and 1?", "answer": "#### 2"}\n{"question": "half\n', encoding="utf-8"
    )
    jobs, again = Jobs(), []
    page = DatasetPage(open_project, jobs)
    qtbot.addWidget(page)
    try:
        qtbot.waitUntil(lambda: len(page.source) == 14)
        job = jobs.start("import", ["import", str(open_project.path), str(file)])
        follow_import(job, page, open_project.rows_changed.emit, lambda: again.append(True))
        with qtbot.waitSignal(jobs.job_ended, timeout=20000):
            pass
        qtbot.waitUntil(lambda: bool(shown))
        assert "line 2: this is no JSON" in shown[0][5] and shown[0][2].startswith("1 place")
        assert again == ([True] if wanted else [])
        assert len(page.source) == 14
    finally:
        jobs.close()
        page.leave()


def test_an_import_by_choice_lists_what_was_left_out(qtbot, open_project, tmp_path, monkeypatch):
    shown: list = []
    monkeypatch.setattr(dataset_import_result.messages, "inform", lambda *parts: shown.append(parts))
    file = tmp_path / "new.jsonl"
    file.write_text(
        '{"question": "What is 1 and 1?", "answer": "#### 2"}\n{"question": "half\n', encoding="utf-8"
    )
    jobs = Jobs()
    page = DatasetPage(open_project, jobs)
    qtbot.addWidget(page)
    try:
        qtbot.waitUntil(lambda: len(page.source) == 14)
        job = jobs.start("import", ["import", str(open_project.path), str(file), "--keep-good"])
        follow_import(job, page, open_project.rows_changed.emit)
        with qtbot.waitSignal(jobs.job_ended, timeout=20000):
            pass
        qtbot.waitUntil(lambda: bool(shown))
        assert "line 2" in shown[0][3]
        qtbot.waitUntil(lambda: not page.news.isHidden())
        assert page._news_text.text() == "New rows: 1"
    finally:
        jobs.close()
        page.leave()


def test_a_download_that_fails_says_what_where_and_what_to_do(qtbot, monkeypatch):
    from PySide6.QtWidgets import QWidget

    from kpdd_app.pages import dataset_import_result
    from training_backend.events import Result

    page, told = QWidget(), []
    qtbot.addWidget(page)
    monkeypatch.setattr(dataset_import_result.messages, "error", lambda _, error: told.append(error))
    file = {"file": "svamp", "error": "w: m h", "message": "m", "hint": "h", "where": "w"}
    dataset_import_result.report(page, Result(text="", data={"files": [file]}))
    assert [(error.message, error.hint, error.where) for error in told] == [("m", "h", "w")]


def test_with_large_letters_the_dialog_fits_the_screen_and_cuts_no_message(qtbot, qapp, tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text('{"id": 1, "prompt": "Ida has 3 plums. How many?", "sol": "3"}\n{bad\n')
    theme.apply(qapp, "light", 24)
    try:
        dialog = ImportDialog(file, None)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: bool(dialog.preview.columns), timeout=10_000)
        room = dialog.screen().availableSize()
        assert dialog.width() <= room.width() and dialog.height() <= room.height()
        found = dialog.found
        qtbot.waitUntil(lambda: found.height() >= found.heightForWidth(found.width()), timeout=10_000)
        assert found.text() and dialog.go.geometry().bottom() <= dialog.height()
    finally:
        theme.apply(qapp, "light", 10)
