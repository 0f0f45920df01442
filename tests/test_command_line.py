"""What the command line makes of wrong arguments, and of failures that no command expects."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from training_backend.__main__ import COMMANDS, main
from training_backend.commands import new
from training_backend.events import Reporter

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Return a folder with a small vocabulary."""
    file = ROOT / "tests" / "students" / "vocabularies.py"
    spec = importlib.util.spec_from_file_location("vocabularies_of_students", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_byte_level(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(autouse=True)
def no_control_words(monkeypatch):
    """Let --events find the end of standard input at once."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def failing(error):
    def run(args, reporter, control):
        raise error

    return run


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_one_sentence(tmp_path, monkeypatch, capsys, number):
    monkeypatch.setattr(new, "run", failing(OSError(number, os.strerror(number), "/disk/file")))
    assert main(["new", str(tmp_path / "a.kpdd")]) == 1
    told = capsys.readouterr()
    assert told.err == (
        f"kpdd new: /disk/file: {os.strerror(number)}. Check the disk and its permissions, then try again.\n"
    )
    assert not told.out
    assert main(["new", str(tmp_path / "a.kpdd"), "--events"]) == 1
    failed, ended = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["where"], failed["traceback"], ended["status"]) == ("/disk/file", "", "failed")


def test_a_fault_of_ours_is_reported_with_its_place(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(new, "run", failing(ZeroDivisionError("by accident")))
    assert main(["new", str(tmp_path / "a.kpdd"), "--events"]) == 1
    failed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert failed["message"] == "ZeroDivisionError: by accident" and "Traceback" in failed["traceback"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_events_file_stops_no_report(tmp_path, capsys):
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    reporter = Reporter()
    reporter.attach(tmp_path)
    reporter.log("still here")
    reporter.detach()
    assert "still here" in capsys.readouterr().err


# commands that print lines as they come, or much at once
PRINTING = {
    "overview": ["--help"],
    "text": ["text", "--student", "TOKENIZER", "rows.jsonl"],
    "text as one object": ["text", "--student", "TOKENIZER", "rows.jsonl", "--json"],
    "trace": ["trace", "loop.py"],
    "execute": ["execute", "programs.jsonl"],
}


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path, tokenizer, name, buffered):
    line = json.dumps({"id": 1, "text": "a text " * 20, "code": "ans = 1"})
    for file in ("rows.jsonl", "programs.jsonl"):
        (tmp_path / file).write_text(f"{line}\n" * 400)
    (tmp_path / "loop.py").write_text("ans = 0\nfor i in range(300):\n    ans += i\n")
    arguments = [str(tokenizer) if word == "TOKENIZER" else word for word in PRINTING[name]]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "training_backend", *arguments], cwd=tmp_path, stdout=nobody,
            stderr=subprocess.PIPE, text=True, timeout=120,
            env={**os.environ, "PYTHONUNBUFFERED": buffered, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert done.returncode == 1


def test_another_broken_pipe_is_a_fault(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(new, "run", failing(BrokenPipeError(errno.EPIPE, "of a socket")))
    assert main(["new", str(tmp_path / "a.kpdd")]) == 1
    assert "of a socket" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        "train PROJECT --batch 0", "train PROJECT --batch -5", "train PROJECT --max-source-tokens 3",
        "train PROJECT --method nobody", "train PROJECT --preset nobody", "train PROJECT --role nobody",
        "train PROJECT --queue --preset demo", "solve --students demo --paths 0 x",
        "solve --students demo ''",
        "solve --students demo --gold many x", "solve --students demo --top-p 0 x",
        "solve --students demo --method nobody x", "solve --students demo --role-folder solve x",
        "evaluate --students demo", "evaluate --students demo --project PROJECT --limit 0",
        "evaluate --students demo --benchmark FILE --format xls",
        "generate PROJECT --teacher sample --limit 0",
        "generate PROJECT --teacher sample --paths 0", "generate PROJECT --teacher sample --kinds poem",
        "generate PROJECT --teacher mine --concurrency 0", "generate PROJECT --teacher replay:dup",
        "text --student FOLDER --rows PROJECT",
        "text --student FOLDER --rows PROJECT --method nobody", "demo --minutes 0",
        "make-demo-students --folder FOLDER --epochs 0", "teacher add PROJECT mine --preset nobody",
        "import PROJECT FILE --map question", "import PROJECT FILE --format xls", "import PROJECT",
        "export PROJECT OUT.csv --where colour=red", "export PROJECT OUT.doc", "flags PROJECT --longest 1 2",
        "execute FILE --workers none", "trace", "new", "check", "repair", "export-student",
    ],
)  # fmt: skip
def test_wrong_arguments_are_told_by_the_status(tmp_path, arguments, capsys):
    project = tmp_path / "a.kpdd"
    assert main(["new", str(project)]) == 0
    capsys.readouterr()
    before = project.stat().st_mtime_ns
    assert main(_words(arguments, project)) == 2
    said = capsys.readouterr().err
    assert said and "Traceback" not in said
    assert project.stat().st_mtime_ns == before and not project.with_suffix(".runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "train NOWHERE", "solve --students NOWHERE x", "evaluate --students NOWHERE --benchmark FILE",
        "generate NOWHERE.kpdd --teacher sample", "export NOWHERE.kpdd OUT.csv", "train PROJECT --resume",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_failure(tmp_path, arguments, capsys):
    project = tmp_path / "a.kpdd"
    assert main(["new", str(project)]) == 0
    assert main(_words(arguments, project)) == 1


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_help_says_what_the_status_means(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    told = capsys.readouterr()
    assert "exit status: 0 done, 1 failed or stopped, 2 the arguments" in " ".join(told.out.split())
    assert not told.err


def _words(arguments: str, project: Path) -> list[str]:
    """Return the words of a command; PROJECT is the project, other words in capitals lie beside it."""
    named = {"PROJECT": str(project)}
    return [
        named.get(word) or (str(project.parent / word) if word.split(".")[0].isupper() else word)
        for word in shlex.split(arguments)
    ]
