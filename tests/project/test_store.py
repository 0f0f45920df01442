"""The project file: what opens, what is refused with a sentence, and who may write."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from training_backend.errors import StoreError
from training_backend.project import lock, migrations, schema
from training_backend.project.details import row_detail
from training_backend.project.history import edit_field, set_review, undo_label
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import add_questions, questions
from training_backend.project.saved_filters import saved_filters
from training_backend.project.store import Project


@pytest.mark.parametrize("name", ["plain.kpdd", "ünï code and spaces.kpdd", "100%20?#&.kpdd", "עברית🥚.kpdd"])
def test_create_open_and_close_leave_one_file(tmp_path, name):
    path = tmp_path / name
    Project.create(path, holder="window").close()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with Project.open(path) as project:
        assert not project.read_only and project.migrated == []
        with project.reading() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
            assert connection.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)


def test_a_file_of_that_name_is_never_overwritten(tmp_path):
    path = tmp_path / "notes.kpdd"
    path.write_text("precious")
    with pytest.raises(StoreError, match="There is a file of this name"):
        Project.create(path)
    assert path.read_text() == "precious"


def test_a_project_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="There is no folder"):
        Project.create(tmp_path / "nowhere" / "a.kpdd")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"question,answer\n1,2\n", "no SQLite database"),
        (b"SQLite format 3\x00" + b"\x07" * 4000, "no SQLite database|damaged"),
    ],
)
def test_what_is_no_project_is_told_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.kpdd"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=sentence) as caught:
        Project.open(path)
    assert caught.value.where == str(path) and caught.value.hint
    assert path.read_bytes() == content


def test_missing_file_folder_and_foreign_database_are_refused(tmp_path):
    with pytest.raises(StoreError, match="no such file"):
        Project.open(tmp_path / "none.kpdd")
    with pytest.raises(StoreError, match="folder"):
        Project.open(tmp_path)
    foreign = tmp_path / "foreign.kpdd"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE customer (id)")
    connection.close()
    with pytest.raises(StoreError, match="not a project of KPDD Studio"):
        Project.open(foreign)


def test_a_newer_project_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 5}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Project.open(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_told_on_opening(tmp_path, make):
    path = tmp_path / "a.kpdd"
    with Project.create(path) as project:
        add_questions(project, [make.question(number) for number in range(300)])
    content = bytearray(path.read_bytes())
    for page in range(20, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Project.open(path)


def make_version_3(path):
    """Write a project that version 3 made: five questions, eight rows, an edit, a review, an undone flag."""
    path.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "version-3.kpdd.gz").read_bytes()))


def make_version_4(path):
    """Write a project that version 4 made: the same as of version 3, flags, a kept filter and a run."""
    path.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "version-4.kpdd.gz").read_bytes()))


def make_version_2(path):
    """Write a project as version 2 had it: without the list of what changed lately."""
    make_version_3(path)
    connection = sqlite3.connect(path)
    for statement in ("TRIGGER row_added", "TRIGGER row_changed", "TABLE row_touched", "INDEX row_facets"):
        connection.execute(f"DROP {statement}")
    connection.execute("CREATE INDEX row_facets ON row (verdict)")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()


def make_version_1(path):
    """Write a project as version 1 had it: also without the search index."""
    make_version_2(path)
    connection = sqlite3.connect(path)
    for table in ("search", "search_question"):
        connection.execute(f"DROP TABLE {table}")
    for view in schema.SEARCH_VIEWS:
        connection.execute(f"DROP VIEW {view}")
    connection.execute("DELETE FROM setting")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def shape(path):
    """Return what a project file consists of; a table by its columns, as one that grew is spelled anew."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT type, name, iif(type = 'table' AND sql NOT LIKE '%VIRTUAL%', '', sql) FROM sqlite_master "
        "WHERE name NOT LIKE 'search%' OR sql LIKE '%VIRTUAL%' OR type = 'view' ORDER BY 1, 2"
    ).fetchall()
    tables = [name for kind, name, _ in found if kind == "table"]
    found += [(name, *connection.execute(f"PRAGMA table_info({name})").fetchall()) for name in tables]
    connection.close()
    return found


STEPS = [
    "full-text search", "what changed lately", "flags and saved filters",
    "teachers, prompts and what was asked",
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "make_old"),
    [(1, make_version_1), (2, make_version_2), (3, make_version_3), (4, make_version_4)],
)
def test_an_older_project_is_backed_up_and_brought_up_to_date(tmp_path, version, make_old):
    path, fresh = tmp_path / "old.kpdd", tmp_path / "fresh.kpdd"
    make_old(path)
    Project.create(fresh).close()
    with Project.open(path) as project:
        assert project.migrated == STEPS[version - 1 :]
        assert len(list(questions(project))) == 5
        assert project.check(full=True) == []
        listing = Listing(path)
        assert len(listing.ids(RowFilter(search="eggs"))) == 9
        assert listing.ids(RowFilter({"review": frozenset({"accepted"})})).tolist() == [1, 2]
        assert [row.flags for row in listing.page([1])] == [()]
        listing.close()
        assert row_detail(project, 1).rationale.corrected == "ans = 1 + 1 + 1"
        assert row_detail(project, 4).note == "look at this again"
        assert undo_label(project) == "edit note"
        with project.reading() as connection:
            # version 4 had looked at all five
            due = 5 if version < 4 else 0
            assert connection.execute("SELECT count(*) FROM flag_due").fetchone() == (due,)
            assert connection.execute("SELECT count(*) FROM row_flag").fetchone() == (4 if not due else 0,)
            assert connection.execute("SELECT count(*) FROM request").fetchone() == (0,)
        assert [kept.name for kept in saved_filters(project)] == ([] if due else ["eggs to look at"])
    assert shape(path) == shape(fresh)
    backup = sqlite3.connect(tmp_path / f"old.kpdd.backup-{version}")
    assert backup.execute("PRAGMA user_version").fetchone() == (version,)
    assert backup.execute("SELECT count(*) FROM question").fetchone() == (5,)
    backup.close()


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "old.kpdd"
    make_version_1(path)

    def fail(connection):
        connection.exec_driver_sql("CREATE TABLE half_way (id)")
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(migrations, "MIGRATIONS", (migrations.Migration(2, "fails", fail),))
    before = shape(path)
    with pytest.raises(RuntimeError):
        Project.open(path)
    assert shape(path) == before
    monkeypatch.undo()
    with Project.open(path) as project:
        assert project.migrated == STEPS
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "old.kpdd", "old.kpdd.backup-1", "old.kpdd.backup-1-2"
    }  # fmt: skip


def test_an_older_project_cannot_be_opened_for_reading_only(tmp_path):
    path = tmp_path / "old.kpdd"
    make_version_1(path)
    with pytest.raises(StoreError, match="older version"):
        Project.open(path, read_only=True)


def test_a_second_window_reads_and_a_command_may_still_write(tmp_path, make):
    path = tmp_path / "a.kpdd"
    with Project.create(path, holder="window"), Project.open(path, holder="window") as second:
        assert second.read_only
        assert str(os.getpid()) in second.read_only_reason
        with pytest.raises(StoreError, match=r"reading only.*Another window"):
            add_questions(second, [make.question(1)])
        with Project.open(path) as command:
            assert add_questions(command, [make.question(1)]).added == 1
        assert [question.native_id for question in questions(second)] == ["1"]
    with Project.open(path, holder="window") as third:
        assert not third.read_only


def test_a_second_job_is_refused(tmp_path):
    path = tmp_path / "a.kpdd"
    with Project.create(path, holder="job"), pytest.raises(StoreError, match="Another job is at work"):
        Project.open(path, holder="job")
    Project.open(path, holder="job").close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_window_holds_nothing(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    script = f"""
        import sys
        from training_backend.project.store import Project
        project = Project.open({str(path)!r}, holder="window")
        print(project.read_only, flush=True)
        sys.stdin.read()
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert child.stdout.readline().strip() == "False"
    with Project.open(path, holder="window") as second:
        assert f"process {child.pid}" in second.read_only_reason
    child.kill()
    child.communicate()
    assert lock_file(path).exists()
    with Project.open(path, holder="window") as third:
        assert not third.read_only
        assert json.loads(lock_file(path).read_text())["pid"] == os.getpid()
    assert not lock_file(path).exists()


def lock_file(path):
    return path.with_name(path.name + ".window")


def test_a_lock_file_with_rubbish_in_it_is_no_lock(tmp_path):
    path = tmp_path / "a.kpdd"
    lock_file(path).write_text("{")
    held = lock.acquire(path, "window")
    assert isinstance(held, lock.Lock)
    held.release()
    held.release()


@pytest.mark.skipif(os.name == "nt", reason="has other permissions")
def test_a_file_that_cannot_be_written_opens_for_reading(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("the superuser may write everywhere")
        with Project.open(path, holder="window") as project:
            assert project.read_only and list(questions(project)) == []
    finally:
        tmp_path.chmod(0o755)


def test_other_tools_find_tables_that_explain_themselves(filled):
    sqlite_utils = pytest.importorskip("sqlite_utils")
    edit_field(filled, 1, "rationale", "ans = 7")
    set_review(filled, [1], "accepted")
    database = sqlite_utils.Database(filled.path)
    assert {"question", "key_points", "rationale", "row", "change", "run", "prediction"} <= set(
        database.table_names()
    )
    assert {"row_text", "training_rows"} <= set(database.view_names())
    said = {(row["table_name"], row["column_name"]) for row in database["about"].rows if row["explanation"]}
    ours = {name for name in database.table_names() if not name.startswith("search")}
    assert {(name, "") for name in [*ours, "row_text", "training_rows"]} <= said and len(ours) >= 13
    for view in ("row_text", "training_rows"):
        assert {(view, column.name) for column in database[view].columns} <= said
    assert [row["kind"] for row in database["row_text"].rows][:2] == ["pot", "pot"]
    assert [row["rationale"] for row in database["training_rows"].rows] == ["ans = 7"]
    found = database.query("SELECT rowid FROM search WHERE search MATCH ?", ["boxes"])
    assert [row["rowid"] for row in found] == [2]
    database.close()


def test_a_reader_cannot_write(project):
    connection = project.reader()
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM question")
    connection.close()


def test_writes_of_two_processes_wait_for_each_other(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    script = """
        import sys
        from training_backend.project.questions import NewQuestion, add_questions
        from training_backend.project.store import Project
        with Project.open(sys.argv[1]) as project:
            for number in range(40):
                add_questions(project, [NewQuestion(sys.argv[2], "", str(number), "text", "1", 1.0)])
    """
    children = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(path), name])
        for name in ("a", "b")
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    with Project.open(path) as project:
        assert len(list(questions(project))) == 80
        assert project.check(full=True) == []


def test_a_project_that_was_only_read_is_one_file_again(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    with Project.open(path) as project, project.reading() as connection:
        connection.execute("SELECT count(*) FROM question").fetchone()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_refused_newer_project_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    content = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Project.open(path)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_closing_leaves_the_log_of_another_one_at_work(tmp_path, make):
    path = tmp_path / "a.kpdd"
    with Project.create(path) as first:
        add_questions(first, [make.question(1)])
        Project.open(path).close()
        add_questions(first, [make.question(2)])
        with Project.open(path) as second:
            assert len(list(questions(second))) == 2
