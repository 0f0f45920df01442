"""LoRA (arXiv 2106.09685) by peft: small matrices learn beside weights that stay as they are.

peft is imported where it is used: a student without LoRA starts without it.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import CheckpointError
from training_backend.students.base_files import ADAPTER
from training_backend.students.base_weights import shape_text, short, tensor_names
from training_backend.students.run_config import RunConfig

if TYPE_CHECKING:
    from peft import PeftModel

# the projections of attention as T5, BART, Qwen, Llama and GPT call them
_ATTENTION = {"q", "k", "v", "o", "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "c_attn", "c_proj"}

# how torch tells of a wrong shape
_SHAPES = re.compile(r"size mismatch for (\S+): copying a param with shape torch\.Size\((\[[\d, ]*\])\) from "
                     r"checkpoint, the shape in current model is torch\.Size\((\[[\d, ]*\])\)")  # fmt: skip


def add_lora(network: Any, config: RunConfig, base: str) -> PeftModel:
    """Return the network with LoRA matrices, which alone learn.

    `base` is where the weights lie (a folder, or a hub id with its commit) and is kept in every checkpoint.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    targets: str | list[str] = "all-linear"
    if config.lora_targets == "attention":
        names = {name.rpartition(".")[2] for name, _ in network.named_modules()}
        targets = sorted(_ATTENTION & names) or "all-linear"
    causal = not getattr(network.config, "is_encoder_decoder", False)
    network.enable_input_require_grads()
    with _quiet():
        made = get_peft_model(
            network,
            LoraConfig(
                task_type=TaskType.CAUSAL_LM if causal else TaskType.SEQ_2_SEQ_LM,
                r=config.lora_rank,
                lora_alpha=config.lora_alpha,
                lora_dropout=config.lora_dropout,
                target_modules=targets,
            ),
        )
    made.peft_config["default"].base_model_name_or_path = base
    return made


def with_adapter(network: Any, folder: Path, trainable: bool) -> Any:
    """Return a base network with the LoRA weights of `folder`: merged, or beside it to learn on."""
    from peft import PeftModel, get_peft_model_state_dict

    stored = tensor_names(folder / ADAPTER)
    try:
        if trainable:
            network.enable_input_require_grads()
        with _quiet():
            adapted = PeftModel.from_pretrained(network, str(folder), is_trainable=trainable)
    except Exception as error:
        raise _unfit(_why(error), folder) from error
    # peft begins a matrix that is missing anew, and says so in a warning only
    wanted = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    if missing := sorted(wanted - stored):
        raise _unfit(f"{len(missing)} of {len(wanted)} are missing, the first is {missing[0]}", folder)
    if left := sorted(stored - wanted):
        raise _unfit(f"{len(left)} have no layer there, the first is {left[0]}", folder)
    return adapted if trainable else merged(adapted)


def _why(error: Exception) -> str:
    """Return what peft says, for a wrong shape in our words."""
    found = _SHAPES.findall(str(error))
    if not found:
        return short(error)
    name, stored, wanted = found[0]
    more = f" ({len(found) - 1} more do not fit)" if len(found) > 1 else ""
    sizes = (shape_text(map(int, re.findall(r"\d+", shape))) for shape in (stored, wanted))
    return f"{name} is {next(sizes)} in {ADAPTER}, its layer wants {next(sizes)}{more}"


def _unfit(why: str, folder: Path) -> CheckpointError:
    return CheckpointError(
        f"The LoRA weights do not fit their base student: {why}.",
        "The base student must be the one that they were trained on.",
        str(folder / ADAPTER),
    )


def is_lora(network: Any) -> bool:
    """Tell whether a network has LoRA matrices beside its weights."""
    return hasattr(network, "get_base_model")


def merged(network: Any) -> Any:
    """Return a plain network: with its LoRA weights added in, in place; one without stays as it is."""
    return network.merge_and_unload() if is_lora(network) else network


def save_adapter(folder: Path, network: PeftModel) -> None:
    """Write adapter_model.safetensors and adapter_config.json."""
    # "auto" would ask the hub whether the base student's vocabulary is still as it was
    network.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    # an empty form of a model card
    (folder / "README.md").unlink(missing_ok=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what peft asks by an older name, does not find, or has no memory for (in a look)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*copying from a non-meta parameter.*", UserWarning)
        warnings.filterwarnings("ignore", "Found missing adapter keys", UserWarning)
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield
