"""An import or a merge killed in the middle leaves whole batches; done again it goes on and ends the same."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from training_backend.project.importers import import_file
from training_backend.project.merging import CHUNK, merge_project
from training_backend.project.questions import add_questions, questions
from training_backend.project.replies import Reply, add_replies
from training_backend.project.store import Project

COUNT = 3000


def kill_in_the_middle(path, source, after):
    """Run `kpdd import` and kill it at its progress event number `after`, or let it end."""
    command = [sys.executable, "-m", "training_backend", "import", str(path), str(source), "--events"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    seen = 0
    for line in child.stdout:
        event = json.loads(line)
        seen += event["event"] == "progress" and event["stage"] != "check"
        if seen >= after:
            child.kill()
            break
    child.communicate()


@pytest.mark.parametrize("kills", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_an_import_killed_again_and_again(tmp_path, kills):
    source, path = tmp_path / "train.jsonl", tmp_path / "a.kpdd"
    with source.open("w") as file:
        for n in range(COUNT):
            file.write(json.dumps({"question": f"Q{n}?", "answer": f"#### {n}"}) + "\n")
    chance = random.Random(kills)
    for _ in range(kills):
        path.unlink(missing_ok=True)
        Project.create(path).close()
        kill_in_the_middle(path, source, chance.randrange(1, COUNT // 1000))
        with Project.open(path) as project:
            assert project.check(full=True) == []
            stored = len(list(questions(project)))
            assert stored % 1000 == 0 and stored > 0
            assert import_file(project, source).added == COUNT - stored
            assert project.check(full=True) == []


@pytest.mark.parametrize("kills", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_a_merge_killed_again_and_again(tmp_path, make, kills):
    other, path = tmp_path / "theirs.kpdd", tmp_path / "ours.kpdd"
    with Project.create(other) as theirs:
        add_questions(theirs, [make.question(n) for n in range(1, COUNT + 1)])
        add_replies(theirs, [Reply(n, "pot", 0, None, f"ans = {n}") for n in range(1, COUNT + 1, 2)])
    chance = random.Random(kills)
    for _ in range(kills):
        path.unlink(missing_ok=True)
        Project.create(path).close()
        kill_in_the_middle(path, other, chance.randrange(1, COUNT // CHUNK))
        with Project.open(path) as ours:
            assert ours.check(full=True) == []
            stored = len(list(questions(ours)))
            assert stored % CHUNK == 0 and stored > 0
            assert merge_project(ours, other).questions == COUNT - stored
            assert ours.check(full=True) == []
            with ours.reading() as connection:
                asked = connection.execute("SELECT count(*) FROM row WHERE verdict = 'not_run'").fetchone()[0]
            assert asked == COUNT // 2
