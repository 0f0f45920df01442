"""The flags of a row as chips and sentences, whatever the sentences hold."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from kpdd_app.widgets.flag_list import FlagList
from kpdd_app.widgets.row_fields import Pill


def test_flags_replace_each_other_and_go(qtbot):
    flags = FlagList()
    qtbot.addWidget(flags)
    flags.take([("gold_disputed", "2 answers agree on 8."), ("duplicate_path", "The same as path 1.")])
    assert not flags.isHidden()
    chips = [chip.accessibleName() for chip in flags.findChildren(Pill) if not chip.isHidden()]
    assert chips == ["gold disputed", "duplicate path"]
    assert "2 answers agree on 8." in flags.findChildren(Pill)[0].toolTip()
    flags.take([])
    assert flags.isHidden()


def test_a_sentence_without_spaces_still_fits_a_narrow_panel(qtbot):
    flags = FlagList()
    qtbot.addWidget(flags)
    flags.take([("near_benchmark", "x" * 3000 + "<b>no bold</b>")])
    flags.resize(240, 400)
    sentence = next(label for label in flags.findChildren(QLabel) if not isinstance(label, Pill))
    assert "<b>" in sentence.text()
    assert flags.minimumSizeHint().width() <= 240
