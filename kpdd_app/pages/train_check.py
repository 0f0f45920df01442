"""The check before a run starts: device, memory, time, which rows are used and why, lost texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods, paths

if TYPE_CHECKING:
    from training_backend.project.listing import RowFilter
    from training_backend.project.store import Project
    from training_backend.students.memory_estimate import Device
    from training_backend.students.run_config import RunConfig

# examples whose text is tried with the student's vocabulary, spread evenly over all
TEXTS_TRIED = 400
# a tiny student that starts from nothing needs about as many to solve anything; the demo students had 60,000
ENOUGH_FROM_NOTHING = 10_000
# optimizer steps of 1,000 target tokens a second: the tiny T5 with one thread of a usual CPU
TINY_STEPS_PER_S = 5.0
_GIB = 2**30
_UNFIT = {"flags": frozenset(["unfit_for_student"])}
_WITH = {"cot": "a chain of thought", "pot": "a program", "eot": "equations"}
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
    """One line: equal (fine), unjudged (beware), wrong (it cannot start) or muted (not known yet).

    `rows` is a RowFilter of the rows behind it, None where there are none. Where a `student` (its folder) is
    named, they are known once all texts were checked against it; it then reads and writes at most `longest`
    tokens. `page` is where what is missing comes from.
    """

    kind: str
    text: str
    rows: Any = None
    student: str = ""
    longest: tuple[int, int] | None = None
    page: str = ""


@dataclass
class Lengths:
    """Mean tokens of what one student reads and writes (0: not known), and how many examples it has."""

    examples: int
    source: float = 0.0
    target: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def check(project: Project, config: RunConfig, dataset: str | None, split: str | None) -> list[Finding]:
    """Return what is to be said before this run starts; reads the project and a sample of the texts."""
    from training_backend.diagnosis import training_device
    from training_backend.project.training_rows import training_rows
    from training_backend.students.examples import build_examples, split_examples

    method, device = methods.get(config.method), training_device()
    rows = list(training_rows(project, method.kinds, dataset=dataset, split=split))
    findings = [
        of_device(device, config),
        *_base(config.base),
        *_rows(project, method, len(rows), dataset, split),
    ]
    known: list[Lengths] = []
    for role in method.roles:
        examples = build_examples(role, rows)
        train, held = split_examples(examples, config.held_out, config.seed)
        if not train:
            written = {methods.KINDS.get(task.writes, task.writes.replace("_", " ")) for task in role.tasks}
            wants = " and ".join(sorted(written))
            findings.append(Finding("wrong", f"{role.title} has nothing to learn from: no row with {wants}."))
            continue
        lengths = _texts(role, config, examples, len(train), _facets(method, dataset, split))
        steps = steps_of(config, len(train), lengths.target)
        about = f", about {steps:,} steps" if steps else ""
        findings.append(
            Finding("equal", f"{role.title}: {len(train):,} examples, {len(held):,} held out{about}.")
        )
        findings += [*lengths.findings, *_warmup(role.title, config, steps)]
        known.append(lengths)
    if known:
        findings += [*_memory(config, device, known), *_time(project, config, known)]
        fewest = min(each.examples for each in known)
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


def of_device(device: Device, config: RunConfig) -> Finding:
    """Return what the run will compute on and in which precision, as far as it is known without torch."""
    precision = device.precision if config.precision == "auto" else config.precision
    if device.kind == "cpu":
        return Finding("unjudged", f"No GPU is seen: the run computes on the processor, in {precision}.")
    free = f"{device.free / _GIB:.1f} of {device.total / _GIB:.1f} GiB free"
    return Finding("equal", f"{device.name}, {free}; computes in {precision}.")


def steps_of(config: RunConfig, examples: int, tokens: float = 0) -> int:
    """Return how many optimizer steps a run takes, 0: not known; `tokens` is the mean length of a target."""
    units = examples if config.batch_unit == "examples" else examples * tokens
    if not units:
        return config.max_steps
    steps = math.ceil(math.ceil(units / max(1, config.batch)) * config.epochs)
    return min(steps, config.max_steps) if config.max_steps and steps else steps or config.max_steps


def _warmup(title: str, config: RunConfig, steps: int) -> list[Finding]:
    """Say that a warm-up (in steps from 1 on, else a share) lasts longer than the whole training."""
    if not steps or config.warmup < max(1, steps):
        return []
    line = f"{title}: the warm-up of {config.warmup:,.0f} steps takes the whole training; the learning rate "
    return [Finding("unjudged", line + "only rises.")]


def base_folder(base: str, role: str = "solve") -> Path | None:
    """Return the folder of a base student or its vocabulary, or None where it is not on this disk."""
    from training_backend.students.hub_download import find_base, is_hub_id
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
    elif is_hub_id(base) and not Path(base).expanduser().is_dir():
        places = list(filter(None, [find_base(base)]))
    else:
        places = [Path(base).expanduser()]
    return next((place for place in places if (place / "tokenizer.json").is_file()), None)


def _base(base: str) -> list[Finding]:
    """Say what a folder lacks, or of a hub id whether it is here and how much is to be downloaded."""
    from training_backend.errors import KpddError
    from training_backend.students.base_files import check_folder
    from training_backend.students.base_names import resolve_base
    from training_backend.students.hub_download import find_base, is_hub_id
    from training_backend.students.known_bases import shape_of
    from training_backend.students.run_folder import base_run

    if not is_hub_id(base) or Path(base).expanduser().is_dir():
        try:
            # which students a run lacks is said beside the choice
            form, folder = ("", None) if base_run(base) is not None else resolve_base(base)
            if form == "folder" and folder is not None:
                check_folder(folder)
        except KpddError as error:
            return [Finding("wrong", f"{error.message} {error.hint}".strip())]
        return []
    if find_base(base) is not None:
        return [Finding("equal", f"{base} is on this computer.")]
    shape = shape_of(base)
    size = f" (about {4 * shape.parameters / _GIB:.1f} GiB)" if shape is not None else ""
    return [
        Finding(
            "unjudged",
            f"{base} is not on this computer: it is downloaded first{size}, before the run starts.",
        )
    ]


def _rows(
    project: Project, method: methods.Method, used: int, dataset: str | None, split: str | None
) -> list[Finding]:
    from training_backend.project.listing import Listing, RowFilter
    from training_backend.project.questions import datasets

    facets = _facets(method, dataset, split)
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
    unused = frozenset(state for state, count in verdicts.items() if state in _WHY and count)
    behind = RowFilter(facets={**facets, "verdict": unused}) if unused else None
    if not total:
        page = "teacher" if datasets(project) else "dataset"
        where = "These questions have" if dataset or split else "The project has"
        return [Finding("wrong", f"{where} no row with {_texts_of(method)} yet.", page=page)]
    if not used:
        why = f" ({'; '.join(reasons)})" if reasons else ""
        return [Finding("wrong", f"No row of {total:,} can be used{why}.", behind)]
    left = f" Not used: {'; '.join(reasons)}." if used < total else ""
    return [Finding("equal", f"{used:,} of {total:,} rows are used.{left}", behind)]


def _texts_of(method: methods.Method) -> str:
    """Return what the rows of a method hold, in words."""
    *first, last = [_WITH[kind] for kind in method.kinds]
    return f"{', '.join(first)} or {last}" if first else last


def _facets(method: methods.Method, dataset: str | None, split: str | None) -> dict[str, frozenset]:
    """Return the values that the rows of a run have on the Dataset page."""
    facets: dict[str, frozenset] = {"kind": frozenset(method.kinds)}
    facets |= {"dataset": frozenset([dataset])} if dataset else {}
    return facets | ({"split": frozenset([split])} if split else {})


def _texts(
    role: methods.Role, config: RunConfig, examples: Sequence[Any], count: int, facets: dict[str, frozenset]
) -> Lengths:
    """Try texts with the student's vocabulary: how long they are, and what it would lose."""
    from training_backend.project.listing import RowFilter
    from training_backend.students.known_bases import shape_of
    from training_backend.students.lint import check_example
    from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText

    title, folder = role.title, base_folder(config.base, role.name)
    if folder is None:
        later = f"{title}: texts are checked when the base student is here, before its run is made."
        return Lengths(count, findings=[Finding("muted", later)])
    shape = shape_of(config.base, folder)
    text, kind = StudentText.for_folder(folder, config.split_digits), SEQ2SEQ
    if shape is not None and shape.causal:
        kind = CAUSAL
    tried = examples[:: max(1, len(examples) // TEXTS_TRIED)]
    pairs = [
        check_example(one, text, config.max_source_tokens, config.max_target_tokens, kind) for one in tried
    ]
    found = _unfit(title, config, pairs, str(folder), RowFilter(facets={**facets, **_UNFIT}))
    means = [sum(pair[side].tokens for pair in pairs) / max(1, len(pairs)) for side in (0, 1)]
    return Lengths(
        count,
        means[0],
        means[1],
        found or [Finding("equal", f"{title}: every text of {len(tried):,} tried comes back exactly.")],
    )


def _unfit(
    title: str, config: RunConfig, pairs: Sequence[Sequence[Any]], folder: str, rows: RowFilter
) -> list[Finding]:
    """Say how many of the tried examples would be damaged or cut, and whether the start is refused."""
    damaged = [one for pair in pairs for one in pair if one.damaged]
    lost = sum(any(one.damaged for one in pair) for pair in pairs)
    long = sum(any(one.too_long for one in pair) for pair in pairs if not any(one.damaged for one in pair))
    none_left, of = lost + long == len(pairs), f"of {len(pairs):,} tried"
    longest = (config.max_source_tokens, config.max_target_tokens)
    found = []
    if lost:
        refused = none_left or config.damaged == "refuse"
        what = "the start is refused" if refused else "they are left out"
        what = "none is left to learn from" if none_left else what
        line = f"{title}: {lost:,} {of} would be damaged, {what}. {damaged[0].why(title)}"
        found.append(Finding("wrong" if refused else "unjudged", line, rows, folder, longest))
    if long:
        what = "none is left to learn from" if none_left else "they are left out"
        line = f"{title}: {long:,} {of} are too long, {what}."
        found.append(Finding("wrong" if none_left else "unjudged", line, rows, folder, longest))
    return found


def _memory(config: RunConfig, device: Device, known: Sequence[Lengths]) -> list[Finding]:
    """Say what the largest of the students needs beside what is free."""
    from training_backend.students.known_bases import shape_of
    from training_backend.students.memory_estimate import estimate

    shape = shape_of(config.base, base_folder(config.base))
    if shape is None:
        return [Finding("muted", "Memory: known when the base student is here.")]
    needs = [estimate(shape, config, device, each.source or 64, each.target or 96) for each in known]
    most = max(needs, key=lambda need: need.total)
    free = f"{device.free / _GIB:.1f} of {device.total / _GIB:.1f} GiB are free"
    line = f"Memory: about {most.total / _GIB:.1f} GiB with {most.tokens:,} tokens at once; {free}."
    if most.least > device.free:
        hint = " Choose LoRA, gradient checkpointing, Adafactor or a smaller base student."
        return [Finding("wrong", line + hint)]
    if most.total > device.free:
        return [
            Finding("unjudged", line + " Micro-batches become smaller by themselves; a step stays the same.")
        ]
    return [Finding("equal", line)]


def _time(project: Project, config: RunConfig, known: Sequence[Lengths]) -> list[Finding]:
    """Say how long it will take by the pace of an earlier run, or that only the first steps will tell."""
    from training_backend.project.runs import runs
    from training_backend.students.run_speeds import recorded_speed

    parent = project.path.parent
    speed = recorded_speed([parent / run.folder for run in runs(project)], config)
    lengths = [each for each in known if each.target]
    if speed is not None and len(lengths) == len(known):
        tokens = sum(target_tokens(config, each) for each in known)
        pace = f"{speed.tokens_per_s:,.0f} target tokens/s of “{speed.title}”"
        return [
            Finding("equal", f"Time: {span(tokens / speed.tokens_per_s)}, by the {pace}, looks not counted.")
        ]
    if lengths and config.base.split(":")[0] in ("demo", "tiny") and config.batch_unit == "target tokens":
        steps = sum(steps_of(config, each.examples, each.target) for each in lengths)
        seconds = steps * config.batch / 1000 / TINY_STEPS_PER_S
        return [
            Finding("equal", f"Time: {span(seconds)} on a usual processor; no such run was made here yet.")
        ]
    return [
        Finding(
            "muted", "Time: known after the first steps, and of the next run like this one before its start."
        )
    ]


def target_tokens(config: RunConfig, lengths: Lengths) -> float:
    """Return the target tokens that one student learns from in the whole run.

    >>> from training_backend.students.run_config import RunConfig
    >>> target_tokens(RunConfig(epochs=2, batch=10), Lengths(100, 50, 30))
    6000.0
    """
    steps = steps_of(config, lengths.examples, lengths.target)
    a_step = config.batch * (lengths.target if config.batch_unit == "examples" else 1)
    return float(min(steps * a_step, config.epochs * lengths.examples * lengths.target or math.inf))
