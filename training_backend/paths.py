"""Where things lie: resources, the user's data, logs. The only place that knows the layout on disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

APP_NAME = "kpdd-studio"


def resources_dir() -> Path:
    """Return the folder of shipped resources, in a source tree, a wheel or a frozen app."""
    frozen = getattr(sys, "_MEIPASS", None)
    here = Path(__file__).resolve().parent
    candidates = [Path(frozen) / "resources"] if frozen else []
    candidates += [here.parent / "resources", here / "resources"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no resources folder beside {here}")


def user_data_dir() -> Path:
    """Return the folder for what the program keeps of its own; KPDD_HOME overrides it. It is created."""
    override = os.environ.get("KPDD_HOME")
    if override:
        folder = Path(override)
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support" / APP_NAME
    elif os.name == "nt":
        folder = Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / APP_NAME
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / APP_NAME
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_dir() -> Path:
    """Return the folder of the rotating logs. It is created."""
    folder = user_data_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def runs_dir(project_file: Path) -> Path:
    """Return the folder that holds the run folders of a project: `NAME.runs` beside `NAME.kpdd`."""
    return project_file.with_suffix(".runs")


def sample_project_file() -> Path:
    """Return where the window keeps the sample project that it makes at its first start."""
    return user_data_dir() / "sample.kpdd"


def demo_students_dir() -> Path:
    """Return the shipped demo students: one run folder with a `key` and a `solve` student."""
    return resources_dir() / "demo_students"
