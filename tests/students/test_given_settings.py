"""The settings of a new run: the later source wins; mistakes of all are told at once, with their places."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.students.given_settings import given_settings


def said(*args) -> str:
    with pytest.raises(ConfigError) as caught:
        given_settings(*args)
    return str(caught.value)


def test_the_later_wins_and_a_file_sets_only_what_it_names(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("batch: 5\nlearning_rate: 0.01\n")
    config = given_settings("quick-look", file, {"learning_rate": "0.02"})
    assert (config.batch, config.learning_rate, config.max_steps) == (5, 0.02, 60)


def test_mistakes_of_all_sources_at_once(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "batch: many\nlearningrate: 0.01\nseed: 1\nseed: 2\nheld_out: 0.9\nclip: [1, 2]\nwarmup:\n"
    )
    text = said("nothing", file, {"epochs": "few", "precision": "fp16", "schedule": "cosin"})
    for part in (
        "--preset: there is no 'nothing'",
        f"{file}, line 1, batch: 'many' is no whole number",
        f"{file}, line 2, learningrate: there is no such setting; did you mean learning_rate?",
        f"{file}, line 4, seed: is set twice, first on line 3",
        f"{file}, line 5, held_out: 0.9 is above 0.5",
        f"{file}, line 6, clip: has several values",
        f"{file}, line 7, warmup: has no value",
        "--epochs: 'few' is no number",
        "--precision: T5 overflows",
        "--schedule: 'cosin' is none of",
    ):
        assert part in text
    assert "\n" not in text


def test_a_file_that_cannot_be_read_hides_no_option(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("batch: 3\nseed: [\n")
    text = said(None, file, {"batch": "many"})
    assert f"{file}, line 3: The settings are no YAML" in text and "--batch: 'many'" in text
    assert "No such file" in said(None, tmp_path / "none.yaml", {})


def test_a_value_that_an_option_replaces_must_be_one(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text('{"batch": "many"}')
    assert f"{file}, line 1, batch: 'many'" in said(None, file, {"batch": "3"})
