"""Who may import whom: the rules of ARCHITECTURE.md, held by reading every file and by importing it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BACKEND = REPOSITORY / "training_backend"
WINDOW = REPOSITORY / "kpdd_app"

# The files that may import torch or transformers; everything else starts without them.
TORCH_FILES = {
    "students/base_student.py",
    "students/base_tokenizer.py",
    "students/base_weights.py",
    "students/batches.py",
    "students/ct2_engine.py",
    "students/decoding.py",
    "students/gpu_room.py",
    "students/hf_engine.py",
    "students/int8_engine.py",
    "students/lora.py",
    "students/losses.py",
    "students/curves.py",
    "students/optimizer.py",
    "students/packing.py",
    "students/processes.py",
    "students/sampling.py",
    "students/sharding.py",
    "students/student_export.py",
    "students/trainer.py",
    "students/training.py",
    "students/watcher.py",
    "teacher/local_causal.py",
}
HEAVY = {"torch", "transformers", "accelerate", "peft", "ctranslate2"}
RANK = {
    "errors": 0, "paths": 0, "events": 0, "rationale": 1, "execution": 2, "project": 2,
    "methods": 3, "teacher": 4, "students": 4, "evaluation": 5, "diagnosis": 5, "commands": 6, "__main__": 7,
}  # fmt: skip


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(path: Path) -> list[tuple[str, int, bool]]:
    """Return every imported module of a file as (name, line, only for type checking)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            typing_only.update(ast.walk(node))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, node in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            found.append((module, node.lineno, node in typing_only))
            # `from training_backend import methods` imports the room as well
            if module == "training_backend":
                found += [
                    (f"{module}.{alias.name}", node.lineno, node in typing_only) for alias in node.names
                ]
    return found


def test_backend_never_reaches_the_window():
    files = python_files(BACKEND)
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line} imports {name}"
        for path in files
        for name, line, _ in imports_of(path)
        if name.split(".")[0] in {"kpdd_app", "PySide6", "shiboken6"}
    ]
    assert not wrong
    assert len(files) > 30


def test_only_named_files_import_torch():
    files = [*python_files(BACKEND), *python_files(WINDOW)]
    wrong, seen = [], set()
    for path in files:
        short = (
            path.relative_to(BACKEND).as_posix() if path.is_relative_to(BACKEND) else f"kpdd_app/{path.name}"
        )
        for name, line, typing_only in imports_of(path):
            if name.split(".")[0] in HEAVY and not typing_only:
                seen.add(short)
                if short not in TORCH_FILES:
                    wrong.append(f"{short}:{line} imports {name}")
    assert not wrong
    assert {"students/training.py", "students/decoding.py"} <= seen


def test_window_has_no_sql():
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line} imports {name}"
        for path in python_files(WINDOW)
        for name, line, _ in imports_of(path)
        if name.split(".")[0] in {"sqlalchemy", "sqlite3", "sqlite_utils"}
    ]
    assert not wrong


def test_backend_rooms_import_only_to_their_left():
    wrong, arrows = [], 0
    for path in python_files(BACKEND):
        room = path.relative_to(BACKEND).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for name, line, _ in imports_of(path):
            parts = name.split(".")
            if parts[0] != "training_backend" or len(parts) < 2 or parts[1] == room:
                continue
            arrows += 1
            if RANK[parts[1]] >= RANK[room]:
                wrong.append(f"{path.relative_to(REPOSITORY)}:{line} imports {name}")
    assert not wrong
    assert arrows > 50


def test_pages_do_not_know_each_other():
    wrong, pages = [], 0
    for path in python_files(WINDOW / "pages"):
        own = path.stem.split("_")[0]
        pages += path.stem != "__init__"
        for name, line, _ in imports_of(path):
            if name.startswith("kpdd_app.pages.") and name.split(".")[2].split("_")[0] != own:
                wrong.append(f"{path.name}:{line} imports {name}")
    assert not wrong
    assert pages >= 6


def test_package_inits_are_empty():
    inits = [path for path in [*python_files(BACKEND), *python_files(WINDOW)] if path.name == "__init__.py"]
    assert all(not path.read_text(encoding="utf-8").strip() for path in inits)
    assert len(inits) >= 9


def test_architecture_names_every_file():
    tree = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1]
    named = set(re.findall(r"\w+", tree))
    files = {path.stem for path in [*python_files(BACKEND), *python_files(WINDOW)]} - {"__init__"}
    assert not files - named, "the tree of ARCHITECTURE.md lacks these files"
    gone = {word for word in named if "_" in word} - files - {"kpdd_app", "training_backend"}
    assert not gone, "the tree of ARCHITECTURE.md names files that are not there"
    assert len(files) > 150


BLOCKED_IMPORT = """
import importlib, sys
blocked = set(sys.argv[1].split(","))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Refuse())
for name in sys.argv[2:]:
    importlib.import_module(name)
print(len(sys.argv) - 2)
"""


def import_with_blocked(blocked: set[str], modules: list[str]) -> int:
    """Import all modules in a fresh interpreter in which `blocked` cannot be imported; return how many."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED_IMPORT, ",".join(sorted(blocked)), *modules],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


def test_light_backend_imports_without_torch_and_qt():
    light = [
        module_name(path)
        for path in python_files(BACKEND)
        if path.name not in ("__init__.py", "__main__.py")
        and path.relative_to(BACKEND).as_posix() not in TORCH_FILES
        # the sandbox's own child closes doors at import of its main only, but it is run, not imported
        and path.stem not in ("launcher",)
    ]
    assert import_with_blocked({*HEAVY, "PySide6", "kpdd_app", "matplotlib"}, light) > 30


def test_window_imports_without_torch():
    window = [
        module_name(path) for path in python_files(WINDOW) if path.name not in ("__init__.py", "__main__.py")
    ]
    assert import_with_blocked({*HEAVY, "matplotlib"}, window) > 15


def test_training_a_run_folder_needs_neither_qt_nor_the_store():
    needed = [
        f"training_backend.students.{path.stem}"
        for path in python_files(BACKEND / "students")
        if path.stem != "__init__"
    ]
    needed.append("training_backend.commands.train")
    assert (
        import_with_blocked({"PySide6", "kpdd_app", "sqlalchemy", "sqlite_utils", "matplotlib"}, needed) > 8
    )


@pytest.mark.parametrize(
    "command", ["import", "new", "export", "generate", "execute", "train", "solve", "evaluate"]
)
def test_help_starts_without_heavy_libraries(command):
    code = (
        "import sys; from training_backend.__main__ import main; "
        f"status = main([{command!r}, '--help']); "
        "print(sorted({'torch', 'transformers', 'sqlalchemy', 'sympy', 'matplotlib'} & set(sys.modules))); "
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
