"""Facets are chosen with mouse and keys, and say how many rows each value has."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt

from kpdd_app.widgets.facet_panel import FacetPanel, value_words

FACETS = {
    "verdict": [("equal", 40), ("not_equal", 5), ("raised", 1)],
    "review": [("unreviewed", 46)],
    "kind": [("pot", 40), ("cot", 6)],
    "dataset": [("shelf", 46)],
    "changed": [(0, 45), (1, 1)],
}


@pytest.fixture
def panel(qtbot):
    panel = FacetPanel()
    qtbot.addWidget(panel)
    panel.resize(220, 500)
    panel.set_facets(FACETS)
    with qtbot.waitActive(panel):
        panel.show()
    return panel


def line_of(panel: FacetPanel, facet: str, value) -> QPoint:
    number = next(n for n, line in enumerate(panel.lines())
                  if not line.title and (line.facet, line.value) == (facet, value))  # fmt: skip
    return QPoint(80, panel._top(number) + panel._height() // 2)


def test_a_facet_with_one_value_is_left_out(panel):
    titles = [line.facet for line in panel.lines() if line.title]
    assert titles == ["verdict", "review", "kind", "changed"]


def test_a_click_chooses_alone_and_ctrl_adds(qtbot, panel):
    view = panel.viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=line_of(panel, "verdict", "raised"))
    assert panel.chosen == {"verdict": frozenset({"raised"})}
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier,
                     line_of(panel, "verdict", "not_equal"))  # fmt: skip
    assert panel.chosen == {"verdict": frozenset({"raised", "not_equal"})}
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=line_of(panel, "kind", "pot"))
    assert panel.chosen["kind"] == frozenset({"pot"})
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=line_of(panel, "kind", "pot"))
    assert "kind" not in panel.chosen


def test_keys_move_and_choose(qtbot, panel):
    panel.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Space):
        qtbot.keyClick(panel, key)
    assert panel.chosen == {"verdict": frozenset({"raised"})}
    assert panel.accessibleDescription() == "Verdict: error, 1 row, chosen"
    with qtbot.waitSignal(panel.changed) as changed:
        qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert changed.args == [{}]


def test_a_chosen_value_stays_when_its_count_falls_to_nothing(panel):
    panel.choose({"verdict": frozenset({"raised"})})
    panel.set_facets({**FACETS, "verdict": [("equal", 46), ("raised", 0)]})
    assert "raised" in [line.value for line in panel.lines() if line.facet == "verdict"]


def test_other_counts_paint_only_their_lines(qtbot, panel, monkeypatch):
    QCoreApplication.processEvents()
    painted = []
    paint_line = FacetPanel._paint_line

    def watched(self, painter, number, line, top):
        painted.append((line.value, line.count))
        paint_line(self, painter, number, line, top)

    monkeypatch.setattr(FacetPanel, "_paint_line", watched)
    panel.set_facets({**FACETS, "verdict": [("equal", 39), ("not_equal", 6), ("raised", 1)]})
    QCoreApplication.processEvents()
    assert painted == [("equal", 39), ("not_equal", 6)]
    shown = panel.screen().grabWindow(panel.winId()).toImage()
    panel.viewport().update()
    QCoreApplication.processEvents()
    assert shown == panel.screen().grabWindow(panel.winId()).toImage()


def test_values_read_as_words():
    assert value_words("kind", "pot") == "program"
    assert value_words("kind", "") == "no reply yet"
    assert value_words("path", 1) == "path 2"
    assert value_words("changed", 1) == "changed"
    assert value_words("flagged", 0) == "not flagged"
