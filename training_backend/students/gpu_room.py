"""Whether a GPU has room for a run, and who else trains on it: said before work is lost."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import psutil
import torch

from training_backend.errors import ConfigError
from training_backend.events import Reporter
from training_backend.project.lock import Lock, Owner, acquire
from training_backend.students.run_config import RunConfig

# bytes of the optimizer's state for each number that learns (fp32)
_MOMENTS = {"adamw": 8.0, "adamw-rms": 8.0, "adafactor": 0.2}


def take_gpu(network: Any, config: RunConfig, reporter: Reporter, shares: int = 1) -> Lock | None:
    """Note that a run works on this process's GPU until the lock is released; without a GPU do nothing.

    `shares` is over how many GPUs the weights are spread. Another run is told in the log. Raises ConfigError
    where the weights, gradients and moments alone do not fit what is free.
    """
    if not torch.cuda.is_available():
        return None
    number = int(os.environ.get("LOCAL_RANK", "0") or 0)
    free, total = torch.cuda.mem_get_info(number)
    properties = torch.cuda.get_device_properties(number)
    note = Path(tempfile.gettempdir()) / f"kpdd-gpu-{getattr(properties, 'uuid', number)}"
    try:
        held = acquire(note, "run")
    except OSError:
        # a shared machine whose note belongs to somebody else: only the message is lost
        held = None
    other = f"{held} trains on this GPU too" if isinstance(held, Owner) else ""
    need = round(least_bytes(network, config) / shares)
    if need > free:
        if isinstance(held, Lock):
            held.release()
        why = "Other programs use this GPU" if free < 0.9 * total else "The GPU is too small"
        raise ConfigError(
            f"{other or why}: {_gib(free)} of {_gib(total)} GiB are free, and this run needs {_gib(need)} "
            "before its first example.",
            "Wait for the other run, or use LoRA, Adafactor or a smaller base student.",
        )
    if other:
        reporter.log(f"{other}: {_gib(free)} GiB are free, and both will be slower.", "warning")
    return held if isinstance(held, Lock) else None


def require_room(network: Any, config: RunConfig, shares: int = 1) -> None:
    """Raise ConfigError where weights, gradients and moments alone are more than this machine can hold.

    `network` may be without weights (on the device meta); `shares` is over how many devices it is spread. How
    much is free is said when the run begins: others may end until then.
    """
    need = round(least_bytes(network, config) / shares)
    if torch.cuda.is_available():
        room, what = torch.cuda.get_device_properties(0).total_memory, "The GPU"
    else:
        room, what = psutil.virtual_memory().total, "This machine"
    if need > room:
        raise ConfigError(
            f"{what} has {_gib(room)} GiB of memory, this run needs {_gib(need)} before its first example.",
            "Use LoRA, Adafactor or a smaller base student, or a larger machine.",
        )


def least_bytes(network: Any, config: RunConfig) -> float:
    """Return the bytes of weights, gradients and the optimizer's state of a network."""
    learning = sum(p.numel() for p in network.parameters() if p.requires_grad)
    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    return weights + learning * (4.0 + _MOMENTS[config.optimizer])


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f}"
