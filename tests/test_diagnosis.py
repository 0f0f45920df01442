"""The diagnosis: complete, without torch, without anything private, the same libraries as run.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from training_backend import diagnosis

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def found():
    return diagnosis.diagnose(sandbox=False)


def test_what_everybody_wants_to_know_is_there(found):
    assert found["program"]["torch"] and found["program"]["transformers"]
    assert found["system"]["cores"] >= 1 and found["system"]["memory_bytes"] > 2**28
    assert found["folders"]["data"]["writable"] is True
    json.dumps(found)


def test_nothing_private_is_shown(found, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    monkeypatch.setenv("KPDD_HOME", str(tmp_path / "somebody" / "kept"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    shown = json.dumps(diagnosis.diagnose(sandbox=False))
    assert "somebody" not in shown and "~/kept" in shown and "planted" not in shown


def test_missing_things_are_sentences_with_a_way_out(found):
    found["program"] = {**found["program"], "torch": None, "PySide6-Essentials": None}
    found["window"] = {"offscreen": ["libegl1"], "screen": [], "fonts": True,
                       "install": diagnosis.apt_line(["libegl1"])}  # fmt: skip
    found["sandbox"] = {"level": "basic", "missing": ["There is no seccomp."]}
    found["folders"] = {"data": {"path": "~/k", "writable": False, "free_bytes": 10**12},
                        "temporary": {"path": "/tmp", "writable": True, "free_bytes": 2**20}}  # fmt: skip
    found["missing"] = diagnosis.missing(found)
    said = "\n".join(found["missing"])
    for part in (
        "torch is not installed", "there is no window", "apt-get install", "libegl1", "level basic",
        "There is no seccomp.", "~/k cannot be written", "Only 0.0 GiB are free in /tmp",
    ):  # fmt: skip
        assert part in said
    found["gpu"] = [{"name": "H", "memory_mib": "80", "used_mib": "1", "driver": "5"}]
    text = diagnosis.as_text(found)
    assert "H, 1 of 80 MiB used, driver 5" in text and "missing: torch is not installed" in text


def test_nothing_missing_is_said_too(found):
    found["missing"] = []
    assert diagnosis.as_text(found).endswith("Nothing is missing.")
    assert diagnosis.apt_line([]) == ""


@pytest.mark.parametrize(
    ("printed", "status", "names"),
    [
        ("NVIDIA H200, 143771, 12, 570.1\n", 0, ["NVIDIA H200"]),
        ("No devices were found\n", 6, []),
        ("a,b\n", 0, []),
    ],
)
def test_nvidia_smi(monkeypatch, printed, status, names):
    monkeypatch.setattr(diagnosis.shutil, "which", lambda tool: "/bin/nvidia-smi")
    monkeypatch.setattr(
        diagnosis.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, status, printed, "")
    )
    assert [gpu["name"] for gpu in diagnosis.gpus()] == names


@pytest.mark.parametrize(
    ("name", "capability", "bf16"),
    [
        ("Tesla T4", "7.5", False), ("Tesla V100-SXM2-16GB", "7.0", False), ("NVIDIA H200", "9.0", True),
        ("NVIDIA B200", "10.0", True), ("NVIDIA A100-SXM4-40GB", "8.0", True), ("Tesla T4", "[N/A]", False),
        # tools that do not know the field answer nothing when they are asked for it
        ("Tesla T4", None, False), ("Tesla V100-SXM2-16GB", None, False), ("NVIDIA TITAN RTX", None, False),
        ("NVIDIA GeForce RTX 2080 Ti", None, False), ("Tesla K20Xm", None, False),
        ("NVIDIA GeForce GTX 1660", None, False),
        ("NVIDIA A100-SXM4-40GB", None, True), ("NVIDIA GeForce RTX 3090", None, True),
        ("NVIDIA A10", None, True),
    ],
)  # fmt: skip
def test_old_gpus_are_not_taken_for_such_that_compute_bf16(monkeypatch, name, capability, bf16):
    asked = []

    def answer(words, **_):
        asked.append(words[1])
        if "compute_cap" in words[1]:
            if capability is None:
                return subprocess.CompletedProcess(words, 2, 'Field "compute_cap" is not a valid field', "")
            return subprocess.CompletedProcess(words, 0, f"{name}, 16384, 384, 535.1, {capability}\n", "")
        return subprocess.CompletedProcess(words, 0, f"{name}, 16384, 384, 450.1\n", "")

    monkeypatch.setattr(diagnosis.shutil, "which", lambda tool: "/bin/nvidia-smi")
    monkeypatch.setattr(diagnosis.subprocess, "run", answer)
    monkeypatch.setattr(diagnosis, "_by_nvml", lambda: None)
    device = diagnosis.training_device()
    assert (device.name, device.total, device.bf16) == (name, 16 << 30, bf16)
    assert device.precision == ("bf16" if bf16 else "fp32")
    assert len(asked) == (2 if capability is None else 1)


def test_a_library_that_cannot_be_loaded_is_missing(monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux needs packages")
    monkeypatch.setattr(diagnosis, "_loads", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(diagnosis, "_has_fonts", lambda: False)
    needs = diagnosis.window_needs()
    assert (needs["offscreen"], needs["screen"], needs["fonts"]) == (["libegl1"], [], False)
    assert needs["install"].endswith("install --yes --no-install-recommends libegl1 fonts-dejavu-core")


def test_the_start_script_may_ask_before_anything_is_installed():
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import training_backend.diagnosis"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False).returncode == 0


def test_torch_is_not_imported():
    code = (
        "import sys; from training_backend.diagnosis import diagnose; diagnose(); "
        "sys.exit(bool({'torch', 'transformers', 'PySide6', 'sqlalchemy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
