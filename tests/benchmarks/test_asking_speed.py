"""How much of a teacher's time a run uses, and whether its memory stays flat.

A teacher on loopback answers after 200 ms; with 64 slots 320 requests a second are possible. Measured is what
the teacher saw, in the middle of the run, beside the most that is possible, and the processor time of the
run for each request: on a machine that does other things too only that one tells what the program can do.

    python -m pytest -m benchmark tests/benchmarks/test_asking_speed.py -s

KPDD_BENCHMARK_REQUESTS (5,000) makes it longer: 50,000 for the memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project
from training_backend.teacher import requests
from training_backend.teacher.teacher_config import TeacherConfig, save_teacher

REQUESTS = int(os.environ.get("KPDD_BENCHMARK_REQUESTS", "5000"))
SLOTS, LATENCY_S = 64, 0.2
POSSIBLE = SLOTS / LATENCY_S
HERE = Path(__file__).parent
# in the middle of the run: no start, no end with ever fewer slots at work
MIDDLE = slice(REQUESTS // 10, REQUESTS * 9 // 10)
ALLOWED_GROWTH = 0.10

CHILD = """
import sys, threading, time
import psutil
from training_backend.events import Control, Progress, Reporter
from training_backend.project.questions import questions
from training_backend.project.store import Project
from training_backend.teacher.endpoint import open_asker
from training_backend.teacher.run_spec import spec_of
from training_backend.teacher.teacher_config import teacher_named
from training_backend.teacher.teacher_run import run_teacher

class Watching(Reporter):
    samples = []
    def emit(self, event):
        if isinstance(event, Progress):
            self.samples.append((event.done, psutil.Process().memory_info().rss, time.process_time()))

with Project.open(sys.argv[1], holder="job") as project:
    config = teacher_named(project, "Quick")
    watching = Watching(quiet=True)
    run_teacher(project, open_asker(config, None), spec_of(config, ["cot"]), list(questions(project)),
                watching, Control())
import json
print(json.dumps(watching.samples))
"""

pytestmark = pytest.mark.benchmark


def measure(tmp_path: Path, concurrency: int = SLOTS) -> tuple[dict, list[tuple[int, int, float]]]:
    """Run the requests; return what the teacher saw, and (done, bytes of memory, processor s) on the way."""
    teacher = subprocess.Popen([sys.executable, str(HERE / "quick_teacher.py"), str(LATENCY_S)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert teacher.stdout is not None
    port = int(teacher.stdout.readline())
    path = tmp_path / "speed.kpdd"
    with Project.create(path) as project:
        add_questions(project, [
            NewQuestion("d", "train", str(n), f"There are {n} and two more. How many are there?", "2", 2.0)
            for n in range(REQUESTS // 2)
        ])  # fmt: skip
        settings = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "quick", "key_source": "none",
                    "concurrency": concurrency}  # fmt: skip
        save_teacher(project, TeacherConfig("Quick", "endpoint", settings))
    child = subprocess.run([sys.executable, "-c", CHILD, str(path)], cwd=HERE.parents[1], text=True,
                           stdout=subprocess.PIPE, check=True)  # fmt: skip
    seen, _ = teacher.communicate("")
    with Project.open(path) as project:
        counts = requests.counts(project, 1)
    assert counts.asked == counts.done == counts.replies == REQUESTS
    return json.loads(seen), json.loads(child.stdout)


def test_a_run_keeps_every_slot_busy_and_its_memory_flat(tmp_path):
    seen, samples = measure(tmp_path)
    times = seen["times"][MIDDLE]
    rate = (len(times) - 1) / (times[-1] - times[0])
    first, last = at(samples, 0.1), at(samples, 0.9)
    processor_ms = 1000 * (last[2] - first[2]) / (last[0] - first[0])
    print(f"\n{REQUESTS:,} requests, {SLOTS} slots, {LATENCY_S * 1000:.0f} ms: {rate:.0f} a second, "
          f"{rate / POSSIBLE:.0%} of the possible {POSSIBLE:.0f} (aim 90 %)")  # fmt: skip
    print(f"processor: {processor_ms:.2f} ms a request with its row and its judgement, so that one processor "
          f"does {1000 / processor_ms:.0f} a second; the teacher took "
          f"{1000 * seen['processor_s'] / REQUESTS:.2f} ms")  # fmt: skip
    growth = last[1] / first[1] - 1
    print(f"memory: {first[1] / 2**20:.0f} MiB after a tenth of them, "
          f"{last[1] / 2**20:.0f} MiB after nine tenths ({growth:+.1%})")  # fmt: skip
    assert seen["most_at_once"] == SLOTS
    assert growth < ALLOWED_GROWTH


def at(samples, share):
    return next(sample for sample in samples if sample[0] >= share * REQUESTS)
