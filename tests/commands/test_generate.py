"""`kpdd generate`: from recordings to judged rows, from the command line."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from training_backend.__main__ import main
from training_backend.project.details import row_detail
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project

_FILE = Path(__file__).parent.parent / "teacher" / "recordings_made.py"
_SPEC = importlib.util.spec_from_file_location("recordings_made", _FILE)
assert _SPEC is not None and _SPEC.loader is not None
made = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(made)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with `p.kpdd`, three gsm8k test questions in it, and recordings in `rec`."""
    made.dup(tmp_path / "rec" / "dup")
    made.faithful_cot(tmp_path / "rec" / "faithful_cot")
    with Project.create(tmp_path / "p.kpdd") as project:
        add_questions(
            project,
            [
                NewQuestion("gsm8k", "test", str(i), text, gold, float(gold))
                for i, (text, gold) in enumerate(zip(made.QUESTIONS, made.GOLD, strict=True))
            ],
        )
        add_questions(project, [NewQuestion("mine", "train", "0", "How many?", "1", 1.0)])
    return tmp_path


def generate(folder, *more):
    return main(["generate", str(folder / "p.kpdd"), "--quiet", *more])


def replay(folder, *more):
    return generate(folder, "--recordings", str(folder / "rec"), "--teacher", "replay:faithful-cot", *more)


def test_replay_from_the_command_line(folder, capsys):
    assert replay(folder, "--dataset", "gsm8k", "--kinds", "pot,cot", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["asked"], data["done"], data["failed"], data["waiting"]) == (6, 4, 2, 0)
    assert data["asked"] == data["done"] + data["failed"] + data["waiting"]
    assert {failure["native_id"] for failure in data["failures"]} == {"2"}
    with Project.open(folder / "p.kpdd", read_only=True) as project:
        listing = Listing(project.path)
        rows = listing.page(listing.ids(RowFilter(facets={"kind": frozenset({"pot"})})))
        first = row_detail(project, next(row.id for row in rows if row.verdict == "equal"))
        assert first.rationale.teacher == made.PROGRAMS[0]
        assert first.core_question.teacher == "How many pens does Mia have?"
        assert first.origins["rationale"].teacher == "Faithful-CoT"
        assert first.judgement.value == 12
    # the same again asks nothing, and says so
    assert replay(folder, "--dataset", "gsm8k", "--kinds", "pot,cot") == 0
    assert "0 asked = 0 done + 0 failed + 0 waiting; 6 were answered before" in capsys.readouterr().out


def test_a_recording_that_fits_no_question_fails(folder, capsys):
    assert replay(folder, "--dataset", "mine") == 1
    assert "question 0, pot: Faithful-CoT has no recording of mine." in capsys.readouterr().out


def test_jsonl_with_a_mapping(folder, capsys):
    file = folder / "own.jsonl"
    file.write_text('{"q": "How many?", "code": "ans = 1"}\n', encoding="utf-8")
    arguments = ["--teacher", "replay:jsonl", "--recordings", str(file), "--map", "question=q,pot=code"]
    assert generate(folder, *arguments, "--dataset", "mine", "--json") == 0
    assert json.loads(capsys.readouterr().out)["by_state"] == {"equal": 1}


def test_the_sample_teacher_answers_only_samples(folder, capsys):
    assert generate(folder, "--teacher", "sample", "--dataset", "mine", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["asked"], data["failed"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--teacher", "gpt"], "no teacher 'gpt'"),
        (["--teacher", "replay:what", "--recordings", "."], "no recording preset 'what'"),
        (["--teacher", "sample", "--dataset", "none"], "no such questions"),
        (
            ["--teacher", "replay:dup", "--recordings", ".", "--kinds", "pot"],
            "no answers of kind pot. It has cot.",
        ),
        (["--teacher", "replay:dup", "--recordings", "no/where"], "does not exist. Check its name."),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, arguments, said):
    assert generate(folder, *arguments) == 1
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--teacher", "replay:dup"], "needs its recordings"),
        (["--teacher", "sample", "--kinds", "poem"], "'poem' is no kind"),
        (["--teacher", "sample", "--limit", "0"], "leaves no question"),
        (["--teacher", "sample", "--paths", "0"], "--paths cannot be 0"),
    ],
)
def test_wrong_values_are_said(folder, capsys, arguments, said):
    assert generate(folder, *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out


def test_wrong_arguments_are_status_2(folder):
    assert main(["generate"]) == 2
    assert main(["generate", str(folder / "p.kpdd"), "--teacher", "sample", "--paths", "many"]) == 2
