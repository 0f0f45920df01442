"""Worked steps of a recording: when they are there, the states that they make, and what they light up."""

from __future__ import annotations

from kpdd_app.number_links import StepLinks, links_of
from kpdd_app.recording import Recording
from kpdd_app.solution_steps import add_event, equations_state, line_of
from training_backend.events import Answer, StageEnded, StageStarted, Trace

QUESTION = "A farm has chickens and cows, 35 animals with 94 legs, and 7 dogs. How many chickens?"
SYSTEM = "chickens + cows = 35\n2 * chickens + 4 * cows = 94\nans = chickens"
KEY = "core question: How many chickens? information: 1. There are 35 animals. 2. They have 94 legs."


def solved_system() -> Recording:
    made = Recording(QUESTION, 23.0, "pot", ("key", "solve"))
    made.add(StageStarted("key"))
    made.add(StageEnded("key", KEY))
    made.add(StageStarted("solve"))
    add_event(made, StageEnded("solve", SYSTEM, {"kind": "eot", "rationale": SYSTEM}))
    found = (("chickens", "23", 1), ("cows", "12", 2), ("ans", "23", 3))
    same: dict = {"ev": "line", "f": 0, "depth": 0, "nx": None}
    add_event(made, Trace([{"n": n, **same, "ln": line, "ch": {name: [value, "number"]}}
                           for n, (name, value, line) in enumerate(found, 1)]))  # fmt: skip
    assert made.kind == "eot" and made.checks == []
    add_event(made, Answer("ok", "23", 23.0, 23.0, True))
    return made


def test_equations_have_their_steps_with_the_answer():
    made = solved_system()
    assert [phase.title for phase in made.phases()] == ["Key points", "Equations", "Solving", "Answer"]
    assert made.phases()[2].length == len(made.checks) == 4


def test_every_step_of_solving_is_a_state():
    steps = solved_system().checks
    told = []
    for count in range(len(steps) + 1):
        state = equations_state(SYSTEM, steps, count)
        values = {name: value for name, (value, _) in state.frames[0].variables.items()}
        told.append((state.line, state.changed, values["chickens"], values["cows"], values["ans"]))
    assert told == [
        (None, (), "?", "?", "?"),
        (1, (), "?", "?", "?"),
        (2, ("cows",), "?", "12", "?"),
        (1, ("chickens",), "23", "12", "?"),
        (3, ("ans",), "23", "12", "23"),
    ]
    values = {1: "chickens = 23", 2: "cows = 12", 3: "ans = 23"}
    assert equations_state(SYSTEM, steps, 4).line_values == values
    # what was found last by putting a value back belongs to the line it was expressed from
    assert line_of(steps, 3) == 1


def test_a_step_and_an_unknown_tell_what_they_came_from():
    made = solved_system()
    links = links_of(made)
    assert isinstance(links, StepLinks) and links.follows
    here = links.of("", [], 2)
    assert here is not None and here.head == "Step 2" and here.steps == (1,) and here.items == (2,)
    assert [QUESTION[start:end] for start, end in here.question] == ["94"]
    assert [KEY[start:end] for start, end in here.key_points["key"]] == ["94"]
    assert here.nowhere == ("2", "4")
    unknown = links.of("chickens", [], 4)
    assert unknown is not None and unknown.head == "chickens = 23"
    assert [QUESTION[start:end] for start, end in unknown.question] == ["35", "94"]
    assert links.of("chickens", [], 2) is None, "it is not known by then"
    assert [QUESTION[start:end] for start, end in links.unused] == ["7"]
    made.answer = Answer("no_answer")
    assert links_of(made).unused == (), "without an answer nothing is said"


def test_a_chain_of_thought_has_its_steps_as_soon_as_it_is_written():
    made = Recording("Ida has 12 plums and eats 2.", 10.0, "cot", ("solve",))
    made.add(StageStarted("solve"))
    add_event(made, StageEnded("solve", "12 - 2 = 9. The answer is 9."))
    assert [(step.text, step.holds) for step in made.checks] == [("12 - 2 = 9", False)]
    made.add(StageStarted("solve"))
    assert made.checks == [], "another rationale begins without them"
