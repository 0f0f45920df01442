"""The curves of several runs over each other: nothing stands in the way of the students' names."""

from __future__ import annotations

from kpdd_app.widgets.compare_plot import ComparePlot


def test_small_losses_are_written_out_and_leave_the_title_whole(qtbot):
    plot = ComparePlot()
    qtbot.addWidget(plot)
    plot.resize(700, 300)
    plot.show_lines({"Solve": [("a run", [1, 2, 3], [3e-5, 2e-5, 1e-5])]}, percent=False, hint="")
    with qtbot.waitExposed(plot):
        plot.show()
    plot._canvas.draw()
    axes = plot._canvas.figure.axes[0]
    assert axes.get_title(loc="left") == "Solve" and axes.yaxis.get_offset_text().get_text() == ""
    labels = axes.get_yticklabels()
    texts = [label.get_text() for label in labels]
    assert "1e-5" in texts and len(set(texts)) == len(texts) > 2
    assert min(label.get_window_extent().x0 for label in labels) >= 0
