"""Vocabularies, rows and one trained run that the tests of students share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def beside(name: str):
    """Import a helper file of this folder (the tests are no packages)."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


vocabularies = beside("vocabularies")
make_rows = beside("rows").make_rows
Row = sys.modules["rows"].Row


@pytest.fixture(scope="session")
def lossy(tmp_path_factory) -> Path:
    """Return a folder with a vocabulary in T5's manner."""
    return vocabularies.write_lossy(tmp_path_factory.mktemp("lossy vocabulary"))


@pytest.fixture(scope="session")
def byte_level(tmp_path_factory) -> Path:
    """Return a folder with a byte-level vocabulary."""
    return vocabularies.write_byte_level(tmp_path_factory.mktemp("byte vocabulary"))


@pytest.fixture(scope="session")
def closed(tmp_path_factory) -> Path:
    """Return a folder with a closed vocabulary."""
    return vocabularies.write_closed(tmp_path_factory.mktemp("closed vocabulary"))


@pytest.fixture
def rows_of_students() -> list[Row]:
    """Return eight rows with programs."""
    return make_rows()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, lossy) -> Path:
    """Return a run whose tiny students know two questions by heart."""
    from training_backend.events import Control, Reporter
    from training_backend.students.run_config import RunConfig
    from training_backend.students.run_folder import prepare_run
    from training_backend.students.training import train_role

    folder = tmp_path_factory.mktemp("runs") / "by heart"
    config = RunConfig(
        method="kpdd-pot", base=f"tiny:{lossy}", epochs=0, max_steps=110, learning_rate=3e-3,
        schedule="cosine", warmup=10, batch=8, held_out=0, save_every=55, eval_every=1000, threads=1,
        max_target_tokens=96, dropout=0.0,
    )  # fmt: skip
    run = prepare_run(folder, config, make_rows(2))
    for role in run.method.roles:
        train_role(run, role, Reporter(quiet=True), Control())
    return folder
