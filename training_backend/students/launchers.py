"""What `accelerate launch` asks for through the environment, and what a run makes of it.

A run's own settings decide: the same folder gives the same curve under every launcher. So accelerate is kept
from wrapping the network by itself; its wish to shard the weights is granted in our way.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from training_backend.errors import ConfigError
from training_backend.students.run_config import FP16_REASON

_PRECISION, _FSDP = "ACCELERATE_MIXED_PRECISION", "ACCELERATE_USE_FSDP"
_OTHERS = {
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "accelerate's parallelism",
}


def wishes_shards(environment: MutableMapping[str, str]) -> bool:
    """Tell whether a launcher asks for FSDP, and take out of `environment` what accelerate would act on.

    Raises ConfigError where it asks for what a run cannot do: another way to spread the weights, or fp16.
    """
    for name, title in _OTHERS.items():
        if _is_on(environment.get(name, "")):
            raise ConfigError(
                f"Students are not trained by {title}.",
                "Start the run with torchrun or accelerate's MULTI_GPU; --shard spreads large weights.",
            )
    precision = environment.pop(_PRECISION, "no")
    if precision in ("fp16", "fp8"):
        raise ConfigError(
            f"accelerate asks for {precision}, which is refused: {FP16_REASON}.",
            "Set mixed_precision to 'no' there; the run's own precision counts.",
        )
    wished = _is_on(environment.pop(_FSDP, ""))
    for name in [each for each in environment if each.startswith("FSDP_")]:
        del environment[name]
    return wished


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true", "yes", "on")
