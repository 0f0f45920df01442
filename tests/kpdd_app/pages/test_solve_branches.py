"""Branches of the Solve page: other tokens, other key points, votes, other students, two side by side."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from kpdd_app.pages.solve_branches import (
    Ask,
    Branch,
    Way,
    origin_text,
    origins_of,
    outcome,
    told_origins,
    with_points,
)
from kpdd_app.pages.solve_compare import first_difference, line_text, points_text
from kpdd_app.pages.solve_question import beginning
from kpdd_app.pages.solve_recorded import recorded_rows
from kpdd_app.pages.solve_students import mixed, recorded_choice
from kpdd_app.recording import Recording, Stage
from kpdd_app.solution_document import document_of
from kpdd_app.student_choices import Choice
from training_backend.events import Answer, Failed, Token, Vote
from training_backend.project.kept_solutions import by_person
from training_backend.project.replies import Origin
from training_backend.rationale.key_points import KeyPoints
from training_backend.students.solution_export import as_data

QUESTION = "Nora's book has 240 pages. She reads 18 a day for 6 days. How many pages are left?"
JARS = "A shelf holds 2 boxes with 3 jars each. How many jars are there?"
OTHERS = Choice("Others", "/runs/others", "kpdd-pot")


def solved(qtbot, page, count: int = 1):
    qtbot.waitUntil(lambda: len(page.branches) == count and page.recording.answer is not None, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)
    return page.recording


def test_another_token_goes_on_as_a_branch_of_its_own(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    first = solved(qtbot, page)
    assert page.tabs.isHidden()
    page.columns.token_chosen.emit("solve", 7)
    shown = page.columns.alternatives
    assert shown.rows[0][0] == first.solve_stage.tokens[7].text.replace(" ", "␣").replace("\n", "⏎")
    with qtbot.waitActive(page):
        page.activateWindow()
    shown.setFocus()
    qtbot.keyClick(shown, Qt.Key.Key_Down)
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    second = solved(qtbot, page, 2)
    before = "".join(token.text for token in first.solve_stage.tokens[:7])
    assert second.program.startswith(before + " more") and first.program != second.program
    # the key points were not written again: they are the same stage
    assert second.stages[0] is first.stages[0]
    assert page.branch.title == "Program: “more”" and page.tabs.isVisible()
    assert page.tabs.tabs.tabText(0) == "Demo students  132"
    assert page.tabs.tabs.tabText(1) == "Program: “more”  raised"
    qtbot.keyClick(page, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.recording is first, timeout=3000)
    # it stands where it was left
    assert page.columns.strip.text == before + first.solve_stage.tokens[7].text
    page.player.to_end()
    assert page.columns.run.answer.number.text() == "132"


def test_a_click_on_an_alternative_of_the_key_points_writes_both_stages_again(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    first = solved(qtbot, page)
    page.columns.token_chosen.emit("key", 14)
    view = page.columns.alternatives
    place = view.rect().topLeft()
    place.setX(place.x() + 20)
    place.setY(place.y() + round(1.5 * view.sizeHint().height() / 6))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    second = solved(qtbot, page, 2)
    assert second.stages[0].tokens[14].text == " other"
    assert second.stages[0].tokens[13].text == first.stages[0].tokens[13].text
    assert page.branch.ask.given == {} and page.branch.ask.forced[0] == "key"


def test_a_branch_begins_on_the_time_line_where_it_parts(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    first = solved(qtbot, page)
    page.player.set_factor(1.0)
    page.columns.token_chosen.emit("solve", 7)
    page.columns.alternatives.pick(1)
    qtbot.waitUntil(lambda: page.recording is not first and page.recording.over, timeout=10_000)
    phase = next(phase for phase in first.phases() if phase.key == "solve")
    qtbot.waitUntil(lambda: page.player.step_shown >= phase.start + 7, timeout=5000)
    assert page.player.step_shown < page.recording.length


def test_key_points_changed_by_hand_are_solved_beside_the_first(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    first = solved(qtbot, page)
    qtbot.mouseClick(page.columns.key_points.edit, Qt.MouseButton.LeftButton)
    editor = page.columns.key_points.editor
    assert editor.isVisible() and "6 days" in editor.items.toPlainText()
    editor.items.setPlainText(editor.items.toPlainText().replace("6 days", "7 days"))
    with qtbot.waitActive(page):
        page.activateWindow()
    editor.items.setFocus()
    qtbot.keyClick(editor.items, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    second = solved(qtbot, page, 2)
    assert second.answer.value == 114 and second.stages[0].by == "edited by hand"
    assert page.columns.key_head.note.text() == "edited by hand" and not editor.isVisible()
    actions = page.solution_actions
    stages = as_data(document_of(second, "demo", actions.told_origins()))["stages"]
    assert (stages[0]["by"], stages[0]["origin"]["writer"]) == ("edited by hand", "person")
    assert stages[0]["origin"]["details"] == {"changed": "student: Demo students"}
    assert (stages[1]["origin"]["writer"], stages[1]["origin"]["way"]["paths"]) == ("student", 1)
    shown = actions.present()
    assert shown.origin.text().startswith("Key points: edited by hand   ·   Program: Demo students")
    shown.close()
    qtbot.mouseClick(page.tabs.compare, Qt.MouseButton.LeftButton)
    assert page.comparing and page.compare.divergence == 3 == page.player.step_shown
    assert "line 3: days = 7 | line 3: days = 6" in page.compare.parting.text.text()
    assert page.compare.left.here.text() == "● line 3: days = 7" and page.compare.right.here.isVisible()
    assert page.compare.right.title.text() == "Demo students"
    page.player.to_end()
    assert (page.compare.left.answer.number.text(), page.compare.right.answer.number.text()) == ("114", "132")
    qtbot.mouseClick(page.tabs.compare, Qt.MouseButton.LeftButton)
    assert not page.comparing and page.player.step_shown == second.length and first.answer.value == 132


def test_key_points_that_do_not_parse_can_be_mended(page, qtbot):
    page.solve_question(QUESTION + " unparsed", 132.0)
    solved(qtbot, page)
    qtbot.mouseClick(page.columns.key_points.edit, Qt.MouseButton.LeftButton)
    editor = page.columns.key_points.editor
    assert editor.core.toPlainText() == "pages 240 day 18" and "could not be read" in editor.note.text.text()
    qtbot.mouseClick(editor.solve, Qt.MouseButton.LeftButton)
    assert "no information yet" in editor.note.text.text() and len(page.branches) == 1
    editor.items.setPlainText("She reads for 6 days.")
    qtbot.mouseClick(editor.solve, Qt.MouseButton.LeftButton)
    assert solved(qtbot, page, 2).answer.equal


def test_escape_gives_up_editing(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.columns.key_points.edit_wanted.emit()
    qtbot.keyClick(page.columns.key_points.editor.core, Qt.Key.Key_Escape)
    assert not page.columns.key_points.editor.isVisible() and page.columns.key_points.written.isVisible()


def test_paths_vote_and_each_can_be_seen(page, qtbot):
    page.students.way.choice.setCurrentIndex(1)
    page.students.way.paths.setValue(6)
    page.students.way.top_p.setValue(0.9)
    page.solve_question(QUESTION, 132.0)
    recording = solved(qtbot, page)
    assert page.branch.title == "Path 1, by vote" and recording.answer.equal
    assert [button.text() for button in page.vote.buttons] == ["132:  4 of 6", "150:  2 of 6"]
    qtbot.mouseClick(page.vote.buttons[1], Qt.MouseButton.LeftButton)
    other = solved(qtbot, page, 2)
    assert page.branch.title == "Path 3" and other.answer.value == 150 and other.vote is recording.vote
    assert page.branch.ask.way == Way(0.7, 0.9, 1, 2, 1)


def test_key_points_that_are_given_are_voted_on_too(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.students.way.choice.setCurrentIndex(1)
    page.students.way.paths.setValue(6)
    qtbot.mouseClick(page.columns.key_points.edit, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.columns.key_points.editor.solve, Qt.MouseButton.LeftButton)
    voted = solved(qtbot, page, 2)
    assert len(voted.vote.paths) == 6 and voted.stages[0].by == "edited by hand"
    assert page.branch.title == "Key points edited by hand: Path 1, by vote"
    assert page.branch.ask.way == Way(0.7, 1.0, 1, 0, 1) and page.branch.ask.given


def test_the_alternatives_of_a_clicked_token_stay_when_the_pointer_leaves_it(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.columns.token_chosen.emit("solve", 7)
    columns = page.columns
    chosen = columns.alternatives.rows
    columns.strip._hover(2, columns.strip.rect().center())
    assert columns.alternatives.rows not in ([], chosen)
    columns.strip._hover(-1, columns.strip.rect().center())
    assert columns.alternatives.rows == chosen and columns.token_head.text() == "Most likely here"
    page.player.to_end()
    columns.strip._hover(2, columns.strip.rect().center())
    columns.strip._hover(-1, columns.strip.rect().center())
    assert columns.alternatives.rows == [] and columns.token_head.text() == "Point at a token"


def test_the_same_request_again_takes_the_place_of_the_older(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    first = solved(qtbot, page)
    page.question.solve()
    qtbot.waitUntil(lambda: page.recording is not first and page.recording.answer is not None, timeout=10_000)
    assert len(page.branches) == 1
    page.solve_question("Another question?", None)
    qtbot.waitUntil(lambda: page.recording.question == "Another question?", timeout=5000)
    assert len(page.branches) == 1


def test_two_students_side_by_side(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.students.beside_wanted.emit(OTHERS)
    qtbot.waitUntil(lambda: page.recording.over and len(page.branches) == 2, timeout=15_000)
    qtbot.waitUntil(lambda: "same lines" in page.compare.parting.text.text(), timeout=5000)
    assert page.comparing and page.worker.students == "demo"
    assert (page.compare.left.title.text(), page.compare.right.title.text()) == ("Others", "Demo students")
    assert page.compare.left.students.isHidden() and page.compare.right.students.isHidden()
    assert page.compare.question.isVisible() and page.compare.question.text() == QUESTION
    qtbot.waitUntil(lambda: page.compare.left.answer.number.text() == "132", timeout=3000)
    page.tabs.closed.emit(0)
    assert not page.comparing and len(page.branches) == 1


def test_loading_is_cancelled_and_the_students_before_come_back(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.students.choose(Choice("Endless", "/runs/endless", "kpdd-pot"))
    assert page.students.cancel.isVisible() and page.worker.state == "loading"
    page.player.step(-1)
    assert page.player.step_shown == page.recording.length - 1
    qtbot.mouseClick(page.students.cancel, Qt.MouseButton.LeftButton)
    assert page.students.base.students == "demo"
    qtbot.waitUntil(lambda: page.worker.state == "ready" and page.worker.students == "demo", timeout=10_000)
    assert page.students.cancel.isHidden() and not page.problem.isVisible()


def test_other_students_and_those_before_are_loaded_by_the_same_process(page, qtbot):
    process = page.worker._job
    # on a busy machine the process may take its time to obey
    page.worker._patience.setInterval(120_000)
    page.students.choose(Choice("Others", "/runs/others", "kpdd-pot"))
    assert page.worker.state == "loading"
    qtbot.mouseClick(page.students.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.worker.state == "ready" and page.worker.students == "demo", timeout=10_000)
    page.students.choose(Choice("Others", "/runs/others", "kpdd-pot"))
    page.students.choose(Choice("More", "/runs/more", "kpdd-pot"))
    qtbot.waitUntil(
        lambda: page.worker.state == "ready" and page.worker.students == "/runs/more", timeout=10_000
    )
    assert page.worker._job is process and page.worker.about["students"] == "/runs/more"
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    assert page.recording.answer.equal


def test_the_teachers_key_points_and_a_recorded_solution(make_page, open_project, qtbot):
    page = make_page(open_project)
    page.solve_question(JARS, 6.0)
    solved(qtbot, page)
    qtbot.waitUntil(page.columns.key_points.teacher.isVisible, timeout=5000)
    qtbot.mouseClick(page.columns.key_points.teacher, Qt.MouseButton.LeftButton)
    second = solved(qtbot, page, 2)
    assert second.stages[0].by == "by tester" and "2. A box has 3 jars." in second.stages[0].text
    assert page.columns.key_points.teacher.isHidden(), "they stand there already"
    page.students.source.setCurrentIndex(page.students.source.findData("teacher"))
    page.solve_question("A shelf holds 3 boxes with 3 jars each. How many jars are there?", 9.0)
    third = solved(qtbot, page, 1)
    assert "There are 3 boxes." in third.stages[0].text
    page.solve_question("Nobody asked this?", None)
    qtbot.waitUntil(page.problem.isVisible, timeout=5000)
    assert "holds nothing of a teacher" in page.problem.text.text()


class _Traced(QObject):
    event_came = Signal(object)
    ended = Signal(str)


def test_a_solution_of_the_project_is_shown_and_solved_on_from(make_page, open_project, qtbot, monkeypatch):
    job = _Traced()
    monkeypatch.setattr("kpdd_app.row_trace.start_trace", lambda jobs, detail: job)
    page = make_page(open_project)
    qtbot.waitUntil(lambda: "recorded" in [one.students for one in page.students.choices], timeout=5000)
    page.students.use("recorded")
    page.solve_question(JARS, 6.0)
    qtbot.waitUntil(lambda: page.recording is not None, timeout=5000)
    job.event_came.emit(Answer("ok", "6", 6.0, 6.0, True))
    recording = solved(qtbot, page)
    assert page.branch.title == "Row 1" and recording.program.endswith("answer = jars")
    assert page.branch.ask.choice.students == "recorded" and page.worker.students == "demo"
    qtbot.mouseClick(page.columns.key_points.edit, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.columns.key_points.editor.solve, Qt.MouseButton.LeftButton)
    solved(qtbot, page, 2)
    assert page.branch.ask.choice.students == "demo" and page.branch.parent.title == "Row 1"


def test_the_key_for_another_token_begins_at_the_least_sure_one(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    recording = solved(qtbot, page)
    page.player.to_end()
    assert page.columns.alternatives.rows == []
    with qtbot.waitActive(page):
        page.activateWindow()
    qtbot.keyClick(page, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    shown = page.columns.alternatives
    assert shown.hasFocus() and shown.rows[0][1] == min(t.probability for t in recording.solve_stage.tokens)
    qtbot.keyClick(shown, Qt.Key.Key_1)
    assert solved(qtbot, page, 2).program.startswith(" other")


def test_rows_of_a_question_are_found_by_its_text(open_project):
    rows = recorded_rows(open_project.project, JARS)
    assert [detail.question.text for detail in rows] == [JARS, JARS]
    assert recorded_rows(open_project.project, "How many jars are there?") == []
    assert recorded_rows(open_project.project, "?!") == []


def test_a_request_says_only_what_is_wanted():
    ask = Ask(QUESTION, None, OTHERS)
    assert ask.message() == {"command": "solve", "question": QUESTION}
    sampled = dataclasses.replace(ask, way=Way(0.7, 0.9, 3, 5), gold=4.0, kind="eot")
    assert sampled.message() == {
        "command": "solve", "question": QUESTION, "gold": 4.0, "kind": "eot", "temperature": 0.7,
        "top_p": 0.9, "seed": 3, "path": 5,
    }  # fmt: skip
    vote = dataclasses.replace(ask, way=Way(0.7, paths=4))
    assert vote.message()["command"] == "vote" and vote.message()["paths"] == 4
    forced = dataclasses.replace(ask, forced=("solve", (4, 5)))
    assert (forced.message()["command"], forced.message()["tokens"]) == ("continue", [4, 5])
    given = with_points(vote, OTHERS, KeyPoints("How many?", ("One.",)), "by hand")
    assert given.message()["given"] == {"core_question": "How many?", "information": ["One."]}
    assert given.message()["command"] == "vote" and given.way.paths == 4
    greedy = with_points(vote, OTHERS, KeyPoints("How many?", ("One.",)), "by hand", way=Way())
    assert greedy.message()["command"] == "solve"


def test_a_kept_branch_names_who_wrote_which_part():
    solve = Choice("A", "/a", "kpdd-pot", folders={"key": Path("/a/key"), "solve": Path("/a/solve")})
    key = Choice("B", "/b", "kpdd-cot", folders={"key": Path("/b/key"), "solve": Path("/b/solve")})
    sampled = Ask(QUESTION, None, mixed(solve, key), Way(0.7, 0.9, 3, 5))
    points, rationale = origins_of(Branch.of(sampled, "x"))
    assert (points.teacher, points.details["folder"]) == ("student: B", str(Path("/b/key")))
    assert (rationale.teacher, rationale.details["role"]) == ("student: A", "solve")
    assert (rationale.details["top_p"], rationale.details["path"]) == (0.9, 5)
    edited = with_points(sampled, solve, KeyPoints("How many?", ("One.",)), "by hand", by_person(changed="B"))
    forced = dataclasses.replace(edited, forced=("solve", (4, 5)))
    points, rationale = origins_of(Branch.of(forced, "x"))
    assert (points.teacher, points.details) == ("person", {"changed": "B"})
    assert rationale.details["token_chosen_by_a_person"] == 2
    teacher = Origin("Teacher-X", "m", "file")
    taken = with_points(sampled, solve, KeyPoints("How many?", ("One.",)), "by Teacher-X", teacher)
    assert origins_of(Branch.of(taken, "x"))[0] is teacher


def test_an_exported_stage_says_how_it_was_drawn_and_what_was_chosen():
    ask = Ask(QUESTION, None, OTHERS, Way(0.7, 0.9, 3, 2), forced=("solve", (4, 5)))
    branch = Branch.of(ask, "x")
    branch.recording.stages = [Stage("key"), Stage("solve")]
    branch.recording.vote = Vote([{}] * 6, [], 2)
    told = told_origins(branch)
    way = {"temperature": 0.7, "top_p": 0.9, "seed": 3, "path": 2, "paths": 6}
    assert told["key"]["way"] == told["solve"]["way"] == way
    assert told["solve"]["forced"] == {"tokens": [4, 5]} and "forced" not in told["key"]
    assert origin_text(branch).endswith(
        "Program: Others (temperature 0.7, top-p 0.9, seed 3, path 3 of 6), one token chosen by a person"
    )
    teacher = Origin("Teacher-X", "m", "file")
    given = with_points(ask, OTHERS, KeyPoints("How many?", ("One.",)), "by Teacher-X", teacher)
    taken = told_origins(Branch.of(given, "x"))["key"]
    assert (taken["writer"], taken["name"]) == ("teacher", "Teacher-X") and "way" not in taken


def test_students_of_two_runs_are_one_choice():
    solve = Choice("A", "/a", "kpdd-pot", folders={"key": Path("/a/key"), "solve": Path("/a/solve")})
    key = Choice("B", "/b", "kpdd-cot", folders={"key": Path("/b/key"), "solve": Path("/b/solve")})
    both = mixed(solve, key)
    assert json.loads(both.students) == {
        "students": {"key": str(Path("/b/key")), "solve": str(Path("/a/solve"))}, "method": "kpdd-pot",
    }  # fmt: skip
    assert both.title == "A, key points by B" and recorded_choice().students == "recorded"


def traced(program: str, *records: dict) -> Recording:
    recording = Recording("q", stages=[Stage("solve", text=program, fields={"rationale": program})])
    recording.trace.add([{"n": n, "f": 0, "ev": "line", **record} for n, record in enumerate(records, 1)])
    recording.over = True
    return recording


def test_where_two_runs_part():
    a = traced("x = 1\ny = 2", {"ln": 1, "ch": {"x": ["1", "int"]}}, {"ln": 2, "ch": {"y": ["2", "int"]}})
    same = traced("x = 1\ny = 2", {"ln": 1, "ch": {"x": ["1", "int"]}}, {"ln": 2, "ch": {"y": ["2", "int"]}})
    other = traced("x = 1\ny = 3", {"ln": 1, "ch": {"x": ["1", "int"]}}, {"ln": 2, "ch": {"y": ["3", "int"]}})
    short = traced("x = 1", {"ln": 1, "ch": {"x": ["1", "int"]}})
    assert first_difference(a, same) is None
    assert first_difference(a, other) == 2
    assert first_difference(a, short) == 2
    assert (line_text(a, 2), line_text(short, 2)) == ("line 2: y = 2", "ended")


def test_key_points_that_differ_are_marked_and_nothing_is_taken_for_markup():
    a, b = Recording("q"), Recording("q")
    for recording, item in ((a, "x < 3"), (b, "x < 4")):
        fields = {"core_question": "How many?", "information": ["Same.", item]}
        recording.stages = [Stage("key", text="…", fields=fields)]
    text = points_text(a, b)
    assert "● x &lt; 3" in text and "● Same" not in text and "● How" not in text


def test_outcomes_have_a_sign_and_a_word():
    recording = Recording("q")
    assert outcome(recording)[2] == "…"
    recording.add(Failed("Cancelled."))
    assert outcome(recording)[2] == "failed"
    recording.add(Answer("timed_out"))
    assert outcome(recording) == ("question", "unjudged", "timed out")
    recording.add(Answer("ok", "7", 7.0, 7.0, True))
    assert outcome(recording) == ("check", "equal", "7")


def test_another_kind_of_rationale_takes_the_place_of_the_one_before():
    from training_backend.events import StageStarted, Trace

    recording = Recording("q")
    for text in ("first", "second"):
        recording.add(StageStarted("solve"))
        recording.add(Token("solve", 0, text))
        recording.add(Trace([{"n": 1, "ln": 1, "f": 0, "ev": "line"}]))
    recording.add(Vote([{}], [], 0))
    assert [stage.written for stage in recording.stages] == ["second"] and len(recording.trace) == 1
    assert recording.vote is not None


def test_a_question_is_cut_at_whole_words():
    def fits(text: str) -> bool:
        return len(text) <= 12

    assert beginning("one two three four", fits) == "one two"
    assert beginning("x" * 40, fits) == "x" * 12
    assert beginning("", fits) == ""


def test_what_is_left_out_of_a_long_question_is_said_before(page, qtbot, tmp_path):
    panel = page.question
    panel._texts[tmp_path] = _Words()
    panel.set_students(tmp_path, 60, False)
    panel.set_question("page " * 10_000 + "?", None)
    panel.solve()
    qtbot.waitUntil(panel.too_long.isVisible, timeout=5000)
    assert page.recording is None and "is left out" in panel.too_long.text.text()
    panel.solve()
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    assert len(page.recording.question.split()) == 44
    assert len(panel.question.split()) == 10_001


class _Words:
    """A vocabulary with one token for each word."""

    def check(self, text: str):
        return type("Report", (), {"tokens": len(text.split()), "unknown_words": []})()


def test_a_student_that_cannot_be_loaded_is_not_compared(page, qtbot):
    page.solve_question(QUESTION, 132.0)
    solved(qtbot, page)
    page.students.beside_wanted.emit(Choice("Gone", "/runs/broken", "kpdd-pot"))
    qtbot.waitUntil(lambda: page.recording.over and len(page.branches) == 2, timeout=10_000)
    qtbot.waitUntil(lambda: "“Gone” failed" in page.compare.parting.text.text(), timeout=5000)
    said = page.compare.parting.text.text()
    assert "nothing to compare: The student Key has no weights." in said and "They part" not in said
    assert page.compare.divergence is None and page.compare.parting.action.isHidden()
    assert outcome(page.recording)[2] == "failed"
