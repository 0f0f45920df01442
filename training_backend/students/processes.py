"""Several processes that train one student together, as torchrun and accelerate start them.

Each has the same plan and computes its share of every step; the first one alone says what happens and writes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# gradients are added up so many numbers at a time
_AT_ONCE = 16 * 1024 * 1024


def rank() -> int:
    """Return the number of this process, 0 for the first or only one."""
    return int(os.environ.get("RANK", "0") or 0)


def world() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1") or 1)


def first() -> bool:
    """Tell whether this process is the one that speaks and writes."""
    return rank() == 0


def most(value: float, device: torch.device) -> float:
    """Return the largest `value` of all processes; with one process it costs nothing."""
    if world() == 1:
        return value
    import torch
    import torch.distributed as together

    number = torch.tensor(
        [value], dtype=torch.float64 if device.type == "cpu" else torch.float32, device=device
    )
    together.all_reduce(number, op=together.ReduceOp.MAX)
    return float(number)


def told_by_first(values: list[float], device: torch.device) -> list[float]:
    """Return the `values` of the first process in every process."""
    if world() == 1:
        return values
    import torch
    import torch.distributed as together

    numbers = torch.tensor(values, dtype=torch.float64, device=device)
    together.broadcast(numbers, src=0)
    return numbers.tolist()


def add_up(tensors: Iterable[torch.Tensor]) -> None:
    """Replace every tensor by its sum over all processes, many small ones at a time."""
    import torch
    import torch.distributed as together

    bundle: list[torch.Tensor] = []
    size = 0

    def send() -> None:
        flat = torch.cat([each.reshape(-1) for each in bundle])
        together.all_reduce(flat)
        at = 0
        for each in bundle:
            each.copy_(flat[at : at + each.numel()].view_as(each))
            at += each.numel()
        bundle.clear()

    for tensor in tensors:
        bundle.append(tensor)
        size += tensor.numel()
        if size >= _AT_ONCE:
            send()
            size = 0
    if bundle:
        send()


def all_here() -> None:
    """Wait until every process has come so far."""
    if world() == 1:
        return
    import torch.distributed as together

    together.barrier()


def wait_for_file(file: Path, every_s: float = 0.2, stop: Callable[[], bool] = lambda: False) -> None:
    """Wait for what the first process writes, before the processes know each other."""
    while not file.exists() and not stop():
        time.sleep(every_s)
