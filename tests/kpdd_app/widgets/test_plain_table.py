"""Tables to read: long names of columns, the keyboard, the height of rows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTableWidgetItem, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.plain_table import PlainTable


def test_names_of_columns_are_shortened_only_where_they_stand_in_one_line(qtbot):
    table = PlainTable("Runs", ["Held-out question", "Verdict"])
    qtbot.addWidget(table)
    assert table.horizontalHeader().textElideMode() == Qt.TextElideMode.ElideRight
    table.set_headings(["", "Published:\nhere", "there"])
    assert table.columnCount() == 3
    assert table.horizontalHeader().textElideMode() == Qt.TextElideMode.ElideNone


def test_rows_are_chosen_whole_and_tab_leaves_the_table(qtbot):
    page = QWidget()
    column, table, after = QVBoxLayout(page), PlainTable("Runs", ["a", "b"]), QLineEdit()
    column.addWidget(table)
    column.addWidget(after)
    qtbot.addWidget(page)
    table.setRowCount(2)
    for number in range(4):
        table.setItem(number // 2, number % 2, QTableWidgetItem(str(number)))
    with qtbot.waitActive(page):
        page.show()
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    table.selectRow(1)
    assert [item.text() for item in table.selectedItems()] == ["2", "3"]
    qtbot.keyClick(table, Qt.Key.Key_Tab)
    assert after.hasFocus()


def test_rows_grow_with_the_letters(qtbot, qapp):
    table = PlainTable("Runs", ["a"])
    qtbot.addWidget(table)
    table.setRowCount(1)
    before, size = table.rowHeight(0), theme.point_size()
    theme.apply(qapp, "light", 24)
    try:
        assert table.rowHeight(0) == theme.row_height() > before
    finally:
        theme.apply(qapp, "light", size)
