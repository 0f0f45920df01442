"""Questions that students were trained on are found in their run folder."""

from __future__ import annotations

from training_backend.evaluation.overlap import trained_on
from training_backend.methods import get
from training_backend.students.examples import Example, source_text, write_examples

QUESTIONS = ("How many eggs are there?", "Is 'core question: x' in a text? 3 of 4.", "Who pays 5?")


def test_training_questions_are_counted(tmp_path):
    (tmp_path / "examples").mkdir()
    assert trained_on(tmp_path, QUESTIONS) == 0
    for role in get("kpdd-pot").roles:
        task = role.tasks[0]
        examples = [
            Example(
                str(i),
                task.prefix,
                source_text(task, {"question": q, "core_question": "c?", "information": ("i",)}),
                "t",
            )
            for i, q in enumerate(QUESTIONS[:2])
        ]
        write_examples(tmp_path / "examples" / f"{role.name}.train.jsonl", examples)
    assert trained_on(tmp_path, [QUESTIONS[0].upper(), QUESTIONS[1], QUESTIONS[2]]) == 2
    # the Solve student alone gives the question away too
    (tmp_path / "examples" / "key.train.jsonl").unlink()
    assert trained_on(tmp_path, QUESTIONS) >= 1
