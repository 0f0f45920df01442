"""Files of settings: entries with their lines; whatever else a file holds, one sentence."""

from __future__ import annotations

import json

import pytest

from training_backend.students.settings_file import Entry, Unmeant, Unreadable, read_settings


def write(tmp_path, content: bytes | str):
    file = tmp_path / "settings.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_entries_know_their_lines(tmp_path):
    file = write(tmp_path, "# mine\nbatch: 5\n\nlearning_rate: 1e-3\nbatch: 6\n")
    assert read_settings(file) == [
        Entry("batch", 5, 2),
        Entry("learning_rate", "1e-3", 4),
        Entry("batch", 6, 5),
    ]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read(tmp_path, indent):
    file = write(tmp_path, json.dumps({"batch": 5, "base": "tiny"}, indent=indent))
    assert [(entry.name, entry.value) for entry in read_settings(file)] == [("batch", 5), ("base", "tiny")]


def test_an_empty_file_sets_nothing(tmp_path):
    assert read_settings(write(tmp_path, "\ufeff# nothing\n")) == []


def test_what_yaml_cannot_mean_is_kept_as_such(tmp_path):
    entries = read_settings(
        write(tmp_path, "base: !!python/object:os.system x\nseed: 2020-13-45\nbatch: 2\n")
    )
    assert [type(entry.value) for entry in entries] == [Unmeant, Unmeant, int]


@pytest.mark.parametrize(
    ("content", "why", "line"),
    [
        ("seed: 1\na: [\n", "no YAML", 3),
        ('{"batch": 5,\n\t"base" 3}', "no JSON", 2),
        ("- batch\n- 5\n", "no lines of NAME", 0),
        ("just words", "no lines of NAME", 0),
        (b"\xff\xfe", "no text", 0),
        ("seed: \x01", "no YAML", 0),
        ("---\na: 1\n---\nb: 2\n", "no YAML", 3),
        ("[" * 5000, "no", 0),
    ],
)
def test_what_is_no_file_of_settings(tmp_path, content, why, line):
    with pytest.raises(Unreadable, match=why) as caught:
        read_settings(write(tmp_path, content))
    assert "\n" not in str(caught.value) and (caught.value.line == line or not line)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(Unreadable, match="No such file"):
        read_settings(tmp_path / "none.yaml")
