"""Downloads from a server on this machine that cuts off, fails, redirects, and gives the wrong thing."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from training_backend.__main__ import main
from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control, Reporter
from training_backend.project import downloads
from training_backend.project.downloads import BENCHMARKS, Benchmark, fetch
from training_backend.project.fetching import Checksum, Fetcher
from training_backend.project.questions import datasets
from training_backend.project.store import Project

CONTENT = "".join(
    json.dumps({"question": f"How many are {n} and {n}?", "answer": f"x #### {2 * n}"}) + "\n"
    for n in range(4000)
).encode()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        trouble = server.troubles.pop(0) if server.troubles else None
        if isinstance(trouble, int):
            self.send_error(trouble)
            return
        path = re.sub(r"^http://[^/]+", "", self.path).split("?")[0]
        content = server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        begin = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(begin.group(1)) if begin and server.ranges else 0
        if start >= len(content) and begin and server.ranges:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        self.wfile.write(rest[: len(rest) // 2] if trouble == "cut" else rest)


@pytest.fixture
def server(monkeypatch):
    """A server with `files`, `troubles` for the next requests (a status, or "cut"), and who `asked`."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.files, made.troubles, made.asked, made.ranges = {}, [], [], True
    made.url = f"http://127.0.0.1:{made.server_port}"
    for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Fetcher, "wait_s", 0.0)
    monkeypatch.setattr(downloads, "GITHUB", made.url)
    monkeypatch.setenv("HF_ENDPOINT", made.url + "/")
    mark = Benchmark("own", "Own", "own", "train", 4000, "a/b", "c0ffee", "data/own questions.jsonl",
                     len(CONTENT), SHA256, "CC BY-NC 4.0")  # fmt: skip
    monkeypatch.setitem(BENCHMARKS, "own", mark)
    made.files["/a/b/c0ffee/data/own%20questions.jsonl"] = CONTENT
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_file_is_fetched_once(server, tmp_path):
    found = list(fetch("own", tmp_path))
    assert [(f.path.name, f.dataset, f.split) for f in found] == [("own questions.jsonl", "own", "train")]
    assert found[0].path.read_bytes() == CONTENT
    list(fetch("own", tmp_path))
    assert len(server.asked) == 1
    # a file that was changed here is fetched again
    found[0].path.write_bytes(b"spoilt")
    assert next(fetch("own", tmp_path)).path.read_bytes() == CONTENT


def test_what_was_cut_off_goes_on_where_it_ended(server, tmp_path):
    server.troubles = ["cut", 503, "cut"]
    assert next(fetch("own", tmp_path)).path.read_bytes() == CONTENT
    half = len(CONTENT) // 2
    asked = [wanted for _, wanted, _ in server.asked]
    assert asked[:3] == [None, f"bytes={half}-", f"bytes={half}-"] and len(asked) == 4
    assert not list(tmp_path.rglob("*.part"))


def test_a_server_that_gives_everything_again_is_understood(server, tmp_path):
    server.ranges, server.troubles = False, ["cut"]
    assert next(fetch("own", tmp_path)).path.read_bytes() == CONTENT


def test_a_wrong_file_is_not_kept(server, tmp_path):
    server.files["/a/b/c0ffee/data/own%20questions.jsonl"] = CONTENT[:-1] + b" "
    with pytest.raises(DatasetError, match="its checksum differs"):
        list(fetch("own", tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("troubles", "sentence", "asked"),
    [([404], "is not there", 1), ([403], "was refused", 1), ([500] * 4, "the server answered 500", 4)],
)
def test_failures_are_told(server, tmp_path, troubles, sentence, asked):
    server.troubles = troubles
    with pytest.raises(DatasetError, match=sentence) as caught:
        list(fetch("own", tmp_path))
    assert caught.value.where.startswith(server.url) and caught.value.hint
    assert len(server.asked) == asked


def test_an_unreachable_server_is_told(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(downloads, "GITHUB", "http://127.0.0.1:9")
    with pytest.raises(
        DatasetError, match=r"http://127\.0\.0\.1:9 cannot be reached: nothing answers there"
    ) as caught:
        list(fetch("own", tmp_path, Reporter()))
    assert "HTTPS_PROXY" in caught.value.hint
    shown = capsys.readouterr().err
    assert shown.count("trying again") == 1 and "nothing answers there; trying again" in shown


def test_offline_is_said_and_what_is_here_is_still_used(server, tmp_path, monkeypatch):
    list(fetch("own", tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert len(list(fetch("own", tmp_path))) == 1
    with pytest.raises(DatasetError, match="HF_HUB_OFFLINE is set"):
        list(fetch("own", tmp_path / "elsewhere"))


def test_the_proxy_of_the_environment_is_asked(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "GITHUB", "http://far-away.invalid")
    monkeypatch.setenv("http_proxy", server.url)
    assert next(fetch("own", tmp_path)).path.read_bytes() == CONTENT
    assert server.asked[0][0].startswith("http://far-away.invalid/a/b/")


def test_a_stop_keeps_what_came_for_the_next_time(server, tmp_path):
    control = Control()
    control.stop()
    assert list(fetch("own", tmp_path, control=control)) == []
    part = next(tmp_path.rglob("*.part"))
    have = part.stat().st_size
    assert 0 < have < len(CONTENT)
    assert next(fetch("own", tmp_path)).path.read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={have}-"


def hub(server, **changes):
    """Let the server have a data set as the hub does."""
    small = CONTENT[:2000].rsplit(b"\n", 1)[0] + b"\n"
    blob = hashlib.sha1(f"blob {len(small)}\0".encode() + small).hexdigest()
    info = {
        "sha": "feedbeef" * 5, "cardData": {"license": "mit"},
        "siblings": [
            {"rfilename": "README.md", "size": 3, "blobId": "0"},
            {"rfilename": "../../evil.jsonl", "size": 3, "blobId": "0"},
            {"rfilename": "main/train.jsonl", "size": len(CONTENT), "lfs": {"sha256": SHA256}},
            {"rfilename": "main/test.jsonl", "size": len(small), "blobId": blob},
        ],
    }  # fmt: skip
    server.files["/api/datasets/some/sums/revision/main"] = json.dumps({**info, **changes}).encode()
    at = "/datasets/some/sums/resolve/" + "feedbeef" * 5
    server.files |= {f"{at}/main/train.jsonl": CONTENT, f"{at}/main/test.jsonl": small}


def test_a_data_set_of_the_hub_at_the_commit_of_its_revision(server, tmp_path, monkeypatch):
    hub(server)
    monkeypatch.setenv("HF_TOKEN", "secret")
    found = list(fetch("some/sums", tmp_path))
    assert [(f.path.name, f.dataset, f.split) for f in found] == [
        ("train.jsonl", "sums", "train"), ("test.jsonl", "sums", "test")
    ]  # fmt: skip
    assert all(path.is_relative_to(tmp_path) for path in (f.path for f in found))
    assert {token for _, _, token in server.asked} == {"Bearer secret"}
    assert [f.split for f in fetch("some/sums:main/test.jsonl", tmp_path)] == ["test"]


def test_a_hub_file_that_is_another_one_is_not_kept(server, tmp_path):
    hub(server)
    name = "/datasets/some/sums/resolve/" + "feedbeef" * 5 + "/main/test.jsonl"
    server.files[name] = server.files[name].swapcase()
    with pytest.raises(DatasetError, match="checksum differs"):
        list(fetch("some/sums:main/test.jsonl", tmp_path))


def test_what_the_hub_does_not_have_is_told(server, tmp_path):
    with pytest.raises(DatasetError, match="is not there"):
        list(fetch("some/other", tmp_path))
    hub(server, siblings=[{"rfilename": "README.md"}])
    with pytest.raises(DatasetError, match="no file that can be read"):
        list(fetch("some/sums", tmp_path))
    server.files["/api/datasets/some/sums/revision/main"] = b"<html>"
    with pytest.raises(DatasetError, match="answer cannot be read"):
        list(fetch("some/sums", tmp_path))


def test_an_unknown_name_is_told():
    with pytest.raises(ConfigError, match="no benchmark 'gsm9k'") as caught:
        list(fetch("gsm9k"))
    assert "gsm8k" in caught.value.hint


def test_on_the_command_line(server, tmp_path, capsys):
    path = tmp_path / "a.kpdd"
    Project.create(path).close()
    assert main(["import", str(path), "--download", "own"]) == 0
    told = capsys.readouterr()
    assert "CC BY-NC 4.0" in told.err and "4,000 questions added as own/train" in told.out
    with Project.open(path) as project:
        assert datasets(project) == [("own", "train", 4000)]
    assert main(["import", str(path), "--download", "list"]) == 0
    assert "CC BY-NC 4.0" in capsys.readouterr().out
    server.troubles = [404]
    assert main(["import", str(path), "--download", "some/sums"]) == 1
    assert "is not there" in capsys.readouterr().err


def test_the_table_agrees_with_the_published_files(shared_data):
    known = {entry["sha256"]: entry for entry in json.loads((shared_data / "MANIFEST.json").read_text())}
    for mark in BENCHMARKS.values():
        entry = known[mark.sha256]
        assert (entry["origin"], entry["commit"], entry["path"], entry["bytes"]) == (
            mark.origin, mark.commit, mark.path, mark.bytes
        )  # fmt: skip
        assert Checksum("sha256", mark.sha256).fits(shared_data / entry["file"])
    assert len(BENCHMARKS) == 9
    assert not BENCHMARKS["asdiv"].commercial and BENCHMARKS["svamp"].commercial
