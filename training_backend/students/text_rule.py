"""How a vocabulary is made to carry every text: the choice, and `student_text.json` in which it is kept."""

from __future__ import annotations

import json
import re
import string
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Tokenizer

from training_backend.errors import CheckpointError

VERSION = 1
MARK = "▁"

# What must come back unchanged before a tokenizer is used as it is.
PROBE = (
    "def f(x):\n    if x < 3 and x >= 0:\n\t\treturn {'a': x ** 2, \"b\": [~x, x ^ 1]}\n\n"
    "        y  =  `z`  # ½ ﬁ Ⅷ é e\u0301 中 😀 ▁ \u00a0\\n\r\n" + string.printable[:95] + "  "
)
_SPARE = re.compile(r"[<\[](?:extra_id_|unk_|unused|reserved_)(\d+)[>\]]")

_ABOUT = {
    "identity": "Text is encoded and decoded by tokenizer.json as it is; where 'raw' is true, without its "
    "normalizer. Names of special tokens in a text are text (encode_special_tokens).",
    "carriers": "Pieces by the Unigram scores of tokenizer.json without its normaliser; '▁' is a space, and "
    "is dropped at the start of a line. 'newline', 'spaces' (count: row), 'strings' (text: row) and "
    "'nibbles' (high then low nibble of each UTF-8 byte) name the rows that carry what no piece spells.",
    "closed": "Text is encoded and decoded by tokenizer.json as it is; words outside its vocabulary are "
    "unknown.",
}


@dataclass(frozen=True)
class Rule:
    """How text is carried, as saved: names of vocabulary rows, no ids. `raw`: without the normalizer."""

    way: str
    split_digits: bool = False
    raw: bool = False
    newline: str = ""
    spaces: dict[int, str] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)
    nibbles: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the content of `student_text.json`."""
        data: dict[str, Any] = {
            "version": VERSION,
            "about": _ABOUT[self.way],
            "way": self.way,
            "split_digits": self.split_digits,
        }
        if self.way == "identity":
            data["raw"] = self.raw
        if self.way == "carriers":
            data |= {
                "newline": self.newline,
                "spaces": {str(count): row for count, row in self.spaces.items()},
                "strings": self.strings,
                "nibbles": list(self.nibbles),
            }
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], where: str) -> Rule:
        """Read a saved rule; CheckpointError when it is of a newer version or incomplete."""
        try:
            if int(data["version"]) > VERSION:
                raise CheckpointError(
                    f"The student's text rule has version {data['version']}, this program reads {VERSION}.",
                    "Install a newer version of the program.",
                    where,
                )
            way = data["way"]
            if way not in _ABOUT:
                raise KeyError(way)
            return cls(
                way=way,
                split_digits=bool(data.get("split_digits", False)),
                raw=bool(data.get("raw", False)),
                newline=data.get("newline", ""),
                spaces={int(count): row for count, row in data.get("spaces", {}).items()},
                strings=dict(data.get("strings", {})),
                nibbles=tuple(data.get("nibbles", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"The student's text rule cannot be read ({error!r}).",
                "Take the file from the run that trained this student.",
                where,
            ) from error


def choose_rule(tokenizer: Tokenizer, split_digits: bool = False) -> Rule:
    """Return the rule for a tokenizer that has none saved: identity, carriers or closed, in this order.

    Byte-level vocabularies such as Qwen2's spell everything, but their normalizer composes letters (NFC):
    they are used without it.
    """
    if _comes_back(tokenizer):
        return Rule("identity", split_digits)
    if tokenizer.normalizer is not None and _comes_back(without_normalizer(tokenizer)):
        return Rule("identity", split_digits, raw=True)
    model = json.loads(tokenizer.to_str())["model"]
    spare = _spare_rows(tokenizer)
    if model["type"] != "Unigram" or len(spare) < 17:
        return Rule("closed", split_digits)
    pieces = {piece for piece, _ in model["vocab"]}
    if MARK not in pieces:
        return Rule("closed", split_digits)
    rows = iter(spare)
    newline = next(rows)
    nibbles = tuple(next(rows) for _ in range(16))
    # in the order of use: with few spare rows the rarest fall back to bytes
    spaces = {1: "", 4: "", 8: "", 2: "", 3: "", 12: "", 16: ""}
    wanted = [c for c in string.punctuation + "\t" if c not in pieces]
    wanted += [c for c in string.ascii_letters + string.digits if c not in pieces]
    given: dict[int | str, str] = dict(zip([*spaces, *wanted], rows, strict=False))
    return Rule(
        "carriers",
        split_digits,
        False,
        newline,
        {key: row for key, row in given.items() if isinstance(key, int)},
        {key: row for key, row in given.items() if isinstance(key, str)},
        nibbles,
    )


def without_normalizer(tokenizer: Tokenizer) -> Tokenizer:
    """Return a copy of a tokenizer that changes no letter before it looks for pieces."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.normalizer = None
    return copy


def _comes_back(tokenizer: Tokenizer) -> bool:
    ids = tokenizer.encode(PROBE, add_special_tokens=False).ids
    return tokenizer.decode(ids, skip_special_tokens=False) == PROBE


def _spare_rows(tokenizer: Tokenizer) -> list[str]:
    found = [(int(m.group(1)), name) for name in tokenizer.get_vocab() if (m := _SPARE.fullmatch(name))]
    return [name for _, name in sorted(found)]
