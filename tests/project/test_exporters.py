"""Exports hold the corrected texts, obey the filter, and appear whole or not at all."""

from __future__ import annotations

import csv
import json

import pytest

from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control
from training_backend.project.exporters import FIELDS, export_rows, parse_where
from training_backend.project.history import edit_field, set_flagged
from training_backend.project.importers import read_questions
from training_backend.project.listing import RowFilter


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_jsonl_holds_every_field_as_corrected(filled, tmp_path):
    edit_field(filled, 1, "information", "corrected 🥚\nsecond")
    out = tmp_path / "out.jsonl"
    assert export_rows(filled, out) == 7
    first = lines(out)[0]
    assert tuple(first) == FIELDS
    assert first["information"] == ["corrected 🥚", "second"] and first["changed"] is True
    assert (
        first["rationale"] == "eggs = 10\nans = eggs - 3" and first["rationale_teacher"] == "replay big model"
    )
    assert [entry.name for entry in tmp_path.iterdir() if "out" in entry.name] == ["out.jsonl"]


def test_what_is_exported_can_be_imported(filled, tmp_path):
    out = tmp_path / "rows.jsonl"
    export_rows(filled, out, parse_where(["kind=pot"]))
    found = list(read_questions(out))
    assert [(q.text[:10], q.gold_value, q.native_id) for q in found] == [
        ("Question 1", 7.0, "1"), ("Question 2", 8.0, "2"), ("Question 3", 9.0, "3")
    ]  # fmt: skip


def test_csv_survives_line_breaks(filled, tmp_path):
    out = tmp_path / "out.csv"
    assert export_rows(filled, out, RowFilter({"verdict": frozenset(["not_run"])})) == 3
    with out.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["row_id"] for row in found] == ["1", "2", "7"]
    assert found[0]["rationale"] == "eggs = 10\nans = eggs - 3"
    assert found[0]["information"] == "There are 10 eggs.\nIna eats 3."


def test_messages_and_alpaca_hold_rows_with_a_rationale(filled, tmp_path):
    out = tmp_path / "out.jsonl"
    assert export_rows(filled, out, format="messages") == 3
    system, user, assistant = lines(out)[0]["messages"]
    assert "Python" in system["content"] and assistant["content"] == "eggs = 10\nans = eggs - 3"
    assert user["content"].endswith("Information:\n1. There are 10 eggs.\n2. Ina eats 3.")
    assert export_rows(filled, out, format="alpaca") == 3
    assert set(lines(out)[2]) == {"instruction", "input", "output"}


def test_where(filled):
    set_flagged(filled, [2], True)
    assert parse_where(["verdict=equal,not_run", "flagged=yes", "path=0,1"]) == RowFilter(
        {"verdict": frozenset(["equal", "not_run"]), "flagged": frozenset([1]), "path": frozenset([0, 1])}
    )
    assert parse_where(["search=two words"]).search == "two words "
    for wrong in ("colour=red", "verdict", "flagged=perhaps", "path=x"):
        with pytest.raises(ConfigError):
            parse_where([wrong])


def test_a_stop_or_a_failure_leaves_the_old_file(filled, tmp_path, monkeypatch):
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    control = Control()
    control.stop()
    assert export_rows(filled, out, control=control) == 0
    assert out.read_text() == "old" and {e.name for e in tmp_path.iterdir() if "out" in e.name} == {
        "out.jsonl"
    }
    with pytest.raises(ConfigError, match="no format 'xls'"):
        export_rows(filled, out, format="xls")
    for target in (tmp_path, tmp_path / "nowhere" / "out.jsonl"):
        with pytest.raises(DatasetError, match="No file can be written there"):
            export_rows(filled, target)
