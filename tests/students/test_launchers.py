"""What accelerate asks for: granted in our way, or refused in one sentence."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.students.launchers import wishes_shards


def test_fsdp_is_a_wish_for_shards_and_nothing_else_is_left_to_act_on():
    environment = {
        "ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1", "FSDP_SHARDING_STRATEGY": "FULL_SHARD",
        "ACCELERATE_MIXED_PRECISION": "bf16", "WORLD_SIZE": "2",
    }  # fmt: skip
    assert wishes_shards(environment)
    assert environment == {"WORLD_SIZE": "2"}
    assert not wishes_shards(environment) and not wishes_shards({"ACCELERATE_USE_FSDP": "false"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ACCELERATE_USE_DEEPSPEED", "true", "not trained by DeepSpeed"),
        ("ACCELERATE_USE_MEGATRON_LM", "True", "not trained by Megatron-LM"),
        ("ACCELERATE_MIXED_PRECISION", "fp16", "asks for fp16, which is refused: T5 overflows"),
        ("ACCELERATE_MIXED_PRECISION", "fp8", "asks for fp8"),
    ],
)
def test_what_a_run_cannot_do_is_refused(name, value, said):
    with pytest.raises(ConfigError, match=said) as caught:
        wishes_shards({name: value})
    assert caught.value.hint
