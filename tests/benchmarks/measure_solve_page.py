"""Walk the Solve page of the real window and print what its thread spent, beside plain things of that run.

    python tests/benchmarks/measure_solve_page.py [PART …]     (offscreen; test_solve_page_speed.py runs it)

Parts: steps, hover, students, printing; all of them without one. A line is a name, the processor time of the
window's thread in ms, the clock, and in brackets the ratio to the plain thing that is named. The clock
suffers from whatever else the machine does, processor time little, ratios least. The last line is all of it
as JSON.

- steps: the slider over 512 tokens and a trace of 10,000 records, each step painted: in play order, back
  from the end, jumping at random, from one end to the other. In turn with them a bare QWidget as large as
  the window fills itself, and a QPlainTextEdit with the same program marks another line.
- hover: pointing at variables and at tokens, until all that lights up is painted.
- students: what the demo students need after the click, in the real worker, beside the same students asked
  in a process without a window; the window's turns and heartbeat meanwhile; other students loaded; loading
  given up.
- printing: a program that prints a million lines.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["KPDD_HOME"] = tempfile.mkdtemp(prefix="kpdd-home-")

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextEdit, QWidget

from kpdd_app import theme
from kpdd_app.app import SWITCH_S
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_branches import Ask, Branch
from kpdd_app.recording import Recording, Stage
from kpdd_app.settings import Settings
from training_backend.events import Answer, StageEnded, StageStarted, Token, Trace
from training_backend.execution.runner import ProgramRunner
from training_backend.paths import demo_students_dir

atexit.register(shutil.rmtree, os.environ["KPDD_HOME"], ignore_errors=True)
ROOT = Path(__file__).resolve().parents[2]

TOKENS = 512
STEPS = 10_000
WAIT_S = 60
QUESTIONS = 8
# the worker warms up, and the machine is at rest again, before anything is asked
REST_S = 1.0
PROGRAM = '''\
def area(width, height):
    """Return how much paper one side needs."""
    size = width * height
    if size > 40:
        size = size - 2
    return size

def share(parts, whole):
    rest = whole
    for part in parts:
        rest = rest - part
    return rest

boxes = [(3, 4), (5, 6), (7, 2), (9, 9), (4, 4)]
names = {"Nora": 12, "Ali": 7, "Mei": 31, "Tom": 4}
prices = [1.25, 3.5, 0.75, 12.0, 6.4]
total = 0
spent = 0.0
log = []
seen = set()
for day in range(1, 200):
    for width, height in boxes:
        side = area(width, height)
        total += side
        if side % 3 == 0:
            log.append((day, side))
        if side not in seen:
            seen.add(side)
    for name, pages in names.items():
        left = share([day % 5, 2, 1], pages + day)
        names[name] = left % 97
    for price in prices:
        spent = round(spent + price * (day % 4), 2)
    print("day", day, "total", total, "spent", spent)
    log = log[-12:]
per_day = total / 199
ans = round(per_day, 3)
'''
MILLION = "for number in range(1, 1000001):\n    print('line', number)\nans = number\n"


# --- the plain side ---------------------------------------------------------------------------------


def solve_plainly(questions: list[str]) -> None:
    """Print, for each question, the s to the first token and to the answer, of the loaded demo students."""
    from training_backend.students.solving import Solver

    solver = Solver.load("demo")
    with ProgramRunner(workers=1) as runner:
        found = []
        for question in [questions[0], *questions]:
            came: list[float] = []
            began = time.perf_counter()

            def note(event: object, came: list[float] = came) -> None:
                if isinstance(event, Token):
                    came.append(time.perf_counter())

            solver.solve_live(question, runner, note)
            found.append((came[0] - began, time.perf_counter() - began))
    print(json.dumps(found[1:]))


def questions_of(count: int) -> list[str]:
    """Return questions that the demo students know."""
    from training_backend.teacher.problem_grammar import generate

    return [problem.question for problem in generate(count, 11)]


# --- the window -------------------------------------------------------------------------------------


class Plain(QWidget):
    """As large as the window; fills itself."""

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        painter.end()


class PlainText(QPlainTextEdit):
    """The program in a text editor as Qt has it; one line is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.setPlainText(PROGRAM)
        self.setFont(theme.mono_font())
        self.resize(600, 900)

    def mark(self, line: int) -> None:
        """Mark a line, counted from 0."""
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(QColor("lightblue"))
        mark.format.setProperty(mark.format.Property.FullWidthSelection, True)
        mark.cursor = QTextCursor(self.document().findBlockByNumber(line))
        self.setExtraSelections([mark])


class Walk:
    """The window with its Solve page, and what is measured in it."""

    def __init__(self) -> None:
        self.app = QApplication([])
        theme.apply(self.app, "light")
        self.figures: dict[str, tuple[float, float]] = {}
        self.project, self.jobs = OpenProject(), Jobs()
        self.window = MainWindow(self.project, self.jobs, Settings())
        self.window.resize(1600, 1000)
        self.page = self.window.show_page("solve")
        self.window.show()
        # ms that the thread spent each time events were there
        self.turns: list[float] = []
        # an event now and then, so that waiting ends, as a heart beats
        self.beats: list[float] = []
        self.pulse = QTimer()
        self.pulse.setTimerType(Qt.TimerType.PreciseTimer)
        self.pulse.timeout.connect(lambda: self.beats.append(time.perf_counter()))
        self.pulse.start(5)
        self.until(lambda: self.page.worker.state == "ready")
        self.idle(REST_S)
        # as the program does once its pages are built
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()
        self.page.player.set_factor(0.0)

    def close(self) -> None:
        """End the worker."""
        self.window.close()
        self.page.leave()
        self.jobs.close()
        self.project.shut_down()

    # --- how it is measured -----------------------------------------------------------------------

    def until(self, done: Callable[[], bool]) -> None:
        """Let the window work until something holds."""
        latest = time.monotonic() + WAIT_S
        while not done():
            cpu = time.thread_time()
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            self.turns.append((time.thread_time() - cpu) * 1000)
            assert time.monotonic() < latest, "waited too long"
        self.app.processEvents()

    def idle(self, seconds: float) -> None:
        """Let the window work for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def spent(self, act: Callable[[], object]) -> tuple[float, float]:
        """Return the ms of the thread and of the clock until what `act` does is painted."""
        self.app.processEvents()
        cpu, clock = time.thread_time(), time.perf_counter()
        act()
        self.app.processEvents()
        return (time.thread_time() - cpu) * 1000, (time.perf_counter() - clock) * 1000

    def watched(self, name: str, act: Callable[[], object]) -> None:
        """Keep how long the window's turns were, and the time between two heartbeats, while `act` lasts."""
        self.idle(0.05)
        self.turns.clear()
        self.beats.clear()
        act()
        gaps = [(after - before) * 1000 for before, after in pairwise(self.beats)]
        self.note(f"turn of the window {name}", [(ms, 0.0) for ms in self.turns])
        self.note(f"heartbeat of 5 ms {name}", [(0.0, gap) for gap in gaps])

    def note(self, name: str, found: list[tuple[float, float]], base: str = "") -> None:
        """Keep and print the median, the 99th of a hundred and the worst; `base`: what stands beside it."""
        for word, share in (("p50", 50), ("p99", 99), ("worst", 100)):
            cpu, clock = (float(np.percentile(part, share)) for part in zip(*found, strict=True))
            self.keep(f"{name}, {word}", cpu, clock, f"{base}, p50" if base else "")

    def keep(self, name: str, cpu: float, clock: float, base: str = "") -> None:
        """Keep and print a figure."""
        self.figures[name] = (cpu, clock)
        beside = ""
        if base:
            beside = f"   [{cpu / max(0.001, self.figures[base][0]):.1f} times {base}]"
        print(f"{name:<48}{cpu:>10.2f}{clock:>10.2f}{beside}", flush=True)

    # --- steps ------------------------------------------------------------------------------------

    def show_recording(self) -> Recording:
        """Put a solution of TOKENS tokens and STEPS records on the page."""
        recording = made_recording()
        choice = self.page.students.choice
        branch = Branch(Ask(recording.question, recording.gold, choice), "measured", recording)
        self.page.question.set_question(recording.question, recording.gold)
        self.page._clear()
        self.page._add(branch)
        self.idle(REST_S)
        return recording

    def steps(self) -> None:
        """Every step painted, in several orders; plain things in turn with them."""
        before = memory_mib()
        recording = self.show_recording()
        self.keep("memory of such a solution, MiB", memory_mib() - before, 0)
        plain, text = Plain(), PlainText()
        plain.resize(self.window.size())
        for widget in (plain, text):
            widget.show()
        player, length = self.page.player, recording.length
        start = sum(len(stage.tokens) for stage in recording.stages)
        chance = random.Random(5)
        jumps = [chance.randrange(length + 1) for _ in range(600)]
        orders = {
            "play order": range(start, start + 2000),
            "tokens in play order": range(start + 1),
            "back from the end": range(length, length - 1000, -1),
            "random jumps": jumps,
            "from one end to the other": [0, length] * 60,
        }
        bare, marked = [], []
        found: dict[str, list[tuple[float, float]]] = {}
        for name, order in orders.items():
            found[name] = []
            for number, step in enumerate(order):
                found[name].append(self.spent(lambda step=step: player.go(step)))
                if number % 10 == 0:
                    bare.append(self.spent(plain.update))
                    marked.append(self.spent(lambda number=number: text.mark(number // 10 % 40)))
        self.note("bare QWidget, filled", bare)
        self.note("QPlainTextEdit, another line marked", marked)
        for name, times in found.items():
            self.note(f"step, {name}", times, "QPlainTextEdit, another line marked")
        plain.close()
        text.close()

    # --- hover ------------------------------------------------------------------------------------

    def hover(self) -> None:
        """The pointer over each variable, over a name in the program, and over tokens."""
        recording = self.show_recording()
        columns, player = self.page.columns, self.page.player
        player.go(recording.length - 1)
        self.until(lambda: columns.lights._links is not None)
        table, text = columns.run.variables, columns.strip
        over_variables, over_tokens = [], []
        for number in range(table.rows_model.rowCount()):
            place = table.visualRect(table.rows_model.index(number, 1)).center()
            over_variables += [self.spent(lambda place=place: move(table.viewport(), place)) for _ in "ab"]
        for line in range(3, 30):
            for x in range(20, 200, 40):
                place = QPoint(x, line * 16)
                over_tokens.append(self.spent(lambda place=place: move(text.viewport(), place)))
        self.note("hover over a variable", over_variables)
        self.note("hover over a token", over_tokens)
        move(text.viewport(), QPoint(text.viewport().width() - 1, 1))

    # --- students ---------------------------------------------------------------------------------

    def solve(self, question: str) -> tuple[float, float]:
        """Click Solve; return the ms to the first token on the page and to the answer."""
        page = self.page
        page.question.set_question(question, None)
        self.idle(0.3)
        button = page.question.solve_button
        old = page.recording
        began = time.perf_counter()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        strip = page.columns.key_points.strips["key"]
        self.until(lambda: page.recording is not old and bool(strip.text))
        first = (time.perf_counter() - began) * 1000
        self.until(lambda: page.recording.over and page.player.step_shown == page.recording.length)
        return first, (time.perf_counter() - began) * 1000

    def students(self) -> None:
        """From the click to token and answer; the heartbeat; other students."""
        questions = questions_of(QUESTIONS)
        plain = plainly_solved(questions)
        self.note("the students alone, first token", [(s * 1000, s * 1000) for s, _ in plain])
        self.note("the students alone, answer", [(s * 1000, s * 1000) for _, s in plain])
        self.solve(questions[0])
        self.watched("at rest", lambda: self.idle(3))
        found: list[tuple[float, float]] = []
        self.watched("while students write", lambda: found.extend(map(self.solve, questions)))
        self.note("click to the first token", [(a, a) for a, _ in found], "the students alone, first token")
        self.note("click to the answer, shown", [(b, b) for _, b in found], "the students alone, answer")
        self.switching(questions)

    def switching(self, questions: list[str]) -> None:
        """Load other students: how long, what the page does meanwhile, and their first question."""
        firsts, later, loads = [], [], []
        with tempfile.TemporaryDirectory(prefix="kpdd-students-") as folder:
            for number in range(3):
                other = Path(folder) / f"students {number}"
                shutil.copytree(demo_students_dir(), other)
                began = time.perf_counter()
                if number:
                    self.load(str(other))
                else:
                    self.watched("while others load", lambda other=other: self.load(str(other)))
                loads.append((time.perf_counter() - began) * 1000)
                firsts.append(self.solve(questions[number])[0])
                later += [self.solve(question)[0] for question in questions[3:6]]
            self.note("other students loaded", [(ms, ms) for ms in loads])
            self.note("their later questions, first token", [(ms, ms) for ms in later])
            self.note("their first question, first token", [(ms, ms) for ms in firsts],
                      "their later questions, first token")  # fmt: skip
            self.giving_up()

    def load(self, students: str) -> None:
        """Choose students and wait for them."""
        self.page.use_students(students)
        self.until(lambda: self.page.worker.state == "loading")
        self.until(lambda: self.page.worker.state == "ready")

    def giving_up(self) -> None:
        """Cancel loading: the students before are loaded again."""
        self.page.use_students("demo")
        self.until(lambda: self.page.worker.state == "loading")
        began = time.perf_counter()
        QTest.mouseClick(self.page.students.cancel, Qt.MouseButton.LeftButton)
        self.until(lambda: self.page.worker.state == "ready")
        passed = (time.perf_counter() - began) * 1000
        self.keep("loading given up, those before are back", passed, passed)

    # --- printing ---------------------------------------------------------------------------------

    def printing(self) -> None:
        """A program that prints a million lines: its trace comes, and every step of it."""
        page = self.page
        self.until(lambda: page.worker.state in ("ready", "off", "failed"))
        choice = page.students.choice
        branch = Branch.of(RunOnly("Print.", None, choice), "printing")
        stage = Stage("solve", text=MILLION, fields={"kind": "pot", "rationale": MILLION})
        stage.add(Token("solve", 0, MILLION))
        branch.recording.stages = [stage]
        page._clear()
        before = memory_mib()

        def run() -> None:
            page._begin(branch)
            self.until(lambda: branch.recording.over)
            self.idle(0.3)

        self.watched("while a program prints", run)
        length = branch.recording.length
        print(
            f"{len(branch.recording.trace)} records, {len(branch.recording.trace.output)} characters printed"
        )
        self.keep("memory of a program that prints, MiB", memory_mib() - before, 0)
        steps = [self.spent(lambda s=s: page.player.go(s)) for s in range(length, max(0, length - 500), -1)]
        self.note("step of a program that prints, painted", steps)


@dataclass(frozen=True)
class RunOnly(Ask):
    """Asks the worker for a program's run only."""

    def message(self) -> dict:
        return {"command": "run", "kind": "pot", "code": MILLION}


def move(widget: QWidget, place: QPoint) -> None:
    """Move the pointer over a widget."""
    where = QPointF(place)
    everywhere = QPointF(widget.mapToGlobal(place))
    event = QMouseEvent(QEvent.Type.MouseMove, where, everywhere, Qt.MouseButton.NoButton,
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(widget, event)


def made_recording() -> Recording:
    """Return a solution of TOKENS tokens and STEPS records: its texts are made, its trace is a real one."""
    question = "Nora has 12 boxes of 3 by 4, Ali 7 and Mei 31. How much paper is that a day for 199 days?"
    key = ("core question: How much paper is needed a day? information: 1. Nora has 12 boxes of 3 by 4. "
           "2. Ali has 7 boxes. 3. Mei has 31 boxes. 4. They count for 199 days.")  # fmt: skip
    recording = Recording(question, 36.0, "pot", ("key", "solve"))
    chance = random.Random(3)
    for role, text, count in (("key", key, 112), ("solve", PROGRAM, TOKENS - 112)):
        recording.add(StageStarted(role))
        cuts = sorted({0, len(text), *chance.sample(range(1, len(text)), min(count, len(text) - 1) - 1)})
        for number, (start, end) in enumerate(pairwise(cuts)):
            others = [[f"other {n}", 0.1 / n] for n in range(1, 6)]
            sure = chance.choice((1.0, 0.99, 0.97, 0.8, 0.4))
            recording.add(Token(role, number, text[start:end], sure, others))
        recording.add(StageEnded(role, text, {"kind": "pot", "rationale": text} if role == "solve" else {}))
    with ProgramRunner(workers=1) as runner, runner.trace(PROGRAM) as trace:
        recording.add(Trace([record for record, _ in zip(trace, range(STEPS), strict=False)]))
    recording.add(Answer("ok", "36", 36.0, 36.0, True))
    assert len(recording.trace) == STEPS, len(recording.trace)
    return recording


def plainly_solved(questions: list[str]) -> list[tuple[float, float]]:
    """Return s to the first token and to the answer of each question, in a process without a window."""
    words = [sys.executable, __file__, "--plainly", json.dumps(questions)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    return [tuple(pair) for pair in json.loads(done.stdout.splitlines()[-1])]


def memory_mib() -> float:
    """Return what this process has resident."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def main(parts: Iterable[str]) -> None:
    """Measure the parts and print all figures."""
    walk = Walk()
    try:
        for part in parts or ("steps", "hover", "students", "printing"):
            getattr(walk, part)()
    finally:
        walk.close()
    print(json.dumps(walk.figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plainly"]:
        solve_plainly(json.loads(sys.argv[2]))
    else:
        main(sys.argv[1:])
