"""A form of settings: defaults in words, units behind numbers, what says nothing is hidden."""

from __future__ import annotations

import pytest

from kpdd_app.pages.train_words import GROUPS, WORDS, idle_fields, in_words
from kpdd_app.widgets.config_form import ConfigForm
from training_backend.students.run_config import FIELDS, RunConfig, convert


@pytest.fixture
def form(qtbot):
    form = ConfigForm(FIELDS, RunConfig().to_dict(), GROUPS, WORDS)
    qtbot.addWidget(form)
    with qtbot.waitExposed(form):
        form.show()
    return form


def test_every_setting_of_a_group_has_a_field(form):
    assert set(form.rows) == {name for name, info in FIELDS.items() if info.group in GROUPS}
    assert len(form.rows) > 25


def test_words_stand_for_values_and_the_unit_returns_with_a_number(form, qtbot):
    row = form.rows["max_steps"]
    assert (row.editor.placeholderText(), row.unit.text()) == ("no limit", "")
    qtbot.keyClicks(row.editor, "60")
    assert row.unit.text() == "steps" and form.entered() == {"max_steps": "60"}
    row.editor.clear()
    assert row.unit.text() == "" and form.entered() == {}


def test_words_belong_to_settings_and_their_values():
    for name, words in WORDS.items():
        for value in words:
            assert not FIELDS[name].choices or value in FIELDS[name].choices
            assert convert(name, value) == value
            assert in_words(name, value) == words[value]
    assert len(WORDS) > 10


def test_hidden_fields_go_back_to_their_defaults(form):
    form.enter({"lora_rank": "8", "epochs": "3"})
    form.hide_fields({"lora_rank"})
    assert form.entered() == {"epochs": "3"} and not form.rows["lora_rank"].editor.isVisible()
    form.hide_fields(set())
    assert form.rows["lora_rank"].editor.isVisible()


@pytest.mark.parametrize(
    ("method", "base", "values", "idle", "asked"),
    [
        ("cotd", "tiny", {}, {"key_points_from", "key_points_share", "lora_rank"}, {"packing"}),
        ("kpdd-pot", "tiny", {"key_points_from": "mixed"}, {"lora_rank"}, {"key_points_share"}),
        ("kpdd3-pot", "x", {"tuning": "lora"}, {"key_points_share"}, {"lora_rank", "key_points_from"}),
        ("potd", "Qwen/Qwen2.5-0.5B", {}, {"packing"}, {"epochs"}),
    ],
)
def test_only_what_changes_something_is_asked(method, base, values, idle, asked):
    found = idle_fields(method, base, values)
    assert idle <= found and not asked & found
