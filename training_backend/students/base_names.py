"""Which base student a name means, and having it here before a run starts; without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import CheckpointError, ConfigError
from training_backend.paths import demo_students_dir
from training_backend.students.base_files import base_of_adapter, check_folder, is_adapter
from training_backend.students.hub_download import fetch_base, find_base, is_hub_id
from training_backend.students.run_config import shown
from training_backend.students.run_folder import base_run, student_of_run

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter

# d_model, d_kv, d_ff, layers, heads of google/flan-t5-*
GEOMETRIES: dict[str, dict[str, int]] = {
    "flan-t5-small": {"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6},
    "flan-t5-base": {"d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12},
    "flan-t5-large": {"d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24, "num_heads": 16},
}


def resolve_base(base: str, role: str = "") -> tuple[str, Path | None]:
    """Return (form, folder) of a base student: tiny, random:GEOMETRY, folder or hub, and the folder to read.

    The folder is that of the tokenizer for `tiny` and `random`, and None for a hub id that is not here. With
    `demo` or a run folder the student `role` goes on from the run's own student of that role.
    Raises ConfigError when the name fits nothing, or the run has no such student.
    """
    try:
        run = base_run(base)
        here = bool(base) and Path(base).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        # a name that no file can have, or the home of somebody who is not there
        run, here = None, False
    if run is not None:
        return "folder", student_of_run(run, role)
    if base == "tiny" or base.startswith("tiny:"):
        folder = Path(base[5:]) if base[5:] else demo_tokenizer_dir()
        return "tiny", _with_tokenizer(folder)
    if base.startswith("random:"):
        _, _, rest = base.partition(":")
        geometry, _, tokenizer = rest.partition(":")
        if geometry not in GEOMETRIES or not tokenizer:
            raise ConfigError(
                f"'{shown(base)}' names no random student.",
                f"Write random:GEOMETRY:TOKENIZER_FOLDER with a geometry of {', '.join(GEOMETRIES)}.",
            )
        return f"random:{geometry}", _with_tokenizer(Path(tokenizer))
    if here:
        return "folder", Path(base).expanduser()
    if is_hub_id(base):
        return "hub", find_base(base)
    raise ConfigError(
        f"There is no base student '{shown(base)}'.",
        "Name a folder with config.json, model.safetensors and tokenizer.json, or a hub id such as "
        "google/flan-t5-small (with @REVISION where it is not main).",
    )


def ensure_base(
    base: str, role: str = "", reporter: Reporter | None = None, control: Control | None = None
) -> Path | None:
    """Have a base student here and complete before a run starts; a hub id is downloaded.

    Returns its folder, or None for one that is made from nothing. Raises ConfigError or CheckpointError.
    """
    form, folder = resolve_base(base, role)
    if form == "hub":
        folder = folder or fetch_base(base, reporter, control)
    elif form != "folder":
        return None
    assert folder is not None
    check_folder(folder)
    adapter_chain(folder, reporter, control)
    return folder


def adapter_base(base: str, role: str = "") -> str:
    """Return what LoRA weights name as their base: a hub id with its commit, or an absolute folder."""
    form, folder = resolve_base(base, role)
    if folder is None:
        return base
    # a snapshot's folder is called by its commit; `main` may mean other weights tomorrow
    return f"{base.partition('@')[0]}@{folder.name}" if form == "hub" else str(folder.resolve())


def demo_tokenizer_dir() -> Path:
    """Return the folder with the closed vocabulary of the demo students."""
    root = demo_students_dir()
    for folder in (root / "tokenizer", root / "students" / "solve", root / "students" / "key"):
        if (folder / "tokenizer.json").is_file():
            return folder
    raise ConfigError(
        "The demo's vocabulary is not installed.",
        "Name a tokenizer folder: --base tiny:TOKENIZER_FOLDER.",
        str(root),
    )


def adapter_chain(
    folder: Path, reporter: Reporter | None = None, control: Control | None = None
) -> list[Path]:
    """Return a student's folder and, below LoRA weights, what those stand on, down to whole weights."""
    chain = [folder]
    while is_adapter(chain[-1]):
        below = _base_below(chain[-1], reporter, control)
        if below.resolve() in [each.resolve() for each in chain]:
            raise CheckpointError(
                "These LoRA weights name themselves as their base student.", "Train them again.", str(folder)
            )
        chain.append(below)
    return chain


def _base_below(folder: Path, reporter: Reporter | None, control: Control | None) -> Path:
    """Return the folder that LoRA weights stand on; CheckpointError where it is not to be had."""
    base = base_of_adapter(folder)
    try:
        form, found = resolve_base(base)
        if form == "hub":
            found = found or fetch_base(base, reporter, control)
        elif form != "folder":
            raise ConfigError(f"'{base}' has no weights of its own.")
        assert found is not None
        check_folder(found)
    except (CheckpointError, ConfigError) as error:
        raise CheckpointError(
            f"The base student of these LoRA weights cannot be used: {error.message}",
            f"They were trained beside {base}; put it there again.",
            str(folder),
        ) from error
    return found


def _with_tokenizer(folder: Path) -> Path:
    try:
        found = (folder / "tokenizer.json").is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise ConfigError(
            "The tokenizer folder has no tokenizer.json.", "Name a folder that has one.", shown(folder)
        )
    return folder
