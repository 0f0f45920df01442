"""Training one student: what is loaded, what is learned from, and the finished student at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from training_backend.errors import DatasetError, StoreError
from training_backend.events import Checkpoint, Control, Reporter
from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS, Role
from training_backend.students import processes
from training_backend.students.base_names import adapter_base
from training_backend.students.base_student import (
    kind_of,
    load_base,
    load_network,
    longest_text,
    quiet_libraries,
)
from training_backend.students.batches import BatchPlan, encode_examples
from training_backend.students.gpu_room import take_gpu
from training_backend.students.lint import require_sound
from training_backend.students.lora import add_lora
from training_backend.students.own_key_points import own_examples
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, RunFolder, read_role_examples, replace_folder
from training_backend.students.text import StudentText
from training_backend.students.trainer import PROGRESS_FILE, StudentTrainer
from training_backend.students.watcher import Watcher

RESUME_FILES = ("optimizer.pt", "scheduler.pt", "rng_state*.pth", "trainer_state.json", PROGRESS_FILE)


def train_role(
    run: RunFolder,
    role: Role,
    reporter: Reporter,
    control: Control,
    resume: bool = False,
    shard: bool = False,
) -> RoleStatus:
    """Train the student `role` of a run and leave it in `students/<role>`; return where it stands.

    With `resume` the newest checkpoint is continued on the same curve; with `shard` several processes share
    the weights out between them. A stop keeps a checkpoint at the step border. Raises DatasetError when
    nothing can be learned from, CheckpointError for a broken base, and, before anything is touched,
    ConfigError without `resume` where there are checkpoints already.
    """
    if not resume:
        run.require_unbegun([role.name])
    quiet_libraries()
    config = run.config
    if config.threads:
        torch.set_num_threads(config.threads_here())
    old = run.role_status(role.name)
    if processes.first():
        run.require_free([role])
        begun = RoleStatus(role.name, "running", pid=os.getpid(), host=platform.node())
        run.set_role_status(
            dataclasses.replace(old, status="running", pid=begun.pid, host=begun.host, error="")
            if resume
            else begun
        )
    work = None
    try:
        work = Training(run, role, reporter, control, resume, shard)
        if control.stop_requested and processes.world() == 1:
            # what was loaded when the stop came may be half
            stopped = dataclasses.replace(run.role_status(role.name), status="stopped")
            run.set_role_status(stopped)
            return stopped
        return work.train()
    except BaseException as error:
        last = work.watcher.status("failed") if work and work.watcher else run.role_status(role.name)
        word = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        if processes.first():
            with contextlib.suppress(OSError):
                run.set_role_status(dataclasses.replace(last, status=word, error=str(error)[:2000]))
        raise


class Training:
    """One training of one role: what belongs together from loading to the finished student."""

    def __init__(
        self,
        run: RunFolder,
        role: Role,
        reporter: Reporter,
        control: Control,
        resume: bool,
        shard: bool = False,
    ) -> None:
        """Load the student, with `resume` from its newest checkpoint, and its examples."""
        self.run, self.role, self.reporter, self.control = run, role, reporter, control
        self.config: RunConfig = run.config
        self.resume, self.shard = resume, shard
        self.watcher: Watcher | None = None
        checkpoints = run.checkpoints(role.name)
        self.resume_from: Path | None = checkpoints[-1] if resume and checkpoints else None
        if resume and self.resume_from is None:
            reporter.log(f"{role.title}: there is no checkpoint to resume, training starts from the base.")
        self._load()
        self._read_examples()

    def _load(self) -> None:
        config = self.config
        set_seed(config.seed)
        self.reporter.progress(f"{self.role.title}: loading", 0, 0, config.base)
        self.network, self.text, self.tokenizer_dir = load_base(
            config.base, config.seed, config.split_digits, self.role.name
        )
        if self.resume_from is not None:
            self.text = StudentText.for_folder(self.resume_from)
            self.network = load_network(self.resume_from, trainable=config.tuning == "lora")
            self.tokenizer_dir = self.resume_from
        if config.dropout >= 0:
            set_dropout(self.network, config.dropout)
        if config.tuning == "lora" and self.resume_from is None:
            self.network = add_lora(self.network, config, adapter_base(config.base, self.role.name))
        if config.gradient_checkpointing:
            # the old name serves transformers before 5.20
            enable = getattr(self.network, "activation_checkpointing_enable", None)
            (enable or self.network.gradient_checkpointing_enable)()

    def _read_examples(self) -> None:
        config, title = self.config, self.role.title
        train, held = read_role_examples(self.run, self.role.name)
        train, held = own_examples(self.run, self.role, train, held, self.reporter, self.control, self.resume)
        kind = kind_of(self.network)
        limits = (config.max_source_tokens, config.max_target_tokens)
        fits = (*limits, kind, longest_text(self.network))
        self.reporter.progress(f"{title}: checking texts", 0, len(train) + len(held))
        self.train_examples, self.encoded, fitness = encode_examples(train, self.text, *fits)
        self.held_examples, self.held_encoded, _ = encode_examples(held, self.text, *fits)
        if fitness.not_exact and config.damaged == "refuse":
            require_sound(title, train, self.text, config, str(self.run.examples_file(self.role.name)), kind)
        self.reporter.progress(f"{title}: checking texts", len(train) + len(held), len(train) + len(held))
        if fitness.left_out:
            self.reporter.log(
                f"{title}: {fitness.used} of {len(train)} examples are used; left out: "
                f"{len(fitness.too_long)} longer than {limits[0]}/{limits[1]} tokens, "
                f"{len(fitness.not_exact)} that the student's vocabulary cannot carry exactly.",
                "warning",
            )
        if not self.encoded:
            raise DatasetError(
                f"None of the {len(train)} examples fits the student {title} "
                f"({len(fitness.too_long)} too long, {len(fitness.not_exact)} not exact; the longest source "
                f"has {fitness.longest_source} tokens, the longest target {fitness.longest_target}).",
                "Raise the limits, or choose a base student with another vocabulary.",
                str(self.run.examples_file(self.role.name)),
            )

    def train(self) -> RoleStatus:
        """Train to the end, a stop or the time to stop early; return where the student stands."""
        config = self.config
        plan = BatchPlan(
            self.encoded, config.batch, config.batch_unit, config.epochs, config.max_steps, config.seed
        )
        judged = any(task.writes in KINDS for task in self.role.tasks) and bool(self.held_examples)
        judged = judged and bool(config.held_out_judged) and processes.first()
        runner = ProgramRunner(workers=1, limits=Limits()) if judged else None
        with contextlib.ExitStack() as stack:
            if runner is not None:
                stack.enter_context(runner)
            shares = processes.world() if self.shard else 1
            room = take_gpu(self.network, config, self.reporter, shares)
            if room is not None:
                stack.callback(room.release)
            trainer = StudentTrainer(self, plan)
            watcher = self.watcher = Watcher(self, plan, trainer, runner)
            trainer.add_callback(watcher)
            try:
                trainer.train(resume_from_checkpoint=str(self.resume_from) if self.resume_from else None)
            finally:
                watcher.curves.close()
        return self._finish(watcher, len(plan.steps))

    def _finish(self, watcher: Watcher, total: int) -> RoleStatus:
        run, name = self.run, self.role.name
        stopped = watcher.stopped and watcher.step < total and not watcher.early
        status = watcher.status("stopped" if stopped else "done")
        if not stopped and processes.first():
            best = run.checkpoints_dir(name) / f"step-{watcher.best_step}"
            taken = best if self.config.take == "best" and watcher.best_step and best.is_dir() else None
            taken = taken or run.checkpoints(name)[-1]
            self._publish(taken)
            step = int(taken.name.removeprefix("step-"))
            self.reporter.emit(Checkpoint(name, step, str(run.student_dir(name)), "final"))
        if processes.first():
            run.set_role_status(status)
        processes.all_here()
        return status

    def _publish(self, checkpoint: Path) -> None:
        """Copy a checkpoint without what only resuming needs to `students/<role>`."""
        final = self.run.student_dir(self.role.name)
        temporary = final.with_name(f".new-{final.name}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(checkpoint, temporary, ignore=shutil.ignore_patterns(*RESUME_FILES))
            replace_folder(temporary, final)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise StoreError(
                f"The finished student could not be written ({error.strerror or error}).",
                f"It is safe in {checkpoint}; free some space and resume the run.",
                str(final),
            ) from error

    def about(self, step: int) -> dict[str, Any]:
        """Return the content of `student.json`."""
        return {
            "version": 1,
            "role": self.role.name,
            "kind": kind_of(self.network),
            "method": self.config.method,
            "tasks": [
                {"prefix": t.prefix, "reads": list(t.reads), "writes": t.writes} for t in self.role.tasks
            ],
            "base": self.config.base,
            "run": self.run.path.name,
            "step": step,
            "max_source_tokens": self.config.max_source_tokens,
            "max_target_tokens": self.config.max_target_tokens,
            "trained_on": len(self.encoded),
        }


def set_dropout(network: Any, rate: float) -> None:
    """Set the dropout of every layer and of the configuration."""
    for name, module in network.named_modules():
        if "lora_" in name:
            continue
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
        # the attention of some networks keeps its own
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = rate
    network.config.dropout_rate = rate
