"""A damaged file: said in a sentence, repaired as far as it can be read, the damaged one kept."""

from __future__ import annotations

import gzip
import random
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from training_backend.__main__ import main
from training_backend.errors import StoreError
from training_backend.project.details import row_detail
from training_backend.project.faults import Damaged
from training_backend.project.history import edit_field, set_review, undo
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import add_questions, questions
from training_backend.project.repair import find_problems, repair, summary
from training_backend.project.store import Project

PAGE = 4096


@pytest.fixture
def path(project, make, tmp_path):
    """Return a closed project of 400 questions, 300 with a reply, some reviewed and corrected."""
    from training_backend.project.replies import add_replies

    add_questions(
        project, [make.question(n, text=f"Question {n}: " + "how many eggs? " * 30) for n in range(400)]
    )
    add_replies(
        project, [make.reply(n, "pot", f"ans = {n}\n" + "# why\n" * 60, origin=0) for n in range(1, 301)]
    )
    set_review(project, range(1, 51), "accepted")
    edit_field(project, 7, "question", "Corrected: how many are left?")
    edit_field(project, 8, "note", "look again")
    project.close()
    folder = tmp_path / "mended"
    folder.mkdir()
    return Path(shutil.copy(project.path, folder))


def pages_of(path, name, kind="leaf"):
    """Return the numbers of the pages that hold a table or an index."""
    connection = sqlite3.connect(path)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
    connection.close()
    content = path.read_bytes()
    return list(_leaves(content, root))


def _leaves(content, number):
    start = (number - 1) * PAGE
    kind = content[start]
    if kind in (10, 13):
        yield number
        return
    assert kind in (2, 5), kind
    for cell in range(int.from_bytes(content[start + 3 : start + 5], "big")):
        at = start + int.from_bytes(content[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
        yield from _leaves(content, int.from_bytes(content[at : at + 4], "big"))
    yield from _leaves(content, int.from_bytes(content[start + 8 : start + 12], "big"))


def spoil(path, numbers):
    content = bytearray(path.read_bytes())
    for number in numbers:
        content[(number - 1) * PAGE : (number - 1) * PAGE + 400] = b"\xee" * 400
    path.write_bytes(content)


def count(path, table):
    connection = sqlite3.connect(path)
    number = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
    connection.close()
    return number


def whole(path):
    with Project.open(path, holder="window") as project:
        assert not project.read_only and project.check(full=True) == []
        with project.reading() as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            rows = connection.execute("SELECT count(*) FROM row").fetchone()[0]
            assert rows == connection.execute("SELECT count(*) FROM row_text").fetchone()[0]
        listing = Listing(path)
        assert len(listing.ids(RowFilter())) == rows
        listing.close()
    return rows


def test_what_is_whole_is_left_alone(path, capsys):
    before = path.read_bytes()
    assert find_problems(path) == [] and repair(path).kept is None
    assert main(["check", str(path)]) == 0 and main(["repair", str(path)]) == 0
    assert "Nothing is damaged" in capsys.readouterr().out
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_damaged_index_costs_nothing(path, capsys):
    spoil(path, pages_of(path, "row_by_question")[:1])
    damaged = path.read_bytes()
    with pytest.raises(Damaged, match="damaged"):
        Project.open(path)
    assert main(["check", str(path)]) == 1
    assert "kpdd repair" in capsys.readouterr().out
    done = repair(path)
    assert done.lost == {} and done.problems
    assert done.kept.read_bytes() == damaged and done.kept.name == path.name + ".damaged-1"
    assert whole(path) == 400
    assert "nothing is lost" in summary(done)
    with Project.open(path) as project:
        assert row_detail(project, 7).question.corrected == "Corrected: how many are left?"
        assert undo(project).label == "edit note"


def test_a_search_index_that_disagrees_is_built_anew(path):
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM search_data WHERE id > 10")
    connection.commit()
    connection.close()
    assert find_problems(path)
    assert repair(path).lost == {}
    assert find_problems(path) == []
    listing = Listing(path)
    assert len(listing.ids(RowFilter(search="eggs "))) == 399
    listing.close()


@pytest.mark.parametrize(
    "table", ["question", "row", "rationale", "judgement", "change_item", "change", "origin"]
)
def test_a_damaged_table_loses_what_cannot_be_read_and_says_so(path, table):
    before = {name: count(path, name) for name in ("question", "row", "rationale", "change_item")}
    leaves = pages_of(path, table)
    spoil(path, random.Random(1).sample(leaves, min(2, len(leaves))))
    done = repair(path)
    rows = whole(path)
    after = {name: count(path, name) for name in before}
    for name in before:
        assert after[name] + done.lost.get(name, 0) >= before[name], name
    if table == "question":
        assert done.restored["question"] == done.lost["question"] > 0 and rows == 400
        assert after["question"] == 400
        with Project.open(path) as project:
            mended = [q for q in questions(project) if q.native_id.startswith("repaired-")]
            assert len(mended) == done.restored["question"]
            assert all(re.match(r"Question \d+: how many|Corrected", q.text) for q in mended)
    if table == "row":
        assert done.restored["row"] > 0 and rows == 400 and "row" not in done.lost
    if table == "rationale":
        assert 0 < done.lost["rationale"] < 100 and rows == 400


def test_every_second_page_damaged_still_gives_a_project(path):
    size = path.stat().st_size // PAGE
    connection = sqlite3.connect(path)
    # the list of tables itself was written together with the first page of each
    (made,) = connection.execute("SELECT max(rootpage) FROM sqlite_master").fetchone()
    connection.close()
    assert size > 2 * made
    spoil(path, range(made + 1, size + 1, 2))
    done = repair(path)
    assert 0 < whole(path) <= 400 and done.lost
    assert find_problems(path) == []


def test_a_file_that_was_cut_off_says_what_it_cannot_count(path):
    before = {name: count(path, name) for name in ("question", "row", "rationale", "judgement")}
    whole_size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(whole_size * 2 // 3 // PAGE * PAGE)
    done = repair(path)
    assert 0 < whole(path) <= 400
    for name, number in done.lost.items():
        assert number <= before.get(name, whole_size), name
    assert done.uncounted
    assert "nothing tells how many: the last " in summary(done)


def test_what_cannot_be_repaired_is_refused_and_left_alone(path, tmp_path):
    other = tmp_path / "text.kpdd"
    other.write_text("no database")
    with pytest.raises(StoreError, match="no SQLite"):
        repair(other)
    with Project.open(path, holder="window"), pytest.raises(StoreError, match="in use"):
        repair(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        repair(path)
    assert path.read_bytes() == before


def test_a_damaged_file_can_be_opened_for_reading(path):
    spoil(path, pages_of(path, "rationale")[:1])
    with Project.open(path, read_only=True, check=False) as project:
        assert len(list(questions(project))) == 400
        assert project.check() != []


def test_an_older_damaged_file_becomes_a_current_one(tmp_path):
    old = tmp_path / "old.kpdd"
    old.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "version-3.kpdd.gz").read_bytes()))
    rows = count(old, "row")
    spoil(old, pages_of(old, "judgement")[:1])
    done = repair(old)
    assert done.kept is not None
    assert whole(old) == rows > 5
    with Project.open(old) as project:
        assert row_detail(project, 4).note == "look at this again"
