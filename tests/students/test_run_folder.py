"""A run folder holds what training needs, and says where it stands even after its process died."""

from __future__ import annotations

import json

import pytest
from rows import make_rows

from training_backend.errors import CheckpointError, ConfigError, DatasetError
from training_backend.students import run_folder
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import (
    RoleStatus,
    RunFolder,
    base_title,
    new_run_folder,
    prepare_run,
    read_role_examples,
    replace_folder,
)


@pytest.fixture
def run(tmp_path):
    return prepare_run(tmp_path / "a run", RunConfig(held_out=0.3), make_rows(40), "Mine", "me.kpdd")


def test_prepared_run_opens_again(run):
    again = RunFolder.open(run.path)
    assert again.config == run.config
    assert again.title == "Mine" and again.about["source"] == "me.kpdd"
    assert again.status() == "prepared"
    assert again.students() == {} and again.checkpoints("key") == []
    train, held = read_role_examples(again, "solve")
    assert again.about["examples"]["solve"] == {"train": len(train), "held_out": len(held)}
    assert len(train) + len(held) == 40 and held


def test_hash_tells_examples_apart(tmp_path, run):
    other = prepare_run(tmp_path / "other", RunConfig(held_out=0.3), make_rows(39))
    same = prepare_run(tmp_path / "same", RunConfig(held_out=0.3), make_rows(40))
    assert same.about["examples_sha256"] == run.about["examples_sha256"] != other.about["examples_sha256"]


def test_nothing_to_learn_from_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(DatasetError, match="Key"):
        prepare_run(tmp_path / "x", RunConfig(), [])
    with pytest.raises(DatasetError, match="Solve"):
        prepare_run(tmp_path / "y", RunConfig(method="kpdd-cot"), make_rows(3, "pot"))
    assert not (tmp_path / "x").exists() and not (tmp_path / "y").exists()


def test_a_used_folder_is_not_overwritten(run):
    with pytest.raises(ConfigError, match="not empty"):
        prepare_run(run.path, RunConfig(), make_rows(3))


def test_a_folder_that_another_start_took_meanwhile_is_left_to_it(tmp_path, monkeypatch):
    folder, part = tmp_path / "a run", run_folder.parted_examples

    def meanwhile(config, rows):
        monkeypatch.setattr(run_folder, "parted_examples", part)
        prepare_run(folder, RunConfig(held_out=0.3), make_rows(40), "theirs")
        return part(config, rows)

    monkeypatch.setattr(run_folder, "parted_examples", meanwhile)
    with pytest.raises(ConfigError, match="not empty"):
        prepare_run(folder, RunConfig(), make_rows(3))
    assert RunFolder.open(folder).about["title"] == "theirs"


def test_names_count_up(tmp_path):
    first = new_run_folder(tmp_path, "kpdd-pot")
    first.mkdir()
    assert first.name.endswith("-kpdd-pot-1")
    assert new_run_folder(tmp_path, "kpdd-pot").name.endswith("-kpdd-pot-2")


def test_dead_process_reads_as_interrupted(run):
    run.set_role_status(RoleStatus("key", "running", 5, 10, pid=2**22 + 12345))
    assert run.role_status("key").status == "interrupted"
    assert run.status() == "interrupted"


def test_status_of_the_run_is_that_of_its_students(run):
    run.set_role_status(RoleStatus("key", "done", 10, 10))
    assert run.status() == "stopped"
    run.set_role_status(RoleStatus("solve", "failed", error="x"))
    assert run.status() == "failed"
    run.set_role_status(RoleStatus("solve", "done"))
    assert run.status() == "done"


def test_incomplete_checkpoints_do_not_count(run):
    for name, complete in (("step-2", True), ("step-10", True), (".new-step-12", True), ("step-14", False)):
        folder = run.checkpoints_dir("key") / name
        folder.mkdir(parents=True)
        if complete:
            (folder / "student.json").write_text("{}")
    assert [path.name for path in run.checkpoints("key")] == ["step-2", "step-10"]
    assert run.usable_students() == {"key": run.checkpoints_dir("key") / "step-10"}


def test_replacing_leaves_the_new_one_only(tmp_path):
    new, final = tmp_path / ".new", tmp_path / "final"
    for folder, text in ((final, "old"), (new, "new")):
        folder.mkdir()
        (folder / "x").write_text(text)
    replace_folder(new, final)
    assert (final / "x").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["final"]


@pytest.mark.parametrize(
    ("content", "says"), [(None, "no run folder"), ("{", "cannot be read"), ('{"version": 9}', "version 9")]
)
def test_what_is_no_run_is_said(tmp_path, content, says):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        RunFolder.open(tmp_path)
    assert str(tmp_path) in caught.value.where


def test_missing_settings_are_named(run):
    (run.path / "config.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        RunFolder.open(run.path)
    assert caught.value.where.endswith("config.yaml")


def test_run_json_is_for_people(run):
    data = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert data["tasks"] == {"key": ["extract key points"], "solve": ["solve by program"]}
    assert data["versions"]["torch"]


@pytest.mark.parametrize(
    "base, title",
    [
        ("demo", "demo students"),
        ("tiny:/somewhere/words", "tiny"),
        ("random:flan-t5-small:/data/t5", "random flan-t5-small"),
        ("google/flan-t5-small", "google/flan-t5-small"),
        ("/data/my/key", "key"),
    ],
)
def test_a_title_names_the_base_student_without_its_path(base, title):
    assert base_title(base) == title
