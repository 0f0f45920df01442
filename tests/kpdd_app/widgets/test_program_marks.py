"""What a state lays over a program, and which lines another state changes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF

from kpdd_app import theme
from kpdd_app.trace_log import TraceState
from kpdd_app.widgets.program_marks import Marks, MonoRuler


def marks(**state) -> Marks:
    return Marks.of(TraceState(**state), None, 9)


def test_only_lines_that_look_different_are_named():
    one = marks(line=2, next_line=3, changed=("a",), line_values={1: "a = 1", 2: "a = 2"})
    same = marks(line=2, next_line=3, changed=("a",), line_values={1: "a = 1", 2: "a = 2"})
    assert one.differing(same) == set() == one.moved(same)
    later = marks(line=3, next_line=7, changed=("b",), line_values={1: "a = 1", 2: "a = 2", 3: "b = 5"})
    assert one.differing(later) == {2, 3, 7}
    assert one.moved(later) == {2, 3, 7}
    value = marks(line=2, next_line=3, changed=("a",), line_values={1: "a = 4", 2: "a = 2"})
    assert one.differing(value) == {1} and one.moved(value) == set()


def test_a_value_that_just_changed_or_failed_has_its_colour():
    here = marks(line=2, changed=("a",), line_values={1: "b = 3", 2: "a = 2"})
    assert here.ghost(2) == ("a = 2", "accent") and here.ghost(1) == ("b = 3", "muted")
    failed = marks(line=2, next_line=3, exception=("ValueError", "no"), exception_line=2, line_values={})
    assert failed.ghost(2) == ("ValueError: no", "wrong") and failed.next_line is None and failed.failed(2)
    assert here.moved(failed) == {2}
    ended = Marks.of(None, (None, "timed out"), 9)
    assert ended.line == 9 and ended.ghost(9) == ("timed out", "wrong")


def test_marks_do_not_change_with_the_state_they_came_from():
    state = TraceState(line=1, line_values={1: "a = 1"})
    before = Marks.of(state, None, 3)
    state.line_values[1] = "a = 2"
    assert before.ghost(1)[0] == "a = 1" and before.differing(Marks.of(state, None, 3)) == {1}


@pytest.mark.parametrize("text", ["total = 4832", "问题 = 12 个", "x" * 300, ""])
def test_counting_measures_as_the_font_does(qapp, text):
    font = theme.mono_font()
    ruler, metrics = MonoRuler(font), QFontMetricsF(font)
    assert ruler.width(text) == pytest.approx(metrics.horizontalAdvance(text), abs=0.5)
    cut = ruler.cut(text, 60)
    assert metrics.horizontalAdvance(cut) <= 61 and (cut == text or cut.endswith("…"))
