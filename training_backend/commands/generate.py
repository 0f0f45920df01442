"""Let a teacher write key points and rationales for a project's questions, and judge them in the sandbox.

teachers:
  NAME            a teacher of the project, set up on the Teacher page or with `kpdd teacher add`
  sample          the built-in teacher of the sample questions
  replay:PRESET   recorded outputs in the folder --recordings; presets:
                    dup+faithful-cot       key points by DUP (GPT-4), rationales by Faithful-CoT
                    dup+faithful-cot-nonl  the same with programs without comments
                    faithful-cot           key points and rationales by Faithful-CoT
                    dup                    key points and chains of thought by DUP
  replay:jsonl    any JSON Lines file (--recordings FILE --map question=…,pot=…)

Running the same command again asks only what is missing; what failed stays so until --ask-again. Stop it with
Ctrl+C: what is on its way comes in and is kept. --another asks the rows of --rows-file for one more answer
(or --paths N) of their own kinds: a new path beside the one that is there; a row without a text is filled.
Each such wish is a run with a name; --another NAME goes on with it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ArgumentError, ConfigError
from training_backend.events import Control, Reporter
from training_backend.methods import KINDS

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.teacher.generation import GenerationReport
    from training_backend.teacher.protocol import Teacher
    from training_backend.teacher.run_spec import RunSpec
    from training_backend.teacher.teacher_config import TeacherConfig

_FAILURES_SHOWN = 5
PILOT = 20  # questions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd generate`."""
    parser.add_argument("project", type=Path, help="the project file, NAME.kpdd")
    parser.add_argument("--teacher", required=True, metavar="NAME", help="NAME, sample or replay:PRESET")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER",
                        help="for replay: the folder with the recordings as published; "
                             "for replay:jsonl: the file")  # fmt: skip
    parser.add_argument("--models", metavar="A,B", default="",
                        help="for replay: the recorded models, one for each path, in their order "
                             "(default: gpt4,gpt-3.5-turbo,code002)")  # fmt: skip
    parser.add_argument("--map", metavar="FIELD=NAME,…", default="",
                        help="for replay:jsonl: which field of the file is question, id, core_question, "
                             "information, pot, cot, eot")  # fmt: skip
    parser.add_argument("--dataset", help="only questions of this data set")
    parser.add_argument("--split", help="only questions of this split")
    parser.add_argument("--kinds", default="pot", metavar="KINDS",
                        help=f"what to ask for, with commas: {', '.join(KINDS)} (default: pot)")  # fmt: skip
    parser.add_argument("--paths", type=int, metavar="N",
                        help="answers to each question (default: 1, or as many as --models)")  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--rows-file", type=Path, metavar="FILE",
                        help="only the questions of these rows: their numbers, one a line")  # fmt: skip
    asks = parser.add_argument_group("teachers of the project")
    asks.add_argument("--one-call", action="store_true",
                      help="key points and rationale in one reply, for each kind")  # fmt: skip
    asks.add_argument("--pilot", type=int, nargs="?", const=PILOT, metavar="N",
                      help=f"only N of these questions, spread evenly (default {PILOT}), then an estimate "
                           "for all of them")  # fmt: skip
    asks.add_argument("--estimate", action="store_true",
                      help="ask nothing; say what tokens, money and time it would take")  # fmt: skip
    asks.add_argument("--budget", type=float, metavar="MONEY",
                      help="the most that this run may cost, what it cost before included")  # fmt: skip
    asks.add_argument("--concurrency", type=int, metavar="N", help="requests on their way at a time")
    asks.add_argument("--another", nargs="?", const="", metavar="NAME",
                      help="more answers to the rows of --rows-file, or go on with NAME")  # fmt: skip
    asks.add_argument("--ask-again", metavar="REASONS",
                      help="ask again what failed for these reasons, with commas, or `all`")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd generate`; return 0, or 1 when it was stopped or nothing could be answered."""
    from training_backend.project.store import Project

    kinds = _kinds(args.kinds)
    _check_numbers(args)
    with Project.open(args.project, holder="job") as project:
        project.require_writable()
        config = _configured(project, args.teacher)
        if config is None or config.kind in ("sample", "replay"):
            if args.another is not None:
                raise ConfigError(
                    f"'{args.teacher}' has no other answers: nobody is asked.",
                    "Choose a teacher of the project that is a server or a model on this machine.",
                )
            return _run_recorded(args, project, config, kinds, reporter, control)
        return _run_asking(args, project, config, kinds, reporter, control)


def _check_numbers(args: argparse.Namespace) -> None:
    if args.limit is not None and args.limit < 1:
        raise ArgumentError(f"A limit of {args.limit} leaves no question.", "Give a number above 0.")
    for name, least in (("paths", 1), ("pilot", 1), ("concurrency", 1), ("budget", 0)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise ArgumentError(f"--{name} cannot be {value}.", f"Give a number from {least} on.")


def _configured(project: Project, name: str) -> TeacherConfig | None:
    """Return the project's teacher of this name; None for a name that means a teacher without settings."""
    from training_backend.teacher.teacher_config import teacher_named, teachers

    if name == "sample" or name.partition(":")[0] == "replay":
        return next((config for config in teachers(project) if config.name == name), None)
    return teacher_named(project, name)


def _questions(args: argparse.Namespace, project: Project) -> list[Question]:
    from training_backend.project.questions import questions

    ids = _questions_of(project, _rows(args)) if args.rows_file else None
    wanted = list(questions(project, dataset=args.dataset, split=args.split, ids=ids, limit=args.limit))
    if not wanted:
        raise ConfigError(
            "The project has no such questions.",
            "Read some with `kpdd import`, or choose another --dataset, --split or --rows-file.",
            str(args.project),
        )
    return wanted


def _rows(args: argparse.Namespace) -> list[int]:
    """Return the rows whose numbers stand in the file of rows, one a line; none without a file."""
    if args.rows_file is None:
        return []
    try:
        return [int(word) for word in args.rows_file.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise ConfigError(f"The file of rows cannot be read: {error}.", "It holds a row's number a line.",
                          str(args.rows_file)) from error  # fmt: skip


def _questions_of(project: Project, rows: list[int]) -> set[int]:
    from training_backend.project.lines import ID_LIST, ids_json

    with project.reading() as connection:
        sql = f"SELECT DISTINCT question_id FROM row WHERE id IN {ID_LIST}"
        return {found for (found,) in connection.execute(sql, (ids_json(rows),))}


def _run_recorded(
    args: argparse.Namespace,
    project: Project,
    config: TeacherConfig | None,
    kinds: list[str],
    reporter: Reporter,
    control: Control,
) -> int:
    """Let the sample teacher or a recording answer: nothing is sent, nothing costs."""
    from training_backend.execution.isolation import say_closed, say_missing
    from training_backend.execution.runner import ProgramRunner
    from training_backend.teacher.generation import generate

    models = [model.strip() for model in args.models.split(",") if model.strip()]
    teacher = (
        choose_teacher(args.teacher, args.recordings, models, args.map) if config is None
        else _as_configured(config)
    )  # fmt: skip
    paths = max(1, len(models)) if args.paths is None else args.paths
    wanted = _questions(args, project)
    with ProgramRunner() as runner:
        say_missing(runner.isolation(), reporter)
        report = generate(project, teacher, kinds, paths, reporter, control, wanted, runner=runner)
        say_closed(runner.why_not_shared, reporter)
    reporter.result(_as_data(teacher, report), _as_text(teacher, report))
    useless = report.asked and report.failed == report.asked
    return 1 if report.stopped or useless else 0


def _as_configured(config: TeacherConfig) -> Teacher:
    if config.kind == "sample":
        return choose_teacher("sample")
    recordings = str(config.get("recordings") or "")
    return choose_teacher(f"replay:{config.get('preset')}", Path(recordings) if recordings else None,
                          list(config.get("models") or ()), str(config.get("mapping") or ""))  # fmt: skip


def _run_asking(
    args: argparse.Namespace,
    project: Project,
    config: TeacherConfig,
    kinds: list[str],
    reporter: Reporter,
    control: Control,
) -> int:
    """Ask a teacher of the project."""
    from training_backend.execution.isolation import say_closed, say_missing
    from training_backend.execution.runner import ProgramRunner
    from training_backend.paths import runs_dir
    from training_backend.teacher import run_estimate
    from training_backend.teacher.cost import money_of
    from training_backend.teacher.endpoint import open_asker
    from training_backend.teacher.keys import key_to_ask
    from training_backend.teacher.run_spec import spec_of
    from training_backend.teacher.teacher_run import as_data, as_text, run_teacher

    if args.concurrency is not None:
        config = replace(config, settings={**config.settings, "concurrency": args.concurrency})
    if wrong := config.validate():
        raise ConfigError(f"The teacher '{config.name}' cannot be asked: {wrong[0]}", "Change its settings.")
    paths = 1 if args.paths is None else args.paths
    spec = spec_of(config, kinds, paths, args.one_call, args.budget, ask_again=_reasons(args.ask_again))
    if args.another is None:
        wanted = _questions(args, project)
    else:
        spec, wanted = _another(args, project, spec)
    if args.estimate:
        found = run_estimate.estimate_run(project, config, spec, wanted)
        reporter.result({"teacher": config.name, "estimate": found.as_data()},
                        run_estimate.as_text(found, spec.budget))  # fmt: skip
        return 0
    asked = _spread(wanted, args.pilot) if args.pilot else wanted
    with ProgramRunner() as runner:
        say_missing(runner.isolation(), reporter)
        asker = open_asker(config, key_to_ask(config), runs_dir(project.path) / "batches")
        report = run_teacher(project, asker, spec, asked, reporter, control, runner, money_of(config),
                             rows=_rows(args) if spec.another else ())  # fmt: skip
        say_closed(runner.why_not_shared, reporter)
    data, text = {"teacher": config.name, **as_data(report)}, as_text(report, config.name)
    if spec.another and report.counts.waiting:
        text += f"\n  the rest waits: --another {spec.another} goes on"
    if args.pilot:
        found = run_estimate.estimate_run(project, config, spec, wanted)
        data["estimate"] = found.as_data()
        text += "\n" + run_estimate.as_text(found, spec.budget)
    reporter.result(data, text)
    counts = report.counts
    useless = counts.asked and counts.failed == counts.asked
    return 1 if report.stopped or useless else 0


def _another(
    args: argparse.Namespace, project: Project, spec: RunSpec
) -> tuple[RunSpec, list[Question]]:  # fmt: skip
    """Return the run of other answers that is meant, with the kinds of its rows, and its questions."""
    from training_backend.project.questions import questions
    from training_backend.project.store import now
    from training_backend.teacher.another_path import meant

    spec, ids = meant(project, replace(spec, another=args.another or now()), _rows(args))
    return spec, list(questions(project, args.dataset, args.split, ids, args.limit))


def _spread(questions: list[Question], count: int) -> list[Question]:
    """Return so many questions at even distances: a file's beginning is seldom like the rest of it."""
    count = min(count, len(questions))
    return [questions[number * len(questions) // count] for number in range(count)]


def _reasons(text: str | None) -> tuple[str, ...] | None:
    """Return the reasons to ask again for; empty: all of them, None: none."""
    if text is None:
        return None
    from training_backend.teacher.asker import REASONS
    from training_backend.teacher.asking import UNREADABLE
    from training_backend.teacher.requests import NO_KEY_POINTS

    reasons = tuple(reason.strip() for reason in text.split(",") if reason.strip())
    known = ("all", *REASONS, UNREADABLE, NO_KEY_POINTS)
    if unknown := [reason for reason in reasons if reason not in known]:
        raise ArgumentError(f"'{unknown[0]}' is no reason.", f"Use one or more of: {', '.join(known)}.")
    return () if "all" in reasons else reasons


def choose_teacher(
    name: str, recordings: Path | None = None, models: Sequence[str] = (), mapping: str = ""
) -> Teacher:
    """Return the teacher that `name` means; ConfigError says what else it could be or what it lacks."""
    if name == "sample":
        from training_backend.teacher.sample import SampleTeacher

        return SampleTeacher()
    kind, _, preset = name.partition(":")
    if kind != "replay" or not preset:
        raise ConfigError(f"There is no teacher '{name}'.", "Choose sample or replay:PRESET.")
    if recordings is None:
        raise ArgumentError("A replay needs its recordings.", "Give their folder with --recordings FOLDER.")
    if preset == "jsonl":
        from training_backend.teacher.replay_jsonl import JsonlTeacher, read_mapping

        return JsonlTeacher(recordings, read_mapping(mapping))
    from training_backend.teacher.replay import ReplayTeacher

    return ReplayTeacher(preset, recordings, models)


def _kinds(text: str) -> list[str]:
    kinds = list(dict.fromkeys(kind.strip() for kind in text.split(",") if kind.strip()))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ArgumentError(
            f"'{', '.join(unknown) or text}' is no kind.", f"Choose among {', '.join(KINDS)}."
        )
    return kinds


def _as_data(teacher: Teacher, report: GenerationReport) -> dict[str, Any]:
    return {
        "teacher": teacher.name,
        "asked": report.asked,
        "done": report.done,
        "failed": report.failed,
        "waiting": report.waiting,
        "existing": report.existing,
        "by_state": dict(report.by_state),
        "failures": [vars(failure) for failure in report.failures],
        "stopped": report.stopped,
    }


def _as_text(teacher: Teacher, report: GenerationReport) -> str:
    lines = [
        f"{teacher.name}: {report.asked:,} asked = {report.done:,} done + {report.failed:,} failed"
        f" + {report.waiting:,} waiting"
        + (f"; {report.existing:,} were answered before" if report.existing else "")
    ]
    lines += [f"  {count:>7,}  {state.replace('_', ' ')}" for state, count in _sorted(report.by_state)]
    lines += _failures(report.failures)
    return "\n".join(lines)


def _sorted(counts: Any) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _failures(failures: Sequence[Any]) -> list[str]:
    """Return the failures grouped by reason without its numbers, the first of each group in full."""
    groups: Counter[str] = Counter()
    first: dict[str, Any] = {}
    for failure in failures:
        group = "".join("0" if c.isdecimal() else c for c in failure.reason).split("'")[0]
        while "00" in group:
            group = group.replace("00", "0")
        groups[group] += 1
        first.setdefault(group, failure)
    lines = []
    for group, count in groups.most_common(_FAILURES_SHOWN):
        failure = first[group]
        others = f" (and {count - 1:,} like it)" if count > 1 else ""
        lines.append(f"  failed: question {failure.native_id}, {failure.kind}: {failure.reason}{others}")
    return lines
