"""The card of an exported data set: how many rows of what, who wrote them, under which licences, and what to
beware of.

Its head is the YAML that the Hugging Face Hub and `datasets` read:
https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from training_backend.project.export_shapes import Record, columns
from training_backend.project.flags import BY_NAME
from training_backend.project.listing import RowFilter

KINDS = {"cot": "chain of thought", "pot": "program", "eot": "equations", "": "no reply yet"}
# what the files' own publishers state: (identifier of the Hub or "", words)
_PAL = (
    "",
    "Apache-2.0 for the file (github.com/reasoning-machines/pal); of the questions themselves not known",
)
LICENCES: dict[str, tuple[str, str]] = {
    "gsm8k": ("mit", "MIT (github.com/openai/grade-school-math)"),
    "svamp": ("mit", "MIT (github.com/arkilpatel/SVAMP)"),
    "asdiv": ("cc-by-nc-4.0", "CC BY-NC 4.0: no commercial use (github.com/chaochun/nlu-asdiv-dataset)"),
    "asdiv-pal": ("cc-by-nc-4.0", "CC BY-NC 4.0, as ASDiv, from which it is taken"),
    "gsm-hard": ("", "Apache-2.0 for the file (github.com/reasoning-machines/pal), MIT for GSM8K below it"),
    "multiarith": ("", "not stated by its authors (Roy and Roth, 2015)"),
    "sample": ("apache-2.0", "Apache-2.0, made by KPDD Studio itself"),
    "addsub": _PAL,
    "singleeq": _PAL,
    "singleop": _PAL,
    "multiarith-pal": _PAL,
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"))  # fmt: skip


@dataclass
class Tally:
    """What went by: counts of everything that the card tells."""

    rows: int = 0
    splits: Counter = field(default_factory=Counter)
    datasets: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    verdicts: Counter = field(default_factory=Counter)
    reviews: Counter = field(default_factory=Counter)
    flags: Counter = field(default_factory=Counter)
    writers: Counter = field(default_factory=Counter)
    corrected: int = 0
    key_points: int = 0

    def watch(self, rows: Iterator[Record]) -> Iterator[Record]:
        """Yield the rows on, counted."""
        for record in rows:
            self._count(record)
            yield record

    def _count(self, record: Record) -> None:
        self.rows += 1
        self.splits[record["dataset"], record["split"], record["kind"]] += 1
        self.datasets[record["dataset"]] += 1
        self.kinds[record["kind"]] += 1
        self.verdicts[record["verdict"]] += 1
        self.reviews[record["review"]] += 1
        self.flags.update(record["flags"])
        self.corrected += record["changed"]
        self.key_points += bool(record["core_question"] or record["information"])
        for what in ("key_points", "rationale"):
            who = record[f"{what}_teacher"]
            if who:
                self.writers[what.replace("_", " "), who, record[f"{what}_prompt"]] += 1


def card(
    name: str,
    tally: Tally,
    wanted: RowFilter,
    shards: Mapping[str, int] | None = None,
    notes: bool = False,
    unlooked: int = 0,
) -> str:
    """Return the card in Markdown.

    `shards` are the splits of a folder with their rows; `unlooked` says how many questions of the project
    were not looked at for flags yet.
    """
    import yaml

    head = yaml.safe_dump(_head(name, tally, shards), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{head}---\n",
        f"# {_plain(name)}\n",
        f"{tally.rows:,} rows of mathematical word problems with key points and rationales that a teacher "
        "model wrote, checked against the gold answers and curated by hand with KPDD Studio. Texts stand as "
        "corrected.\n",
        f"Rows chosen: {filter_in_words(wanted)}.\n",
        _counts(tally),
        _writers(tally),
        _licences(tally),
        _leakage(tally, unlooked),
        _columns(notes),
    ]
    return "\n".join(part for part in parts if part)


def filter_in_words(wanted: RowFilter) -> str:
    """Return what a filter asks for, in words."""
    parts = [
        f"{name} is {' or '.join(_plain(str(value)) or 'empty' for value in sorted(values, key=str))}"
        for name, values in wanted.facets.items()
        if values
    ]
    if wanted.search.strip():
        parts.append(f"the text holds “{_plain(wanted.search.strip())}”")
    return ", and ".join(parts) or "all"


def _head(name: str, tally: Tally, shards: Mapping[str, int] | None) -> dict:
    licences = {LICENCES.get(_family(dataset), ("", ""))[0] for dataset in tally.datasets}
    head: dict = {
        "pretty_name": name,
        "license": licences.pop() if len(licences) == 1 and "" not in licences else "other",
        "task_categories": ["text-generation"],
        "tags": ["math-word-problems", "knowledge-distillation", "key-points"],
        "size_categories": [next((word for most, word in _SIZES if tally.rows < most), "n>10M")],
    }
    if shards:
        files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in sorted(shards)]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    return head


def _counts(tally: Tally) -> str:
    lines = ["## Counts\n", "| data set | split | rationale | rows |", "| --- | --- | --- | ---: |"]
    lines += [
        f"| {_cell(dataset)} | {_cell(split)} | {KINDS.get(kind, _cell(kind))} | {count:,} |"
        for (dataset, split, kind), count in sorted(tally.splits.items())
    ]
    lines += [
        "",
        f"- verdict: {_list(tally.verdicts)}",
        f"- review by a person: {_list(tally.reviews)}",
        f"- with key points: {tally.key_points:,}; with a text that a person corrected: {tally.corrected:,}",
        "",
    ]
    return "\n".join(lines)


def _writers(tally: Tally) -> str:
    if not tally.writers:
        return "## Teachers\n\nNo teacher wrote anything of these rows.\n"
    lines = ["## Teachers\n", "| wrote | teacher and model | version of the prompt | rows |",
             "| --- | --- | --- | ---: |"]  # fmt: skip
    lines += [
        f"| {what} | {_cell(who)} | {_cell(prompt) or 'not recorded'} | {count:,} |"
        for (what, who, prompt), count in sorted(tally.writers.items())
    ]
    return "\n".join([*lines, "", "What a model wrote may be bound by the terms of its provider.\n"])


def _licences(tally: Tally) -> str:
    lines = ["## Licences of the questions\n"]
    for dataset in sorted(tally.datasets):
        words = LICENCES.get(_family(dataset), ("", "not known to the program; look at its source"))[1]
        lines.append(f"- {_plain(dataset) or 'without a name'}: {words}")
    return "\n".join([*lines, ""])


def _leakage(tally: Tally, unlooked: int) -> str:
    lines = ["## Leakage\n"]
    tests = sum(count for (_, split, _), count in tally.splits.items() if split == "test")
    if tests:
        lines.append(f"- {tests:,} rows are of a test split: do not train on them what is measured on it.")
    for name in ("near_benchmark", "answer_in_key_points"):
        meaning = BY_NAME[name].meaning
        lines.append(f"- `{name}`: {tally.flags[name]:,} rows. {meaning}")
    others = {name: count for name, count in tally.flags.items()
              if name not in ("near_benchmark", "answer_in_key_points")}  # fmt: skip
    if others:
        lines.append(f"- other flags: {_list(Counter(others))}")
    if unlooked:
        lines.append(
            f"- {unlooked:,} questions of the project were not looked at for flags when this was written."
        )
    lines.append(
        "- Only test sets that were in the project could be compared with; others were not looked at."
    )
    return "\n".join([*lines, ""])


def _columns(notes: bool) -> str:
    lines = ["## Columns\n", "| column | holds | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {kind} | {meaning} |" for name, (kind, meaning) in columns(notes).items()]
    return "\n".join([*lines, ""])


def _family(dataset: str) -> str:
    return dataset.strip().lower()


def _list(counts: Counter) -> str:
    return ", ".join(f"{_plain(str(name)) or 'none'} {count:,}" for name, count in counts.most_common())


def _plain(text: str) -> str:
    """Return text on one line that Markdown takes as text."""
    return " ".join(text.split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
