"""Chains of thought and systems of equations on the Solve page: both directions, pointing, keys, clicks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from kpdd_app.pages.solve_branches import Ask, Branch
from kpdd_app.pages.solve_students import recorded_choice
from kpdd_app.solution_steps import add_event
from training_backend.events import Answer, StageEnded, StageStarted, Trace

QUESTION = "Nora's book has 240 pages. She reads 18 a day for 6 days. How many pages are left?"
SYSTEM = "read = 18 * 6\nleft + read = 240\nans = left"


def shown_system(qtbot, page, answer: Answer, found: tuple):
    """Put a recorded system on the page, as a row of a project comes."""
    branch = Branch.of(Ask(QUESTION, 132.0, recorded_choice()), "Row 1")
    made = branch.recording
    made.stages, made.expected = [], ("solve",)
    made.add(StageStarted("solve"))
    add_event(made, StageEnded("solve", SYSTEM, {"kind": "eot", "rationale": SYSTEM}))
    same: dict = {"ev": "line", "f": 0, "depth": 0, "nx": None}
    add_event(made, Trace([{"n": n, **same, "ln": line, "ch": {name: [value, "number"]}}
                           for n, (name, value, line) in enumerate(found, 1)]))  # fmt: skip
    add_event(made, answer)
    page.question.set_question(QUESTION, 132.0)
    page._add(branch)
    page._take_frame()
    page.player.to_end()
    return made


FOUND = (("read", "108", 1), ("left", "132", 2), ("ans", "132", 3))


def picture(page) -> tuple:
    run = page.columns.run
    return (
        run.equations.system.current_line, dict(run.equations.system.ghost_texts),
        [step.text for step in run.equations.steps.shown], run.variables.rows_model.rows,
        run.answer.number.text(), page.columns.run_head.note.text(),
    )  # fmt: skip


def test_a_system_is_solved_forward_and_back(page, qtbot):
    made = shown_system(qtbot, page, Answer("ok", "132", 132.0, 132.0, True), FOUND)
    run = page.columns.run
    assert run.stack.currentWidget() is run.equations and not page.columns.tools.isVisible()
    back = [picture(page)]
    for _ in range(made.length):
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Left)
        back.append(picture(page))
    forward = [picture(page)]
    for _ in range(made.length):
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Right)
        forward.append(picture(page))
    assert forward == back[::-1] and len({repr(one) for one in forward}) == len(forward)
    assert forward[-1][2] == ["read = 18 * 6 = 108", "left + 108 = 240  →  left = 132", "ans = 132"]
    assert forward[2][3][:2] == [(True, "read", "108", "number"), (False, "left", "?", "unknown")]


def test_the_numbers_of_the_step_on_the_time_line_are_lit(page, qtbot):
    made = shown_system(qtbot, page, Answer("ok", "132", 132.0, 132.0, True), FOUND)
    columns, run = page.columns, made.phases()[-2]
    qtbot.waitUntil(lambda: columns.lights._links is not None, timeout=5_000)
    page.player.go(run.start + 1)
    assert [mark.cursor.selectedText() for mark in columns.question.edit.extraSelections()] == ["18", "6"]
    assert columns.origin.text() == "Step 1 comes from question: 18, 6"
    page.player.go(run.start + 2)
    assert columns.origin.text() == "Step 2 comes from question: 240 · step 1"
    steps = columns.run.equations.steps
    qtbot.mouseMove(steps.viewport(), steps.step_rect(1).center())
    assert columns.origin.text().startswith("Step 1 ")
    qtbot.mouseClick(steps.viewport(), Qt.MouseButton.LeftButton, pos=steps.step_rect(1).center())
    assert page.player.step_shown == run.start + 1
    assert steps.step_at(QPointF(5, steps.height() - 3)) == 0, "steps to come are not there yet"


def test_a_system_that_contradicts_itself_says_so_at_its_line(page, qtbot):
    ending = Answer("no_answer", gold=132.0, equal=False, error="line 2 contradicts the others", error_line=2)
    shown_system(qtbot, page, ending, (("read", "108", 1),))
    run = page.columns.run
    assert run.answer.word.text() == "The equations have no answer."
    assert "contradicts the others" in run.answer.detail.text()
    assert run.equations.steps.shown[-1].holds is None or run.equations.steps.shown[-1].holds is False


def test_equations_that_cannot_be_read_show_where(page, qtbot):
    error = "EquationError: an operator is missing before 'x' (line 2, column 3)"
    shown_system(qtbot, page, Answer("raised", gold=132.0, equal=False, error=error, error_line=2), ())
    run = page.columns.run
    assert run.answer.word.text() == "These are no equations that can be solved."
    assert run.equations.system.ghost_texts[2].startswith("an operator is missing")


def test_a_checked_step_is_marked_in_the_chain_and_the_question(page, qtbot):
    page.solve_question(f"{QUESTION} chain", 132.0)
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)
    columns = page.columns
    qtbot.waitUntil(lambda: columns.lights._links is not None, timeout=5_000)
    run = page.recording.phases()[-2]
    page.player.go(run.start + 2)
    text = columns.strip.text
    assert [text[start:end] for start, end in columns.strip._marks] == ["240 - 108 = 133"]
    assert [mark.cursor.selectedText() for mark in columns.question.edit.extraSelections()] == ["240"]
    assert columns.run.steps.shown[-1].holds is False and columns.run.steps._lit == (1,)
    qtbot.mouseMove(columns.run.steps.viewport(), columns.run.steps.step_rect(1).center())
    assert [mark.cursor.selectedText() for mark in columns.question.edit.extraSelections()] == ["18", "6"]
