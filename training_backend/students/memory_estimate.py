"""How much memory a training run will need, beside what the device has free; known without torch.

Weights, gradients and the optimizer's state follow from the number of weights. What is kept for the way back
was counted (saved tensors, transformers 5.23) of tiny and FlanT5-small with a dropout of 0.1, in bytes for
each token, layer and unit of width, and for attention for each token, layer, head and token looked at. For a
GPU the count has what its kernels keep: masks of one byte for dropout, no probabilities of attention.
"""

from __future__ import annotations

from dataclasses import dataclass

from training_backend.students.known_bases import Shape
from training_backend.students.run_config import RunConfig

# kept for the way back: (bytes a unit of width, more of them with LoRA, bytes a token looked at)
_KEPT = {
    ("cpu", "fp32"): (63.0, 22.0, 9.3),
    ("cpu", "bf16"): (44.0, 14.0, 9.3),
    ("cuda", "fp32"): (54.0, 10.0, 2.9),
    ("cuda", "bf16"): (37.0, 1.0, 1.6),
}
# with gradient checkpointing only what goes from layer to layer is kept, and one layer's own while it is
# computed again; a token passes the layers of its side, so that one is twice its share
_KEPT_CHECKPOINTED, _COMPUTED_AGAIN = 3.3, 2
# units of width a head has; half the tokens of a packed row, which its tokens look at
_HEAD, _ROW_HALF = 64, 256
# scores held at once (`losses.py`), and bytes of each: itself, its logarithm, its slope
_SCORES_AT_ONCE, _SCORES = {"cpu": 6 << 20, "cuda": 64 << 20}, 12.0
# what torch, transformers and (on a GPU) its context take before the first weight
_CONTEXT = {"cpu": 500 << 20, "cuda": 1200 << 20}
# bytes a weight beside the weight and its gradient, both fp32: two moments, or two vectors
_OPTIMIZER = {"adamw": 8.0, "adamw-rms": 8.0, "adafactor": 0.2}
# the trainer's own limits of a micro-batch where the settings name none
_AT_ONCE = {"cpu": 4096, "cuda": 65_536}
_AT_ONCE_LARGE_VOCABULARY = 1536


@dataclass(frozen=True)
class Device:
    """Where a run computes: kind is cpu or cuda; memory in bytes; `bf16` where it computes that natively."""

    kind: str
    name: str
    total: int
    free: int
    bf16: bool = False

    @property
    def precision(self) -> str:
        """Return what the probe will choose: bf16 where it is native, else fp32."""
        return "bf16" if self.bf16 else "fp32"


@dataclass(frozen=True)
class Estimate:
    """Bytes by what needs them; `tokens` are computed at once, `least` is the need with one example."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    context: int
    tokens: int
    least: int

    @property
    def total(self) -> int:
        """Return the sum."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.context


def estimate(
    shape: Shape, config: RunConfig, device: Device, source: float = 64, target: float = 96
) -> Estimate:
    """Return what a run needs on a device, for examples of `source` and `target` tokens on the average."""
    learning = _lora_weights(shape, config) if config.tuning == "lora" else shape.parameters
    weights = 4 * shape.parameters + (4 * learning if config.tuning == "lora" else 0)
    optimizer = round(_OPTIMIZER[config.optimizer] * learning)
    example = source + target
    at_once = min(_at_once(shape, config, device), _step_tokens(config, source, target))
    fixed = weights + 4 * learning + optimizer + _CONTEXT[device.kind]
    longest = min(config.max_source_tokens + config.max_target_tokens, 2 * example)
    looked_at = max(example / 2, _ROW_HALF) if config.packing else example / 2
    activations = _beside(shape, config, device, at_once) + at_once * _kept(shape, config, device, looked_at)
    least = _beside(shape, config, device, longest) + longest * _kept(shape, config, device, longest / 2)
    return Estimate(
        weights, 4 * learning, optimizer, round(activations), _CONTEXT[device.kind], round(at_once),
        round(fixed + least),
    )  # fmt: skip


def _kept(shape: Shape, config: RunConfig, device: Device, looked_at: float) -> float:
    """Return the bytes that are kept of a token that looks at so many tokens, in all layers."""
    wide, more, a_look = _KEPT[device.kind, _precision(config, device)]
    wide += more if config.tuning == "lora" else 0.0
    layer = wide * shape.width + a_look * looked_at * shape.width / _HEAD
    if config.gradient_checkpointing:
        return _KEPT_CHECKPOINTED * shape.width * shape.layers + _COMPUTED_AGAIN * layer
    return layer * shape.layers


def _beside(shape: Shape, config: RunConfig, device: Device, tokens: float) -> float:
    """Return what does not grow with the tokens: scores, autocast's bf16 weights, gradients on their way."""
    scores = _SCORES * min(_SCORES_AT_ONCE[device.kind], tokens * shape.vocabulary)
    copies = 2.0 * shape.parameters if _precision(config, device) == "bf16" else 0.0
    # of the embedding and of the output layer, before they are added to what is there
    under_way = 8.0 * shape.vocabulary * shape.width if config.tuning == "full" else 0.0
    return scores + copies + under_way


def _precision(config: RunConfig, device: Device) -> str:
    return device.precision if config.precision == "auto" else config.precision


def _at_once(shape: Shape, config: RunConfig, device: Device) -> float:
    if config.micro_tokens:
        return config.micro_tokens
    large = device.kind == "cpu" and shape.vocabulary > 8192
    return _AT_ONCE_LARGE_VOCABULARY if large else _AT_ONCE[device.kind]


def _step_tokens(config: RunConfig, source: float, target: float) -> float:
    """Return the tokens of one optimizer step: no more than these are ever computed at once."""
    if config.batch_unit == "examples":
        return config.batch * (source + target)
    return config.batch * (source + target) / max(1.0, target)


def _lora_weights(shape: Shape, config: RunConfig) -> int:
    """Return the weights of the matrices, two for each projection, in pairs of rank × width a layer."""
    # a decoder's layer has eight of attention, an encoder's four; feed-forward counts by its own width
    attention, all_layers = (4.0, 12.5) if shape.causal else (6.0, 11.5)
    pairs = all_layers if config.lora_targets == "all layers" else attention
    return round(2 * config.lora_rank * shape.width * pairs * shape.layers)
