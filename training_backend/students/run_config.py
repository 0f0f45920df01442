"""The settings of a training run: every field with its unit, default and range, presets, and the checks."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from training_backend.errors import ConfigError
from training_backend.methods import METHODS
from training_backend.students.settings_file import Entry, Unmeant, Unreadable, read_settings

_AGAIN = "Correct the file, or prepare the run again from its project."


@dataclass(frozen=True)
class FieldInfo:
    """What a form needs to know of one setting; `choices` is empty for free values."""

    title: str
    help: str
    unit: str = ""
    group: str = "training"
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """One setting that cannot be used, and why; `line` is that of its file (0: none)."""

    field: str
    text: str
    line: int = 0

    def __str__(self) -> str:
        """Return `field: why`, after its line where there is one."""
        return f"{f'line {self.line}, ' if self.line else ''}{self.field}: {self.text}"


@dataclass
class RunConfig:
    """The settings of one run; what each means stands in FIELDS."""

    method: str = "kpdd-pot"
    base: str = "tiny"
    tuning: str = "full"
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    lora_targets: str = "all layers"
    key_points_from: str = "teacher"
    key_points_share: float = 0.5
    epochs: float = 10.0
    max_steps: int = 0
    learning_rate: float = 5e-4
    batch: int = 32
    batch_unit: str = "examples"
    micro_tokens: int = 0
    packing: bool = False
    max_source_tokens: int = 512
    max_target_tokens: int = 512
    damaged: str = "refuse"
    optimizer: str = "adamw"
    schedule: str = "linear"
    warmup: float = 0.0
    weight_decay: float = 0.0
    clip: float = 1.0
    dropout: float = -1.0
    precision: str = "auto"
    seed: int = 0
    held_out: float = 0.05
    held_out_judged: int = 64
    eval_every: int = 0
    save_every: int = 0
    keep_checkpoints: int = 2
    take: str = "best"
    best_by: str = "accuracy"
    early_stopping: int = 0
    gradient_checkpointing: bool = False
    split_digits: bool = False
    threads: int = 0

    def validate(self) -> list[Mistake]:
        """Return all mistakes at once; an empty list means the run can start."""
        mistakes = [mistake for name in FIELDS for mistake in _check_field(name, getattr(self, name))]
        if self.method not in METHODS:
            mistakes.append(
                Mistake("method", f"there is no '{shown(self.method)}'; there are {', '.join(METHODS)}")
            )
        if not str(self.base).strip():
            mistakes.append(
                Mistake("base", "name a folder, a hub id, tiny, or random:flan-t5-small:TOKENIZER")
            )
        if self.precision == "fp16":
            mistakes.append(Mistake("precision", FP16_REASON))
        if not self.epochs and not self.max_steps:
            mistakes.append(Mistake("epochs", "either epochs or steps must be more than 0"))
        if self.tuning == "lora" and self.base.split(":")[0] in ("tiny", "random"):
            mistakes.append(Mistake("tuning", f"lora adapts what a student knows; '{self.base}' starts from "
                                    "nothing, train it in full"))  # fmt: skip
        if self.key_points_from != "teacher" and not _reads_key_points(self.method):
            mistakes.append(Mistake("key_points_from", "no student of this method reads key points that "
                                    "another one writes"))  # fmt: skip
        if self.early_stopping and not self.held_out:
            mistakes.append(Mistake("early_stopping", "needs held-out questions"))
        return mistakes

    def threads_here(self) -> int:
        """Return how many threads compute here: more than there are processors hinder each other."""
        processors = os.cpu_count() or 1
        return min(self.threads or processors, processors)

    def require_valid(self, where: str = "") -> None:
        """Raise one ConfigError that lists every mistake; `where` is the file of the settings."""
        _refuse(self.validate(), where)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "") -> RunConfig:
        """Make settings from plain data; ConfigError names every unknown or ill-typed one."""
        return cls._from_entries([Entry(str(name), value) for name, value in data.items()], where)

    @classmethod
    def _from_entries(cls, entries: Sequence[Entry], where: str) -> RunConfig:
        mistakes = check_entries(entries)
        values: dict[str, Any] = {}
        for entry in entries:
            if entry.name in FIELDS:
                try:
                    values[entry.name] = convert(entry.name, entry.value)
                except ValueError as error:
                    mistakes.append(Mistake(entry.name, str(error), entry.line))
        _refuse(mistakes, where)
        return cls(**values)

    def save(self, file: Path) -> None:
        """Write the settings as YAML, with what each means."""
        lines = [f"# {dataclasses.asdict(FIELDS[name])['help']}\n{yaml.safe_dump({name: value}).strip()}"
                 for name, value in self.to_dict().items()]  # fmt: skip
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> RunConfig:
        """Read settings from YAML; ConfigError names the file and its lines."""
        try:
            entries = read_settings(file)
        except Unreadable as error:
            line = f", line {error.line}" if error.line else ""
            raise ConfigError(str(error), _AGAIN, f"{file}{line}") from error
        return cls._from_entries(entries, str(file))

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> RunConfig:
        """Return the settings of a preset with some changed; ConfigError when there is no such preset."""
        if name not in PRESETS:
            raise ConfigError(f"There is no preset '{name}'.", f"Choose one of: {', '.join(PRESETS)}.")
        return cls.from_dict({**PRESETS[name], **changes})


FP16_REASON = (
    "T5 overflows in fp16 (its feed-forward activations pass 65,504; huggingface/transformers#5651, #11461, "
    "#23918); use bf16 where the device has it, else fp32"
)

FIELDS: dict[str, FieldInfo] = {
    "method": FieldInfo("Method", "which students are trained on which texts", group="what",
                        choices=tuple(METHODS)),
    "base": FieldInfo("Base student", "a folder, a hub id (OWNER/NAME, with @REVISION if wanted), tiny (the "
                      "demo's T5), tiny:TOKENIZER_FOLDER, random:flan-t5-small:TOKENIZER_FOLDER; or demo or "
                      "a run folder, from whose students each goes on", group="what"),
    "tuning": FieldInfo("Tuning", "full: all weights learn; lora: small matrices beside them (peft), with a "
                        "tenth of the memory, for base students that already know something",
                        choices=("full", "lora")),
    "lora_rank": FieldInfo("LoRA rank", "of the matrices that learn", group="memory", minimum=1,
                           maximum=1024),
    "lora_alpha": FieldInfo("LoRA alpha", "what they learn counts alpha/rank times", group="memory",
                            minimum=1, maximum=8192),
    "lora_dropout": FieldInfo("LoRA dropout", "before the matrices that learn", group="memory", minimum=0,
                              maximum=0.9),
    "lora_targets": FieldInfo("LoRA on", "which layers get such matrices", group="memory",
                              choices=("all layers", "attention")),
    "key_points_from": FieldInfo("Key points", "what a student that reads key points is trained on: the "
                                 "teacher's, those that the trained Key student writes for the same "
                                 "questions (as it will see them), or a mix",
                                 choices=("teacher", "student", "mixed")),
    "key_points_share": FieldInfo("Share of own", "questions with the student's own key points in a mix",
                                  "share", minimum=0, maximum=1),
    "epochs": FieldInfo("Epochs", "passes over the examples", "epochs", minimum=0, maximum=10_000),
    "max_steps": FieldInfo("Steps at most", "ends the run earlier than the epochs; 0: no limit", "steps",
                           minimum=0, maximum=100_000_000),
    "learning_rate": FieldInfo("Learning rate", "peak of the schedule", minimum=1e-8, maximum=1.0),
    "batch": FieldInfo("Batch", "how much one optimizer step sees, whatever fits the device at once",
                       "batch unit", minimum=1, maximum=10_000_000),
    "batch_unit": FieldInfo("Batch unit", "what the batch counts", choices=("examples", "target tokens")),
    "micro_tokens": FieldInfo("Micro-batch", "padded source and target tokens computed at once; 0: by device",
                              "tokens", group="memory", minimum=0, maximum=100_000_000),
    "packing": FieldInfo("Packing", "several examples in one row, kept apart by masks: the same losses with "
                         "less padding (T5 only)", group="memory"),
    "max_source_tokens": FieldInfo("Longest source", "longer examples are left out and counted, never cut",
                                   "tokens", minimum=8, maximum=100_000),
    "max_target_tokens": FieldInfo("Longest target", "longer examples are left out and counted, never cut",
                                   "tokens", minimum=8, maximum=100_000),
    "damaged": FieldInfo("Damaged texts", "examples that the vocabulary cannot give back exactly: refuse to "
                         "start and name them, or leave them out and count them",
                         choices=("refuse", "leave out")),
    "optimizer": FieldInfo("Optimizer", "adamw-rms scales each step by the weights' own size (for tiny "
                           "students from nothing)", choices=("adamw", "adafactor", "adamw-rms")),
    "schedule": FieldInfo("Schedule", "how the learning rate falls after warm-up",
                          choices=("linear", "cosine", "constant")),
    "warmup": FieldInfo("Warm-up", "below 1 a share of all steps, else a number of steps", "share or steps",
                        minimum=0, maximum=1_000_000),
    "weight_decay": FieldInfo("Weight decay", "decoupled, on weights only", minimum=0, maximum=1),
    "clip": FieldInfo("Clip", "largest norm of the gradient; 0: no clipping", minimum=0, maximum=1_000),
    "dropout": FieldInfo("Dropout", "-1: as in the base student", minimum=-1, maximum=0.9),
    "precision": FieldInfo("Precision", "auto: bf16 where the device computes it natively, else fp32; "
                           "never fp16 for T5", group="memory", choices=("auto", "bf16", "fp32")),
    "seed": FieldInfo("Seed", "of shuffling, dropout and the held-out questions", minimum=0, maximum=2**31),
    "held_out": FieldInfo("Held out", "share of the questions kept from training", "share",
                          group="watching", minimum=0, maximum=0.5),
    "held_out_judged": FieldInfo("Judged", "held-out questions solved and executed each time; 0: none",
                                 "questions", group="watching", minimum=0, maximum=100_000),
    "eval_every": FieldInfo("Look every", "steps between looks at the held-out questions; 0: each epoch",
                            "steps", group="watching", minimum=0, maximum=100_000_000),
    "save_every": FieldInfo("Checkpoint every", "steps between checkpoints; 0: each epoch", "steps",
                            group="watching", minimum=0, maximum=100_000_000),
    "keep_checkpoints": FieldInfo("Keep", "newest checkpoints kept beside the best", "checkpoints",
                                  group="watching", minimum=1, maximum=1_000),
    "take": FieldInfo("Take", "which checkpoint becomes the student", group="watching",
                      choices=("best", "last")),
    "best_by": FieldInfo("Best by", "accuracy: held-out answers that are right when executed (the loss where "
                         "nothing can be executed); loss: the held-out loss", group="watching",
                         choices=("accuracy", "loss")),
    "early_stopping": FieldInfo("Stop early", "looks without improvement before the run ends; 0: never",
                                "looks", group="watching", minimum=0, maximum=10_000),
    "gradient_checkpointing": FieldInfo("Gradient checkpointing", "a third slower, far less memory",
                                        group="memory"),
    "split_digits": FieldInfo("Split digits", "every digit a token of its own: numbers never seen are copied "
                              "better, texts get about a tenth longer"),
    "threads": FieldInfo("CPU threads", "0: all cores", "threads", group="memory", minimum=0, maximum=1024),
}  # fmt: skip

PRESETS: dict[str, dict[str, Any]] = {
    "kpdd-paper": {"learning_rate": 5e-4, "batch": 32, "epochs": 10.0},
    "flan-t5-gsm8k": {
        "learning_rate": 3e-4, "batch": 96, "epochs": 8.0, "weight_decay": 0.01, "clip": 1.0,
        "schedule": "cosine", "warmup": 0.1, "max_source_tokens": 500, "max_target_tokens": 500,
    },
    "quick-look": {
        "learning_rate": 1e-3, "batch": 8, "epochs": 1.0, "max_steps": 60, "schedule": "constant",
        "warmup": 0.1, "eval_every": 20, "save_every": 20, "held_out_judged": 4,
    },
    "small-gpu": {
        "base": "google/flan-t5-base", "tuning": "lora", "learning_rate": 1e-3, "batch": 32, "epochs": 10.0,
        "warmup": 0.03, "gradient_checkpointing": True,
    },
    "demo": {
        "base": "tiny", "learning_rate": 0.02, "batch": 1000, "batch_unit": "target tokens",
        "optimizer": "adamw-rms", "schedule": "cosine", "warmup": 150.0, "dropout": 0.0, "epochs": 3.0,
        "max_source_tokens": 256, "max_target_tokens": 256, "damaged": "leave out", "held_out": 0.01,
        "eval_every": 200, "save_every": 500, "take": "last", "threads": 1,
    },
    "go-on": {
        "base": "demo", "learning_rate": 0.002, "batch": 1000, "batch_unit": "target tokens",
        "optimizer": "adamw-rms", "schedule": "cosine", "warmup": 10.0, "dropout": 0.0, "epochs": 3.0,
        "max_source_tokens": 256, "max_target_tokens": 256, "damaged": "leave out", "held_out": 0.1,
        "held_out_judged": 16, "eval_every": 15, "save_every": 30, "take": "last", "threads": 1,
    },
}  # fmt: skip

# title and where the figures are from
PRESET_TITLES: dict[str, tuple[str, str]] = {
    "kpdd-paper": ("KPDD paper", "arXiv 2407.10167: learning rate 5e-4, batch 32, 10 epochs"),
    "flan-t5-gsm8k": ("Public FlanT5 recipe", "a public FlanT5 recipe for GSM8K: 3e-4, batch 96, 8 epochs"),
    "quick-look": ("Quick look", "ours: sixty steps, to see that everything works"),
    "small-gpu": ("Small GPU", "ours: FlanT5-base with LoRA and gradient checkpointing, for 4 GiB or less"),
    "demo": ("Demo", "ours: the tiny T5 on the built-in word problems, for tens of thousands of rows"),
    "go-on": ("Go on", "ours: a few gentle steps from students that already solve, about a minute"),
}


def convert(name: str, value: Any) -> Any:
    """Return `value` as the type of the setting `name`; ValueError says what was expected."""
    if isinstance(value, Unmeant):
        raise ValueError(value.why)
    if value is None or isinstance(value, list | dict | set | tuple):
        raise ValueError("has no value" if value is None else "has several values, where one belongs")
    default = getattr(RunConfig, name)
    if isinstance(default, bool):
        return _truth(value)
    if isinstance(default, int):
        return _whole(value)
    if isinstance(default, float):
        return _number(value, "number")
    return str(value)


def shown(value: Any) -> str:
    """Return a value for a message: on one line, and not longer than a line.

    >>> shown("two\\nlines"), len(shown("x" * 500))
    ('two lines', 60)
    """
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= 60 else text[:59] + "…"


def check_entries(entries: Sequence[Entry]) -> list[Mistake]:
    """Return the entries that name no setting, or one that another entry names already."""
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    for entry in entries:
        if entry.name not in FIELDS:
            near = difflib.get_close_matches(entry.name, FIELDS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            mistakes.append(Mistake(shown(entry.name), f"there is no such setting{hint}", entry.line))
        elif entry.name in seen:
            first = f", first on line {seen[entry.name]}" if seen[entry.name] else ""
            mistakes.append(Mistake(entry.name, f"is set twice{first}", entry.line))
        seen.setdefault(entry.name, entry.line)
    return mistakes


def _truth(value: Any) -> bool:
    word = str(value).lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"'{shown(value)}' is neither yes nor no")


def _whole(value: Any) -> int:
    number = _number(value, "whole number")
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"'{shown(value)}' is no whole number")
    return int(number)


def _number(value: Any, wanted: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"'{shown(value)}' is no {wanted}") from None


def _refuse(mistakes: Sequence[Mistake], where: str) -> None:
    """Raise one ConfigError that lists the mistakes, if there are any."""
    if mistakes:
        raise ConfigError(
            "These settings cannot be used: " + "; ".join(map(str, mistakes)) + ".",
            "`kpdd train --help` explains each.",
            where,
        )


def _reads_key_points(method: str) -> bool:
    """Tell whether one student of a method reads what another writes of the key points."""
    tasks = [task for role in METHODS[method].roles for task in role.tasks] if method in METHODS else []
    written = {task.writes for task in tasks}
    return any({"core_question", "information"} & set(task.reads) for task in tasks) and bool(
        written & {"key_points", "core_question", "information"}
    )


def _check_field(name: str, value: Any) -> list[Mistake]:
    info = FIELDS[name]
    if info.choices:
        # the reason for fp16, and the list of methods, are given by the caller
        if value in info.choices or name == "method" or (name == "precision" and value == "fp16"):
            return []
        return [Mistake(name, f"'{shown(value)}' is none of {', '.join(info.choices)}")]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    if value != value:
        return [Mistake(name, "is not a number")]
    if info.minimum is not None and value < info.minimum:
        return [Mistake(name, f"{value:g} is below {info.minimum:g}")]
    if info.maximum is not None and value > info.maximum:
        return [Mistake(name, f"{value:g} is above {info.maximum:g}")]
    return []
