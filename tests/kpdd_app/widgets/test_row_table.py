"""The table: a million rows from an id vector, keys, mouse, and the mark of what left the filter."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPixmap

from kpdd_app.widgets import row_paint
from kpdd_app.widgets.column_dialog import ColumnDialog
from kpdd_app.widgets.found_words import found_words
from kpdd_app.widgets.row_paint import COLUMNS
from kpdd_app.widgets.row_source import FIRST_HITS, PAGE_ROWS, RowFilter, RowSource
from kpdd_app.widgets.row_table import RowTable
from training_backend.project.listing import SORTS, ListRow

MILLION = 1_000_000


class Pages:
    """Stands where the project's Listing stands; counts what is asked of it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[int] = []
        self.changed: dict[int, str] = {}

    def ids(self, wanted, limit=None):
        ids = np.arange(1, self.count + 1, dtype=np.int64)
        return ids[::-1] if wanted.descending else ids

    def facets(self, wanted):
        return {"verdict": [("equal", self.count)]}

    def page(self, ids):
        self.asked.append(len(ids))
        return [
            ListRow(n, n, "set", "train", "pot", 0, self.changed.get(n, "equal"), "unreviewed", False, False,
                    f"question {n} with some words", "core", "answer = 1", "1", "1")
            for n in ids
        ]  # fmt: skip

    def interrupt(self):
        pass

    def close(self):
        pass


@pytest.fixture
def table(qtbot):
    def make(count: int) -> RowTable:
        source = RowSource()
        source._listing = Pages(count)  # type: ignore[assignment]
        table = RowTable(source)
        qtbot.addWidget(table)
        table.resize(800, 600)
        with qtbot.waitActive(table):
            table.show()
        with qtbot.waitSignal(source.ids_changed):
            source.set_filter(RowFilter())
        qtbot.waitUntil(lambda: not count or source.row(0) is not None)
        made.append(source)
        return table

    made: list[RowSource] = []
    yield make
    for source in made:
        source.shut_down()


def test_what_a_search_finds_is_marked_in_the_rows_that_are_painted(qtbot, table, monkeypatch):
    looked_at = []

    def found(search: str, text: str) -> list[tuple[int, int]]:
        looked_at.append(text)
        return found_words(search, text)

    monkeypatch.setattr(row_paint, "found_words", found)
    view = table(MILLION)
    view.grab()
    assert not looked_at
    with qtbot.waitSignal(view.source.ids_changed):
        view.source.set_filter(RowFilter(search="some wo"))
    qtbot.waitUntil(lambda: view.source.row(0) is not None)
    view.grab()
    # each painted row once, whatever is painted again
    rows = view.rows_a_page() + 2
    assert 0 < len(looked_at) <= rows
    view.grab()
    assert len(looked_at) <= rows


def test_marks_stand_where_the_words_stand(qapp):
    style = row_paint.RowPainter(1.0)
    style.look_for("jars hold")
    text, width = "A shelf holds 9 jars", style.metrics["text"].horizontalAdvance
    assert style._places(text, "text", 900) == [
        (width("A shelf "), width("A shelf hold") - width("A shelf ")),
        (width("A shelf holds 9 "), width(text) - width("A shelf holds 9 ")),
    ]
    # what does not fit is not marked, what is cut is marked as far as it is shown
    room = width("A shelf hol") + width("…") + 1
    (start, wide), *more = style._places(text, "text", room)
    assert not more and start == width("A shelf ") and 0 < wide < width("hold")
    assert style._places("\u05d0\u05d1 jars", "text", 900) == []
    style.look_for("")
    assert not style._marks


def test_a_narrow_verdict_is_its_sign_alone(qtbot, qapp):
    style = row_paint.RowPainter(1.0)
    row = ListRow(1, 1, "set", "train", "pot", 0, "equal", "unreviewed", False, False, "", "", "", "", "")
    wide = style.edge + 2 * style.pad + style.metrics["text"].horizontalAdvance("equal") + 4

    def painted(width: int) -> list[str]:
        texts: list[str] = []
        painter = QPainter(picture := QPixmap(200, 40))
        style._text = lambda painter, text, *_: texts.append(text)  # type: ignore[method-assign]
        try:
            style.paint(painter, row, [(row_paint.COLUMN["verdict"], 0, width)], 0, False)
        finally:
            painter.end()
        assert not picture.isNull()
        return texts

    assert painted(wide) == ["equal"]
    assert painted(style.edge + 2 * style.pad) == []


def test_keys_move_over_a_million_rows(qtbot, table):
    view = table(MILLION)
    view.setFocus()
    assert view.current_id == 1
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.current_id == 2
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.current_id == MILLION
    qtbot.waitUntil(lambda: view.current_row() is not None)
    assert view.current_row().question.startswith(f"question {MILLION} ")
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert view.current_id == MILLION - view.rows_a_page() + 1
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.current_id == 1
    assert view.verticalScrollBar().value() == 0


def test_only_pages_near_the_screen_are_read(qtbot, table):
    view = table(MILLION)
    for _ in range(5):
        qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: view.current_row() is not None)
    asked = view.source._listing.asked
    assert max(asked) <= PAGE_ROWS
    assert sum(asked) <= 5 * PAGE_ROWS


class LimitedPages(Pages):
    """Remembers with which limits it was asked for ids."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.limits: list[int | None] = []

    def ids(self, wanted, limit=None):
        self.limits.append(limit)
        return super().ids(wanted)[:limit]


def test_in_a_large_project_the_first_rows_are_shown_before_all_are_known(qtbot, table):
    view = table(0)
    source = view.source
    pages = source._listing = LimitedPages(MILLION)
    source._many = True
    seen: list[int] = []
    source.ids_changed.connect(lambda: seen.append(len(source)))
    source.set_filter(RowFilter())
    qtbot.waitUntil(lambda: len(source) == MILLION and source.row(PAGE_ROWS) is not None)
    assert seen == [FIRST_HITS, MILLION] and pages.limits == [FIRST_HITS, None]
    # a search in it too, however few rows the search before it left; another order needs all rows at once
    source.ids = source.ids[:3]
    source.set_filter(RowFilter(search="word"))
    qtbot.waitUntil(lambda: len(seen) == 4)
    source.set_filter(RowFilter(search="word", sort="question"))
    qtbot.waitUntil(lambda: len(seen) == 5)
    assert pages.limits[2:] == [FIRST_HITS, None, None]


def test_painting_does_not_grow_with_the_rows(qtbot, table):
    def paint_s(count: int) -> float:
        view = table(count)
        qtbot.waitUntil(lambda: view.source.row(view.rows_a_page()) is not None)
        view.grab()
        began = time.thread_time()
        for _ in range(10):
            view.viewport().repaint()
        return time.thread_time() - began

    few, many = paint_s(200), paint_s(MILLION)
    assert many < 3 * few + 0.05


def test_the_mouse_selects_and_shift_and_ctrl_extend(qtbot, table):
    view = table(50)
    height = view._painter.height

    def click(row: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
        place = QPoint(200, row * height + height // 2)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, keys, place)

    click(3)
    assert view.selected().tolist() == [4]
    click(6, Qt.KeyboardModifier.ShiftModifier)
    assert view.selected().tolist() == [4, 5, 6, 7]
    click(10, Qt.KeyboardModifier.ControlModifier)
    assert view.selected().tolist() == [4, 5, 6, 7, 11]
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selected_count() == 50


def test_a_click_on_a_title_sorts_and_a_drag_widens(qtbot, table):
    view = table(50)
    columns = {column.key: (left, width) for column, left, width in view.header.columns()}
    left, width = columns["gold_text"]
    with qtbot.waitSignal(view.sort_wanted) as wanted:
        qtbot.mouseClick(view.header, Qt.MouseButton.LeftButton, pos=QPoint(left + width // 2, 10))
    assert wanted.args == ["gold_text", False]
    left, width = columns["id"]
    edge = QPoint(left + width, 10)
    qtbot.mousePress(view.header, Qt.MouseButton.LeftButton, pos=edge)
    qtbot.mouseMove(view.header, edge + QPoint(40, 0))
    qtbot.mouseRelease(view.header, Qt.MouseButton.LeftButton, pos=edge + QPoint(40, 0))
    assert view.header.width_of("id") == width + 40
    state = view.header.state()
    view.header.set_hidden("gold_text", True)
    assert "gold_text" not in [column.key for column, _, _ in view.header.columns()]
    assert view.header.state()["gold_text"] == 0
    view.header.restore(state)
    assert "gold_text" in [column.key for column, _, _ in view.header.columns()]


def test_a_row_that_left_the_filter_stays_and_is_marked(qtbot, table):
    view = table(50)
    source = view.source
    with qtbot.waitSignal(source.ids_changed):
        source.set_filter(RowFilter({"verdict": frozenset({"equal"})}))
    qtbot.waitUntil(lambda: source.row(3) is not None)
    before = view.viewport().grab().toImage()
    source._listing.changed[4] = "not_equal"
    with qtbot.waitSignal(source.rows_arrived):
        source.rows_changed([4])
    assert len(source) == 50
    assert not source.fits(source.row(3))
    assert source.fits(source.row(2))
    assert view.viewport().grab().toImage() != before


def test_the_current_row_survives_another_order(qtbot, table):
    view = table(50)
    view.set_current(7)
    with qtbot.waitSignal(view.source.ids_changed):
        view.source.set_filter(RowFilter(descending=True))
    assert view.current_id == 8
    assert view.current == 42


def test_a_screen_reader_hears_the_row(qtbot, table):
    view = table(5)
    view.set_current(2)
    assert view.accessibleDescription().startswith("Row 3 of 5: PoT, equal, unreviewed, question 3")


def test_an_empty_table_paints(qtbot, table):
    view = table(0)
    assert view.current_id is None
    assert not view.grab().isNull()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.current == -1


def test_the_main_columns_fit_a_narrow_table_and_a_chosen_width_stays(qtbot, table):
    view = table(5)
    header = view.header
    for width in (1400, 620, 480):
        view.resize(width, 300)
        assert header.total() <= view.viewport().width() + 1, width
        assert all(wide >= 20 for _, _, wide in header.columns())
    header.set_width("verdict", 300)
    assert header.width_of("verdict") == 300
    assert view.horizontalScrollBar().maximum() > 0


def test_a_title_can_be_drawn_to_another_place(qtbot, table):
    view = table(5)
    view.resize(1200, 300)
    header = view.header
    places = {column.key: left + wide // 2 for column, left, wide in header.columns()}
    said = []
    header.layout_changed.connect(lambda: said.append(1))
    header.sort_wanted.connect(said.append)
    start, end = QPoint(places["gold_text"], 8), QPoint(places["verdict"] - 30, 8)
    qtbot.mousePress(header, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(header, QPoint(start.x() - 40, 8))
    qtbot.mouseMove(header, end)
    qtbot.mouseRelease(header, Qt.MouseButton.LeftButton, pos=end)
    assert header.order()[:3] == ["id", "gold_text", "verdict"]
    assert said == [1]
    header.forget()
    assert header.order()[:3] == ["id", "verdict", "review"]


def test_columns_by_keys(qtbot, table):
    view = table(5)
    dialog = ColumnDialog(view.header)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
    assert "id" in dialog.header.hidden()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert dialog.header.order()[:2] == ["verdict", "id"]
    assert dialog.list.currentRow() == 1


def test_every_column_can_be_sorted_by():
    assert {column.sort for column in COLUMNS} <= set(SORTS)


def test_a_row_that_changed_is_painted_again_alone(qtbot, table):
    view = table(50)
    qtbot.waitUntil(lambda: view.source.row(3) is not None)
    view.source._listing.changed[4] = "not_equal"
    with qtbot.waitSignal(view.source.rows_arrived) as arrived:
        view.source.rows_changed([4])
    assert arrived.args == [3, 4]


def test_a_step_below_the_last_row_moves_the_screen_and_paints_what_is_new(qtbot, table, monkeypatch):
    view = table(PAGE_ROWS)
    view.set_current(view.rows_a_page() - 1)
    view.repaint()
    qtbot.wait(0)
    painted: list[int] = []
    paint = view._paint_row
    monkeypatch.setattr(view, "_paint_row", lambda *values: (painted.append(values[1]), paint(*values)))
    at = view.current
    with qtbot.waitSignal(view.current_changed):
        qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: at + 1 in painted)
    assert set(painted) <= {at, at + 1, at + 2} and at in painted
