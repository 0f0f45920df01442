"""The Solve page: what a step, the pointer, a streaming student and other students cost the window.

python run.py test benchmark -- -k solve_page -s

measure_solve_page.py does it in a process of its own and says beside what. The aims are ms: of steps, hover
and turns the processor time of the window's thread until all is painted; of what a person waits for the
clock, which on a busy machine tells more of the machine: it is printed and not judged.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
# name → most ms
AIMS = {
    "step, play order, p99": 10,
    "step, back from the end, p99": 10,
    "step, random jumps, p99": 10,
    "hover over a variable, p99": 16,
    "hover over a token, p99": 16,
    "turn of the window while students write, worst": 25,
    "turn of the window while others load, worst": 25,
    "click to the first token, worst": 300,
    "click to the answer, shown, worst": 2000,
    "their first question, first token, worst": 300,
}
BY_THE_CLOCK = {name for name in AIMS if "first token" in name or "answer" in name}
SLACK = 1.5  # a busy machine makes processor time longer, too


@pytest.mark.benchmark
def test_the_solve_page_keeps_its_figures():
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(HERE.parent.parent)}
    words = [sys.executable, str(HERE / "measure_solve_page.py")]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    *lines, last = done.stdout.splitlines()
    print("", *lines, sep="\n")
    figures = json.loads(last)
    for name, aim in AIMS.items():
        told = "reached" if figures[name][0] <= aim else "missed"
        print(f"{name:<52}{aim:>8} ms{figures[name][0]:>10.1f}  {told}")
    judged = {name: aim for name, aim in AIMS.items() if name not in BY_THE_CLOCK}
    missed = {name: figures[name][0] for name, aim in judged.items() if figures[name][0] > aim * SLACK}
    assert len(BY_THE_CLOCK) == 3 and not missed
