"""What happens between the steps of a training: figures, stop and pause, held-out looks."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import time
from typing import TYPE_CHECKING, Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from training_backend.events import Checkpoint, HeldOut, Metrics
from training_backend.execution.runner import ProgramRunner
from training_backend.students import processes
from training_backend.students.batches import BatchPlan, Step
from training_backend.students.curves import Curves
from training_backend.students.decoding import DecodingSettings, Student
from training_backend.students.held_out import Look, look
from training_backend.students.losses import token_losses
from training_backend.students.run_folder import RoleStatus
from training_backend.students.trainer import PROGRESS_FILE, StudentTrainer

if TYPE_CHECKING:
    from training_backend.students.training import Training

EVENTS_EVERY_S = 0.1


class Watcher(TrainerCallback):
    """Reports figures, obeys stop and pause, looks at held-out questions and asks for checkpoints."""

    def __init__(
        self, training: Training, plan: BatchPlan, trainer: StudentTrainer, runner: ProgramRunner | None
    ) -> None:
        """Begin from the saved status where the run is resumed."""
        self.training, self.plan, self.trainer, self.runner = training, plan, trainer, runner
        config, per_epoch = training.config, max(1, plan.per_epoch())
        self.eval_every = config.eval_every or per_epoch
        self.save_every = config.save_every or per_epoch
        self.step = 0
        self.tokens = 0
        self.began = self.reported = time.monotonic()
        self.best_step, self.worse = 0, 0
        self.best_score: float | None = None
        self.early = self.stopped = False
        self.curves = Curves(training.run.path, training.role.name)
        if training.resume_from is not None:
            self._go_on()
        self._keep()

    def _go_on(self) -> None:
        """Take up what the checkpoint keeps: the best look, the looks since, the micro-batch that fits."""
        assert self.training.resume_from is not None
        with contextlib.suppress(OSError, ValueError, TypeError):
            kept = json.loads((self.training.resume_from / PROGRESS_FILE).read_text(encoding="utf-8"))
            self.best_step, self.worse = int(kept.get("best_step", 0)), int(kept.get("worse", 0))
            self.best_score = kept.get("best_score")
            self.trainer.micro_tokens = min(
                self.trainer.micro_tokens, int(kept.get("micro_tokens") or self.trainer.micro_tokens)
            )

    def _keep(self) -> None:
        self.trainer.progress = {
            "best_step": self.best_step, "best_score": self.best_score, "worse": self.worse,
        }  # fmt: skip

    def status(self, word: str) -> RoleStatus:
        """Return where the training stands."""
        return RoleStatus(
            self.training.role.name, word, self.step, len(self.plan.steps), self.best_step, self.best_score,
            pid=os.getpid(), host=platform.node(),
        )  # fmt: skip

    def on_train_begin(self, args, state: TrainerState, control: TrainerControl, **kwargs) -> None:
        """Say what begins."""
        training = self.training
        self.step = state.global_step
        device = str(args.device)
        training.reporter.log(
            f"{training.role.title}: {len(training.encoded)} examples, {len(self.plan.steps)} steps, "
            f"{sum(p.numel() for p in training.network.parameters()) / 1e6:.2f} million weights, "
            f"{self.trainer.precision} on {device}"
            + (f" in {processes.world()} processes" if processes.world() > 1 else "")
            + f", text: {training.text.rule.way}"
            + (f", resumed at step {self.step}" if self.step else "")
        )

    def on_step_end(self, args, state: TrainerState, control: TrainerControl, **kwargs) -> TrainerControl:
        """Report, look, save, pause and stop at the border of a step."""
        ask = self.training.control
        self.step = state.global_step
        step = self.plan.steps[self.step - 1]
        self.tokens += self.plan.tokens(step)
        last = self.step >= len(self.plan.steps)
        now = time.monotonic()
        if now - self.reported >= EVENTS_EVERY_S or last or self.step == 1:
            self._report(step, now)
        if ask.paused:
            self.training.reporter.log(f"{self.training.role.title}: paused after step {self.step}")
            ask.wait_while_paused()
            self.reported = time.monotonic()
        stop = bool(processes.most(float(ask.stop_requested), self.trainer.args.device))
        self.stopped = stop
        if (self.step % self.eval_every == 0 or last) and not stop:
            self._look()
            self._agree()
        patience = self.training.config.early_stopping
        if patience and self.worse >= patience:
            self.early = True
            self.training.reporter.log(
                f"{self.training.role.title}: no better in {self.worse} looks, stopped"
            )
        control.should_training_stop = stop or last or self.early
        control.should_save = (
            control.should_training_stop or self.step % self.save_every == 0 or self.best_step == self.step
        )
        return control

    def on_save(self, args, state: TrainerState, control: TrainerControl, **kwargs) -> None:
        """Say where the checkpoint is, and remove old ones."""
        training = self.training
        run, name = training.run, training.role.name
        if not processes.first():
            return
        folder = run.checkpoints_dir(name) / f"step-{self.step}"
        kind = "best" if self.step == self.best_step else "step"
        training.reporter.emit(Checkpoint(name, self.step, str(folder), kind))
        run.set_role_status(self.status("running"))
        for old in run.checkpoints(name)[: -training.config.keep_checkpoints]:
            if old.name != f"step-{self.best_step}":
                shutil.rmtree(old, ignore_errors=True)

    def _report(self, step: Step, now: float) -> None:
        loss = self.trainer.last_loss
        elapsed = max(1e-6, now - self.reported)
        metrics = Metrics(
            role=self.training.role.name,
            step=self.step,
            total_steps=len(self.plan.steps),
            epoch=round(step.epoch, 4),
            loss=round(loss, 6),
            learning_rate=self.trainer._get_learning_rate(),
            tokens_per_s=round(self.tokens / elapsed, 1),
            memory_bytes=memory_bytes(),
            elapsed_s=round(now - self.began, 3),
        )
        self.training.reporter.emit(metrics)
        self.curves.training(metrics)
        self.training.reporter.progress(
            f"{self.training.role.title}: training", self.step, len(self.plan.steps), f"loss {loss:.3f}"
        )
        self.tokens, self.reported = 0, now

    def _look(self) -> None:
        training, shards = self.training, self.trainer.shards
        if not training.held_encoded:
            return
        network = shards.plain() if shards else training.network
        if not processes.first():
            return
        if shards:
            network = network.to(self.trainer.args.device)
        network.eval()
        longest = max(len(e.target) for e in training.held_encoded)
        student = Student(network, training.text, training.about(self.step))
        found: Look = look(
            student, training.held_examples, training.config.held_out_judged, self._held_out_loss(network),
            self.runner, DecodingSettings(max_new_tokens=longest + 8),
            lambda: training.control.stop_requested,
        )  # fmt: skip
        network.cpu() if shards else network.train()
        if training.control.stop_requested:
            # what was cut short is neither shown in place of the look before nor compared with it
            return
        event = HeldOut(training.role.name, self.step, found.loss, found.accuracy, found.samples)
        training.reporter.emit(event)
        self.curves.held_out(event)
        score = found.score_by(training.config.best_by)
        if score is not None and (self.best_score is None or score > self.best_score):
            self.best_score, self.best_step, self.worse = score, self.step, 0
        else:
            self.worse += 1
        self.reported = time.monotonic()

    def _agree(self) -> None:
        """Have all processes know what the look of the first one found."""
        least = -1e300
        score = least if self.best_score is None else self.best_score
        told = processes.told_by_first([score, self.best_step, self.worse], self.trainer.args.device)
        self.best_score = None if told[0] == least else told[0]
        self.best_step, self.worse = int(told[1]), int(told[2])
        self._keep()

    @torch.inference_mode()
    def _held_out_loss(self, network: Any) -> float:
        encoded = self.training.held_encoded
        plan = BatchPlan(encoded, 1, "examples", 1)
        total = 0.0
        everything = range(len(encoded))
        budget = self.trainer.micro_tokens
        for _, batch in self.trainer.form.micro_batches(plan, encoded, everything, budget):
            with self.trainer.accelerator.autocast():
                total += float(token_losses(network, batch.to(self.trainer.args.device)))
        return round(total / int(plan.targets.sum()), 6)


def memory_bytes() -> int:
    """Return the peak GPU memory of this process, or its resident memory where there is no GPU."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
