"""The stock Seq2SeqTrainer over our batch plan: precision, gradients of a whole step, atomic checkpoints."""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments

from training_backend.errors import ConfigError, DatasetError, StoreError
from training_backend.students import processes
from training_backend.students.base_student import generation_config, kind_of, save_student_files
from training_backend.students.batches import BatchPlan, Form, Step, StepLoader
from training_backend.students.losses import token_losses
from training_backend.students.optimizer import AdamWScaledByRms
from training_backend.students.packing import require_packable
from training_backend.students.run_config import FP16_REASON
from training_backend.students.run_folder import replace_folder
from training_backend.students.sharding import Shards, require_shardable

if TYPE_CHECKING:
    from training_backend.students.training import Training

_MICRO_TOKENS = {"cpu": 4096, "cuda": 65536}
# a student with a large vocabulary is a large one: FlanT5-base keeps 1 MiB a token for the way back
_LARGE_VOCABULARY, _MICRO_TOKENS_LARGE = 8192, 1536
# a pause, or a look at many held-out questions, keeps the other processes waiting
_WAIT_S = 7 * 24 * 3600
# where in a checkpoint stands what the watcher knew: the best look, the looks since, the micro-batch
PROGRESS_FILE = "progress.json"
# of glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


def choose_precision(wanted: str, device: torch.device) -> str:
    """Return bf16 or fp32 for `auto` by what the device computes natively; ConfigError for fp16.

    CPUs without native bf16 are three times slower in it, and with it (AVX512-BF16) 1.4 times faster; `auto`
    is fp32 on all of them.
    """
    if wanted == "fp16":
        raise ConfigError(f"fp16 is refused: {FP16_REASON}.", "Choose auto, bf16 or fp32.")
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "fp32"


class StudentTrainer(Seq2SeqTrainer):
    """Seq2SeqTrainer over our plan: an item of its loader is a whole step, cut here into micro-batches."""

    def __init__(self, training: Training, plan: BatchPlan) -> None:
        """Make the arguments of the library from the run's settings."""
        config = training.config
        self.training = training
        self.plan = plan
        self.last_loss = 0.0
        # what a checkpoint keeps beside the library's state; the watcher fills it
        self.progress: dict[str, float | None] = {}
        on_gpu = torch.cuda.is_available()
        device = torch.device("cuda" if on_gpu else "cpu")
        self.precision = choose_precision(config.precision, device)
        if not on_gpu:
            keep_freed_memory()
        total = len(plan.steps)
        warmup = config.warmup if config.warmup >= 1 else config.warmup * total
        schedule = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}[
            config.schedule
        ]
        args = Seq2SeqTrainingArguments(
            output_dir=str(training.run.checkpoints_dir(training.role.name)),
            max_steps=total,
            learning_rate=config.learning_rate,
            lr_scheduler_type=schedule,
            warmup_steps=min(math.ceil(warmup), total),
            weight_decay=config.weight_decay,
            max_grad_norm=config.clip,
            optim="adafactor" if config.optimizer == "adafactor" else "adamw_torch_fused",
            bf16=self.precision == "bf16",
            seed=config.seed,
            use_cpu=not on_gpu,
            ddp_timeout=_WAIT_S,
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
        if config.packing:
            require_packable(training.network)
        self.shards = None
        if training.shard:
            require_shardable(config)
            self.shards = Shards(training.network, args.device)
        super().__init__(model=training.network, args=args, train_dataset=plan.steps)
        self.remove_callback(PrinterCallback)
        large = device.type == "cpu" and training.text.size > _LARGE_VOCABULARY
        usual = _MICRO_TOKENS_LARGE if large else _MICRO_TOKENS.get(device.type, 4096)
        self.micro_tokens = config.micro_tokens or usual
        start = getattr(generation_config(training.network, training.text), "decoder_start_token_id", None)
        start_id = training.text.pad_id if start is None else start
        self.form = Form(kind_of(training.network), training.text.pad_id, start_id, config.packing)

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

        With several processes each takes a part of the step's examples, and their gradients are added up, so
        the curve is that of one process. Out of memory halves the micro-batch, in all processes alike.
        DatasetError where the loss is no number: the weights are still those of the step before.
        """
        model.train()
        mine = inputs.indices[processes.rank() :: processes.world()]
        scale = 1.0 / self.plan.tokens(inputs)
        while True:
            loss, odd, error = self._gradients(mine or inputs.indices[:1], scale * bool(mine))
            if not processes.most(float(error is not None), self.args.device):
                break
            self._shrink(model, inputs.indices, error)
        if processes.world() > 1:
            processes.add_up([*([] if self.shards else self._whole_gradients()), loss])
        self.last_loss = float(loss)
        if not math.isfinite(self.last_loss):
            self.refuse_step(inputs, odd)
        return loss

    def _gradients(
        self, indices: Sequence[int], scale: float
    ) -> tuple[torch.Tensor, list[int], Exception | None]:
        """Add up the gradients of some examples; return the loss, whose loss is no number, what failed."""
        total = torch.zeros((), device=self.args.device)
        seen: list[tuple[list[int], torch.Tensor]] = []
        parts = self.form.micro_batches(self.plan, self.training.encoded, indices, self.micro_tokens)
        try:
            for part, batch, weight in self._in_step(list(parts)):
                with self.accelerator.autocast():
                    loss = token_losses(self.training.network, batch.to(self.args.device)) * scale * weight
                # shards are averaged over the processes, not added up
                self.accelerator.backward(loss * processes.world() if self.shards else loss)
                seen.append((part, loss.detach()))
                total += loss.detach()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self.shards:
                # the other processes wait within a layer
                raise ConfigError(
                    f"Micro-batches of {self.micro_tokens} tokens do not fit the device's memory.",
                    "Set a smaller micro-batch; sharded runs cannot make it smaller by themselves.",
                ) from error
            # its traceback would keep the tensors that did not fit
            return total, [], error.with_traceback(None)
        if torch.isfinite(total):
            return total, [], None
        return total, [i for part, loss in seen if not torch.isfinite(loss) for i in part], None

    def _in_step(self, parts: list) -> Iterator[tuple[list[int], Any, float]]:
        """Yield (indices, micro-batch, weight); of shards every process must compute the same number."""
        count = int(processes.most(len(parts), self.args.device)) if self.shards else len(parts)
        for n in range(count):
            part, batch = parts[n if n < len(parts) else 0]
            yield part, batch, float(n < len(parts))

    def _whole_gradients(self) -> list[torch.Tensor]:
        learning = [p for p in self.training.network.parameters() if p.requires_grad]
        for p in learning:
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return [p.grad for p in learning if p.grad is not None]

    def refuse_step(self, step: Step, odd: Sequence[int] = ()) -> None:
        """Raise DatasetError that names the step and the rows whose loss, or gradient, is no number."""
        names = [self.training.train_examples[i].id for i in odd or step.indices]
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        raise DatasetError(
            f"The loss is not a number at step {step.number + 1} (rows {', '.join(names[:20])}{more}).",
            "Lower the learning rate, or resume from the last checkpoint with another seed.",
            str(self.training.run.examples_file(self.training.role.name)),
        )

    def _get_grad_norm(self, model, grad_norm=None):
        """Return the norm of the gradient; refuse a step whose gradient is no number before it is taken."""
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        if norm is not None and not math.isfinite(float(norm)):
            self.refuse_step(self.plan.steps[self.state.global_step])
        return norm

    def _shrink(self, model, indices: Sequence[int], error: Exception | None) -> None:
        model.zero_grad()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        longest = max(int(self.plan.sources[i] + self.plan.targets[i]) for i in indices)
        if self.micro_tokens <= longest:
            raise ConfigError(
                f"One example of {longest} tokens does not fit the device's memory.",
                "Use gradient checkpointing, Adafactor, LoRA, a smaller base student or shorter limits.",
            ) from error
        self.micro_tokens = max(longest, self.micro_tokens // 2)
        self.training.reporter.log(
            f"Out of memory: micro-batches now have {self.micro_tokens} tokens; a step is the same.",
            "warning",
        )

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model=None) -> None:
        """Load nothing: the network was read from the checkpoint, before it was spread or moved."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Load the moments and the schedule, of shards in our own way."""
        if not self.shards or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        self.shards.load_optimizer(self.optimizer, Path(checkpoint) / "optimizer.pt")
        schedule = torch.load(Path(checkpoint) / "scheduler.pt", map_location="cpu", weights_only=True)
        self.lr_scheduler.load_state_dict(schedule)

    def _save_checkpoint(self, model, trial) -> None:
        """Write `step-N` under another name first, then rename: what is called `step-N` is complete."""
        training, step = self.training, self.state.global_step
        folder = training.run.checkpoints_dir(training.role.name)
        final, temporary = folder / f"step-{step}", folder / f".new-step-{step}"
        if final.is_dir():
            return
        network = self.shards.plain() if self.shards else training.network
        try:
            if processes.first():
                shutil.rmtree(temporary, ignore_errors=True)
                save_student_files(temporary, network, training.text, training.tokenizer_dir)
                about = json.dumps(training.about(step), ensure_ascii=False, indent=1)
                (temporary / "student.json").write_text(about + "\n", encoding="utf-8")
                if not self.shards:
                    self._save_optimizer_and_scheduler(str(temporary))
                self.state.save_to_json(str(temporary / "trainer_state.json"))
                kept = json.dumps({**self.progress, "micro_tokens": self.micro_tokens})
                (temporary / PROGRESS_FILE).write_text(kept, encoding="utf-8")
            processes.all_here()
            if self.shards:
                self.shards.save_optimizer(self.optimizer, temporary / "optimizer.pt")
                if processes.first():
                    torch.save(self.lr_scheduler.state_dict(), temporary / "scheduler.pt")
            # every process has random numbers of its own
            self._save_rng_state(str(temporary))
            processes.all_here()
            if processes.first():
                replace_folder(temporary, final)
            processes.all_here()
        except Exception as error:
            shutil.rmtree(temporary, ignore_errors=True)
            self._refuse_disk(error, str(final), step)
            raise

    def _refuse_disk(self, error: Exception, where: str, step: int) -> None:
        """Raise StoreError where a checkpoint could not be written for want of space."""
        if not isinstance(error, OSError) and not any(
            sign in str(error).lower() for sign in ("space left", "i/o", "iostream", "file write failed")
        ):
            return
        kept = self.training.run.checkpoints(self.training.role.name)
        raise StoreError(
            f"The checkpoint of step {step} could not be written ({error}).",
            f"{kept[-1].name} is the last good one; free some space and resume the run."
            if kept
            else "Free some space and start the run again.",
            where,
        ) from error


def keep_freed_memory() -> None:
    """Have this process keep what it frees: every step wants the same again, and new pages are cleared first.

    Only glibc can be told; the process, which does nothing but train, then stays as large as it ever was.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        tell = ctypes.CDLL(None).mallopt
        tell(_M_MMAP_MAX, 0)
        tell(_M_TRIM_THRESHOLD, 2**31 - 1)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error is a device's, or the machine's, lack of memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(sign in str(error).lower() for sign in _NO_MEMORY)
