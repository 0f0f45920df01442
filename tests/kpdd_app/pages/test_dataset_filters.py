"""Kept filters and the chips of the filter that is shown."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from kpdd_app import theme
from kpdd_app.pages import dataset_filters
from kpdd_app.pages.dataset import DatasetPage
from kpdd_app.pages.dataset_filters import filter_words
from kpdd_app.widgets.row_source import RowFilter

WRONG = RowFilter({"verdict": frozenset({"raised", "not_equal"})}, "jars", "suspicion", True)


@pytest.fixture
def page(qtbot, open_project, fake_jobs, monkeypatch):
    monkeypatch.setattr(dataset_filters, "ask_name", lambda *args: "wrong ones")
    page = DatasetPage(open_project, fake_jobs)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: len(page.source) == 14)
    page.take_focus()
    yield page
    page.leave()


def keep(qtbot, page) -> None:
    page.show_filter(WRONG)
    qtbot.keyClick(page.table, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: [kept.name for kept in page.kept.filters] == ["wrong ones"])


def test_a_filter_is_kept_shown_again_and_found_in_the_palette(qtbot, page):
    keep(qtbot, page)
    assert not page.kept.isHidden()
    page.clear_filter()
    qtbot.waitUntil(lambda: len(page.source) == 14)
    page.kept.list.setCurrentRow(0)
    page.kept.list.itemActivated.emit(page.kept.list.item(0))
    assert page.source.filter == WRONG
    assert page.search.text() == "jars" and page.table.header.sort == "suspicion"
    page.clear_filter()
    action = next(action for action in page.actions() if action.text() == "Filter: wrong ones")
    action.trigger()
    assert page.source.filter == WRONG


def test_another_name_and_forgetting_by_keys(qtbot, page, monkeypatch):
    keep(qtbot, page)
    monkeypatch.setattr(dataset_filters, "ask_name", lambda *args: "others")
    page.kept.list.setCurrentRow(0)
    qtbot.keyClick(page.kept.list, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: [kept.name for kept in page.kept.filters] == ["others"])
    monkeypatch.setattr(dataset_filters.messages, "question", lambda *args, **more: True)
    page.kept.list.setCurrentRow(0)
    qtbot.keyClick(page.kept.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not page.kept.filters)
    assert page.kept.isHidden()
    assert not any(action.text().startswith("Filter:") for action in page.actions())


def test_a_chip_for_each_part_and_each_can_be_taken_away(qtbot, page):
    page.show_filter(WRONG)
    assert set(page.chips.chips) == {"verdict", "search", "order"}
    assert page.chips.chips["search"].text() == "Text: “jars”"
    page.chips.chips["verdict"].click()
    assert page.source.filter == RowFilter({}, "jars", "suspicion", True)
    page.chips._clear.click()
    assert page.chips.isHidden() and page.source.filter == RowFilter()


def test_chips_follow_the_colours(qtbot, qapp, page):
    page.show_filter(WRONG)
    try:
        for scheme in ("dark", "light"):
            theme.apply(qapp, scheme, 10)
            assert theme.current().accent_tint in page.chips.chips["search"].styleSheet()
    finally:
        theme.apply(qapp, "light", 10)


def test_an_order_that_no_column_shows_has_a_chip(qtbot, page):
    header = page.table.header
    page.sort("suspicion", True)
    assert page.chips.chips["order"].text() == "Order: Suspicion" and not page.chips.isHidden()
    header.set_hidden("suspicion", False)
    assert page.chips.isHidden()
    page.clear_filter()
    assert page.source.filter.sort == "suspicion"
    header.set_hidden("suspicion", True)
    page.chips.chips["order"].click()
    assert page.source.filter == RowFilter() and page.chips.isHidden()


def test_a_name_that_is_taken_or_empty_cannot_be_kept(qtbot):
    dialog = dataset_filters._NameDialog(None, "Keep", "wrong", ["wrong"])
    qtbot.addWidget(dialog)
    assert not dialog.ok.isEnabled() and "already" in dialog.said.text()
    dialog.name.setText("  ")
    assert not dialog.ok.isEnabled()
    qtbot.keyClicks(dialog.name, "new")
    assert dialog.ok.isEnabled()


def test_a_filter_in_words():
    assert filter_words(WRONG) == "Verdict: not equal or error, “jars”"
    assert filter_words(RowFilter()) == ""


def test_a_chip_that_has_no_room_ends_its_words_and_keeps_their_beginning(qtbot, page):
    from training_backend.project.flags import FLAGS

    page.show_filter(RowFilter({"flags": frozenset(flag.name for flag in FLAGS)}))
    page.chips.resize(240, 200)
    page.chips.layout().activate()
    chip = page.chips.chips["flags"]
    words = chip.shown_words()
    assert chip.width() < 240 and words.startswith("Found by the program") and words.endswith("…")
    assert chip.fontMetrics().horizontalAdvance(words) < chip.width() and len(words) < len(chip.text())
    page.chips.resize(1200, 60)
    page.chips.layout().activate()
    assert chip.shown_words() == chip.text()
