"""Measure training against the stock Seq2SeqTrainer: useful target tokens per second of processor time.

    OMP_NUM_THREADS=1 python tests/benchmarks/measure_training.py [tiny|flan-t5-small] [steps]

The stock trainer pads sources and targets to 256 tokens, batch 8; "dynamic" pads to the longest of its
batch. Ours computes the same number of examples a step by our batch plan. Sample problems by default;
recorded programs where ../shared holds them. On a GPU the clock is wall time after synchronising.
"""

from __future__ import annotations

import gzip
import json
import os
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
from training_backend.students.batches import BatchPlan, encode_examples
from training_backend.students.examples import build_examples
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
    """Return rows and the folder of the vocabulary that carries them."""
    recorded = SHARED / "teacher" / "faithful_cot" / "GSM8K" / "gpt4_noNL.jsonl.gz"
    if recorded.is_file() and (T5 / "tokenizer.json").is_file():
        questions = (SHARED / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
        with gzip.open(recorded, "rt", encoding="utf-8") as lines:
            data = [json.loads(line) for line in lines][:count]
        texts = [(json.loads(questions[row["id"]])["question"], row["completion"]) for row in data]
        return [Row(n, n, q, None, q[-60:], (q[:60],), "pot", p) for n, (q, p) in enumerate(texts)], T5
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


def stock(base: str, text: StudentText, encoded, steps: int, fixed: bool) -> float:
    """Return useful target tokens per second of the stock trainer."""
    network, _, _ = load_base(base)
    items = [{"input_ids": e.source[:PAD], "labels": e.target[:PAD]} for e in encoded[: 8 * steps]]

    class Collator(DataCollatorForSeq2Seq):
        def __init__(self) -> None:
            self.text = text

        def __call__(self, features, return_tensors=None):
            def pad(name: str, value: int) -> torch.Tensor:
                width = PAD if fixed else max(len(f[name]) for f in features)
                return torch.tensor([f[name] + [value] * (width - len(f[name])) for f in features])

            ids = pad("input_ids", text.pad_id)
            mask = (ids != text.pad_id).long()
            return {"input_ids": ids, "attention_mask": mask, "labels": pad("labels", -100)}

    args = Seq2SeqTrainingArguments(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=8, max_steps=steps, learning_rate=1e-4,
        report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
        remove_unused_columns=False, use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    trainer = Seq2SeqTrainer(model=network, args=args, train_dataset=items, data_collator=Collator())
    trainer.remove_callback(PrinterCallback)
    clock = Clock()
    trainer.train()
    return sum(len(item["labels"]) for item in items) / clock.seconds()


def ours(base: str, data: list[Row], steps: int, folder: Path) -> float:
    """Return useful target tokens per second of our plan, checkpoints and looks left out."""
    config = RunConfig(
        method="potd", base=base, epochs=0, max_steps=steps, batch=8, held_out=0, learning_rate=1e-4,
        save_every=10**6, eval_every=10**6, max_source_tokens=PAD, max_target_tokens=PAD,
    )  # fmt: skip
    run = prepare_run(folder / "run", config, data)
    work = Training(run, run.method.roles[0], Reporter(quiet=True), Control(), False)
    plan = BatchPlan(work.encoded, 8, "examples", 0, steps, 0)
    trainer = StudentTrainer(work, plan)
    clock = Clock()
    trainer.train()
    return sum(plan.tokens(step) for step in plan.steps) / clock.seconds()


def main() -> None:
    """Print the table."""
    geometry = sys.argv[1] if len(sys.argv) > 1 else "tiny"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    quiet_libraries()
    data, vocabulary = rows(8 * steps)
    base = f"tiny:{vocabulary}" if geometry == "tiny" else f"random:{geometry}:{vocabulary}"
    text = StudentText.for_folder(vocabulary)
    examples = build_examples(methods.get("potd").roles[0], data)
    _, encoded, _ = encode_examples(examples, text, PAD, PAD)
    padded = stock(base, text, encoded, steps, fixed=True)
    dynamic = stock(base, text, encoded, steps, fixed=False)
    with tempfile.TemporaryDirectory() as folder:
        planned = ours(base, data, steps, Path(folder))
    print(f"{geometry}, {steps} steps of 8 examples, useful target tokens per second:")
    print(f"  stock, padded to {PAD}/{PAD}  {padded:9.1f}")
    print(f"  stock, dynamic padding   {dynamic:9.1f}   {dynamic / padded:.2f} x padded")
    ratios = f"{planned / padded:.2f} x padded, {planned / dynamic:.2f} x dynamic"
    print(f"  ours                     {planned:9.1f}   {ratios}")


if __name__ == "__main__":
    main()
