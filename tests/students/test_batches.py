"""The batch plan: every example once an epoch, lengths grouped, the same gradient however a step is cut."""

from __future__ import annotations

import pytest
import torch
from rows import make_rows

from training_backend import methods
from training_backend.students.base_student import new_tiny
from training_backend.students.batches import (
    IGNORED,
    BatchPlan,
    Encoded,
    StepLoader,
    collate,
    encode_examples,
)
from training_backend.students.examples import build_examples
from training_backend.students.losses import token_losses
from training_backend.students.optimizer import AdamWScaledByRms
from training_backend.students.text import StudentText


def lengths(count: int, seed: int = 0) -> list[Encoded]:
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(3, 90, (count, 2), generator=generator).tolist()
    return [Encoded([3] * source, [4] * target) for source, target in sizes]


@pytest.mark.parametrize(("batch", "unit"), [(7, "examples"), (200, "target tokens")])
def test_each_epoch_sees_every_example_once(batch, unit):
    encoded = lengths(150)
    plan = BatchPlan(encoded, batch, unit, epochs=2)
    for epoch in (0, 1):
        seen = [i for s in plan.steps if epoch < s.epoch <= epoch + 1 for i in s.indices]
        assert sorted(seen) == list(range(150))
    assert [step.number for step in plan.steps] == list(range(len(plan.steps)))
    assert plan.steps[0].indices != plan.steps[plan.per_epoch()].indices


def test_steps_have_the_size_asked_for():
    encoded = lengths(400)
    sizes = [len(step.indices) for step in BatchPlan(encoded, 8, "examples", 1).steps]
    assert sum(size == 8 for size in sizes) >= len(sizes) - 4
    plan = BatchPlan(encoded, 500, "target tokens", 1)
    tokens = [plan.tokens(step) for step in plan.steps]
    assert 400 < sum(tokens) / len(tokens) <= 520
    assert max(tokens) < 500 + 90


def test_steps_and_parts_of_epochs_end_the_plan():
    encoded = lengths(64)
    assert len(BatchPlan(encoded, 8, "examples", 10, max_steps=5).steps) == 5
    assert len(BatchPlan(encoded, 8, "examples", 0, max_steps=20).steps) == 20
    assert len(BatchPlan(encoded, 8, "examples", 1.5).steps) == 12


def test_seed_fixes_the_plan():
    encoded = lengths(100)
    one = [step.indices for step in BatchPlan(encoded, 8, "examples", 2, seed=1).steps]
    assert one == [step.indices for step in BatchPlan(encoded, 8, "examples", 2, seed=1).steps]
    assert one != [step.indices for step in BatchPlan(encoded, 8, "examples", 2, seed=2).steps]
    plan = BatchPlan(encoded, 8, "examples", 2, seed=1)
    assert [step.indices for step in StepLoader(plan, 5)] == one[5:]
    assert len(StepLoader(plan, 5)) == len(one)


def test_lengths_meet_their_like():
    encoded = lengths(1000)
    plan = BatchPlan(encoded, 16, "examples", 1)

    def filled(steps) -> float:
        useful = padded = 0
        for indices in steps:
            sizes = [len(encoded[i].target) for i in indices]
            useful, padded = useful + sum(sizes), padded + max(sizes) * len(sizes)
        return useful / padded

    unsorted = [range(n, n + 16) for n in range(0, 992, 16)]
    assert filled([step.indices for step in plan.steps]) > 0.85 > 0.65 > filled(unsorted)


def test_micro_batches_keep_the_budget():
    encoded = lengths(60)
    plan = BatchPlan(encoded, 60, "examples", 1)
    groups = list(plan.micro_batches(range(60), 800))
    assert sorted(i for group in groups for i in group) == list(range(60))
    for group in groups:
        source = max(len(encoded[i].source) for i in group)
        target = max(len(encoded[i].target) for i in group)
        assert len(group) == 1 or len(group) * (source + target) <= 800
    assert len(list(plan.micro_batches(range(60), 1))) == 60


def test_collated_ids():
    batch = collate([Encoded([5, 6, 1], [7, 1]), Encoded([5, 1], [8, 9, 1])], pad_id=0, start_id=0)
    assert batch.input_ids.tolist() == [[5, 6, 1], [5, 1, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch.decoder_input_ids.tolist() == [[0, 7, 0], [0, 8, 9]]
    assert batch.labels.tolist() == [[7, 1, IGNORED], [8, 9, 1]]


@pytest.fixture(scope="module")
def small(lossy):
    text = StudentText.for_folder(lossy)
    examples = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(12))
    _, encoded, _ = encode_examples(examples, text, 512, 512)
    return text, encoded, new_tiny(text, seed=0)


def gradient(small, budget: int) -> tuple[float, torch.Tensor]:
    text, encoded, network = small
    plan = BatchPlan(encoded, 12, "examples", 1)
    (step,) = plan.steps
    network.zero_grad()
    total = 0.0
    for group in plan.micro_batches(step.indices, budget):
        batch = collate([encoded[i] for i in group], text.pad_id, text.pad_id).to(torch.device("cpu"))
        loss = token_losses(network, batch) / plan.tokens(step)
        loss.backward()
        total += float(loss.detach())
    return total, torch.cat([p.grad.flatten() for p in network.parameters()])


def test_cutting_a_step_changes_nothing(small):
    whole, whole_gradient = gradient(small, 10**6)
    parts, parts_gradient = gradient(small, 250)
    assert parts == pytest.approx(whole, abs=1e-4)
    assert torch.allclose(parts_gradient, whole_gradient, atol=1e-4, rtol=1e-3)


def test_loss_is_that_of_the_library(small):
    text, encoded, network = small
    batch = collate(encoded[:3], text.pad_id, text.pad_id)
    ours = token_losses(network, batch.to(torch.device("cpu"))) / (batch.labels != IGNORED).sum()
    theirs = network(input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels).loss
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)


def test_nothing_is_cut_and_everything_is_counted(lossy, closed):
    examples = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(6))
    text = StudentText.for_folder(lossy)
    longest = max(len(text.encode(e.target)) for e in examples) + 1
    kept, encoded, fitness = encode_examples(examples, text, 512, longest)
    assert len(kept) == len(encoded) == fitness.used == 6 and fitness.left_out == 0
    assert fitness.longest_target == longest
    kept, _, fitness = encode_examples(examples, text, 512, longest - 1)
    assert len(fitness.too_long) >= 1 and fitness.used + fitness.left_out == 6
    assert not {e.id for e in kept} & set(fitness.too_long)
    # a closed vocabulary without `<` cannot carry these programs
    _, _, fitness = encode_examples(examples, StudentText.for_folder(closed), 512, 512)
    assert fitness.used == 0 and len(fitness.not_exact) == 6


def test_steps_scale_with_what_they_change():
    large = torch.nn.Parameter(torch.full((4, 4), 2.0))
    little = torch.nn.Parameter(torch.full((4, 4), 0.02))
    optimizer = AdamWScaledByRms([large, little], lr=0.1)
    for p in (large, little):
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert float(2.0 - large[0, 0].detach()) == pytest.approx(0.2, rel=1e-3)
    assert float(0.02 - little[0, 0].detach()) == pytest.approx(0.002, rel=1e-3)


def test_optimizer_goes_on_from_its_saved_state():
    def run(split: bool) -> torch.Tensor:
        torch.manual_seed(0)
        p = torch.nn.Parameter(torch.randn(5, 5))
        optimizer = AdamWScaledByRms([p], lr=0.05, weight_decay=0.01)
        for n in range(6):
            if split and n == 3:
                state = optimizer.state_dict()
                optimizer = AdamWScaledByRms([p], lr=0.05, weight_decay=0.01)
                optimizer.load_state_dict(state)
            p.grad = torch.full_like(p, float(n - 2))
            optimizer.step()
        return p.detach()

    assert torch.equal(run(True), run(False))
