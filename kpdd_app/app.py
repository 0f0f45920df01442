"""The program: builds everything once, opens the right project, and ends in order."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtWidgets import QApplication

from kpdd_app import theme
from kpdd_app.diagnostics import Reporter, start_logging
from kpdd_app.flag_watch import FlagWatch
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.protection import Protection
from kpdd_app.settings import Settings
from training_backend.paths import sample_project_file

NAME = "KPDD Studio"
PROTECTION_MS = 3000
# by then the pages are built, one by one while nothing else is to be done
SETTLED_MS = 6000
# so long a thread beside the window's may keep it waiting for the interpreter
SWITCH_S = 0.001


def run_window(arguments: Sequence[str]) -> int:
    """Open the window: the given project, else the last one, else the sample; return the exit status."""
    start_logging()
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setApplicationName("kpdd-studio")
    app.setApplicationDisplayName(NAME)
    app.setDesktopFileName("kpdd-studio")
    if QLocale().language() == QLocale.Language.C:
        # a bare environment: figures still want their thousands apart
        QLocale.setDefault(QLocale(QLocale.Language.English))
    settings = Settings()
    theme.apply(app, settings.scheme, settings.point_size)
    app.setWindowIcon(theme.app_icon())
    sys.setswitchinterval(SWITCH_S)
    reporter = Reporter()
    project = OpenProject()
    project.opened.connect(lambda path: setattr(reporter, "project", path))
    jobs = Jobs()
    window = MainWindow(project, jobs, settings)
    FlagWatch(project, jobs, window)
    wanted = [word for word in arguments if word != "window"]
    protection = Protection(window, settings)
    protection.follow(jobs)
    project.protection_told.connect(protection.tell_later)
    # long after the first paint: nobody waits for it
    window.painted.connect(lambda: QTimer.singleShot(PROTECTION_MS, protection, protection.begin))
    # what stays as long as the window is not looked through again and again, some 50 ms each time
    window.painted.connect(lambda: QTimer.singleShot(SETTLED_MS, gc.freeze))
    window.painted.connect(lambda: begin(window, settings, Path(wanted[0]) if wanted else None))
    app.styleHints().colorSchemeChanged.connect(lambda _: theme.apply(app, settings.scheme))
    _end_on_signals(app, window)
    window.show()
    status = app.exec()
    reporter.close()
    return status


def begin(window: MainWindow, settings: Settings, wanted: Path | None) -> None:
    """Open the first project now that the window stands, and build the other pages while it is idle."""
    recent = settings.recent()
    if wanted is not None:
        window.open_project(wanted)
    elif recent:
        window.open_project(recent[0])
    elif sample_project_file().exists():
        window.open_project(sample_project_file())
    else:
        window.page("home").open_sample()  # type: ignore[attr-defined]
    QTimer.singleShot(400, window, window.build_next_page)


def _end_on_signals(app: QApplication, window: MainWindow) -> None:
    """Close in order on Ctrl+C in the terminal and on SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QTimer.singleShot(0, window, window.close))
    # the interpreter looks at signals only when it runs: let it, now and then
    timer = QTimer(app)
    timer.timeout.connect(lambda: None)
    timer.start(500)
