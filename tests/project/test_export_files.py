"""What stands in the files: CSV that a spreadsheet cannot misread, typed Parquet, a folder by splits."""

from __future__ import annotations

import csv

import pytest

from training_backend.project import export_files
from training_backend.project.export_files import split_name, write_csv
from training_backend.project.export_shapes import FIELDS, columns
from training_backend.project.exporters import Wish, export_rows
from training_backend.project.history import edit_field
from training_backend.project.listing import RowFilter
from training_backend.project.questions import add_questions

ODD = "עברית 🥚 \x00 \u2028 end"


def read(path, **how):
    with path.open(newline="", **how) as file:
        return list(csv.DictReader(file))


def test_csv_survives_line_breaks(filled, tmp_path):
    out = tmp_path / "out.csv"
    assert export_rows(filled, out, RowFilter({"verdict": frozenset(["not_run"])})) == 3
    found = read(out, encoding="utf-8")
    assert [row["row_id"] for row in found] == ["1", "2", "7"]
    assert found[0]["rationale"] == "eggs = 10\nans = eggs - 3"
    assert found[0]["information"] == "There are 10 eggs.\nIna eats 3."


def test_a_spreadsheet_is_given_no_formula_and_knows_the_letters(filled, tmp_path):
    edit_field(filled, 1, "question", "=HYPERLINK(A1)")
    edit_field(filled, 2, "question", "\t+cmd|' /C calc'!A0")
    edit_field(filled, 1, "gold", "-7.5")
    exact, safe = tmp_path / "exact.csv", tmp_path / "safe.csv"
    export_rows(filled, exact)
    export_rows(filled, safe, wish=Wish(spreadsheet=True))
    assert read(exact, encoding="utf-8")[0]["question"] == "=HYPERLINK(A1)"
    assert safe.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = read(safe, encoding="utf-8-sig")
    assert rows[0]["question"] == "'=HYPERLINK(A1)" and rows[1]["question"].startswith("'\t+cmd")
    assert rows[0]["gold_text"] == "-7.5" and rows[0]["rationale"] == "eggs = 10\nans = eggs - 3"
    assert list(rows[0]) == list(FIELDS)


@pytest.mark.parametrize("text", ["=1+1", "@SUM(1)", "-2+3", "+A1", "\r=1", "-", "+ 1 = 2"])
def test_what_could_be_a_formula_is_guarded(tmp_path, text):
    record = {name: text if kind == "text" else None for name, (kind, _) in columns().items()}
    write_csv(tmp_path / "x.csv", iter([record]), spreadsheet=True)
    assert read(tmp_path / "x.csv", encoding="utf-8-sig")[0]["question"] == f"'{text}"


@pytest.mark.parametrize("text", ["-7", "+7.50", " -1,000", "-3e-4", "-5%"])
def test_numbers_stay_numbers(tmp_path, text):
    record = {name: text if kind == "text" else None for name, (kind, _) in columns().items()}
    write_csv(tmp_path / "x.csv", iter([record]), spreadsheet=True)
    assert read(tmp_path / "x.csv", encoding="utf-8-sig")[0]["question"] == text


def test_parquet_has_types_and_meanings(filled, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    edit_field(filled, 1, "core_question", ODD)
    out = tmp_path / "rows.parquet"
    assert export_rows(filled, out) == 7
    table = parquet.read_table(out)
    assert table.column_names == list(FIELDS)
    first = table.to_pylist()[0]
    assert first["core_question"] == ODD and first["information"] == ["There are 10 eggs.", "Ina eats 3."]
    assert first["gold_value"] == 7.0 and first["answer_value"] is None and first["changed"] is True
    assert table.schema.field("native_id").metadata[b"meaning"].startswith(b"the question's id")
    assert table.to_pylist()[3]["core_question"] == ""


def test_a_folder_has_shards_by_split_and_a_card(project, make, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(export_files, "SHARD_ROWS", 4)
    splits = ["train", "a split!", "train", "", "all"]
    add_questions(project, [make.question(n, split=splits[n % 5]) for n in range(20)])
    out = tmp_path / "data set é"
    assert export_rows(project, out) == 20
    assert {path.name: parquet.read_metadata(path).num_rows for path in (out / "data").iterdir()} == {
        "train-00000-of-00002.parquet": 4, "train-00001-of-00002.parquet": 4,
        "a_split-00000-of-00001.parquet": 4, "unsplit-00000-of-00001.parquet": 4,
        "all_rows-00000-of-00001.parquet": 4,
    }  # fmt: skip
    assert (out / "README.md").read_text(encoding="utf-8").startswith("---\npretty_name: data set é\n")
    assert export_rows(project, out, RowFilter({"split": frozenset(["train"])}), Wish(replace=True)) == 8
    assert len(list((out / "data").iterdir())) == 2
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("split", "name"),
    [("train", "train"), ("dev-1", "dev_1"), ("", "unsplit"), ("日本", "unsplit"), ("all", "all_rows")],
)
def test_split_names(split, name):
    assert split_name(split) == name
