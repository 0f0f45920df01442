"""The whole path on sample questions, in the terminal, in a few minutes on two CPU cores.

Sample questions → teacher → rows → filter → two students trained from nothing → answers in two stages →
accuracy, beside the students that come with the program. Project and run stay in a folder of their own.

kpdd demo
kpdd demo --quick            the same path in under a minute; its students have learned nothing yet
kpdd demo --folder FOLDER
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.commands.demo_text import Figures, as_text, shown_solution
from training_backend.diagnosis import isolation
from training_backend.errors import ArgumentError, CheckpointError, ConfigError
from training_backend.events import Control, Event, Log, Metrics, Progress, Reporter
from training_backend.paths import runs_dir, user_data_dir

if TYPE_CHECKING:
    from training_backend.evaluation.evaluate import EvaluationReport
    from training_backend.project.store import Project
    from training_backend.students.run_folder import RunFolder
    from training_backend.students.solving import Solver
    from training_backend.teacher.generation import GenerationReport
    from training_backend.teacher.problem_grammar import Problem

SEED = 7
# what is left of the time for measuring once training must end
MEASURING_S = 60.0


@dataclass(frozen=True)
class Size:
    """How much the demo does: kinds of problems, questions, passes over them, questions to measure on."""

    templates: int
    questions: int
    epochs: float
    measured: int
    max_steps: int = 0
    max_tokens: int = 128


# Six kinds are few, but what two students learn from nothing in a few minutes of one core each: that numbers
# are copied they find out late, after more than a thousand steps, and nearly at once.
KINDS = ("bake_and_sell", "paint_walls", "loan_back", "bus_trip", "season_tickets", "animal_legs")
FULL = Size(templates=6, questions=3000, epochs=7.0, measured=150)
QUICK = Size(templates=6, questions=90, epochs=1.0, measured=16, max_steps=12, max_tokens=96)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd demo`."""
    parser.add_argument(
        "--quick", action="store_true", help="a look at the path: everything, but hardly trained"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the project and the run go (default: the user's data)"
    )
    parser.add_argument(
        "--minutes", type=float, default=7.5, metavar="N",
        help="training ends in time for all to take at most this long (default 7.5)",
    )  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd demo`; return 0, or 1 when it was stopped."""
    if args.minutes <= 0:
        raise ArgumentError("The demo needs some time.", "Give --minutes above 0.")
    size = QUICK if args.quick else FULL
    folder = _folder(args.folder)
    for sentence in isolation()["missing"]:
        reporter.log(sentence, "warning")
    demo = Demo(folder, size, time.monotonic() + 60 * args.minutes, reporter, control)
    figures = demo.go()
    if figures is None:
        reporter.log(f"Stopped. What is there stays in {folder}.", "warning")
        return 1
    figures.quick = args.quick
    reporter.result(figures.as_data(), as_text(figures))
    return 0


class Demo:
    """One run of the demo, from the questions to the figures."""

    def __init__(
        self, folder: Path, size: Size, ends_at: float, reporter: Reporter, control: Control
    ) -> None:
        """Work in `folder`; training stops in time for `ends_at` on the monotonic clock."""
        self.folder, self.size, self.ends_at = folder, size, ends_at
        self.reporter, self.control = reporter, control
        self.project_file = folder / "demo.kpdd"
        self.began = time.monotonic()

    def go(self) -> Figures | None:
        """Do everything; return the figures, or None after a stop."""
        from training_backend.project.store import Project

        templates, learned, measured = self._problems()
        self._say(f"Everything of this demo stays in {self.folder}")
        with Project.create(self.project_file, holder="job") as project:
            report = self._ask(project, learned, measured)
            if report.stopped:
                return None
            trained, run_id, in_time = self._train(project)
            if self.control.stop_requested:
                return None
            fresh, shipped, solver = self._measure(project, trained, run_id, measured)
            if fresh.stopped or (shipped and shipped.stopped):
                return None
        question = next((p for p in measured if "for " in p.pot or "while " in p.pot), measured[0])
        return Figures(
            folder=self.folder,
            templates=len(templates),
            asked=report.asked,
            parsed=report.done,
            by_state=dict(report.by_state),
            trained=trained,
            in_time=in_time,
            fresh=fresh.score,
            shipped=shipped.score if shipped else None,
            solution=shown_solution(solver, question, self.control),
            elapsed_s=time.monotonic() - self.began,
        )

    def _problems(self) -> tuple[list[str], list[Problem], list[Problem]]:
        """Return the kinds of problems, what is learned from, and other problems to measure on."""
        from training_backend.teacher.problem_grammar import generate

        chosen = list(KINDS[: self.size.templates])
        learned = list(generate(self.size.questions, SEED, chosen))
        return chosen, learned, list(generate(self.size.measured, SEED + 1, chosen))

    def _ask(
        self, project: Project, learned: Sequence[Problem], measured: Sequence[Problem]
    ) -> GenerationReport:
        """Fill the project: questions, the teacher's replies as judged rows."""
        from training_backend.project.questions import add_questions, questions
        from training_backend.teacher.generation import generate
        from training_backend.teacher.sample import DATASET, SampleTeacher, as_question

        self._say(
            f"1  Sample questions: {len(learned):,} to learn from, {len(measured):,} to measure on, "
            f"of {self.size.templates} kinds"
        )
        add_questions(project, (as_question(p, "train", n) for n, p in enumerate(learned)))
        add_questions(project, (as_question(p, "test", n) for n, p in enumerate(measured)))
        self._say("2  The teacher writes key points and programs; each program runs in the sandbox")
        wanted = list(questions(project, DATASET, "train"))
        teacher = SampleTeacher(learned)
        return generate(project, teacher, ["pot"], 1, self.reporter, self.control, wanted)

    def _train(self, project: Project) -> tuple[RunFolder, int, bool]:
        """Train Key and Solve on the rows that passed; tell too whether training ended by itself."""
        from training_backend.commands.make_demo_students import METHOD, demo_config, train_students
        from training_backend.project.runs import add_run, set_run_status
        from training_backend.project.training_rows import training_rows
        from training_backend.students.run_folder import new_run_folder, prepare_run

        rows = list(training_rows(project, ["pot"]))
        self._say(f"3  Two students, Key and Solve, learn from the {len(rows):,} rows that equal gold")
        config = demo_config(self.size.epochs)
        config.max_steps, config.held_out, config.held_out_judged = self.size.max_steps, 0.0, 0
        # nothing is longer; a student that has learned little would fill all there is
        config.max_target_tokens = self.size.max_tokens
        # small steps, many of them: what counts is how often the weights move
        config.batch, config.learning_rate, config.schedule, config.warmup = 300, 0.018, "linear", 0.06
        runs = runs_dir(self.project_file)
        runs.mkdir()
        trained = prepare_run(new_run_folder(runs, METHOD), config, rows, "Demo", self.project_file.name)
        run_id = add_run(project, str(trained.path), METHOD, trained.title)
        limited = _Until(self.control, self.ends_at - MEASURING_S)
        train_students(trained, _OneBar(self.reporter), limited)
        set_run_status(project, run_id, trained.status(), {})
        return trained, run_id, not limited.time_is_up

    def _measure(
        self, project: Project, trained: RunFolder, run_id: int, measured: Sequence[Problem]
    ) -> tuple[EvaluationReport, EvaluationReport | None, Solver]:
        """Let the fresh and the shipped students answer the same questions in two stages."""
        from training_backend.commands.make_demo_students import METHOD
        from training_backend.evaluation.evaluate import evaluate
        from training_backend.project.questions import questions
        from training_backend.students.solving import Solver
        from training_backend.teacher.sample import DATASET

        self._say(
            f"4  Both answer {len(measured):,} fresh problems in two stages: question → key points → program"
        )
        asked = list(questions(project, DATASET, "test"))
        solver = Solver.load(trained.path, METHOD)

        def answer(by: Solver, name: str, number: int | None) -> EvaluationReport:
            return evaluate(
                project, by, asked, self.reporter, self.control,
                students=name, method=METHOD, benchmark=f"{DATASET} test", run_id=number,
            )  # fmt: skip

        fresh = answer(solver, "trained in the demo", run_id)
        try:
            solver = Solver.load("demo", METHOD)
        except CheckpointError as error:
            self.reporter.log(f"The demo students that come with the program are missing: {error}", "warning")
            return fresh, None, solver
        return fresh, answer(solver, "demo students", None), solver

    def _say(self, text: str) -> None:
        self.reporter.log(text)


class _OneBar(Reporter):
    """Shows the training of several students as one progress bar; every event still goes its way."""

    def __init__(self, inner: Reporter) -> None:
        super().__init__(events=inner.events, quiet=True)
        self.inner = inner
        self._latest: dict[str, Metrics] = {}

    def attach(self, run_folder: Path) -> None:
        """Keep the events in the run folder."""
        self.inner.attach(run_folder)

    def detach(self) -> None:
        """Close the run's events file."""
        self.inner.detach()

    def emit(self, event: Event) -> None:
        """Pass an event on; figures move the bar, and what each process says of its own is left out."""
        told = isinstance(event, Log) and event.level in ("warning", "error")
        if self.inner.events or told or not isinstance(event, Log | Progress):
            self.inner.emit(event)
        if isinstance(event, Metrics):
            self._latest[event.role] = event
            done = sum(latest.step for latest in self._latest.values())
            total = sum(latest.total_steps for latest in self._latest.values())
            losses = " · ".join(f"{role} {latest.loss:.3f}" for role, latest in sorted(self._latest.items()))
            self.inner.progress("training, steps", done, total, f"loss {losses}")


class _Until(Control):
    """A control that also stops when the time is up."""

    def __init__(self, outer: Control, ends_at: float) -> None:
        super().__init__()
        self._outer, self._ends_at = outer, ends_at
        self.time_is_up = False

    @property
    def stop_requested(self) -> bool:
        """Tell whether the demo was stopped or its time is up."""
        if time.monotonic() >= self._ends_at:
            self.time_is_up = True
        return self.time_is_up or self._outer.stop_requested or super().stop_requested

    @property
    def paused(self) -> bool:
        """Tell whether the demo is to wait."""
        return self._outer.paused and not self.stop_requested


def _folder(wanted: Path | None) -> Path:
    """Return the demo's folder, made: the wanted one, or a new one in the user's data."""
    if wanted is not None:
        folder = wanted.expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError("The folder is not empty.", "Name a new one.", str(folder))
        return folder
    today = datetime.date.today().isoformat()
    demos = user_data_dir() / "demo"
    number = 1
    while (demos / f"{today}-{number}").exists():
        number += 1
    folder = demos / f"{today}-{number}"
    folder.mkdir(parents=True)
    return folder
