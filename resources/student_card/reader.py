import json
import re
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

FOLDER = Path()  # the folder of this student
rule = json.loads((FOLDER / "student_text.json").read_text(encoding="utf-8"))
tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
row = tokenizer.token_to_id

if rule["way"] == "carriers":
    model = json.loads(tokenizer.to_str())["model"]
    added = {token["id"] for token in json.loads(tokenizer.to_str())["added_tokens"]}
    spaces = {int(count): row(name) for count, name in rule["spaces"].items()}
    strings = {text: row(name) for text, name in rule["strings"].items()}
    nibbles = [row(name) for name in rule["nibbles"]]
    newline = row(rule["newline"])
    meaning = {newline: "\n", **{i: " " * n for n, i in spaces.items()}, **{i: t for t, i in strings.items()}}
    carriers = added | set(meaning) | set(nibbles) | {model["unk_id"]}
    # inside the tokenizer a carrying row is one private character
    private = [chr(0x100000 + i) for i in range(len(model["vocab"]))]
    rows = [(private[i], -1.0) if i in carriers else tuple(one) for i, one in enumerate(model["vocab"])]
    engine = Tokenizer(models.Unigram(rows, unk_id=model["unk_id"], byte_fallback=False))
    if rule["split_digits"]:
        engine.pre_tokenizer = pre_tokenizers.Split(Regex("[0-9]"), "isolated")
    letters = {piece for i, (piece, _) in enumerate(model["vocab"]) if i not in carriers and len(piece) == 1}
    known = [re.escape(text) for text in sorted(strings, key=len, reverse=True)]
    other = "[^" + "".join(map(re.escape, sorted(letters - {"▁", " "}))) + "]"
    carried = re.compile("|".join([*known, " +", other]), re.DOTALL)


def encode(text):
    """Return the ids of a text, without an end mark."""
    if rule["way"] == "carriers":
        lines = [encode_line(line) for line in text.split("\n")]
        return [i for n, line in enumerate(lines) for i in ([newline] if n else []) + line]
    if rule["split_digits"]:
        parts = tokenizer.encode_batch([p for p in re.split("([0-9])", text) if p], add_special_tokens=False)
        ids = [i for part in parts for i in part.ids]
        if decode(ids) == text:
            return ids
    return tokenizer.encode(text, add_special_tokens=False).ids


def decode(ids):
    """Return the text of ids, end mark and pads taken off before."""
    if rule["way"] != "carriers":
        return tokenizer.decode(ids, skip_special_tokens=False)
    text, data, line_start = "", [], True
    for i in [*ids, None]:
        if i in nibbles:
            data.append(nibbles.index(i))
            line_start = False
            continue
        pairs = zip(data[::2], data[1::2], strict=False)
        text += bytes(high << 4 | low for high, low in pairs).decode("utf-8", "surrogatepass")
        data = []
        if i in meaning:
            text += meaning[i]
            line_start = i == newline or (line_start and not meaning[i].strip(" "))
        elif i is not None:
            piece = tokenizer.id_to_token(i)
            text += (piece[1:] if line_start and piece.startswith("▁") else piece).replace("▁", " ")
            line_start = False
    return text


def encode_line(line):
    body = line.lstrip(" ")
    ids = [spaces[n] for n in runs(len(line) - len(body))]
    if body:
        body = carried.sub(carry, body)
        bare = engine.encode(body).ids
        marked = bare if body[0] in private else engine.encode("▁" + body).ids
        ids += marked if len(marked) <= len(bare) else bare
    return ids


def carry(match):
    text = match.group()
    if text in strings:
        return private[strings[text]]
    if text[0] == " ":
        at_end = match.end() == len(match.string)
        run = "".join(private[spaces[n]] for n in runs(len(text) - (not at_end)))
        return run + ("" if at_end else "▁")
    data = text.encode("utf-8", "surrogatepass")
    return "".join(private[nibbles[n]] for byte in data for n in (byte >> 4, byte & 15))


def runs(count):
    if not count:
        return []
    size = max(n for n in spaces if n <= count)
    return [size, *runs(count - size)]
