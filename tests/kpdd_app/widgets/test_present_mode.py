"""The solution in large type: its beats, its keys, and that what is shown follows them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment

from kpdd_app.recording import Recording
from kpdd_app.solution_steps import add_event
from kpdd_app.widgets.present_mode import PresentMode, beats
from training_backend.events import Answer, StageEnded, StageStarted, Token, Trace

KEY = ("core question: How many are left?", " information: 1. Ida has 12 plums.", " 2. She eats 2.")


def recording(rounds: int = 1) -> Recording:
    made = Recording("Ida has 12 plums and eats 2. How many are left?", 10.0, "pot", ("key", "solve"))
    made.add(StageStarted("key"))
    for number, text in enumerate(KEY):
        made.add(Token("key", number, text))
    made.add(StageEnded("key", "".join(KEY)))
    made.add(StageStarted("solve"))
    program = "plums = 12\nfor n in range(2):\n    plums -= 1\nans = plums"
    made.add(Token("solve", 0, program))
    made.add(StageEnded("solve", program))
    lines = [(1, 2), *[(2, 3), (3, 2)] * rounds, (2, 4), (4, None)]
    same = {"ev": "line", "f": 0, "depth": 0}
    made.add(Trace([
        {"n": n, **same, "ln": line, "nx": following, "ch": {"plums": [str(n), "int"]}}
        for n, (line, following) in enumerate(lines, 1)
    ]))  # fmt: skip
    made.add(Answer("ok", "10", 10.0, 10.0, True))
    return made


def plain(label) -> str:
    return QTextDocumentFragment.fromHtml(label.text()).toPlainText()


def test_beats_are_parts_lines_and_the_answer():
    assert beats(recording()) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert len(beats(recording(500))) < 20, "the middle of a long loop folds"


def test_one_key_goes_through_all_of_it(qtbot):
    view = PresentMode(recording(), 0, True)
    qtbot.addWidget(view)
    view.resize(1280, 720)
    view.show()
    assert view.points.text() == "" and view.program.isHidden() and view.answer.text() == ""
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert plain(view.points) == "How many are left?"
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton)
    assert " ".join(plain(view.points).split()) == "How many are left? 1. Ida has 12 plums. 2. She eats 2."
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert not view.program.isHidden() and view.program.current_line is None
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.program.current_line == 1 and view.said.text() == "plums = 1"
    steps = []
    view.step_shown.connect(steps.append)
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.answer.text() == "10   ✓ equal to gold 10" and steps == [10]
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert view.answer.text() == "" and view.step == 9
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not view.isVisible()


def test_a_hidden_gold_answer_stays_hidden(qtbot):
    view = PresentMode(recording(), 99, False)
    qtbot.addWidget(view)
    assert view.step == 10 and view.answer.text() == "10   ✓"


def test_a_program_that_failed_says_so_at_its_line(qtbot):
    made = recording()
    made.answer = Answer("raised", error="ZeroDivisionError: division by zero", error_line=3)
    view = PresentMode(made, 99, True)
    qtbot.addWidget(view)
    assert view.program.ghost_texts[3].startswith("ZeroDivisionError") and view.answer.text() == "–   raised"


def test_checked_steps_are_presented_with_the_numbers_that_they_read(qtbot):
    made = Recording("Ida has 12 <b>plums</b> & eats 2.", 10.0, "cot", ("solve",))
    made.add(StageStarted("solve"))
    text = "She has 12 - 2 = 9 left. The answer is 9."
    add_event(made, StageEnded("solve", text, {"kind": "cot", "rationale": text}))
    made.add(Answer("ok", "9", 9.0, 10.0, False))
    view = PresentMode(made, 99, True)
    qtbot.addWidget(view)
    view.show()
    assert view.written.text() == text and not view.steps.isHidden() and view.program.isHidden()
    assert plain(view.question) == made.question and "<u" not in view.question.text()
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert view.question.text().count("<u") == 2 and view.steps.shown[0].holds is False
    assert plain(view.question) == made.question
