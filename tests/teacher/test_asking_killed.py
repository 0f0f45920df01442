"""A run that is killed again and again: at most what is on its way is lost, nothing is paid for twice.

The witness is the server: what it was asked is compared with what the project holds after each kill.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from loopback import Loopback
from test_asking import fill, states
from test_asking_over_http import configured, reply_to

from training_backend.project.store import Project
from training_backend.teacher import requests
from training_backend.teacher.teacher_config import save_teacher

SLOTS = 8
CHILD = """
import sys
from training_backend.events import Control, Reporter
from training_backend.project.questions import questions
from training_backend.project.store import Project
from training_backend.teacher.endpoint import open_asker
from training_backend.teacher.run_spec import spec_of
from training_backend.teacher.teacher_config import teacher_named
from training_backend.teacher.teacher_run import run_teacher
with Project.open(sys.argv[1], holder="job") as project:
    config = teacher_named(project, "Loop")
    run_teacher(project, open_asker(config, None), spec_of(config, ["cot"]), list(questions(project)),
                Reporter(quiet=True), Control())
"""


class Witness:
    """Notes every request as (question, what was asked for) and tells when a number of them is reached."""

    def __init__(self):
        self.seen: list[tuple[str, str]] = []
        self._target = 0
        self._reached = threading.Event()

    def reply(self, messages):
        text = messages[-1]["content"]
        name = "cot" if "core question:" in text.lower() else "key_points"
        self.seen.append((text.split("There are ")[1].split()[0], name))
        if len(self.seen) >= self._target:
            self._reached.set()
        return reply_to(messages)

    def wait_for(self, target, child, more_s):
        """Return when so many requests came, or the child ended, and a little later."""
        self._target = target
        self._reached.clear()
        while len(self.seen) < target and child.poll() is None:
            self._reached.wait(0.05)
        threading.Event().wait(more_s)  # the moment of a kill is any


def kept(path) -> set[tuple[str, str]]:
    """Return the requests whose reply the project holds."""
    with Project.open(path, read_only=True) as project, project.reading() as connection:
        return set(
            connection.execute(
                "SELECT q.native_id, r.name FROM request AS r JOIN question AS q ON q.id = r.question_id "
                "JOIN response AS p ON p.id = r.response_id WHERE r.status = 'done'"
            )
        )


def kill_again_and_again(tmp_path, asked, kills, seed):
    rng = random.Random(seed)
    path, witness = tmp_path / "p.kpdd", Witness()
    with Loopback(reply=witness.reply, latency_s=0.01) as server:
        with Project.create(path) as project:
            save_teacher(fill(project, asked // 2), configured(server, concurrency=SLOTS))
        safe: set[tuple[str, str]] = set()
        came = 0
        for number in range(kills):
            child = start(path)
            before = len(witness.seen)
            left = (asked - before) / (kills - number)
            witness.wait_for(before + rng.randint(0, max(1, round(1.6 * left))), child, rng.uniform(0, 0.03))
            child.kill()
            child.wait()
            assert not safe & set(witness.seen[came:]), "paid for twice"
            safe, came = kept(path), len(witness.seen)
            assert len(safe) >= len(set(witness.seen)) - SLOTS, "more than what was on its way is lost"
        child = start(path)
        assert child.wait(300) == 0
        assert not safe & set(witness.seen[came:]), "paid for twice"
    times = Counter(witness.seen)
    assert len(times) == len(kept(path)) == asked
    lost = len(witness.seen) - asked
    assert lost <= kills * SLOTS
    with Project.open(path) as project:
        counts = requests.counts(project, 1)
        assert (counts.asked, counts.done, counts.failed, counts.waiting) == (asked, asked, 0, 0)
        assert counts.replies == asked and states(project) == {"equal": asked // 2}
        assert project.check(full=True) == []
    return lost


def start(path):
    return subprocess.Popen([sys.executable, "-c", CHILD, str(path)], cwd=Path(__file__).parents[2],
                            stdin=subprocess.DEVNULL)  # fmt: skip


def test_a_killed_run_pays_for_nothing_twice(tmp_path):
    kill_again_and_again(tmp_path, asked=120, kills=3, seed=1)


@pytest.mark.slow
def test_a_hundred_kills_of_two_thousand_requests(tmp_path):
    lost = kill_again_and_again(tmp_path, asked=2000, kills=100, seed=2)
    print(f"100 kills: {lost} of 2,000 requests were on their way and had to be asked again")
