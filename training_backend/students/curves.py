"""The curves of a run as TensorBoard files, beside our own events, where that package is installed."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path
from typing import Any

from training_backend.events import HeldOut, Metrics
from training_backend.students import processes

FOLDER = "tensorboard"


class Curves:
    """Writes the figures of one student to `<run>/tensorboard/ROLE`; without the package nothing."""

    def __init__(self, run: Path, role: str) -> None:
        """Begin, or go on with, the curves of `role`."""
        self._writer: Any = None
        if processes.first() and importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard.writer import SummaryWriter

            # on a full disk the checkpoint says so
            with contextlib.suppress(OSError):
                self._writer = SummaryWriter(str(run / FOLDER / role), max_queue=1000, flush_secs=30)

    @property
    def written(self) -> bool:
        """Tell whether TensorBoard files are written."""
        return self._writer is not None

    def training(self, event: Metrics) -> None:
        """Add the figures of a step."""
        self._add(event.step, {
            "loss/train": event.loss, "learning_rate": event.learning_rate,
            "tokens_per_s": event.tokens_per_s, "memory_gib": event.memory_bytes / 2**30,
        })  # fmt: skip

    def held_out(self, event: HeldOut) -> None:
        """Add what a look at the held-out questions found."""
        self._add(event.step, {"loss/held_out": event.loss, "accuracy/held_out": event.accuracy})

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()

    def _add(self, step: int, figures: dict[str, float | None]) -> None:
        if self._writer is None:
            return
        with contextlib.suppress(OSError):
            for name, value in figures.items():
                if value is not None:
                    self._writer.add_scalar(name, value, step)
