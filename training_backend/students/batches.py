"""The batch plan: which examples an optimizer step sees, and how they are cut into what the device holds.

A step is a fixed number of examples or of target tokens. Examples of similar length meet in a step, and a
step is computed in micro-batches of at most a budget of padded tokens; the loss is summed over tokens and
divided by the tokens of the whole step, so the cut does not change the curve. The seed fixes the whole plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from training_backend.students.examples import Example
from training_backend.students.lint import fits_together
from training_backend.students.packing import PackedBatch, collate_packed, pack, packed_groups
from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText

# steps whose examples are sorted together: long enough to group lengths, short enough to stay random
POOL_STEPS = 16
IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """The ids of one example, each with its end mark."""

    source: list[int]
    target: list[int]


@dataclass
class Fitness:
    """What became of the examples: ids used, and ids left out by reason."""

    used: int
    too_long: list[str]
    not_exact: list[str]
    longest_source: int = 0
    longest_target: int = 0

    @property
    def left_out(self) -> int:
        """Return how many examples are not used."""
        return len(self.too_long) + len(self.not_exact)


@dataclass(frozen=True)
class Step:
    """One optimizer step: its place in the run and its examples (indices)."""

    number: int
    epoch: float
    indices: tuple[int, ...]


@dataclass
class Batch:
    """One micro-batch of token ids; shapes (examples, tokens)."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    decoder_input_ids: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> dict[str, torch.Tensor]:
        """Return the arguments of a network on `device`."""
        return {
            "input_ids": self.input_ids.to(device, non_blocking=True),
            "attention_mask": self.attention_mask.to(device, non_blocking=True),
            "decoder_input_ids": self.decoder_input_ids.to(device, non_blocking=True),
            "labels": self.labels.to(device, non_blocking=True),
        }


@dataclass
class CausalBatch:
    """One micro-batch of a decoder-only student: sources end, and targets begin, in one column.

    Token ids (examples, source + target - 1 tokens); labels (examples, target tokens) are those of the last
    columns: the loss is on the target only, and scores of the source are never computed.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> dict[str, torch.Tensor]:
        """Return the arguments of a network on `device`; positions begin where the source does."""
        mask = self.attention_mask.to(device, non_blocking=True)
        return {
            "input_ids": self.input_ids.to(device, non_blocking=True),
            "attention_mask": mask,
            "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
            "labels": self.labels.to(device, non_blocking=True),
        }


@dataclass(frozen=True)
class Form:
    """How micro-batches are made for a student: its kind, its marks, and whether rows are packed."""

    kind: str
    pad_id: int
    start_id: int
    packed: bool = False

    def micro_batches(
        self, plan: BatchPlan, encoded: Sequence[Encoded], indices: Sequence[int], budget: int
    ) -> Iterator[tuple[list[int], Batch | CausalBatch | PackedBatch]]:
        """Yield (indices, micro-batch) of a step, each of at most `budget` padded tokens."""
        if self.packed:
            rows = pack(indices, plan.sources, plan.targets)
            for group in packed_groups(rows, plan.sources, plan.targets, budget):
                texts = [[encoded[i] for i in row] for row in group]
                part = [i for row in group for i in row]
                yield part, collate_packed(texts, self.pad_id, self.start_id, IGNORED)
            return
        for part in plan.micro_batches(indices, budget):
            chosen = [encoded[i] for i in part]
            if self.kind == CAUSAL:
                yield part, collate_causal(chosen, self.pad_id)
            else:
                yield part, collate(chosen, self.pad_id, self.start_id)


def encode_examples(
    examples: Sequence[Example],
    text: StudentText,
    max_source: int,
    max_target: int,
    kind: str = SEQ2SEQ,
    positions: int = 0,
) -> tuple[list[Example], list[Encoded], Fitness]:
    """Return the examples that fit the student, their ids, and what was left out and why.

    Nothing is cut: an example longer than a limit (or than the network's `positions`, 0: no limit) is left
    out. An example one of whose texts does not come back exactly is left out too: the student would learn a
    damaged text.
    """
    kept: list[Example] = []
    encoded: list[Encoded] = []
    fitness = Fitness(0, [], [])
    for example in examples:
        source, target = text.source_ids(example.source, kind), text.target_ids(example.target)
        fitness.longest_source = max(fitness.longest_source, len(source))
        fitness.longest_target = max(fitness.longest_target, len(target))
        long = len(source) > max_source or len(target) > max_target
        if long or not fits_together(len(source), len(target), positions, kind):
            fitness.too_long.append(example.id)
        elif not text.carries(example.source) or not text.carries(example.target):
            fitness.not_exact.append(example.id)
        else:
            kept.append(example)
            encoded.append(Encoded(source, target))
    fitness.used = len(kept)
    return kept, encoded, fitness


class BatchPlan:
    """The steps of a whole run, in order, from the lengths of its examples."""

    def __init__(
        self,
        encoded: Sequence[Encoded],
        batch: int,
        unit: str,
        epochs: float,
        max_steps: int = 0,
        seed: int = 0,
    ) -> None:
        """Plan `epochs` passes of steps of `batch` examples or target tokens (`unit`)."""
        self.sources = np.array([len(e.source) for e in encoded], dtype=np.int64)
        self.targets = np.array([len(e.target) for e in encoded], dtype=np.int64)
        self.steps: list[Step] = []
        whole, part = divmod(epochs, 1) if epochs else (1_000_000, 0.0)
        for epoch in range(int(whole) + (part > 0)):
            cuts = self._epoch(np.random.default_rng((seed, epoch)), batch, unit)
            wanted = len(cuts) if epoch < whole else max(1, round(part * len(cuts)))
            for n, cut in enumerate(cuts[:wanted]):
                self.steps.append(Step(len(self.steps), epoch + (n + 1) / len(cuts), tuple(cut.tolist())))
            if max_steps and len(self.steps) >= max_steps:
                del self.steps[max_steps:]
                break

    def _epoch(self, random: np.random.Generator, batch: int, unit: str) -> list[np.ndarray]:
        order = random.permutation(len(self.targets))
        if unit == "examples":
            pool = batch * POOL_STEPS
        else:
            pool = max(1, int(batch * POOL_STEPS / max(1.0, float(self.targets.mean()))))
        cuts: list[np.ndarray] = []
        for start in range(0, len(order), pool):
            part = order[start : start + pool]
            part = part[np.lexsort((self.sources[part], self.targets[part]))]
            if unit == "examples":
                cuts += [part[n : n + batch] for n in range(0, len(part), batch)]
            else:
                ends = np.cumsum(self.targets[part])
                marks = np.flatnonzero(np.diff((ends - 1) // batch)) + 1
                cuts += np.split(part, marks)
        return [cuts[n] for n in random.permutation(len(cuts))]

    def per_epoch(self) -> int:
        """Return how many steps the first epoch has."""
        return sum(step.epoch <= 1.0 for step in self.steps)

    def tokens(self, step: Step) -> int:
        """Return the target tokens of a step, the divisor of its loss."""
        return int(self.targets[list(step.indices)].sum())

    def micro_batches(self, indices: Sequence[int], budget: int) -> Iterator[list[int]]:
        """Cut indices into groups of similar length of at most `budget` padded tokens, or one example."""
        order = sorted(indices, key=lambda i: (self.targets[i], self.sources[i]))
        group: list[int] = []
        source = target = 0
        for i in order:
            wider = max(source, int(self.sources[i])), max(target, int(self.targets[i]))
            if group and (len(group) + 1) * sum(wider) > budget:
                yield group
                group, wider = [], (int(self.sources[i]), int(self.targets[i]))
            group.append(i)
            source, target = wider
        if group:
            yield group


class StepLoader:
    """Iterates over the steps of a plan from `start`; what transformers' Trainer takes as a data loader."""

    def __init__(self, plan: BatchPlan, start: int = 0) -> None:
        """Begin at step `start` (of a resumed run)."""
        self.plan = plan
        self.start = start
        self.dataset = plan.steps

    def __len__(self) -> int:
        """Return the steps of the whole run."""
        return len(self.plan.steps)

    def __iter__(self) -> Iterator[Step]:
        """Yield the steps that are left."""
        return iter(self.plan.steps[self.start :])


def collate(encoded: Sequence[Encoded], pad_id: int, start_id: int) -> Batch:
    """Return one padded micro-batch; the decoder reads its target shifted by one, from `start_id`."""
    sources = _pad([e.source for e in encoded], pad_id)
    labels = _pad([e.target for e in encoded], IGNORED)
    decoder = _pad([[start_id, *e.target[:-1]] for e in encoded], pad_id)
    lengths = torch.tensor([len(e.source) for e in encoded])
    mask = (torch.arange(sources.shape[1])[None, :] < lengths[:, None]).long()
    return Batch(sources, mask, decoder, labels)


def collate_causal(encoded: Sequence[Encoded], pad_id: int) -> CausalBatch:
    """Return one padded micro-batch of a decoder-only student: sources padded left, targets right."""
    sources = _pad([e.source[::-1] for e in encoded], pad_id).flip(1)
    targets = _pad([e.target for e in encoded], IGNORED)
    written = _pad([e.target[:-1] for e in encoded], pad_id)
    before = torch.tensor([sources.shape[1] - len(e.source) for e in encoded])
    after = torch.tensor([sources.shape[1] + len(e.target) - 1 for e in encoded])
    columns = torch.arange(sources.shape[1] + written.shape[1])[None, :]
    mask = (columns >= before[:, None]) & (columns < after[:, None])
    return CausalBatch(torch.cat([sources, written], 1), mask.long(), targets)


def _pad(rows: list[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows), default=0)
    table = np.full((len(rows), width), value, dtype=np.int64)
    for n, row in enumerate(rows):
        table[n, : len(row)] = row
    return torch.from_numpy(table)
