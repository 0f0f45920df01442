"""What this machine offers the program and what is missing, as data that may be shown to anybody.

No torch import (unless `deep`), no keys, no project texts; the home folder is written as `~`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.paths import resources_dir, user_data_dir

if TYPE_CHECKING:
    from training_backend.students.memory_estimate import Device

# distribution names in the order in which people ask for them
PACKAGES = (
    "kpdd-studio", "torch", "transformers", "accelerate", "ctranslate2", "tokenizers", "safetensors",
    "PySide6-Essentials", "matplotlib", "numpy", "sympy", "SQLAlchemy", "msgspec", "pyseccomp", "py-landlock",
    "psutil",
)  # fmt: skip

# What Qt loads at run time on Debian and Ubuntu: shared library → package. The first group is enough without
# a screen, the second is what a window on X11 needs besides. `run.py` asks here before anything is installed.
OFFSCREEN_LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libseccomp.so.2": "libseccomp2",
}
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
}
FONTS_PACKAGE = "fonts-dejavu-core"
_GPU_FIELDS = ("name", "memory.total", "memory.used", "driver_version")
# families of a compute capability below 8 (NVIDIA, "CUDA GPU Compute Capability"), as nvidia-smi names them
_BEFORE_BF16 = re.compile(r"\b([TPKM]\d|V100|TITAN|Quadro|GTX|MX\d|RTX 20)")
_LOW_DISK_BYTES = 2 * 1024**3


def diagnose(deep: bool = False, sandbox: bool = True) -> dict[str, Any]:
    """Return everything that is known without asking torch; with `deep` torch says what it sees.

    With `sandbox` the runner probes how programs are shut in, which takes up to a second.
    """
    found: dict[str, Any] = {
        "program": versions(),
        "system": system(),
        "gpu": gpus(),
        "folders": folders(),
        "window": window_needs(),
    }
    if sandbox:
        found["sandbox"] = isolation()
    if deep:
        found["torch"] = torch_devices()
    found["missing"] = missing(found)
    return found


def versions() -> dict[str, str | None]:
    """Return the installed version of each package, None where it is not installed."""
    return {name: _version(name) for name in PACKAGES}


def system() -> dict[str, Any]:
    """Return Python, platform, usable cores and memory in bytes."""
    import psutil

    memory = psutil.virtual_memory()
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "frozen": bool(getattr(sys, "frozen", False)),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "distribution": _distribution(),
        "cores": os.cpu_count() or 1,
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": memory.total,
        "memory_free_bytes": memory.available,
    }


def gpus() -> list[dict[str, Any]]:
    """Return what nvidia-smi says of each GPU; empty without nvidia-smi.

    Name, memory in MiB, driver, and `compute_cap`, the compute capability ("8.6"): "" where the tool
    is too old to know it.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    # a tool that does not know one field answers nothing at all
    lines = _ask_tool(tool, [*_GPU_FIELDS, "compute_cap"]) or _ask_tool(tool, list(_GPU_FIELDS))
    found = []
    for line in lines:
        parts = [part.strip() for part in line.split(",")]
        if len(parts) >= len(_GPU_FIELDS):
            name, total, used, driver, *more = parts
            capability = "".join(more)
            found.append({"name": name, "memory_mib": total, "used_mib": used, "driver": driver,
                          "compute_cap": capability if capability[:1].isdigit() else ""})  # fmt: skip
    return found


def _ask_tool(tool: str, fields: list[str]) -> list[str]:
    ask = [tool, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def training_device() -> Device:
    """Return the first GPU by NVML (nvidia-ml-py) or nvidia-smi, else the processor and its memory.

    Whether torch can use that GPU is known only when the run begins.
    """
    return _by_nvml() or _by_tool() or _processor()


def _by_nvml() -> Device | None:
    try:
        import pynvml
    except ImportError:
        return None
    from training_backend.students.memory_estimate import Device

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    with contextlib.ExitStack() as stack:
        stack.callback(pynvml.nvmlShutdown)
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            major, _ = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            name: Any = pynvml.nvmlDeviceGetName(handle)
        except pynvml.NVMLError:
            return None
        name = name.decode() if isinstance(name, bytes) else str(name)
        return Device("cuda", name, int(memory.total), int(memory.free), major >= 8)


def _by_tool() -> Device | None:
    from training_backend.students.memory_estimate import Device

    for gpu in gpus():
        total, used = int(gpu["memory_mib"]) << 20, int(gpu["used_mib"]) << 20
        return Device("cuda", str(gpu["name"]), total, total - used, _computes_bf16(gpu))
    return None


def _computes_bf16(gpu: Mapping[str, Any]) -> bool:
    """Tell whether a GPU computes bf16: from compute capability 8 on; where that is unknown, by its name."""
    capability = str(gpu["compute_cap"]).partition(".")[0]
    if capability.isdigit():
        return int(capability) >= 8
    return _BEFORE_BF16.search(str(gpu["name"])) is None


def _processor() -> Device:
    import psutil

    from training_backend.students.memory_estimate import Device

    memory = psutil.virtual_memory()
    return Device("cpu", "the processor", int(memory.total), int(memory.available))


def torch_devices() -> dict[str, Any]:
    """Import torch in a process of its own and return what it can compute on; `error` says why not."""
    code = (
        "import json, torch\n"
        "cuda = torch.cuda.is_available()\n"
        "names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []\n"
        "mps = bool(getattr(torch.backends, 'mps', None) and torch.backends.mps.is_available())\n"
        "bf16 = cuda and torch.cuda.is_bf16_supported()\n"
        "print(json.dumps({'cuda': cuda, 'devices': names, 'cuda_version': torch.version.cuda,\n"
        "                  'bf16': bf16, 'mps': mps, 'threads': torch.get_num_threads()}))\n"
    )
    import json

    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return {"error": "torch did not answer within 120 s"}
    except (OSError, ValueError, IndexError):
        last = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        return {"error": _without_home(f"torch cannot be used: {last[0]}")}


def isolation() -> dict[str, Any]:
    """Return how programs are shut in here: level full or basic, and what is missing for full."""
    from training_backend.execution.runner import ProgramRunner

    with ProgramRunner(workers=1) as runner:
        report = runner.isolation()
    return {"level": report.level, "missing": list(report.missing)}


def folders() -> dict[str, Any]:
    """Return where the program keeps its own things, whether it may write there, and the free bytes."""
    found: dict[str, Any] = {}
    for name, where in (("data", user_data_dir), ("resources", resources_dir), ("temporary", _temporary)):
        try:
            folder = where()
            free = shutil.disk_usage(folder).free
            writable = os.access(folder, os.W_OK)
            found[name] = {"path": _without_home(str(folder)), "writable": writable, "free_bytes": free}
        except OSError as error:
            found[name] = {"path": "", "writable": False, "free_bytes": 0, "error": _without_home(str(error))}
    return found


def window_needs() -> dict[str, Any]:
    """Return which system libraries and fonts the window lacks on Linux, and the line that installs them."""
    if not sys.platform.startswith("linux"):
        return {"offscreen": [], "screen": [], "fonts": True, "install": ""}
    offscreen = [package for library, package in OFFSCREEN_LIBRARIES.items() if not _loads(library)]
    screen = [package for library, package in SCREEN_LIBRARIES.items() if not _loads(library)]
    fonts = _has_fonts()
    packages = offscreen + screen + ([] if fonts else [FONTS_PACKAGE])
    return {"offscreen": offscreen, "screen": screen, "fonts": fonts, "install": apt_line(packages)}


def apt_line(packages: list[str]) -> str:
    """Return the line that installs Debian packages, with sudo unless it is root who reads it."""
    if not packages:
        return ""
    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install --yes --no-install-recommends {' '.join(packages)}"


def missing(found: dict[str, Any]) -> list[str]:
    """Return one sentence for each thing that is missing or low, the hint in it."""
    sentences = []
    for name in ("torch", "transformers"):
        if found["program"][name] is None:
            sentences.append(f"{name} is not installed: students cannot be trained or run.")
    if found["program"]["PySide6-Essentials"] is None:
        sentences.append("PySide6-Essentials is not installed: there is no window, the commands work.")
    window = found["window"]
    if window["install"]:
        where = "the window" if window["offscreen"] or not window["fonts"] else "a window on an X11 screen"
        sentences.append(f"System libraries or fonts for {where} are missing: {window['install']}")
    shut_in = found.get("sandbox", {})
    if shut_in.get("level", "full") != "full":
        sentences.append(f"Programs run at isolation level {shut_in['level']}.")
    # a second layer can be missing at level full
    sentences += shut_in.get("missing", [])
    for name, folder in found["folders"].items():
        if folder.get("error"):
            sentences.append(f"The {name} folder cannot be used: {folder['error']}.")
        elif name != "resources" and not folder["writable"]:
            sentences.append(f"The {name} folder {folder['path']} cannot be written.")
        elif name != "resources" and folder["free_bytes"] < _LOW_DISK_BYTES:
            free = folder["free_bytes"] / 1024**3
            sentences.append(f"Only {free:.1f} GiB are free in {folder['path']}.")
    if found.get("torch", {}).get("error"):
        sentences.append(found["torch"]["error"])
    return sentences


def as_text(found: dict[str, Any]) -> str:
    """Return a diagnosis as lines for people, what is missing last."""
    about = found["system"]
    lines = [f"kpdd {found['program']['kpdd-studio'] or '(source tree)'}", ""]
    lines.append(_line("Python", about["python"] + (" (frozen)" if about["frozen"] else "")))
    lines.append(_line("system", about["distribution"] or about["platform"]))
    lines.append(_line("platform", about["platform"]))
    cores, usable = about["cores"], about["cores_usable"]
    lines.append(_line("cores", f"{usable} of {cores} usable" if usable != cores else str(cores)))
    memory, free = about["memory_bytes"] / 1024**3, about["memory_free_bytes"] / 1024**3
    lines.append(_line("memory", f"{memory:.1f} GiB, {free:.1f} GiB free"))
    for gpu in found["gpu"]:
        used = f"{gpu['used_mib']} of {gpu['memory_mib']} MiB used"
        lines.append(_line("GPU", f"{gpu['name']}, {used}, driver {gpu['driver']}"))
    lines += [] if found["gpu"] else [_line("GPU", "none seen")]
    if "torch" in found:
        lines.append(_line("torch sees", ", ".join(f"{k} {v}" for k, v in found["torch"].items())))
    if "sandbox" in found:
        lines.append(_line("sandbox", f"isolation {found['sandbox']['level']}"))
    for name, folder in found["folders"].items():
        access = "" if folder["writable"] or name == "resources" else ", not writable"
        free = folder["free_bytes"] / 1024**3
        lines.append(_line(f"{name} folder", f"{folder['path']} ({free:.1f} GiB free{access})"))
    lines += ["", *(_line(name, has or "not installed") for name, has in found["program"].items()), ""]
    lines += [f"missing: {sentence}" for sentence in found["missing"]] or ["Nothing is missing."]
    return "\n".join(lines)


def _line(name: str, value: str) -> str:
    return f"{name:<20} {value}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


def _without_home(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    shared = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    own = [Path.home() / ".fonts", Path.home() / ".local/share/fonts"]
    return any(any(folder.rglob("*.[ot]tf")) for folder in shared + own if folder.is_dir())
