"""The Dataset page with real keys and mouse over a real project file and the real sandbox."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor

from kpdd_app import messages, theme
from kpdd_app.pages.dataset import DatasetPage
from kpdd_app.widgets.row_source import RowFilter
from training_backend.project.details import row_detail
from training_backend.project.history import set_review
from training_backend.project.replies import Reply, add_replies
from training_backend.project.store import Project

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot, open_project, fake_jobs):
    page = DatasetPage(open_project, fake_jobs)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: shown(page) == 1)
    page.take_focus()
    yield page
    page.leave()


def shown(page: DatasetPage) -> int | None:
    """Return the id of the row whose texts are on the screen."""
    return page.editor.detail.row.id if page.editor.detail is not None else None


def press(qtbot, page, key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(page.table, key, keys)


def detail(page: DatasetPage, row_id: int):
    page.project.flush()
    return row_detail(page.project.project, row_id)


def type_into(qtbot, page: DatasetPage, field: str, text: str) -> None:
    editor = page.editor.fields[field].editor
    editor.setFocus()
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(editor, text)


def test_the_row_is_shown_whole(page):
    editor = page.editor
    assert editor.fields["question"].editor.text.startswith("A shelf holds 2 boxes")
    assert [mark.cursor.selectedText() for mark in editor.fields["question"].editor.extraSelections()] == [
        "2",
        "3",
    ]
    assert editor.fields["information"].editor.text == "There are 2 boxes.\nA box has 3 jars."
    assert editor.code.text.startswith("boxes = 2")
    assert editor.head.paths.count() == 2
    assert editor.outcome.answer.text() == "answer 6   gold 6"
    assert not editor.fields["core_question"].changed


def test_review_keys(qtbot, page):
    press(qtbot, page, Qt.Key.Key_J)
    assert page.table.current_id == 2
    press(qtbot, page, Qt.Key.Key_K)
    assert page.table.current_id == 1
    press(qtbot, page, Qt.Key.Key_A)
    assert page.table.current_id == 2
    press(qtbot, page, Qt.Key.Key_R)
    press(qtbot, page, Qt.Key.Key_F)
    assert detail(page, 1).row.review == "accepted"
    assert detail(page, 2).row.review == "rejected"
    assert detail(page, 3).row.flagged
    press(qtbot, page, Qt.Key.Key_Home)
    press(qtbot, page, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: page.table.current_id == 3)
    press(qtbot, page, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: not detail(page, 3).row.flagged)
    press(qtbot, page, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: detail(page, 2).row.review == "unreviewed")
    assert detail(page, 1).row.review == "accepted"


def test_bulk_review_is_one_step(qtbot, page):
    press(qtbot, page, Qt.Key.Key_A, CONTROL)
    count = page.table.selected_count()
    press(qtbot, page, Qt.Key.Key_A)
    assert {detail(page, row_id).row.review for row_id in page.source.ids.tolist()} == {"accepted"}
    assert count == len(page.source) == 14
    with qtbot.waitSignal(page.project.undone):
        press(qtbot, page, Qt.Key.Key_U)
    assert {detail(page, row_id).row.review for row_id in page.source.ids.tolist()} == {"unreviewed"}


def test_typing_saves_itself(qtbot, page, small_project):
    with qtbot.waitSignal(page.project.rows_changed, timeout=2000):
        type_into(qtbot, page, "core_question", " Count them.")
    with Project.open(small_project, read_only=True) as other:
        found = row_detail(other, 1)
    assert found.core_question.text == "How many jars are there? Count them."
    assert found.core_question.teacher == "How many jars are there?"
    qtbot.waitUntil(lambda: page.editor.fields["core_question"].changed)
    assert page.editor.fields["core_question"].editor.text.endswith(" Count them.")


def test_leaving_the_row_saves_at_once(qtbot, page):
    type_into(qtbot, page, "note", "look again")
    page.table.set_current(3)
    assert detail(page, 1).note == "look again"
    qtbot.waitUntil(lambda: shown(page) == 4)
    assert page.editor.fields["note"].editor.text == ""


def test_keys_typed_in_a_field_are_text(qtbot, page):
    type_into(qtbot, page, "note", "jkarfn")
    assert page.table.current_id == 1
    assert page.editor.fields["note"].editor.text == "jkarfn"
    assert detail(page, 1).row.review == "unreviewed"


def test_undo_takes_back_what_was_typed(qtbot, page):
    type_into(qtbot, page, "core_question", "abc")
    page.editor.flush()
    page.project.flush()
    page.project.undo()
    qtbot.waitUntil(lambda: page.editor.fields["core_question"].editor.text == "How many jars are there?")
    page.project.redo()
    qtbot.waitUntil(lambda: page.editor.fields["core_question"].editor.text == "How many jars are there?abc")


def test_a_corrected_program_runs_and_its_verdict_shows(qtbot, page):
    page.show_row(2)
    qtbot.waitUntil(lambda: shown(page) == 2)
    editor = page.editor
    editor.code.setFocus()
    editor.code.selectAll()
    qtbot.keyClicks(editor.code, "answer = 1 / 0")
    qtbot.keyClick(editor.code, Qt.Key.Key_Return, CONTROL)
    assert editor.outcome.pill.accessibleName() == "running …"
    qtbot.waitUntil(lambda: editor.outcome.pill.accessibleName() == "error", timeout=20000)
    assert editor.code.error_line == 1
    assert "ZeroDivisionError" in editor.outcome.error.text()
    assert detail(page, 2).rationale.teacher.startswith("boxes = 3")


def test_differences_history_and_bring_back(qtbot, page):
    type_into(qtbot, page, "core_question", " Exactly.")
    page.editor.flush()
    qtbot.waitUntil(lambda: page.editor.fields["core_question"].changed)
    page.editor.show_differences()
    kinds = [(piece.kind, piece.text) for piece in page.editor.diff.pieces]
    assert ("new", " Exactly.") in kinds
    page.editor.tabs.setCurrentWidget(page.editor.history)
    qtbot.waitUntil(lambda: any(item.who == "person" for item in page.editor.history.items))
    teacher = [
        item for item in page.editor.history.items if item.field == "core_question" and item.who != "person"
    ]
    assert teacher[0].who == "tester model-1"
    page.editor.fields["core_question"]._back.click()
    qtbot.waitUntil(lambda: page.editor.fields["core_question"].editor.text == "How many jars are there?")
    assert detail(page, 1).core_question.corrected is None
    assert "raw reply" in page.editor.detail.raw["pot"]


def test_search_as_you_type_and_facets(qtbot, page):
    qtbot.keyClick(page.table, Qt.Key.Key_F, CONTROL)
    assert page.search.hasFocus()
    qtbot.keyClicks(page.search, "9 boxes")
    qtbot.waitUntil(lambda: len(page.source) == 1)
    page.clear_filter()
    qtbot.waitUntil(lambda: len(page.source) == 14)
    page.facets.toggle("verdict", "raised")
    qtbot.waitUntil(lambda: len(page.source) == 1)
    assert "verdict" in page.chips.chips and not page.chips.isHidden()
    page.facets.toggle("kind", "")
    qtbot.waitUntil(lambda: len(page.source) == 0)
    assert page.stack.currentWidget() is page.empty
    page.empty.button.click()
    qtbot.waitUntil(lambda: len(page.source) == 14)
    assert page.stack.currentWidget() is page.table


def test_escape_takes_the_words_away_and_leaves_the_search(qtbot, page):
    qtbot.keyClick(page.table, Qt.Key.Key_F, CONTROL)
    qtbot.keyClicks(page.search, "9 boxes")
    qtbot.waitUntil(lambda: len(page.source) == 1)
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert not page.search.text() and page.source.filter == RowFilter() and page.table.hasFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_F, CONTROL)
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert page.table.hasFocus()


def test_a_reviewed_row_stays_in_its_filter_until_refresh(qtbot, page):
    with qtbot.waitSignal(page.source.ids_changed):
        page.show_filter(RowFilter({"review": frozenset({"unreviewed"})}))
    qtbot.waitUntil(lambda: len(page.source) == 14 and page.source.row(0) is not None)
    press(qtbot, page, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: page.source.row(0) is not None and not page.source.fits(page.source.row(0)))
    assert len(page.source) == 14
    qtbot.waitUntil(lambda: not page.news.isHidden())
    assert page._news_text.text() == "Rows that no longer fit this filter: 1"
    press(qtbot, page, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: len(page.source) == 13)
    assert page.news.isHidden()


def test_rows_of_another_writer_are_announced_not_inserted(qtbot, page, small_project):
    page.show_filter(RowFilter({"review": frozenset({"accepted"})}))
    qtbot.waitUntil(lambda: len(page.source) == 0 and not page.source.loading)
    page.show_filter(RowFilter({"review": frozenset({"unreviewed"})}))
    qtbot.waitUntil(lambda: len(page.source) == 14)
    with Project.open(small_project) as other:
        set_review(other, [5, 6], "accepted")
    page.project.rows_changed.emit(None)
    qtbot.waitUntil(lambda: not page.news.isHidden())
    assert len(page.source) == 14


def test_a_read_only_project_can_be_read_and_not_changed(qtbot, small_project, open_project, fake_jobs):
    from kpdd_app.open_project import OpenProject

    second = OpenProject()
    page = DatasetPage(second, fake_jobs)
    qtbot.addWidget(page)
    with qtbot.waitActive(page):
        page.show()
    second.open(small_project)
    qtbot.waitUntil(lambda: shown(page) == 1)
    assert page.editor.fields["question"].editor.isReadOnly()
    assert not page.actions_of_page.accept.isEnabled()
    assert page.actions_of_page.next.isEnabled()
    page.take_focus()
    for key, word in ((Qt.Key.Key_A, "Accept"), (Qt.Key.Key_F, "Flag")):
        with qtbot.waitSignal(messages.notes().said) as said:
            press(qtbot, page, key)
        assert said.args[0].startswith(word) and "Another window" in said.args[0]
    press(qtbot, page, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: shown(page) == 2)
    assert detail_of(second, 1).row.review == "unreviewed"
    page.leave()
    second.shut_down()


def detail_of(project, row_id: int):
    return row_detail(project.project, row_id)


def test_without_a_project_the_page_says_what_belongs_there(qtbot, fake_jobs):
    from kpdd_app.open_project import OpenProject

    project = OpenProject()
    page = DatasetPage(project, fake_jobs)
    qtbot.addWidget(page)
    assert page.stack.currentWidget() is page.empty
    with qtbot.waitSignal(page.choose_project_wanted):
        page.empty.button.click()
    page.leave()
    project.shut_down()


def test_the_row_by_keys_alone_paths_note_history_and_bring_back(qtbot, page):
    press(qtbot, page, Qt.Key.Key_BracketRight)
    qtbot.waitUntil(lambda: shown(page) not in (1, None))
    assert page.editor.detail.row.path == 1
    press(qtbot, page, Qt.Key.Key_BracketLeft)
    qtbot.waitUntil(lambda: shown(page) == 1)
    press(qtbot, page, Qt.Key.Key_M)
    editor = page.editor
    assert editor.fields["note"].editor.hasFocus()
    qtbot.keyClicks(editor.fields["note"].editor, "odd")
    page.take_focus()
    qtbot.waitUntil(lambda: detail(page, 1).note == "odd")
    press(qtbot, page, Qt.Key.Key_E)
    assert editor.code.hasFocus()
    editor.code.selectAll()
    qtbot.keyClicks(editor.code, "answer = 7")
    page.take_focus()
    qtbot.waitUntil(lambda: editor.fields["rationale"].changed)
    press(qtbot, page, Qt.Key.Key_D)
    assert editor.tabs.currentWidget() is editor.diff
    press(qtbot, page, Qt.Key.Key_H)
    assert editor.history.list.hasFocus()
    qtbot.waitUntil(lambda: any(item.field == "rationale" and item.who == "person"
                                for item in editor.history.items))  # fmt: skip
    teacher = next(n for n, item in enumerate(editor.history.items)
                   if item.field == "rationale" and item.who != "person")  # fmt: skip
    for _ in range(teacher):
        qtbot.keyClick(editor.history.list, Qt.Key.Key_Down)
    qtbot.keyClick(editor.history.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor.code.text.startswith("boxes = 2"))
    assert detail(page, 1).rationale.corrected is None


def test_columns_are_remembered_and_sort_by_suspicion_has_a_key(qtbot, page):
    header = page.table.header
    header.set_hidden("dataset", False)
    header.place("gold_text", 0)
    page.table.set_current(5)
    with qtbot.waitSignal(page.source.ids_changed):
        press(qtbot, page, Qt.Key.Key_S)
    assert page.table.current == 0
    assert (page.source.filter.sort, page.source.filter.descending) == ("suspicion", True)
    again = DatasetPage(page.project, page.jobs)
    qtbot.addWidget(again)
    assert again.table.header.order()[0] == "gold_text"
    assert "dataset" not in again.table.header.hidden()
    again.leave()


def test_large_letters_leave_the_room_to_rows_and_texts(qtbot, page):
    assert not page.left.isHidden()
    page.resize(620, 600)
    assert page.left.isHidden() and page.facets_button.isVisible()
    page.facets_button.click()
    assert not page.left.isHidden()
    page.facets_button.click()
    assert page.left.isHidden() and not page.splitter.below
    page.editor.setMinimumWidth(500)
    page.resize(800, 600)
    qtbot.waitUntil(lambda: page.splitter.below)
    assert page.editor.mapTo(page, QPoint()).y() > page.table.mapTo(page, QPoint()).y()
    assert page.editor.width() == page.width()
    page.facets_button.click()
    assert not page.left.isHidden() and page.editor.isHidden()
    page.facets_button.click()
    assert page.left.isHidden() and page.editor.isVisible()
    page.resize(1300, 800)
    assert not page.left.isHidden() and not page.splitter.below and page.facets_button.isHidden()


def test_the_width_is_shared_anew_until_a_person_shares_it(qtbot, page):
    page.resize(1000, 600)
    page.resize(1600, 800)
    qtbot.waitUntil(lambda: page.editor.width() > 400)
    narrow = page.editor.width() - 90
    page.splitter.moveSplitter(page.width() - narrow, 2)
    page.splitter.splitterMoved.emit(page.width() - narrow, 2)
    by_hand = page.editor.width()
    page.resize(1590, 800)
    assert abs(page.editor.width() - by_hand) < 20
    assert page.splitter.widths().size() > 0


def test_the_signs_of_paths_grow_with_the_letters(qtbot, qapp, page):
    before = page.editor.head.paths.iconSize().width()
    theme.apply(qapp, "light", 20)
    try:
        assert page.editor.head.paths.iconSize().width() > before
    finally:
        theme.apply(qapp, "light", 10)
    assert page.editor.head.paths.iconSize().width() == before


def test_what_was_searched_is_marked_in_the_row(qtbot, page):
    page.search.setText("jars")
    qtbot.waitUntil(lambda: page.source.filter.search == "jars")
    marks = page.editor.fields["question"].editor.extraSelections()
    assert "jars" in [mark.cursor.selectedText() for mark in marks]
    page.clear_filter()
    marks = page.editor.fields["question"].editor.extraSelections()
    assert "jars" not in [mark.cursor.selectedText() for mark in marks]


def test_rows_are_handed_over_for_another_answer_one_or_all_of_the_filter(qtbot, page):
    asked = []
    page.ask_again_wanted.connect(lambda ids: asked.append([int(row) for row in ids]))
    page.table.set_current(2)
    qtbot.waitUntil(lambda: page.editor.detail is not None and page.editor.detail.row.id == 3)
    page.editor.head.again.click()
    qtbot.keyClick(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(page.table, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert asked[0] == [3] and len(asked[1]) == len(page.source) > 10


def test_a_chain_of_thought_is_handed_over_to_be_walked(qtbot, page):
    add_replies(page.project.project, [Reply(12, "cot", 0, None, "13 * 3 = 39. The answer is 39.")])
    with page.project.project.reading() as connection:
        (chain,) = connection.execute("SELECT id FROM row WHERE kind = 'cot'").fetchone()
    page.source.refresh()
    qtbot.waitUntil(lambda: chain in list(page.source.ids), timeout=10_000)
    walked = []
    page.trace_wanted.connect(walked.append)
    for line, kind in ((0, "pot"), (list(page.source.ids).index(chain), "cot")):
        page.table.set_current(line)
        qtbot.waitUntil(lambda kind=kind: page.editor.detail.row.kind == kind, timeout=10_000)
        assert page.editor.head.trace.isVisible()
        press(qtbot, page, Qt.Key.Key_T)
    page.editor.head.trace.click()
    assert [detail.row.kind for detail in walked] == ["pot", "cot", "cot"]
