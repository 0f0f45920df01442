"""What a student's folder must hold: its configuration, its weights (all of them) and a tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

from training_backend.errors import CheckpointError
from training_backend.students.text import CAUSAL, SEQ2SEQ

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
TOKENIZER = "tokenizer.json"
# what a fast tokenizer can be made of, where there is none
TOKENIZER_SOURCES: tuple[tuple[str, ...], ...] = (("spiece.model",), ("vocab.json", "merges.txt"))
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


def check_folder(folder: Path) -> None:
    """Raise CheckpointError naming the first file that a student's folder lacks."""
    if not folder.is_dir():
        raise CheckpointError("There is no such student.", "Choose another folder.", str(folder))
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            "The student's folder has no config.json.",
            "Copy it from the base student or train the student again.",
            str(folder / "config.json"),
        )
    if not has_tokenizer(folder):
        raise CheckpointError(
            "The student's folder has no tokenizer.json.",
            "Copy it from the base student (a spiece.model, or vocab.json and merges.txt, will do as well).",
            str(folder / TOKENIZER),
        )
    _check_weights(folder)


def has_tokenizer(folder: Path) -> bool:
    """Tell whether a folder holds a fast tokenizer, or what one can be made of."""
    return (folder / TOKENIZER).is_file() or tokenizer_source(folder) is not None


def tokenizer_source(folder: Path) -> tuple[str, ...] | None:
    """Return the files of a folder of which a fast tokenizer can be made, or None."""
    return next((names for names in TOKENIZER_SOURCES if all((folder / n).is_file() for n in names)), None)


def kind_of_folder(folder: Path) -> str:
    """Return seq2seq or causal as a student's config.json says it, seq2seq where it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = config.get("architectures") or ()
        encoder_decoder = config.get("is_encoder_decoder")
    except (OSError, ValueError, AttributeError):
        return SEQ2SEQ
    if encoder_decoder is None:
        encoder_decoder = not any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in names)
    return SEQ2SEQ if encoder_decoder else CAUSAL


def is_adapter(folder: Path) -> bool:
    """Tell whether a folder holds only what LoRA learned, beside weights that lie elsewhere."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / WEIGHTS).is_file()


def base_of_adapter(folder: Path) -> str:
    """Return where the weights lie that an adapter goes with; CheckpointError where it does not say."""
    file = folder / ADAPTER_CONFIG
    try:
        base = json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"What the student's LoRA weights go with cannot be read ({type(error).__name__}).",
            "Choose another checkpoint of its run.",
            str(file),
        ) from error
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            "The student's LoRA weights do not say which base student they go with.",
            f"Write its folder or hub id as base_model_name_or_path into {ADAPTER_CONFIG}.",
            str(file),
        )
    return base


def _check_weights(folder: Path) -> None:
    if is_adapter(folder):
        if not (folder / ADAPTER).is_file():
            raise CheckpointError(
                f"The student's folder has no {ADAPTER}.",
                "Choose another checkpoint of its run.",
                str(folder / ADAPTER),
            )
        return
    if (folder / WEIGHTS_INDEX).is_file() and not (folder / WEIGHTS).is_file():
        _check_shards(folder)
    elif not (folder / WEIGHTS).is_file():
        pickled = any((folder / name).is_file() for name in _PICKLES)
        raise CheckpointError(
            f"The student's folder has no {WEIGHTS}" + (", only a pickle." if pickled else "."),
            "Pickled weights can run code and are not read: convert them to safetensors."
            if pickled
            else "Train the student again, or choose another checkpoint.",
            str(folder / WEIGHTS),
        )


def _check_shards(folder: Path) -> None:
    file = folder / WEIGHTS_INDEX
    try:
        names = sorted(set(json.loads(file.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"The list of the weights' files cannot be read ({type(error).__name__}).",
            "Copy it from the base student again.",
            str(file),
        ) from error
    missing = [name for name in names if not (folder / str(name)).is_file()]
    if missing:
        raise CheckpointError(
            f"{len(missing)} of {len(names)} files of the weights are missing, the first is {missing[0]}.",
            "Copy or download the student again.",
            str(folder / missing[0]),
        )
