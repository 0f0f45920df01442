"""The loss of a micro-batch, summed over its target tokens; their scores are never held all at once.

With a vocabulary of 32,128 the scores of one token take 126 KiB, and what autograd keeps of them for the way
back twice that: more than all layers of a small student. Here a few hundred tokens are scored at a time, the
gradients of the hidden states and of the output layer are taken from the scores while these are still in the
caches, and the scores are forgotten (the way of Liger-Kernel, arXiv 2410.10989).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from training_backend.students.batches import IGNORED
from training_backend.students.packing import packed_logits

# how many scores are held at once: on a processor about what its caches take, on a GPU enough to fill it
_SCORES_AT_ONCE = {"cpu": 6 << 20, "cuda": 64 << 20}
# the architectures whose scores are their output layer's, as they come from it: nothing is capped or added
_SCORED_BY_LAYER = ("t5", "mt5", "umt5", "qwen2", "qwen3", "llama", "mistral", "gpt2")


def token_losses(network: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the negative log-likelihood summed over the target tokens of a batch (in fp32).

    Scores are computed of labelled cells only: with a large vocabulary they are what costs most.
    """
    labelled = batch["labels"] != IGNORED
    labels = batch["labels"][labelled]
    layer = network.get_output_embeddings()
    if not _scored_by(network, layer):
        with _before(layer, lambda given: given[labelled][None], labelled):
            logits = _logits(network, batch)
        # some networks have no output layer of their own to ask
        chosen = logits.flatten(0, -2) if logits.shape[:-1].numel() == len(labels) else logits[labelled]
        return torch.nn.functional.cross_entropy(chosen.float(), labels, reduction="sum")
    found: list[torch.Tensor] = []

    def score(given: torch.Tensor) -> torch.Tensor:
        found.append(_SummedLoss.apply(given[labelled], layer.weight, labels, torch.is_grad_enabled()))
        return given[:, :0]

    with _before(layer, score, labelled):
        _logits(network, batch)
    return found[0]


def _scored_by(network: Any, layer: Any) -> bool:
    """Tell whether the scores of a network are its output layer's weights times the hidden states."""
    plain = type(layer) is torch.nn.Linear and layer.bias is None
    return plain and getattr(network.config, "model_type", "") in _SCORED_BY_LAYER


def _logits(network: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    if "source_blocks" in inputs:
        return packed_logits(network, inputs)
    if "decoder_input_ids" in inputs:
        return network(**inputs, use_cache=False).logits
    return network(**inputs, logits_to_keep=batch["labels"].shape[1], use_cache=False).logits


@contextlib.contextmanager
def _before(
    layer: Any, change: Callable[[torch.Tensor], torch.Tensor], cells: torch.Tensor
) -> Iterator[None]:
    """Have the output layer see what `change` makes of its cells (examples, tokens) while this is open."""

    def seen(layer: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        return (change(given[0]), *given[1:]) if given and given[0].shape[:2] == cells.shape else None

    if layer is None:
        yield
        return
    hook = layer.register_forward_pre_hook(seen)
    try:
        yield
    finally:
        hook.remove()


class _SummedLoss(torch.autograd.Function):
    """Cross-entropy of hidden states (tokens, width) under an output layer (vocabulary, width), summed."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, labels: Any, learns: bool) -> torch.Tensor:
        """Return the sum, and with `learns` keep both gradients of it."""
        kind = hidden.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        states, table = hidden.to(dtype), weight.to(dtype)
        by_hidden = torch.empty_like(states) if learns else None
        by_weight = None
        if learns and weight.requires_grad:
            by_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        total = torch.zeros((), device=hidden.device)
        size = max(1, _SCORES_AT_ONCE.get(kind, _SCORES_AT_ONCE["cpu"]) // len(table))
        for at in range(0, len(labels), size):
            here, wanted = slice(at, at + size), labels[at : at + size, None]
            logs = torch.log_softmax(states[here] @ table.t(), -1, dtype=torch.float32)
            total -= logs.gather(1, wanted).sum()
            if by_hidden is None:
                continue
            # the slope of the loss by the scores: their probabilities, less one at the label
            slope = logs.exp_().scatter_add_(1, wanted, -torch.ones_like(wanted, dtype=logs.dtype)).to(dtype)
            torch.mm(slope, table, out=by_hidden[here])
            if by_weight is not None:
                _add_product(by_weight, slope.t(), states[here])
        ctx.gradients = by_hidden, by_weight
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, outer: Any) -> tuple[Any, Any, None, None]:
        """Return both gradients; they are scaled where they lie, so there is one way back."""
        by_hidden, by_weight = ctx.gradients
        ctx.gradients = None
        return by_hidden.mul_(outer), None if by_weight is None else by_weight.mul_(outer), None, None


def _add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add left @ right to `total` (fp32), without a matrix between where all three are fp32."""
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right
