"""Where keys are kept, that they go to no other address, and that nothing that is written holds one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from loopback import Loopback

from training_backend.errors import ConfigError
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project
from training_backend.teacher import keys
from training_backend.teacher.teacher_config import TeacherConfig, save_teacher, teachers

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "sk-planted-0123456789-abcdefghij"


class Remembering(KeyringBackend):
    """A safe keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Locked(Remembering):
    """A keyring that waits for a person who never comes."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service, username):
        self.released.wait(60)
        return None


class Plain(Remembering):
    """A keyring that writes clear text, as some do."""

    priority = 0.5


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    """Begin and end without a key and with the tests' keyring, which is none."""
    before = keyring.get_keyring()
    monkeypatch.delenv(keys.SESSION_VARIABLE, raising=False)
    monkeypatch.setattr(keys, "_session", {})
    keys.keyring_trouble.cache_clear()
    yield
    keyring.set_keyring(before)
    keys.keyring_trouble.cache_clear()


def use(backend: KeyringBackend) -> KeyringBackend:
    keyring.set_keyring(backend)
    keys.keyring_trouble.cache_clear()
    return backend


def teacher(base_url: str = "https://api.example.com/v1", source: str = "keyring", **more) -> TeacherConfig:
    return TeacherConfig(
        "mine", "endpoint", {"base_url": base_url, "key_source": source, "model": "m", **more}
    )


def test_a_keyring_keeps_a_key_and_forgets_it():
    backend = use(Remembering())
    place = keys.set_key(teacher(), f"  {KEY}\n")
    assert place.kind == "keyring" and "keyring" in place.sentence and KEY not in repr(place)
    assert backend.kept == {(keys.SERVICE, "https://api.example.com"): KEY}
    assert keys.get_key(teacher()) == KEY
    assert keys.child_environment(teacher()) == {}
    keys.forget_key(teacher())
    keys.forget_key(teacher())
    assert keys.get_key(teacher()) is None and not backend.kept


def test_a_key_goes_to_no_other_address():
    use(Remembering())
    keys.set_key(teacher("https://api.example.com/v1"), KEY)
    assert keys.get_key(teacher("https://API.example.com/other")) == KEY
    for other in (
        "http://api.example.com/v1",
        "https://api.example.com:8443/v1",
        "https://api.example.com.evil/",
    ):
        assert keys.get_key(teacher(other)) is None


@pytest.mark.parametrize("backend", [Plain, None])
def test_without_a_safe_keyring_the_key_is_for_this_session(backend):
    if backend:
        backend = use(backend())
    place = keys.set_key(teacher(), KEY)
    assert place.kind == "session" and "session only" in place.sentence
    assert keys.stored_where().kind == "session" and "keyring" in keys.stored_where().sentence
    assert keys.get_key(teacher()) == KEY
    assert not backend or not backend.kept


def test_a_keyring_that_does_not_answer_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(keys, "PROBE_LIMIT_S", 0.1)
    locked = use(Locked())
    began = time.monotonic()
    assert "did not answer" in keys.keyring_trouble()
    assert keys.set_key(teacher(), KEY).kind == "session"
    assert keys.get_key(teacher()) == KEY
    assert time.monotonic() - began < 5
    locked.released.set()


def test_a_keyring_that_locks_later_is_an_explained_failure(monkeypatch):
    use(Remembering())
    assert not keys.keyring_trouble()
    monkeypatch.setattr(keys, "UNLOCK_LIMIT_S", 0.1)
    locked = Locked()
    keyring.set_keyring(locked)
    with pytest.raises(ConfigError, match="did not answer"):
        keys.get_key(teacher())
    locked.released.set()


def test_an_environment_variable(monkeypatch):
    config = teacher(source="environment:KPDD_TEST_KEY")
    assert keys.get_key(config) is None and "not set" in keys.stored_where(config).sentence
    with pytest.raises(ConfigError, match="KPDD_TEST_KEY, which is not set"):
        keys.key_to_ask(config)
    assert keys.key_to_ask(teacher(source="none")) is None
    monkeypatch.setenv("KPDD_TEST_KEY", KEY)
    keys.allow_variable(config)
    assert keys.get_key(config) == keys.key_to_ask(config) == KEY
    assert (
        keys.stored_where(config).kind == "environment"
        and "KPDD_TEST_KEY" in keys.stored_where(config).sentence
    )
    with pytest.raises(ConfigError):
        keys.set_key(config, KEY)


def test_a_variable_goes_only_where_a_person_of_this_machine_sends_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KPDD_TEST_KEY", KEY)
    monkeypatch.setenv("KPDD_HOME", str(tmp_path / "of somebody else"))
    ours, theirs = (
        teacher(f"https://{host}.example/v1", "environment:KPDD_TEST_KEY") for host in ("a", "evil")
    )
    with Project.create(tmp_path / "a.kpdd") as project:
        save_teacher(project, theirs)
        # the project was sent to another machine
        monkeypatch.setenv("KPDD_HOME", str(tmp_path / "mine"))
        with pytest.raises(ConfigError, match="nobody allowed") as raised:
            keys.get_key(teachers(project)[0])
        assert KEY not in str(raised.value)
        save_teacher(project, ours)
        assert keys.get_key(ours) == KEY
        with pytest.raises(ConfigError):
            keys.get_key(theirs)
    (tmp_path / "mine" / "key_variables.json").write_text("{")
    with pytest.raises(ConfigError):
        keys.get_key(ours)


def test_no_key_at_all():
    assert keys.get_key(teacher(source="none")) is None
    assert keys.stored_where(teacher(source="none")).kind == "none"


@pytest.mark.parametrize("text", ["", "  ", "two words", "with\nbreak", "schlüssel"])
def test_what_can_be_no_key(text):
    with pytest.raises(ConfigError) as raised:
        keys.set_key(teacher(source="session"), text)
    assert not text.strip() or text not in str(raised.value)


def test_a_child_gets_a_key_of_the_session_for_its_address_alone(monkeypatch):
    config = teacher(source="session")
    keys.set_key(config, KEY)
    variables = keys.child_environment(config)
    monkeypatch.setattr(keys, "_session", {})
    assert keys.get_key(config) is None
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert keys.get_key(config) == KEY
    assert keys.get_key(teacher("https://elsewhere.example/v1", "session")) is None


# --- nothing that is written holds a key ----------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": f"https://user:{KEY}@api.example.com/v1"},
        {"base_url": f"https://api.example.com/v1?api_key={KEY}"},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": {"X-Api-Key": "short"}},
        {"headers": {"X-Note": KEY}},
        {"model": KEY},
        {"proxy": "http://me:word@proxy:3128"},
        {"api_key": KEY},
    ],
)
def test_a_project_takes_no_key(tmp_path, settings):
    with Project.create(tmp_path / "a.kpdd") as project:
        with pytest.raises(ConfigError) as raised:
            save_teacher(project, teacher(**{"base_url": "https://api.example.com/v1", **settings}))
        assert KEY not in str(raised.value)
    assert KEY.encode() not in (tmp_path / "a.kpdd").read_bytes()


def files_with(folder: Path, words: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()]


def arguments_of_all_processes() -> bytes:
    """Return the command lines of every process of this machine."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((folder / "cmdline").read_bytes())
        except OSError:
            continue
    return b"\n".join(lines)


def commands(home: Path, variables: dict[str, str], *arguments: str, watch: list[bytes]) -> str:
    """Run a command as the window does and return all it said; look at every process meanwhile."""
    environment = {**os.environ, "KPDD_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "OPENAI_LOG": "debug"}
    with subprocess.Popen(
        [sys.executable, "-m", "training_backend", *arguments], env={**environment, **variables}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=home,
    ) as child:  # fmt: skip
        watch.append(arguments_of_all_processes())
        said = child.communicate(timeout=120)[0]
    return said


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system hides arguments")
@pytest.mark.parametrize("way", ["environment", "session"])
def test_a_planted_key_is_in_nothing_that_was_written(tmp_path, way):
    home, seen = tmp_path / "home", []
    home.mkdir()
    path = tmp_path / "a.kpdd"
    with Loopback(lambda number, body: "echo-key-400" if number % 2 else "") as server:
        source = "environment:KPDD_TEST_KEY" if way == "environment" else "session"
        config = teacher(server.base_url, source, model="tiny-teacher", timeout_s=10)
        with Project.create(path) as project:
            text = "Ann has 2 apples and Ben has 3. How many are there?"
            add_questions(
                project, [NewQuestion("mine", "train", str(n), text, "5", 5.0, {}) for n in range(4)]
            )
            save_teacher(project, config)
        if way == "environment":
            variables = {"KPDD_TEST_KEY": KEY}
        else:
            keys.set_key(config, KEY)
            variables = keys.child_environment(config)
        said = commands(home, variables, "teacher", "allow", str(path), "mine", watch=seen)
        said += commands(home, variables, "teacher", "test", str(path), "mine", "--events", watch=seen)
        said += commands(home, variables, "generate", str(path), "--teacher", "mine", "--events", watch=seen)
        said += commands(home, {}, "export", str(path), str(tmp_path / "out.jsonl"), "--notes", watch=seen)
    # the key did go where it belongs, and the server repeated it
    assert len(server.asked) > 2
    assert all(one.headers["authorization"] == f"Bearer {KEY}" for one in server.received)
    assert "_base_client" in said and KEY not in said
    assert files_with(tmp_path, b"Odd header") and not files_with(tmp_path, KEY.encode())
    assert all(KEY.encode() not in lines for lines in seen)


def test_the_report_of_a_fault_holds_no_key(tmp_path):
    code = (
        "import asyncio, sys\n"
        "from training_backend.teacher.endpoint import open_asker\n"
        "from training_backend.teacher.asker import Asked\n"
        "from training_backend.teacher.teacher_config import TeacherConfig\n"
        "asker = open_asker(TeacherConfig('mine', 'endpoint', {'base_url': sys.argv[1], 'model': 'm'}), "
        "sys.stdin.readline().strip())\n"
        "asyncio.run(asker.ask(Asked(({'role': 'user', 'content': 'x'},))))\n"
    )
    for fault in ("echo-key", "html", "cut", "reset"):
        with Loopback(fault) as server:
            done = subprocess.run(
                [sys.executable, "-c", code, server.base_url], input=KEY, text=True, capture_output=True,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False, cwd=tmp_path,
            )  # fmt: skip
        assert "AskError" in done.stderr and KEY not in done.stderr + done.stdout
        assert json.dumps(KEY) not in done.stderr
