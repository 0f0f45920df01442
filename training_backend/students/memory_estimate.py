"""How much memory a training run will need, beside what the device has free; known without torch.

Weights, gradients and the optimizer's state follow from the number of weights. What is kept for the way back
is measured: FlanT5-small, -base and -large keep 28, 79 and 214 MiB for an example of 64 + 96 tokens in bf16,
which is about 28 bytes for each token, layer and unit of width, and 2.5 with gradient checkpointing.
"""

from __future__ import annotations

from dataclasses import dataclass

from training_backend.students.known_bases import Shape
from training_backend.students.run_config import RunConfig

# kept for the way back, bytes for each token, layer and unit of width
_KEPT_BF16, _KEPT_FP32, _KEPT_CHECKPOINTED = 28.0, 48.0, 2.5
# the scores, their logarithms and their gradient in fp32, bytes for each target token and word
_SCORES = 12.0
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
    per_token = _kept(shape, config, device) + _SCORES * shape.vocabulary * (
        1.0 if shape.causal else target / max(1.0, example)
    )
    fixed = weights + 4 * learning + optimizer + _CONTEXT[device.kind]
    longest = config.max_source_tokens + config.max_target_tokens
    return Estimate(
        weights, 4 * learning, optimizer, round(per_token * at_once), _CONTEXT[device.kind], round(at_once),
        fixed + round(per_token * min(longest, 2 * example)),
    )  # fmt: skip


def _kept(shape: Shape, config: RunConfig, device: Device) -> float:
    wide = shape.width * shape.layers
    if config.gradient_checkpointing:
        return _KEPT_CHECKPOINTED * wide
    precision = device.precision if config.precision == "auto" else config.precision
    return (_KEPT_BF16 if precision == "bf16" else _KEPT_FP32) * wide


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
    """Return the weights of the matrices: two of rank × width for each projection of each layer."""
    projections = 7 if config.lora_targets == "all layers" else 4
    return 2 * config.lora_rank * shape.width * projections * shape.layers
