"""Files with columns of any name: questions, and what a teacher wrote about them."""

from __future__ import annotations

import csv
import json

import pyarrow
import pytest
from pyarrow import parquet

from training_backend.errors import ConfigError, DatasetError
from training_backend.project.column_mapping import ColumnMapping, columns_of, guess, read_words
from training_backend.project.details import row_detail
from training_backend.project.importers import import_file
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import datasets, questions

ROWS = [
    {"nr": 7, "prompt": "Ina has 2 nuts and 3 pears. How many fruits?", "label": "5", "part": "dev"},
    {"nr": 8, "prompt": "A rope of 6 m is cut in 2.\nHow long is each?", "label": "3", "part": "dev"},
]
MAPPING = read_words(["question=prompt", "gold=label", "id=nr", "split=part"])


def write(path, rows):
    """Write the same rows in the form that the name asks for."""
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet"])
def test_every_form_gives_the_same_questions(tmp_path, project, name):
    report = import_file(project, write(tmp_path / name, ROWS), mapping=MAPPING, dataset="own")
    assert (report.added, report.format, report.unreadable_count) == (2, "columns", 0)
    assert datasets(project) == [("own", "dev", 2)]
    assert [(q.native_id, q.text, q.gold_value) for q in questions(project)] == [
        ("7", ROWS[0]["prompt"], 5.0), ("8", ROWS[1]["prompt"], 3.0)
    ]  # fmt: skip
    assert import_file(project, tmp_path / name, mapping=MAPPING, dataset="own").existing == 2


WRITTEN = [
    {"id": "1", "core": "How many?", "facts": ["- 10 eggs", "3 eaten"], "pot": "```python\nans = 7\n```",
     "more": {"cot": "10 - 3 = 7."}},
    {"id": "2", "core": "How many?", "facts": "- 8 eggs\n- 1 eaten", "pot": ["ans = 8", "ans = 10 - 2"],
     "more": {"cot": None}},
    {"id": "2", "core": "How many?", "facts": "- 8 eggs\n- 1 eaten", "pot": "ans = 9", "more": {"cot": None}},
]  # fmt: skip
BY_ID = read_words(["id=id", "core_question=core", "information=facts", "pot=pot", "cot=more.cot"])


def test_what_a_teacher_wrote_becomes_rows_whose_origin_names_the_file(tmp_path, filled):
    path = write(tmp_path / "written.jsonl", WRITTEN)
    options = {"mapping": BY_ID, "dataset": "made up", "split": "train", "teacher": "Codex"}
    report = import_file(filled, path, **options)
    assert (report.added, report.replies, report.unreadable_count) == (0, 5, 0)
    listing = Listing(filled.path)
    found = [row_detail(filled, int(number)) for number in listing.ids(RowFilter())]
    listing.close()
    new = [d for d in found if d.origins.get("rationale") and d.origins["rationale"].teacher == "Codex"]
    assert sorted((d.row.question_id, d.row.kind, d.row.path, d.rationale.text) for d in new) == [
        (1, "cot", 0, "10 - 3 = 7."), (1, "pot", 0, "ans = 7"), (2, "pot", 0, "ans = 8"),
        (2, "pot", 1, "ans = 10 - 2"), (2, "pot", 2, "ans = 9"),
    ]  # fmt: skip
    assert {d.origins["rationale"].source for d in new} == {"written.jsonl"}
    assert {d.information.text for d in new} == {"10 eggs\n3 eaten", "8 eggs\n1 eaten"}
    again = import_file(filled, path, **options)
    assert again.replies == 0


def test_without_an_id_the_same_text_is_the_same_question(tmp_path, filled, make):
    written = [(make.question(4).text, "ans = 10"), ("New?", "ans = 1"), ("New?", "ans = 2")]
    rows = [{"problem": text, "program": program} for text, program in written]
    mapping = ColumnMapping(guess(["problem", "program"]))
    options = {"mapping": mapping, "dataset": "made up", "split": "train"}
    path = write(tmp_path / "more.jsonl", rows)
    report = import_file(filled, path, **options)
    assert (report.added, report.replies) == (1, 3)
    assert row_detail(filled, 4).rationale.text == "ans = 10"
    assert import_file(filled, path, **options).replies == 0
    assert len(list(questions(filled))) == 7


def test_a_question_that_is_not_there_or_another_is_told_and_nothing_is_stored(tmp_path, filled):
    rows = [{"id": "1", "pot": "ans = 7"}, {"id": "99", "pot": "ans = 7"}]
    path = write(tmp_path / "written.csv", rows)
    options = {"dataset": "made up", "split": "train"}
    report = import_file(filled, path, mapping=read_words(["id=id", "pot=pot"]), **options)
    assert report.refused and report.replies == 0
    assert [(p.line, p.reason) for p in report.unreadable] == [
        (3, "the project has no question made up/train/99")
    ]
    path = write(tmp_path / "other.csv", [{"id": "1", "q": "Something else?", "pot": "ans = 7"}])
    report = import_file(filled, path, mapping=read_words(["id=id", "pot=pot", "question=q"]), **options)
    assert report.refused and "has another question under made up/train/1" in report.unreadable[0].reason


def test_wrong_types_are_told_with_their_place(tmp_path, project):
    rows = [
        {"q": 5, "a": 1}, {"q": "Q?", "a": [1]}, {"q": "", "a": 1}, {"q": "Q?", "a": 1, "i": {"x": 1}},
        {"q": "Q?", "a": 1, "c": [1, 2]}, {"q": "Q?", "a": 1, "p": "first"}, {"q": "Good?", "a": "1,000"},
    ]  # fmt: skip
    every = [{"q": None, "a": None, "i": None, "c": None, "p": None, **row} for row in rows]
    mapping = read_words(["question=q", "gold=a", "information=i", "cot=c", "path=p"])
    report = import_file(project, write(tmp_path / "a.jsonl", every), mapping=mapping, keep_good=True)
    assert report.added == 1
    assert [(place.line, place.reason) for place in report.unreadable] == [
        (1, "'q' is no text"), (2, "'a' is missing or no answer"), (3, "'q' is missing or empty"),
        (4, "'i' is neither text nor a list of texts"),
        (5, "'c' is neither text nor a list of texts"), (6, "'p' is no whole number from 0"),
    ]  # fmt: skip


def test_guesses():
    assert guess(["Question", "Final Answer", "problem_id", "qid"]) == {
        "question": "Question", "gold": "Final Answer", "id": "qid"
    }  # fmt: skip
    ours = ["native_id", "dataset", "split", "question", "gold_text", "core_question", "information", "kind",
            "path", "rationale"]  # fmt: skip
    assert set(guess(ours).values()) == set(ours)
    assert guess(["prompt", "rationale", "answer"]) == {
        "question": "prompt",
        "gold": "answer",
        "cot": "rationale",
    }
    assert guess(["input", "output"]) == {"question": "input", "gold": "output"}
    assert guess([]) == {}


def test_columns_of_nested_records():
    assert columns_of([{"a": 1, "b": {"c": 2, "d": 3}}, {"e": [], "b": {}}]) == ["a", "b.c", "b.d", "e", "b"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["question"], "maps no column"), (["question=a", "colour=b"], "nothing called 'colour'"),
        (["gold=a"], "No column is mapped to the question"), (["question=a"], "the gold answer"),
        (["question=a", "question=b"], "Two columns"), (["id=a", "rationale=b"], "need a column each"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_refused(words, sentence):
    with pytest.raises(ConfigError, match=sentence):
        read_words(words)


def test_a_column_that_the_file_has_not_is_told(tmp_path, project):
    path = write(tmp_path / "a.csv", ROWS)
    with pytest.raises(DatasetError, match="no column 'text'") as caught:
        import_file(project, path, mapping=read_words(["question=text", "gold=label"]))
    assert "nr, prompt, label, part" in caught.value.hint


def test_a_recorded_teacher_as_its_authors_publish_it(shared_data, project):
    import_file(project, shared_data / "gsm8k" / "test.jsonl")
    report = import_file(
        project,
        shared_data / "teacher" / "faithful_cot" / "GSM8K" / "gpt4_noNL.jsonl.gz",
        dataset="gsm8k",
        split="test",
        mapping=read_words(["id=id", "pot=completion"]),
        teacher="gpt4",
    )
    assert (report.added, report.replies, report.unreadable_count) == (0, 1319, 0)
