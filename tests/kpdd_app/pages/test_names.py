"""On the pages Train, Solve and Evaluate everything that takes the keyboard says its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.evaluate import EvaluatePage
from kpdd_app.pages.solve import SolvePage
from kpdd_app.pages.train import TrainPage

SOLVER = Path(__file__).parents[1] / "fake_solver.py"


@pytest.mark.parametrize(("make", "at_least"), [(TrainPage, 25), (SolvePage, 15), (EvaluatePage, 5)])
def test_everything_that_takes_the_keyboard_has_a_name(qtbot, make, at_least):
    jobs, project = Jobs(command=[sys.executable, str(SOLVER)], grace_s=0.5), OpenProject()
    page = make(project, jobs)
    qtbot.addWidget(page)
    checked = 0
    for widget in page.findChildren(QWidget):
        by_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if not by_tab or widget.objectName().startswith("qt_") or widget.focusProxy() is not None:
            continue
        if widget.window() is not page or widget.isHidden():
            # the list that a combo box drops down; a button that offers nothing yet
            continue
        assert widget.accessibleName() or getattr(widget, "text", lambda: "")(), widget
        checked += 1
    assert checked >= at_least
    if hasattr(page, "leave"):
        page.leave()
    jobs.close()
    project.shut_down()
