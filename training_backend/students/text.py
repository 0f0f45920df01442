"""The reversible text of a student: text becomes ids of this checkpoint's vocabulary and comes back exactly.

A T5 vocabulary loses line breaks, indentation and `{ } < ^ ~ \\` and the backtick, and its normaliser folds
letters. So three ways, chosen per tokenizer and saved as `student_text.json` beside the weights:

- `identity`: the tokenizer already gives back what it was given (byte-level vocabularies).
- `carriers`: for Unigram vocabularies with spare rows (`<extra_id_N>` and the like). Pieces are chosen by the
  checkpoint's own Unigram scores, without its normaliser; what no piece spells is carried by a spare row.
- `closed`: nothing can be added (a small closed vocabulary): words outside it are reported as unknown.

The rule of `carriers`, in full: a line break is one row; leading spaces are rows of 1, 2, 3, 4, 8, 12 or 16
spaces; the first piece of a line may start with the word mark `▁`, which is dropped there and is a space
everywhere else; every string of `strings` is one row; any other character is its UTF-8 bytes, two rows
(high and low nibble) a byte. Decoding reads the pieces off in order; there is nothing to guess.
Torch-free: the `tokenizers` library and token ids. References: huggingface/transformers#21836.
"""

from __future__ import annotations

import functools
import json
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from training_backend.errors import CheckpointError
from training_backend.students.text_rule import MARK, Rule, choose_rule, without_normalizer

FILE_NAME = "student_text.json"
LOST = "\ufffd"
SEQ2SEQ, CAUSAL = "seq2seq", "causal"
# where the question of a decoder-only student ends and its answer begins
ANSWER_BEGINS = "\n"
# single private characters stand for the rows inside the tokenizer; the text's own are spelled as bytes
_PRIVATE = 0x100000


@dataclass(frozen=True)
class TextReport:
    """What happens to one text: `exact`: does it come back; `seen`: the pieces that the student sees."""

    exact: bool
    tokens: int
    unknown: int
    seen: str
    decoded: str
    unknown_words: tuple[str, ...] = ()


class StudentText:
    """Encodes text to ids of one vocabulary and back, exactly wherever the vocabulary allows it."""

    def __init__(self, tokenizer: Tokenizer, rule: Rule, eos: str = "</s>", pad: str = "<pad>") -> None:
        """Use `tokenizer` (the checkpoint's own) under `rule`; `eos` and `pad` are names of its tokens."""
        self.tokenizer = without_normalizer(tokenizer) if rule.raw else tokenizer
        # `</s>` in a question is four letters and signs of that question, not its end
        self.tokenizer.encode_special_tokens = True
        self.rule = rule
        self.eos_id = _id_of(tokenizer, eos, ("</s>", "<eos>", "<|endoftext|>", "[SEP]"))
        self.pad_id = _id_of(tokenizer, pad, ("<pad>", "[PAD]", "<|endoftext|>"), self.eos_id)
        self.unknown_id = _unknown_id(tokenizer)
        self.size = tokenizer.get_vocab_size(with_added_tokens=True)
        self._first_ids = _first_ids(tokenizer, self.eos_id)
        if rule.way == "carriers":
            self._prepare_carriers()

    @classmethod
    def for_folder(cls, folder: Path | str, split_digits: bool = False) -> StudentText:
        """Read the rule beside `tokenizer.json`, or choose one for that tokenizer.

        `split_digits` (every digit a token of its own) counts only where no rule was saved yet.
        Raises CheckpointError naming the file that is missing or unreadable.
        """
        folder = Path(folder)
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise CheckpointError(
                "The student's folder has no fast tokenizer.",
                "Put the tokenizer.json of its base student there.",
                str(file),
            )
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:
            raise CheckpointError(
                f"The tokenizer cannot be read ({str(error)[:200]}).",
                "Copy tokenizer.json from the base student again.",
                str(file),
            ) from error
        names = _special_names(folder)
        saved = folder / FILE_NAME
        if saved.is_file():
            try:
                data = json.loads(saved.read_text(encoding="utf-8"))
            except ValueError as error:
                raise CheckpointError(
                    f"The student's text rule is no JSON ({error}).",
                    "Take the file from the run that trained this student.",
                    str(saved),
                ) from error
            rule = Rule.from_json(data, str(saved))
        else:
            rule = choose_rule(tokenizer, split_digits)
        return cls(tokenizer, rule, **names)

    def save(self, folder: Path | str) -> None:
        """Write `student_text.json` into `folder` (the tokenizer's own files are not touched)."""
        text = json.dumps(self.rule.to_json(), ensure_ascii=False, indent=1)
        (Path(folder) / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    # ---- encoding ------------------------------------------------------------------------------

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`, without an end mark."""
        if self.rule.way == "carriers":
            return self._encode_carried(text)
        # half of a surrogate pair is no character and has no bytes; `check` reports it as lost
        text = text.encode("utf-8", "replace").decode("utf-8")
        if self.rule.split_digits:
            parts = [part for part in re.split(r"([0-9])", text) if part]
            encodings = self.tokenizer.encode_batch(parts, add_special_tokens=False)
            ids = [i for encoding in encodings for i in encoding.ids]
            if self.decode(ids) == text:
                return ids
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def source_ids(self, source: str, kind: str = SEQ2SEQ) -> list[int]:
        """Return what a student reads, the same at training and when it solves.

        An encoder reads what its tokenizer puts first (BART's and CodeT5's `<s>`), `source`, the end mark. A
        decoder-only student reads the same with a line break in place of the end mark, and goes on.
        """
        ids = [*self._first_ids, *self.encode(source)]
        return [*ids, *self.encode(ANSWER_BEGINS)] if kind == CAUSAL else [*ids, self.eos_id]

    def target_ids(self, target: str) -> list[int]:
        """Return what a student writes, with its end mark."""
        return [*self.encode(target), self.eos_id]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`: pads are skipped, the end mark ends it, meaningless rows are U+FFFD."""
        kept = []
        for i in ids:
            if i == self.eos_id:
                break
            if i != self.pad_id:
                kept.append(int(i))
        if self.rule.way == "carriers":
            return self._decode_carried(kept)
        return self.tokenizer.decode(kept, skip_special_tokens=False)

    def carries(self, text: str) -> bool:
        """Tell whether `text` comes back from its ids character for character, no token of it unknown."""
        ids = self.encode(text)
        return self.unknown_id not in ids and self.decode(ids) == text

    def check(self, text: str) -> TextReport:
        """Encode and decode `text` and report what was lost."""
        ids = self.encode(text)
        decoded = self.decode(ids)
        unknown = sum(i == self.unknown_id for i in ids) if self.unknown_id is not None else 0
        words = self.unknown_words(text) if unknown else ()
        return TextReport(decoded == text, len(ids), unknown, self.seen(ids), decoded, words)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Return the words of `text` that the vocabulary cannot spell, each once, in order."""
        if self.rule.way != "closed" or self.unknown_id is None:
            return ()
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        found: dict[str, None] = {}
        for i, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if i == self.unknown_id:
                # a piece may hold the space before its word
                while start < end and text[start].isspace():
                    start += 1
                while start > 0 and not text[start - 1].isspace():
                    start -= 1
                while end < len(text) and not text[end].isspace():
                    end += 1
                word = text[start:end].strip(string.punctuation + string.whitespace)
                found[word or text[start:end].strip()] = None
        return tuple(word for word in found if word)

    def seen(self, ids: Sequence[int]) -> str:
        """Return the pieces of `ids` for people: separated by spaces, carrying rows in angle quotes."""
        return " ".join(self.piece(i) for i in ids)

    def piece(self, i: int) -> str:
        """Return one vocabulary row for people."""
        if self.rule.way == "carriers":
            if i in self._meaning:
                return f"‹{self._meaning[i].replace(chr(10), '⏎').replace(' ', '␣')}›"
            if i in self._nibble_of:
                return f"‹{self._nibble_of[i]:x}›"
        return self.tokenizer.id_to_token(i) or LOST

    # ---- carriers ------------------------------------------------------------------------------

    def _prepare_carriers(self) -> None:
        rule = self.rule
        known = {name: self.tokenizer.token_to_id(name) for name in _rows_of(rule)}
        ids = {name: i for name, i in known.items() if i is not None}
        missing = [name for name, i in known.items() if i is None]
        if missing:
            raise CheckpointError(
                f"The text rule names tokens that the vocabulary lacks: {', '.join(missing[:5])}.",
                "tokenizer.json and student_text.json must come from the same student.",
            )
        self._newline_id = ids[rule.newline]
        self._space_ids = {count: ids[row] for count, row in rule.spaces.items()}
        self._string_ids = {text: ids[row] for text, row in rule.strings.items()}
        self._nibble_ids = [ids[row] for row in rule.nibbles]
        self._nibble_of = {i: n for n, i in enumerate(self._nibble_ids)}
        self._meaning = {self._newline_id: "\n"}
        self._meaning |= {i: " " * count for count, i in self._space_ids.items()}
        self._meaning |= {i: text for text, i in self._string_ids.items()}
        self._engine, self._pieces = _engine(self.tokenizer, set(ids.values()), rule.split_digits)
        letters = {piece for piece in self._pieces if piece and len(piece) == 1} - {MARK, " "}
        self._plain = letters | {" "}
        # what is no letter of the vocabulary: a known string, a run of spaces, or bytes
        strings = sorted(self._string_ids, key=len, reverse=True)
        spelled = "".join(map(re.escape, sorted(letters)))
        self._token = re.compile("|".join([*map(re.escape, strings), " +", f"[^{spelled}]"]), re.DOTALL)
        self._encode_line = functools.lru_cache(maxsize=4096)(self._encode_line_uncached)

    def _encode_carried(self, text: str) -> list[int]:
        ids: list[int] = []
        for number, line in enumerate(text.split("\n")):
            if number:
                ids.append(self._newline_id)
            ids += self._encode_line(line)
        return ids

    def _encode_line_uncached(self, line: str) -> tuple[int, ...]:
        body = line.lstrip(" ")
        ids = [self._space_ids[count] for count in _split_run(len(line) - len(body), self._space_ids)]
        if body:
            # most lines hold nothing to carry, and the long expression takes twice the time of all the rest
            plain = self._plain.issuperset(body) and "  " not in body and body[-1] != " "
            carried = body.replace(" ", MARK) if plain else self._token.sub(self._carry, body)
            # the word mark at the start of a line is free: take it unless it costs a token more
            bare = self._engine.encode(carried, add_special_tokens=False).ids
            if ord(carried[0]) < _PRIVATE:
                marked = self._engine.encode(MARK + carried, add_special_tokens=False).ids
                bare = marked if len(marked) <= len(bare) else bare
            ids += bare
        return tuple(ids)

    def _carry(self, match: re.Match[str]) -> str:
        """Return the private characters (and word marks) that stand for one matched string."""
        text = match.group()
        row = self._string_ids.get(text)
        if row is not None:
            return chr(_PRIVATE + row)
        if text[0] == " ":
            at_end = match.end() == len(match.string)
            runs = _split_run(len(text) - (0 if at_end else 1), self._space_ids)
            return "".join(chr(_PRIVATE + self._space_ids[n]) for n in runs) + ("" if at_end else MARK)
        data = text.encode("utf-8", "surrogatepass")
        return "".join(chr(_PRIVATE + self._nibble_ids[n]) for byte in data for n in (byte >> 4, byte & 15))

    def _decode_carried(self, ids: Iterable[int]) -> str:
        out: list[str] = []
        nibbles: list[int] = []
        line_start = True
        for i in ids:
            nibble = self._nibble_of.get(i)
            if nibble is not None:
                nibbles.append(nibble)
                line_start = False
                continue
            if nibbles:
                out.append(_from_nibbles(nibbles))
                nibbles = []
            meaning = self._meaning.get(i)
            if meaning is not None:
                out.append(meaning)
                line_start = i == self._newline_id or (line_start and not meaning.strip(" "))
                continue
            piece = self._pieces[i] if 0 <= i < len(self._pieces) else None
            if piece is None:
                out.append(LOST)
            else:
                out.append((piece[1:] if line_start and piece.startswith(MARK) else piece).replace(MARK, " "))
            line_start = False
        if nibbles:
            out.append(_from_nibbles(nibbles))
        return "".join(out)


# ---- helpers -----------------------------------------------------------------------------------


def _engine(tokenizer: Tokenizer, rows: set[int], split_digits: bool) -> tuple[Tokenizer, list[str | None]]:
    """Return a bare Unigram tokenizer in which each row is one private character, and the plain pieces.

    No normaliser, no added tokens, no splitting at spaces: pieces are chosen over the whole line.
    Pieces are None for rows that carry something and for special tokens.
    """
    data = json.loads(tokenizer.to_str())
    special = {token["id"] for token in data["added_tokens"]} | rows | {data["model"].get("unk_id")}
    vocabulary: list[tuple[str, float]] = []
    pieces: list[str | None] = []
    for i, (piece, score) in enumerate(data["model"]["vocab"]):
        vocabulary.append((chr(_PRIVATE + i), -1.0) if i in special else (piece, score))
        pieces.append(None if i in special else piece)
    engine = Tokenizer(models.Unigram(vocabulary, unk_id=data["model"].get("unk_id"), byte_fallback=False))
    if split_digits:
        engine.pre_tokenizer = pre_tokenizers.Split(Regex("[0-9]"), "isolated")
    return engine, pieces


def _rows_of(rule: Rule) -> list[str]:
    return [rule.newline, *rule.spaces.values(), *rule.strings.values(), *rule.nibbles]


def _split_run(count: int, sizes: dict[int, Any]) -> list[int]:
    """Return sizes that add up to `count` spaces, the largest first; 1 is always among the sizes."""
    parts = []
    for size in sorted(sizes, reverse=True):
        while count >= size:
            parts.append(size)
            count -= size
    return parts


def _from_nibbles(nibbles: list[int]) -> str:
    pairs = zip(nibbles[::2], nibbles[1::2], strict=False)
    data = bytes(high << 4 | low for high, low in pairs)
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    return text + (LOST if len(nibbles) % 2 else "")


def _id_of(tokenizer: Tokenizer, name: str, others: Sequence[str], default: int | None = None) -> int:
    for candidate in (name, *others):
        i = tokenizer.token_to_id(candidate) if candidate else None
        if i is not None:
            return i
    if default is not None:
        return default
    raise CheckpointError(
        f"The tokenizer has no token '{name}'.",
        "A student needs an end token; name it in tokenizer_config.json.",
    )


def _first_ids(tokenizer: Tokenizer, eos_id: int) -> list[int]:
    """Return what the tokenizer puts before a text (its template with an empty text, up to the end mark)."""
    ids = tokenizer.encode("", add_special_tokens=True).ids
    return ids[: ids.index(eos_id)] if eos_id in ids else ids


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    model = json.loads(tokenizer.to_str())["model"]
    if model.get("unk_id") is not None:
        return model["unk_id"]
    name = model.get("unk_token")
    return tokenizer.token_to_id(name) if name else None


def _special_names(folder: Path) -> dict[str, str]:
    """Return the names of the end and pad tokens from the tokenizer's configuration, where it has one."""
    file = folder / "tokenizer_config.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    names = {}
    for key, ours in (("eos_token", "eos"), ("pad_token", "pad")):
        value = data.get(key)
        value = value.get("content") if isinstance(value, dict) else value
        if isinstance(value, str):
            names[ours] = value
    return names
