"""Another size of text gives a window that is open the distances of one that is opened at that size."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from kpdd_app import distances, theme
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.settings import Settings

# the style's own, which do not follow the text
STYLE_SPACING = 6


@pytest.fixture(autouse=True)
def _usual_size(qapp):
    theme.apply(qapp, "light", 10)
    yield
    theme.apply(qapp, "light", 10)


def edges(widget: QWidget) -> tuple[int, ...]:
    margins = widget.layout().contentsMargins()
    return margins.left(), margins.top(), margins.right(), margins.bottom()


def pairs(one: QWidget, other: QWidget):
    """Yield the widgets of two trees that stand at the same place."""
    yield one, other
    inner = [
        [child for child in each.children() if isinstance(child, QWidget) and not child.isWindow()]
        for each in (one, other)
    ]
    if len(inner[0]) == len(inner[1]):
        for pair in zip(*inner, strict=True):
            yield from pairs(*pair)


def test_an_open_window_gets_the_distances_of_a_new_one(qtbot, qapp):
    windows = []
    for size in (10, 18):
        theme.apply(qapp, "light", size)
        windows.append(MainWindow(OpenProject(), Jobs(), Settings()))
        qtbot.addWidget(windows[-1])
        # what has no room beside goes below: both windows have the same room
        windows[-1].resize(1280, 800)
        windows[-1].show()
        for key, _ in windows[-1].titles():
            windows[-1].show_page(key)
            qapp.processEvents()
    for key, _ in windows[0].titles():
        windows[0].show_page(key)
        qapp.processEvents()
    looked_at, wrong = 0, []
    for one, other in pairs(windows[0].centralWidget(), windows[1].centralWidget()):
        if one.objectName().startswith("qt_"):
            continue
        looked_at += 1
        # heights of fields come from the style sheet once they are shown
        given, wanted = [one.minimumWidth()], [other.minimumWidth()]
        if one.layout() is not None and other.layout() is not None:
            given += edges(one)
            wanted += edges(other)
            if other.layout().spacing() != STYLE_SPACING:
                given.append(one.layout().spacing())
                wanted.append(other.layout().spacing())
        if any(abs(a - b) > 4 for a, b in zip(given, wanted, strict=True)):
            wrong.append((type(one).__name__, given, wanted))
    for window in windows:
        window.close()
    assert looked_at > 300
    assert not wrong


def test_going_up_and_down_again_ends_where_it_began(qtbot, qapp):
    widget = QWidget()
    qtbot.addWidget(widget)
    column, row, label = QVBoxLayout(widget), QHBoxLayout(), QLabel("one")
    column.setContentsMargins(theme.gap(3), theme.gap(0.8), theme.gap(2), 0)
    column.setSpacing(theme.gap(2))
    row.addWidget(label)
    row.addSpacing(theme.gap(5))
    column.addLayout(row)
    label.setMinimumWidth(theme.gap(37))

    def state() -> tuple:
        return edges(widget), column.spacing(), label.minimumWidth(), row.itemAt(1).sizeHint().width()

    before = state()
    for size in (11, 13, 24, 9, 17, 10):
        theme.apply(qapp, "light", size)
        if size == 24:
            assert state()[2] >= theme.gap(36)
            assert state()[3] >= theme.gap(4.6)
            assert state()[0][3] == 0
    assert state() == before


def test_what_is_set_anew_counts_from_there(qtbot, qapp):
    label = QLabel("one")
    holder = QWidget()
    qtbot.addWidget(holder)
    QVBoxLayout(holder).addWidget(label)
    label.setMinimumWidth(100)
    distances.rescale(qapp, 10, 20)
    assert label.minimumWidth() == 200
    label.setMinimumWidth(50)
    distances.rescale(qapp, 20, 10)
    assert label.minimumWidth() == 25


def test_the_status_line_keeps_its_height_when_a_job_starts(qtbot, qapp, fake_jobs):
    from kpdd_app.widgets.status_line import StatusLine

    holder = QWidget()
    qtbot.addWidget(holder)
    column = QVBoxLayout(holder)
    line = StatusLine(OpenProject(), fake_jobs)
    column.addWidget(line)
    column.addStretch(1)
    holder.resize(900, 300)
    holder.show()
    for size in (10, 20):
        theme.apply(qapp, "light", size)
        qtbot.waitUntil(lambda: line.height() >= theme.row_height())
        before = line.sizeHint().height(), line.minimumHeight()
        job = fake_jobs.start("a job", ["wait"])
        assert line.job_bar.isVisibleTo(holder)
        assert line.sizeHint().height() <= before[1]
        job.kill()
        qtbot.waitUntil(lambda: not fake_jobs.running(), timeout=10_000)
