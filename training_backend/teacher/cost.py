"""What a run costs: prices of tokens, and an estimate with a range from what a pilot took.

A price belongs to an address and a model. The table `resources/prices.yaml` is dated; the file `prices.yaml`
in the user's folder comes before it. What stands in neither is unknown and is said to be so, never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import yaml

from training_backend.errors import ConfigError
from training_backend.paths import resources_dir, user_data_dir

if TYPE_CHECKING:
    from training_backend.project.store import Project
    from training_backend.teacher.teacher_config import TeacherConfig

MILLION = 1_000_000
# how often the pilot is drawn again, and which part of the sums the range holds
DRAWS = 2_000
_LOW, _HIGH = 5, 95
# before any reply: characters a token in English and code, (sparse, usual, dense)
CHARACTERS_A_TOKEN = (4.8, 4.0, 3.0)
# before any reply: how long replies are beside those of the worked examples
_REPLY_LENGTHS = (0.7, 1.1, 2.0)
_TAKEN = """coalesce(sum(p.prompt_tokens), 0), coalesce(sum(p.cached_tokens), 0),
            coalesce(sum(p.completion_tokens), 0), coalesce(sum(p.latency_s), 0), count(p.id)"""
# a model's name with the date of its release behind it is the model
_RELEASE = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest)$")


@dataclass(frozen=True)
class Price:
    """Money per million tokens; `cached` is for the part of a prompt that the provider had in its cache."""

    model: str
    prompt: float
    completion: float
    cached: float | None = None
    host: str = ""
    date: str = ""
    source: str = ""
    currency: str = "USD"

    def money(self, prompt_tokens: float, cached_tokens: float, completion_tokens: float) -> float:
        """Return what a reply costs; `cached_tokens` are a part of `prompt_tokens`."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(0.0, prompt_tokens - cached_tokens)
        return (fresh * self.prompt + cached_tokens * cached + completion_tokens * self.completion) / MILLION


@dataclass(frozen=True)
class Range:
    """A figure with its range: nine of ten times between `low` and `high`."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Spent:
    """What one question and path took: tokens of all its replies, and the seconds they took together."""

    prompt_tokens: float
    cached_tokens: float
    completion_tokens: float
    seconds: float
    requests: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """What is still to be asked will take. `money` is None without a price, `seconds` before any reply.

    `chains` questions and paths are left; `seen` of them were answered and tell the rest (0: by the length of
    the texts).
    """

    chains: int
    seen: int
    prompt_tokens: Range
    completion_tokens: Range
    money: Range | None
    seconds: Range | None
    currency: str = "USD"

    def as_data(self) -> dict[str, Any]:
        """Return the estimate as plain data."""
        return asdict(self)


# --- prices -------------------------------------------------------------------------------------------


def prices_file() -> Path:
    """Return where a person's own prices stand; it may not be there."""
    return user_data_dir() / "prices.yaml"


def price_table() -> list[Price]:
    """Return all known prices, a person's own first; ConfigError names a line that is none."""
    files = [prices_file(), resources_dir() / "prices.yaml"]
    return [price for file in files if file.is_file() for price in _read_prices(file)]


def price_of(config: TeacherConfig) -> Price | None:
    """Return the price of a teacher's model at its address, or None when it is not known.

    Models in this process cost no money a token, nor do recordings and the sample teacher.
    """
    model = str(config.get("model") or "")
    if config.kind != "endpoint":
        return Price(model, 0.0, 0.0, 0.0)
    host = _host(str(config.get("base_url") or ""))
    table = price_table()
    for name in dict.fromkeys((model, _RELEASE.sub("", model))):
        for price in table:
            if name and price.model == name and price.host in ("", host):
                return price
    return None


def money_of(config: TeacherConfig) -> Callable[[int, int, int], float] | None:
    """Return tokens asked, of which cached, tokens answered → money; None when no price is known."""
    price = price_of(config)
    return price.money if price is not None else None


def set_price(config: TeacherConfig, prompt: float, completion: float, cached: float | None = None) -> Price:
    """Put a price into the person's own file, in place of one of the same model and address."""
    from datetime import date

    if not all(math.isfinite(value) and value >= 0 for value in (prompt, completion, cached or 0.0)):
        raise ConfigError("A price is a number from 0.", "Give money for a million tokens.")
    host = _host(str(config.get("base_url") or ""))
    price = Price(str(config.get("model") or ""), prompt, completion, cached, host,
                  date.today().isoformat(), "entered by hand")  # fmt: skip
    file = prices_file()
    own = _read_prices(file) if file.is_file() else []
    kept = [price, *(old for old in own if (old.host, old.model) != (price.host, price.model))]
    text = yaml.safe_dump({"prices": [_line(one) for one in kept]}, sort_keys=False, allow_unicode=True)
    written = file.with_suffix(".new")
    written.write_text(_OWN_HEAD + text, encoding="utf-8")
    written.replace(file)
    return price


# --- estimates ----------------------------------------------------------------------------------------


def estimate(
    seen: Sequence[Spent],
    chains: int,
    price: Price | None,
    concurrency: int = 1,
    requests_per_minute: float = 0,
    tokens_per_minute: float = 0,
    seed: int = 0,
) -> Estimate:
    """Return what `chains` more questions and paths will take, from those that were `seen`, by bootstrap.

    Drawn again are the questions (to know how sure the mean is) and the scatter of a sum of `chains` of them.
    The time is that of `concurrency` slots that are always busy, within the limits a minute.
    """
    if not seen:
        raise ValueError("an estimate needs replies")
    table = np.array([[s.prompt_tokens, s.cached_tokens, s.completion_tokens, s.seconds, s.requests]
                      for s in seen], dtype=float)  # fmt: skip
    sums = _drawn_sums(table, chains, np.random.default_rng(seed))
    prompt, cached, completion, seconds, requests = sums.T
    seconds = seconds / max(1, min(concurrency, chains or 1))
    if requests_per_minute:
        seconds = np.maximum(seconds, requests / requests_per_minute * 60)
    if tokens_per_minute:
        seconds = np.maximum(seconds, (prompt + completion) / tokens_per_minute * 60)
    money = None
    if price is not None:
        share = price.prompt if price.cached is None else price.cached
        money = ((prompt - cached) * price.prompt + cached * share + completion * price.completion) / MILLION
    return Estimate(
        chains, len(seen), _range(prompt), _range(completion), None if money is None else _range(money),
        _range(seconds), price.currency if price is not None else "",
    )  # fmt: skip


def estimate_by_length(
    prompt_characters: float, reply_characters: float, chains: int, price: Price | None
) -> Estimate:
    """Return a first estimate from the length of the texts of one question and path; the time is unknown.

    `reply_characters` is how long the replies of the worked examples are.
    """
    prompt = Range(*(chains * prompt_characters / a_token for a_token in CHARACTERS_A_TOKEN))
    lengths = zip(_REPLY_LENGTHS, CHARACTERS_A_TOKEN, strict=True)
    completion = Range(*(chains * reply_characters * longer / a_token for longer, a_token in lengths))
    money = None
    if price is not None:
        money = Range(*(price.money(getattr(prompt, part), 0, getattr(completion, part))
                        for part in ("low", "middle", "high")))  # fmt: skip
    return Estimate(chains, 0, prompt, completion, money, None, price.currency if price is not None else "")


def tokens_about(characters: float) -> int:
    """Return about how many tokens so many characters are: four a token, as English and code usually are."""
    return math.ceil(characters / CHARACTERS_A_TOKEN[1])


def spent_by(project: Project, run_id: int, kinds: Sequence[str] | None = None) -> list[Spent]:
    """Return what each question and path took that a run has asked for exactly these kinds (None: any).

    Replies that were asked for again stand beside no question; what they took is spread over all.
    """
    with project.reading() as connection:
        lines = connection.execute(
            f"""SELECT {_TAKEN}, group_concat(DISTINCT q.kind) FROM request AS q
                LEFT JOIN response AS p ON p.id = q.response_id AND p.run_id = q.run_id
                WHERE q.run_id = ? GROUP BY q.question_id, q.path
                HAVING sum(q.status = 'waiting') = 0 AND count(p.id) > 0""",
            (run_id,),
        ).fetchall()
        paid = connection.execute(
            f"SELECT {_TAKEN} FROM response AS p WHERE p.run_id = ?", (run_id,)
        ).fetchone()
        held = connection.execute(
            f"""SELECT {_TAKEN} FROM response AS p WHERE p.run_id = ? AND p.id IN
                (SELECT response_id FROM request WHERE run_id = ?)""",
            (run_id, run_id),
        ).fetchone()
    factors = [all_ / some if some else 1.0 for all_, some in zip(paid, held, strict=True)]
    wanted = None if kinds is None else set(kinds)
    return [
        Spent(*(value * factor for value, factor in zip(line[:-1], factors, strict=True)))
        for line in lines
        if wanted is None or set(line[-1].split(",")) - {""} == wanted
    ]


# --- helpers ------------------------------------------------------------------------------------------

_OWN_HEAD = "# Prices of your own, in money for a million tokens; they come before the shipped ones.\n"


def _drawn_sums(table: np.ndarray, chains: int, draw: np.random.Generator) -> np.ndarray:
    """Return DRAWS sums of `chains` lines: a mean drawn from the table, and the scatter of so many lines."""
    picks = draw.integers(0, len(table), (DRAWS, len(table)))
    means = table[picks].mean(axis=1)
    spread = table.std(axis=0, ddof=1) if len(table) > 1 else np.zeros(table.shape[1])
    scatter = draw.standard_normal((DRAWS, 1)) * spread * math.sqrt(max(chains, 0))
    return np.maximum(0.0, means * chains + scatter)


def _range(values: np.ndarray) -> Range:
    return Range(*(float(value) for value in np.percentile(values, (_LOW, 50, _HIGH))))


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _line(price: Price) -> dict[str, Any]:
    return {name: value for name, value in asdict(price).items() if value not in ("", None)}


def _read_prices(file: Path) -> Iterable[Price]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        lines = data["prices"] if isinstance(data, Mapping) else []
    except (OSError, yaml.YAMLError, KeyError, UnicodeDecodeError) as error:
        raise ConfigError(f"The table of prices cannot be read ({type(error).__name__}).",
                          "Correct or remove the file.", str(file)) from None  # fmt: skip
    return [_price(line, number, file) for number, line in enumerate(lines or (), 1)]


def _price(line: Any, number: int, file: Path) -> Price:
    try:
        cached = line.get("cached")
        price = Price(
            str(line["model"]), float(line["prompt"]), float(line["completion"]),
            None if cached is None else float(cached), str(line.get("host", "")),
            str(line.get("date", "")), str(line.get("source", "")), str(line.get("currency", "USD")),
        )  # fmt: skip
    except (TypeError, ValueError, KeyError, AttributeError):
        price = None
    if price is None or not all(math.isfinite(v) and v >= 0 for v in (price.prompt, price.completion,
                                                                       price.cached or 0.0)):  # fmt: skip
        raise ConfigError(
            f"Price {number} of the table cannot be read.",
            "A price has model, prompt and completion, in money for a million tokens.",
            str(file),
        )
    return price
