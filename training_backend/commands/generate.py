"""Let a teacher write key points and rationales for a project's questions, and judge them in the sandbox.

teachers:
  sample          the built-in teacher of the sample questions
  replay:PRESET   recorded outputs in the folder --recordings; presets:
                    dup+faithful-cot       key points by DUP (GPT-4), rationales by Faithful-CoT
                    dup+faithful-cot-nonl  the same with programs without comments
                    faithful-cot           key points and rationales by Faithful-CoT
                    dup                    key points and chains of thought by DUP
  replay:jsonl    any JSON Lines file (--recordings FILE --map question=…,pot=…)

Running the same command again asks only what is missing.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ConfigError
from training_backend.events import Control, Reporter
from training_backend.methods import KINDS

if TYPE_CHECKING:
    from training_backend.teacher.generation import GenerationReport
    from training_backend.teacher.protocol import Teacher

_FAILURES_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd generate`."""
    parser.add_argument("project", type=Path, help="the project file, NAME.kpdd")
    parser.add_argument("--teacher", required=True, metavar="NAME", help="sample or replay:PRESET")
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


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd generate`; return 0, or 1 when it was stopped or nothing could be answered."""
    from training_backend.execution.isolation import say_missing
    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.questions import questions
    from training_backend.project.store import Project
    from training_backend.teacher.generation import generate

    kinds = _kinds(args.kinds)
    models = [model.strip() for model in args.models.split(",") if model.strip()]
    paths = max(1, len(models)) if args.paths is None else args.paths
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f"A limit of {args.limit} leaves no question.", "Give a number above 0.")
    teacher = choose_teacher(args.teacher, args.recordings, models, args.map)
    with Project.open(args.project, holder="job") as project:
        project.require_writable()
        wanted = list(questions(project, dataset=args.dataset, split=args.split, limit=args.limit))
        if not wanted:
            raise ConfigError(
                "The project has no such questions.",
                "Read some with `kpdd import`, or choose another --dataset and --split.",
                str(args.project),
            )
        with ProgramRunner() as runner:
            say_missing(runner.isolation(), reporter)
            report = generate(project, teacher, kinds, paths, reporter, control, wanted, runner=runner)
    reporter.result(_as_data(teacher, report), _as_text(teacher, report))
    useless = report.asked and report.failed == report.asked
    return 1 if report.stopped or useless else 0


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
        raise ConfigError("A replay needs its recordings.", "Give their folder with --recordings FOLDER.")
    if preset == "jsonl":
        from training_backend.teacher.replay_jsonl import JsonlTeacher, read_mapping

        return JsonlTeacher(recordings, read_mapping(mapping))
    from training_backend.teacher.replay import ReplayTeacher

    return ReplayTeacher(preset, recordings, models)


def _kinds(text: str) -> list[str]:
    kinds = list(dict.fromkeys(kind.strip() for kind in text.split(",") if kind.strip()))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ConfigError(f"'{', '.join(unknown) or text}' is no kind.", f"Choose among {', '.join(KINDS)}.")
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
