"""A process killed in the middle of its work: every acknowledged change is there, the file is whole.

Four kinds of work: import, generation, editing and bulk changes. A child works without an end and says after
each transaction what is stored; it is killed some lines and a random part of a second later.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from training_backend.project.details import row_detail
from training_backend.project.history import undo
from training_backend.project.importers import import_file
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import add_questions
from training_backend.project.replies import add_replies
from training_backend.project.store import Project

HEAD = """
    import sys
    from training_backend.project.store import Project
    path, begin = sys.argv[1], int(sys.argv[2])

    class Says:
        # stands where a command has its reporter: what it hears of is stored
        def progress(self, *_, **__):
            with project.reading() as connection:
                print(connection.execute(COUNT).fetchone()[0], flush=True)

        def emit(self, _):
            self.progress()
"""
EDITING = """
    from training_backend.project.history import edit_field, set_review
    from training_backend.project.judgements import store_judgements
    from training_backend.project.questions import NewQuestion, add_questions
    from training_backend.project.replies import Reply, add_replies
    from training_backend.rationale.judgement import Judgement

    project = Project.open(path, holder="window")
    for number in range(begin, 1_000_000):
        new = [NewQuestion("killed", "", f"{number}-{n}", "text", "1", 1.0) for n in range(50)]
        for step in (
            lambda: edit_field(project, 1, "note", str(number)),
            lambda: add_questions(project, new),
            lambda: add_replies(project, [Reply(2, "pot", number, None, f"ans = {number}")]),
            lambda: set_review(project, range(1, 200), ("accepted", "rejected")[number % 2]),
            lambda: edit_field(project, 1, "question", f"changed {number}"),
            lambda: store_judgements(project, [(1, Judgement("equal", "ok", "1", 1.0))]),
        ):
            step()
            print(number, flush=True)
"""
IMPORT = """
    from pathlib import Path
    from training_backend.project.importers import import_file

    COUNT = "SELECT count(*) FROM question"
    project = Project.open(path, holder="job")
    for number in range(begin, 1_000_000):
        import_file(project, Path(path).with_name("source.jsonl"), dataset=f"d{number}", reporter=Says())
"""
GENERATION = """
    from training_backend.events import Control
    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.questions import add_questions, questions
    from training_backend.teacher.generation import generate
    from training_backend.teacher.problem_grammar import generate as problems_of
    from training_backend.teacher.sample import SampleTeacher, as_question

    COUNT = "SELECT count(*) FROM rationale"
    project = Project.open(path, holder="job")
    with ProgramRunner(workers=1) as runner:
        for number in range(begin, 1_000_000):
            problems = problems_of(40, number)
            name = f"g{number}"
            add_questions(project, [as_question(p, "train", n, name) for n, p in enumerate(problems)])
            generate(project, SampleTeacher(problems, slips=False), ["pot", "cot"], 2, Says(), Control(),
                     list(questions(project, dataset=name)), runner)
"""
BULK = """
    from training_backend.project import corrections
    from training_backend.project.history import set_review

    # many transactions to one change, as with a million rows
    corrections.PART = 100
    project = Project.open(path, holder="window")
    for number in range(begin, 1_000_000):
        set_review(project, range(1, 5000), ("accepted", "rejected")[number % 2])
        print(number, flush=True)
"""


def killed(path: Path, work: str, begin: int, lines: int, wait_s: float) -> int:
    """Let a child work, kill it a while after it has said some lines; return the last number it said."""
    script = textwrap.dedent(HEAD) + textwrap.dedent(work)
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path), str(begin)], stdout=subprocess.PIPE, text=True
    )
    said = [child.stdout.readline() for _ in range(lines)]
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(wait_s)
    child.kill()
    said += child.stdout.read().splitlines(keepends=True)
    assert child.wait() != 0
    return int([line for line in said if line.endswith("\n")][-1])


@contextlib.contextmanager
def looked_over(path):
    """Open the file as a window does, whole before and after what the test does with it."""
    with Project.open(path, holder="window") as project:
        assert not project.read_only
        assert project.check(full=True) == []
        yield project
        assert project.check(full=True) == []


def count(project, sql):
    with project.reading() as connection:
        return connection.execute(sql).fetchone()[0]


def after_editing(path, said, number):
    with looked_over(path) as project:
        # what was under way may be there or not, what was acknowledged is
        assert int(row_detail(project, 1).note) - said in (0, 1)
        assert undo(project) is not None
        listing = Listing(path)
        ids = listing.ids(RowFilter(search="text "))
        assert len(ids) == len(listing.ids(RowFilter({"dataset": frozenset(["killed"])})))
        listing.close()
    return said + 2


def after_import(path, said, number):
    with looked_over(path) as project:
        stored = count(project, "SELECT count(*) FROM question")
        assert stored >= said
        assert count(project, "SELECT count(*) FROM row") >= stored
        last = count(project, "SELECT dataset FROM question ORDER BY id DESC LIMIT 1")
        # the one that was cut off is brought to its end, each question once
        import_file(project, path.with_name("source.jsonl"), dataset=last)
        assert count(project, f"SELECT count(*) FROM question WHERE dataset = '{last}'") == 1500
        return int(last[1:]) + 1 if last.startswith("d") else number + 1


def after_generation(path, said, number):
    twice = "SELECT 1 FROM rationale GROUP BY question_id, kind, path HAVING count(*) > 1"
    alone = "SELECT count(*) FROM rationale WHERE id NOT IN (SELECT rationale_id FROM row WHERE kind <> '')"
    with looked_over(path) as project:
        assert count(project, "SELECT count(*) FROM rationale") >= said
        assert count(project, f"SELECT count(*) FROM ({twice})") == 0
        assert count(project, alone) == 0
        return count(project, "SELECT max(CAST(substr(dataset, 2) AS INTEGER)) FROM question") + 1


def after_bulk(path, said, number):
    reviews = "SELECT group_concat(DISTINCT review) FROM row"
    made = (
        "SELECT count(*) FROM change WHERE action = 'edit' AND id > (SELECT coalesce(max(id), 0) FROM change "
    )
    with looked_over(path) as project:
        # every change that was acknowledged is there, and at most one more had begun
        assert count(project, made + "WHERE action = 'undo')") - (said - number + 1) in (0, 1)
        # one that was cut off says exactly what it did: undoing it leaves no mixture behind
        assert undo(project) is not None
        (left,) = count(project, reviews).split(",")
    return said + 2 + (("accepted", "rejected")[said % 2] == left)


WORKS: dict[str, tuple[str, Callable, float]] = {
    "import": (IMPORT, after_import, 0.5),
    "generation": (GENERATION, after_generation, 1.5),
    "editing": (EDITING, after_editing, 0.05),
    "bulk": (BULK, after_bulk, 0.6),
}


@pytest.fixture
def begun(filled, make):
    """Return the path of a project of 700 rows, with a file to import beside it."""
    add_questions(filled, [make.question(number) for number in range(100, 800)])
    add_replies(filled, [make.reply(number, "pot", f"ans = {number}", origin=0) for number in range(4, 20)])
    filled.close()
    with filled.path.with_name("source.jsonl").open("w") as file:
        for number in range(1500):
            line = {"question": f"Ina has {number} eggs and eats one.", "answer": f"#### {number - 1}"}
            file.write(json.dumps(line) + "\n")
    return filled.path


@pytest.mark.parametrize("work", list(WORKS))
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_again_and_again(begun, work, kills):
    script, look, longest_s = WORKS[work]
    chance = random.Random(f"{work} {kills}")
    number = 1
    for _ in range(kills):
        said = killed(begun, script, number, chance.randrange(1, 5), chance.uniform(0, longest_s))
        number = look(begun, said, number)


def test_the_looking_over_finds_what_is_missing(begun, tmp_path):
    copy = tmp_path / "copy.kpdd"
    shutil.copy(begun, copy)
    connection = sqlite3.connect(copy)
    connection.execute("DELETE FROM search_data WHERE id > 10")
    connection.commit()
    connection.close()
    with pytest.raises(AssertionError), looked_over(copy):
        pass
