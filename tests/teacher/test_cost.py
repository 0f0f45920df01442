"""Prices and estimates: whose price it is, what is not known, ranges that hold what comes."""

from __future__ import annotations

import numpy as np
import pytest

from training_backend.errors import ConfigError
from training_backend.teacher.cost import (
    Price,
    Spent,
    estimate,
    estimate_by_length,
    price_of,
    price_table,
    prices_file,
    set_price,
    tokens_about,
)
from training_backend.teacher.teacher_config import TeacherConfig


def endpoint(model: str, host: str = "api.openai.com") -> TeacherConfig:
    return TeacherConfig("T", "endpoint", {"base_url": f"https://{host}/v1", "model": model})


def test_cached_tokens_cost_less_and_are_counted_once():
    price = Price("m", prompt=2.0, completion=8.0, cached=0.5)
    assert price.money(1_000_000, 0, 0) == pytest.approx(2.0)
    assert price.money(1_000_000, 400_000, 250_000) == pytest.approx(1.2 + 0.2 + 2.0)
    assert Price("m", 2.0, 8.0).money(1_000_000, 400_000, 0) == pytest.approx(2.0)


def test_every_shipped_price_says_its_date_and_where_it_is_from():
    table = price_table()
    assert len(table) > 10
    for price in table:
        assert price.host
        assert price.date.startswith("20")
        assert "check before you rely on it" in price.source


def test_a_price_belongs_to_an_address_and_a_model():
    known = price_of(endpoint("gpt-4o-mini"))
    assert known is not None
    assert price_of(endpoint("gpt-4o-mini-2024-07-18")) == known
    assert price_of(endpoint("gpt-4o-mini", "elsewhere.example")) is None
    assert price_of(endpoint("gpt-4o-minimal")) is None
    assert price_of(endpoint("")) is None
    free = price_of(TeacherConfig("L", "local", {"model": "folder"}))
    assert free is not None
    assert free.money(1000, 0, 1000) == 0


def test_a_price_of_ones_own_comes_first_and_is_replaced_by_a_newer_one():
    config = endpoint("gpt-4o-mini")
    set_price(endpoint("other"), 1.0, 1.0)
    set_price(config, 5.0, 6.0)
    set_price(config, 7.0, 8.0, 0.7)
    price = price_of(config)
    assert price is not None
    assert (price.prompt, price.completion, price.cached) == (7.0, 8.0, 0.7)
    assert prices_file().read_text(encoding="utf-8").count("gpt-4o-mini") == 1
    assert price_of(endpoint("other")) is not None
    with pytest.raises(ConfigError):
        set_price(config, -1.0, 0.0)


@pytest.mark.parametrize(
    "text",
    ["prices: [{model: m}]", "prices: [7]", "prices: {", "prices: [{model: m, prompt: -1, completion: 2}]"],
)
def test_a_table_that_cannot_be_read_names_its_file(text):
    prices_file().write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        price_of(endpoint("gpt-4o-mini"))
    assert caught.value.where == str(prices_file())


def test_the_range_of_a_pilot_holds_the_truth_nine_times_of_ten():
    draw = np.random.default_rng(7)
    price = Price("m", 1.0, 4.0)
    inside = 0
    for trial in range(200):
        lengths = draw.gamma(4.0, 50.0, 520)
        pilot = [Spent(1000, 0, length, 2.0) for length in lengths[:20]]
        guess = estimate(pilot, 500, price, seed=trial).completion_tokens
        inside += guess.low <= lengths[20:].sum() <= guess.high
    assert 160 <= inside <= 198


def test_money_and_time_follow_from_tokens_slots_and_limits():
    pilot = [Spent(1000, 500, 100, 4.0, 2.0)] * 5
    guess = estimate(pilot, 100, Price("m", 2.0, 10.0, 1.0), concurrency=10)
    assert guess.money is not None
    assert guess.seconds is not None
    assert guess.money.middle == pytest.approx(100 * (500 * 2 + 500 * 1 + 100 * 10) / 1e6)
    assert guess.seconds.middle == pytest.approx(40.0)
    slow = estimate(pilot, 100, None, concurrency=10, requests_per_minute=60)
    assert slow.seconds is not None
    assert slow.seconds.middle == pytest.approx(200.0)
    assert slow.money is None
    by_tokens = estimate(pilot, 100, None, concurrency=10, tokens_per_minute=11_000)
    assert by_tokens.seconds is not None
    assert by_tokens.seconds.middle == pytest.approx(600.0)


def test_before_any_reply_the_length_of_texts_tells_and_the_time_is_unknown():
    guess = estimate_by_length(4000, 400, 10, Price("m", 1.0, 1.0))
    assert guess.seen == 0
    assert guess.seconds is None
    assert guess.prompt_tokens.low < guess.prompt_tokens.middle == 10_000 < guess.prompt_tokens.high
    assert guess.money is not None
    assert guess.money.low < guess.money.middle < guess.money.high
    assert estimate_by_length(4000, 400, 10, None).money is None
    assert tokens_about(9) == 3
