"""Training one student: transformers' Seq2SeqTrainer carries the run; batch plan and checkpoints are ours."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import (
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    set_seed,
)

from training_backend.errors import ConfigError, DatasetError, StoreError
from training_backend.events import Checkpoint, Control, HeldOut, Metrics, Reporter
from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS, Role
from training_backend.students.base_student import (
    generation_config,
    load_base,
    load_network,
    quiet_libraries,
    save_student_files,
)
from training_backend.students.batches import (
    BatchPlan,
    Encoded,
    Step,
    StepLoader,
    collate,
    encode_examples,
    token_losses,
)
from training_backend.students.decoding import DecodingSettings, Student
from training_backend.students.held_out import Look, look
from training_backend.students.optimizer import AdamWScaledByRms
from training_backend.students.run_config import FP16_REASON, RunConfig
from training_backend.students.run_folder import (
    RoleStatus,
    RunFolder,
    read_role_examples,
    replace_folder,
)
from training_backend.students.text import StudentText

EVENTS_EVERY_S = 0.1
_MICRO_TOKENS = {"cpu": 4096, "cuda": 65536}
RESUME_FILES = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


def choose_precision(wanted: str, device: torch.device) -> str:
    """Return bf16 or fp32 for `auto` by what the device computes natively; ConfigError for fp16.

    CPUs without native bf16 are three times slower in it, so a CPU gets fp32 unless it has AMX tiles.
    """
    if wanted == "fp16":
        raise ConfigError(f"fp16 is refused: {FP16_REASON}.", "Choose auto, bf16 or fp32.")
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "fp32"


def train_role(
    run: RunFolder, role: Role, reporter: Reporter, control: Control, resume: bool = False
) -> RoleStatus:
    """Train the student `role` of a run and leave it in `students/<role>`; return where it stands.

    With `resume` the newest checkpoint is continued on the same curve. A stop keeps a checkpoint at the step
    border. Raises DatasetError when nothing can be learned from, CheckpointError for a broken base.
    """
    quiet_libraries()
    config = run.config
    if config.threads:
        torch.set_num_threads(config.threads)
    status = RoleStatus(role.name, "running", pid=os.getpid())
    run.set_role_status(status)
    try:
        status = _Training(run, role, reporter, control, resume).train()
    except BaseException as error:
        last = run.role_status(role.name)
        word = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        with contextlib.suppress(OSError):
            run.set_role_status(RoleStatus(**{**last.__dict__, "status": word, "error": str(error)[:2000]}))
        raise
    return status


class _Training:
    """One training of one role: what belongs together from loading to the finished student."""

    def __init__(
        self, run: RunFolder, role: Role, reporter: Reporter, control: Control, resume: bool
    ) -> None:
        self.run, self.role, self.reporter, self.control = run, role, reporter, control
        self.config: RunConfig = run.config
        checkpoints = run.checkpoints(role.name)
        self.resume_from: Path | None = checkpoints[-1] if resume and checkpoints else None
        if resume and self.resume_from is None:
            reporter.log(f"{role.title}: there is no checkpoint to resume, training starts from the base.")
        if not resume and checkpoints:
            shutil.rmtree(run.checkpoints_dir(role.name))
        self._load()
        self._read_examples()

    def _load(self) -> None:
        config = self.config
        set_seed(config.seed)
        self.reporter.progress(f"{self.role.title}: loading", 0, 0, config.base)
        self.network, self.text, self.tokenizer_dir = load_base(config.base, config.seed, config.split_digits)
        if self.resume_from is not None:
            self.text = StudentText.for_folder(self.resume_from)
            self.network = load_network(self.resume_from)
            self.tokenizer_dir = self.resume_from
        if config.dropout >= 0:
            set_dropout(self.network, config.dropout)
        if config.gradient_checkpointing:
            # the old name serves transformers before 5.20
            enable = getattr(self.network, "activation_checkpointing_enable", None)
            (enable or self.network.gradient_checkpointing_enable)()

    def _read_examples(self) -> None:
        config, title = self.config, self.role.title
        train, held = read_role_examples(self.run, self.role.name)
        limits = (config.max_source_tokens, config.max_target_tokens)
        self.reporter.progress(f"{title}: checking texts", 0, len(train) + len(held))
        self.train_examples, self.encoded, fitness = encode_examples(train, self.text, *limits)
        self.held_examples, self.held_encoded, _ = encode_examples(held, self.text, *limits)
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
        config = self.config
        plan = BatchPlan(
            self.encoded, config.batch, config.batch_unit, config.epochs, config.max_steps, config.seed
        )
        judged = any(task.writes in KINDS for task in self.role.tasks) and bool(self.held_examples)
        runner = ProgramRunner(workers=1, limits=Limits()) if judged and config.held_out_judged else None
        with runner or contextlib.nullcontext():
            trainer = StudentTrainer(self, plan)
            watcher = Watcher(self, plan, trainer, runner)
            trainer.add_callback(watcher)
            trainer.train(resume_from_checkpoint=str(self.resume_from) if self.resume_from else None)
        stopped = self.control.stop_requested and watcher.step < len(plan.steps) and not watcher.early
        return self._finish(watcher, len(plan.steps), stopped)

    def _finish(self, watcher: Watcher, total: int, stopped: bool) -> RoleStatus:
        run, name = self.run, self.role.name
        status = watcher.status("stopped" if stopped else "done")
        if not stopped:
            best = run.checkpoints_dir(name) / f"step-{watcher.best_step}"
            taken = best if self.config.take == "best" and watcher.best_step and best.is_dir() else None
            taken = taken or run.checkpoints(name)[-1]
            self._publish(taken)
            step = int(taken.name.removeprefix("step-"))
            self.reporter.emit(Checkpoint(name, step, str(run.student_dir(name)), "final"))
        run.set_role_status(status)
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


class StudentTrainer(Seq2SeqTrainer):
    """Seq2SeqTrainer over our plan: an item of its loader is a whole step, cut here into micro-batches."""

    def __init__(self, training: _Training, plan: BatchPlan) -> None:
        """Make the arguments of the library from the run's settings."""
        config = training.config
        self.training = training
        self.plan = plan
        self.last_loss = torch.zeros(())
        on_gpu = torch.cuda.is_available()
        device = torch.device("cuda" if on_gpu else "cpu")
        self.precision = choose_precision(config.precision, device)
        total = len(plan.steps)
        warmup = config.warmup if config.warmup >= 1 else config.warmup * total
        schedule = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}[
            config.schedule
        ]
        optimizer = "adafactor" if config.optimizer == "adafactor" else "adamw_torch"
        args = Seq2SeqTrainingArguments(
            output_dir=str(training.run.checkpoints_dir(training.role.name)),
            max_steps=total,
            learning_rate=config.learning_rate,
            lr_scheduler_type=schedule,
            warmup_steps=min(math.ceil(warmup), total),
            weight_decay=config.weight_decay,
            max_grad_norm=config.clip,
            optim="adamw_torch_fused" if on_gpu and optimizer == "adamw_torch" else optimizer,
            bf16=self.precision == "bf16",
            seed=config.seed,
            use_cpu=not on_gpu,
            # the plan skips to the step of a resumed run by itself
            ignore_data_skip=True,
            logging_strategy="no",
            save_strategy="no",
            eval_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            logging_nan_inf_filter=False,
        )
        super().__init__(model=training.network, args=args, train_dataset=plan.steps)
        self.remove_callback(PrinterCallback)
        self.micro_tokens = config.micro_tokens or _MICRO_TOKENS.get(device.type, 4096)
        self.start_id = generation_config(training.network, training.text).decoder_start_token_id

    def get_train_dataloader(self) -> StepLoader:
        """Return the steps that are left."""
        start = int(self.training.resume_from.name.removeprefix("step-")) if self.training.resume_from else 0
        return StepLoader(self.plan, start)

    def _get_num_items_in_batch(self, batch_samples, device):
        """Leave the division to `training_step`, which knows the tokens of the step."""
        return None

    def floating_point_ops(self, inputs) -> int:
        """Not counted here."""
        return 0

    def create_optimizer(self, model=None) -> torch.optim.Optimizer:
        """Make ours where it is chosen, else the library's."""
        config = self.training.config
        if config.optimizer != "adamw-rms":
            return super().create_optimizer(model)
        made = AdamWScaledByRms(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.optimizer: torch.optim.Optimizer = made
        return made

    def training_step(self, model, inputs: Step, num_items_in_batch=None) -> torch.Tensor:
        """Compute the gradient of one step: the sum over its tokens divided by their number.

        With several processes each takes a part of the step's examples; the gradients that the processes
        average are scaled back, so the curve is that of one process. Out of memory halves the micro-batch.
        """
        model.train()
        rank, world = self.args.process_index, self.args.world_size
        mine = inputs.indices[rank::world] or inputs.indices[:1]
        weight = 1.0 if inputs.indices[rank::world] else 0.0
        scale = weight * world / self.plan.tokens(inputs)
        while True:
            try:
                self.last_loss = self._gradients(model, mine, scale) / world
                return self.last_loss
            except torch.cuda.OutOfMemoryError as error:
                self._shrink(model, mine, error)

    def _gradients(self, model, indices, scale: float) -> torch.Tensor:
        groups = list(self.plan.micro_batches(indices, self.micro_tokens))
        total = torch.zeros((), device=self.args.device)
        for n, group in enumerate(groups):
            encoded = [self.training.encoded[i] for i in group]
            batch = collate(encoded, self.training.text.pad_id, self.start_id).to(self.args.device)
            last = n == len(groups) - 1
            with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss = token_losses(model, batch) * scale
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _shrink(self, model, indices, error: Exception) -> None:
        model.zero_grad()
        torch.cuda.empty_cache()
        longest = max(int(self.plan.sources[i] + self.plan.targets[i]) for i in indices)
        if self.micro_tokens <= longest:
            raise ConfigError(
                f"One example of {longest} tokens does not fit the device's memory.",
                "Use gradient checkpointing, Adafactor, a smaller base student or shorter limits.",
            ) from error
        self.micro_tokens = max(longest, self.micro_tokens // 2)
        self.training.reporter.log(
            f"Out of memory: micro-batches now have {self.micro_tokens} tokens; a step is the same.",
            "warning",
        )

    def _save_checkpoint(self, model, trial) -> None:
        """Write `step-N` under another name first, then rename: what is called `step-N` is complete."""
        training, step = self.training, self.state.global_step
        folder = training.run.checkpoints_dir(training.role.name)
        final, temporary = folder / f"step-{step}", folder / f".new-step-{step}"
        if final.is_dir():
            return
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            if self.args.should_save:
                network = self.accelerator.unwrap_model(self.model)
                save_student_files(temporary, network, training.text, training.tokenizer_dir)
                about = json.dumps(training.about(step), ensure_ascii=False, indent=1)
                (temporary / "student.json").write_text(about + "\n", encoding="utf-8")
                self._save_optimizer_and_scheduler(str(temporary))
                self.state.save_to_json(str(temporary / "trainer_state.json"))
                self._save_rng_state(str(temporary))
                replace_folder(temporary, final)
        except Exception as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError) or "space left" in str(error).lower() or "I/O" in str(error):
                kept = training.run.checkpoints(training.role.name)
                raise StoreError(
                    f"The checkpoint of step {step} could not be written ({error}).",
                    f"{kept[-1].name} is the last good one; free some space and resume the run."
                    if kept
                    else "Free some space and start the run again.",
                    str(final),
                ) from error
            raise


class Watcher(TrainerCallback):
    """Reports figures, obeys stop and pause, looks at held-out questions and asks for checkpoints."""

    def __init__(
        self, training: _Training, plan: BatchPlan, trainer: StudentTrainer, runner: ProgramRunner | None
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


def set_dropout(network: Any, rate: float) -> None:
    """Set the dropout of every layer and of the configuration."""
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
        # the attention of some networks keeps its own
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = rate
    network.config.dropout_rate = rate


def memory_bytes() -> int:
    """Return the peak GPU memory of this process, or its resident memory where there is no GPU."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
