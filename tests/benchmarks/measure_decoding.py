"""Measure writing against transformers' generate: questions per second of processor time, as ratios.

    OMP_NUM_THREADS=1 python tests/benchmarks/measure_decoding.py [FOLDER|flan-t5-small] [questions] [rounds]

The default student is the demo's Solve; `flan-t5-small` is that geometry with random weights, whose texts
mean nothing and are cut at 48 tokens. All ways write the same sources in turn, `rounds` times, and the
best round of each counts: a shared machine disturbs some rounds, never all. On a GPU the clock is wall time
after synchronising.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import GenerationConfig

from training_backend import methods
from training_backend.paths import demo_students_dir
from training_backend.students.base_names import demo_tokenizer_dir
from training_backend.students.base_student import generation_config, new_random
from training_backend.students.decoding import Student, choose_device, spare_threads
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.examples import source_text
from training_backend.students.hf_engine import padded
from training_backend.students.text import StudentText
from training_backend.teacher.problem_grammar import generate

SAMPLES = 8
TEMPERATURE = 0.7


def load(name: str) -> tuple[Student, int]:
    """Return the student and the most tokens a text may have."""
    if name != "flan-t5-small":
        student = Student.load(Path(name))
        return student, student.max_new_tokens
    text = StudentText.for_folder(demo_tokenizer_dir())
    network = new_random(name, text).to(choose_device()).eval()
    spare_threads(network)
    return Student(network, text, training=False), 48


def stock(student: Student, sources: list[str], size: int, limit: int, drawn: bool = False) -> list[str]:
    """Return what `generate` of transformers writes in batches of `size`, in the order of the file."""
    config = GenerationConfig(**generation_config(student.network, student.text).to_diff_dict())
    config.max_new_tokens = limit
    if drawn:
        config.do_sample, config.temperature, config.top_k, config.top_p = True, TEMPERATURE, 0, 1.0
    texts = []
    for start in range(0, len(sources), size):
        encoded = [student.source_ids(source) for source in sources[start : start + size]]
        ids, mask = padded(encoded, student.text.pad_id, False, student.device)
        with torch.inference_mode():
            out = student.network.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        texts += [student.text.decode(row) for row in out[:, 1:].tolist()]
    return texts


def seconds(student: Student, work: Callable[[], object]) -> tuple[float, object]:
    """Return the processor seconds (on a GPU wall seconds) of `work`, and what it returned."""
    gpu = student.device.type == "cuda"

    def now() -> float:
        if gpu:
            torch.cuda.synchronize()
        return time.perf_counter() if gpu else time.process_time()

    began = now()
    found = work()
    return now() - began, found


def main() -> None:
    """Print questions per second and the ratios."""
    name = sys.argv[1] if len(sys.argv) > 1 else str(demo_students_dir() / "students" / "solve")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    student, limit = load(name)
    task = methods.get("kpdd-pot").role("solve").tasks[0]
    sources = [
        source_text(task, {"question": p.question, "core_question": p.key_points.core_question,
                           "information": p.key_points.information})
        for p in generate(count, 5)
    ]  # fmt: skip
    few = sources[: max(1, count // 4)]
    reference = DecodingSettings(limit, engine="transformers")
    quick = DecodingSettings(limit, engine="ctranslate2" if student.device.type == "cpu" else "transformers")
    drawn = DecodingSettings(limit, temperature=TEMPERATURE)
    converting, _ = seconds(student, lambda: student.engine_name(count, quick))
    one, batch, eight = "generate, one at a time", "generate, 32 in file order", "generate, eight calls of 32"
    ways: dict[str, tuple[list[str], Callable[[], object]]] = {
        one: (few, lambda: stock(student, few, 1, limit)),
        batch: (sources, lambda: stock(student, sources, 32, limit)),
        "ours, transformers": (sources, lambda: student.generate(sources, settings=reference)),
        f"ours, {quick.engine}": (sources, lambda: student.generate(sources, settings=quick)),
        eight: (few, lambda: [stock(student, few, 32, limit, True) for _ in range(SAMPLES)]),
        "ours, eight samples": (few, lambda: student.sample(few, SAMPLES, drawn)),
    }
    best, texts = {}, {}
    for _ in range(rounds):
        for title, (asked, work) in ways.items():
            took, texts[title] = seconds(student, work)
            best[title] = max(best.get(title, 0.0), len(asked) / took)
    print(f"{name} on {student.device}, {torch.get_num_threads()} threads, {count} questions, "
          f"conversion {converting:.2f} s")  # fmt: skip
    for title, speed in best.items():
        base = eight if "eight" in title else one
        same = ""
        if "eight" not in title:
            pairs = list(zip(texts[title], texts[one], strict=False))
            same = f", {sum(a == b for a, b in pairs) / len(pairs):.1%} identical"
        against = f" = {speed / best[base]:.1f} × {base}"
        if base == one and title.startswith("ours"):
            against += f" = {speed / best[batch]:.1f} × {batch}"
        print(f"{title:28} {speed:8.1f} questions/s{against}{same}")


if __name__ == "__main__":
    main()
