"""Base students: found on disk or on the hub, loaded with care, or made from nothing with random weights.

safetensors only and no remote code. transformers 5 always writes `tie_word_embeddings: true` for T5 and
keeps its old meaning (are decoder outputs scaled?) in `scale_decoder_outputs`; other readers, CTranslate2's
converter among them, go by the former. So `save_weights` writes the old meaning back.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    GenerationConfig,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.utils import logging as transformers_logging

from training_backend.errors import CheckpointError, ConfigError
from training_backend.paths import demo_students_dir
from training_backend.students.run_folder import base_run, student_of_run
from training_backend.students.text import StudentText

WEIGHT_FILES = ("model.safetensors", "model.safetensors.index.json")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model")
# d_model, d_kv, d_ff, layers, heads of google/flan-t5-*
GEOMETRIES: dict[str, dict[str, int]] = {
    "flan-t5-small": {"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6},
    "flan-t5-base": {"d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12},
    "flan-t5-large": {"d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24, "num_heads": 16},
}


def quiet_libraries() -> None:
    """Keep transformers from writing progress bars and advice over our own output."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def resolve_base(base: str, role: str = "") -> tuple[str, Path | None]:
    """Return (form, folder) of a base student: tiny, random:GEOMETRY, folder or hub, and the folder to read.

    The folder is that of the tokenizer for `tiny` and `random`, and None for a hub id. With `demo` or a run
    folder the student `role` goes on from the run's own student of that role.
    Raises ConfigError when the name fits nothing, or the run has no such student.
    """
    run = base_run(base)
    if run is not None:
        return "folder", student_of_run(run, role)
    if base == "tiny" or base.startswith("tiny:"):
        folder = Path(base[5:]) if base[5:] else demo_tokenizer_dir()
        return "tiny", _with_tokenizer(folder)
    if base.startswith("random:"):
        _, _, rest = base.partition(":")
        geometry, _, tokenizer = rest.partition(":")
        if geometry not in GEOMETRIES or not tokenizer:
            raise ConfigError(
                f"'{base}' names no random student.",
                f"Write random:GEOMETRY:TOKENIZER_FOLDER with a geometry of {', '.join(GEOMETRIES)}.",
            )
        return f"random:{geometry}", _with_tokenizer(Path(tokenizer))
    if Path(base).expanduser().is_dir():
        return "folder", Path(base).expanduser()
    if base.count("/") == 1 and not base.startswith((".", "/", "~")):
        return "hub", None
    raise ConfigError(
        f"There is no base student '{base}'.",
        "Name a folder with config.json, model.safetensors and tokenizer.json, or a hub id such as "
        "google/flan-t5-small.",
    )


def demo_tokenizer_dir() -> Path:
    """Return the folder with the closed vocabulary of the demo students."""
    root = demo_students_dir()
    for folder in (root / "tokenizer", root / "students" / "solve", root / "students" / "key"):
        if (folder / "tokenizer.json").is_file():
            return folder
    raise ConfigError(
        "The demo's vocabulary is not installed.",
        "Name a tokenizer folder: --base tiny:TOKENIZER_FOLDER.",
        str(root),
    )


def load_base(
    base: str, seed: int = 0, split_digits: bool = False, role: str = ""
) -> tuple[Any, StudentText, Path]:
    """Return (network, text, folder of the tokenizer's files) of a base student, for the student `role`.

    Raises ConfigError for a name that fits nothing and CheckpointError for an incomplete folder.
    """
    form, folder = resolve_base(base, role)
    if form == "hub":
        folder = download(base)
    assert folder is not None
    text = StudentText.for_folder(folder, split_digits)
    if form == "tiny":
        return new_tiny(text, seed), text, folder
    if form.startswith("random:"):
        return new_random(form.removeprefix("random:"), text, seed), text, folder
    return load_network(folder), text, folder


def load_network(folder: Path) -> Any:
    """Load an encoder-decoder from a folder in fp32; CheckpointError names the missing or wrong file."""
    check_folder(folder)
    quiet_libraries()
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise CheckpointError(
            f"The student's configuration cannot be read ({_short(error)}).",
            "Copy config.json from the base student again.",
            str(folder / "config.json"),
        ) from error
    if not getattr(config, "is_encoder_decoder", False):
        raise CheckpointError(
            f"This is no encoder-decoder ({getattr(config, 'model_type', 'unknown kind')}).",
            "Students are T5, FlanT5, CodeT5+ and other encoder-decoders.",
            str(folder / "config.json"),
        )
    try:
        network, report = AutoModelForSeq2SeqLM.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True,
            trust_remote_code=False, output_loading_info=True,
        )  # fmt: skip
    except Exception as error:
        raise CheckpointError(
            f"The weights do not fit the configuration ({_short(error)}).",
            "config.json and model.safetensors must come from the same student.",
            str(folder / "model.safetensors"),
        ) from error
    missing = sorted(report.get("missing_keys", ()))
    if missing:
        raise CheckpointError(
            f"The weights lack {len(missing)} tensors, the first is {missing[0]}.",
            "config.json and model.safetensors must come from the same student.",
            str(folder / "model.safetensors"),
        )
    return network


def check_folder(folder: Path) -> None:
    """Raise CheckpointError naming the first file that a student's folder lacks."""
    if not folder.is_dir():
        raise CheckpointError("There is no such student.", "Choose another folder.", str(folder))
    hints = {
        "config.json": "Copy it from the base student or train the student again.",
        "tokenizer.json": "Copy it from the base student (only fast tokenizers are read).",
    }
    for name, hint in hints.items():
        if not (folder / name).is_file():
            raise CheckpointError(f"The student's folder has no {name}.", hint, str(folder / name))
    if not any((folder / name).is_file() for name in WEIGHT_FILES):
        pickled = (folder / "pytorch_model.bin").is_file()
        raise CheckpointError(
            "The student's folder has no model.safetensors" + (", only a pickle." if pickled else "."),
            "Pickled weights can run code and are not read: convert them to safetensors."
            if pickled
            else "Train the student again, or choose another checkpoint.",
            str(folder / "model.safetensors"),
        )


def download(hub_id: str) -> Path:
    """Return the local folder of a hub id; what is missing is downloaded."""
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(hub_id, allow_patterns=["*.json", "*.safetensors", "spiece.model"])
    except Exception as error:
        raise CheckpointError(
            f"The base student could not be downloaded ({_short(error)}).",
            "Check the name and the network, or name a local folder.",
            hub_id,
        ) from error
    return Path(folder)


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
    """Write weights, configuration, tokenizer and text rule into `folder`, which plain transformers loads."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder, network)
    for name in TOKENIZER_FILES:
        source = tokenizer_folder / name
        if source.is_file() and source.resolve() != (folder / name).resolve():
            shutil.copyfile(source, folder / name)
    text.save(folder)


def save_weights(folder: Path, network: Any) -> None:
    """Write model.safetensors and config.json; T5 keeps `tie_word_embeddings` in its old meaning."""
    quiet_libraries()
    network.save_pretrained(folder)
    file = folder / "config.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    if data.get("scale_decoder_outputs") is False:
        data["tie_word_embeddings"] = False
        file.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def generation_config(network: Any, text: StudentText) -> GenerationConfig:
    """Return the plain greedy settings of a student, whatever its folder says."""
    start = getattr(network.config, "decoder_start_token_id", None)
    return GenerationConfig(
        decoder_start_token_id=text.pad_id if start is None else start,
        pad_token_id=text.pad_id,
        eos_token_id=text.eos_id,
        do_sample=False,
        num_beams=1,
        use_cache=True,
    )


def _with_tokenizer(folder: Path) -> Path:
    if not (folder / "tokenizer.json").is_file():
        raise ConfigError(
            "The tokenizer folder has no tokenizer.json.", "Name a folder that has one.", str(folder)
        )
    return folder


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
