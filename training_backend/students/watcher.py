"""What happens between the steps of a training: figures, stop and pause, held-out looks."""

from __future__ import annotations

import math
import os
import shutil
import time
from typing import TYPE_CHECKING

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from training_backend.errors import DatasetError
from training_backend.events import Checkpoint, HeldOut, Metrics
from training_backend.execution.runner import ProgramRunner
from training_backend.students.batches import BatchPlan, Encoded, Step, collate, token_losses
from training_backend.students.decoding import DecodingSettings, Student
from training_backend.students.held_out import Look, look
from training_backend.students.run_folder import RoleStatus
from training_backend.students.trainer import StudentTrainer

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
        self.best_step, self.best_score, self.worse = 0, None, 0
        self.early = False
        if training.resume_from is not None:
            old = training.run.role_status(training.role.name)
            self.best_step, self.best_score = old.best_step, old.best_score

    def status(self, word: str) -> RoleStatus:
        """Return where the training stands."""
        return RoleStatus(
            self.training.role.name, word, self.step, len(self.plan.steps), self.best_step, self.best_score,
            pid=os.getpid(),
        )  # fmt: skip

    def on_train_begin(self, args, state: TrainerState, control: TrainerControl, **kwargs) -> None:
        """Say what begins."""
        training = self.training
        self.step = state.global_step
        device = str(args.device)
        training.reporter.log(
            f"{training.role.title}: {len(training.encoded)} examples, {len(self.plan.steps)} steps, "
            f"{sum(p.numel() for p in training.network.parameters()) / 1e6:.2f} million weights, "
            f"{self.trainer.precision} on {device}, text: {training.text.rule.way}"
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
        stop = ask.stop_requested
        if (self.step % self.eval_every == 0 or last) and not stop:
            self._look()
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
        folder = run.checkpoints_dir(name) / f"step-{self.step}"
        kind = "best" if self.step == self.best_step else "step"
        training.reporter.emit(Checkpoint(name, self.step, str(folder), kind))
        run.set_role_status(self.status("running"))
        for old in run.checkpoints(name)[: -training.config.keep_checkpoints]:
            if old.name != f"step-{self.best_step}":
                shutil.rmtree(old, ignore_errors=True)

    def _report(self, step: Step, now: float) -> None:
        loss = float(self.trainer.last_loss)
        if not math.isfinite(loss):
            rows = ", ".join(self.training.train_examples[i].id for i in step.indices[:20])
            raise DatasetError(
                f"The loss is not a number at step {self.step} (rows {rows}).",
                "Lower the learning rate, or resume from the last checkpoint with another seed.",
                str(self.training.run.examples_file(self.training.role.name)),
            )
        elapsed = max(1e-6, now - self.reported)
        self.training.reporter.emit(
            Metrics(
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
        )
        self.training.reporter.progress(
            f"{self.training.role.title}: training", self.step, len(self.plan.steps), f"loss {loss:.3f}"
        )
        self.tokens, self.reported = 0, now

    def _look(self) -> None:
        training = self.training
        if not training.held_encoded:
            return
        training.network.eval()
        longest = max(len(e.target) for e in training.held_encoded)
        student = Student(training.network, training.text, training.about(self.step))
        found: Look = look(
            student, training.held_examples, training.config.held_out_judged, self._held_out_loss(),
            self.runner, DecodingSettings(max_new_tokens=longest + 8),
            lambda: training.control.stop_requested,
        )  # fmt: skip
        training.network.train()
        training.reporter.emit(
            HeldOut(training.role.name, self.step, found.loss, found.accuracy, found.samples)
        )
        score = found.score
        if score is not None and (self.best_score is None or score > self.best_score):
            self.best_score, self.best_step, self.worse = score, self.step, 0
        else:
            self.worse += 1
        self.reported = time.monotonic()

    @torch.inference_mode()
    def _held_out_loss(self) -> float:
        training, encoded = self.training, self.training.held_encoded
        plan = BatchPlan(encoded, 1, "examples", 1)
        total = tokens = 0.0
        for group in plan.micro_batches(range(len(encoded)), self.trainer.micro_tokens):
            pairs: list[Encoded] = [encoded[i] for i in group]
            batch = collate(pairs, training.text.pad_id, self.trainer.start_id)
            total += float(token_losses(training.network, batch.to(self.trainer.args.device)))
            tokens += sum(len(pair.target) for pair in pairs)
        return round(total / tokens, 6)


def memory_bytes() -> int:
    """Return the peak GPU memory of this process, or its resident memory where there is no GPU."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
