"""Base students: found on disk or on the hub, loaded with care, or made from nothing with random weights.

Encoder-decoders (T5, FlanT5, CodeT5+, BART …) and decoder-only language models (Qwen2.5 …) alike.
safetensors only and no remote code. transformers 5 always writes `tie_word_embeddings: true` for T5 and
keeps its old meaning (are decoder outputs scaled?) in `scale_decoder_outputs`; other readers, CTranslate2's
converter among them, go by the former. So `save_weights` writes the old meaning back.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.utils import logging as transformers_logging

from training_backend.errors import CheckpointError, ConfigError
from training_backend.students.base_files import WEIGHTS, check_folder, kind_of_folder
from training_backend.students.base_names import GEOMETRIES, adapter_chain, resolve_base
from training_backend.students.base_tokenizer import tokenizer_folder
from training_backend.students.base_weights import loader, network_without_weights, read_config, short
from training_backend.students.hub_download import fetch_base
from training_backend.students.lora import is_lora, save_adapter, with_adapter
from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "spiece.model",
    "chat_template.jinja",
)


def quiet_libraries() -> None:
    """Keep transformers from writing progress bars and advice over our own output."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def base_text(base: str, role: str = "", split_digits: bool = False) -> tuple[StudentText, str]:
    """Return the text of a base student that is here and its kind, without loading its weights."""
    form, folder = resolve_base(base, role)
    if folder is None:
        raise CheckpointError(
            "The base student is not here yet.", "Download it first, or name a local folder.", base
        )
    if form == "tiny" or form.startswith("random:"):
        return StudentText.for_folder(folder, split_digits), SEQ2SEQ
    return StudentText.for_folder(tokenizer_folder(folder), split_digits), kind_of_folder(folder)


def load_base(
    base: str, seed: int = 0, split_digits: bool = False, role: str = ""
) -> tuple[Any, StudentText, Path]:
    """Return (network, text, folder of the tokenizer's files) of a base student, for the student `role`.

    Raises ConfigError for a name that fits nothing and CheckpointError for an incomplete folder.
    """
    form, folder = resolve_base(base, role)
    if form == "hub" and folder is None:
        folder = fetch_base(base)
    assert folder is not None
    if form == "tiny" or form.startswith("random:"):
        text = StudentText.for_folder(folder, split_digits)
        return _made(form, text, seed), text, folder
    check_folder(folder)
    tokenizer = tokenizer_folder(folder)
    text = StudentText.for_folder(tokenizer, split_digits)
    network = load_network(folder)
    check_vocabulary(network, text, folder)
    return network, text, tokenizer


def _made(form: str, text: StudentText, seed: int) -> Any:
    """Return a network with random weights; `form` is tiny or random:GEOMETRY."""
    return new_tiny(text, seed) if form == "tiny" else new_random(form.removeprefix("random:"), text, seed)


def load_network(folder: Path, trainable: bool = False) -> Any:
    """Load a student's network from a folder in fp32; CheckpointError names the missing or wrong file.

    LoRA weights are merged into their base student, or with `trainable` put beside it, to learn on.
    """
    check_folder(folder)
    quiet_libraries()
    *adapters, plain = adapter_chain(folder)
    network = _load_plain(plain)
    for adapter in reversed(adapters):
        network = with_adapter(network, adapter, trainable and adapter == folder)
    return network


def _load_plain(folder: Path) -> Any:
    config = read_config(folder)
    network_without_weights(folder, config)
    try:
        return loader(config).from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True,
            trust_remote_code=False,
        )  # fmt: skip
    except Exception as error:
        raise CheckpointError(
            f"The weights cannot be loaded ({short(error)}).",
            "Copy or download the student again, or take another checkpoint of its run.",
            str(folder / WEIGHTS),
        ) from error


@dataclass(frozen=True)
class Looked:
    """What is known of a base student before it is loaded: its text, and its network without weights."""

    text: StudentText
    network: Any

    @property
    def kind(self) -> str:
        """Return seq2seq or causal."""
        return kind_of(self.network)

    @property
    def positions(self) -> int:
        """Return the longest text in tokens, 0 where there is no limit."""
        return longest_text(self.network)


def look_over(base: str, role: str = "", split_digits: bool = False) -> Looked:
    """Raise ConfigError or CheckpointError where a base student that is here cannot be loaded; load nothing.

    Its weights must fit its configuration, LoRA weights their base student, and the vocabulary both.
    """
    text, _ = base_text(base, role, split_digits)
    form, folder = resolve_base(base, role)
    assert folder is not None, "base_text refuses what is not here"
    if form == "tiny" or form.startswith("random:"):
        with torch.device("meta"):
            return Looked(text, _made(form, text, 0))
    check_folder(folder)
    quiet_libraries()
    *adapters, plain = adapter_chain(folder)
    network = network_without_weights(plain, read_config(plain))
    for adapter in reversed(adapters):
        network = with_adapter(network, adapter, trainable=False)
    check_vocabulary(network, text, folder)
    return Looked(text, network)


def kind_of(network: Any) -> str:
    """Return seq2seq for an encoder-decoder and causal for a decoder-only student."""
    return SEQ2SEQ if getattr(network.config, "is_encoder_decoder", False) else CAUSAL


def longest_text(network: Any) -> int:
    """Return how many tokens the network has positions for, 0 where they are relative to each other (T5)."""
    return int(getattr(network.config, "max_position_embeddings", None) or 0)


def check_vocabulary(network: Any, text: StudentText, folder: Path) -> None:
    """Raise CheckpointError where the tokenizer has entries for which the network has no row."""
    rows = network.get_input_embeddings().weight.shape[0]
    if rows < text.size:
        raise CheckpointError(
            f"The weights have {rows} rows for {text.size} vocabulary entries.",
            "tokenizer.json and model.safetensors must come from the same student.",
            str(folder / "tokenizer.json"),
        )


def make_tiny(folder: Path, tokenizer_folder: Path, seed: int = 0) -> None:
    """Write the tiny T5 (d_model 128, two and two layers, random weights) with the given vocabulary."""
    text = StudentText.for_folder(tokenizer_folder)
    save_student_files(folder, new_tiny(text, seed), text, tokenizer_folder)


def new_tiny(text: StudentText, seed: int = 0) -> T5ForConditionalGeneration:
    """Return the tiny T5 in memory; its output layer is its embedding, as in the first T5."""
    torch.manual_seed(seed)
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=text.size, d_model=128, d_kv=32, d_ff=512, num_layers=2, num_decoder_layers=2,
            num_heads=4, dropout_rate=0.0, feed_forward_proj="relu", pad_token_id=text.pad_id,
            eos_token_id=text.eos_id, decoder_start_token_id=text.pad_id,
        )
    )  # fmt: skip


def new_random(geometry: str, text: StudentText, seed: int = 0) -> T5ForConditionalGeneration:
    """Return a T5 v1.1 of a FlanT5 geometry in memory, with an output layer of its own as FlanT5 has."""
    if geometry not in GEOMETRIES:
        raise ConfigError(f"There is no geometry '{geometry}'.", f"Choose one of: {', '.join(GEOMETRIES)}.")
    torch.manual_seed(seed)
    # FlanT5 has 32,128 rows for 32,100 entries
    rows = (text.size + 127) // 128 * 128
    network = T5ForConditionalGeneration(
        T5Config(
            vocab_size=rows, dropout_rate=0.1, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
            pad_token_id=text.pad_id, eos_token_id=text.eos_id, decoder_start_token_id=text.pad_id,
            **GEOMETRIES[geometry],
        )
    )  # fmt: skip
    head = torch.randn_like(network.shared.weight) * network.config.d_model**-0.5
    network.lm_head.weight = torch.nn.Parameter(head)
    return network


def save_student_files(folder: Path, network: Any, text: StudentText, tokenizer_folder: Path) -> None:
    """Write weights (or LoRA's), configuration, tokenizer and text rule, as plain transformers reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = network.get_base_model() if is_lora(network) else network
    # what the base student brought may sample, or end its texts with other tokens
    plain.generation_config = generation_config(plain, text)
    save_weights(folder, network)
    for name in TOKENIZER_FILES:
        source = tokenizer_folder / name
        if source.is_file() and source.resolve() != (folder / name).resolve():
            shutil.copyfile(source, folder / name)
    text.save(folder)


def save_weights(folder: Path, network: Any) -> None:
    """Write config.json (`tie_word_embeddings` as T5 meant it) and the weights, or LoRA's alone."""
    quiet_libraries()
    if is_lora(network):
        save_adapter(folder, network)
        plain = network.get_base_model()
        plain.config.save_pretrained(folder)
        plain.generation_config.save_pretrained(folder)
    else:
        network.save_pretrained(folder)
    file = folder / "config.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    # the way to program code of its own, which is not run here and does not come along
    foreign = data.pop("auto_map", None) is not None
    if data.get("scale_decoder_outputs") is False:
        data["tie_word_embeddings"] = False
    if foreign or data.get("scale_decoder_outputs") is False:
        file.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def generation_config(network: Any, text: StudentText) -> GenerationConfig:
    """Return the plain greedy settings of a student, whatever its folder says."""
    start = getattr(network.config, "decoder_start_token_id", None)
    begin = {"decoder_start_token_id": text.pad_id if start is None else start}
    return GenerationConfig(
        **(begin if kind_of(network) == SEQ2SEQ else {}),
        pad_token_id=text.pad_id,
        eos_token_id=text.eos_id,
        do_sample=False,
        num_beams=1,
        use_cache=True,
    )
