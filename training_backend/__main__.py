"""The command line of everything that works without a window: one sub-command a line."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import select
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TextIO

from training_backend.errors import KpddError, StoreError
from training_backend.events import Control, Ended, Failed, Reporter

# command → (module, what it does). A module is imported only when its command is chosen.
COMMANDS: dict[str, tuple[str, str]] = {
    "new": ("new", "make a project file"),
    "import": ("import_", "read a benchmark or other questions into a project"),
    "teacher": ("teacher", "configure, test and list the teachers of a project"),
    "generate": ("generate", "let a teacher write key points and rationales, and judge them"),
    "execute": ("execute", "run programs or equations in the sandbox"),
    "trace": ("trace", "run one program and show it line by line"),
    "train": ("train", "train the students of a method"),
    "solve": ("solve", "solve a question in two stages"),
    "serve-solve": ("serve_solve", "keep students loaded and solve questions from standard input"),
    "text": ("text", "show what a student sees of texts, and what comes back"),
    "evaluate": ("evaluate", "measure students on a benchmark"),
    "check": ("check", "look a project file over for damage"),
    "repair": ("repair", "repair a damaged project file; the damaged one is kept"),
    "export": ("export", "write rows of a project to a file"),
    "export-student": ("export_student", "write trained students as folders that plain transformers loads"),
    "flags": ("flags", "look for what is odd about rows, so that a person can start there"),
    "demo": ("demo", "the whole path on sample questions, in the terminal"),
    "doctor": ("doctor", "say what this machine offers and what is missing"),
    "make-demo-students": ("make_demo_students", "train the shipped demo students again"),
}

_STATUS = "exit status: 0 done, 1 failed or stopped, 2 the arguments are wrong and nothing was begun"

# how a frozen app starts the processes of the sandbox; from source their files are started directly
_INNER = {
    "sandbox-launcher": "training_backend.execution.launcher",
    "sandbox-child": "training_backend.execution.plain_child",
}

# failures of the disk that any command may meet and no command can mend
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENAMETOOLONG}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 (done), 1 (failed or stopped) or 2 (the arguments are wrong).

    A reader that has seen enough (`kpdd … | head`) ends a command that only prints, quietly and with 1.
    """
    try:
        status = _main(list(sys.argv[1:] if argv is None else argv))
        if sys.stdout is not None:
            # what is still held back would find the closed pipe when the interpreter ends
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        return 1


def _reader_is_gone() -> bool:
    """Tell whether nobody reads what is printed any more; what is still written then goes nowhere."""
    gone = [number for stream, number in ((sys.stdout, 1), (sys.stderr, 2)) if _is_closed(stream, number)]
    for number in gone:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    return bool(gone)


def _is_closed(stream: TextIO | None, number: int) -> bool:
    """Tell whether the reading end of a standard stream is closed; `number` is its file descriptor."""
    try:
        if stream is not None:
            stream.flush()
    except (BrokenPipeError, ValueError):
        return True
    if not hasattr(select, "poll"):
        return False
    # an unbuffered stream has nothing left that a flush could fail with
    looked = select.poll()
    looked.register(number, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in looked.poll(0))


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if arguments[0] == "--version":
        print(_version())
        return 0
    name, *rest = arguments
    if name in _INNER:
        return importlib.import_module(_INNER[name]).main(rest)
    if name not in COMMANDS:
        print(f"kpdd: there is no command '{name}'. `kpdd --help` lists them.", file=sys.stderr)
        return 2
    module = importlib.import_module(f"training_backend.commands.{COMMANDS[name][0]}")
    parser = argparse.ArgumentParser(prog=f"kpdd {name}", description=module.__doc__, epilog=_STATUS,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    module.add_arguments(parser)
    common = parser.add_argument_group("output")
    common.add_argument("--json", action="store_true", help="print the result as one JSON object")
    common.add_argument("--events", action="store_true", help="print every event as a JSON line")
    common.add_argument("--quiet", action="store_true", help="no progress on standard error")
    common.add_argument("--stop-at-eof", action="store_true",
                        help="with --events: the end of standard input means stop")  # fmt: skip
    try:
        args = parser.parse_args(rest)
    except SystemExit as stop:
        return int(stop.code or 0)
    return _run(name, module, args)


def _run(name: str, module, args: argparse.Namespace) -> int:
    """Run a chosen command and turn how it ended into events and an exit status."""
    reporter = Reporter(events=args.events, json_result=args.json, quiet=args.quiet)
    reads_stdin = getattr(module, "READS_STDIN", False)
    if args.stop_at_eof:
        _end_with_parent()
    control = Control(read_stdin=args.events and not reads_stdin, stop_at_eof=args.stop_at_eof)
    _stop_on_signals(control)
    try:
        status = module.run(args, reporter, control)
    except KpddError as error:
        reporter.emit(Failed(message=error.message, hint=error.hint, where=error.where))
        _say(f"kpdd {name}: {error}", args)
        status = error.exit_status
    except KeyboardInterrupt:
        _say("stopped", args)
        status = 1
    except Exception as error:
        told = _of_the_disk(error)
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            pass
        elif told is not None:
            reporter.emit(Failed(message=told.message, hint=told.hint, where=told.where))
            _say(f"kpdd {name}: {told}", args)
        else:
            _tell_fault(error, reporter, args)
        status = 1
    ended = "stopped" if control.stop_requested else "failed" if status else "done"
    reporter.emit(Ended(status=ended, elapsed_s=round(reporter.elapsed_s, 3)))
    reporter.detach()
    return status


def _of_the_disk(error: Exception) -> StoreError | None:
    """Return what a person can do about a full or locked disk, or None when it is no such failure."""
    if not isinstance(error, OSError) or error.errno not in _DISK:
        return None
    return StoreError(
        f"{error.strerror}.", "Check the disk and its permissions, then try again.", str(error.filename or "")
    )


def _tell_fault(error: Exception, reporter: Reporter, args: argparse.Namespace) -> None:
    """Report a fault of ours: the window shows the report, a terminal the traceback."""
    reporter.emit(Failed(message=f"{type(error).__name__}: {error}", traceback=traceback.format_exc()))
    if not args.events:
        traceback.print_exc()


def _end_with_parent() -> None:
    """On Linux have the system ask this process to stop when the one that started it is gone."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, int(signal.SIGTERM), 0, 0, 0)


def _say(text: str, args: argparse.Namespace) -> None:
    if not args.events:
        print(text, file=sys.stderr)


def _stop_on_signals(control: Control) -> None:
    """First Ctrl+C or SIGTERM asks politely; the second one interrupts."""

    def ask(number: int, frame) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"kpdd {version('kpdd-studio')}"
    except PackageNotFoundError:
        return "kpdd (source tree)"


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, (_, what) in COMMANDS.items()]
    return "\n".join(
        ["usage: kpdd [COMMAND …]", "", "Without a command the window opens.", "", "commands:", *lines, "",
         "`kpdd COMMAND --help` explains one.", _STATUS]
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
