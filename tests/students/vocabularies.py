"""Small vocabularies for the tests: one that loses what T5's loses, a byte-level one, a closed one."""

from __future__ import annotations

import json
import string
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

# as in T5: no piece for these, no line break, no tab
LOST = "{}<^~\\`"
WORDS = [
    "the",
    "a",
    "total",
    "boxes",
    "pens",
    "each",
    "has",
    "how",
    "many",
    "of",
    "in",
    "and",
    "question",
    "core",
    "information",
    "extract",
    "key",
    "points",
    "solve",
    "by",
    "program",
    "answer",
    "ans",
    "price",
    "shop",
    "cost",
    "left",
    "is",
    "she",
    "he",
    "they",
    "Tom",
    "Anna",
    "Ben",
    "apples",
]


def write_lossy(folder: Path, spare: int = 60) -> Path:
    """Write a Unigram vocabulary in T5's manner: NFKC, one space between words, no line breaks."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    letters = [c for c in string.ascii_letters + string.digits + string.punctuation if c not in LOST]
    pieces += [(c, -6.0) for c in letters]
    pieces += [("▁" + word, -4.0) for word in WORDS] + [("ing", -4.0), ("▁=", -4.0), ("12", -4.5)]
    pieces += [(f"<extra_id_{n}>", 0.0) for n in reversed(range(spare))]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>", *(f"<extra_id_{n}>" for n in range(spare))])
    return _write(folder, tokenizer)


def write_byte_level(folder: Path) -> Path:
    """Write a byte-level vocabulary, which gives back every text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<pad>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), vocab_size=300
    )
    tokenizer.train_from_iterator(["total = boxes * pens\n"] * 3, trainer)
    return _write(folder, tokenizer)


# how Qwen2 cuts text before it looks for pieces
_QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def write_qwen(folder: Path) -> Path:
    """Write a byte-level vocabulary in Qwen2's manner: letters composed (NFC), end and pad the same token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        vocab_size=330,
    )
    tokenizer.train_from_iterator(["    total = boxes * pens\n", "How many pens has Tom?"] * 3, trainer)
    end = "<|endoftext|>"
    return _write(folder, tokenizer, eos_token=end, pad_token=end)


def write_code_t5(folder: Path) -> Path:
    """Write a byte-level vocabulary in CodeT5+'s manner: `<s>` before and `</s>` behind every source."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<pad>", "<s>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        vocab_size=310,
    )
    tokenizer.train_from_iterator(["total = boxes * pens\n"] * 3, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1), add_prefix_space=False)
    return _write(folder, tokenizer)


def write_closed(folder: Path) -> Path:
    """Write a closed vocabulary of whole words, with one unknown word for all others."""
    words = ["<pad>", "</s>", "<unk>", "▁", "\n", *WORDS, *("▁" + w for w in WORDS), *string.digits, "=", "*"]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"▁?[A-Za-z]+|[0-9]|\n|▁|[=*]"), "isolated")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    return _write(folder, tokenizer)


def _write(folder: Path, tokenizer: Tokenizer, **changes: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"eos_token": "</s>", "pad_token": "<pad>", "tokenizer_class": "PreTrainedTokenizerFast"}
    names |= changes
    (folder / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")
    return folder
