"""Choosing the next token: the likeliest, or one drawn with numbers that belong to (seed, source, sample).

Every sample of every source has a generator of its own, so what it draws does not depend on which other
sources are written beside it, in which order, or how many samples were asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from training_backend.students.decoding_settings import DecodingSettings


class Chooser:
    """Chooses the next tokens of a batch of rows."""

    def __init__(
        self,
        settings: DecodingSettings,
        rows: Sequence[tuple[Sequence[int], int]],
        limit: int,
        device: torch.device,
    ) -> None:
        """Prepare for rows of (source ids, number of the sample) and at most `limit` steps."""
        self.settings = settings
        self._draws: torch.Tensor | None = None
        if settings.draws:
            drawn = [_generator(settings.seed, ids, sample).random(limit) for ids, sample in rows]
            self._draws = torch.from_numpy(np.stack(drawn)).to(device, torch.float32)

    def choose(self, logits: torch.Tensor, rows: torch.Tensor, step: int) -> torch.Tensor:
        """Return one token a row for `logits` (rows, vocabulary); `rows` are their numbers in the batch."""
        if self._draws is None:
            return logits.argmax(-1)
        likely = (logits.float() / self.settings.temperature).softmax(-1)
        if self.settings.top_p < 1:
            likely = _nucleus(likely, self.settings.top_p)
        # what is left may add up to less than one, so the draw is scaled to it
        up_to = likely.cumsum(-1)
        drawn = self._draws[rows, step] * up_to[:, -1]
        return torch.searchsorted(up_to, drawn[:, None], right=True)[:, 0].clamp_(max=logits.shape[-1] - 1)


def _generator(seed: int, ids: Sequence[int], sample: int) -> np.random.Generator:
    digest = hashlib.blake2b(np.asarray(ids, dtype="<i8").tobytes(), digest_size=16)
    digest.update(f"{seed}:{sample}".encode())
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest.digest(), "little")))


def _nucleus(likely: torch.Tensor, top_p: float) -> torch.Tensor:
    """Return probabilities (rows, vocabulary) with those outside the smallest set of mass `top_p` at zero."""
    ordered, places = likely.sort(-1, descending=True)
    # a token stays while those before it have not reached the mass: the first one always stays
    outside = ordered.cumsum(-1) - ordered >= top_p
    return likely.masked_fill(outside.scatter(-1, places, outside), 0.0)
