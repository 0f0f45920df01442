"""Recordings as documents, and the script of the exported page beside the window's own reading of a trace."""

from __future__ import annotations

import json

from PySide6.QtQml import QJSEngine

from kpdd_app.recording import Recording
from kpdd_app.solution_document import document_of, key_points_of
from kpdd_app.solution_steps import add_event
from training_backend.events import Answer, StageEnded, StageStarted, Token, Trace
from training_backend.students.solution_export import as_data, as_web_page

KEY = "core question: How many are left? information: 1. Ida has 12 plums. 2. She eats 2."


def record(kind: str, frame: int, line: int, **more) -> dict:
    return {"n": 0, "ev": kind, "f": frame, "depth": min(1, frame), "ln": line, "nx": None, "ch": {}, **more}


RECORDS = [
    record("line", 0, 1, ch={"f": ["function f", "function"]}),
    record("call", 1, 1, fn="f", ch={"x": ["12", "int"]}),
    record("line", 1, 2, ch={"y": ["10", "int"]}, o="in f é\n"),
    record("return", 1, 3, rv="10"),
    record("line", 0, 5, ch={"ans": ["10", "int"]}),
    record("exc", 0, 6, ex=["ValueError", "no"]),
    record("line", 0, 7, ch={"ans": None}),
    *[record("line", 0, 8, ch={"n": [str(n), "int"]}) for n in range(230)],
]


def recording() -> Recording:
    made = Recording("Ida has 12 plums, eats 2, and is 7.", 10.0, "pot", ("key", "solve"))
    for role, text in (("key", KEY), ("solve", "plums = 12\nans = plums - 2")):
        made.add(StageStarted(role))
        made.add(Token(role, 0, text, 0.75))
        made.add(StageEnded(role, text))
    made.add(Trace([record("line", 0, 1, n=1, nx=2, ch={"plums": ["12", "int"]}),
                    record("line", 0, 2, n=2, ch={"ans": ["10", "int"]})]))  # fmt: skip
    made.add(Answer("ok", "10", 10.0, 10.0, True))
    return made


def test_a_recording_becomes_a_document():
    found = document_of(recording(), "demo")
    assert found.core_question == "How many are left?"
    assert found.information == ["Ida has 12 plums.", "She eats 2."]
    assert [found.question[start:end] for start, end in found.unused] == ["7"]
    assert [(one.title, one.tokens[0][1]) for one in found.stages] == [
        ("Key points", 0.75), ("Program", 0.75),
    ]  # fmt: skip
    assert json.loads(json.dumps(as_data(found)))["answer"]["equal"] is True


def test_without_an_answer_no_number_is_called_unused():
    made = recording()
    made.add(Answer("out_of_memory", error="more than 96 MiB"))
    assert document_of(made).unused == ()
    made.answer = None
    assert document_of(made).unused == ()


def test_fields_that_were_read_count_before_the_text():
    made = recording()
    made.stages[0].fields = {"core_question": "How many?", "information": ["12 plums"]}
    assert key_points_of(made) == ("How many?", ["12 plums"])


def test_the_page_reads_a_trace_as_the_window_does(qapp):
    made = recording()
    made.trace.add(RECORDS)
    page = as_web_page(document_of(made))
    script = page.split("</script>")[1].split("<script>")[1]
    engine = QJSEngine()
    loaded = engine.evaluate(script)
    assert not loaded.isError(), loaded.toString()
    engine.globalObject().setProperty("text", json.dumps(made.trace.records))
    engine.evaluate("var at = tracer(JSON.parse(text)); function look(n) { return JSON.stringify(at(n)); }")
    length = len(made.trace)
    for step in (*range(1, length + 1), *range(length, 0, -7), 3, 200, 1):
        told = json.loads(engine.evaluate(f"look({step})").toString())
        state = made.trace.state(step)
        assert told["line"] == state.line and told["errorLine"] == state.exception_line
        assert [frame["name"] for frame in told["frames"]] == [frame.name for frame in state.frames]
        for frame, mine in zip(told["frames"], state.frames, strict=True):
            assert [tuple(one) for one in frame["names"]] == [
                (name, *value) for name, value in mine.variables.items()
            ]
        assert {int(line): text for line, text in told["ghosts"].items()} == state.line_values
        assert told["changed"] == list(state.changed) and told["output"] == state.output_end


def test_worked_steps_are_told_with_what_they_read(qapp):
    made = Recording("A farm has chickens and cows, 35 animals with 94 legs.", 23.0, "eot", ("solve",))
    text = "chickens + cows = 35\n2 * chickens + 4 * cows = 94\nans = chickens"
    made.add(StageStarted("solve"))
    add_event(made, StageEnded("solve", text, {"kind": "eot", "rationale": text}))
    found = (("chickens", "23", 1), ("cows", "12", 2), ("ans", "23", 3))
    made.add(Trace([record("line", 0, line, ch={name: [value, "number"]}) for name, value, line in found]))
    add_event(made, Answer("ok", "23", 23.0, 23.0, True))
    data = as_data(document_of(made))
    steps = data["checks"]
    assert [(one["text"], one["line"]) for one in steps] == [
        ("chickens + cows = 35  →  chickens = 35 - cows", 1),
        ("2 * (35 - cows) + 4 * cows = 94  →  cows = 12", 2),
        ("chickens = 35 - 12 = 23", 1),
        ("ans = 23", 3),
    ]
    assert [data["question"][start:end] for start, end in steps[1]["question"]] == ["94"]
    assert (steps[2]["steps"], steps[2]["why"]) == ([1, 2], "with cows = 12")
    engine = QJSEngine()
    engine.evaluate(as_web_page(document_of(made)).split("</script>")[1].split("<script>")[1])
    engine.globalObject().setProperty("text", json.dumps(data))
    lengths = engine.evaluate(
        "JSON.stringify(phasesOf(JSON.parse(text)).map(phase => phase.length))"
    ).toString()
    assert json.loads(lengths) == [phase.length for phase in made.phases()]
