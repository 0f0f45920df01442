"""The commands new, import and export, as a terminal and a program use them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from training_backend.__main__ import main

LINES = [{"question": f"How many are {n}?", "answer": f"x\n#### {n}"} for n in range(5)]


@pytest.fixture
def path(tmp_path, capsys):
    project = tmp_path / "my sums.kpdd"
    assert main(["new", str(project)]) == 0
    assert str(project) in capsys.readouterr().out
    return project


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES) + '{"half')
    return file


def test_new_adds_the_ending_and_never_overwrites(tmp_path, capsys):
    assert main(["new", str(tmp_path / "sums")]) == 0
    assert (tmp_path / "sums.kpdd").is_file()
    assert main(["new", str(tmp_path / "sums.kpdd")]) == 1
    assert "There is a file of this name" in capsys.readouterr().err


def test_import_for_people_and_for_programs(path, source, capsys):
    assert main(["import", str(path), str(source)]) == 1
    told = capsys.readouterr().out
    assert "nothing was imported, as 1 place could not be read" in told and "--keep-good the other 5" in told
    assert f"{source}, line 6" in told
    assert main(["import", str(path), str(source), "--keep-good"]) == 0
    told = capsys.readouterr().out
    assert "5 questions added as gsm8k/test" in told and "1 place could not be read" in told
    assert f"{source}, line 6" in told
    assert main(["import", str(path), str(source), "--json", "--dataset", "own", "--split", "dev",
                 "--keep-good"]) == 0  # fmt: skip
    result = json.loads(capsys.readouterr().out)
    assert result["files"][0]["added"] == 5 and result["files"][0]["dataset"] == "own"
    assert result["files"][0]["unreadable"][0]["line"] == 6


def test_a_file_that_cannot_be_used_does_not_keep_the_others_out(path, source, tmp_path, capsys):
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert main(["import", str(path), str(empty), str(source), "--quiet", "--keep-good"]) == 1
    told = capsys.readouterr()
    assert told.err == f"kpdd import: {empty}: The file is empty. Choose a file with questions.\n"
    assert "5 questions added" in told.out and "empty" not in told.out


def test_failures_are_one_sentence(path, source, tmp_path, capsys):
    assert main(["import", str(tmp_path / "none.kpdd"), str(source)]) == 1
    assert "There is no such file" in capsys.readouterr().err
    assert main(["import", str(source), str(source)]) == 1
    assert "no SQLite database" in capsys.readouterr().err
    assert main(["import", str(path)]) == 2
    assert "There is nothing to import" in capsys.readouterr().err
    assert main(["import", str(path), str(source), "--map", "question"]) == 2
    assert "maps no column" in capsys.readouterr().err
    assert main(["import", str(path), str(source), "--format", "xls"]) == 2
    assert "There is no format 'xls'" in capsys.readouterr().err


def test_export_with_conditions(path, source, tmp_path, capsys):
    main(["import", str(path), str(source), "--keep-good"])
    out = tmp_path / "out.csv"
    assert (
        main(["export", str(path), str(out), "--where", "verdict=not_asked", "--where", "search=3", "--json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rows"] == 1
    assert "How many are 3?" in out.read_text()
    assert main(["export", str(path), str(out), "--where", "colour=red"]) == 2
    assert "'colour=red' is no condition" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["new", "import", "export"])
def test_help_needs_neither_torch_nor_sqlalchemy_nor_numpy(command):
    script = (
        "import sys; from training_backend.__main__ import main\n"
        f"status = main([{command!r}, '--help'])\n"
        "heavy = {'torch', 'transformers', 'sqlalchemy', 'numpy', 'sympy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout


def test_a_mapping_and_another_project_on_the_command_line(path, tmp_path, capsys):
    table = tmp_path / "mine.csv"
    table.write_text("prompt,label\nHow many are 2 and 2?,4\n")
    assert main(["import", str(path), str(table), "--map", "question=prompt", "--map", "gold=label"]) == 0
    assert "1 question added as mine/all" in capsys.readouterr().out
    other = tmp_path / "other.kpdd"
    assert main(["new", str(other)]) == 0
    assert main(["import", str(other), str(path)]) == 0
    assert "my sums.kpdd: merged 1 question, 1 row" in capsys.readouterr().out
    assert main(["import", str(other), str(path)]) == 0
    assert "merged nothing new" in capsys.readouterr().out
    assert main(["import", str(other), str(other)]) == 1
    assert "cannot be merged with itself" in capsys.readouterr().err
