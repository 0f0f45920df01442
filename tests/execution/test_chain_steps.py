"""Steps of a chain of thought: computed again, with what their numbers were taken from."""

from __future__ import annotations

from training_backend.execution.chain_steps import chain_steps
from training_backend.execution.worked_steps import unused_numbers

QUESTION = "A baker makes 24 trays of 18 rolls, sells 350 and gives 12 away on 2 days. How many are left?"
CHAIN = (
    "The baker makes 24 * 18 = 422 rolls. She gives away 12 rolls. After selling there are "
    "422 - 350 = 72 rolls. So 72 - 12 - 5 = 55 are left. The answer is 55."
)


def test_a_false_step_says_what_it_is_and_what_builds_on_it_is_shaky():
    steps = chain_steps(CHAIN, QUESTION)
    assert [(step.text, step.holds, step.detail, step.shaky) for step in steps] == [
        ("24 * 18 = 422", False, "it is 432", False),
        ("422 - 350 = 72", True, "", True),
        ("72 - 12 - 5 = 55", True, "", True),
    ]
    assert [CHAIN[slice(*step.span)] for step in steps] == [step.text for step in steps]


def test_numbers_come_from_the_question_an_item_a_step_before_or_nowhere():
    steps = chain_steps(CHAIN, QUESTION, ["She sells 350 rolls.", "She makes 24 trays of 18."])
    first, second, third = (step.sources for step in steps)
    assert [QUESTION[slice(*source.question)] for source in first] == ["24", "18"]
    assert [source.item.item for source in first] == [1, 1]
    assert second[0].step == 1 and QUESTION[slice(*second[1].question)] == "350"
    nowhere = [s.text for s in third if not s.step and s.question is None and s.item is None]
    assert third[0].step == 2 and nowhere == ["5"]
    assert [QUESTION[slice(*span)] for span in unused_numbers(steps, QUESTION)] == ["2"]


def test_a_statement_that_goes_on_reads_what_it_just_said():
    steps = chain_steps("2 + 3 + 4 = 5 + 4 = 9.")
    assert [step.text for step in steps] == ["2 + 3 + 4 = 5 + 4", "5 + 4 = 9"]
    assert steps[1].sources[0].step == 1


def test_words_alone_have_no_steps():
    assert chain_steps("There are some plums. The answer is 4.") == []
