"""Logs that rotate, the text of *Copy diagnostics*, and the report window for faults nobody expected."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler, qVersion
from PySide6.QtGui import QGuiApplication

from training_backend.diagnosis import versions
from training_backend.paths import log_dir

log = logging.getLogger(__name__)

_LAST_LINES = 60


def start_logging() -> Path:
    """Write the window's log into the user's data folder, at most 4 files of 1 MB; return the file."""
    file = log_dir() / "window.log"
    handler = RotatingFileHandler(file, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    qInstallMessageHandler(_from_qt)
    return file


def diagnostics(project: Path | None = None) -> str:
    """Return versions, machine, screen and the last lines of the log, as text to put into a report."""
    lines = ["KPDD Studio diagnostics", *_versions(), *_machine(), *_screens()]
    if project is not None:
        size = project.stat().st_size if project.exists() else 0
        lines.append(f"project: {project.name}, {size:,} bytes")
    return "\n".join([*lines, "", "last lines of the log:", *_last_lines()])


class Reporter(QObject):
    """Catches what nobody caught, in any thread, and shows it once in the window's thread."""

    caught = Signal(str)

    def __init__(self) -> None:
        """Take over the interpreter's hooks; `close` gives them back."""
        super().__init__()
        self._showing = False
        self.project: Path | None = None
        self._old = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._hook
        threading.excepthook = lambda args: self._hook(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )
        self.caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def close(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._old

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QGuiApplication.quit()
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        log.error("not caught:\n%s", text)
        self.caught.emit(text)

    def _show(self, text: str) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            report_window(text, self.project).exec()
        finally:
            self._showing = False


def report_window(text: str, project: Path | None):
    """Return the dialog that shows a traceback with the versions around it, ready to be copied."""
    from kpdd_app.messages import Message

    what = text.strip().splitlines()[-1]
    return Message(
        None,
        "Report of a fault",
        "Something in KPDD Studio went wrong that it did not expect.",
        "What you typed is saved. You can go on; if it happens again, copy this report and send it to the "
        "project's issue list.",
        what,
        f"{text}\n{diagnostics(project)}",
        sign=("warning", "wrong"),
        choices=("Go on",),
    )


def _versions() -> list[str]:
    return [", ".join(f"{name} {found or 'not installed'}" for name, found in versions().items())]


def _machine() -> list[str]:
    return [
        f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores",
        f"Qt {qVersion()} on {QGuiApplication.platformName() or 'no platform'}",
    ]


def _screens() -> list[str]:
    if QGuiApplication.instance() is None:
        return []
    return [
        f"screen {screen.name()}: {screen.size().width()}×{screen.size().height()}, "
        f"scale {screen.devicePixelRatio():g}, {screen.logicalDotsPerInch():.0f} dpi"
        for screen in QGuiApplication.screens()
    ]


def _last_lines() -> list[str]:
    try:
        text = (log_dir() / "window.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["(no log)"]
    home = str(Path.home())
    return [line.replace(home, "~") for line in text.splitlines()[-_LAST_LINES:]]


def _from_qt(kind: QtMsgType, context, text: str) -> None:
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }.get(kind, logging.WARNING)
    logging.getLogger("qt").log(level, text)
