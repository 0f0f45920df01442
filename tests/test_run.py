"""The set-up script: what it can decide without installing anything."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return run.py as a module whose `.venv` lies in a folder of the test, with a space in its path."""
    spec = importlib.util.spec_from_file_location("kpdd_run", REPOSITORY / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "a folder"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "VENV", root / ".venv")
    monkeypatch.setattr(module, "STAMP", root / ".venv" / "kpdd-installed.json")
    monkeypatch.setattr(module, "INSTALL_LOG", root / ".venv" / "install.log")
    return module


def pretend_installed(run, extras):
    run.venv_python().parent.mkdir(parents=True, exist_ok=True)
    run.venv_python().touch()
    run.STAMP.write_text(json.dumps(run.fingerprint(extras)), encoding="utf-8")


def test_it_uses_the_standard_library_only():
    # -S leaves out site-packages, so an import of anything installed would fail
    command = [sys.executable, "-S", "run.py", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "python3 run.py test" in done.stdout


def test_a_second_start_installs_nothing(run, monkeypatch):
    pretend_installed(run, ["window", "dev"])
    monkeypatch.setattr(run, "_pip", lambda *arguments: pytest.fail("pip was called"))
    run.install(["window"])


def test_what_changes_the_installation_is_noticed(run, monkeypatch):
    calls = []
    monkeypatch.setattr(run, "_pip", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(run, "make_venv", lambda: calls.append("venv"))
    monkeypatch.setattr(run, "_venv_works", lambda: True)

    pretend_installed(run, ["window"])
    run.install(["window", "dev"])
    assert calls[-1][-1].endswith("[dev,window]")

    calls.clear()
    (run.ROOT / "pyproject.toml").write_text("[project]\nname='other'\n", encoding="utf-8")
    run.install(["window"])
    assert calls and "venv" not in calls

    # a folder that was moved or copied has scripts that point elsewhere
    stamp = json.loads(run.STAMP.read_text(encoding="utf-8"))
    run.STAMP.write_text(json.dumps({**stamp, "root": "/elsewhere"}), encoding="utf-8")
    calls.clear()
    run.install(["window"])
    assert calls[0] == "venv"


def test_an_interrupted_installation_is_done_again(run, monkeypatch):
    pretend_installed(run, ["window"])
    monkeypatch.setattr(run, "_venv_works", lambda: True)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    (run.ROOT / "pyproject.toml").write_text("changed", encoding="utf-8")
    monkeypatch.setattr(run, "_pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.install(["window"])
    assert run.installed() == {}
    calls = []
    monkeypatch.setattr(run, "_pip", lambda *arguments: calls.append(arguments))
    run.install(["window"])
    assert calls and run.installed()["extras"] == ["window"]


def test_a_failing_pip_says_why_and_what_to_do(run):
    run.VENV.mkdir()
    fake = run.venv_python()
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'ERROR: no space left on device'\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    with pytest.raises(run.SetupError, match=r"no space left.*\n.*\n.*install.log"):
        run._pip("install", "something")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X and Wayland are of Linux")
def test_a_screen_is_one_that_answers(run, monkeypatch, tmp_path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not run.has_screen()
    monkeypatch.setenv("DISPLAY", ":4711")
    assert not run.has_screen()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X4711")
        server.listen()
        assert run.has_screen()
    monkeypatch.setenv("DISPLAY", "nonsense")
    assert not run.has_screen()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert not run.has_screen()
    (tmp_path / "wayland-0").touch()
    assert run.has_screen()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system packages of Debian and Ubuntu")
def test_without_root_and_sudo_the_exact_line_is_printed(run, monkeypatch):
    monkeypatch.setattr(run.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(run.SetupError, match="sudo apt-get install -y libegl1 libgl1"):
        run.apt_install(["libegl1", "libgl1"], "libraries")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system packages of Debian and Ubuntu")
def test_missing_libraries_are_found(run, monkeypatch):
    real = ctypes.CDLL

    def some_missing(name):
        if name in ("libEGL.so.1", "libxcb-cursor.so.0"):
            raise OSError(name)
        return real(None)

    monkeypatch.setattr(ctypes, "CDLL", some_missing)
    assert "libegl1" in run.missing_packages(with_screen=False)
    assert "libxcb-cursor0" not in run.missing_packages(with_screen=False)
    assert "libxcb-cursor0" in run.missing_packages(with_screen=True)
