"""Whether students were trained on the questions that they are measured on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from training_backend.students.examples import read_examples


def trained_on(run_folder: Path, questions: Iterable[str]) -> int:
    """Return how many of the questions stand in the training texts of a run; 0 where it kept none.

    Questions are compared without case and spacing: a reworded question is not found here.
    """
    texts: set[str] = set()
    for file in sorted((run_folder / "examples").glob("*.train.jsonl")):
        texts.update(_question_of(example.task, example.source) for example in read_examples(file))
    return sum(_plain(question) in texts for question in questions)


def _question_of(prefix: str, source: str) -> str:
    """Return the question inside a student's source text."""
    text = source.removeprefix(f"{prefix}:").strip()
    if text.startswith("question:"):
        text = text.removeprefix("question:").split(" core question:")[0]
    return _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
