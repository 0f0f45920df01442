"""Packing: several examples in one row, kept apart by masks, so that hardly a cell is padding.

It is exact for T5, whose attention knows only how far two tokens are apart: within a block that distance is
what it is in a row of its own, and nothing is seen across blocks (the encoder, the decoder and the attention
from one to the other each have a mask). Students with absolute positions cannot be packed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training_backend.errors import ConfigError

if TYPE_CHECKING:
    from training_backend.students.batches import Encoded

# source and target tokens of a row: attention grows with their square, so rows are not longer than this
ROW_TOKENS = 512
# the architectures whose positions are relative, and whose layers take a mask of any two tokens
_RELATIVE = ("t5", "mt5", "umt5")


@dataclass
class PackedBatch:
    """Rows of blocks: token ids (rows, tokens), and for each cell the number of its block, 0 for padding."""

    input_ids: torch.Tensor
    decoder_input_ids: torch.Tensor
    labels: torch.Tensor
    source_blocks: torch.Tensor
    target_blocks: torch.Tensor

    def to(self, device: torch.device) -> dict[str, torch.Tensor]:
        """Return what `packed_logits` reads, on `device`."""
        return {name: value.to(device, non_blocking=True) for name, value in self.__dict__.items()}


def require_packable(network: Any) -> None:
    """Raise ConfigError where the network's positions are not relative."""
    model = str(getattr(network.config, "model_type", ""))
    if model not in _RELATIVE:
        raise ConfigError(
            f"Examples cannot be packed for this student ({model}): its positions are absolute.",
            "Switch packing off; the batch plan groups examples of similar length all the same.",
        )


def pack(indices: Sequence[int], sources: np.ndarray, targets: np.ndarray) -> list[list[int]]:
    """Return rows of indices: each into the first row where source and target still fit, longest first.

    `sources` and `targets` are the lengths of all examples. A row has room for ROW_TOKENS tokens, shared out
    between source and target as the examples are, or for the longest example.
    """
    chosen = np.asarray(indices)
    share = sources[chosen].sum() / (sources[chosen].sum() + targets[chosen].sum())
    room_source = max(int(sources[chosen].max()), round(ROW_TOKENS * share))
    room_target = max(int(targets[chosen].max()), round(ROW_TOKENS * (1 - share)))
    rows: list[list[int]] = []
    left: list[tuple[int, int]] = []
    for i in sorted(chosen.tolist(), key=lambda i: (-(sources[i] + targets[i]), i)):
        source, target = int(sources[i]), int(targets[i])
        for n, (room, other) in enumerate(left):
            if source <= room and target <= other:
                rows[n].append(i)
                left[n] = room - source, other - target
                break
        else:
            rows.append([i])
            left.append((room_source - source, room_target - target))
    return rows


def packed_groups(rows: Sequence[list[int]], sources: np.ndarray, targets: np.ndarray, budget: int):
    """Yield lists of rows of at most `budget` padded tokens together, or one row."""
    group: list[list[int]] = []
    width = [0, 0]
    for row in rows:
        size = int(sources[row].sum()), int(targets[row].sum())
        wider = [max(width[0], size[0]), max(width[1], size[1])]
        if group and (len(group) + 1) * sum(wider) > budget:
            yield group
            group, wider = [], list(size)
        group.append(row)
        width = wider
    if group:
        yield group


def collate_packed(
    rows: Sequence[Sequence[Encoded]], pad_id: int, start_id: int, ignored: int
) -> PackedBatch:
    """Return the rows as tensors; every block's decoder begins with `start_id`."""
    source, target = (
        max(sum(len(getattr(e, side)) for e in row) for row in rows) for side in ("source", "target")
    )
    tables = {
        "input_ids": np.full((len(rows), source), pad_id, dtype=np.int64),
        "decoder_input_ids": np.full((len(rows), target), pad_id, dtype=np.int64),
        "labels": np.full((len(rows), target), ignored, dtype=np.int64),
        "source_blocks": np.zeros((len(rows), source), dtype=np.int64),
        "target_blocks": np.zeros((len(rows), target), dtype=np.int64),
    }
    for n, row in enumerate(rows):
        at = to = 0
        for block, e in enumerate(row, 1):
            here, there = slice(at, at + len(e.source)), slice(to, to + len(e.target))
            tables["input_ids"][n, here] = e.source
            tables["source_blocks"][n, here] = block
            tables["decoder_input_ids"][n, there] = [start_id, *e.target[:-1]]
            tables["labels"][n, there] = e.target
            tables["target_blocks"][n, there] = block
            at, to = here.stop, there.stop
    return PackedBatch(**{name: torch.from_numpy(table) for name, table in tables.items()})


def packed_logits(network: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the scores (rows, target tokens, vocabulary) of packed rows, as if each block were alone."""
    sources, targets = batch["source_blocks"], batch["target_blocks"]
    weights = network.get_input_embeddings().weight.dtype
    within_source = sources[:, :, None] == sources[:, None, :]
    before = torch.ones(targets.shape[1], targets.shape[1], dtype=torch.bool, device=targets.device).tril()
    within_target = (targets[:, :, None] == targets[:, None, :]) & before
    across = targets[:, :, None] == sources[:, None, :]
    encoded = network.get_encoder()(
        input_ids=batch["input_ids"], attention_mask=_additive(within_source, weights)
    )
    return network(
        encoder_outputs=encoded,
        attention_mask=_additive(across, weights),
        decoder_input_ids=batch["decoder_input_ids"],
        decoder_attention_mask=_additive(within_target, weights),
        use_cache=False,
    ).logits


def _additive(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return a mask (rows, 1, from, to): 0 where a token is seen, the least number elsewhere."""
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]
