"""The row at the right: what it shows is saved only where somebody typed; flags stand with their reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kpdd_app.widgets.facet_panel import value_words
from kpdd_app.widgets.row_editor import SAVE_MS, RowEditor, unchanged_text
from kpdd_app.widgets.row_head import tab_names
from kpdd_app.widgets.row_paint import kind_text
from training_backend.project.details import row_detail
from training_backend.project.flagging import Flagging
from training_backend.project.history import undo_label
from training_backend.project.kept_solutions import by_person, by_student, keep_solution
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.rationale.key_points import KeyPoints


@pytest.fixture
def editor(qtbot, open_project):
    project = open_project.project
    origin = add_origin(project, Origin("tester", "model-1", "test"))
    points = KeyPoints("How many jars are there?", ("There are 2 boxes.", "6 jars in all."))
    add_replies(project, [Reply(1, "cot", 0, points, "2 * 3 = 6. The answer is 6.", {}, "", origin, origin)])
    made = RowEditor(open_project)
    qtbot.addWidget(made)
    made.resize(380, 800)
    made.show()
    return made


def rows(editor):
    with editor.project.project.reading() as connection:
        return connection.execute("SELECT id, kind, changed FROM row ORDER BY id").fetchall()


def show(qtbot, editor, row_id):
    editor.show_row(row_id)
    qtbot.waitUntil(lambda: editor.detail is not None and editor.detail.row.id == row_id)


def test_going_from_a_program_to_prose_and_back_writes_nothing(qtbot, editor):
    kinds = {kind: row_id for row_id, kind, _ in rows(editor) if kind}
    for row_id in (kinds["pot"], kinds["cot"], kinds["pot"]):
        show(qtbot, editor, row_id)
        qtbot.wait(1)
        assert editor._unsaved == {} and not editor._timer.isActive()
    qtbot.wait(SAVE_MS + 50)
    editor.project.flush()
    assert not any(changed for _, _, changed in rows(editor))
    assert undo_label(editor.project.project) == ""


def test_what_is_typed_is_saved_in_its_row(qtbot, editor):
    cot = next(row_id for row_id, kind, _ in rows(editor) if kind == "cot")
    show(qtbot, editor, cot)
    editor.code.setPlainText("The answer is 7.")
    show(qtbot, editor, 1)
    editor.project.flush()
    assert [row_id for row_id, _, changed in rows(editor) if changed] == [cot]


def test_rows_of_the_same_kind_by_different_teachers_are_told_apart(qtbot, editor):
    project = editor.project.project
    names = (("R&D", "big"), ("A teacher with a very long name", "org/model-a"), ("tester", "org/model-b"))
    for teacher, model in names:
        origin = add_origin(project, Origin(teacher, model, "test"))
        points = KeyPoints("How many jars are there?", (f"{model} has 2 boxes.",))
        add_replies(project, [Reply(1, "eot", 0, points, f"x = 3  # {model}", {}, "", origin, origin)])
    eot = [row_id for row_id, kind, _ in rows(editor) if kind == "eot"]
    assert len(eot) == 3
    show(qtbot, editor, eot[0])
    paths = editor.head.paths
    shown = {paths.tabData(n): paths.tabText(n) for n in range(paths.count())}
    assert [shown[row_id] for row_id in eot] == ["EoT R&&D", "EoT A teacher wit…", "EoT tester"]
    tips = {paths.tabData(n): paths.tabToolTip(n) for n in range(paths.count())}
    assert tips[eot[1]].endswith("A teacher with a very long name, org/model-a")
    # what is alone of its kind and path needs no name
    assert "PoT" in shown.values()


def test_tabs_fall_back_on_the_model_and_then_on_the_number(qtbot, editor):
    detail = row_detail(editor.project.project, 1)
    three = [replace(detail.row, id=n) for n in (1, 2, 3)]
    writers = {1: ("same", "org/a"), 2: ("same", "org/b"), 3: ("same", "org/b")}
    assert tab_names(three, writers) == ["PoT a", "PoT b #2", "PoT b #3"]
    assert tab_names(three[:1], writers) == ["PoT"]


def test_flags_are_shown_heaviest_first_with_their_sentences(qtbot, editor):
    cot = next(row_id for row_id, kind, _ in rows(editor) if kind == "cot")
    Flagging(editor.project.project).run()
    show(qtbot, editor, cot)
    flags = editor.flag_list
    assert flags.isVisible() and flags.flags[0][0] == "answer_in_key_points"
    texts = [flags.layout().itemAt(n).widget().text() for n in (0, 1)]
    assert "answer in the key points" in texts[0] and texts[1].startswith("Item 2 states 6, the gold answer")
    with editor.project.project.reading() as connection:
        plain = connection.execute("SELECT id FROM row WHERE flags = 0 AND kind <> ''").fetchone()[0]
    show(qtbot, editor, plain)
    assert not flags.isVisible()


def test_what_happens_to_another_path_is_seen_and_touches_no_text(qtbot, editor, monkeypatch):
    shown, other, *_ = [row_id for row_id, kind, _ in rows(editor) if kind and question(editor, row_id) == 1]
    show(qtbot, editor, shown)
    written = []
    monkeypatch.setattr(editor, "_show_texts", written.append)
    editor.project.set_review([other], "rejected")

    def state():
        return {row.id: row.review for row in editor.detail.siblings}[other]

    qtbot.waitUntil(lambda: state() == "rejected")
    assert written == []
    # its own review is read with everything else
    editor.project.set_review([shown], "accepted")
    qtbot.waitUntil(lambda: editor.detail.row.review == "accepted")
    assert len(written) == 1


def question(editor, row_id):
    with editor.project.project.reading() as connection:
        return connection.execute("SELECT question_id FROM row WHERE id = ?", (row_id,)).fetchone()[0]


def test_the_tabs_are_the_rows_of_the_question_that_is_shown(qtbot, editor):
    paths = editor.head.paths
    seen = set()
    for row_id, _, _ in [*rows(editor), *reversed(rows(editor))]:
        show(qtbot, editor, row_id)
        own = {row.id for row in (editor.detail.row, *editor.detail.siblings)}
        tabs = [paths.tabData(index) for index in range(paths.count())]
        assert set(tabs) == own and len(tabs) == len(own)
        assert tabs[paths.currentIndex()] == row_id
        texts = [paths.tabText(index) for index in range(paths.count())]
        assert texts[paths.currentIndex()] == kind_text(editor.detail.row)
        assert paths.isHidden() == (len(tabs) == 1)
        seen.add(len(tabs))
    assert len(seen) > 1


def test_of_an_unchanged_row_it_is_said_who_wrote_it():
    teacher, page = Origin("tester", "model-1", "test"), by_student("Demo students")
    assert unchanged_text({"key_points": teacher, "rationale": teacher}).endswith("is the teacher's.")
    said = unchanged_text({"key_points": page, "rationale": page})
    assert said == "Nothing was changed: every text was written by Demo students on the Solve page."
    said = unchanged_text({"key_points": teacher, "rationale": page})
    assert said.endswith("the key points by the teacher, the rationale by Demo students on the Solve page.")
    assert "a person on the Solve page" in unchanged_text({"rationale": by_person()})


def test_a_row_that_came_from_the_solve_page_is_no_teachers(qtbot, editor):
    kept = keep_solution(
        editor.project.project, "How many are 2 and 2?", 4.0, "How many?", ["2 and 2"], "pot", "answer = 4",
        by_student("Demo students"),
    )  # fmt: skip
    show(qtbot, editor, kept.row_id)
    editor.show_differences()
    assert "written by Demo students on the Solve page" in editor.diff.toPlainText()
    show(qtbot, editor, 1)
    qtbot.waitUntil(lambda: "every text is the teacher's" in editor.diff.toPlainText())
    assert value_words("changed", 0) == "as it was written"
