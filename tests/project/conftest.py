"""A small project on a real file, and what the tests of this room fill it with."""

from __future__ import annotations

import pytest

from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a project – déjà vu.kpdd") as made:
        yield made
        if not made.read_only:
            assert made.check(full=True) == []


@pytest.fixture
def filled(project):
    """Six questions; the first has key points shared by a program and a chain of thought.

    Rows: 1 pot and 7 cot of question 1; 2 pot of question 2; 3 a reply that did not parse; 4-6 not asked.
    """
    add_questions(project, [new_question(number) for number in range(1, 7)])
    first = add_origin(project, Origin("replay", "big model", "recording.jsonl"))
    shared = KeyPoints("How many eggs are left?", ("There are 10 eggs.", "Ina eats 3."))
    add_replies(
        project,
        [
            reply(1, "pot", "eggs = 10\nans = eggs - 3", shared, origin=first),
            reply(2, "pot", "ans = 8 / 2", KeyPoints("How many boxes?", ("8 bolts",)), origin=first),
            Reply(3, "pot", 0, None, None, {"text": "I cannot"}, "no program found", 0, first),
            reply(1, "cot", "10 - 3 = 7. The answer is 7.", shared, origin=first),
        ],
    )
    return project


def new_question(number: int, dataset: str = "made up", split: str = "train", **changes) -> NewQuestion:
    values = {
        "dataset": dataset, "split": split, "native_id": str(number), "gold_text": str(number + 6),
        "text": f"Question {number}: Ina has 10 eggs\nand eats {number}. How many are left?",
        "gold_value": float(number + 6), "extra": {"row": number},
    }  # fmt: skip
    return NewQuestion(**{**values, **changes})


def reply(
    question_id: int, kind: str, text: str, points: KeyPoints | None = None, path: int = 0, origin: int = 1
):
    return Reply(question_id, kind, path, points, text, {"reply": text}, "", origin, origin)


@pytest.fixture
def make():
    """Give the tests the two makers above."""
    return Makers


class Makers:
    question = staticmethod(new_question)
    reply = staticmethod(reply)
