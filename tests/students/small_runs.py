"""Runs of some seconds, and a reporter that keeps what they say."""

from __future__ import annotations

from rows import make_rows

from training_backend.events import Metrics, Reporter
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import prepare_run


class Watching(Reporter):
    """Keeps the events; calls `at` after the metrics of a step."""

    def __init__(self, at=lambda event: None):
        super().__init__(quiet=True)
        self.seen, self.at = [], at

    def emit(self, event):
        self.seen.append(event)
        super().emit(event)
        if isinstance(event, Metrics):
            self.at(event)

    def all(self, kind):
        return [event for event in self.seen if isinstance(event, kind)]


def small_run(tmp_path, lossy, name="run", rows=None, **changes):
    settings = {
        "base": f"tiny:{lossy}", "epochs": 0, "max_steps": 8, "learning_rate": 1e-3, "batch": 4,
        "held_out": 0.2, "held_out_judged": 0, "save_every": 4, "eval_every": 4, "threads": 1,
        "schedule": "cosine", "warmup": 0.25,
    }  # fmt: skip
    config = RunConfig(**{**settings, **changes})
    return prepare_run(tmp_path / name, config, rows or make_rows(20))
