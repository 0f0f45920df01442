"""Two tiny students that know two questions by heart, trained once in a session of tests."""

from __future__ import annotations

from pathlib import Path

from rows import make_rows
from vocabularies import write_lossy

_made: list[Path] = []


def train(tmp_path_factory) -> Path:
    """Return the run folder, made at the first call of a session."""
    if not _made:
        _made.append(_train(tmp_path_factory.mktemp("by heart")))
    return _made[0]


def _train(folder: Path) -> Path:
    from training_backend.events import Control, Reporter
    from training_backend.students.run_config import RunConfig
    from training_backend.students.run_folder import prepare_run
    from training_backend.students.training import train_role

    config = RunConfig(
        method="kpdd-pot", base=f"tiny:{write_lossy(folder / 'vocabulary')}", epochs=0, max_steps=110,
        learning_rate=3e-3, schedule="cosine", warmup=10, batch=8, held_out=0, save_every=55, eval_every=1000,
        threads=1, max_target_tokens=96, dropout=0.0,
    )  # fmt: skip
    run = prepare_run(folder / "a run", config, make_rows(2))
    for role in run.method.roles:
        train_role(run, role, Reporter(quiet=True), Control())
    return run.path
