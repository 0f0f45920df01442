"""The stock Seq2SeqTrainer over our batch plan: precision, gradients of a whole step, atomic checkpoints."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from typing import TYPE_CHECKING

import torch
from transformers import PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments

from training_backend.errors import ConfigError, StoreError
from training_backend.students.base_student import generation_config, save_student_files
from training_backend.students.batches import BatchPlan, Step, StepLoader, collate, token_losses
from training_backend.students.optimizer import AdamWScaledByRms
from training_backend.students.run_config import FP16_REASON
from training_backend.students.run_folder import replace_folder

if TYPE_CHECKING:
    from training_backend.students.training import Training

_MICRO_TOKENS = {"cpu": 4096, "cuda": 65536}
# on a CPU the scores of a large vocabulary (32,128 in fp32: 128 KiB a token) fill memory and caches
_LARGE_VOCABULARY, _MICRO_TOKENS_LARGE = 8192, 1536


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


class StudentTrainer(Seq2SeqTrainer):
    """Seq2SeqTrainer over our plan: an item of its loader is a whole step, cut here into micro-batches."""

    def __init__(self, training: Training, plan: BatchPlan) -> None:
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
        large = device.type == "cpu" and training.text.size > _LARGE_VOCABULARY
        usual = _MICRO_TOKENS_LARGE if large else _MICRO_TOKENS.get(device.type, 4096)
        self.micro_tokens = config.micro_tokens or usual
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
