"""How each benchmark writes its questions, and how its gold answer is read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_backend.rationale.answers import format_number, parse_number


@dataclass(frozen=True)
class Fields:
    """What one record says; `native_id` is empty where the format has none (then its row number serves)."""

    text: str
    gold_text: str
    gold_value: float | None
    native_id: str = ""
    extra: Mapping[str, Any] | None = None


class Missing(ValueError):
    """A record lacks what a question needs; the text says what."""


@dataclass(frozen=True)
class NativeFormat:
    """A way to write questions: the keys that tell it, how a record is read, the data set it usually is."""

    name: str
    needs: frozenset[str]
    read: Callable[[Mapping[str, Any]], Fields]
    dataset: str = ""
    title: str = ""


def _text(record: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that holds text; Missing says which were looked for."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is not None and not isinstance(value, str):
            raise Missing(f"'{name}' is no text")
    raise Missing(f"'{names[0]}' is missing or empty")


def read_gold(value: Any, name: str) -> tuple[str, float | None]:
    """Return a gold answer as text and, where it is one number, as number; Missing says what is wrong."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        raise Missing(f"'{name}' is missing or no answer")
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise Missing(f"'{name}' is no finite number")
        # an integer of any length keeps its digits in the text; as a number it is as near as a float comes
        try:
            number = float(value)
        except OverflowError:
            return str(value), None
        return (str(value) if isinstance(value, int) else format_number(number)), number
    text = str(value).strip()
    if not text:
        raise Missing(f"'{name}' is empty")
    if "####" in text:
        text = text.rsplit("####", 1)[1].strip()
        if not text:
            raise Missing(f"nothing follows '####' in '{name}'")
    return text, parse_number(text)


def _gsm8k(record: Mapping[str, Any]) -> Fields:
    answer = _text(record, "answer")
    if "####" not in answer:
        raise Missing("'answer' holds no '####'")
    return Fields(_text(record, "question"), *read_gold(answer, "answer"), extra={"answer": answer})


def _svamp(record: Mapping[str, Any]) -> Fields:
    text = f"{_text(record, 'Body')} {_text(record, 'Question')}"
    extra = {"equation": record.get("Equation", ""), "type": record.get("Type", "")}
    return Fields(text, *read_gold(record.get("Answer"), "Answer"), str(record.get("ID") or ""), extra)


def _asdiv(record: Mapping[str, Any]) -> Fields:
    text = " ".join(part for part in (str(record.get("Body", "")).strip(), _text(record, "Question")) if part)
    gold_text, value, unit = read_asdiv_answer(_text(record, "Answer"))
    names = {"Formula": "formula", "Solution-Type": "solution_type", "Grade": "grade", "Source": "source"}
    extra = {ours: record[theirs] for theirs, ours in names.items() if record.get(theirs)}
    return Fields(
        text, gold_text, value, str(record.get("ID") or ""), {**extra, **({"unit": unit} if unit else {})}
    )


def read_asdiv_answer(answer: str) -> tuple[str, float | None, str]:
    """Return (gold text, number, unit) of an ASDiv answer such as `9 (apples)`.

    The number stands before the unit in brackets; `-(1/3)` is one too. Words, times of day, ratios (`3:4`)
    and several answers (`8 (cm); 3 (cm)`) have no one number and keep their text.
    """
    match = re.fullmatch(r"(-?\([^()]*\)|[^()]*?)\s*(?:\(([^()]*)\))?", answer.strip())
    if match:
        number = re.sub(r"^(-?)\(([^()]*)\)$", r"\1\2", match.group(1).strip())
        value = parse_number(number)
        if value is not None:
            return number, value, (match.group(2) or "").strip()
    return answer.strip(), None, ""


def _multiarith(record: Mapping[str, Any]) -> Fields:
    solutions = record.get("lSolutions")
    if not isinstance(solutions, list) or not solutions:
        raise Missing("'lSolutions' is missing or empty")
    text, value = read_gold(solutions[0], "lSolutions")
    if len(solutions) > 1:
        text, value = "; ".join(read_gold(solution, "lSolutions")[0] for solution in solutions), None
    native_id = "" if record.get("iIndex") is None else str(record["iIndex"])
    return Fields(
        _text(record, "sQuestion"), text, value, native_id, {"equations": record.get("lEquations", [])}
    )


def _pal(record: Mapping[str, Any]) -> Fields:
    extra = {"code": record["code"]} if isinstance(record.get("code"), str) else {}
    return Fields(_text(record, "input"), *read_gold(record.get("target"), "target"), extra=extra)


_DEEPEST = 50  # levels of nesting; writing JSON fails at some thousand
_QUESTIONS = ("question", "problem", "query", "instruction", "Question", "input")
_ANSWERS = (
    "answer",
    "gold",
    "gold_text",
    "target",
    "answer_value",
    "final_answer",
    "label",
    "Answer",
    "output",
)
_IDS = ("native_id", "id", "item_id", "ID", "idx")


def _generic(record: Mapping[str, Any]) -> Fields:
    text = _text(record, *[name for name in _QUESTIONS if name in record] or ["question"])
    answer = next((name for name in _ANSWERS if record.get(name) not in (None, "")), "answer")
    gold = read_gold(record.get(answer), answer)
    native_id = next((str(record[name]) for name in _IDS if isinstance(record.get(name), str | int)), "")
    used = {*_QUESTIONS, *_IDS}
    extra = {str(key): value for key, value in record.items() if key not in used and is_plain(value)}
    return Fields(text, *gold, native_id, extra)


def is_plain(value: Any) -> bool:
    """Tell whether a value is worth keeping beside a question: no megabytes, no deep nesting."""
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        return False
    return len(text) < 100_000 and _depth(text) <= _DEEPEST


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


# The order matters: the first whose keys a record has reads the file.
FORMATS: dict[str, NativeFormat] = {
    form.name: form
    for form in (
        NativeFormat("svamp", frozenset({"Body", "Equation"}), _svamp, "svamp", "SVAMP"),
        NativeFormat("asdiv", frozenset({"Solution-Type"}), _asdiv, "asdiv", "ASDiv"),
        NativeFormat("multiarith", frozenset({"sQuestion"}), _multiarith, "multiarith",
                     "MultiArith"),
        NativeFormat("gsm8k", frozenset({"question", "answer"}), _gsm8k, "gsm8k", "GSM8K"),
        NativeFormat("pal", frozenset({"input", "target"}), _pal, "", "PAL (input, target)"),
        NativeFormat("generic", frozenset(), _generic, "",
                     "any JSONL, JSON, CSV or Parquet with question and answer"),
    )
}  # fmt: skip


def detect(records: list[dict[str, Any]]) -> NativeFormat:
    """Return the format whose keys at least half of these records (the start of a file) have."""
    for form in FORMATS.values():
        fitting = sum(_looks_like(form, record) for record in records)
        if records and fitting * 2 >= len(records):
            return form
    return FORMATS["generic"]


def _looks_like(form: NativeFormat, record: Mapping[str, Any]) -> bool:
    if not form.needs <= set(record):
        return False
    return form.name != "gsm8k" or "####" in str(record.get("answer"))


_SPLITS = {"train": "train", "training": "train", "test": "test", "dev": "dev", "val": "dev", "valid": "dev",
           "validation": "dev"}  # fmt: skip
_KNOWN_FILES = {"mawpsaddsub": "addsub", "mawpssingleeq": "singleeq", "mawpssingleop": "singleop",
                "mawpsmultiarith": "multiarith-pal",
                "gsmhardv2": "gsm-hard", "asdiv": "asdiv-pal"}  # fmt: skip
_NO_NAMES = {"", "data", "dataset", "questions", "default", "pal"}


def guess_split(path: Path, form: NativeFormat) -> str:
    """Return the split that the file's name tells; benchmarks that come in one piece are test sets."""
    words = [_SPLITS[word] for word in _words(path) if word in _SPLITS]
    if words:
        return words[-1]
    return "test" if form.dataset or guess_dataset(path, form) in _KNOWN_FILES.values() else "all"


def guess_dataset(path: Path, form: NativeFormat) -> str:
    """Return the data set's name: told by the format, else by the file's name."""
    words = [word for word in _words(path) if word not in _SPLITS and word not in _NO_NAMES]
    known = next((_KNOWN_FILES[word] for word in words if word in _KNOWN_FILES), "")
    # a file in GSM8K's format with a name of its own is somebody's own data
    own_name = form.name == "gsm8k" and words and "gsm8k" not in words
    return (
        ("" if own_name else form.dataset)
        or known
        or "-".join(words)
        or path.parent.name.lower()
        or "questions"
    )


def _words(path: Path) -> list[str]:
    stem = path.name.lower()
    while Path(stem).suffix in (".gz", ".jsonl", ".json", ".xml", ".csv", ".tsv", ".txt", ".parquet"):
        stem = Path(stem).stem
    return re.split(r"[^a-z0-9]+", stem)
