"""Two people corrected the same questions: one project holds what both did, however often it is merged."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from pathlib import Path

import pytest

from training_backend.errors import DatasetError
from training_backend.events import Control
from training_backend.project.details import field_history, row_detail
from training_backend.project.history import edit_field, set_review, undo, undo_label
from training_backend.project.judgements import store_judgements
from training_backend.project.merge_report import MergeReport
from training_backend.project.merging import merge_project
from training_backend.project.questions import add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.runs import (
    Prediction,
    add_evaluation,
    add_predictions,
    add_run,
    evaluations,
    finish_evaluation,
    predictions,
    runs,
)
from training_backend.project.store import Project
from training_backend.rationale.judgement import Judgement

NOTHING = MergeReport()


@pytest.fixture
def theirs(filled, tmp_path):
    """A copy of the filled project that somebody else works on."""
    path = tmp_path / "theirs.kpdd"
    filled.close()
    shutil.copyfile(filled.path, path)
    with Project.open(path) as opened:
        yield opened
        assert opened.check(full=True) == []


@pytest.fixture
def empty(tmp_path):
    with Project.create(tmp_path / "empty.kpdd") as made:
        yield made
        assert made.check(full=True) == []


def rows(project):
    """Return what the list shows, without ids."""
    with project.reading() as connection:
        return connection.execute(
            """SELECT dataset, split, kind, path, verdict, review, flagged, changed, question, core_question,
                      rationale, answer_text, gold_text, note FROM row ORDER BY question, kind, path"""
        ).fetchall()


def test_an_empty_project_takes_everything(theirs, empty):
    edit_field(theirs, 1, "rationale", "eggs = 10\nans = eggs - 1")
    edit_field(theirs, 1, "information", "Ina has 10 eggs.")
    edit_field(theirs, 2, "gold", "9")
    edit_field(theirs, 2, "note", "look again")
    store_judgements(theirs, [(1, Judgement("equal", "ok", "7", 7.0))])
    set_review(theirs, [1, 2], "accepted")
    report = merge_project(empty, theirs.path)
    assert (report.questions, report.rows, report.key_points) == (6, 7, 2)
    assert (report.corrections, report.reviews, report.notes, report.judgements) == (3, 2, 1, 1)
    assert report.conflicts == report.renamed == 0
    assert rows(empty) == rows(theirs)
    assert merge_project(empty, theirs.path) == NOTHING
    assert merge_project(theirs, empty.path) == NOTHING


def test_what_only_they_corrected_is_taken_and_their_history_is_seen(filled, theirs):
    edit_field(theirs, 1, "question", "Question one?", who="Ada")
    edit_field(theirs, 1, "question", "Question 1, again?", who="Ada")
    set_review(theirs, [1], "rejected", who="Ada")
    report = merge_project(filled, theirs.path)
    assert (report.corrections, report.reviews, report.history) == (1, 1, 3)
    assert row_detail(filled, 1).question.text == "Question 1, again?"
    assert [(h.who, h.field, h.new) for h in field_history(filled, 1) if h.who == "Ada"] == [
        ("Ada", "question", "Question one?"), ("Ada", "question", "Question 1, again?"),
        ("Ada", "review", "rejected"),
    ]  # fmt: skip
    # their steps are no steps of ours
    assert undo_label(filled) == "" and undo(filled) is None
    assert merge_project(filled, theirs.path) == NOTHING


def test_where_both_differ_ours_stands_and_theirs_is_in_the_history(filled, theirs):
    edit_field(filled, 1, "rationale", "ans = 7")
    edit_field(filled, 1, "note", "mine")
    set_review(filled, [1], "accepted")
    edit_field(theirs, 1, "rationale", "ans = 8", who="Ada")
    edit_field(theirs, 1, "note", "hers", who="Ada")
    set_review(theirs, [1], "rejected", who="Ada")
    report = merge_project(filled, theirs.path)
    assert report.conflicts == 3 and report.corrections == report.reviews == report.notes == 0
    found = row_detail(filled, 1)
    assert (found.rationale.text, found.note, found.row.review) == ("ans = 7", "mine", "accepted")
    assert {"ans = 8", "hers", "rejected"} <= {item.new for item in field_history(filled, 1)}
    assert undo_label(filled) == "accept 1 row"
    assert merge_project(filled, theirs.path) == NOTHING


def test_what_they_undid_is_undone_in_the_history_too(theirs, empty):
    edit_field(theirs, 1, "note", "a slip")
    undo(theirs)
    merge_project(empty, theirs.path)
    slip = next(item for item in field_history(empty, 1) if item.new == "a slip")
    assert slip.undone and row_detail(empty, 1).note == ""


def test_another_question_under_the_same_number_is_added_under_its_own_name(filled, empty, make):
    add_questions(empty, [make.question(1, text="Quite another question?", gold_text="2", gold_value=2.0)])
    report = merge_project(empty, filled.path)
    assert (report.questions, report.renamed, report.conflicts) == (6, 1, 0)
    with empty.reading() as connection:
        names = [n for (n,) in connection.execute("SELECT native_id FROM question ORDER BY id")]
    assert names[0] == "1" and names[1].startswith("1~")
    assert merge_project(empty, filled.path) == NOTHING


def test_another_gold_answer_is_kept_in_the_history(filled, empty, make):
    add_questions(empty, [make.question(1, gold_text="70", gold_value=70.0)])
    assert merge_project(empty, filled.path).conflicts == 1
    assert row_detail(empty, 1).gold.text == "70"
    assert "7" in [item.new for item in field_history(empty, 1) if item.field == "gold"]
    assert merge_project(empty, filled.path) == NOTHING


def test_two_answers_of_one_teacher_become_two_paths(filled, theirs):
    origin = add_origin(filled, Origin("replay", "big model", "recording.jsonl"))
    for project, text in ((filled, "ans = 1"), (theirs, "ans = 2")):
        add_replies(project, [Reply(4, "pot", 0, None, text, {}, "", 0, origin)])
    assert merge_project(filled, theirs.path).rows == 1
    with filled.reading() as connection:
        sql = "SELECT path, rationale FROM row WHERE question_id = 4 ORDER BY path"
        found = connection.execute(sql).fetchall()
    assert found == [(0, "ans = 1"), (1, "ans = 2")]
    assert merge_project(filled, theirs.path) == NOTHING


def test_a_row_not_asked_yet_is_filled(filled, theirs):
    origin = add_origin(theirs, Origin("replay", "big model", "recording.jsonl"))
    add_replies(theirs, [Reply(4, "pot", 0, None, "ans = 10", {}, "", 0, origin)])
    assert merge_project(filled, theirs.path).rows == 1
    assert rows(filled) == rows(theirs)


def test_runs_and_evaluations_come_along_where_their_folders_are(theirs, empty, tmp_path):
    folder = tmp_path / "theirs.runs" / "one"
    folder.mkdir(parents=True)
    kept = add_run(theirs, "theirs.runs/one", "kpdd-pot", "First")
    add_run(theirs, "theirs.runs/gone", "kpdd-pot", "Lost")
    answer = Prediction("0", "Q?", "1", 1.0, "c", ("i",), "pot", "ans = 1", "ok", "1", 1.0, True, "")
    measured = add_evaluation(theirs, kept, "one", "gsm8k/test", "kpdd-pot", {"n": 1})
    add_predictions(theirs, measured, [answer])
    finish_evaluation(theirs, measured, {"accuracy": 1.0})
    report = merge_project(empty, theirs.path)
    assert (report.runs, report.lost_runs, report.evaluations) == (1, 1, 1)
    assert [(run.folder, run.title) for run in runs(empty)] == [("theirs.runs/one", "First")]
    assert predictions(empty, evaluations(empty)[0].id) == [answer]
    again = merge_project(empty, theirs.path)
    assert (again.runs, again.evaluations, len(evaluations(empty))) == (0, 0, 1)


def test_a_stop_leaves_whole_questions_and_the_next_merge_goes_on(filled, empty, make):
    add_questions(filled, [make.question(number) for number in range(10, 1200)])
    control = Control()
    control.stop()
    first = merge_project(empty, filled.path, control=control)
    assert first.stopped and first.questions == 500 and first.rows == 501
    rest = merge_project(empty, filled.path)
    assert (rest.questions, rest.rows, rest.stopped) == (696, 696, False)
    assert rows(empty) == rows(filled)


def test_an_older_project_is_merged_from_a_copy(empty, tmp_path):
    path = tmp_path / "older.kpdd"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "version-3.kpdd.gz").read_bytes()))
    before = path.read_bytes()
    assert merge_project(empty, path).questions > 0
    assert path.read_bytes() == before
    assert merge_project(empty, path) == NOTHING


def test_files_that_are_no_other_project_are_refused(project, tmp_path):
    with pytest.raises(DatasetError, match="cannot be merged with itself"):
        merge_project(project, project.path)
    stranger = tmp_path / "other.db"
    with sqlite3.connect(stranger) as other:
        other.execute("CREATE TABLE a (b)")
    with pytest.raises(DatasetError, match="not a project"):
        merge_project(project, stranger)
    with pytest.raises(DatasetError, match="no such file"):
        merge_project(project, tmp_path / "none.kpdd")
