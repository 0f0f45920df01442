"""`kpdd evaluate`: what it asks for, what it writes, what it says when something is missing."""

from __future__ import annotations

import json

import pytest

from training_backend.__main__ import main
from training_backend.execution.judge import judge
from training_backend.methods import get
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.runs import add_run, evaluations
from training_backend.project.store import Project
from training_backend.students.solving import Solution, Solver

LINES = [
    {"question": "What is 2 and 3?", "answer": "2 + 3 = 5\n#### 5"},
    {"question": "What is 4 and 4?", "answer": "#### 8"},
]


class Adder:
    """Stands for loaded students: adds the numbers of a question, badly for equal ones."""

    method = get("kpdd-pot")

    def engines(self, count, settings):
        name = {"auto": "transformers"}.get(settings.engine, f"{settings.engine}, as asked for")
        return {"key": name, "solve": name}

    def solve_many(self, questions, runner, reporter, kind=None, gold=(), settings=None, stop=None):
        self.wrote_with = settings.engine
        return [self.solve(text, g, runner) for text, g in zip(questions, gold, strict=True)]

    def solve(self, text, gold, runner):
        a, b = (int(word) for word in text.replace("?", "").split() if word.isdigit())
        program = f"ans = {a} + {b}" if a != b else f"ans = {a}"
        return Solution(text, gold, "What is it?", (f"{a}", f"{b}"), "pot", program,
                        judge("pot", program, gold, runner))  # fmt: skip


@pytest.fixture
def students(tmp_path, monkeypatch):
    """Return a folder that loads as the adding students."""
    folder = tmp_path / "p.runs" / "run-1"
    folder.mkdir(parents=True)
    monkeypatch.setattr(Solver, "load", classmethod(lambda cls, source, method=None: Adder()))
    return folder


@pytest.fixture
def benchmark(tmp_path):
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    return file


def evaluate(*arguments):
    return main(["evaluate", "--quiet", *map(str, arguments)])


def test_a_benchmark_file(students, benchmark, tmp_path, capsys):
    out = tmp_path / "predictions.jsonl"
    assert evaluate("--students", students, "--benchmark", benchmark, "--out", out, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["right"], data["wrong"], data["accuracy"]) == (1, 1, 0.5)
    (wrong,) = data["not_equal"]
    assert (wrong["question"], wrong["gold_value"], wrong["value"]) == ("What is 4 and 4?", 8.0, 4.0)
    assert wrong["rationale"] == "ans = 4" and wrong["information"] == ["4", "4"] and wrong["rule"]
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [one["equal"] for one in written] == [True, False]


def test_the_engine_is_chosen_and_said(students, benchmark, capsys):
    chosen = ["--students", students, "--benchmark", benchmark, "--engine", "ctranslate2-int8"]
    assert evaluate(*chosen) == 0
    said = capsys.readouterr().out
    assert all(f"{who} wrote with ctranslate2-int8, as asked for." in said for who in ("Key", "Solve"))
    assert evaluate(*chosen, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["notes"]) == 2
    assert evaluate(*chosen[:-1], "float16") == 2


def test_a_project_keeps_the_evaluation_with_its_run(students, tmp_path, capsys):
    file = tmp_path / "p.kpdd"
    with Project.create(file) as project:
        add_questions(project, [NewQuestion("gsm8k", "test", "0", "What is 1 and 2?", "3", 3.0)])
        add_questions(project, [NewQuestion("other", "test", "0", "What is 5 and 5?", "10", 10.0)])
        run_id = add_run(project, "p.runs/run-1", "kpdd-pot", "first")
    assert evaluate("--students", students, "--project", file, "--dataset", "gsm8k", "--split", "test") == 0
    text = capsys.readouterr().out
    assert "gsm8k test, 1 questions answered" in text and "100.0 %" in text
    with Project.open(file, read_only=True) as project:
        (kept,) = evaluations(project)
        assert (kept.run_id, kept.benchmark, kept.summary["right"]) == (run_id, "gsm8k test", 1)


def test_a_benchmark_may_be_kept_in_a_project(students, benchmark, tmp_path, capsys):
    file = tmp_path / "p.kpdd"
    Project.create(file).close()
    assert evaluate("--students", students, "--benchmark", benchmark, "--project", file, "--limit", 1) == 0
    assert "1 questions answered" in capsys.readouterr().out
    with Project.open(file, read_only=True) as project:
        assert evaluations(project)[0].summary["questions"] == 1


def test_unreadable_lines_are_named_and_the_rest_is_measured(students, benchmark, capsys):
    benchmark.write_text(benchmark.read_text(encoding="utf-8") + '{"question": "half', encoding="utf-8")
    assert main(["evaluate", "--students", str(students), "--benchmark", str(benchmark), "--json"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert data["questions"] == 2
    assert data["notes"][0].startswith("1 places of the file") and "line 3: " in data["notes"][0]
    assert "line 3" in captured.err


def test_what_is_missing_is_said(students, benchmark, tmp_path, capsys):
    for arguments, said in [
        (["--students", students], "nothing to measure on"),
        (["--students", tmp_path / "nobody", "--benchmark", benchmark], "no such folder of students"),
        (["--students", students, "--benchmark", tmp_path / "none.jsonl"], "none.jsonl"),
        (["--students", students, "--benchmark", benchmark, "--limit", 0], "leaves no question"),
        (["--students", students, "--benchmark", benchmark, "--out", tmp_path / "no/where"], "--out"),
    ]:
        wrong = "--limit" in arguments or len(arguments) < 4
        assert evaluate(*arguments) == (2 if wrong else 1)
        assert said in capsys.readouterr().err
