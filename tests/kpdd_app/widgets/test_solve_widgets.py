"""The widgets of the Solve page, each with real keys and mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from kpdd_app import theme
from kpdd_app.recording import Stage
from kpdd_app.solution_steps import origin, why
from kpdd_app.trace_log import TraceLog
from kpdd_app.widgets.alternatives_view import AlternativesView, alternatives_of, percent, visible
from kpdd_app.widgets.answer_view import AnswerView
from kpdd_app.widgets.key_points_view import KeyPointsView, blocks_of
from kpdd_app.widgets.player_bar import PlayerBar
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.steps_view import StepsView
from kpdd_app.widgets.tints import STEPS, tint_step
from kpdd_app.widgets.token_strip import TokenStrip
from kpdd_app.widgets.trace_slider import Stretch, TraceSlider
from kpdd_app.widgets.variables_view import CHANGED, VariablesView
from training_backend.events import Answer, Token
from training_backend.execution.worked_steps import Source, WorkedStep

PHASES = [
    Stretch("Key points", 0, 40),
    Stretch("Program", 40, 30),
    Stretch("Run", 70, 5),
    Stretch("Answer", 75, 1),
]


def tokens(*texts: str) -> tuple[list[Token], list[int]]:
    made = [Token("solve", n, text, 0.5, [[text, 0.5], ["other", 0.3]]) for n, text in enumerate(texts)]
    ends, length = [], 0
    for text in texts:
        length += len(text)
        ends.append(length)
    return made, ends


def shown(qtbot, widget, width: int = 500, height: int = 300):
    qtbot.addWidget(widget)
    widget.resize(width, height)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def trace(*records: dict) -> TraceLog:
    log = TraceLog()
    log.add(
        [
            {"n": n, "ev": "line", "f": 0, "depth": 0, "nx": None, "ch": {}, **r}
            for n, r in enumerate(records, 1)
        ]
    )
    return log


# --- tokens ---------------------------------------------------------------------------------------


def test_the_strip_finds_the_token_under_the_pointer(qtbot):
    strip = shown(qtbot, TokenStrip(mono=True))
    made, ends = tokens("ans", " =", " 12", "\n", "b", " = 3")
    strip.show_tokens(made, ends, 6)
    for number in (0, 1, 2, 4, 5):
        rect = strip.token_rect(number)
        assert rect.width() > 0
        assert strip.token_at(rect.center()) == number
    assert strip.token_at(QPointF(480, 280)) == -1


def test_hovering_shows_the_alternatives_and_clicking_names_the_token(qtbot):
    strip = shown(qtbot, TokenStrip(mono=True))
    made, ends = tokens("ans", " =", " 12")
    strip.show_tokens(made, ends, 3)
    place = strip.token_rect(2).center().toPoint()
    with qtbot.waitSignal(strip.token_hovered) as hovered:
        qtbot.mouseMove(strip.viewport(), place)
    assert hovered.args == [made[2]]
    popup = strip.findChild(AlternativesView)
    assert popup.isVisible() and popup.rows[0] == ("␣12", 0.5, True)
    with qtbot.waitSignal(strip.token_clicked) as clicked:
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert clicked.args == [2]
    qtbot.mouseMove(strip.viewport(), QPoint(480, 290))
    assert not popup.isVisible()


def test_only_the_tokens_so_far_are_shown(qtbot):
    strip = shown(qtbot, TokenStrip(mono=True))
    made, ends = tokens("ans", " =", " 12")
    strip.show_tokens(made, ends, 2, caret=True)
    assert strip.text == "ans =" and not strip.token_rect(2).isValid()
    strip.show_tokens(made, ends, 3)
    assert strip.text == "ans = 12"
    strip.clear()
    assert strip.text == ""


def test_long_text_scrolls_to_where_the_student_writes(qtbot):
    strip = shown(qtbot, TokenStrip(mono=True), 300, 120)
    made, ends = tokens(*["line of text\n"] * 60)
    strip.show_tokens(made, ends, 60)
    assert strip.verticalScrollBar().value() > 0
    strip.show_tokens(made, ends, 2)
    assert strip.token_rect(1).bottom() <= 120


def test_tints_grow_with_doubt():
    assert [tint_step(p) for p in (1.0, 0.97, 0.5, 0.0, 2.0)] == [0, 0, STEPS // 2, STEPS, 0]


def test_key_points_appear_part_by_part(qtbot):
    view = shown(qtbot, KeyPointsView())
    text = "core question: How many? information: 1. one 2. two"
    assert [(b.heading, b.marker) for b in blocks_of("key", text)] == [
        ("Core question", ""), ("Information", "1"), ("", "2"),
    ]  # fmt: skip
    assert [b.heading for b in blocks_of("core", "How many?")] == ["Core question"]
    view.set_roles(("core", "info"))
    assert list(view.strips) == ["core", "info"]
    view.set_roles(())
    assert not view.strips


def test_finished_key_points_are_read_from_the_core_question_on(qtbot):
    view = shown(qtbot, KeyPointsView(), 220, 150)
    text = "core question: How many are left? information: " + " ".join(f"{n}. a fact" for n in range(1, 9))
    made, ends = tokens(*(f"{word} " for word in text.split(" ")))
    stage = Stage("key", tokens=made, ends=ends, text=text)
    bar = view.strips["key"].verticalScrollBar()
    view.show_stage("key", stage, len(made) - 1, True)
    assert bar.value() > 0, "the place of writing is in sight"
    view.show_stage("key", stage, len(made), False)
    assert bar.maximum() > 0 and bar.value() == 0


def test_alternatives_are_readable():
    token = Token(
        "key", 0, "\n", 0.6, [["\n", 0.6], [" a", 0.3], ["", 0.05], *[[str(n), 0.01] for n in range(9)]]
    )
    rows = alternatives_of(token)
    assert rows[:3] == [("⏎", 0.6, True), ("␣a", 0.3, False), ("⟨end⟩", 0.05, False)] and len(rows) == 6
    assert alternatives_of(None) == []
    assert visible("a\u202eb") == "a\\u202eb"
    assert percent(0.0001) == "< 0.1 %"


# --- the program ----------------------------------------------------------------------------------


def test_the_program_shows_lines_and_values_of_a_state(qtbot):
    view = shown(qtbot, ProgramView())
    view.set_program("a = 2\nb = a / 0")
    log = trace(
        {"ln": 1, "nx": 2, "ch": {"a": ["2", "int"]}},
        {"ev": "exc", "ln": 2, "ex": ["ZeroDivisionError", "x"]},
    )
    view.show_state(log.state(1))
    assert view.current_line == 1 and view.ghost_texts == {1: "a = 2"}
    view.show_state(log.state(2))
    assert view.current_line == 2 and view.ghost_texts[2] == "ZeroDivisionError: x"
    view.show_state(None)
    assert view.current_line is None and view.ghost_texts == {}


def test_an_end_without_a_trace_stands_at_its_line(qtbot):
    view = shown(qtbot, ProgramView())
    view.set_program("a = = 2\nb = 3")
    view.show_state(None, (1, "SyntaxError: invalid syntax"))
    assert view.current_line == 1 and "SyntaxError" in view.ghost_texts[1]


def test_a_click_in_the_margin_sets_a_breakpoint(qtbot):
    view = shown(qtbot, ProgramView())
    view.set_program("a = 1\n# only words\nc = 3")
    height = view.fontMetrics().lineSpacing()
    with qtbot.waitSignal(view.breakpoints_changed):
        qtbot.mouseClick(view._gutter, Qt.MouseButton.LeftButton, pos=QPoint(5, round(height * 2.6)))
    qtbot.mouseClick(view._gutter, Qt.MouseButton.LeftButton, pos=QPoint(5, round(height * 1.6)))
    assert view.breakpoints == {3}, "a line without code has none"
    qtbot.mouseClick(view._gutter, Qt.MouseButton.LeftButton, pos=QPoint(5, round(height * 2.6)))
    assert view.breakpoints == set()
    view.toggle_breakpoint(1)
    assert [action.text() for action in view.context_menu(1).actions()][:2] == [
        "Run to line 1", "Remove the breakpoint",
    ]  # fmt: skip
    view.set_program("another = 1")
    assert view.breakpoints == set()


def test_the_program_names_what_is_pointed_at_and_lights_up_numbers(qtbot):
    view = shown(qtbot, ProgramView())
    view.set_program("apples = 12\nleft = apples - 5")
    cursor = view.textCursor()
    cursor.setPosition(14)
    with qtbot.waitSignal(view.name_pointed) as pointed:
        qtbot.mouseMove(view.viewport(), view.cursorRect(cursor).center())
    assert pointed.args == ["left"]
    with qtbot.waitSignal(view.name_pointed) as pointed:
        qtbot.mouseMove(view.viewport(), QPoint(450, 280))
    assert pointed.args == [""]
    view.show_origins([(1, 9, 11), (9, 0, 4)])
    assert [mark.cursor.selectedText() for mark in view.extraSelections()] == ["12"]


def test_variables_tell_what_is_pointed_at_or_has_the_focus(qtbot):
    view = shown(qtbot, VariablesView())
    log = trace({"ln": 1, "ch": {"a": ["2", "int"]}}, {"ln": 2, "ch": {"b": ["3", "int"]}})
    view.show_state(log.state(2))
    with qtbot.waitSignal(view.name_pointed) as pointed:
        qtbot.mouseMove(view.viewport(), view.visualRect(view.rows_model.index(1, 2)).center())
    assert pointed.args == ["b"]
    with qtbot.waitActive(view):
        view.activateWindow()
    for name in ("a", "b"):
        qtbot.keyClick(view, Qt.Key.Key_Down)
        assert view.name_chosen == name
    view.show_state(log.state(1))
    view.show_state(log.state(2))
    assert view.rows_model.rows[1][1] == "b"


def test_the_scroll_bar_of_variables_stays_where_one_is_needed_alone(qtbot):
    view = shown(qtbot, VariablesView())
    many = {f"name_{number}": [str(number), "int"] for number in range(12)}
    log = trace({"ln": 1, "ch": {"a": ["2", "int"]}}, {"ln": 2, "ch": many})
    view.resize(400, 120)
    view.show_state(log.state(2))
    qtbot.waitUntil(view.verticalScrollBar().isVisible)
    # the columns do not move where fewer variables are there again
    view.show_state(log.state(1))
    assert view.verticalScrollBar().isVisible()
    view.resize(400, 800)
    qtbot.waitUntil(lambda: not view.verticalScrollBar().isVisible())


def test_what_changed_stays_in_sight_where_the_table_loses_height(qtbot):
    view = shown(qtbot, VariablesView())
    log = trace({"ln": 1, "ch": {f"name_{number}": [str(number), "int"] for number in range(12)}},
                {"ln": 2, "ch": {"z": ["2", "int"]}})  # fmt: skip
    view.resize(400, 800)
    view.show_state(log.state(2))
    view.resize(400, 120)
    place = view.rows_model.index(12, 1)
    assert view.rows_model.rows[12][:2] == (True, "z")
    qtbot.waitUntil(lambda: view.viewport().rect().contains(view.visualRect(place)))


def test_the_variables_mark_what_changed(qtbot):
    view = shown(qtbot, VariablesView())
    log = trace({"ln": 1, "ch": {"f": ["function f", "function"], "a": ["2", "int"]}},
                {"ln": 2, "ch": {"b": ["'\u202e'", "str"]}})  # fmt: skip
    view.show_state(log.state(2))
    assert view.rows_model.rows == [
        (False, "a", "2", "int"), (True, "b", "'\\u202e'", "str"), (False, "f", "function f", "function"),
    ]  # fmt: skip
    assert view.rows_model.index(1, 0).data() == CHANGED
    assert view.rows_model.index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole).endswith("changed")
    view.show_state(None)
    assert view.rows_model.rowCount() == 0


def test_steps_carry_sign_word_and_origin(qtbot):
    view = shown(qtbot, StepsView())
    steps = [
        WorkedStep("2 + 2 = 4", True, span=(0, 9), sources=(Source("2", question=(0, 1)), Source("2", 0))),
        WorkedStep("3 * 3 = 8", False, "it is 9", span=(10, 19)),
        WorkedStep("8 + 1 = 9", True, span=(20, 29), sources=(Source("8", 2),), shaky=True),
    ]
    view.show_steps(steps, 2)
    assert view.shown == steps[:2]
    assert view.accessibleDescription() == "2 + 2 = 4 true; 3 * 3 = 8 false"
    assert [why(step) for step in steps] == [
        "", "wrong: it is 9", "right in itself, but it builds on a wrong step",
    ]  # fmt: skip
    assert [origin(step) for step in steps] == [
        "2 from the question · 2 written nowhere before", "", "8 from step 2",
    ]  # fmt: skip


def test_a_step_is_pointed_at_and_clicked(qtbot):
    view = shown(qtbot, StepsView())
    view.show_steps([WorkedStep(f"{n} + 1 = {n + 1}", True, span=(n, n + 1)) for n in range(40)], 30)
    assert view.verticalScrollBar().value() > 0 and view.step_at(QPointF(view.step_rect(30).center())) == 30
    with qtbot.waitSignal(view.step_pointed) as pointed:
        qtbot.mouseMove(view.viewport(), view.step_rect(29).center())
    assert pointed.args == ["29"]
    with qtbot.waitSignal(view.step_clicked) as clicked:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.step_rect(28).center())
    assert clicked.args == [28]
    view.show_steps(view._steps, 0)
    assert view.step_rect(1).top() == 0


@pytest.mark.parametrize(
    ("answer", "gold", "number", "word"),
    [
        (None, 12.0, "–", "gold 12"),
        (Answer("ok", "12", 12.0, 12.0, True), 12.0, "12", "equal to gold 12"),
        (Answer("ok", "13", 13.0, 12.0, False), 12.0, "13", "not equal: gold is 12"),
        (Answer("ok", "13", 13.0), None, "13", "no gold answer to compare with"),
        (Answer("raised", error="ValueError: no", equal=False), 12.0, "–", "The program raised an error."),
        (Answer("refused", error="import of os"), None, "–", "The sandbox refused the program."),
        (Answer("ok", "9" * 80, 9e79), None, "9" * 23 + "…", "no gold answer to compare with"),
    ],
)
def test_the_answer_says_what_it_is(qtbot, answer, gold, number, word):
    view = shown(qtbot, AnswerView())
    view.show_answer(answer, gold)
    assert (view.number.text(), view.word.text()) == (number, word)


def test_the_ground_of_the_answer_is_painted_in_its_colour(qtbot, qapp):
    view = shown(qtbot, AnswerView())
    try:
        for scheme in ("light", "dark"):
            theme.apply(qapp, scheme, 10)
            for equal, colour, tint in ((True, "equal", "equal_tint"), (False, "wrong", "wrong_tint")):
                view.show_answer(Answer("ok", "12", 12.0, 12.0, equal), 12.0)
                picture = view.grab().toImage()
                ground = picture.pixelColor(picture.width() - 20, picture.height() // 2)
                assert ground.name() == theme.colour(tint).name()
                assert picture.pixelColor(0, picture.height() // 2).name() == theme.colour(colour).name()
                assert view.word.palette().windowText().color() == theme.colour(colour)
        # a style sheet would cost more than a step of the time line may
        assert not any(part.styleSheet() for part in (view, view.number, view.word))
    finally:
        theme.apply(qapp, "light", 10)


# --- the time line --------------------------------------------------------------------------------


def test_the_slider_goes_where_it_is_pressed_and_dragged(qtbot):
    slider = shown(qtbot, TraceSlider(), 800, 60)
    slider.set_stretches(PHASES)
    assert slider.maximum() == 76
    for step in (1, 20, 40, 41, 70, 72, 76):
        assert slider.step_at(slider.x_of(step)) == step
    y = slider.height() - 12
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(50)), y))
    assert slider.value() == 50
    qtbot.mouseMove(slider, QPoint(round(slider.x_of(72)), y))
    assert slider.value() == 72
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(2, y))
    assert slider.value() == 72 and slider.stretch_at(72) == 2


def test_step_play_and_pause(qtbot):
    bar = shown(qtbot, PlayerBar(), 900, 60)
    bar.set_phases(PHASES, (70, 75), live=False)
    bar.set_factor(4.0)
    moves: list[int] = []
    bar.moved.connect(moves.append)
    qtbot.mouseClick(bar.forward, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.forward, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.back, Qt.MouseButton.LeftButton)
    assert moves == [1, 2, 1]
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.step_shown >= 4, timeout=3000)
    assert bar.playing
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert not bar.playing
    qtbot.mouseClick(bar.last, Qt.MouseButton.LeftButton)
    assert bar.step_shown == 76 and not bar.forward.isEnabled() and bar.back.isEnabled()
    bar.toggle()
    assert bar.playing and bar.step_shown == 0


def test_following_shows_what_comes_at_once_or_at_a_pace(qtbot):
    bar = shown(qtbot, PlayerBar(), 900, 60)
    bar.set_factor(0.0)
    bar.begin()
    bar.set_phases(PHASES[:1], (0, 0), live=True)
    assert bar.step_shown == 40
    bar.set_phases(PHASES, (70, 75), live=False)
    assert bar.step_shown == 76
    bar.set_factor(1.0)
    bar.begin()
    bar.set_phases(PHASES, (70, 75), live=False)
    qtbot.waitUntil(lambda: bar.step_shown >= 2, timeout=3000)
    assert bar.step_shown < 20
    bar.to_end()
    assert bar.step_shown == 76
