"""The prompts of a project: the newest line holds, nothing that was in use is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training_backend.errors import StoreError
from training_backend.project.store import Project
from training_backend.teacher.prompt_store import prompts, save_prompt, versions
from training_backend.teacher.prompts import NAMES, built_in

BUILT_IN = built_in("cot")
EDITED = replace(BUILT_IN, system="Solve it as a pirate.\n{{ reply_format }}", shown=3)


def test_a_new_project_uses_the_built_in_prompts(project):
    assert prompts(project) == {name: built_in(name) for name in NAMES}
    assert versions(project, "cot") == []


def test_an_edited_prompt_holds_and_the_others_stay(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        assert save_prompt(project, EDITED) == EDITED
    with Project.open(tmp_path / "p.kpdd") as project:
        assert prompts(project) == {**{name: built_in(name) for name in NAMES}, "cot": EDITED}


def test_the_version_in_use_adds_no_line(project):
    for prompt in (BUILT_IN, BUILT_IN, EDITED, EDITED):
        save_prompt(project, prompt)
    kept = versions(project, "cot")
    assert [(line.version, line.prompt) for line in kept] == [
        (EDITED.version, EDITED), (BUILT_IN.version, BUILT_IN),
    ]  # fmt: skip
    assert kept[0].id > kept[1].id
    assert kept[0].created_at >= kept[1].created_at > "2020"


def test_going_back_is_a_new_line_that_holds(project):
    for prompt in (BUILT_IN, EDITED, BUILT_IN):
        save_prompt(project, prompt)
    assert prompts(project)["cot"] == BUILT_IN
    assert [line.prompt for line in versions(project, "cot")] == [BUILT_IN, EDITED, BUILT_IN]


def test_a_line_that_cannot_be_read_is_named(project):
    save_prompt(project, EDITED)
    with project.writing() as connection:
        connection.exec_driver_sql("UPDATE prompt SET content = '{\"system\": 1}'")
    with pytest.raises(StoreError, match=r"prompt cot: A prompt of the project cannot be read"):
        prompts(project)
