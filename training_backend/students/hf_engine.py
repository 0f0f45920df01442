"""Writing with transformers: the reference for every network and device, and the only engine that draws.

Samples of one source share its encoder pass and its first step. Rows that have ended leave the batch once
they are a quarter of it: of the tokens computed for the demo's Solve 98 in 100 are then part of a text (78
where rows stay), so refilling their places would gain next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache

from training_backend.students.base_student import generation_config
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.sampling import Chooser
from training_backend.students.text import StudentText

# written together: so many padded source tokens, so many rows (sources times samples), and rows that remember
# about so many bytes
_BATCH_TOKENS = {"cpu": 4096, "cuda": 32768}
_MOST_ROWS = {"cpu": 192, "cuda": 512}
_MEMORY = {"cpu": 2**30, "cuda": 2**34}
# rows that ended leave the batch when they are this share of it
_LEAVE_AT = 0.25


@dataclass(frozen=True)
class Request:
    """One source as ids, ended as its student wants it, and the samples that are written of it."""

    ids: tuple[int, ...]
    samples: tuple[int, ...] = (0,)


# (number of the request, number of the sample, ids without the end mark)
Written = tuple[int, int, list[int]]


class HFEngine:
    """Writes with the network as it is, on its device."""

    name = "transformers"

    def __init__(self, network: Any, text: StudentText) -> None:
        """Use `network` where it lies."""
        self.network = network
        self.text = text

    @property
    def device(self) -> torch.device:
        """Return where the network lies."""
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def write(
        self,
        requests: Sequence[Request],
        settings: DecodingSettings,
        limit: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[Written]:
        """Yield what is written as each row ends, at most `limit` tokens; after `stop` nothing more comes."""
        for group in group_by_length(requests, self.device.type, self._token_bytes()):
            if settings.beams > 1:
                if stop is not None and stop():
                    return
                yield from self._search(requests, group, settings.beams, limit)
            else:
                yield from self._write(requests, group, settings, limit, stop)

    def begin(self, sources: Sequence[Sequence[int]]) -> Rows:
        """Read `sources`; what comes back writes on, one row a source."""
        kind = Seq2SeqRows if self.network.config.is_encoder_decoder else CausalRows
        return kind(self, sources)

    @torch.inference_mode()
    def score(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[torch.Tensor]:
        """Return the log-probability of each target token of (source, target) ids, a pair at a time."""
        found = []
        for source, target in pairs:
            rows = self.begin([source])
            first = rows.first()[:, None]
            ids = torch.tensor([target], device=self.device)
            logits = torch.cat([first, rows.step(ids[:, :-1])], 1) if len(target) > 1 else first
            likely = logits[0].float().log_softmax(-1)
            found.append(likely.gather(-1, ids[0][:, None])[:, 0].cpu())
        return found

    def _token_bytes(self) -> int:
        """Return about how many bytes a row remembers of a token: keys and values of each layer, in fp32."""
        config = self.network.config
        return 2 * 4 * int(config.num_hidden_layers) * int(config.hidden_size)

    def _write(
        self,
        requests: Sequence[Request],
        group: Sequence[int],
        settings: DecodingSettings,
        limit: int,
        stop: Callable[[], bool] | None,
    ) -> Iterator[Written]:
        rows = self.begin([requests[i].ids for i in group])
        logits = rows.first()
        owners = [(place, sample) for place, i in enumerate(group) for sample in requests[i].samples]
        if len(owners) != len(group):
            index = torch.tensor([place for place, _ in owners], device=self.device)
            rows.keep(index)
            logits = logits[index]
        drawn = [(requests[group[place]].ids, sample) for place, sample in owners]
        chooser = Chooser(settings, drawn, limit, self.device)
        written: list[list[int]] = [[] for _ in owners]
        # the row that stands in each place of the batch; -1: it has ended and not left yet
        places = list(range(len(owners)))
        for step in range(limit):
            if stop is not None and stop():
                return
            tokens = chooser.choose(logits, torch.tensor(places, device=self.device), step)
            for place, (row, token) in enumerate(zip(places, tokens.tolist(), strict=True)):
                if row < 0:
                    continue
                if token != self.text.eos_id:
                    written[row].append(token)
                if token == self.text.eos_id or step + 1 == limit:
                    yield group[owners[row][0]], owners[row][1], written[row]
                    places[place] = -1
            staying = [place for place, row in enumerate(places) if row >= 0]
            if not staying:
                return
            if len(places) - len(staying) >= _LEAVE_AT * len(places):
                index = torch.tensor(staying, device=self.device)
                rows.keep(index)
                tokens = tokens[index]
                places = [places[place] for place in staying]
            logits = rows.step(tokens[:, None])[:, -1]

    def _search(
        self, requests: Sequence[Request], group: Sequence[int], beams: int, limit: int
    ) -> Iterator[Written]:
        left = not self.network.config.is_encoder_decoder
        ids, mask = padded([requests[i].ids for i in group], self.text.pad_id, left, self.device)
        config = generation_config(self.network, self.text)
        config.max_new_tokens = limit
        config.num_beams = beams
        out = self.network.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        # before what was written stands the decoder's start, or the source
        begin = ids.shape[1] if left else 1
        for i, row in zip(group, out[:, begin:].tolist(), strict=True):
            end = row.index(self.text.eos_id) if self.text.eos_id in row else len(row)
            for sample in requests[i].samples:
                yield i, sample, row[:end]


class Seq2SeqRows:
    """Rows of an encoder-decoder: the encoder has read the sources, the decoder writes."""

    def __init__(self, engine: HFEngine, sources: Sequence[Sequence[int]]) -> None:
        """Encode `sources`."""
        self._network = engine.network
        ids, self._mask = padded(sources, engine.text.pad_id, False, engine.device)
        self._encoded = self._network.get_encoder()(input_ids=ids, attention_mask=self._mask)
        start = generation_config(self._network, engine.text).decoder_start_token_id
        self._start = torch.full((len(sources), 1), start, device=engine.device)
        config = self._network.config
        self._cache = EncoderDecoderCache(DynamicCache(config=config), DynamicCache(config=config))

    def first(self) -> torch.Tensor:
        """Return the logits (rows, vocabulary) of the first token."""
        return self.step(self._start)[:, -1]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Write `tokens` (rows, steps); return the logits (rows, steps, vocabulary) of what comes next."""
        return self._network(
            encoder_outputs=self._encoded,
            attention_mask=self._mask,
            decoder_input_ids=tokens,
            past_key_values=self._cache,
            use_cache=True,
        ).logits

    def keep(self, index: torch.Tensor) -> None:
        """Keep the rows of `index`; a row that stands there twice becomes two."""
        self._cache.batch_select_indices(index)
        self._mask = self._mask[index]
        # the decoder has taken what it needs of it at the first step; only its rows still count
        self._encoded.last_hidden_state = self._encoded.last_hidden_state[index]


class CausalRows:
    """Rows of a decoder-only network: sources stand to the left, padded on their left."""

    def __init__(self, engine: HFEngine, sources: Sequence[Sequence[int]]) -> None:
        """Prepare `sources`."""
        self._network = engine.network
        self._ids, self._mask = padded(sources, engine.text.pad_id, True, engine.device)
        self._cache = DynamicCache(config=self._network.config)

    def first(self) -> torch.Tensor:
        """Return the logits (rows, vocabulary) of the first token."""
        places = (self._mask.cumsum(-1) - 1).clamp_(min=0)
        return self._forward(self._ids, places, logits_to_keep=1)[:, -1]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Write `tokens` (rows, steps); return the logits (rows, steps, vocabulary) of what comes next."""
        places = self._mask.sum(-1, keepdim=True) + torch.arange(tokens.shape[1], device=tokens.device)
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)], 1)
        return self._forward(tokens, places)

    def keep(self, index: torch.Tensor) -> None:
        """Keep the rows of `index`; a row that stands there twice becomes two."""
        self._cache.batch_select_indices(index)
        self._mask = self._mask[index]

    def _forward(self, ids: torch.Tensor, places: torch.Tensor, **options: Any) -> torch.Tensor:
        return self._network(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=places,
            past_key_values=self._cache,
            use_cache=True,
            **options,
        ).logits


Rows = Seq2SeqRows | CausalRows


def padded(
    rows: Sequence[Sequence[int]], pad: int, left: bool, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (ids, mask), both (rows, longest), with the pads on one side."""
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(ids)
    for n, row in enumerate(rows):
        part = slice(width - len(row), width) if left else slice(0, len(row))
        ids[n, part] = torch.tensor(row)
        mask[n, part] = 1
    return ids.to(device), mask.to(device)


def group_by_length(requests: Sequence[Request], device: str, token_bytes: int = 1) -> Iterator[list[int]]:
    """Yield the numbers of requests of similar length, the longest first, as many as fit the device.

    `token_bytes` is what a row remembers of each token; texts are taken to be as long as their sources.
    """
    most_tokens, most_rows, memory = (
        limits.get(device, limits["cpu"]) for limits in (_BATCH_TOKENS, _MOST_ROWS, _MEMORY)
    )
    group: list[int] = []
    rows = 0
    for i in sorted(range(len(requests)), key=lambda i: -len(requests[i].ids)):
        more = len(requests[i].samples)
        # the first one is the longest: it says how wide the group is
        longest = len(requests[group[0]].ids) if group else 0
        remembered = (rows + more) * 2 * longest * token_bytes
        wide = (len(group) + 1) * longest
        if group and (rows + more > most_rows or wide > most_tokens or remembered > memory):
            yield group
            group, rows = [], 0
        group.append(i)
        rows += more
    if group:
        yield group
