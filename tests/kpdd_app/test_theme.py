"""Colours can be read, every state has its look, drawings are sharp, heights follow the text."""

from __future__ import annotations

import pytest
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from kpdd_app import theme
from training_backend.paths import resources_dir
from training_backend.rationale.judgement import STATES


@pytest.fixture(autouse=True)
def _as_before(qapp):
    yield
    theme.apply(qapp, "light", 10)


def luminance(value: str) -> float:
    parts = [int(value[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read(scheme):
    pairs = 0
    for name in ("text", "muted", "accent", "equal", "wrong", "unjudged", "changed"):
        for ground in ("surface", "window"):
            pairs += 1
            assert contrast(getattr(scheme, name), getattr(scheme, ground)) >= 4.5, (name, ground)
    for name in ("equal", "wrong", "unjudged", "changed"):
        pairs += 1
        assert contrast(getattr(scheme, name), getattr(scheme, f"{name}_tint")) >= 4.5, name
    assert contrast(scheme.on_accent, scheme.accent) >= 4.5
    assert pairs == 18


def test_every_state_has_a_sign_and_a_word():
    words = {theme.look(state).word for state in STATES}
    assert len(words) == len(STATES)
    for state in (*STATES, "accepted", "rejected", "unreviewed", "changed"):
        look = theme.look(state)
        assert state in theme.LOOKS
        assert (resources_dir() / "icons" / f"{look.sign}.svg").is_file()


def test_every_drawing_is_valid(qapp):
    files = sorted((resources_dir() / "icons").glob("*.svg"))
    wrong = [file.name for file in files if not QSvgRenderer(str(file)).isValid()]
    assert not wrong
    assert len(files) > 50


def test_drawings_are_sharp_at_scale_2(qapp):
    picture = theme.pixmap("check", "equal", 16, 2.0)
    assert picture.width() == 32
    assert picture.devicePixelRatio() == 2.0


def test_scheme_and_size_change_everything(qapp: QApplication, qtbot):
    heights = []
    for size in (9, 10, 14, 24):
        with qtbot.waitSignal(theme.notifier().changed):
            theme.apply(qapp, "dark", size)
        heights.append((theme.row_height(), theme.gap(4), theme.icon_size()))
    assert heights == sorted(heights) and heights[0] < heights[-1]
    assert theme.current() is theme.DARK
    assert qapp.palette().window().color().name() == theme.DARK.window
    theme.apply(qapp, "light", 40)
    assert theme.point_size() == theme.LARGEST_PT
    assert theme.current() is theme.LIGHT


def test_glyph_files_have_the_colour(qapp):
    theme.apply(qapp, "dark")
    text = open(theme.glyph_file("check", "equal"), encoding="utf-8").read()  # noqa: SIM115, PTH123
    assert theme.DARK.equal in text
    assert "currentColor" not in text
