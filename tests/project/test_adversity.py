"""What may happen to a file while it is open, and odd rows: nothing is lost, one sentence each."""

from __future__ import annotations

import contextlib
import gzip
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import event

from training_backend.__main__ import main
from training_backend.errors import StoreError
from training_backend.project import store
from training_backend.project.details import field_history, row_detail
from training_backend.project.exporters import export_rows
from training_backend.project.funnel import funnel
from training_backend.project.history import bring_back, edit_field, redo, set_review, undo, undo_label
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import add_questions, questions
from training_backend.project.replies import add_replies
from training_backend.project.store import Project
from training_backend.project.training_rows import training_rows

ODD = {
    "long": "a word and " * 9_100,
    "one long word": "x" * 100_000,
    "emoji": "👩‍👩‍👧 🥚🥚 e\u0301",
    "right to left": "\u202eכמה ביצים יש לאינה?\u202c",
    "nul": "before\x00after",
    "half a sign": "cut \ud83e off",
    "controls": "bell \x07 escape \x1b[31m line\u2028para\u2029\x85 \ufeff",
    "sql": "'; DROP TABLE row; -- \" % _ ! \\",
}


@pytest.mark.parametrize("name", list(ODD))
def test_odd_texts_come_back_as_they_are(project, make, tmp_path, name):
    text = ODD[name]
    stored = text.replace("\ud83e", "\ufffd")
    add_questions(project, [make.question(1, text=text, dataset=text[:50]), make.question(2)])
    add_replies(project, [make.reply(1, "pot", text, origin=0)])
    detail = row_detail(project, 1)
    assert (detail.question.text, detail.rationale.text) == (stored, stored)
    for field in ("note", "question", "core_question", "rationale"):
        edit_field(project, 1, field, f"new {text}")
    assert row_detail(project, 1).note == f"new {stored}"
    assert [item.new for item in field_history(project, 1)][-1] == f"new {stored}"
    for _ in range(4):
        assert undo(project) is not None
    assert redo(project) is not None
    bring_back(project, 1, "question")
    set_review(project, [1], "accepted")
    assert [row.rationale for row in training_rows(project, ["pot"])] == [stored]
    out = tmp_path / "out.jsonl"
    assert export_rows(project, out) == 2 and export_rows(project, tmp_path / "out.parquet") == 2
    listing = Listing(project.path)
    assert len(listing.page([1])[0].question) <= 160
    assert listing.ids(RowFilter({"dataset": frozenset([stored[:50]])})).tolist() == [1]
    listing.ids(RowFilter(search=text[:200]))
    listing.close()


def test_a_word_behind_a_nul_is_found(project, make):
    add_questions(project, [make.question(1, text="before\x00after")])
    listing = Listing(project.path)
    assert listing.ids(RowFilter(search="before")).tolist() == [1]
    listing.close()


@contextlib.contextmanager
def full_disk(project, pages=0):
    """Let the file grow by so many pages and no further, as on a full disk."""
    with project.reading() as connection:
        most = connection.execute("PRAGMA page_count").fetchone()[0] + pages

    def limit(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    event.listen(project._engine, "begin", limit)
    yield
    event.remove(project._engine, "begin", limit)
    with project.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")


def test_a_bulk_change_on_a_full_disk_is_all_or_nothing(project, make):
    add_questions(project, [make.question(number) for number in range(5000)])
    edit_field(project, 1, "note", "kept")
    with full_disk(project, pages=3):
        with pytest.raises(StoreError, match="disk is full"):
            set_review(project, range(1, 5001), "accepted")
        assert project.check() == []
        assert undo_label(project) == "edit note"
        assert row_detail(project, 4999).row.review == "unreviewed"
    set_review(project, range(1, 5001), "accepted")
    assert row_detail(project, 4999).row.review == "accepted"


@pytest.mark.skipif(os.name == "nt", reason="needs setrlimit")
def test_no_backup_no_migration(tmp_path):
    path = tmp_path / "old.kpdd"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "version-3.kpdd.gz").read_bytes()))
    before = path.read_bytes()
    script = f"""
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}))
        from training_backend.errors import StoreError
        from training_backend.project.store import Project
        try:
            Project.open(sys.argv[1])
        except StoreError as error:
            print(error)
    """
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)],
                           capture_output=True, text=True, timeout=60)  # fmt: skip
    assert "no backup could be made" in child.stdout, child.stderr
    assert path.read_bytes() == before and not list(tmp_path.glob("*backup*"))


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be taken away there")
def test_a_folder_that_goes_away_is_one_sentence_and_comes_back_whole(filled, tmp_path):
    set_review(filled, [1], "accepted")
    away = tmp_path.with_name(tmp_path.name + " away")
    tmp_path.rename(away)
    with pytest.raises(StoreError):
        filled.reader()
    with contextlib.suppress(StoreError):
        edit_field(filled, 1, "note", "written while it was away")
    with pytest.raises(StoreError, match="no such file"):
        Project.open(filled.path)
    away.rename(tmp_path)
    edit_field(filled, 2, "note", "back again")
    assert row_detail(filled, 2).note == "back again"
    assert filled.check(full=True) == []


@pytest.mark.skipif(os.name == "nt", reason="has other permissions")
def test_a_file_made_read_only_while_open(filled):
    edit_field(filled, 1, "note", "before")
    filled.path.chmod(0o444)
    filled.path.parent.chmod(0o555)
    try:
        if os.access(filled.path, os.W_OK):
            pytest.skip("the superuser may write everywhere")
        # the connection that is open may go on writing; what it acknowledges is there
        edit_field(filled, 1, "note", "meanwhile")
        assert row_detail(filled, 1).note == "meanwhile"
        filled._engine.dispose()
        with pytest.raises(StoreError, match="cannot be written"):
            edit_field(filled, 1, "note", "after")
        with Project.open(filled.path, holder="window") as second:
            assert second.read_only and row_detail(second, 1).note == "meanwhile"
    finally:
        filled.path.parent.chmod(0o755)
        filled.path.chmod(0o644)
    edit_field(filled, 1, "note", "again")
    assert row_detail(filled, 1).note == "again"


def test_a_file_that_only_reads_from_now_on_is_one_sentence(filled):
    edit_field(filled, 1, "note", "before")

    def refuse(connection):
        connection.exec_driver_sql("PRAGMA query_only = ON")

    # what a disk that was mounted anew for reading does to a file that is open
    event.listen(filled._engine, "begin", refuse)
    with pytest.raises(StoreError, match="cannot be written"):
        edit_field(filled, 1, "note", "after")
    event.remove(filled._engine, "begin", refuse)
    filled._engine.dispose()
    assert row_detail(filled, 1).note == "before"


def test_a_clock_that_jumps_back_changes_no_order(filled, monkeypatch):
    times = iter(f"20{30 - n:02}-01-01T00:00:00.000+00:00" for n in range(30))
    monkeypatch.setattr(store, "now", lambda: next(times))
    for text in ("one", "two", "three"):
        edit_field(filled, 1, "note", text)
        edit_field(filled, 1, "question", text)
    notes = [item.new for item in field_history(filled, 1) if item.field == "note"]
    assert notes == ["one", "two", "three"]
    edit_field(filled, 1, "note", "three and more", continues=True)
    assert undo(filled).label == "edit note" and row_detail(filled, 1).note == "three"
    assert undo(filled).label == "edit question" and row_detail(filled, 1).question.corrected == "two"
    assert redo(filled).label == "edit question" and redo(filled).label == "edit note"
    assert row_detail(filled, 1).note == "three and more"


def test_a_project_of_no_rows(tmp_path, capsys):
    path = tmp_path / "nothing yet – 何もない.kpdd"
    out = tmp_path / "out"
    out.mkdir()
    assert main(["new", str(path)]) == 0
    for words, status in (
        (["export", str(path), str(out / "rows.jsonl")], 0),
        (["export", str(path), str(out / "rows.parquet")], 0),
        (["export", str(path), str(out / "folder")], 0),
        (["generate", str(path), "--teacher", "sample", "--quiet"], 1),
        (["execute", "--help"], 0),
        (["check", str(path)], 0),
        (["repair", str(path)], 0),
        (["train", str(path), "--method", "kpdd-pot", "--base", str(tmp_path)], 1),
    ):
        assert main(words) == status, words
        assert "Traceback" not in capsys.readouterr().err, words
    with Project.open(path) as project:
        assert list(questions(project)) == [] and undo(project) is None and redo(project) is None
        assert set(funnel(project).values()) == {0}
        listing = Listing(path)
        assert len(listing.ids(RowFilter(search="anything", sort="suspicion"))) == 0
        assert len(listing.ids(RowFilter(sort="question", descending=True))) == 0
        listing.facets(RowFilter())
        listing.close()


def test_a_window_and_a_job_write_at_once(filled):
    """Both complete, and the one that is typed into never waits as long as the other works."""
    job = """
        import sys
        from training_backend.project.questions import NewQuestion, add_questions
        from training_backend.project.store import Project
        with Project.open(sys.argv[1], holder="job") as project:
            print("open", flush=True)
            for number in range(15):
                add_questions(project, [NewQuestion(f"b{number}", "", str(n), "text", "1", 1.0)
                                        for n in range(1000)])
            print("done", flush=True)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(job), str(filled.path)],
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert child.stdout.readline() == "open\n"
    typed = 0
    while child.poll() is None:
        typed += 1
        edit_field(filled, 1, "note", f"typed {typed}")
    assert child.stdout.read() == "done\n" and child.wait() == 0
    assert typed > 3 and row_detail(filled, 1).note == f"typed {typed}"
    assert len(list(questions(filled))) == 15_006
