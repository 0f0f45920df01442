"""The export dialog: what it shows, what it asks, and the words that it gives the command."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, Qt

from kpdd_app.jobs import Jobs
from kpdd_app.pages import dataset_export
from kpdd_app.pages.dataset import DatasetPage
from kpdd_app.pages.dataset_export import ExportDialog, export_rows
from training_backend.project.exporters import FORMATS, parse_where
from training_backend.project.listing import RowFilter

SHOWN = RowFilter({"verdict": frozenset({"equal", "raised"}), "flagged": frozenset({0})}, "jars")


@pytest.fixture
def dialog(qtbot, open_project):
    made = ExportDialog(open_project, SHOWN, 12)
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
    qtbot.waitUntil(lambda: made.sample.toPlainText() != "")
    return made


def choose(dialog: ExportDialog, format: str) -> None:
    dialog.form.setCurrentIndex(dialog.form.findData(format))


def tick(qtbot, button) -> None:
    # at its sign: the button is as wide as the dialog, but only its sign and words take a click
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))


def test_it_speaks_the_commands_words(qtbot, dialog, tmp_path):
    words = dialog.arguments()
    assert words[:2] == ["export", str(dialog._file)]
    conditions = [words[n + 1] for n, word in enumerate(words) if word == "--where"]
    assert conditions == ["verdict=equal,raised", "flagged=0", "search=jars"]
    assert parse_where(conditions).facets == SHOWN.facets
    tick(qtbot, dialog.fit)
    assert dialog.arguments()[-1] == "verdict=equal"
    dialog.file.setText(str(dialog._file))
    assert not dialog.go.isEnabled()
    dialog.file.setText(str(tmp_path / "no such folder" / "x.csv"))
    assert "no such folder" in dialog.problem.text()


def test_each_format_has_its_ending_and_its_options(dialog):
    shown = {}
    for format, form in FORMATS.items():
        choose(dialog, format)
        assert dialog.target().suffix == form.ending
        shown[format] = [box.isVisible() for box in (dialog.notes, dialog.spreadsheet, dialog.card)]
        if format == "folder":
            # an ending of the person's own is left alone
            dialog.file.setText(str(dialog.target().with_name("rows.jsonl")))
    assert shown["jsonl"] == [True, False, True] and shown["csv"] == [True, True, True]
    assert shown["folder"] == [True, False, False] and shown["alpaca"] == [False, False, True]


def test_notes_leave_only_when_ticked_and_known_to_the_format(qtbot, dialog):
    assert "--notes" not in dialog.arguments()
    tick(qtbot, dialog.notes)
    assert "--notes" in dialog.arguments()
    qtbot.waitUntil(lambda: '"note"' in dialog.sample.toPlainText())
    choose(dialog, "messages")
    assert "--notes" not in dialog.arguments()


def test_the_first_row_is_shown_as_it_will_be_written(qtbot, dialog):
    assert json.loads(dialog.sample.toPlainText())["verdict"] == "equal"
    choose(dialog, "sharegpt")
    qtbot.waitUntil(lambda: '"conversations"' in dialog.sample.toPlainText())
    choose(dialog, "csv")
    qtbot.waitUntil(lambda: dialog.sample.toPlainText().startswith("row_id: 1\n"))
    dialog.reviewed.setChecked(True)
    qtbot.waitUntil(lambda: dialog.sample.toPlainText() == "No row fits.")
    choose(dialog, "alpaca")
    qtbot.waitUntil(lambda: "has a rationale" in dialog.sample.toPlainText())


@pytest.mark.parametrize("replace", [True, False])
def test_what_is_there_is_replaced_only_after_a_question(qtbot, open_project, tmp_path, monkeypatch, replace):
    out = tmp_path / "rows.jsonl"
    out.write_text("precious")
    asked = []

    def accept(dialog):
        dialog.file.setText(str(out))
        return ExportDialog.DialogCode.Accepted

    monkeypatch.setattr(ExportDialog, "exec", accept)
    monkeypatch.setattr(
        dataset_export.messages, "question", lambda *args, **_: asked.append(args[1]) or replace
    )
    jobs = Jobs()
    page = DatasetPage(open_project, jobs)
    qtbot.addWidget(page)
    try:
        qtbot.waitUntil(lambda: len(page.source) == 14)
        export_rows(page)
        if replace:
            qtbot.waitUntil(lambda: out.read_text() != "precious", timeout=30000)
            assert len(out.read_text().splitlines()) == 14
            qtbot.waitUntil(lambda: not jobs.running(), timeout=30000)
        assert asked == ["rows.jsonl exists already."]
        assert (out.read_text() == "precious") is not replace
    finally:
        jobs.close()
        page.leave()
