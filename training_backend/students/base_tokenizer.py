"""A fast tokenizer for a base student that brings only its parts: spiece.model, or vocab.json and merges.txt.

T5 v1.1 and CodeT5+ are published so. transformers makes tokenizer.json of them, once, beside the program's
own data; the base student's folder is not touched.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from transformers import AutoTokenizer, T5Tokenizer

from training_backend.errors import CheckpointError
from training_backend.paths import user_data_dir
from training_backend.students.base_files import TOKENIZER, tokenizer_source

_BESIDE = ("config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def tokenizer_folder(folder: Path) -> Path:
    """Return `folder` where it has a tokenizer.json, else the folder of one made from what it has.

    Raises CheckpointError where there is nothing to make one of, or it cannot be read.
    """
    if (folder / TOKENIZER).is_file():
        return folder
    parts = tokenizer_source(folder)
    if parts is None:
        raise CheckpointError(
            "The student's folder has no fast tokenizer.",
            "Put the tokenizer.json of its base student there.",
            str(folder / TOKENIZER),
        )
    digest = hashlib.sha256()
    for name in (*parts, *_BESIDE):
        digest.update(name.encode() + ((folder / name).read_bytes() if (folder / name).is_file() else b""))
    made = user_data_dir() / "tokenizers" / digest.hexdigest()[:16]
    if not (made / TOKENIZER).is_file():
        _make(folder, parts, made)
    return made


def _make(folder: Path, parts: tuple[str, ...], made: Path) -> None:
    temporary = made.with_name(f".new-{made.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        # a spiece.model alone is T5's
        told = any((folder / name).is_file() for name in _BESIDE[:2])
        maker = AutoTokenizer if told or "spiece.model" not in parts else T5Tokenizer
        read = maker.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        read.save_pretrained(temporary)
        json.loads((temporary / TOKENIZER).read_text(encoding="utf-8"))
        temporary.replace(made)
    except Exception as error:
        raise CheckpointError(
            f"No fast tokenizer can be made of {' and '.join(parts)} ({' '.join(str(error).split())[:200]}).",
            "Copy the tokenizer.json of the base student into its folder.",
            str(folder / parts[0]),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
