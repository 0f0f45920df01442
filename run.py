#!/usr/bin/env python3
"""Set up and start KPDD Studio; standard library only.

    python3 run.py                 install what is missing and open the window (no screen: the terminal demo)
    python3 run.py test [KIND]     lint, types and tests; KIND is slow, gpu, benchmark or all
    python3 run.py COMMAND …       any command of kpdd, for example: python3 run.py demo --quick

Everything goes to `.venv` beside this file. Running it twice, after an interruption, or from another
folder is fine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "kpdd-installed.json"
INSTALL_LOG = VENV / "install.log"

TEST_KINDS = {
    "plain": "not slow and not gpu and not benchmark",
    "slow": "slow",
    "gpu": "gpu",
    "benchmark": "benchmark",
    "all": "not gpu",
}


class SetupError(Exception):
    """A step that cannot go on; the text says what happened and what to do."""


def main(arguments: list[str]) -> int:
    """Set up what the arguments need and run it; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036  (the one file that an older Python may reach)
        found = ".".join(map(str, sys.version_info[:3]))
        print(
            f"KPDD Studio needs Python 3.11 or newer; this is {found} ({sys.executable}).\n"
            "Start it with a newer one, for example: python3.12 run.py",
            file=sys.stderr,
        )
        return 1
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    testing = arguments[:1] == ["test"]
    try:
        with _one_at_a_time():
            install(["window", "dev"] if testing else ["window"])
            screen = has_screen()
            install_system_libraries(with_screen=screen and not testing)
        if testing:
            return run_tests(arguments[1:])
        return start(arguments, screen)
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again; it goes on from here.", file=sys.stderr)
        return 130


# --- the virtual environment ---------------------------------------------------------------------


def venv_python() -> Path:
    """Return the interpreter of `.venv`."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(extras: list[str]) -> dict[str, object]:
    """Return what an installation depends on; another value means installing again."""
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return {"project": project, "python": sys.version.split()[0], "root": str(ROOT), "extras": sorted(extras)}


def installed() -> dict[str, object]:
    """Return the stamp that the last complete installation left, or an empty one."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and venv_python().exists() else {}


def install(extras: list[str]) -> None:
    """Make `.venv` and install the project with these extras, unless that is done already."""
    stamp = installed()
    wanted = fingerprint(extras)
    had = stamp.get("extras")
    had = [str(extra) for extra in had] if isinstance(had, list) else []
    same = all(stamp.get(key) == wanted[key] for key in ("project", "python", "root"))
    if same and set(extras) <= set(had):
        return
    # another interpreter or another folder: the scripts inside point to the wrong place
    moved = bool(stamp) and (stamp.get("root") != wanted["root"] or stamp.get("python") != wanted["python"])
    if moved or not _venv_works():
        make_venv()
    STAMP.unlink(missing_ok=True)
    extras = sorted(set(extras) | (set(had) if same else set()))
    print(
        f"Installing into {VENV}. The first time this takes some minutes; torch is the large part.",
        flush=True,
    )
    _pip("install", "--upgrade", "pip>=24")
    _pip("install", "--editable", f"{ROOT}[{','.join(extras)}]")
    STAMP.write_text(json.dumps(fingerprint(extras)), encoding="utf-8")


def _venv_works() -> bool:
    if not venv_python().exists():
        return False
    probe = subprocess.run([venv_python(), "-c", "import pip"], capture_output=True, check=False)
    return probe.returncode == 0


def make_venv() -> None:
    """Make `.venv` anew; on Debian and Ubuntu install python3-venv first where it is missing."""
    print(f"Making {VENV} with Python {sys.version.split()[0]}.", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "ensurepip" in done.stdout + done.stderr and shutil.which("apt-get"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        apt_install([f"python{version}-venv"], "Python's venv module")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(
            f"The virtual environment {VENV} could not be made:\n"
            f"{(done.stdout + done.stderr).strip()}\nIs the disk full, or the folder read-only?"
        )


def _pip(*arguments: str) -> None:
    """Run pip, its output in the log and one line of it on the screen; SetupError with the end of the log."""
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", *arguments]
    tail: list[str] = []
    with INSTALL_LOG.open("a", encoding="utf-8") as log:
        pip = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=ROOT,
        )
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                log.write(line)
                tail = [*tail[-14:], line.rstrip()]
                _show_step(line)
            status = pip.wait()
        except BaseException:
            pip.terminate()
            pip.wait()
            raise
    _show_step("")
    if status != 0:
        report = "\n".join(tail)
        raise SetupError(
            f"pip could not install what is needed:\n{report}\n\nThe whole log is {INSTALL_LOG}. "
            "Check the network and the free disk space, then run the same command again."
        )


def _show_step(line: str) -> None:
    """Show pip's current step in place on a terminal; nothing elsewhere."""
    if not sys.stdout.isatty():
        return
    words = line.split()
    shown = " ".join(words[:3])[:70] if words[:1] in (["Collecting"], ["Downloading"], ["Installing"]) else ""
    if shown or not line:
        print(f"\r\x1b[K{shown}", end="", flush=True)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let a second start wait while the first one installs."""
    if os.name == "nt":
        yield
        return
    import fcntl

    lock_file = ROOT / ".venv.lock"
    try:
        lock = lock_file.open("w")
    except OSError as problem:
        raise SetupError(
            f"{ROOT} cannot be written ({problem.strerror}); KPDD Studio installs into it. "
            "Copy the folder to a place of your own and start it there."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is installing; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- system libraries ----------------------------------------------------------------------------


def missing_packages(with_screen: bool) -> list[str]:
    """Return the Debian packages whose libraries cannot be loaded here, and fonts where there are none."""
    # needs nothing but the standard library, as this file
    from training_backend import diagnosis

    needs = diagnosis.window_needs()
    fonts = [] if needs["fonts"] else [diagnosis.FONTS_PACKAGE]
    return [*needs["offscreen"], *(needs["screen"] if with_screen else []), *fonts]


def install_system_libraries(with_screen: bool) -> None:
    """On Linux install the libraries that Qt needs, or say exactly which; elsewhere do nothing."""
    if not sys.platform.startswith("linux"):
        return
    stamp = installed()
    level = "screen" if with_screen else "offscreen"
    if stamp.get("libraries") in (level, "screen"):
        return
    missing = missing_packages(with_screen)
    if missing:
        apt_install(missing, "libraries that the window needs")
        left = missing_packages(with_screen)
        if left:
            print(f"Still not found after installing: {' '.join(left)}. Going on without.", file=sys.stderr)
            return
    STAMP.write_text(json.dumps({**stamp, "libraries": level}), encoding="utf-8")


def apt_install(packages: list[str], what: str) -> None:
    """Install Debian packages as root or through sudo; SetupError with the exact line where neither works."""
    line = f"apt-get install -y {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise SetupError(
            f"Missing on this system: {what}. By their Debian names: {' '.join(packages)}.\n"
            "Install them with your package manager and start again."
        )
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and (not shutil.which("sudo") or not _may_sudo()):
        raise SetupError(
            f"Missing on this system: {what}. Run this once, then start again:\n\n    sudo {line}\n"
        )
    print(f"Installing {what}: {' '.join(packages)}", flush=True)
    # sudo drops the environment, so the one setting that matters is given behind it
    run = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    install_line = [*run, "install", "-y", "--no-install-recommends", *packages]
    with (VENV.parent / ".venv-apt.log").open("a") as log:
        done = subprocess.run(install_line, stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            subprocess.run([*run, "update"], stdout=log, stderr=log, check=False)
            done = subprocess.run(install_line, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise SetupError(
            f"{what} could not be installed (see {log.name}). Run this once, then start again:\n\n"
            f"    sudo apt-get update && sudo {line}\n"
        )


def _may_sudo() -> bool:
    """Tell whether sudo works without a password, or may ask for one on this terminal."""
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return True
    return sys.stdin is not None and sys.stdin.isatty()


# --- starting ------------------------------------------------------------------------------------


def has_screen() -> bool:
    """Tell whether a window can be shown: a Wayland socket or an X server that answers; elsewhere yes."""
    if not sys.platform.startswith("linux"):
        return True
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc"):
        return True
    if os.environ.get("WAYLAND_DISPLAY"):
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if (Path(runtime) / os.environ["WAYLAND_DISPLAY"]).exists():
            return True
    return _x_server_answers(os.environ.get("DISPLAY", ""))


def _x_server_answers(display: str) -> bool:
    host, _, number = display.rpartition(":")
    number = number.split(".")[0]
    if not number.isdigit():
        return False
    try:
        if host in ("", "unix"):
            # the abstract socket first: a container may have no /tmp/.X11-unix
            for address in (f"\0/tmp/.X11-unix/X{number}", f"/tmp/.X11-unix/X{number}"):
                with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as unix:
                    unix.connect(address)
                    return True
            return False
        socket.create_connection((host, 6000 + int(number)), timeout=2).close()
        return True
    except OSError:
        return False


def start(arguments: list[str], screen: bool) -> int:
    """Replace this process by the program: the window, a command, or without a screen the demo."""
    if not arguments and not screen:
        print("There is no screen here, so the same job runs in the terminal: kpdd demo", flush=True)
        arguments = ["demo"]
    command = [str(venv_python()), "-m", "kpdd_app", *arguments]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    # the program finds itself from any working directory through the editable installation
    if os.name == "nt":
        return subprocess.run(command, env=environment, check=False).returncode
    os.execve(command[0], command, environment)


def run_tests(arguments: list[str]) -> int:
    """Run lint, types and the tests of one kind; return 0 only when all of them pass."""
    kind = "plain"
    if arguments and arguments[0] in TEST_KINDS:
        kind, *arguments = arguments
    python = str(venv_python())
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONUTF8": "1"}
    # two test processes share the cores; torch's own threads would only fight
    environment.setdefault("OMP_NUM_THREADS", "1")
    steps: list[tuple[str, list[str]]] = []
    if kind == "plain" and not arguments:
        steps += [
            ("lint", [python, "-m", "ruff", "check", "."]),
            ("format", [python, "-m", "ruff", "format", "--check", "."]),
            ("types", [python, "-m", "mypy"]),
        ]
    # benchmarks measure: they run alone
    parallel = (
        [] if kind in ("benchmark", "gpu") else ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile"]
    )
    printing = ["-s"] if kind == "benchmark" else []
    steps.append(
        ("tests", [python, "-m", "pytest", "-m", TEST_KINDS[kind], *parallel, *printing, *arguments])
    )
    failed = []
    for name, command in steps:
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
