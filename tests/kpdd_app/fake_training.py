"""A stand-in for `kpdd train`, `evaluate` and `flags`: run folders, curves and results without any torch."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from training_backend.events import (
    Control,
    Ended,
    Failed,
    HeldOut,
    Metrics,
    Reporter,
    Result,
    Started,
)
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, RunFolder

SUMMARY = {"total": 4, "right": 1, "wrong": 2, "unscored": 1, "accuracy": 0.25, "interval_95": [0.05, 0.7]}


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main() -> int:
    reporter = Reporter(events=True)
    control = Control(read_stdin=True, stop_at_eof="--stop-at-eof" in sys.argv)
    do = {"train": train, "evaluate": evaluate, "flags": lambda *_: "done"}[sys.argv[1]]
    status = do(reporter, control)
    reporter.emit(Ended(status=status))
    return 0 if status == "done" else 1


def train(reporter: Reporter, control: Control) -> str:
    what = Path(sys.argv[2])
    title = option("--title")
    if title == "refused":
        reporter.emit(Failed("There is no row that Key could learn from.", "Ask the teacher first."))
        return "failed"
    folder = make_run(what, title) if what.suffix == ".kpdd" else what
    control.attach(folder)
    reporter.attach(folder)
    run = RunFolder.open(folder)
    reporter.emit(Started("train", os.getpid(), str(folder)))
    first = 26 if "--resume" in sys.argv else 1
    for role in ("key", "solve"):
        run.set_role_status(RoleStatus(role, "running", first, 50, pid=os.getpid()))
    last = 51 if title != "endless" or first > 1 else 100_000
    for step in range(first, last):
        for role in ("key", "solve"):
            reporter.emit(Metrics(role, step, 50, step / 10, 8 / step, 5e-4, 1200.0, 1 << 30, step * 0.1))
            if step % 10 == 0:
                reporter.emit(HeldOut(role, step, 9 / step, step / 100, [sample(step)]))
        if title == "broken" and step == 25 and first == 1:
            reporter.emit(Failed("The loss is not a number at step 25.", "Lower the learning rate."))
            note(run, "failed", 25)
            return "failed"
        control.wait_while_paused()
        if control._stop_at_end:
            # a test may kill the window once it is known what the end of the input means
            (folder / "ends with the window").touch()
        if control.stop_requested:
            note(run, "stopped", step)
            return "stopped"
        if title in ("slow", "endless") and first == 1:
            time.sleep(0.03)
    note(run, "done", 50)
    return "done"


def note(run: RunFolder, status: str, step: int) -> None:
    for role in ("key", "solve"):
        run.set_role_status(RoleStatus(role, status, step, 50))
        student = run.student_dir(role)
        student.mkdir(parents=True, exist_ok=True)
        (student / "student.json").write_text("{}")


def make_run(project_file: Path, title: str) -> Path:
    folder = project_file.with_suffix(".runs") / f"run-{title or 'plain'}"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"version": 1, "title": title or "A run"}))
    RunConfig(method=option("--method", "kpdd-pot")).save(folder / "config.yaml")
    from training_backend.project.runs import add_run
    from training_backend.project.store import Project

    with Project.open(project_file) as project:
        add_run(project, str(folder), "kpdd-pot", title or "A run")
    return folder


def sample(step: int) -> dict:
    return {
        "source": "extract key points: How many?",
        "wanted": "12",
        "said": str(step),
        "state": "not_equal",
    }


def evaluate(reporter: Reporter, control: Control) -> str:
    reporter.emit(Started("evaluate", os.getpid()))
    wrong = [prediction(n) for n in range(3)]
    data = {"students": "demo students", "method": "kpdd-pot", "benchmark": "gsm8k test", **SUMMARY}
    data["notes"] = ["2 of these 4 questions were in the training data of the students."]
    reporter.progress("evaluate", 4, 4)
    if option("--project"):
        from training_backend.project.runs import add_evaluation, add_predictions, finish_evaluation
        from training_backend.project.store import Project

        with Project.open(Path(option("--project"))) as project:
            number = add_evaluation(project, None, "demo students", "gsm8k test", "kpdd-pot", {})
            add_predictions(project, number, wrong)
            finish_evaluation(project, number, data)
        data["evaluation_id"] = number
    reporter.emit(Result({**data, "not_equal": [vars(one) for one in wrong]}))
    return "done"


def prediction(n: int):
    from training_backend.project.runs import Prediction

    return Prediction(
        native_id=f"test-{n}", question=f"Ada has {n + 3} pens. How many?", gold_text=str(n),
        gold_value=float(n), core_question="How many pens?", information=(f"Ada has {n + 3} pens.",),
        kind="pot", rationale=f"ans = {n + 3}", verdict="ok", answer_text=str(n + 3), value=float(n + 3),
        equal=False, error="",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
