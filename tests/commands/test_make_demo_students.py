"""The shipped students: how they are made small, measured and described."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training_backend.__main__ import main
from training_backend.commands import make_demo_students
from training_backend.commands.make_demo_students import (
    MOST_BYTES,
    SETS,
    as_text,
    demo_config,
    demo_rows,
    halve,
    measured_problems,
    read_results,
    ship,
)
from training_backend.errors import CheckpointError
from training_backend.paths import demo_students_dir
from training_backend.students.run_folder import RunFolder, prepare_run
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import generate


def _untrained_students(run, *rest, **settings) -> None:
    from training_backend.students.base_student import make_tiny
    from training_backend.students.run_folder import RoleStatus

    for seed, role in enumerate(run.method.roles):
        folder = run.student_dir(role.name)
        make_tiny(folder, demo_students_dir() / "tokenizer", seed)
        about = {"role": role.name, "method": run.config.method, "max_target_tokens": 12}
        (folder / "student.json").write_text(json.dumps(about), encoding="utf-8")
        run.set_role_status(RoleStatus(role.name, "done", 1, 1))


@pytest.fixture
def trained(tmp_path):
    rows = demo_rows(list(generate(20, 1)))
    run = prepare_run(tmp_path / "run", demo_config(1.0), rows, "Demo students", "20 problems")
    _untrained_students(run)
    return run


def test_shipped_students_are_a_small_run_folder_with_the_same_weights(trained, tmp_path):
    from safetensors.numpy import load_file

    folder = tmp_path / "shipped students"
    ship(trained, folder)
    opened = RunFolder.open(folder)
    assert set(opened.students()) == {"key", "solve"}
    assert not (folder / "examples").exists()
    for role, student in opened.students().items():
        weights = load_file(student / "model.safetensors")
        full = load_file(trained.student_dir(role) / "model.safetensors")
        assert weights.keys() == full.keys()
        for name, array in weights.items():
            assert array.dtype == np.float16
            assert np.allclose(array, full[name], rtol=1e-3, atol=1e-6)
    assert sum(file.stat().st_size for file in folder.rglob("*")) < MOST_BYTES


def test_a_weight_too_large_for_half_precision_is_refused(trained):
    from safetensors.numpy import load_file, save_file

    file = trained.student_dir("key") / "model.safetensors"
    weights = load_file(file)
    first = next(iter(weights))
    weights[first] = weights[first] * 0 + 1e6
    save_file(weights, file)
    with pytest.raises(CheckpointError, match="half precision"), np.errstate(over="ignore"):
        halve(file.parent)


def test_the_command_makes_measures_and_describes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KPDD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(make_demo_students, "train_students", _untrained_students)
    monkeypatch.setattr(make_demo_students, "measured_problems", lambda name: measured_problems(name)[:3])
    folder = tmp_path / "students"
    assert main(["make-demo-students", "--folder", str(folder), "--problems", "20", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data["sets"]) == set(SETS)
    assert all(figures["questions"] == 3 for figures in data["sets"].values())
    assert read_results(folder)["sets"] == data["sets"]
    assert "kinds of problems never seen" in as_text(folder, data)
    assert not (tmp_path / "home" / "make-demo-students").exists()
    assert main(["make-demo-students", "--folder", str(folder), "--problems", "0"]) == 2


def test_what_is_measured():
    known = measured_problems("held_out_numbers")
    assert {problem.template for problem in known} == set(problem_templates.known())
    new = measured_problems("new_templates")
    assert {problem.template for problem in new} == set(problem_templates.new())
    assert len(known) >= 900 and len(new) >= 200
    trained_on = {problem.question for problem in generate(5000, make_demo_students.SEED)}
    assert not trained_on & {problem.question for problem in known}


@pytest.mark.skipif(
    not (demo_students_dir() / "run.json").is_file(), reason="the demo students are not made yet"
)
def test_the_shipped_students_solve_fresh_problems():
    from training_backend.events import Reporter
    from training_backend.execution.runner import ProgramRunner
    from training_backend.students.solving import Solver

    folder = demo_students_dir()
    results = read_results(folder)["sets"]
    assert results["held_out_numbers"]["accuracy"] >= 0.95
    assert results["held_out_numbers"]["questions"] >= 900
    assert results["new_templates"]["questions"] >= 200
    assert sum(file.stat().st_size for file in folder.rglob("*")) < MOST_BYTES
    problems = list(generate(58, 977, numbers="held_out"))
    with ProgramRunner() as runner:
        solutions = Solver.load("demo").solve_many(
            [problem.question for problem in problems], runner, Reporter(quiet=True),
            gold=[float(problem.answer) for problem in problems],
        )  # fmt: skip
    right = sum(solution.judgement.state == "equal" for solution in solutions)
    assert right >= 50, right
