"""The Solve page with a stand-in for the worker: a real child process that speaks the same protocol."""

from __future__ import annotations

import json
import time

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from kpdd_app.number_links import Links
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_picker import QuestionPicker, random_of_grammar
from kpdd_app.student_choices import Choice, folder_choice

QUESTION = "Nora's book has 240 pages. She reads 18 a day for 6 days. How many pages are left?"


def solved(qtbot, page, words: str = "", gold: float | None = 132.0):
    page.solve_question(f"{QUESTION} {words}".strip(), gold)
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)
    return page.recording


def picture(page) -> tuple:
    columns = page.columns
    return (
        columns.key_points.strips["key"].text, columns.strip.text, columns.run.program.current_line,
        dict(columns.run.program.ghost_texts), columns.run.variables.rows_model.rows,
        columns.run.output.toPlainText(), columns.run.calls.isVisibleTo(columns.run),
        columns.run.answer.number.text(), columns.run.answer.word.text(),
        columns.key_head.state, columns.solve_head.state, columns.run_head.state,
    )  # fmt: skip


def test_a_typed_question_is_solved_to_its_answer(page, qtbot):
    edit = page.question.edit
    qtbot.mouseClick(edit.viewport(), Qt.MouseButton.LeftButton)
    qtbot.keyClicks(edit, QUESTION)
    qtbot.keyClicks(page.question.gold_edit, "132")
    with qtbot.waitActive(page):
        page.activateWindow()
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)
    columns = page.columns
    assert columns.key_points.strips["key"].text.startswith("core question: How many pages")
    assert columns.run.program.toPlainText().endswith("ans = pages - read")
    assert columns.run.answer.number.text() == "132"
    assert columns.run.answer.word.text() == "equal to gold 132"
    assert page.player.slider.hasFocus()


def test_every_state_is_reachable_in_both_directions(page, qtbot):
    recording = solved(qtbot, page, "calls")
    length = recording.length
    back = []
    for _ in range(length):
        back.append(picture(page))
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Left)
    back.append(picture(page))
    assert page.player.step_shown == 0
    forward = [picture(page)]
    for _ in range(length):
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Right)
        forward.append(picture(page))
    assert forward == back[::-1]
    assert len({repr(state) for state in forward}) > length * 0.9
    assert any(state[6] for state in forward), "the call stack was never shown"
    assert forward[-1][5] == "so far 12\nso far 42\n"


def test_what_steps_paint_is_what_a_fresh_picture_shows(page, qtbot):
    recording = solved(qtbot, page, "calls")
    page.player.slider.setFocus()

    def on_screen():
        QCoreApplication.processEvents()
        return page.screen().grabWindow(page.winId()).toImage()

    start, length = recording.phases()[-2].start, recording.length
    order = [*range(40, 44), 0, *range(start - 2, length + 1), *range(length, 0, -12), 3, length - 5]
    differing = []
    for step in order:
        page.player.go(step)
        shown = on_screen()
        for part in page.findChildren(QWidget):
            part.update()
        if shown != on_screen():
            differing.append(step)
    assert not differing and len(order) > 30


def test_keys_move_on_the_time_line(page, qtbot):
    recording = solved(qtbot, page)
    slider = page.player.slider
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert page.player.step_shown == 0 and picture(page)[0] == ""
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert page.player.step_shown == recording.length
    qtbot.keyClick(page.columns.run.program, Qt.Key.Key_Left)
    assert page.player.step_shown == recording.length - 1
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    page.player.set_factor(4.0)
    qtbot.keyClick(slider, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.player.step_shown >= 3, timeout=3000)
    qtbot.keyClick(slider, Qt.Key.Key_Space)
    assert not page.player.playing


def test_typing_is_not_taken_for_moving(page, qtbot):
    recording = solved(qtbot, page)
    page.question.edit.setFocus()
    qtbot.keyClick(page.question.edit, Qt.Key.Key_Left)
    qtbot.keyClicks(page.question.edit, "a b")
    assert page.player.step_shown == recording.length
    assert "a b" in page.question.question


@pytest.mark.parametrize(
    ("words", "line", "text", "word"),
    [
        ("raise", 5, "ZeroDivisionError: division by zero", "The program raised an error."),
        ("syntax", 3, "SyntaxError", "The program raised an error."),
        ("refuse", 1, "import of os is not allowed", "The sandbox refused the program."),
    ],
)
def test_a_program_that_fails_says_so_in_its_place(page, qtbot, words, line, text, word):
    solved(qtbot, page, words)
    run = page.columns.run
    assert run.program.current_line == line and text in run.program.ghost_texts[line]
    assert run.answer.word.text() == word
    solved(qtbot, page)
    assert run.answer.word.text() == "equal to gold 132"


def test_a_chain_of_thought_is_checked_step_by_step(page, qtbot):
    recording = solved(qtbot, page, "chain")
    assert recording.kind == "cot" and recording.phases()[-2].title == "Check"
    assert [(step.text, step.holds) for step in page.columns.run.steps.shown] == [
        ("18 * 6 = 108", True), ("240 - 108 = 133", False),
    ]  # fmt: skip
    assert page.columns.run.answer.word.text() == "not equal: gold is 132"


def test_key_points_that_do_not_parse_are_shown_as_they_are(page, qtbot):
    solved(qtbot, page, "unparsed")
    assert page.columns.key_points.strips["key"].text == "pages 240 day 18"


def test_an_empty_question_and_a_gold_that_is_no_number(page, qtbot):
    qtbot.mouseClick(page.question.solve_button, Qt.MouseButton.LeftButton)
    assert "no question yet" in page.question.empty.text.text() and page.recording is None
    page.question.set_question(QUESTION, None)
    page.question.gold_edit.setText("many")
    qtbot.mouseClick(page.question.solve_button, Qt.MouseButton.LeftButton)
    assert "“many” is no number" in page.question.empty.text.text() and page.recording is None


def test_the_gold_answer_of_a_picked_question_goes_with_it(page, qtbot):
    page.question.set_question(QUESTION, 132.0)
    page.question.edit.selectAll()
    qtbot.keyClicks(page.question.edit, "Another one?")
    assert page.question.gold is None
    qtbot.keyClicks(page.question.gold_edit, "7")
    qtbot.keyClicks(page.question.edit, " And more?")
    assert page.question.gold == 7


def test_the_gold_answer_can_be_hidden(page, qtbot):
    page.question.set_question(QUESTION, 132.0)
    qtbot.mouseClick(page.question.hide_gold, Qt.MouseButton.LeftButton)
    assert not page.question.gold_shown
    solved(qtbot, page)
    page.player.go(3)
    assert page.columns.run.answer.word.text() == ""
    qtbot.mouseClick(page.question.hide_gold, Qt.MouseButton.LeftButton)
    assert page.columns.run.answer.word.text() == "gold 132"


def test_a_worker_that_dies_is_said_and_started_again(page, qtbot):
    page.solve_question(QUESTION + " die", 132.0)
    qtbot.waitUntil(lambda: page.worker.state == "died", timeout=10_000)
    assert page.problem.isVisible() and "the memory is full" in page.problem.text.text()
    solved(qtbot, page)
    assert not page.problem.isVisible()
    assert page.columns.run.answer.number.text() == "132"


def test_a_broken_student_folder_leaves_the_page_usable(page, qtbot, tmp_path):
    broken = Choice("Broken", str(tmp_path / "broken"), "kpdd-pot", tmp_path)
    page.students.choose(broken)
    qtbot.waitUntil(lambda: page.worker.state == "failed", timeout=10_000)
    assert "The student Key has no weights. Train it again." in page.problem.text.text()
    page.students.combo.setCurrentIndex(0)
    page.students.combo.activated.emit(0)
    solved(qtbot, page)
    assert page.columns.run.answer.number.text() == "132" and not page.problem.isVisible()


def test_students_of_a_known_run_are_chosen_by_other_pages(page, qtbot, tmp_path):
    page.students.choices.append(Choice("Mine", str(tmp_path / "mine"), "kpdd-pot", tmp_path))
    page.use_students(str(tmp_path / "mine"))
    qtbot.waitUntil(lambda: page.worker.state == "ready" and page.worker.students == str(tmp_path / "mine"),
                    timeout=10_000)  # fmt: skip
    page.use_students("demo")
    qtbot.waitUntil(lambda: page.worker.state == "ready" and page.worker.students == "demo", timeout=10_000)


def test_a_folder_that_is_no_run_is_refused_with_a_sentence(page, tmp_path):
    choice = folder_choice(tmp_path)
    assert "run.json" in choice.problem
    page.students.choose(choice)
    assert page.problem.isVisible() and "run.json" in page.problem.text.text()
    page.solve_question(QUESTION, None)
    assert page.recording is None


def test_stop_and_a_newer_question_replace_the_older(page, qtbot):
    page.solve_question(QUESTION + " slow", None)
    qtbot.waitUntil(lambda: page.recording.length > 3, timeout=10_000)
    assert page.question.stop_button.isVisible()
    qtbot.mouseClick(page.question.stop_button, Qt.MouseButton.LeftButton)
    assert page.recording.over and page.question.solve_button.isVisible()
    solved(qtbot, page)
    assert page.recording.question == QUESTION and page.columns.run.answer.number.text() == "132"


def test_while_students_load_a_question_waits(make_page, qtbot):
    project = OpenProject()
    page = make_page(project, ready=False)
    page.solve_question(QUESTION, 132.0)
    qtbot.waitUntil(lambda: page.recording.over, timeout=10_000)
    assert page.recording.answer.equal
    project.shut_down()


def test_a_long_trace_steps_fast(page, qtbot):
    recording = solved(qtbot, page, "long")
    assert len(recording.trace) > 3000
    run = recording.phases()[-2]
    spent = []
    for step in [*range(run.start + 2000, run.start + 2150), *range(run.start + 2150, run.start + 2000, -1)]:
        began = time.thread_time()
        page.player.go(step)
        page.columns.run.grab()
        spent.append(time.thread_time() - began)
    spent.sort()
    assert spent[len(spent) // 2] < 0.02, spent[-5:]


def test_a_click_on_a_token_goes_there(page, qtbot):
    solved(qtbot, page)
    strip = page.columns.strip
    place = strip.token_rect(4).center().toPoint()
    qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
    phase = next(phase for phase in page.recording.phases() if phase.key == "solve")
    assert page.player.step_shown == phase.start + 5


def test_a_fresh_problem_can_be_drawn(page, qtbot):
    qtbot.mouseClick(page.question.random_button, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    qtbot.waitUntil(lambda: page.question.question != "", timeout=5_000)
    assert page.question.gold is not None
    assert random_of_grammar(3) == random_of_grammar(3)


def test_the_picker_searches_a_benchmark_file(page, qtbot, tmp_path):
    file = tmp_path / "bench.jsonl"
    file.write_text(
        '{"question": "Ada has 3 pens and buys 4. How many?", "answer": "7"}\n'
        '{"question": "Ben has 9 stamps and loses 2. How many?", "answer": "7"}\n'
    )
    picker = page.question.pick()
    assert isinstance(picker, QuestionPicker)
    picker.open_benchmark(file)
    assert picker.list.count() == 2
    qtbot.keyClicks(picker.field, "stamps")
    qtbot.waitUntil(lambda: picker.list.count() == 1, timeout=3000)
    with qtbot.waitSignal(picker.picked):
        qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    assert page.question.question.startswith("Ben has 9") and page.question.gold == 7


# --- ways through the trace, and where numbers come from -------------------------------------------


def at_run(page, local: int) -> int:
    run = next(phase for phase in page.recording.phases() if phase.key == "run")
    page.player.go(run.start + local)
    return run.start


def test_keys_go_over_calls_to_breakpoints_and_around_loops(page, qtbot):
    solved(qtbot, page, "calls")
    start = at_run(page, 0)
    slider, program = page.player.slider, page.columns.run.program
    records = page.recording.trace.records
    first_call = next(n for n, record in enumerate(records) if record["ev"] == "call")
    page.player.go(start + first_call)
    qtbot.keyClick(slider, Qt.Key.Key_F10)
    assert program.current_line == 8, "the call was one step"
    qtbot.keyClick(slider, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    assert page.player.step_shown == start + first_call
    qtbot.keyClick(slider, Qt.Key.Key_F11)
    assert page.player.step_shown == start + first_call + 1
    qtbot.keyClick(slider, Qt.Key.Key_F11, Qt.KeyboardModifier.ShiftModifier)
    assert records[page.player.step_shown - start - 1]["ev"] == "return"
    program.toggle_breakpoint(9)
    at_run(page, 0)
    stops = []
    for _ in range(2):
        qtbot.keyClick(slider, Qt.Key.Key_F8)
        stops.append(page.player.step_shown)
        assert records[stops[-1] - start - 1]["nx"] == 9
    qtbot.keyClick(slider, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    assert page.player.step_shown == stops[0]
    assert page.columns.tools.loop.text() == "1 / 2"
    qtbot.keyClick(slider, Qt.Key.Key_BraceRight)
    assert page.columns.tools.loop.text() == "2 / 2"
    page.columns.walk.run_to(6)
    assert page.player.step_shown < stops[0], "a line that only ran before is gone back to"


def test_the_next_change_of_a_variable_and_folded_loops(page, qtbot):
    solved(qtbot, page, "long")
    start = at_run(page, 4)
    variables = page.columns.run.variables
    variables._choose("total")
    qtbot.keyClick(page.player.slider, Qt.Key.Key_BracketRight)
    assert "total" in page.recording.trace.state(page.player.step_shown - start).changed
    qtbot.mouseClick(page.columns.tools.fold, Qt.MouseButton.LeftButton)
    at_run(page, 0)
    steps = 0
    while page.player.step_shown < page.recording.length:
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Right)
        steps += 1
    assert steps < 20, "two thousand rounds are three"
    for _ in range(steps):
        qtbot.keyClick(page.player.slider, Qt.Key.Key_Left)
    assert page.player.step_shown == start


def test_pointing_at_a_variable_lights_up_where_it_came_from(page, qtbot):
    solved(qtbot, page)
    columns = page.columns
    qtbot.waitUntil(lambda: columns.lights._links is not None, timeout=5_000)
    assert columns.origin.text() == "", "every number was used"
    model = columns.run.variables.rows_model
    row = [one[1] for one in model.rows].index("read")
    place = columns.run.variables.visualRect(model.index(row, 2)).center()
    qtbot.mouseMove(columns.run.variables.viewport(), place)
    lit = [mark.cursor.selectedText() for mark in columns.question.edit.extraSelections()]
    assert lit == ["18", "6"]
    strip = columns.key_points.strips["key"]
    assert [strip.text[start:end] for start, end in strip._marks] == ["18", "6"]
    assert columns.origin.text() == "read = 108 comes from question: 18, 6 · item 2, 3 · line 2, 3"
    at_run(page, 1)
    columns.run.program.name_pointed.emit("pages")
    assert [m.cursor.selectedText() for m in columns.question.edit.extraSelections()] == ["240"]
    page.question.edit.setPlainText("Another question with 240 in it")
    assert columns.question.edit.extraSelections() == []


def test_what_only_decided_is_named_and_not_lit(page, qtbot):
    solved(qtbot, page)
    lights = page.columns.lights
    qtbot.waitUntil(lambda: lights._links is not None, timeout=5_000)
    place = lights._links.question.index("240")
    lights._show(Links("days = 6", (), {}, ((3, 0, 1),), (), deciding=((place, place + 3),)))
    assert page.columns.origin.text() == "days = 6 comes from line 3 · decided by 240"
    assert page.columns.question.edit.extraSelections() == []


def test_numbers_that_the_answer_does_not_use_are_marked(page, qtbot):
    solved(qtbot, page, "Her bag weighs 77 kg.")
    columns = page.columns
    qtbot.waitUntil(lambda: columns.lights._links is not None, timeout=5_000)
    assert [m.cursor.selectedText() for m in columns.question.edit.extraSelections()] == ["77"]
    assert columns.origin.text().endswith("does not use: 77")
    page.player.to_start()
    assert columns.question.edit.extraSelections() == [], "before the end nothing is said of it"


# --- a whole solution ------------------------------------------------------------------------------


def test_a_solution_is_presented_and_the_page_follows(page, qtbot):
    assert page.solution_actions.present() is None, "there is none yet"
    recording = solved(qtbot, page)
    page.player.to_start()
    view = page.solution_actions.present()
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert page.player.step_shown == recording.length
    view.close()


def test_a_solution_is_exported_as_picture_page_and_json(page, qtbot, tmp_path, monkeypatch):
    solved(qtbot, page)
    wanted = iter(("a.png", "b.html", "c"))
    monkeypatch.setattr("kpdd_app.messages.save_file", lambda *_: tmp_path / next(wanted))
    actions = page.solution_actions
    actions.export_picture()
    actions.export_web_page()
    actions.export_json()
    picture = QPixmap(str(tmp_path / "a.png"))
    assert picture.width() > 2 * page.columns.width() and page.question.solve_button.isVisible()
    assert (tmp_path / "b.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["answer"]["answer_text"] == "132"


def test_a_solution_is_kept_as_a_row_once(page, qtbot, tmp_path):
    page._project.create(tmp_path / "kept.kpdd")
    qtbot.waitUntil(lambda: page._project.project is not None)
    solved(qtbot, page)
    for _ in range(2):
        with qtbot.waitSignal(page._project.rows_changed, timeout=10_000):
            page.solution_actions.keep()
    page._project.flush()
    assert page.kept.isVisible() and page.kept.text.text() == "The dataset has this solution: row 1."
    with qtbot.waitSignal(page.dataset_row_wanted, timeout=3000) as wanted:
        qtbot.mouseClick(page.kept.action, Qt.MouseButton.LeftButton)
    assert wanted.args == [1]
    from training_backend.project.details import row_detail
    from training_backend.project.questions import datasets

    assert datasets(page._project.project) == [("solved", "train", 1)]
    origins = row_detail(page._project.project, 1).origins
    assert [origins[part].teacher for part in ("key_points", "rationale")] == ["student: Demo students"] * 2


def test_a_program_that_prints_without_end_shows_its_last_lines(page, qtbot):
    recording = solved(qtbot, page, "calls")
    recording.trace.add([
        {"n": n, "ev": "line", "f": 0, "depth": 0, "ln": 10, "nx": 10, "ch": {}, "o": f"line {n}\n" * 20}
        for n in range(2000)
    ])  # fmt: skip
    page._take_frame()
    at_run(page, len(recording.trace))
    shown = page.columns.run.output.toPlainText()
    assert shown.endswith("line 1999\n") and len(shown) < 10_000
