"""Base students that are known by name, and the shape of any other that is on this disk; without torch."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TINY = "tiny"


@dataclass(frozen=True)
class Shape:
    """What memory and time depend on: weights, width, all layers, vocabulary; `causal` has no encoder."""

    parameters: int
    width: int
    layers: int
    vocabulary: int
    causal: bool = False


@dataclass(frozen=True)
class KnownBase:
    """One base student of the hub: its id, what a person calls it, its shape."""

    hub_id: str
    title: str
    shape: Shape


def _t5(millions: float, width: int, layers: int, vocabulary: int = 32_128) -> Shape:
    return Shape(round(millions * 1e6), width, layers, vocabulary)


# the sizes are those of the published checkpoints
KNOWN = (
    KnownBase("google/flan-t5-small", "FlanT5-small", _t5(77, 512, 16)),
    KnownBase("google/flan-t5-base", "FlanT5-base", _t5(248, 768, 24)),
    KnownBase("google/flan-t5-large", "FlanT5-large", _t5(783, 1024, 48)),
    KnownBase("google/flan-t5-xl", "FlanT5-XL", _t5(2850, 2048, 48)),
    KnownBase("google/t5-v1_1-small", "T5 v1.1 small", _t5(77, 512, 16)),
    KnownBase("google/t5-v1_1-base", "T5 v1.1 base", _t5(248, 768, 24)),
    KnownBase("Salesforce/codet5p-220m", "CodeT5+ 220M", _t5(223, 768, 24, 32_103)),
    KnownBase("Salesforce/codet5p-770m", "CodeT5+ 770M", _t5(738, 1024, 48, 32_103)),
    KnownBase("Qwen/Qwen2.5-0.5B", "Qwen2.5-0.5B", Shape(494_000_000, 896, 24, 151_936, True)),
)
# as others than T5 call the layers of encoder and decoder
_HALVES = ("encoder_layers", "decoder_layers")
_TINY_SHAPE = Shape(1_230_000, 128, 4, 400)


def shape_of(base: str, folder: Path | None = None) -> Shape | None:
    """Return the shape of a base student by its name, or as its files in `folder` say; None: not known."""
    if base.split(":")[0] == TINY:
        return _TINY_SHAPE
    if folder is not None and (folder / "config.json").is_file():
        return _shape_in(folder)
    geometry = base.split(":")[1] if base.startswith("random:") else base.partition("@")[0].partition("/")[2]
    return next((each.shape for each in KNOWN if each.hub_id.endswith("/" + geometry)), None)


def _shape_in(folder: Path) -> Shape | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        width = int(config.get("d_model") or config.get("hidden_size") or config["n_embd"])
        both = ("num_layers", "num_decoder_layers") if "num_layers" in config else _HALVES
        layers = sum(int(config.get(each) or config.get(both[0]) or 0) for each in both)
        layers = layers if config.get("is_encoder_decoder") else int(config["num_hidden_layers"])
        causal = not config.get("is_encoder_decoder", False)
        return Shape(_weights_in(folder), width, layers, int(config["vocab_size"]), causal)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None


def _weights_in(folder: Path) -> int:
    """Return how many numbers the safetensors of a folder hold, by their headers."""
    return sum(
        math.prod(entry["shape"])
        for file in folder.glob("*.safetensors")
        for name, entry in _header(file)
        if name != "__metadata__"
    )


def _header(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with file.open("rb") as data:
        (length,) = struct.unpack("<Q", data.read(8))
        if length > 100_000_000:
            raise ValueError("this is no header of safetensors")
        yield from json.loads(data.read(length)).items()
