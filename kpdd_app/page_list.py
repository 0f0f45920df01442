"""The six pages in the order of the work, and the page that stands where one could not be built."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from kpdd_app.widgets.empty_state import EmptyState


def _home(*parts: Any) -> QWidget:
    from kpdd_app.pages.home import HomePage

    return HomePage(*parts)


def _teacher(*parts: Any) -> QWidget:
    from kpdd_app.pages.teacher import TeacherPage

    return TeacherPage(*parts)


def _dataset(*parts: Any) -> QWidget:
    from kpdd_app.pages.dataset import DatasetPage

    return DatasetPage(*parts)


def _train(*parts: Any) -> QWidget:
    from kpdd_app.pages.train import TrainPage

    return TrainPage(*parts)


def _solve(*parts: Any) -> QWidget:
    from kpdd_app.pages.solve import SolvePage

    return SolvePage(*parts)


def _evaluate(*parts: Any) -> QWidget:
    from kpdd_app.pages.evaluate import EvaluatePage

    return EvaluatePage(*parts)


# a page is imported when it is first shown, or when the window has nothing else to do
PAGES: tuple[tuple[str, str, Callable[..., QWidget]], ...] = (
    ("home", "Home", _home),
    ("teacher", "Teacher", _teacher),
    ("dataset", "Dataset", _dataset),
    ("train", "Train", _train),
    ("solve", "Solve", _solve),
    ("evaluate", "Evaluate", _evaluate),
)


def broken_page(key: str, error: Exception) -> QWidget:
    """Return a page that says that it could not be built, with the traceback to copy."""
    text = traceback.format_exc()
    what = f"The page {key.title()} could not be opened."
    page = EmptyState("warning", what, f"{type(error).__name__}: {error}", "Copy the report")
    page.acted.connect(lambda: QGuiApplication.clipboard().setText(text))
    return page
