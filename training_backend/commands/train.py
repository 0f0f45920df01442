"""Train the students of a method: from a project's rows, or what a run folder holds.

kpdd train PROJECT.kpdd --method kpdd-pot --base google/flan-t5-small --preset kpdd-paper
kpdd train PROJECT.kpdd --method kpdd-pot --base tiny --preset demo --prepare-only
kpdd train RUN_FOLDER [--role key] [--resume] [--resume-from solve:200] [--parallel-roles]
kpdd train PROJECT.kpdd --queue                        what waits in the window's queue, without a window
torchrun --nproc-per-node N -m training_backend train RUN_FOLDER      several processes, the same curve

A run folder needs no project: it can be trained on another machine. Stop (Ctrl+C) keeps a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods
from training_backend.errors import ArgumentError, ConfigError, DatasetError, KpddError, of_arguments
from training_backend.events import Control, Reporter, Started
from training_backend.methods import Role
from training_backend.paths import runs_dir
from training_backend.students import processes
from training_backend.students.examples import Example
from training_backend.students.given_settings import given_settings
from training_backend.students.going_back import go_back
from training_backend.students.launchers import wishes_shards
from training_backend.students.run_config import FIELDS, PRESET_TITLES, PRESETS, RunConfig
from training_backend.students.run_folder import (
    RoleStatus,
    RunFolder,
    new_run_folder,
    parted_examples,
    prepare_run,
)

if TYPE_CHECKING:
    from training_backend.project.training_rows import TrainingRow
    from training_backend.students.base_student import Looked


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to train, and one option for each setting."""
    parser.add_argument("what", type=Path, help="a project file (NAME.kpdd) or a run folder")
    parser.add_argument(
        "--role", action="append", default=[], help="train only this student (may be repeated)"
    )
    parser.add_argument(
        "--parallel-roles",
        action="store_true",
        help="train the students at the same time, one process and one CPU thread each",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    parser.add_argument(
        "--resume-from",
        action="append",
        default=[],
        metavar="ROLE:STEP",
        help="go on from this checkpoint of a student; its later ones are set aside (may be repeated)",
    )
    parser.add_argument(
        "--shard",
        action="store_true",
        help="under torchrun: share the weights of a large student out between the processes (FSDP)",
    )
    parser.add_argument(
        "--queue",
        action="store_true",
        help="run what waits in the queue of this project, one run after the other, without a window",
    )
    making = parser.add_argument_group("from a project")
    making.add_argument("--preset", help="; ".join(f"{key}: {PRESET_TITLES[key][1]}" for key in PRESETS))
    making.add_argument("--prepare-only", action="store_true", help="make the run folder and end")
    making.add_argument("--dataset", help="only rows of this dataset")
    making.add_argument("--split", help="only rows of this split")
    making.add_argument("--title", default="", help="a name for people")
    making.add_argument("--config", type=Path, help="settings as YAML; options given here win")
    settings = parser.add_argument_group("settings")
    for name, info in FIELDS.items():
        default = getattr(RunConfig, name)
        unit = f" [{info.unit}]" if info.unit else ""
        choices = f" ({', '.join(info.choices)})" if info.choices else ""
        settings.add_argument(
            "--" + name.replace("_", "-"),
            dest="set_" + name,
            metavar="VALUE",
            help=f"{info.help}{choices}{unit}; default {default}",
        )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Prepare where a project is given, then train."""
    if processes.world() > 1:
        reporter = _alone(args, reporter)
    if wishes_shards(os.environ):
        args.shard = True
    if args.queue:
        return _run_queue(args, reporter, control)
    if args.what.suffix == ".kpdd" or args.what.is_file():
        folder, run_id = _prepare(args, reporter, control)
        if args.prepare_only:
            reporter.result({"run_folder": str(folder)}, f"Prepared {folder}")
            return 0
        return _train_and_note(args, folder, run_id, reporter, control)
    opened = RunFolder.open(args.what)
    changed = [name for name in FIELDS if getattr(args, "set_" + name) is not None]
    if changed or args.preset or args.config:
        raise ConfigError(
            "A prepared run keeps its settings.",
            f"Change them in {args.what / 'config.yaml'}, or prepare another run from the project.",
            str(args.what),
        )
    return _train(args, opened, reporter, control)


def _run_queue(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run what waits in a project's queue; 0 when all of it was trained."""
    from training_backend.project.store import Project
    from training_backend.students.queue_runner import run_queue
    from training_backend.students.waiting_runs import WaitingRuns

    given = [name for name in FIELDS if getattr(args, "set_" + name) is not None]
    if given or args.preset or args.config or args.role or args.resume or args.resume_from:
        raise ArgumentError(
            "Runs that wait have their settings already.", "Use --queue alone.", str(args.what)
        )
    # a wrong file is told before anything waits for it
    Project.open(args.what, read_only=True).close()
    done = run_queue(args.what.resolve(), reporter, control)
    left = len(WaitingRuns(args.what.resolve()).read())
    lines = [f"{ran.title}: {ran.status}   {ran.folder}" for ran in done] or ["No run was begun."]
    waits = f"{left} wait." if left else "None waits."
    reporter.result(
        {"runs": [{"title": ran.title, "run_folder": ran.folder, "status": ran.status} for ran in done],
         "waiting": left},
        "\n".join([*lines, waits]),
    )  # fmt: skip
    return 0 if all(ran.status == "done" for ran in done) and not left else 1


def _alone(args: argparse.Namespace, reporter: Reporter) -> Reporter:
    """Return the reporter of one of several processes: the first one speaks; ConfigError for a project."""
    if args.what.is_file() or args.parallel_roles:
        raise ConfigError(
            "Several processes train a run that is prepared, one student after the other.",
            "Run `kpdd train PROJECT --prepare-only` first, then name the run folder to torchrun.",
            str(args.what),
        )
    if args.resume_from:
        raise ConfigError(
            "One of several processes cannot set checkpoints aside.",
            "Move the later folders out of checkpoints/ROLE, then use --resume.",
            str(args.what),
        )
    return reporter if processes.first() else Reporter(quiet=True)


def settings_from(args: argparse.Namespace) -> RunConfig:
    """Return the settings of preset, file and options (the later wins); ArgumentError lists all mistakes."""
    options = {name: getattr(args, "set_" + name) for name in FIELDS}
    with of_arguments():
        return given_settings(
            args.preset, args.config, {name: value for name, value in options.items() if value is not None}
        )


def _prepare(args: argparse.Namespace, reporter: Reporter, control: Control) -> tuple[Path, int]:
    """Make the run folder of a project and enter it there; return it and the project's id of the run."""
    from training_backend.project.runs import add_run
    from training_backend.project.store import Project

    config = settings_from(args)
    with of_arguments():
        for name in args.role:
            methods.get(config.method).role(name)
    if args.resume or args.resume_from:
        raise ConfigError(
            "A new run has no checkpoint to go on from.",
            "Name the folder of the run, not the project.",
            str(args.what),
        )
    if args.shard:
        raise ConfigError(
            "A new run is made by one process, and shards are several.",
            "Use --prepare-only first, then name the run folder to torchrun with --shard.",
            str(args.what),
        )
    # rows first: a wrong name should not cost the download of a base student
    rows = _rows(args, config, reporter)
    parts = parted_examples(config, rows)
    if not args.prepare_only:
        _check_texts(config, parts, _looked_over(config, methods.get(config.method).roles, reporter, control))
    # absolute, so that the run is found from any working directory
    runs = runs_dir(args.what.resolve())
    with Project.open(args.what) as project:
        project.require_writable()
        folder = new_run_folder(runs, config.method)
        made = prepare_run(folder, config, rows, args.title, source=str(args.what.name))
        try:
            run_id = add_run(project, str(folder), config.method, made.title)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    reporter.log(
        f"{folder}: {len(rows)} rows, "
        + ", ".join(
            f"{role} {counts['train']} examples and {counts['held_out']} held out"
            for role, counts in made.about["examples"].items()
        )
    )
    return folder, run_id


def _rows(args: argparse.Namespace, config: RunConfig, reporter: Reporter) -> list[TrainingRow]:
    """Return the rows of a project that students of the method learn from; a wrong name is refused."""
    from training_backend.project.questions import require_known
    from training_backend.project.store import Project
    from training_backend.project.training_rows import training_rows

    with Project.open(args.what) as project:
        project.require_writable()
        require_known(project, args.dataset, args.split)
        kinds = methods.get(config.method).kinds
        rows = list(training_rows(project, kinds, dataset=args.dataset, split=args.split))
    reporter.progress("reading rows", len(rows), len(rows))
    return rows


def _looked_over(
    config: RunConfig, roles: Iterable[Role], reporter: Reporter, control: Control, shares: int = 1
) -> dict[str, Looked]:
    """Have the base students here and look at each before a run begins; what cannot be trained is refused.

    `shares` is over how many processes the weights are spread.
    """
    from training_backend.students.base_names import ensure_base

    roles = list(roles)
    for role in roles:
        ensure_base(config.base, role.name, reporter, control)
    # torch comes with them, which a base that is not to be had should not wait for
    from training_backend.students.base_student import look_over
    from training_backend.students.gpu_room import require_room
    from training_backend.students.lora import add_lora
    from training_backend.students.packing import require_packable

    looked = {}
    for role in roles:
        base = looked[role.name] = look_over(config.base, role.name, config.split_digits)
        if config.packing:
            require_packable(base.network)
        learning = add_lora(base.network, config, "") if config.tuning == "lora" else base.network
        require_room(learning, config, shares)
    return looked


def _check_texts(
    config: RunConfig,
    parts: Mapping[str, tuple[list[Example], list[Example]]],
    looked: Mapping[str, Looked],
) -> None:
    """Refuse rows that a student would read or write damaged, before a run is made."""
    from training_backend.students.lint import require_sound

    for role in methods.get(config.method).roles:
        base, (train, held) = looked[role.name], parts[role.name]
        examples = [*train, *held]
        require_sound(role.title, examples, base.text, config, kind=base.kind, positions=base.positions)


def _train_and_note(
    args: argparse.Namespace, folder: Path, run_id: int, reporter: Reporter, control: Control
) -> int:
    """Train and keep the project's list of runs true, whatever happens."""
    from training_backend.project.runs import set_run_status
    from training_backend.project.store import Project

    def note(status: str, summary: dict[str, Any]) -> None:
        try:
            with Project.open(args.what) as project:
                set_run_status(project, run_id, status, summary)
        except KpddError as error:
            # the run is complete in its folder, whatever the project file is at
            reporter.log(f"The project's list of runs was not updated: {error}", "warning")

    note("running", {})
    opened = RunFolder.open(folder)
    try:
        return _train(args, opened, reporter, control)
    finally:
        note(opened.status(), summary_of(opened))


def _train(args: argparse.Namespace, opened: RunFolder, reporter: Reporter, control: Control) -> int:
    roles = [opened.method.role(name) for name in args.role] or list(opened.method.roles)
    missing = [role.name for role in roles if not opened.examples_file(role.name).is_file()]
    if missing:
        raise DatasetError(
            f"The run has no examples for {', '.join(missing)}.", "Prepare the run again.", str(opened.path)
        )
    if args.resume_from and processes.world() > 1:
        raise ConfigError(
            "One process chooses the checkpoint to go on from.",
            "Start and stop the run once with --resume-from in one process, then name it to torchrun.",
        )
    opened.config.require_valid(str(opened.path / "config.yaml"))
    if processes.first() and not args.child:
        # before a word is written among the events of whoever is at work, or a checkpoint is set aside
        opened.require_free(roles)
    if not (args.resume or args.resume_from or args.child):
        opened.require_unbegun(role.name for role in roles)
    for where in args.resume_from:
        go_back(opened, where)
    if not args.child:
        if args.shard:
            from training_backend.students.sharding import require_shardable

            require_shardable(opened.config)
        shares = processes.world() if args.shard else 1
        _looked_over(opened.config, roles, reporter, control, shares)
        if processes.first():
            reporter.attach(opened.path)
            control.attach(opened.path)
    reporter.emit(Started("train", os.getpid(), str(opened.path)))
    side_by_side = args.parallel_roles and len(roles) > 1
    if side_by_side and opened.config.key_points_from != "teacher":
        reporter.log("One student after the other: the later ones learn from what the earlier ones write.")
        side_by_side = False
    if side_by_side:
        from training_backend.students.parallel import train_in_parallel

        train_in_parallel(opened, roles, reporter, control, resume=bool(args.resume or args.resume_from))
    else:
        _one_after_the_other(
            opened, roles, reporter, control, bool(args.resume or args.resume_from), args.shard
        )
    if args.child:
        return 0
    summary = summary_of(opened)
    if processes.first():
        reporter.result({"run_folder": str(opened.path), **summary}, _table(opened))
    return 0 if all(opened.role_status(role.name).status == "done" for role in roles) else 1


def _one_after_the_other(
    opened: RunFolder,
    roles: list[Role],
    reporter: Reporter,
    control: Control,
    resume: bool,
    shard: bool,
) -> None:
    from training_backend.students.training import train_role

    for role in roles:
        if control.stop_requested:
            return
        if resume and opened.role_status(role.name).status == "done":
            reporter.log(f"{role.title}: done already.")
            continue
        train_role(opened, role, reporter, control, resume, shard)


def summary_of(opened: RunFolder) -> dict[str, Any]:
    """Return where each student of a run stands, as data."""
    statuses: dict[str, RoleStatus] = {
        role.name: opened.role_status(role.name) for role in opened.method.roles
    }
    return {
        "status": opened.status(),
        "students": {name: str(folder) for name, folder in opened.students().items()},
        "roles": {name: dict(status.__dict__) for name, status in statuses.items()},
    }


def _table(opened: RunFolder) -> str:
    lines = [f"{opened.title}: {opened.status()}"]
    for role in opened.method.roles:
        status = opened.role_status(role.name)
        best = f", best at step {status.best_step}" if status.best_step else ""
        lines.append(f"  {role.title:<6} {status.status}, step {status.step} of {status.total_steps}{best}")
    lines.append(f"  {opened.path}")
    if opened.status() == "stopped":
        lines.append(f"  Go on with: kpdd train {shlex.quote(str(opened.path))} --resume")
    return "\n".join(lines)
