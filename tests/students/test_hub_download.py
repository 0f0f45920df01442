"""Base students from a hub on this machine that cuts off, refuses, lies and goes away."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training_backend.errors import CheckpointError
from training_backend.events import Control
from training_backend.project.fetching import Fetcher
from training_backend.students import hub_download
from training_backend.students.base_names import adapter_base, ensure_base, resolve_base
from training_backend.students.base_student import load_base, make_tiny
from training_backend.students.hub_download import fetch_base, find_base

COMMIT, PROPOSED = "c0ffee" * 6 + "c0ff", "feedbeef" * 5


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        path = self.path.split("?")[0]
        server.asked.append((path, self.headers.get("Range"), self.headers.get("Authorization")))
        trouble = server.troubles.pop(0) if server.troubles and path.endswith(server.troubled) else None
        if isinstance(trouble, int):
            self.send_error(trouble)
            return
        content = server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        begin = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(begin.group(1)) if begin else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        self.wfile.write(rest[: len(rest) // 2] if trouble == "cut" else rest)


class Said:
    """Keeps what a download says."""

    def __init__(self):
        self.lines, self.done = [], []

    def log(self, text, level="info"):
        self.lines.append(text)

    def progress(self, what, done, total, detail=""):
        self.done.append((done, total, detail))


@pytest.fixture(scope="module")
def student(tmp_path_factory, lossy) -> Path:
    folder = tmp_path_factory.mktemp("published") / "student"
    make_tiny(folder, lossy)
    (folder / "student_text.json").unlink()
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path, student):
    """A hub with one tiny student, `some/tiny`; `troubles` for the requests that end in `troubled`."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.files, made.troubles, made.troubled, made.asked = {}, [], "model.safetensors", []
    made.url = f"http://127.0.0.1:{made.server_port}"
    for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", made.url + "/")
    monkeypatch.setenv("HF_TOKEN", "a token")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "shared cache"))
    monkeypatch.setattr(Fetcher, "wait_s", 0.0)
    publish(made, student)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def publish(server, folder: Path, commit: str = COMMIT, revision: str = "main", leave_out=()) -> None:
    entries = [{"rfilename": "../evil.json", "size": 2}, {"rfilename": "onnx/model.onnx", "size": 9},
               {"rfilename": "tf_model.h5", "size": 9}]  # fmt: skip
    for file in sorted(folder.iterdir()):
        if file.name in leave_out:
            continue
        content = file.read_bytes()
        entry = {"rfilename": file.name, "size": len(content)}
        if file.suffix == ".safetensors":
            entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        else:
            entry["blobId"] = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        entries.append(entry)
        server.files[f"/some/tiny/resolve/{commit}/{file.name}"] = content
    answer = {"sha": commit, "siblings": entries}
    server.files[f"/api/models/some/tiny/revision/{revision.replace('/', '%2F')}"] = json.dumps(
        answer
    ).encode()


def test_a_base_student_is_fetched_once_and_trains(hub, student):
    said = Said()
    folder = fetch_base("some/tiny", said)
    assert (folder / "model.safetensors").read_bytes() == (student / "model.safetensors").read_bytes()
    assert not list(folder.parent.rglob("evil*")) and not (folder / "tf_model.h5").exists()
    assert any("MiB to download" in line for line in said.lines)
    size = (student / "model.safetensors").stat().st_size
    assert said.done[-1] == (size, size, "model.safetensors")
    asked = len(hub.asked)
    assert fetch_base("some/tiny") == ensure_base("some/tiny") == folder
    assert resolve_base("some/tiny") == ("hub", folder)
    network, text, _ = load_base("some/tiny")
    assert network.config.d_model == 128 and text.rule.way == "carriers"
    assert len(hub.asked) == asked, "what is here is used without asking"


def test_what_was_cut_off_goes_on_where_it_ended(hub, student):
    size = (student / "model.safetensors").stat().st_size
    hub.troubles = [403]
    with pytest.raises(CheckpointError, match=r"could not be downloaded: the file was refused"):
        fetch_base("some/tiny")
    hub.troubles = ["cut", 503]
    folder = fetch_base("some/tiny")
    ranges = [wanted for path, wanted, _ in hub.asked if path.endswith("model.safetensors")]
    assert ranges == [None, None, f"bytes={size // 2}-", f"bytes={size // 2}-"]
    assert (folder / "model.safetensors").stat().st_size == size
    # the small files came once
    assert len([path for path, _, _ in hub.asked if path.endswith("/config.json")]) == 1


def test_a_stop_is_obeyed_and_keeps_what_came(hub, student):
    control = Control()
    control.stop()
    with pytest.raises(CheckpointError, match="was stopped"):
        fetch_base("some/tiny", Said(), control)
    assert find_base("some/tiny") is None
    assert fetch_base("some/tiny").is_dir()


def test_a_token_goes_to_the_hub(hub):
    fetch_base("some/tiny")
    assert {token for _, _, token in hub.asked} == {"Bearer a token"}


def test_wrong_weights_are_not_kept(hub, student):
    name = f"/some/tiny/resolve/{COMMIT}/model.safetensors"
    hub.files[name] = hub.files[name][:-1] + b"!"
    with pytest.raises(CheckpointError, match="checksum differs"):
        fetch_base("some/tiny")
    assert find_base("some/tiny") is None


def test_lora_weights_stand_on_a_commit_whatever_main_becomes(hub, student):
    assert adapter_base("some/tiny") == "some/tiny"
    folder = fetch_base("some/tiny")
    named = adapter_base("some/tiny")
    assert named == f"some/tiny@{COMMIT}" and ensure_base(named) == folder
    # on another machine, later
    shutil.rmtree(folder.parent)
    publish(hub, student, PROPOSED)
    publish(hub, student, COMMIT, COMMIT)
    assert ensure_base(named).name == COMMIT and ensure_base("some/tiny").name == PROPOSED


def test_a_revision_is_kept_apart(hub, student):
    publish(hub, student, PROPOSED, "refs/pr/4")
    main, other = fetch_base("some/tiny"), fetch_base("some/tiny@refs/pr/4")
    assert main.name == COMMIT and other.name == PROPOSED
    assert find_base(f"some/tiny@{PROPOSED}") == other


def discussions(server, **changes):
    each = {"num": 7, "title": "Adding `safetensors` variant of this model", "status": "open",
            "isPullRequest": True, "author": {"name": "SFconvertbot"}}  # fmt: skip
    server.files["/api/models/some/tiny/discussions"] = json.dumps({"discussions": [each | changes]}).encode()


def test_pickles_are_not_read_but_the_converters_proposal_is(hub, student, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(student, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    publish(hub, pickled)
    with pytest.raises(CheckpointError, match="no safetensors, and pickled weights can run code"):
        fetch_base("some/tiny")
    # nobody else's proposal is taken
    discussions(hub, author={"name": "somebody"})
    publish(hub, student, PROPOSED, "refs/pr/7")
    with pytest.raises(CheckpointError, match="no safetensors"):
        fetch_base("some/tiny")
    discussions(hub)
    said = Said()
    assert fetch_base("some/tiny", said).name == PROPOSED
    assert "as the hub's converter proposes them (refs/pr/7)" in said.lines[0]
    assert not [path for path, _, _ in hub.asked if path.endswith(".bin")]


def test_a_student_without_tokenizer_is_refused(hub, student):
    publish(hub, student, leave_out=("tokenizer.json",))
    with pytest.raises(CheckpointError, match=r"has no tokenizer\.json"):
        fetch_base("some/tiny")
    assert find_base("some/tiny") is None


def test_a_full_disk_is_said_before_anything_comes(hub, student, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(hub_download.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CheckpointError, match=r"GiB more, the disk has 0\.0 GiB"):
        fetch_base("some/tiny")
    assert not [path for path, _, _ in hub.asked if "resolve" in path]


def test_an_unknown_name_is_told(hub):
    with pytest.raises(CheckpointError, match="could not be downloaded") as caught:
        fetch_base("some/other")
    assert "OWNER/NAME" in caught.value.hint


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"sha": "../..", "siblings": []}'])
def test_an_answer_that_is_none_is_told(hub, answer):
    hub.files["/api/models/some/tiny/revision/main"] = answer
    with pytest.raises(CheckpointError, match="The hub's answer"):
        fetch_base("some/tiny")


def test_unreachable_and_offline_are_told_and_what_is_here_still_serves(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = Said()
    with pytest.raises(
        CheckpointError, match=r"127\.0\.0\.1:9 cannot be reached, nothing answers there"
    ) as caught:
        fetch_base("some/tiny", said)
    assert str(caught.value).startswith("some/tiny: The base student could not be downloaded: http://127")
    assert all(
        word in caught.value.hint for word in ("HF_ENDPOINT", "HTTPS_PROXY", "HF_HUB_OFFLINE", "folder")
    )
    assert said.lines == ["http://127.0.0.1:9: nothing answers there; trying again"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE is set") as caught:
        fetch_base("some/tiny")
    assert "folder" in caught.value.hint
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    folder = fetch_base("some/tiny")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch_base("some/tiny") == folder


def test_the_cache_that_transformers_shares_is_used(hub, student, tmp_path):
    repository = tmp_path / "shared cache" / "models--some--tiny"
    shutil.copytree(student, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    assert fetch_base("some/tiny") == repository / "snapshots" / COMMIT
    assert hub.asked == []
    (repository / "snapshots" / COMMIT / "model.safetensors").unlink()
    assert find_base("some/tiny") is None


def test_several_processes_download_once(hub):
    folders: list[Path] = []
    threads = [threading.Thread(target=lambda: folders.append(fetch_base("some/tiny"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(folders) == 4 and len(set(folders)) == 1
    assert len([path for path, _, _ in hub.asked if path.endswith("model.safetensors")]) == 1
