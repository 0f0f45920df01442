"""What the tests of the window share: no screen, a home of their own, and jobs over a small fake command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FAKE_COMMAND = Path(__file__).parent / "fake_command.py"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KPDD_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def fake_jobs(qtbot):
    """Jobs whose command is the fake one; closed at the end, so that no child outlives a test."""
    from kpdd_app.jobs import Jobs

    jobs = Jobs(command=[sys.executable, str(FAKE_COMMAND)], grace_s=0.6)
    yield jobs
    jobs.close(stop_detached=True)
