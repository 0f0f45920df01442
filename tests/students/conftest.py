"""Vocabularies, rows and one trained run that the tests of students share."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("vocabularies", Path(__file__).with_name("vocabularies.py"))
vocabularies = importlib.util.module_from_spec(_spec)
sys.modules["vocabularies"] = vocabularies
_spec.loader.exec_module(vocabularies)


@dataclass(frozen=True)
class Row:
    """What a training row must have."""

    row_id: int
    question_id: int
    question: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str


def make_rows(count: int = 8, kind: str = "pot") -> list[Row]:
    """Return rows with programs of several lines, indentation and signs that T5 cannot spell."""
    rows = []
    for n in range(count):
        a, b = n + 2, 2 * n + 3
        rows.append(
            Row(
                n,
                n,
                f"Tom has {a} boxes of {b} pens each. How many pens?",
                float(a * b),
                "How many pens has Tom?",
                (f"{a} boxes", f"{b} pens each"),
                kind,
                f"boxes = {a}\nif boxes < 99:\n    ans = boxes * {b}"
                if kind == "pot"
                else f"{a} * {b} = {a * b}. The answer is {a * b}.",
            )
        )
    return rows


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
def rows() -> list[Row]:
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
        method="kpdd-pot", base=f"tiny:{lossy}", epochs=0, max_steps=70, learning_rate=0.02, optimizer="adamw-rms",
        schedule="cosine", warmup=10, batch=8, held_out=0, save_every=35, eval_every=1000, threads=1,
        max_target_tokens=96, dropout=0.0,
    )  # fmt: skip
    run = prepare_run(folder, config, make_rows(2))
    for role in run.method.roles:
        train_role(run, role, Reporter(quiet=True), Control())
    return folder
