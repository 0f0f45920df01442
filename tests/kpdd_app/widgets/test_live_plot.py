"""The growing curves: other colours while a run goes on, marks at the ends of the axes."""

from __future__ import annotations

import pytest

from kpdd_app import theme
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS, LivePlot


@pytest.fixture
def plot(qtbot):
    """A drawn plot of one student that has ended with everything right."""
    plot = LivePlot()
    qtbot.addWidget(plot)
    plot.resize(600, 320)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.set_panels({"solve": "Solve"})
    for step in range(1, 11):
        plot.add("solve", LOSS, step, 1 / step, 10)
    plot.add("solve", HELD_OUT, 10, 0.2)
    plot.add("solve", ACCURACY, 10, 1.0)
    qtbot.waitUntil(lambda: plot._background is not None, timeout=20_000)
    return plot


def test_the_colours_follow_the_theme_while_accuracy_is_shown(plot, qtbot, qapp):
    before = plot._figure.get_facecolor()
    theme.apply(qapp, "light" if theme.current().dark else "dark")
    try:
        assert plot._figure.get_facecolor() != before
        qtbot.waitUntil(lambda: plot._background is not None, timeout=20_000)
        left, right = plot._axes["solve"]
        assert left.yaxis.get_offset_text().get_text() == ""
        assert [label.get_text() for label in right.get_yticklabels()] == ["0 %", "50 %", "100 %"]
    finally:
        theme.apply(qapp, "light")


def test_the_first_step_is_seen_before_there_is_a_line(plot, qtbot):
    plot.set_panels({"key": "Key"})
    plot.add("key", LOSS, 1, 10.0, 6)
    qtbot.waitUntil(lambda: plot._background is not None, timeout=20_000)
    assert plot._lines["key", LOSS].get_marker() == "o"
    plot.add("key", LOSS, 2, 9.0, 6)
    qtbot.waitUntil(lambda: len(plot._lines["key", LOSS].get_xdata()) == 2, timeout=20_000)
    assert plot._lines["key", LOSS].get_marker() == ""


def test_the_beginning_of_a_long_run_is_no_line_at_the_edge(plot, qtbot):
    plot.set_panels({"key": "Key"})
    plot.add("key", LOSS, 8, 10.0, 4000)
    qtbot.waitUntil(lambda: plot._background is not None, timeout=20_000)
    left, _ = plot._axes["key"]
    assert 10 <= left.get_xlim()[1] < 32
    plot.add("key", LOSS, 3000, 1.0, 4000)
    qtbot.waitUntil(lambda: left.get_xlim()[1] >= 4000, timeout=20_000)


def test_a_plot_that_was_let_go_may_be_drawn_once_more(plot, capsys):
    old = plot._canvas
    plot.set_panels({"key": "Key"})
    # what Qt had put off until the next turn of its loop
    old.draw()
    assert plot._canvas is None and plot._background is None and capsys.readouterr().err == ""


def test_marks_at_the_ends_of_the_axes_are_seen_whole(plot):
    left, right = plot._axes["solve"]
    room = 4 / 2
    for axes, x, y in ((right, 10, 1.0), (left, 10, 0.0)):
        across, up = axes.transData.transform((x, y))
        assert across + room <= axes.bbox.x1 and axes.bbox.y0 + room <= up <= axes.bbox.y1 - room


def test_plots_are_written_in_the_face_of_the_window(plot):
    from matplotlib import rcParams
    from matplotlib.font_manager import get_font_names

    face = theme.text_font().family()
    assert rcParams["font.family"][0] == (face if face in get_font_names() else rcParams["font.family"][0])
    left, _ = plot._axes["solve"]
    assert left.get_xaxis().get_label().get_fontfamily() == rcParams["font.family"]
