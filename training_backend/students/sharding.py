"""Sharding (FSDP): every process keeps a part of the weights, gradients and moments of a large student.

The layers are gathered while they are computed and given back after. What needs whole weights (checkpoints,
looks at held-out questions) uses a plain copy in the first process's memory.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from training_backend.errors import ConfigError
from training_backend.students import processes
from training_backend.students.run_config import RunConfig

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Shards:
    """A network spread over the processes, and its plain copy."""

    def __init__(self, network: Any, device: torch.device) -> None:
        """Spread `network` in place, one group of weights for each layer; the processes must be connected."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self.network = network
        self._plain = copy.deepcopy(network).cpu() if processes.first() else None
        mesh = init_device_mesh(device.type, (processes.world(),))
        layers = set(network._no_split_modules or ())
        for module in list(network.modules()):
            if type(module).__name__ in layers:
                fully_shard(module, mesh=mesh)
        fully_shard(network, mesh=mesh)
        # transformers' word for: do not spread this network once more (the class is one that torch just made)
        type(network).is_distributed_loading_by_transformers = True

    def plain(self) -> Any:
        """Return the whole network as it stands: in the first process's memory, None in the others."""
        state = get_model_state_dict(self.network, options=_WHOLE)
        if self._plain is not None:
            self._plain.load_state_dict(state)
        return self._plain

    def save_optimizer(self, optimizer: torch.optim.Optimizer, file: Path) -> None:
        """Write the moments of all processes, as one file that any number of processes reads."""
        state = get_optimizer_state_dict(self.network, optimizer, options=_WHOLE)
        if processes.first():
            torch.save(state, file)

    def load_optimizer(self, optimizer: torch.optim.Optimizer, file: Path) -> None:
        """Read what `save_optimizer` wrote."""
        state = torch.load(file, map_location="cpu", weights_only=True)
        set_optimizer_state_dict(
            self.network, optimizer, state, options=StateDictOptions(full_state_dict=True)
        )


def require_shardable(config: RunConfig) -> None:
    """Raise ConfigError where a run's settings do not go with sharding."""
    reasons = {
        "there is only one process; start it by torchrun": processes.world() == 1,
        "LoRA keeps nothing large beside the weights": config.tuning == "lora",
        "packed rows go through the encoder alone": config.packing,
        f"the optimizer {config.optimizer} needs whole weights; choose adamw": config.optimizer != "adamw",
    }
    wrong = [why for why, so in reasons.items() if so]
    if wrong:
        raise ConfigError(f"This run cannot be sharded: {'; '.join(wrong)}.", "Train it without --shard.")
