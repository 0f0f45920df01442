"""`kpdd teacher`: configure, list, test and remove teachers; a key comes in by a pipe only."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from pathlib import Path

import pytest

from training_backend.__main__ import main
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project
from training_backend.teacher.teacher_config import teacher_named, teachers


def _load(name: str):
    file = Path(__file__).parent.parent / "teacher" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


Loopback = _load("loopback").Loopback


@pytest.fixture
def path(tmp_path) -> str:
    file = tmp_path / "a.kpdd"
    Project.create(file).close()
    return str(file)


def add(path: str, base_url: str, *more: str) -> int:
    return main(["teacher", "add", path, "mine", "--preset", "vllm", "--set", f"base_url={base_url}",
                 "--set", "model=tiny-teacher", "--set", "structured=false", *more])  # fmt: skip


def test_a_teacher_is_added_changed_listed_and_removed(path, capsys):
    assert add(path, "http://127.0.0.1:1/v1", "--set", "temperature=0.2") == 0
    assert main(["teacher", "set", path, "mine", "--set", "max_tokens=77"]) == 0
    with Project.open(path) as project:
        config = teacher_named(project, "mine")
    assert (config.kind, config.get("temperature"), config.get("max_tokens")) == ("endpoint", 0.2, 77)
    assert config.get("concurrency") == 64
    capsys.readouterr()
    assert main(["teacher", "list", path]) == 0
    assert "tiny-teacher" in capsys.readouterr().out
    assert add(path, "http://127.0.0.1:1/v1") == 1
    assert main(["teacher", "remove", path, "mine"]) == 0
    with Project.open(path) as project:
        assert teachers(project) == []
    assert main(["teacher", "remove", path, "mine"]) == 1


def test_models_and_test_of_a_server(path, capsys):
    with Loopback(models=["tiny-teacher", "another"]) as server:
        add(path, server.base_url)
        capsys.readouterr()
        assert main(["teacher", "models", path, "mine"]) == 0
        assert capsys.readouterr().out.split() == ["another", "tiny-teacher"]
        assert main(["teacher", "test", path, "mine", "--json"]) == 0
        checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["title"] for check in checks] == ["Settings", "Address", "Model", "Reply"]
    assert main(["teacher", "test", path, "mine"]) == 1
    assert "WRONG  Address" in capsys.readouterr().out


def test_a_price_is_kept_told_and_refused_where_it_is_none(path, capsys):
    add(path, "http://127.0.0.1:1/v1")
    capsys.readouterr()
    assert main(["teacher", "price", path, "mine"]) == 0
    assert "No price is known" in capsys.readouterr().out
    assert main(["teacher", "price", path, "mine", "--set", "prompt=2", "--set", "completion=8"]) == 0
    capsys.readouterr()
    assert main(["teacher", "price", path, "mine"]) == 0
    assert "2 in, 8 out" in capsys.readouterr().out
    for words in (["prompt=2"], ["prompt=2", "completion=much"], ["prompt=2", "completion=8", "model=x"]):
        given = [part for word in words for part in ("--set", word)]
        assert main(["teacher", "price", path, "mine", *given]) == 2


def test_a_question_that_is_not_there_is_not_asked(path, capsys):
    with Project.open(path) as project:
        add_questions(project, [NewQuestion("d", "train", "1", "There are two. How many?", "2", 2.0)])
    with Loopback() as server:
        add(path, server.base_url)
        assert main(["teacher", "ask", path, "mine", "--number", "2"]) == 2
        assert not server.asked
    assert "There is no question 2" in capsys.readouterr().err


def test_a_variable_that_is_not_set_is_named_before_anything_is_sent(path, capsys, monkeypatch):
    monkeypatch.delenv("KPDD_NO_SUCH_KEY", raising=False)
    with Project.open(path) as project:
        add_questions(project, [NewQuestion("d", "train", "1", "There are two. How many?", "2", 2.0)])
    with Loopback() as server:
        add(path, server.base_url, "--set", "key_source=environment:KPDD_NO_SUCH_KEY")
        teacher = [["teacher", action, path, "mine"] for action in ("models", "ask", "test")]
        for words in (*teacher, ["generate", path, "--teacher", "mine"]):
            capsys.readouterr()
            assert main(words) == 1
            said = capsys.readouterr()
            assert "KPDD_NO_SUCH_KEY, which is not set" in said.out + said.err
        assert not server.received


def test_a_key_without_a_safe_keyring_is_not_kept_and_never_shown(path, monkeypatch, capsys):
    add(path, "http://127.0.0.1:1/v1", "--set", "key_source=keyring")
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-planted-0123456789\n"))
    capsys.readouterr()
    assert main(["teacher", "key", path, "mine"]) == 1
    said = capsys.readouterr()
    assert "environment:NAME" in said.err and "planted" not in said.err + said.out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["add", "--set", "model"], 2),
        (["add", "--preset", "no-such"], 2),
        (["add", "--set", "no_such_setting=1"], 2),
        (["add", "--set", "base_url=https://user:word@host/v1"], 2),
        (["test"], 1),
    ],
)
def test_mistakes_are_explained(path, arguments, status, capsys):
    action, *more = arguments
    assert main(["teacher", action, path, "mine", *more]) == status
    assert capsys.readouterr().err.startswith("kpdd teacher: ")
    with Project.open(path) as project:
        assert teachers(project) == []


def test_a_setting_that_no_teacher_could_be_asked_with_is_not_kept(path, capsys):
    assert add(path, "http://127.0.0.1:1/v1") == 0
    capsys.readouterr()
    assert main(["teacher", "set", path, "mine", "--set", "temperature=hot"]) == 2
    assert "emperature" in (said := capsys.readouterr().err) and "Nothing was changed." in said
    with Project.open(path) as project:
        assert teacher_named(project, "mine").settings.get("temperature") != "hot"
    # what is only missing may come later
    assert main(["teacher", "set", path, "mine", "--set", "model="]) == 0


def test_presets_are_listed(capsys):
    assert main(["teacher", "presets"]) == 0
    assert "ollama" in capsys.readouterr().out
