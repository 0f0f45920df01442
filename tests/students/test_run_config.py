"""Settings: all mistakes at once, presets with their sources, and nothing lost on disk."""

from __future__ import annotations

import dataclasses
import os

import pytest
import yaml

from training_backend.errors import ConfigError
from training_backend.students.run_config import FIELDS, PRESET_TITLES, PRESETS, RunConfig, convert


def test_every_setting_is_described():
    assert list(FIELDS) == [field.name for field in dataclasses.fields(RunConfig)]
    assert all(info.title and info.help for info in FIELDS.values())


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_can_start(name):
    assert RunConfig.from_preset(name).validate() == []
    assert all(PRESET_TITLES[name])


def test_published_figures():
    paper = RunConfig.from_preset("kpdd-paper")
    assert (paper.learning_rate, paper.batch, paper.epochs) == (5e-4, 32, 10)
    recipe = RunConfig.from_preset("flan-t5-gsm8k")
    assert (recipe.learning_rate, recipe.batch, recipe.epochs, recipe.weight_decay, recipe.clip) == (
        3e-4, 96, 8, 0.01, 1.0,
    )  # fmt: skip
    assert (recipe.schedule, recipe.warmup) == ("cosine", 0.1)


def test_all_mistakes_at_once():
    config = RunConfig(
        method="magic", base=" ", epochs=0, learning_rate=2, batch=0, optimizer="sgd", held_out=0.9,
        precision="fp16",
    )  # fmt: skip
    fields = [mistake.field for mistake in config.validate()]
    assert sorted(fields) == sorted(
        ["method", "base", "epochs", "learning_rate", "batch", "optimizer", "held_out", "precision"]
    )
    with pytest.raises(ConfigError) as caught:
        config.require_valid()
    assert all(field in str(caught.value) for field in fields)


def test_there_are_never_more_threads_than_processors(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert [RunConfig(threads=n).threads_here() for n in (0, 1, 4, 1024)] == [4, 1, 4, 4]


def test_fp16_is_refused_with_the_reason():
    (mistake,) = RunConfig(precision="fp16").validate()
    assert "overflows" in mistake.text and "bf16" in mistake.text


def test_not_a_number_is_refused():
    assert RunConfig(learning_rate=float("nan")).validate()


def test_settings_survive_the_disk(tmp_path):
    config = RunConfig.from_preset("demo", seed=7, split_digits=True, base="tiny:/with space/t")
    file = tmp_path / "config.yaml"
    config.save(file)
    assert RunConfig.load(file) == config
    assert "# the most epochs" not in file.read_text() and "# passes over the examples" in file.read_text()


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"[1, 2]", ""), (b"seed: 1\na: [\n", ", line 3"), (b"colour: red\nbatch: many\n", ""),
     (b"\xff\xfe", ""), (b"seed: \x01", "")],
)  # fmt: skip
def test_unreadable_settings_are_named(tmp_path, content, line):
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        RunConfig.load(file)
    assert caught.value.where == str(file) + line
    assert "\n" not in str(caught.value)
    if b"colour" in content:
        assert "colour" in str(caught.value) and "many" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [("batch", "32", 32), ("learning_rate", "5e-4", 5e-4), ("split_digits", "yes", True),
     ("method", "potd", "potd")],
)  # fmt: skip
def test_text_becomes_the_type_of_the_setting(name, given, wanted):
    assert convert(name, given) == wanted
    assert type(convert(name, given)) is type(wanted)


@pytest.mark.parametrize(
    ("name", "given"),
    [("batch", "3.5"), ("batch", "inf"), ("batch", "nan"), ("batch", "1e400"), ("batch", True),
     ("split_digits", "perhaps"), ("clip", "x"), ("clip", False)],
)  # fmt: skip
def test_text_of_another_type_is_refused(name, given):
    with pytest.raises(ValueError, match=f"'{given}' is n"):
        convert(name, given)


@pytest.mark.parametrize("given", [None, [1], {"a": 1}, ()])
@pytest.mark.parametrize("name", ["batch", "clip", "split_digits", "base"])
def test_what_is_not_one_value_is_refused(name, given):
    with pytest.raises(ValueError, match="value"):
        convert(name, given)


ODD = ["", " ", "\0", "x" * 5000, "nan", "inf", "-inf", "1e400", -1, -1e308, 1e308, 10**400, True, False,
       None, [1], {"a": 1}, "no", "2020-01-01", "½", "1,5", "\n5", "~nobody/x", "a/b@../.."]  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_whatever_a_file_says_is_a_setting_or_one_sentence(tmp_path, name):
    file = tmp_path / "config.yaml"
    refused = 0
    for value in ODD:
        file.write_text(yaml.safe_dump({name: value}), encoding="utf-8")
        try:
            RunConfig.load(file).require_valid(str(file))
        except ConfigError as error:
            refused += 1
            assert "\n" not in str(error) and name in str(error)
    assert refused >= 5


def test_a_file_names_its_lines(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("seed: 1\ncolour: red\nbatch: many\n")
    with pytest.raises(ConfigError, match=r"line 2, colour: there is no such setting; line 3, batch: 'many'"):
        RunConfig.load(file)
