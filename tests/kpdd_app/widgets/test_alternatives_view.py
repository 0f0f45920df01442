"""Picking another token: with the pointer, with keys, and only where its id is known."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt

from kpdd_app.widgets.alternatives_view import AlternativesView
from training_backend.events import Token

TOKEN = Token("solve", 4, " 18", 0.7, [[" 18", 0.7], [" 16", 0.2], ["⏹", 0.1]],
              token=5, alternative_tokens=[5, 7, 1])  # fmt: skip


def shown(qtbot, token) -> tuple[AlternativesView, list]:
    view, picked = AlternativesView(), []
    qtbot.addWidget(view)
    view.resize(300, 200)
    with qtbot.waitActive(view):
        view.show()
    view.show_token(token)
    view.picked.connect(lambda *what: picked.append(what))
    return view, picked


def row_place(view: AlternativesView, row: int) -> QPoint:
    return QPoint(30, round((row + 0.5) * view.sizeHint().height() / 6))


def test_a_click_picks_the_row_under_the_pointer(qtbot):
    view, picked = shown(qtbot, TOKEN)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=row_place(view, 2))
    assert picked == [(TOKEN, 1, "⟨end⟩")]
    # what stands there already, and the empty space below, are no other tokens
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=row_place(view, 0))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=row_place(view, 5))
    assert len(picked) == 1


def test_keys_mark_and_pick(qtbot):
    view, picked = shown(qtbot, TOKEN)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_1)
    qtbot.keyClick(view, Qt.Key.Key_5)
    assert [number for _, number, _ in picked] == [7, 1, 7]


def test_tokens_without_ids_are_only_shown(qtbot):
    view, picked = shown(qtbot, Token("key", 0, "a", 0.9, [["a", 0.9], ["b", 0.1]]))
    assert [row[0] for row in view.rows] == ["a", "b"]
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_1)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=row_place(view, 1))
    assert picked == []


def test_another_token_with_the_same_text_is_another_token(qtbot):
    half = Token("key", 0, "", 0.5, [["", 0.5], ["", 0.4]], token=3, alternative_tokens=[3, 9])
    view, picked = shown(qtbot, half)
    view.pick(1)
    assert [number for _, number, _ in picked] == [9]
