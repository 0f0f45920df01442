"""Runs, evaluations and predictions come back as they were stored."""

from __future__ import annotations

import pytest

from training_backend.errors import StoreError
from training_backend.project import runs
from training_backend.project.runs import Evaluation, Prediction, Run


def prediction(number, equal):
    return Prediction(str(number), "How many?", "7", 7.0, "core?", ("one", "two"), "pot", "ans = 7\n", "ok",
                      "7", 7.0, equal, "")  # fmt: skip


def test_runs(project):
    first = runs.add_run(project, "a.runs/1", "kpdd-pot", "first")
    assert runs.add_run(project, "a.runs/1", "kpdd-pot", "renamed") == first
    second = runs.add_run(project, "a.runs/2", "cotd", "second")
    runs.set_run_status(project, first, "done", {"loss": 0.5, "ü": [1]})
    found = runs.runs(project)
    assert [run.id for run in found] == [second, first]
    assert found[1] == Run(
        first, "a.runs/1", "kpdd-pot", "renamed", "done", found[1].created_at, {"loss": 0.5, "ü": [1]}
    )
    with pytest.raises(StoreError, match="no such run"):
        runs.set_run_status(project, 99, "done", {})


def test_evaluations_and_their_predictions(project):
    one = runs.add_evaluation(project, None, "demo", "svamp", "kpdd-pot", {"beams": 1})
    stored = [prediction(n, (True, False, None)[n % 3]) for n in range(1203)]
    assert runs.add_predictions(project, one, iter(stored)) == 1203
    assert not runs.evaluations(project)[0].finished
    runs.finish_evaluation(project, one, {"accuracy": 0.5})
    found = runs.evaluations(project)[0]
    assert found == Evaluation(one, None, "demo", "svamp", "kpdd-pot", {"beams": 1}, {"accuracy": 0.5},
                               found.created_at, True)  # fmt: skip
    assert runs.predictions(project, one) == stored
    assert runs.predictions(project, one, only_wrong=True) == stored[1::3]
    assert runs.predictions(project, 99) == []
    with pytest.raises(StoreError, match="no such evaluation"):
        runs.finish_evaluation(project, 99, {})
