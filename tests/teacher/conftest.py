"""What the teachers' tests share: recordings as published, and a project with their questions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project

sys.path.insert(0, str(Path(__file__).parent))
import recordings_made


@pytest.fixture
def recordings(tmp_path) -> Path:
    """Return a folder with DUP and Faithful-CoT in it, two levels down as a person may keep them."""
    recordings_made.dup(tmp_path / "rec" / "of others" / "dup")
    recordings_made.faithful_cot(tmp_path / "rec" / "faithful_cot")
    return tmp_path / "rec"


@pytest.fixture
def project(tmp_path):
    """Return an open project with the three recorded questions as gsm8k test."""
    with Project.create(tmp_path / "p.kpdd") as made:
        add_questions(
            made,
            [
                NewQuestion("gsm8k", "test", str(i), text, gold, float(gold))
                for i, (text, gold) in enumerate(
                    zip(recordings_made.QUESTIONS, recordings_made.GOLD, strict=True)
                )
            ],
        )
        yield made
