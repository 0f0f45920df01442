"""Exports hold the corrected texts, obey the filter, and appear whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control
from training_backend.project.export_shapes import FIELDS
from training_backend.project.exporters import Wish, card_path, export_rows, parse_where, preview, where_words
from training_backend.project.history import edit_field, set_flagged
from training_backend.project.importers import import_file
from training_backend.project.listing import RowFilter
from training_backend.project.questions import add_questions
from training_backend.project.store import Project

FORMATS = ("jsonl", "csv", "parquet", "folder", "messages", "sharegpt", "alpaca")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def left_in(folder):
    return sorted(entry.name for entry in folder.iterdir() if ".kpdd" not in entry.name)


def test_jsonl_holds_every_field_as_corrected(filled, tmp_path):
    edit_field(filled, 1, "information", "corrected 🥚\nsecond")
    out = tmp_path / "out.jsonl"
    assert export_rows(filled, out) == 7
    first = lines(out)[0]
    assert tuple(first) == FIELDS
    assert first["information"] == ["corrected 🥚", "second"] and first["changed"] is True
    assert first["rationale"] == "eggs = 10\nans = eggs - 3"
    assert first["rationale_teacher"] == "replay big model"
    assert left_in(tmp_path) == ["out.jsonl"]


def test_notes_are_exported_only_when_asked_for(filled, tmp_path):
    edit_field(filled, 1, "note", "my boss is wrong here")
    for format in FORMATS:
        export_rows(filled, tmp_path / format, wish=Wish(format, card=True))
    for path in tmp_path.rglob("*"):
        if path.is_file() and ".kpdd" not in path.name:
            assert b"my boss" not in path.read_bytes(), path
    assert export_rows(filled, tmp_path / "with.jsonl", wish=Wish(notes=True)) == 7
    assert lines(tmp_path / "with.jsonl")[0]["note"] == "my boss is wrong here"


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv"])
def test_what_is_exported_comes_in_again_as_the_same_rows(filled, tmp_path, ending):
    edit_field(filled, 1, "information", "corrected 🥚\nsecond")
    edit_field(filled, 4, "question", 'first line\n\nthird, with "quotes" and a ; and a \ttab')
    out = tmp_path / f"rows.{ending}"
    assert export_rows(filled, out) == 7
    with Project.create(tmp_path / "again.kpdd") as again:
        report = import_file(again, out, teacher="mine")
        assert report.added == 6 and report.unreadable == []
        # a reply that did not parse has no rationale to bring along: its question is one not asked yet
        unasked = [(*line[:3], line[3] if line[-1] else "", *line[4:]) for line in texts(filled)]
        assert texts(again) == unasked
        assert import_file(again, out, teacher="mine").added == 0


def texts(project):
    with project.reading() as connection:
        return connection.execute(
            "SELECT dataset, split, question, kind, gold_text, gold_value, core_question, information, path, "
            "rationale FROM row_text ORDER BY question, kind"
        ).fetchall()


def test_where(filled):
    set_flagged(filled, [2], True)
    assert parse_where(["verdict=equal,not_run", "flagged=yes", "path=0,1"]) == RowFilter(
        {"verdict": frozenset(["equal", "not_run"]), "flagged": frozenset([1]), "path": frozenset([0, 1])}
    )
    assert parse_where(["search=two words"]).search == "two words "
    for wrong in ("colour=red", "verdict", "flagged=perhaps", "path=x", "dataset=[1", "dataset=[]"):
        with pytest.raises(ConfigError):
            parse_where([wrong])
    for wrong in ("verdict=equal,right", "review=done", "kind=program", "flags=odd"):
        with pytest.raises(ConfigError, match="is no value of") as told:
            parse_where([wrong])
        assert "Use one of: " in told.value.hint


@pytest.mark.parametrize(
    "facets",
    [
        {"dataset": frozenset(["a, b", " c", "", "[x"]), "kind": frozenset([""])},
        {"path": frozenset([0, 3]), "flagged": frozenset([1]), "round": frozenset([2])},
        {"flags": frozenset(["none", "near_benchmark"]), "review": frozenset()},
    ],
)
def test_a_filter_survives_the_command_line(facets):
    back = parse_where(where_words(RowFilter(facets, "two, words")))
    assert back.facets == {name: values for name, values in facets.items() if values}
    assert back.search == "two, words "


@pytest.mark.parametrize("format", FORMATS)
def test_a_stop_or_a_failure_leaves_what_was_there(filled, tmp_path, format):
    out = tmp_path / "out"
    assert export_rows(filled, out, wish=Wish(format)) in (3, 7)
    before = {path: path.read_bytes() for path in tmp_path.rglob("out*/**/*") if path.is_file()}
    control = Control()
    control.stop()
    assert export_rows(filled, out, wish=Wish(format, replace=True), control=control) == 0
    with pytest.raises(DatasetError, match="is there already"):
        export_rows(filled, out, wish=Wish(format))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("out*/**/*") if path.is_file()}
    assert left_in(tmp_path) == ["out"]


def test_a_stop_in_the_middle_leaves_nothing(project, make, tmp_path):
    add_questions(project, [make.question(number) for number in range(3000)])

    class StopsSoon(Control):
        def progress(self, stage, done, total):
            self.stop()

    for format in FORMATS[:4]:
        control = StopsSoon()
        assert (
            export_rows(project, tmp_path / "out", wish=Wish(format), reporter=control, control=control) == 0
        )
        assert control.stop_requested and left_in(tmp_path) == []


def test_places_where_nothing_can_go(filled, tmp_path):
    with pytest.raises(ConfigError, match="no format 'xls'"):
        export_rows(filled, tmp_path / "out", wish=Wish("xls"))
    with pytest.raises(ConfigError, match=r"told by the ending '\.xlsx'"):
        export_rows(filled, tmp_path / "out.xlsx")
    assert left_in(tmp_path) == []
    for target in (tmp_path, tmp_path / "nowhere" / "out.jsonl"):
        with pytest.raises(DatasetError, match="No file can be written there"):
            export_rows(filled, target, wish=Wish("jsonl"))
    with pytest.raises(DatasetError, match="the project itself"):
        export_rows(filled, filled.path, wish=Wish("jsonl", replace=True))
    strange = tmp_path / "holiday"
    strange.mkdir()
    (strange / "picture.png").write_bytes(b"precious")
    with pytest.raises(DatasetError, match=r"something else \(picture.png\)"):
        export_rows(filled, strange, wish=Wish("folder", replace=True))
    assert (strange / "picture.png").read_bytes() == b"precious"


def test_the_preview_is_the_first_row_that_fits(filled):
    edit_field(filled, 1, "rationale", "ans = 7  # " + "long " * 1000)
    shown = preview(filled, parse_where(["kind=pot"]), Wish("sharegpt"))
    assert json.loads(shown)["conversations"][1]["value"].startswith("Question 1")
    assert len(shown) < 2500
    assert "row_id: 1\n" in preview(filled, RowFilter(), Wish("csv"))
    assert json.loads(preview(filled, RowFilter(), Wish("folder")))["row_id"] == 1
    assert preview(filled, parse_where(["verdict=not_asked"]), Wish("alpaca")) == ""


def test_the_card_goes_beside_the_file(filled, tmp_path):
    out = tmp_path / "rows.jsonl"
    export_rows(filled, out, parse_where(["kind=pot"]), Wish(card=True))
    assert card_path(out).read_text(encoding="utf-8").count("| made up | train | program | 3 |") == 1
    assert left_in(tmp_path) == ["rows.jsonl", "rows.jsonl.card.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
@pytest.mark.parametrize("format", FORMATS[:4])
def test_a_disk_that_is_full_gives_a_sentence_and_leaves_no_half(project, make, tmp_path, format):
    add_questions(project, [make.question(n, text=f"{n} {n * 7919} {n * 104729} " * 30) for n in range(900)])
    out = tmp_path / "out"
    out.mkdir()
    script = """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        from training_backend.__main__ import main
        sys.exit(main(["export", sys.argv[1], sys.argv[2], "--format", sys.argv[3]]))
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(project.path), str(out / "rows"), format],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert child.returncode == 1
    assert "Traceback" not in child.stderr and "too large" in child.stderr, child.stderr
    assert list(out.iterdir()) == []


def test_a_project_without_rows(tmp_path):
    with Project.create(tmp_path / "empty.kpdd") as project:
        for format in FORMATS:
            assert export_rows(project, tmp_path / format, wish=Wish(format, card=True)) == 0
            assert preview(project, RowFilter(), Wish(format)) == ""
        assert (tmp_path / "folder" / "README.md").read_text(encoding="utf-8").count("0 rows") >= 1
