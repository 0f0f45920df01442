"""Every action stands in one table, and a person's keys work wherever the table's did."""

from __future__ import annotations

from itertools import combinations

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

from kpdd_app import key_bindings
from kpdd_app.jobs import Jobs
from kpdd_app.key_bindings import BOUND, BY_ID, WINDOW, add_action, clashes, keys_of, reset, set_keys
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.page_list import PAGES
from kpdd_app.settings import Settings
from kpdd_app.widgets.keys_editor import KeysEditor


@pytest.fixture
def window(qtbot):
    window = MainWindow(OpenProject(), Jobs(), Settings())
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    yield window
    window.close()


def actions_of(window: MainWindow) -> dict[str, QAction]:
    pages = [window.page(key) for key, _, _ in PAGES]
    return {action.property("action_id"): action for owner in (window, *pages) for action in owner.actions()}


def test_no_two_actions_that_can_meet_share_a_key():
    pairs = 0
    for one, other in combinations(BOUND, 2):
        if one.page == other.page or WINDOW in (one.page, other.page):
            pairs += 1
            mine = {QKeySequence(key).toString() for key in one.keys}
            assert not mine & {QKeySequence(key).toString() for key in other.keys}, (one.id, other.id)
    assert pairs > 1000
    assert all(QKeySequence(key).toString() for bound in BOUND for key in bound.keys)


def test_the_table_and_the_window_have_the_same_actions(window):
    assert set(actions_of(window)) == set(BY_ID)


def test_the_keys_of_the_design():
    keys = {name: BY_ID[f"dataset.{name}"].keys[0] for name in
            ("next", "previous", "accept", "reject", "edit", "flag", "next_unreviewed", "diff", "trace",
             "undo")}  # fmt: skip
    assert "".join(keys.values()) == "JKAREFNDTU"
    assert BY_ID["window.undo"].keys == ("Ctrl+Z",)
    assert BY_ID["dataset.run"].keys == ("Ctrl+Return",)


def test_every_action_answers_to_another_key_and_no_longer_to_its_own(window):
    actions = actions_of(window)
    for action_id, action in actions.items():
        set_keys(action_id, ("Ctrl+Alt+Shift+F9",))
        assert [key.toString() for key in action.shortcuts()] == ["Ctrl+Alt+Shift+F9"]
        set_keys(action_id, ())
        assert action.shortcuts() == []
        reset([action_id])
        assert [key.toString() for key in action.shortcuts()] == [
            QKeySequence(key).toString() for key in BY_ID[action_id].keys
        ]
    assert len(actions) > 60


@pytest.mark.parametrize("bound", BOUND, ids=lambda bound: bound.id)
def test_a_new_key_really_triggers(qtbot, bound):
    place = QWidget()
    place.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    qtbot.addWidget(place)
    done = []
    set_keys(bound.id, ("F9",))
    add_action(place, bound.id, lambda: done.append(bound.id))
    with qtbot.waitActive(place):
        place.show()
    # a page's keys work where the keyboard is on the page
    place.setFocus()
    qtbot.keyClick(place, Qt.Key.Key_F9)
    set_keys(bound.id, ("Ctrl+F10", "?"))
    qtbot.keyClick(place, Qt.Key.Key_F9)
    qtbot.keyClick(place, Qt.Key.Key_F10, Qt.KeyboardModifier.ControlModifier)
    assert done == [bound.id] * 2


@pytest.mark.filterwarnings("error")
def test_a_button_and_the_notifier_may_end_in_any_order(qtbot, monkeypatch, capfd):
    monkeypatch.setattr(key_bindings, "_notifier", None)
    first, second = QPushButton(), QPushButton()
    for button in (first, second):
        key_bindings.name_button(button, "Accept", "dataset.accept")
    shiboken6.delete(first)
    set_keys("dataset.accept", ("Y",))
    assert second.toolTip() == "Accept (Y)"
    shiboken6.delete(key_bindings.notifier())
    shiboken6.delete(second)
    assert capfd.readouterr().err == ""


def test_a_choice_is_remembered_also_the_choice_of_no_key(qtbot):
    set_keys("dataset.accept", ("Y", "Ctrl+,"))
    set_keys("dataset.reject", ())
    assert keys_of("dataset.accept") == ("Y", "Ctrl+,")
    assert keys_of("dataset.reject") == ()
    assert not key_bindings.is_usual("dataset.reject")
    assert "dataset\tAccept\tY, Ctrl+,\tA" in key_bindings.as_text()
    reset(list(BY_ID))
    assert keys_of("dataset.accept") == ("A",)


def test_clashes_are_those_that_can_meet():
    assert [bound.id for bound in clashes("dataset.accept", "R")] == ["dataset.reject"]
    assert [bound.id for bound in clashes("dataset.accept", "Ctrl+K")] == ["window.palette"]
    assert clashes("solve.play", "A") == []
    assert {bound.id for bound in clashes("window.quit", "Ctrl+Return")} == {
        "teacher.start", "dataset.run", "train.start", "solve.solve", "evaluate.start",
    }  # fmt: skip


def test_the_dialog_finds_records_says_what_is_in_the_way_and_takes_it(qtbot, window):
    page = window.page("dataset")
    dialog = KeysEditor(window)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    qtbot.keyClicks(dialog.search, "accept")
    qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.current.id == "dataset.accept"
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    assert dialog.record.hasFocus() or dialog.record.isAncestorOf(dialog.focusWidget())
    qtbot.keyClick(dialog.record, Qt.Key.Key_R)
    assert "“Reject”" in dialog.problem.text.text()
    assert dialog.use.text() == "Take it from there"
    dialog.use.click()
    assert keys_of("dataset.accept") == ("R",) and keys_of("dataset.reject") == ()
    assert page.actions_of_page.accept.shortcut().toString() == "R"
    assert page.editor.head.accept.toolTip() == "Accept (R)"
    assert page.editor.head.reject.toolTip() == "Reject"
    dialog.search.setText("reject")
    dialog.usual.click()
    assert "belong to “Accept”" in dialog.problem.text.text()
    dialog.all_usual.click()
    assert keys_of("dataset.reject") == ("R",)
    dialog.reject()


def test_the_list_of_keys_and_the_palette_show_the_keys_chosen(window):
    window.show_page("dataset")
    set_keys("dataset.accept", ("Ctrl+Alt+Y",))
    assert {entry.title: entry.keys for entry in window.entries()}["Accept"] == "Ctrl+Alt+Y"
