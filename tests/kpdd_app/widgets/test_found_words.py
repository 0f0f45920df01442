"""Words of a search are marked where the search finds them."""

from __future__ import annotations

import pytest

from kpdd_app.widgets.code_editor import CodeEditor
from kpdd_app.widgets.found_words import MOST, found_words
from kpdd_app.widgets.growing_text import GrowingText


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("leg", ["leg", "Leg"]),  # the beginning of a word while it is typed
        ("leg ", []),
        ("legs ", ["legs", "Legs"]),
        ("cow LEGS", ["cow", "legs", "Legs"]),
        ("eggs legs", ["legs", "Legs"]),
        ("$5", ["$5", "$5"]),
        ("()", []),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_found_as_the_search_finds_them(search, found):
    text = "A cow has 4 legs (Legs) for $5, nolegs and $50."
    assert [text[start:end] for start, end in found_words(search, text)] == found


def test_a_text_with_very_many_hits_keeps_to_a_bound():
    assert len(found_words("a", "a " * 5000)) == MOST


def marked(editor) -> list[str]:
    return [mark.cursor.selectedText() for mark in editor.extraSelections() if mark.cursor.hasSelection()]


def test_fields_mark_what_was_searched_beside_their_numbers(qtbot):
    field = GrowingText("Question")
    qtbot.addWidget(field)
    field.mark_numbers(True)
    field.set_text("😀 A cow has 4 legs.")
    field.mark_search("legs")
    assert sorted(marked(field)) == ["4", "legs"]
    field.set_text("A duck has 2 legs and 2 wings.")
    assert sorted(marked(field)) == ["2", "2", "legs"]
    field.mark_search("")
    assert marked(field) == ["2", "2"]


def test_a_program_keeps_its_error_line_and_marks_what_was_searched(qtbot):
    code = CodeEditor("Rationale")
    qtbot.addWidget(code)
    code.set_text("legs = 4\nans = legs")
    code.set_error_line(2)
    code.mark_search("legs")
    assert marked(code) == ["legs", "legs"] and len(code.extraSelections()) == 3
    code.set_text("ans = 4")
    assert marked(code) == []
