"""Find and replace in the window: preview, ticks, mistakes under their field, one step."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from kpdd_app.pages.dataset_replace import ReplaceDialog
from kpdd_app.widgets.hit_list import HitModel, changed_part
from training_backend.project.details import row_detail
from training_backend.project.history import undo_label
from training_backend.project.replacing import Hit

ROWS = list(range(1, 15))


@pytest.fixture
def dialog(qtbot, open_project):
    dialog = ReplaceDialog(open_project, ROWS, [1])
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    yield dialog
    dialog.reject()


def search(qtbot, dialog, find: str, put: str, count: int) -> None:
    dialog.find_text.setFocus()
    dialog.find_text.selectAll()
    qtbot.keyClicks(dialog.find_text, find)
    dialog.put_text.setText(put)
    qtbot.waitUntil(lambda: not dialog.work.busy and not dialog._timer.isActive()
                    and dialog.hits.model_of_hits.rowCount() == count)  # fmt: skip


def test_the_preview_lists_texts_and_nothing_changes_before_replace(qtbot, dialog, open_project):
    search(qtbot, dialog, "many jars", "many pots", 11)
    assert dialog.go.text() == "Replace in 11 texts"
    assert undo_label(open_project.project) == ""
    dialog.hits.setFocus()
    dialog.hits.setCurrentIndex(dialog.hits.model_of_hits.index(0))
    qtbot.keyClick(dialog.hits, Qt.Key.Key_Space)
    assert dialog.found.text() == "10 of 11 texts ticked"
    with qtbot.waitSignal(open_project.bulk.ended):
        dialog.go.click()
    assert undo_label(open_project.project) == "replace in 10 texts"
    assert row_detail(open_project.project, 1).core_question.corrected is None
    assert row_detail(open_project.project, 3).core_question.text == "How many pots are there?"


def test_a_wrong_expression_is_said_under_its_field(qtbot, dialog):
    dialog.regex.setChecked(True)
    search(qtbot, dialog, "(jars", "x", 0)
    assert "no regular expression" in dialog.find_problem.text() and dialog.find_problem.isVisible()
    assert not dialog.go.isEnabled()
    search(qtbot, dialog, "(jars)", r"\2", 0)
    assert dialog.replace_problem.isVisible() and not dialog.find_problem.isVisible()


def test_which_texts_and_which_rows(qtbot, dialog):
    for box in dialog.fields.values():
        box.setChecked(False)
    search(qtbot, dialog, "boxes", "crates", 0)
    assert dialog.found.text() == "Choose at least one text to look in."
    dialog.fields["question"].setChecked(True)
    search(qtbot, dialog, "boxes", "crates", 12)
    dialog.scope.setCurrentIndex(1)
    search(qtbot, dialog, "boxes", "crates", 1)


def test_ticks_of_very_many_hits():
    model = HitModel()
    model.take([Hit(n, "note", n, 1, "a", "b") for n in range(100_000)])
    model.toggle([5, 6])
    assert model.ticked_count() == 99_998
    model.tick_all(False)
    model.toggle([7])
    assert [hit.row_id for hit in model.ticked()] == [7]


@pytest.mark.parametrize(
    ("old", "new"),
    [("a b c", "a X c"), ("", "x"), ("same " * 200 + "end", "same " * 200 + "END"), ("ab", "a")],
)
def test_the_part_that_changed_begins_shortly_before_it(old, new):
    pieces = changed_part(old, new)
    assert any(piece.kind != "same" for piece in pieces)
    kept = "".join(piece.text for piece in pieces if piece.kind != "new").lstrip("…")
    assert kept in old and len(kept) < 500
