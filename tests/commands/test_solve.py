"""`kpdd solve` and `kpdd serve-solve` with students that know two questions by heart."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict, replace

import pytest

from training_backend.__main__ import main
from training_backend.commands.solve import as_text, worked_steps
from training_backend.events import (
    Answer,
    Failed,
    Result,
    StageEnded,
    StageStarted,
    Token,
    Trace,
    Vote,
    parse_line,
)
from training_backend.rationale.judgement import Judgement
from training_backend.students.solution import Solution

QUESTION = "Tom has 2 boxes of 3 pens each. How many pens?"


def test_answer_for_people(trained_run, capsys):
    arguments = [
        "solve",
        "--students",
        str(trained_run),
        QUESTION,
        "--gold",
        "6",
        "--trace",
        "--device",
        "cpu",
    ]
    assert main([*arguments, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "How many pens has Tom?" in said and "    ans = boxes * 3" in said
    assert "Answer  6   gold 6: equal" in said and "line   3" in said


def test_answer_for_programs(trained_run, capsys):
    arguments = [
        "solve",
        "--students",
        str(trained_run),
        QUESTION,
        "--gold",
        "7",
        "--trace",
        "--json",
        "--quiet",
    ]
    assert main(arguments) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["answer"] == 6 and data["equal"] is False and data["state"] == "not_equal"
    assert data["information"] == ["2 boxes", "3 pens each"] and data["trace"][0]["ln"] == 1


def test_chains_of_thought_and_equations_are_told_step_by_step():
    chain = "A bag has 3 * 4 = 13 pens. In all 13 + 2 = 15. The answer is 15."
    wrong = Solution(QUESTION, 14.0, "", (), "cot", chain, Judgement("not_equal", "", "15", 15.0))
    assert [(step.holds, step.detail) for step in worked_steps(wrong, [])] == [
        (False, "it is 12"),
        (True, ""),
    ]
    equations = "x + y = 4\nx + y = 5\nans = x"
    reason = "the equations contradict each other"
    judged = Judgement("no_answer", "no_answer", "", None, error=reason)
    steps = [
        asdict(step)
        for step in worked_steps(replace(wrong, kind="eot", rationale=equations, judgement=judged), [])
    ]
    data = {"unknown_words": [], "core_question": "", "information": [], "kind": "eot",
            "rationale": equations, "steps": steps, "trace": [], "answer": None, "verdict": "no_answer",
            "error": reason, "error_line": 2}  # fmt: skip
    told = as_text(data, True)
    assert "    1 ✓ x + y = 4  →  x = 4 - y   line 1, solved for x" in told
    assert "    2 ✗ 4 = 5   line 2, with x = 4 - y: this cannot be" in told


def test_a_student_for_a_role(trained_run, capsys):
    key = trained_run / "students" / "key"
    arguments = ["solve", "--students", str(trained_run), "--role-folder", f"solve={key}", QUESTION]
    assert main([*arguments, "--json", "--quiet"]) == 0
    assert "core question" in json.loads(capsys.readouterr().out)["rationale"]


def test_paths_vote(trained_run, capsys):
    arguments = ["solve", "--students", str(trained_run), QUESTION, "--gold", "6", "--paths", "5", "--quiet"]
    assert main([*arguments, "--temperature", "0.2", "--seed", "3", "--trace"]) == 0
    said = capsys.readouterr().out
    assert "Vote    6: 5 of 5 paths" in said and "Answer  6   gold 6: equal" in said and "line   3" in said
    assert main([*arguments, "--temperature", "2", "--seed", "3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["paths"]) == 5 and len({path["rationale"] for path in data["paths"]}) > 1
    voters = [n for _, paths in data["candidates"] for n in paths]
    assert sorted(voters) == [n for n, path in enumerate(data["paths"]) if path["value"] is not None]
    assert main([*arguments, "--temperature", "2", "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paths"] == data["paths"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--students", "demo", " "], "empty"), (["--students", "/nowhere", "x"], "is not there"),
     (["--students", "demo", "x", "--gold", "many"], "no number"),
     (["--students", "/nowhere", "--role-folder", "solve", "x"], "is not there"),
     (["--students", "demo", "x", "--paths", "0"], "0 paths"),
     (["--students", "demo", "x", "--paths", "5", "--temperature", "0"], "are all the same"),
     (["--students", "demo", "x", "--temperature", "-1"], "Temperature")],
)  # fmt: skip
def test_mistakes(arguments, says, capsys):
    assert main(["solve", *arguments, "--quiet"]) == (1 if "/nowhere" in arguments else 2)
    assert says in capsys.readouterr().err


class Served:
    """A running `serve-solve`."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "training_backend", "serve-solve", "--device", "cpu"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.killer = threading.Timer(120, self.process.kill)
        self.killer.start()

    def send(self, **message):
        self.process.stdin.write((message.pop("raw", None) or json.dumps(message)) + "\n")
        self.process.stdin.flush()

    def until(self, kind, **fields):
        """Return the events up to the first of `kind` with these fields."""
        seen = []
        for line in self.process.stdout:
            event = parse_line(line)
            seen.append(event)
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                return seen
        raise AssertionError(f"ended without {kind.__name__}: {seen[-3:]}")


def test_serving(trained_run):
    served = Served()
    try:
        # a question before students, nonsense, and a folder that is none: each is one answer
        served.send(command="solve", request="0", question=QUESTION)
        assert "No students" in served.until(Failed, request="0")[-1].message
        served.send(raw="{nonsense")
        served.until(Failed)
        served.send(command="load", students="/nowhere")
        assert served.until(Failed)[-1].where == "/nowhere"
        served.send(command="load", students=str(trained_run))
        about = served.until(Result)[-1].data
        assert about["request"] == ""
        # what is cancelled before its turn is answered at once, and a later load is not held up by it
        served.send(command="cancel", request="load 1")
        served.send(command="load", request="load 1", students="/nowhere")
        assert served.until(Failed)[-1].request == "load 1"
        served.send(command="load", request="load 2", students=str(trained_run))
        assert served.until(Result)[-1].data["request"] == "load 2"
        assert about["roles"] == ["key", "solve"] and about["students"] == str(trained_run)
        served.send(command="solve", request="1", question=QUESTION, gold=6)
        events = served.until(Answer, request="1")
        assert events[-1].equal is True
        assert {type(e) for e in events} >= {Token, StageEnded, Trace, Answer}
        served_tokens = [e for e in events if isinstance(e, Token)]
        # given up before its turn comes
        served.send(command="cancel", request="2")
        served.send(command="solve", request="2", question=QUESTION)
        events = served.until(Failed, request="2")
        assert events[-1].message == "Cancelled." and not any(isinstance(e, Answer) for e in events)
        # from the second likeliest third token of Solve
        solve = [e for e in served_tokens if e.role == "solve"]
        branch = [solve[0].token, solve[1].token, solve[2].alternative_tokens[1]]
        given = {"core_question": "How many pens has Tom?", "information": ["2 boxes", "3 pens each"]}
        served.send(
            command="continue", request="5", question=QUESTION, role="solve", tokens=branch, given=given
        )
        events = served.until(Answer, request="5")
        assert [e.role for e in events if isinstance(e, StageStarted)] == ["solve"]
        assert [e.token for e in events if isinstance(e, Token)][:3] == branch
        served.send(command="continue", request="6", question=QUESTION, role="solve", tokens="none")
        assert "no tokens" in served.until(Failed, request="6")[-1].message
        served.send(command="vote", request="7", question=QUESTION, paths=3, temperature=0.1, gold=6)
        events = served.until(Answer, request="7")
        (voted,) = (e for e in events if isinstance(e, Vote))
        assert voted.candidates == [[6.0, [0, 1, 2]]] and len(voted.paths) == 3 and events[-1].equal is True
        served.send(command="solve", request="8", question=QUESTION, temperature="warm")
        assert "no number" in served.until(Failed, request="8")[-1].message
        served.send(command="run", request="3", code="a = 1\nans = a + 4", gold=5)
        assert served.until(Answer, request="3")[-1].equal is True
        # what was asked before the end of the input is still answered
        served.send(command="solve", request="4", question=QUESTION, gold=6)
        served.process.stdin.close()
        assert served.until(Answer, request="4")[-1].equal is True
        assert served.process.wait(30) == 0
    finally:
        served.killer.cancel()
        served.process.kill()
        served.process.stdout.close()
        served.process.wait()
