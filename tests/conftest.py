"""What all tests share: a home of their own, the optional recorded data, and no unexpected log line."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

# before anything imports Qt or torch
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
# nobody's own keyring is read or written
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home_of_its_own(tmp_path_factory, monkeypatch):
    """Keep the program's own data (settings, logs, recent projects) out of the user's home."""
    monkeypatch.setenv("KPDD_HOME", str(tmp_path_factory.mktemp("kpdd home")))


@pytest.fixture(autouse=True)
def no_unexpected_log_lines(caplog, request):
    """Fail a test that logs at warning or above, unless it is marked `expects_log_lines`."""
    yield
    if request.node.get_closest_marker("expects_log_lines"):
        return
    lines = [
        f"{record.name}: {record.getMessage()}"
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING and record.name.split(".")[0] in ("kpdd_app", "training_backend")
    ]
    assert not lines, f"unexpected log lines: {lines}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with public benchmarks and recorded teachers, or skip where there is none."""
    folder = Path(os.environ.get("KPDD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "gsm8k").is_dir():
        pytest.skip(f"no recorded data at {folder} (set KPDD_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def t5_tokenizer() -> Path:
    """Return a folder with the real T5 vocabulary, or skip where there is none."""
    folder = Path(os.environ.get("KPDD_T5_TOKENIZER", REPOSITORY.parent / "shared" / "t5-tokenizer"))
    if not (folder / "tokenizer.json").is_file():
        pytest.skip(f"no T5 vocabulary at {folder} (set KPDD_T5_TOKENIZER)")
    return folder
