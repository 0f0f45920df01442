"""A process killed in the middle of its work: every acknowledged change is there, the file is whole."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap

import pytest

from training_backend.project.details import row_detail
from training_backend.project.history import undo
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.store import Project

# after every step the child says which one is done
WORK = textwrap.dedent("""
    import sys
    from training_backend.project.history import edit_field, set_review
    from training_backend.project.judgements import store_judgements
    from training_backend.project.questions import NewQuestion, add_questions
    from training_backend.project.replies import Reply, add_replies
    from training_backend.project.store import Project
    from training_backend.rationale.judgement import Judgement

    project = Project.open(sys.argv[1], holder="window")
    for number in range(int(sys.argv[2]), 1_000_000):
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
""")


def kill_and_look(path, begin, steps):
    """Let a child do some steps, kill it in the next one, and look at the file; return the next number."""
    command = [sys.executable, "-c", WORK, str(path), str(begin)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = [child.stdout.readline() for _ in range(steps)]
    child.kill()
    said += child.stdout.read().splitlines(keepends=True)
    assert child.wait() != 0
    acknowledged = int([line for line in said if line.endswith("\n")][-1])
    with Project.open(path, holder="window") as project:
        assert not project.read_only
        assert project.check(full=True) == []
        # what was under way may be there or not, what was acknowledged is
        assert int(row_detail(project, 1).note) - acknowledged in (0, 1)
        assert undo(project) is not None
        assert project.check(full=True) == []
        listing = Listing(path)
        ids = listing.ids(RowFilter(search="text "))
        assert len(ids) == len(listing.ids(RowFilter({"dataset": frozenset(["killed"])})))
        listing.close()
    return acknowledged + 2


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_again_and_again(filled, kills):
    chance = random.Random(kills)
    number = 1
    filled.close()
    for _ in range(kills):
        number = kill_and_look(filled.path, number, chance.randrange(1, 20))
