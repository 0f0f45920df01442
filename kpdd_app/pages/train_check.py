"""The check before a run starts: the device, which rows are used and why others are not, lost texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods, paths

if TYPE_CHECKING:
    from training_backend.project.store import Project
    from training_backend.students.run_config import RunConfig

# examples whose text is tried with the student's vocabulary, spread evenly over all
TEXTS_TRIED = 400
# a tiny student that starts from nothing needs about as many to solve anything; the demo students had 60,000
ENOUGH_FROM_NOTHING = 10_000
# optimizer steps of 1,000 target tokens a second: the tiny T5 with one thread of a usual CPU
TINY_STEPS_PER_S = 5.0
_WHY = {
    "not_equal": "not equal to gold",
    "no_answer": "gave no answer",
    "raised": "raised an error",
    "timed_out": "timed out",
    "out_of_memory": "ran out of memory",
    "refused": "refused by the sandbox",
    "crashed": "crashed",
    "does_not_parse": "do not parse",
    "no_gold": "have no gold answer",
    "not_run": "have not been run",
    "not_asked": "have no reply yet",
}


FROM_NOTHING = (
    "It starts from nothing: with {0} examples it will not solve questions, this shows how training goes. "
    "The demo students saw 60,000 problems."
)


@dataclass(frozen=True)
class Finding:
    """One line: equal (fine), unjudged (beware), wrong (it cannot start) or muted (not known yet)."""

    kind: str
    text: str


def check(project: Project, config: RunConfig, dataset: str | None, split: str | None) -> list[Finding]:
    """Return what is to be said before this run starts; reads the project and a sample of the texts."""
    from training_backend.project.training_rows import training_rows
    from training_backend.students.examples import build_examples, split_examples

    method = methods.get(config.method)
    rows = list(training_rows(project, method.kinds, dataset=dataset, split=split))
    findings = [device(), *_rows(project, method, len(rows), dataset, split)]
    fewest = len(rows)
    for role in method.roles:
        examples = build_examples(role, rows)
        train, held = split_examples(examples, config.held_out, config.seed)
        if not train:
            wants = " and ".join(sorted({task.writes.replace("_", " ") for task in role.tasks}))
            findings.append(Finding("wrong", f"{role.title} has nothing to learn from: no row with {wants}."))
            continue
        texts, tokens = _texts(role, config, examples)
        steps = steps_of(config, len(train), tokens)
        about = f", about {steps:,} steps" if steps else ""
        if steps and config.base.split(":")[0] in ("demo", "tiny") and config.batch_unit == "target tokens":
            about += f" ({span(steps * config.batch / 1000 / TINY_STEPS_PER_S)} on a usual CPU)"
        findings.append(
            Finding("equal", f"{role.title}: {len(train):,} examples, {len(held):,} held out{about}.")
        )
        findings += texts
        fewest = min(fewest, len(train))
    if config.base.split(":")[0] in ("tiny", "random") and fewest < ENOUGH_FROM_NOTHING:
        findings.append(Finding("unjudged", FROM_NOTHING.format(f"{fewest:,}")))
    return findings


def missing_students(base: str, method: str) -> list[str]:
    """Return the titles of the students of a method that the run `base` lacks; none where it is no run."""
    from training_backend.errors import KpddError
    from training_backend.students.run_folder import RunFolder, base_run

    run = base_run(base)
    if run is None:
        return []
    try:
        found = RunFolder.open(run).usable_students()
    except KpddError:
        found = {}
    return [role.title for role in methods.get(method).roles if role.name not in found]


def span(seconds: float) -> str:
    """Return a rough time.

    >>> span(20), span(130), span(5000)
    ('under a minute', 'about 2 min', 'about 1.4 h')
    """
    if seconds < 60:
        return "under a minute"
    return f"about {seconds / 60:.0f} min" if seconds < 3600 else f"about {seconds / 3600:.1f} h"


def device() -> Finding:
    """Return what the run will compute on, as far as it is known without torch."""
    from training_backend.diagnosis import gpus

    found = gpus()
    if not found:
        return Finding("unjudged", "No GPU is seen: the run computes on the CPU.")
    gpu = found[0]
    free = (gpu["memory_mib"] - gpu["used_mib"]) / 1024
    return Finding("equal", f"{gpu['name']}, {free:.1f} of {gpu['memory_mib'] / 1024:.1f} GiB free.")


def steps_of(config: RunConfig, examples: int, tokens: float = 0) -> int:
    """Return how many optimizer steps a run takes, 0: not known; `tokens` is the mean length of a target."""
    units = examples if config.batch_unit == "examples" else examples * tokens
    if not units:
        return config.max_steps
    steps = math.ceil(math.ceil(units / max(1, config.batch)) * config.epochs)
    return min(steps, config.max_steps) if config.max_steps and steps else steps or config.max_steps


def tokenizer_folder(base: str, role: str = "solve") -> Path | None:
    """Return the folder of a base student's tokenizer, or None where it is not on this disk."""
    from training_backend.students.run_folder import RunFolder, base_run

    run = base_run(base)
    if run is not None:
        places = list(filter(None, [RunFolder.open(run).usable_students().get(role)]))
    elif base == "tiny":
        root = paths.demo_students_dir()
        places = [root / "tokenizer", root / "students" / "solve"]
    elif base.startswith("tiny:"):
        places = [Path(base[5:])]
    elif base.startswith("random:"):
        places = [Path(base.split(":", 2)[-1])]
    else:
        places = [Path(base).expanduser()]
    return next((place for place in places if (place / "tokenizer.json").is_file()), None)


def _rows(
    project: Project, method: methods.Method, used: int, dataset: str | None, split: str | None
) -> list[Finding]:
    from training_backend.project.listing import Listing, RowFilter

    facets: dict[str, frozenset] = {"kind": frozenset(method.kinds)}
    facets |= {"dataset": frozenset([dataset])} if dataset else {}
    facets |= {"split": frozenset([split])} if split else {}
    listing = Listing(project.path)
    try:
        counts = {name: dict(values) for name, values in listing.facets(RowFilter(facets=facets)).items()}
    finally:
        listing.close()
    verdicts = counts.get("verdict", {})
    total = sum(verdicts.values())
    reasons = [f"{count:,} {_WHY[state]}" for state, count in verdicts.items() if state in _WHY and count]
    rejected = counts.get("review", {}).get("rejected", 0)
    reasons += [f"{rejected:,} rejected by a person"] if rejected else []
    if not used:
        why = f" ({'; '.join(reasons)})" if reasons else ": the project has no such rows yet"
        return [Finding("wrong", f"No row of {total:,} can be used{why}.")]
    left = f" Not used: {'; '.join(reasons)}." if used < total else ""
    return [Finding("equal", f"{used:,} of {total:,} rows are used.{left}")]


def _texts(role: methods.Role, config: RunConfig, examples: Sequence[Any]) -> tuple[list[Finding], float]:
    """Return what is to be said of the texts, and the mean length of a target in tokens (0: not known)."""
    from training_backend.students.text import StudentText

    title, folder = role.title, tokenizer_folder(config.base, role.name)
    if folder is None:
        return [Finding("unjudged", f"{title}: texts are checked when the base student is there.")], 0
    text = StudentText.for_folder(folder, config.split_digits)
    tried = examples[:: max(1, len(examples) // TEXTS_TRIED)]
    lost = unknown = long = written = 0
    words: list[str] = []
    for example in tried:
        source, target = text.check(example.source), text.check(example.target)
        lost += not (source.exact and target.exact) and not (source.unknown or target.unknown)
        written += target.tokens + 1
        unknown += bool(source.unknown or target.unknown)
        long += source.tokens >= config.max_source_tokens or target.tokens >= config.max_target_tokens
        words += [*source.unknown_words, *target.unknown_words]
    of = f"of {len(tried):,} tried"
    named = ", ".join(f"“{word}”" for word in list(dict.fromkeys(words))[:6])
    found = []
    # damaged texts refuse the start, unless they are to be left out
    refused = config.damaged == "refuse"
    kind, then = ("wrong", "") if refused else ("unjudged", " They are left out.")
    if lost:
        found.append(
            Finding(kind, f"{title}: {lost:,} {of} cannot be spelled exactly with this vocabulary.{then}")
        )
    if unknown:
        found.append(Finding(kind, f"{title}: {unknown:,} {of} hold unknown words, such as {named}.{then}"))
    if long:
        found.append(Finding("unjudged", f"{title}: {long:,} {of} are too long and are left out."))
    return (
        found or [Finding("equal", f"{title}: every text {of} comes back exactly.")],
        written / max(1, len(tried)),
    )
