"""`kpdd export-student`: every student of a run, one of them, and mistakes."""

from __future__ import annotations

import json

import pytest

from training_backend.__main__ import main


def test_a_run_and_one_of_its_students(trained_run, tmp_path, capsys):
    assert main(["export-student", str(trained_run), str(tmp_path / "all"), "--json", "--quiet"]) == 0
    students = json.loads(capsys.readouterr().out)["students"]
    assert [one["role"] for one in students] == ["key", "solve"]
    assert (tmp_path / "all" / "key" / "README.md").is_file()
    checkpoint = sorted((trained_run / "checkpoints" / "key").glob("step-*"))[0]
    assert main(["export-student", str(checkpoint), str(tmp_path / "one"), "--quiet"]) == 0
    assert "key: " in capsys.readouterr().out and (tmp_path / "one" / "model.safetensors").is_file()
    assert main(["export-student", str(trained_run), str(tmp_path / "s"), "--role", "solve", "--quiet"]) == 0
    assert json.loads((tmp_path / "s" / "student.json").read_text())["role"] == "solve"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["/nowhere", "out"], "is not there"),
     (["demo", "out", "--role", "core"], "no student called 'core'")],
)  # fmt: skip
def test_mistakes(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["export-student", *arguments, "--quiet"]) == 1
    assert says in capsys.readouterr().err and not (tmp_path / "out").exists()
