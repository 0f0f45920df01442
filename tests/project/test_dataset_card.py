"""The card says what was exported, who wrote it, under which licences, and what to beware of."""

from __future__ import annotations

import yaml

from training_backend.project.dataset_card import Tally, card, filter_in_words
from training_backend.project.export_shapes import FIELDS, records
from training_backend.project.listing import RowFilter
from training_backend.project.questions import add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies


def written(project, ids=range(1, 30), **more):
    tally = Tally()
    assert list(tally.watch(records(project, list(ids))))
    return card("my rows", tally, more.pop("wanted", RowFilter()), **more)


def head(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_the_head_is_what_the_hub_reads(project, make):
    add_questions(project, [make.question(n, dataset="gsm8k") for n in range(3)])
    found = head(written(project, shards={"train": 3}))
    assert found["license"] == "mit" and found["size_categories"] == ["n<1K"]
    assert found["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]
    add_questions(project, [make.question(9, dataset="asdiv", split="test")])
    text = written(project)
    assert head(text)["license"] == "other" and "configs" not in head(text)
    assert "- asdiv: CC BY-NC 4.0" in text and "- gsm8k: MIT" in text
    assert "1 rows are of a test split" in text


def test_counts_and_writers(filled):
    origin = add_origin(filled, Origin("endpoint", "a|model", "https://example.org/?key=secret", "v7"))
    add_replies(filled, [Reply(4, "eot", 0, None, "ans = 3", {}, "", 0, origin)])
    text = written(filled, wanted=RowFilter({"kind": frozenset(["pot", ""])}, "eggs "), unlooked=5)
    assert "| made up | train | program | 3 |" in text and "| made up | train | equations | 1 |" in text
    assert "| rationale | endpoint a\\|model | v7 | 1 |" in text
    assert "| key points | replay big model | not recorded | 3 |" in text
    assert "secret" not in text and "made up: not known to the program" in text
    assert "Rows chosen: kind is empty or pot, and the text holds “eggs”." in text
    assert "`near_benchmark`: 0 rows" in text and "5 questions of the project were not looked at" in text
    assert all(f"| `{name}` |" in text for name in FIELDS) and "`note`" not in text


def test_filter_in_words():
    assert filter_in_words(RowFilter()) == "all"
    assert filter_in_words(RowFilter({"flagged": frozenset([1]), "split": frozenset()})) == "flagged is 1"
