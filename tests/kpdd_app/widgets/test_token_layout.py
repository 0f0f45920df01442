"""What was laid out is kept, and laid out anew when it would look different."""

from __future__ import annotations

import pytest

from kpdd_app.widgets.token_layout import Block, Faces, TokenLayout
from training_backend.events import Token

TEXTS = ["total", " =", " 3", "\n", "ans", " =", " total", "\n", "\n", "print", "(ans)"]


def tokens(probability: float = 0.5) -> tuple[list[Token], list[int]]:
    made = [Token("solve", number, text, probability) for number, text in enumerate(TEXTS)]
    return made, [len("".join(TEXTS[: number + 1])) for number in range(len(TEXTS))]


@pytest.fixture
def layout(qapp) -> TokenLayout:
    found = TokenLayout()
    found.dress(Faces.of(True, 0))
    return found


def shown(layout: TokenLayout, made, count: int, width: int = 400):
    layout.show(*made, count, None)
    return layout.lay_out(width)


def test_paragraphs_are_kept_forward_and_back(layout):
    made = tokens()
    shown(layout, made, len(TEXTS))
    whole = list(layout.paragraphs)
    shown(layout, made, 0)
    assert layout.text == "" and layout.height < whole[-1].bottom
    assert shown(layout, made, len(TEXTS)) == 0.0
    assert all(now is before for now, before in zip(layout.paragraphs, whole, strict=True))
    assert shown(layout, made, len(TEXTS)) is None


def test_one_token_more_changes_from_its_paragraph_on(layout):
    made = tokens()
    shown(layout, made, 5)
    changed = shown(layout, made, 6)
    # the paragraph before it too: a caret may have stood at its end
    assert changed == layout.paragraphs[0].top < layout.paragraphs[1].top


def test_the_same_words_with_other_doubts_are_tinted_anew(layout):
    shown(layout, tokens(0.5), len(TEXTS))
    assert layout.paragraphs[0].layout.formats()
    shown(layout, tokens(1.0), len(TEXTS))
    assert not layout.paragraphs[0].layout.formats()


def test_another_width_wraps_anew(layout):
    made = tokens()
    shown(layout, made, len(TEXTS))
    wide = layout.height
    shown(layout, made, len(TEXTS), 40)
    assert layout.height > wide


def test_every_token_is_found_where_it_stands(layout):
    made = tokens()
    shown(layout, made, len(TEXTS))
    for number, text in enumerate(TEXTS):
        for rect in layout.token_rects(number)[:1] if text.strip() else []:
            assert layout.token_at(rect.center().x(), rect.center().y()) == number
    assert layout.token_at(5000, 5) == -1


def test_very_long_texts_keep_only_so_much(layout, monkeypatch):
    monkeypatch.setattr("kpdd_app.widgets.token_layout.KEPT", 20)
    made = tokens()
    for count in [*range(1, len(TEXTS) + 1)] * 4:
        layout.show(*made, count, [Block(0, len("".join(TEXTS[:count])), heading=str(count))])
        layout.lay_out(400)
    assert len(layout._kept) <= 20 + 4
