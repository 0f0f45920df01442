"""Train the shipped demo students again: a tiny T5 twice, Key and Solve, on the sample problems.

They learn from every known problem template, with the key points and programs of the sample teacher without
its slips. The finished run folder is small (weights in half precision) and holds `results.json`: the accuracy
on fresh problems and how it was measured, also on kinds of problems that the students have never seen.

kpdd make-demo-students                           into the program's resources
kpdd make-demo-students --folder FOLDER           elsewhere
kpdd make-demo-students --folder FOLDER --measure-only
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ArgumentError, CheckpointError
from training_backend.events import Control, Reporter
from training_backend.paths import demo_students_dir, user_data_dir
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RunFolder, prepare_run, write_atomically
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import Problem, generate

if TYPE_CHECKING:
    from training_backend.evaluation.scoring import Score

METHOD = "kpdd-pot"
PROBLEMS, EPOCHS, SEED = 60_000, 1.5, 1
RESULTS_FILE = "results.json"
MOST_BYTES = 8 * 2**20

# name → (templates, numbers, seed, problems of each template): what is measured, and on what
SETS: Mapping[str, tuple[str, str, int, int]] = {
    "held_out_numbers": ("known", "held_out", 101, 8),
    "fresh_numbers": ("known", "train", 102, 4),
    "new_templates": ("new", "held_out", 103, 25),
}
SET_TITLES: Mapping[str, str] = {
    "held_out_numbers": "fresh problems of known kinds, held-out numbers",
    "fresh_numbers": "fresh problems of known kinds, numbers of the training ranges",
    "new_templates": "kinds of problems never seen in training",
}
HOW = (
    "question → Key → key points → Solve → program → sandbox, greedy; right: equal to gold within 1e-3. "
    "Held-out numbers: from ten on they are in no training question; a single digit is never in that place "
    "of that kind of problem."
)


@dataclass(frozen=True)
class DemoRow:
    """A problem as a row to learn from (`students.examples.TrainingRowLike`)."""

    row_id: int
    question_id: int
    question: str
    gold_value: float
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str


@dataclass(frozen=True)
class DemoQuestion:
    """A problem as a question to be measured on (`evaluation.evaluate.BenchmarkQuestion`)."""

    native_id: str
    text: str
    gold_text: str
    gold_value: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd make-demo-students`."""
    parser.add_argument(
        "--folder", type=Path, help="where the students go (default: the program's resources)"
    )
    parser.add_argument("--problems", type=int, default=PROBLEMS, metavar="N", help=f"default {PROBLEMS:,}")
    parser.add_argument("--epochs", type=float, default=EPOCHS, metavar="N", help=f"default {EPOCHS:g}")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--one-after-the-other", action="store_true",
                        help="train the two students one after the other, not at the same time")  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the training that was stopped")
    parser.add_argument("--measure-only", action="store_true", help="measure the students that are there")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd make-demo-students`; return 0, or 1 when it was stopped."""
    folder = args.folder or demo_students_dir()
    if not args.measure_only:
        work = user_data_dir() / "make-demo-students"
        trained = _train(args, folder, work, reporter, control)
        if trained is None:
            reporter.log(f"Stopped. Go on with --resume; what is there lies in {work}.", "warning")
            return 1
        ship(trained, folder)
        shutil.rmtree(work)
    results = measure(folder, reporter, control)
    reporter.result({"folder": str(folder), **results}, as_text(folder, results))
    return 1 if control.stop_requested else 0


def demo_rows(problems: Sequence[Problem]) -> Iterator[DemoRow]:
    """Yield problems as rows, programs as rationales."""
    for number, problem in enumerate(problems, 1):
        points = problem.key_points
        yield DemoRow(
            number, number, problem.question, float(problem.answer), points.core_question, points.information,
            "pot", problem.pot,
        )  # fmt: skip


def _train(
    args: argparse.Namespace, folder: Path, work: Path, reporter: Reporter, control: Control
) -> RunFolder | None:
    """Train both students in `work`; return the finished run, or None after a stop."""
    from training_backend.teacher.problem_vocabulary import write_tokenizer

    if args.problems < 1 or args.epochs <= 0:
        raise ArgumentError("There is nothing to learn from.", "Give --problems and --epochs above 0.")
    write_tokenizer(folder / "tokenizer")
    if args.resume:
        prepared = RunFolder.open(work)
    else:
        shutil.rmtree(work, ignore_errors=True)
        reporter.progress("writing problems", 0, args.problems)
        problems = list(generate(args.problems, args.seed))
        reporter.progress("writing problems", len(problems), len(problems))
        config = demo_config(args.epochs, args.seed)
        config.eval_every = config.save_every = 1000
        config.base = f"tiny:{folder / 'tokenizer'}"
        source = (
            f"{len(problems)} sample problems of {len(problem_templates.known())} templates, seed {args.seed}"
        )
        prepared = prepare_run(work, config, demo_rows(problems), "Demo students", source)
    train_students(prepared, reporter, control, args.resume, parallel=not args.one_after_the_other)
    done = prepared.status() == "done"
    return prepared if done else None


def demo_config(epochs: float, seed: int = SEED, threads: int = 1) -> RunConfig:
    """Return the settings that demo students are trained with."""
    config = RunConfig.from_preset("demo")
    config.method, config.epochs, config.seed, config.threads = METHOD, epochs, seed, threads
    return config


def train_students(
    prepared: RunFolder, reporter: Reporter, control: Control, resume: bool = False, parallel: bool = True
) -> None:
    """Train all students of a prepared run, by default at the same time with one CPU thread each."""
    reporter.attach(prepared.path)
    control.attach(prepared.path)
    roles = list(prepared.method.roles)
    try:
        if parallel:
            from training_backend.students.parallel import train_in_parallel

            train_in_parallel(prepared, roles, reporter, control, resume=resume)
            return
        from training_backend.students.training import train_role

        for role in roles:
            if not control.stop_requested and prepared.role_status(role.name).status != "done":
                train_role(prepared, role, reporter, control, resume)
    finally:
        reporter.detach()


def ship(trained: RunFolder, folder: Path) -> None:
    """Copy the finished students into `folder`: a run folder without examples, weights in half precision."""
    for role, student in trained.students().items():
        target = folder / "students" / role
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(student, target)
        halve(target)
        known = json.loads((target / "student.json").read_text(encoding="utf-8"))
        known |= {"base": "tiny", "run": "demo_students"}
        write_atomically(target / "student.json", json.dumps(known, ensure_ascii=False, indent=1) + "\n")
    about = {**trained.about, "made_by": "kpdd make-demo-students"}
    write_atomically(folder / "run.json", json.dumps(about, ensure_ascii=False, indent=1) + "\n")
    config = RunConfig(**{**trained.config.to_dict(), "base": "tiny"})
    config.save(folder / "config.yaml")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        raise CheckpointError(f"The demo students take {size:,} bytes.", "They must fit 8 MiB.", str(folder))


def halve(student: Path) -> None:
    """Store a student's weights as fp16; every loader of ours computes in fp32 again."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    file = student / "model.safetensors"
    weights = {name: array.astype(np.float16) for name, array in load_file(file).items()}
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise CheckpointError("A weight is too large for half precision.", "Train again.", str(file))
    save_file(weights, file, metadata={"format": "pt"})
    file.chmod(0o644)


def as_questions(problems: Sequence[Problem], prefix: str) -> list[DemoQuestion]:
    """Return problems as questions to be measured on."""
    return [
        DemoQuestion(f"{prefix}-{number}", problem.question, str(problem.answer), float(problem.answer))
        for number, problem in enumerate(problems)
    ]


def measured_problems(name: str) -> list[Problem]:
    """Return the problems of one of SETS."""
    which, numbers, seed, each = SETS[name]
    templates = problem_templates.known() if which == "known" else problem_templates.new()
    return list(generate(len(templates) * each, seed, templates, numbers))


def measure(folder: Path, reporter: Reporter, control: Control) -> dict[str, Any]:
    """Let the students of `folder` solve every set in two stages and write `results.json` beside them."""
    from training_backend.evaluation.evaluate import evaluate
    from training_backend.students.solving import Solver

    solver = Solver.load(folder)
    trained = RunFolder.open(folder)
    results: dict[str, Any] = {
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "how": HOW,
        "method": METHOD,
        "trained_on": trained.about.get("source", ""),
        "versions": trained.about.get("versions", {}),
        "sets": {},
    }
    for name in SETS:
        problems = measured_problems(name)
        report = evaluate(
            None, solver, as_questions(problems, name), reporter, control,
            students="demo", method=METHOD, benchmark=name,
        )  # fmt: skip
        if report.stopped:
            return results
        results["sets"][name] = _figures(name, problems, report.score)
    write_atomically(folder / RESULTS_FILE, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    return results


def _figures(name: str, problems: Sequence[Problem], score: Score) -> dict[str, Any]:
    _, numbers, seed, _ = SETS[name]
    low, high = score.interval or (0.0, 1.0)
    return {
        "title": SET_TITLES[name],
        "templates": len({problem.template for problem in problems}),
        "numbers": numbers,
        "seed": seed,
        "questions": len(problems),
        "right": score.right,
        "accuracy": round(score.right / len(problems), 4),
        "interval_95": [round(low, 4), round(high, 4)],
        "unscored": score.unscored,
    }


def read_results(folder: Path) -> dict[str, Any]:
    """Return the `results.json` of students, or nothing where there is none."""
    try:
        return json.loads((folder / RESULTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def as_text(folder: Path, results: Mapping[str, Any]) -> str:
    """Return the results as lines for people."""
    lines = [f"Demo students in {folder}, {results.get('trained_on', '')}"]
    for figures in results.get("sets", {}).values():
        low, high = figures["interval_95"]
        lines.append(
            f"  {figures['right']:>5} of {figures['questions']:<5} {figures['accuracy']:6.1%} "
            f"[{low:.1%}, {high:.1%}]  {figures['title']}"
        )
    return "\n".join(lines)
