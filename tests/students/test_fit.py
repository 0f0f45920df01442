"""Rows that a student cannot carry are told with the reason; the others are not."""

from __future__ import annotations

import dataclasses
import json

import pytest

from training_backend.errors import CheckpointError
from training_backend.students.fit import fit_for


def test_rows_fit_a_vocabulary_that_carries_everything(lossy, rows_of_students):
    why = fit_for(lossy)
    assert len(rows_of_students) == 8
    assert [why(row) for row in rows_of_students] == [""] * 8


def test_what_a_closed_vocabulary_lacks_is_named(closed, rows_of_students):
    row = dataclasses.replace(rows_of_students[0], question="How many жираф are left?")
    assert "words that its vocabulary lacks" in fit_for(closed)(row)


def test_what_would_be_cut_is_told_with_its_length(lossy, rows_of_students):
    row = dataclasses.replace(rows_of_students[0], question="How many boxes are left? " * 300)
    why = fit_for(lossy)(row)
    assert "tokens; it holds 512" in why and "reads" in why
    assert "it holds 8." in fit_for(lossy, (8, 512))(rows_of_students[0])


def test_the_students_of_a_run_are_checked_with_their_own_lengths(trained_run, rows_of_students):
    folder = next((trained_run / "students").iterdir())
    longest = json.loads((folder / "student.json").read_text())["max_source_tokens"]
    row = dataclasses.replace(rows_of_students[0], question="How many boxes are left? " * longest)
    assert f"it holds {longest}" in fit_for(trained_run)(row)
    assert f"it holds {longest}" in fit_for(folder)(row)


def test_a_base_student_that_brings_only_the_parts_of_its_tokenizer(t5_tokenizer, tmp_path, rows_of_students):
    (tmp_path / "spiece.model").write_bytes((t5_tokenizer / "spiece.model").read_bytes())
    why = fit_for(tmp_path)
    assert [why(row) for row in rows_of_students] == [""] * 8


def test_a_name_of_the_hub_that_is_not_here_is_told():
    with pytest.raises(CheckpointError, match="not here yet"):
        fit_for("nobody/nothing")


def test_a_folder_without_a_student_is_refused(tmp_path, lossy):
    with pytest.raises(CheckpointError, match="no fast tokenizer"):
        fit_for(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((lossy / "tokenizer.json").read_bytes())
    (tmp_path / "student.json").write_text("{half")
    with pytest.raises(CheckpointError, match="description"):
        fit_for(tmp_path)
