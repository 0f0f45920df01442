"""Drawing: the right shares, the same draws whatever stands beside a row, and settings that make no sense."""

from __future__ import annotations

import pytest
import torch

from training_backend.errors import ConfigError
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.sampling import Chooser

CPU = torch.device("cpu")


def draw(settings, logits, rows=4000):
    """Return the shares with which `settings` draw from `logits`, one row a sample."""
    chooser = Chooser(settings, [((5, 6), n) for n in range(rows)], 1, CPU)
    tokens = chooser.choose(logits.expand(rows, -1), torch.arange(rows), 0)
    return torch.bincount(tokens, minlength=logits.numel()) / rows


def test_shares_are_those_of_the_probabilities():
    likely = torch.tensor([0.5, 0.3, 0.15, 0.05])
    assert torch.allclose(draw(DecodingSettings(temperature=1.0), likely.log()), likely, atol=0.03)
    sharper = likely**2 / (likely**2).sum()
    assert torch.allclose(draw(DecodingSettings(temperature=0.5), likely.log()), sharper, atol=0.03)


def test_top_p_keeps_the_smallest_set():
    shares = draw(DecodingSettings(temperature=1.0, top_p=0.7), torch.tensor([0.05, 0.3, 0.5, 0.15]).log())
    assert shares[0] == shares[3] == 0
    assert float(shares[2]) == pytest.approx(0.5 / 0.8, abs=0.03)
    # the likeliest always stays
    assert draw(DecodingSettings(temperature=1.0, top_p=1e-6), torch.tensor([0.4, 0.6]).log())[1] == 1


def test_a_draw_belongs_to_seed_source_and_sample():
    settings = DecodingSettings(temperature=1.0, seed=3)
    rows = [((1, 2), 0), ((1, 2), 1), ((7,), 0), ((1, 2, 3), 0)]
    logits = torch.zeros(4, 1000)
    among = Chooser(settings, rows, 3, CPU).choose(logits, torch.arange(4), 2).tolist()
    back = Chooser(settings, rows[::-1], 3, CPU).choose(logits, torch.arange(4), 2).tolist()[::-1]
    alone = [
        int(Chooser(settings, [row], 9, CPU).choose(logits[:1], torch.zeros(1).long(), 2)) for row in rows
    ]
    assert among == back == alone
    assert len(set(among)) == 4
    other = Chooser(DecodingSettings(temperature=1.0, seed=4), rows, 3, CPU)
    assert other.choose(logits, torch.arange(4), 2).tolist() != among


def test_temperature_nothing_takes_the_likeliest():
    logits = torch.tensor([[0.0, 2.0, 1.0]])
    assert Chooser(DecodingSettings(), [((1,), 0)], 1, CPU).choose(logits, torch.tensor([0]), 0).tolist() == [
        1
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"temperature": -1}, "Temperature"), ({"top_p": 0}, "top-p"), ({"temperature": 1, "beams": 4}, "Beam"),
     ({"beams": 0}, "beam"), ({"max_new_tokens": -1}, "tokens"), ({"engine": "steam"}, "no engine"),
     ({"engine": "ctranslate2", "temperature": 1.0}, "could not be repeated")],
)  # fmt: skip
def test_settings_that_make_no_sense(wrong, says):
    with pytest.raises(ConfigError, match=says):
        DecodingSettings(**wrong)
