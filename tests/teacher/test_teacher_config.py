"""Teachers under their names in the project, their settings' rules, and the presets."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.project.store import Project
from training_backend.teacher.teacher_config import (
    DEFAULTS,
    PRESETS,
    TeacherConfig,
    remove_teacher,
    save_teacher,
    teacher_named,
    teachers,
)

GOOD = {"base_url": "https://api.example.com/v1", "model": "big"}


def endpoint(**settings) -> TeacherConfig:
    return TeacherConfig("mine", "endpoint", {**GOOD, **settings})


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.kpdd") as project:
        yield project


def test_saved_renamed_replaced_and_removed(project):
    save_teacher(project, endpoint())
    save_teacher(project, TeacherConfig(" other\n name ", "sample"))
    save_teacher(project, endpoint(temperature=0.1))
    assert [config.name for config in teachers(project)] == ["mine", "other name"]
    assert teacher_named(project, "mine").get("temperature") == 0.1
    save_teacher(project, TeacherConfig("ours", "endpoint", GOOD), replaces="mine")
    assert [config.name for config in teachers(project)] == ["other name", "ours"]
    with pytest.raises(ConfigError, match="already"):
        save_teacher(project, TeacherConfig("ours", "sample"), replaces="other name")
    assert {config.name: config.kind for config in teachers(project)}["ours"] == "endpoint"
    remove_teacher(project, "ours")
    remove_teacher(project, "ours")
    with pytest.raises(ConfigError, match="other name"):
        teacher_named(project, "ours")


def test_an_unfinished_teacher_is_kept(project):
    save_teacher(project, TeacherConfig("later", "endpoint"))
    assert teachers(project)[0].validate() == ["The address is empty.", "Choose a model."]


def test_defaults_stand_where_nothing_was_set():
    assert endpoint().get("temperature") == DEFAULTS["endpoint"]["temperature"]
    assert endpoint(temperature=None).get("temperature") is None
    assert endpoint().get("no such") is None
    assert endpoint().validate() == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": 3}, "Temperature"),
        ({"temperature": True}, "Temperature"),
        ({"temperature": float("nan")}, "Temperature"),
        ({"top_p": "0.9"}, "Top p"),
        ({"max_tokens": 0}, "length limit"),
        ({"max_tokens": 1.5}, "whole number"),
        ({"timeout_s": None}, "time-out"),
        ({"concurrency": 0}, "Concurrency"),
        ({"budget": -1}, "Budget"),
        ({"model": " "}, "model"),
        ({"base_url": "https://a/v1/chat/completions"}, "before /chat/completions"),
        ({"base_url": "a.example/v1"}, "http"),
        ({"key_source": "environment:not a name"}, "environment:NAME"),
        ({"proxy": "socks5://127.0.0.1:1080"}, "proxy"),
        ({"limit_field": "n"}, "max_completion_tokens"),
        ({"headers": "X: y"}, "headers"),
        ({"headers": {"X Y": "z"}}, "X Y"),
        ({"headers": {"X": "a\nAuthorization: b"}}, "X cannot"),
        ({"structured": "yes"}, "true or false"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_a_setting_may_not_be(settings, words):
    problems = endpoint(**settings).validate()
    assert len(problems) == 1 and words in problems[0]


def test_other_kinds():
    assert TeacherConfig("a", "telepathy").validate()
    assert TeacherConfig("a", "sample").validate() == []
    assert TeacherConfig("a", "replay").validate() and TeacherConfig("a", "local").validate()
    assert TeacherConfig("a", "local", {"model": "/some/folder", "batch_size": 0}).validate()


def test_presets_lack_nothing_but_a_model():
    hosted = [config for config in PRESETS.values() if config.kind == "endpoint" and config.get("base_url")]
    assert len(hosted) >= 10
    for config in hosted:
        assert config.validate() == ["Choose a model."], config.name
        local = "localhost" in config.get("base_url")
        assert config.get("base_url").startswith("http://" if local else "https://")


def test_a_line_of_another_program_is_no_failure(project):
    with project.writing() as connection:
        connection.exec_driver_sql("INSERT INTO teacher (name, kind, settings) VALUES ('odd', 'x', '[')")
    assert teachers(project) == [TeacherConfig("odd", "x", {})]
    assert teachers(project)[0].validate()
