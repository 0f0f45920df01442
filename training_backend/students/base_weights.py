"""Whether the weights of a student fit its configuration: looked at without reading them.

transformers builds the network without memory and reads only the headers of the files, in a fraction of a
second also for a large student. So a wrong weight is named, with both shapes, before anything is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from training_backend.errors import CheckpointError
from training_backend.students.base_files import WEIGHTS, WEIGHTS_INDEX

_HINT = "config.json and model.safetensors must come from the same student."
# what architectures that write text are called; others (encoders, classifiers) are no students
_WRITERS = ("ForConditionalGeneration", "ForCausalLM", "LMHeadModel")


def read_config(folder: Path) -> Any:
    """Return a student's configuration; CheckpointError where it is unreadable or that of no student."""
    file = folder / "config.json"
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        own_code = "trust_remote_code" in str(error) or "auto_map" in _read(file)
        raise CheckpointError(
            "The student needs program code of its own, and such code is not run."
            if own_code
            else f"The student's configuration cannot be read ({short(error)}).",
            "Choose a base student that transformers knows."
            if own_code
            else "Copy config.json from the base student again.",
            str(file),
        ) from error
    names = getattr(config, "architectures", None) or ()
    writes = type(config) in loader(config)._model_mapping
    if not writes or (names and not any(name.endswith(_WRITERS) for name in names)):
        raise CheckpointError(
            f"This is no student that writes text ({names[0] if names else config.model_type}).",
            "Students are encoder-decoders such as T5 and FlanT5, and language models such as Qwen2.5.",
            str(file),
        )
    return config


def loader(config: Any) -> Any:
    """Return the class of transformers that loads networks of a configuration."""
    return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM


def network_without_weights(folder: Path, config: Any) -> Any:
    """Return the network of a student on the device meta; CheckpointError names the weight that does not fit.

    `folder` holds whole weights (no LoRA) and `config` is its configuration.
    """
    for file in sorted(folder.glob("model*.safetensors")):
        tensor_names(file)
    try:
        network, report = loader(config).from_pretrained(
            folder, config=config, device_map="meta", use_safetensors=True, local_files_only=True,
            trust_remote_code=False, output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
    except Exception as error:
        raise CheckpointError(
            f"The weights do not fit the configuration ({short(error)}).", _HINT, _where(folder)
        ) from error
    _require_fit(network, report, _where(folder))
    return network


def tensor_names(file: Path) -> set[str]:
    """Return the names of the weights in a safetensors file; CheckpointError where it is damaged."""
    try:
        with safe_open(file, framework="pt") as weights:
            return set(weights.keys())
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"The weights are damaged or cut off ({short(error)}).",
            "Copy or download the student again, or take another checkpoint of its run.",
            str(file),
        ) from error


def shape_text(shape: Iterable[int]) -> str:
    """Return the shape of a weight for people.

    >>> shape_text((512, 32)), shape_text(())
    ('512 × 32', 'a single number')
    """
    return " × ".join(str(int(size)) for size in shape) or "a single number"


def short(error: Exception) -> str:
    """Return what a library says on one line of bounded length."""
    return " ".join(str(error).split())[:200]


def _require_fit(network: Any, report: dict[str, Any], where: str) -> None:
    """Raise CheckpointError where weights have another shape, are missing, or whole layers are left."""
    wrong = sorted(report.get("mismatched_keys", ()), key=lambda entry: entry[0])
    if wrong:
        name, found, wanted = wrong[0]
        more = f" ({len(wrong) - 1} more do not fit)" if len(wrong) > 1 else ""
        raise CheckpointError(
            f"The weights do not fit the configuration: {name} is {shape_text(found)} in the weights and "
            f"{shape_text(wanted)} by config.json{more}.",
            _HINT,
            where,
        )
    missing = sorted(report.get("missing_keys", ()))
    if missing:
        shape = shape_text(network.state_dict()[missing[0]].shape)
        raise CheckpointError(
            f"The weights lack what the configuration wants: {_tensors(missing, shape)}.", _HINT, where
        )
    # some published weights hold what a newer network no longer has; whole layers too many are another thing
    known = {_numberless(name) for name in network.state_dict()}
    left = sorted(name for name in report.get("unexpected_keys", ()) if _numberless(name) in known)
    if left:
        raise CheckpointError(
            f"The weights have {_tensors(left)} for which the configuration has no layer.", _HINT, where
        )


def _tensors(names: list[str], shape: str = "") -> str:
    """Return how many weights there are and the first of them."""
    count = f"{len(names)} weights, the first is " if len(names) > 1 else "one weight, "
    return f"{count}{names[0]}{f' ({shape})' if shape else ''}"


def _numberless(name: str) -> str:
    return re.sub(r"\.\d+\.", ".#.", name)


def _where(folder: Path) -> str:
    sharded = (folder / WEIGHTS_INDEX).is_file() and not (folder / WEIGHTS).is_file()
    return str(folder / (WEIGHTS_INDEX if sharded else WEIGHTS))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
