"""The settings of a run in words: their groups, what values mean, which say nothing beside others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_backend import methods
from training_backend.students.known_bases import KNOWN

GROUPS = {"training": "Training", "watching": "Watching", "memory": "Memory and speed"}

WORDS: dict[str, Mapping[Any, str]] = {
    "tuning": {"full": "all weights", "lora": "LoRA: small matrices beside them"},
    "key_points_from": {
        "teacher": "the teacher's",
        "student": "the student's own",
        "mixed": "a mix of both",
    },
    "max_steps": {0: "no limit"},
    "micro_tokens": {0: "by the device"},
    "damaged": {"refuse": "refuse to start", "leave out": "leave out and count"},
    "optimizer": {"adamw": "AdamW", "adafactor": "Adafactor", "adamw-rms": "AdamW, steps scaled by RMS"},
    "warmup": {0: "none"},
    "weight_decay": {0: "none"},
    "clip": {0: "no clipping"},
    "dropout": {-1: "the base's own"},
    "precision": {"auto": "by probe: bf16 where native, else fp32"},
    "held_out_judged": {0: "none"},
    "eval_every": {0: "each epoch"},
    "save_every": {0: "each epoch"},
    "take": {"best": "the best", "last": "the last"},
    "early_stopping": {0: "never"},
    "threads": {0: "all cores"},
}
_LORA = {"lora_rank", "lora_alpha", "lora_dropout", "lora_targets"}


def idle_fields(method: str, base: str, values: Mapping[str, Any]) -> set[str]:
    """Return the settings that change nothing for this method, base student and other settings."""
    idle: set[str] = set()
    if values.get("tuning") != "lora":
        idle |= _LORA
    if not reads_key_points(method):
        idle |= {"key_points_from", "key_points_share"}
    elif values.get("key_points_from") != "mixed":
        idle.add("key_points_share")
    if any(each.shape.causal and each.hub_id == base.partition("@")[0] for each in KNOWN):
        idle.add("packing")
    return idle


def reads_key_points(method: str) -> bool:
    """Tell whether one student of a method reads key points that another one writes."""
    tasks = [task for role in methods.get(method).roles for task in role.tasks]
    return len(methods.get(method).roles) > 1 and any("information" in task.reads for task in tasks)


def in_words(name: str, value: Any) -> str:
    """Return the value of a setting as a person reads it.

    >>> in_words("max_steps", 0), in_words("packing", True), in_words("learning_rate", 5e-4)
    ('no limit', 'yes', '0.0005')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    word = WORDS.get(name, {}).get(value)
    return word or (f"{value:g}" if isinstance(value, float) else str(value))
