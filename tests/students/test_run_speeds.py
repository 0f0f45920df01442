"""The pace of earlier runs: the same settings, this machine, enough reports."""

from __future__ import annotations

import pytest
from rows import make_rows

from training_backend.events import Metrics, Reporter
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, prepare_run
from training_backend.students.run_speeds import recorded_speed


@pytest.fixture
def made(tmp_path):
    def make(name: str, speeds: list[float], host: str = "", **settings):
        run = prepare_run(tmp_path / name, RunConfig(held_out=0.3, **settings), make_rows(20), name)
        reporter = Reporter(quiet=True)
        reporter.attach(run.path)
        for step, speed in enumerate([1.0, *speeds], 1):
            reporter.emit(Metrics("key", step, 100, 0.0, 1.0, tokens_per_s=speed))
        reporter.detach()
        run.set_role_status(RoleStatus("key", "done", host=host))
        return run.path

    return make


def test_the_first_run_with_the_same_settings_tells(made):
    folders = [
        made("few", [500.0]),
        made("elsewhere", [9.0] * 9, host="another machine"),
        made("lora", [8.0] * 9, tuning="lora", base="google/flan-t5-small"),
        made("mine", [100.0, 120.0, 110.0, 5.0, 115.0, 112.0]),
    ]
    found = recorded_speed(folders, RunConfig(epochs=99))
    assert found.title == "mine" and 100 <= found.tokens_per_s <= 120
    assert recorded_speed(folders, RunConfig(base="google/flan-t5-base")) is None


def test_folders_that_are_gone_are_passed_over(tmp_path, made):
    assert recorded_speed([tmp_path / "gone"], RunConfig()) is None
