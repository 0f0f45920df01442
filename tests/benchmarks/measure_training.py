"""Measure training against the stock Seq2SeqTrainer: useful target tokens per second of processor time.

    OMP_NUM_THREADS=1 python tests/benchmarks/measure_training.py [tiny|flan-t5-small] [steps] [rounds]
    OMP_NUM_THREADS=1 python tests/benchmarks/measure_training.py loss [epochs]
    python tests/benchmarks/measure_training.py gpu [steps] [rounds]

The stock trainer pads sources and targets to 256 tokens, batch 8; "dynamic" pads to the longest of its
batch. Ours computes the same number of examples a step by our batch plan, padded or packed. The four are
measured in turns, and the ratio is that of the medians. Sample problems by default; recorded programs where
../shared holds them. `loss` compares the held-out loss of the tiny student on sample problems after equal
epochs, three seeds each. `gpu` does all this for FlanT5-small, -base and -large in bf16 with steps of 64
examples (the stock trainer adds up eight batches), with the memory at its peak and the share of the card's
own rate of bf16 matrix products; the clock is wall time after synchronising.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments

from training_backend import methods
from training_backend.events import Control, Reporter
from training_backend.students.base_names import demo_tokenizer_dir
from training_backend.students.base_student import load_base, quiet_libraries
from training_backend.students.batches import BatchPlan, collate, encode_examples
from training_backend.students.examples import build_examples
from training_backend.students.losses import token_losses
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import prepare_run
from training_backend.students.text import StudentText
from training_backend.students.trainer import StudentTrainer
from training_backend.students.training import Training

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("KPDD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
T5 = Path(os.environ.get("KPDD_T5_TOKENIZER", REPOSITORY.parent / "shared" / "t5-tokenizer"))
PAD = 256


@dataclass(frozen=True)
class Row:
    row_id: int
    question_id: int
    question: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str


def rows(count: int) -> tuple[list[Row], Path]:
    """Return rows and the folder of the vocabulary that carries them: recorded ones where they are."""
    recorded = SHARED / "teacher" / "faithful_cot" / "GSM8K" / "gpt4_noNL.jsonl.gz"
    if recorded.is_file() and (T5 / "tokenizer.json").is_file():
        questions = (SHARED / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
        with gzip.open(recorded, "rt", encoding="utf-8") as lines:
            data = [json.loads(line) for line in lines][:count]
        texts = [(json.loads(questions[row["id"]])["question"], row["completion"]) for row in data]
        return [Row(n, n, q, None, q[-60:], (q[:60],), "pot", p) for n, (q, p) in enumerate(texts)], T5
    return sample_rows(count)


def sample_rows(count: int) -> tuple[list[Row], Path]:
    """Return rows of made problems and the folder of the demo's vocabulary."""
    from training_backend.teacher.problem_grammar import generate

    made = list(generate(count, 1))
    return [
        Row(n, n, p.question, p.answer, p.key_points.core_question, p.key_points.information, "pot", p.pot)
        for n, p in enumerate(made)
    ], demo_tokenizer_dir()


class Clock:
    """Processor time without a GPU (other programs do not count), wall time with one."""

    def __init__(self) -> None:
        self.gpu = torch.cuda.is_available()
        self.began = self.now()

    def now(self) -> float:
        if self.gpu:
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    def seconds(self) -> float:
        return self.now() - self.began


def stock(base: str, vocabulary: Path, encoded, steps: int, fixed: bool, seed: int = 0, added_up: int = 1):
    """Return (useful target tokens per second of the stock trainer, its network).

    A step is `added_up` batches of eight.
    """
    network, _, _ = load_base(base, seed)
    text = StudentText.for_folder(vocabulary)
    items = [{"input_ids": e.source[:PAD], "labels": e.target[:PAD]} for e in encoded]

    class Collator(DataCollatorForSeq2Seq):
        def __init__(self) -> None:
            self.text, self.useful = text, 0

        def __call__(self, features, return_tensors=None):
            self.useful += sum(len(f["labels"]) for f in features)

            def pad(name: str, value: int) -> torch.Tensor:
                width = PAD if fixed else max(len(f[name]) for f in features)
                return torch.tensor([f[name] + [value] * (width - len(f[name])) for f in features])

            ids = pad("input_ids", text.pad_id)
            mask = (ids != text.pad_id).long()
            return {"input_ids": ids, "attention_mask": mask, "labels": pad("labels", -100)}

    args = Seq2SeqTrainingArguments(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=8, max_steps=steps, learning_rate=1e-3,
        gradient_accumulation_steps=added_up, report_to=[], save_strategy="no", logging_strategy="no",
        disable_tqdm=True, seed=seed,
        remove_unused_columns=False, use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
    )  # fmt: skip
    collator = Collator()
    trainer = Seq2SeqTrainer(model=network, args=args, train_dataset=items, data_collator=collator)
    trainer.remove_callback(PrinterCallback)
    clock = Clock()
    trainer.train()
    return collator.useful / clock.seconds(), network


def ours(base: str, data: list[Row], steps: int, packing: bool, seed: int = 0, batch: int = 8):
    """Return (useful target tokens per second of our plan, its network); no checkpoints, no looks."""
    config = RunConfig(
        method="potd", base=base, epochs=0, max_steps=steps, batch=batch, held_out=0, learning_rate=1e-3,
        save_every=10**6, eval_every=10**6, max_source_tokens=PAD, max_target_tokens=PAD, packing=packing,
        damaged="leave out", seed=seed,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        run = prepare_run(Path(folder) / "run", config, data)
        work = Training(run, run.method.roles[0], Reporter(quiet=True), Control(), False)
        plan = BatchPlan(work.encoded, batch, "examples", 0, steps, seed)
        trainer = StudentTrainer(work, plan)
        clock = Clock()
        trainer.train()
        useful = sum(plan.tokens(step) for step in plan.steps)
    return useful / clock.seconds(), work.network


def fitting(data: list[Row], text: StudentText) -> tuple[list[Row], list]:
    """Return the rows that fit, and their ids."""
    kept, encoded, _ = encode_examples(build_examples(methods.get("potd").roles[0], data), text, PAD, PAD)
    names = {example.id for example in kept}
    return [row for row in data if str(row.row_id) in names], encoded


def measure_speed(geometry: str, steps: int, rounds: int, added_up: int = 1) -> None:
    """Print useful target tokens per second, as ratios to the stock trainer."""
    # enough that the plan can choose which lengths meet, as in a whole run
    data, vocabulary = rows(8 * added_up * max(steps, 16))
    base = f"tiny:{vocabulary}" if geometry == "tiny" else f"random:{geometry}:{vocabulary}"
    text = StudentText.for_folder(vocabulary)
    data, encoded = fitting(data, text)
    ways = {
        f"stock, padded to {PAD}/{PAD}": (stock, base, vocabulary, encoded, steps, True, 0, added_up),
        "stock, dynamic padding": (stock, base, vocabulary, encoded, steps, False, 0, added_up),
        "ours": (ours, base, data, steps, False, 0, 8 * added_up),
        "ours, packed": (ours, base, data, steps, True, 0, 8 * added_up),
    }
    seen: dict[str, list[Speed]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            # each in a process of its own, so that none has the memory, or the settings, of another
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                seen[name].append(alone.apply(speed, (encoded, *way)))
    rates = {name: statistics.median(each.tokens_per_s for each in found) for name, found in seen.items()}
    padded, dynamic = list(rates.values())[:2]
    print(f"{geometry}, {steps} steps of {8 * added_up} examples, {rounds} rounds, useful target tokens/s:")
    for name, rate in rates.items():
        print(f"  {name:<26}{rate:9.1f}   {rate / padded:.2f} x padded, {rate / dynamic:.2f} x dynamic")
        if torch.cuda.is_available():
            share = rate * seen[name][0].operations / matmul_rate()
            peak = max(each.peak_bytes for each in seen[name]) / 2**30
            print(f"{'':28}{peak:.2f} GiB, {share:.1%} of the card's bf16 matrix products")


@dataclass(frozen=True)
class Speed:
    tokens_per_s: float
    peak_bytes: int
    operations: float


def speed(encoded, way, *arguments) -> Speed:
    """Return what one way of training comes to."""
    quiet_libraries()
    rate, network = way(*arguments)
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return Speed(rate, peak, operations(network, encoded))


def operations(network, encoded) -> float:
    """Return the floating-point operations of learning one useful target token: six a weight it passes."""
    source, target = (sum(len(getattr(e, side)) for e in encoded) for side in ("source", "target"))
    reads, writes = (
        sum(p.numel() for p in side.block.parameters()) for side in (network.encoder, network.decoder)
    )
    return 6 * (reads * source / target + writes + network.lm_head.weight.numel())


def matmul_rate() -> float:
    """Return the floating-point operations per second of one large bf16 product on this card."""
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    for _ in range(3):
        a @ a
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(20):
        a @ a
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.perf_counter() - began)


def measure_loss(epochs: int) -> None:
    """Print the held-out loss after equal epochs, of both trainers with three seeds each."""
    data, vocabulary = sample_rows(720)
    text = StudentText.for_folder(vocabulary)
    data, encoded = fitting(data, text)
    count = len(data) * 5 // 6 // 8 * 8
    steps = epochs * count // 8
    held = collate(encoded[count:], text.pad_id, text.pad_id)
    wanted = sum(len(e.target) for e in encoded[count:])

    def loss(network) -> float:
        network.eval()
        with torch.inference_mode():
            return float(token_losses(network, held.to(next(network.parameters()).device))) / wanted

    base = f"tiny:{vocabulary}"
    losses = {
        "stock": [loss(stock(base, vocabulary, encoded[:count], steps, False, s)[1]) for s in range(3)],
        "ours": [loss(ours(base, data[:count], steps, False, s)[1]) for s in range(3)],
        "ours, packed": [loss(ours(base, data[:count], steps, True, s)[1]) for s in range(3)],
    }
    print(f"held-out loss of tiny after {epochs} epochs of {count} examples, three seeds:")
    for name, found in losses.items():
        print(f"  {name:<14}" + "  ".join(f"{each:.4f}" for each in found))


def main() -> None:
    """Print what was asked for."""
    what, *counts = [*sys.argv[1:], *["tiny"][len(sys.argv) - 1 :]]
    numbers = [int(count) for count in counts]
    quiet_libraries()
    if what == "loss":
        measure_loss(*numbers or [3])
    elif what == "gpu":
        if not torch.cuda.is_available():
            sys.exit("There is no CUDA device here.")
        print(f"{torch.cuda.get_device_name()}: {matmul_rate() / 1e12:.0f} TFLOP/s of bf16 matrix products")
        for geometry in ("flan-t5-small", "flan-t5-base", "flan-t5-large"):
            measure_speed(geometry, *numbers, *[20, 3][len(numbers) :], added_up=8)
    else:
        measure_speed(what, *numbers, *[20, 3][len(numbers) :])


if __name__ == "__main__":
    main()
