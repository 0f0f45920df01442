"""Packing: each block of a row has the scores, the loss and the gradient it has in a row of its own."""

from __future__ import annotations

import pytest
import torch
from rows import make_rows

from training_backend import methods
from training_backend.errors import ConfigError
from training_backend.students.base_student import new_random, new_tiny
from training_backend.students.batches import (
    IGNORED,
    BatchPlan,
    Encoded,
    Form,
    collate,
    encode_examples,
)
from training_backend.students.examples import build_examples
from training_backend.students.losses import token_losses
from training_backend.students.packing import (
    ROW_TOKENS,
    collate_packed,
    pack,
    packed_logits,
    require_packable,
)
from training_backend.students.text import SEQ2SEQ, StudentText

CPU = torch.device("cpu")


def lengths(count: int) -> list[Encoded]:
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(3, 90, (count, 2), generator=generator).tolist()
    return [Encoded([3] * source, [4] * target) for source, target in sizes]


@pytest.fixture(scope="module")
def encoded(lossy):
    text = StudentText.for_folder(lossy)
    examples = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(12))
    return text, encode_examples(examples, text, 512, 512)[1]


@pytest.fixture(scope="module", params=["tiny", "flan-t5-small"])
def student(request, encoded):
    text, _ = encoded
    network = new_tiny(text) if request.param == "tiny" else new_random("flan-t5-small", text)
    # the bias of a new network is small; a trained one's is not
    torch.manual_seed(1)
    for stack in (network.encoder, network.decoder):
        bias = stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        torch.nn.init.normal_(bias, std=2.0)
    return network.eval()


def test_scores_are_those_of_each_example_alone(encoded, student):
    text, examples = encoded
    rows = [[0, 7, 3], [5], [1, 2]]
    packed = collate_packed([[examples[i] for i in row] for row in rows], text.pad_id, text.pad_id, IGNORED)
    with torch.inference_mode():
        found = packed_logits(student, packed.to(CPU))
        for n, row in enumerate(rows):
            at = 0
            for i in row:
                alone = collate([examples[i]], text.pad_id, text.pad_id).to(CPU)
                labels = alone.pop("labels")
                wanted = student(**alone, use_cache=False).logits[0]
                here = slice(at, at + labels.shape[1])
                assert packed.labels[n, here].tolist() == labels[0].tolist()
                assert torch.allclose(found[n, here], wanted, atol=1e-4, rtol=1e-4)
                at = here.stop
            assert (packed.labels[n, at:] == IGNORED).all()


def test_without_its_mask_a_block_would_see_its_neighbour(encoded, student):
    text, examples = encoded
    packed = collate_packed([examples[:3]], text.pad_id, text.pad_id, IGNORED).to(CPU)
    with torch.inference_mode():
        apart = packed_logits(student, packed)
        together = packed_logits(student, {**packed, "source_blocks": torch.ones_like(packed["input_ids"])})
    assert not torch.allclose(apart, together, atol=1e-2)


def gradient(student, encoded, packed: bool, budget: int):
    text, examples = encoded
    plan = BatchPlan(examples, 12, "examples", 1)
    (step,) = plan.steps
    form = Form(SEQ2SEQ, text.pad_id, text.pad_id, packed)
    student.zero_grad()
    total, seen = 0.0, []
    for part, batch in form.micro_batches(plan, examples, step.indices, budget):
        loss = token_losses(student, batch.to(CPU)) / plan.tokens(step)
        loss.backward()
        total += float(loss.detach())
        seen += part
    assert sorted(seen) == sorted(step.indices)
    return total, torch.cat([p.grad.flatten() for p in student.parameters()])


def test_loss_and_gradient_of_a_step_are_the_same(encoded, student):
    padded, padded_gradient = gradient(student, encoded, False, 10**6)
    for budget in (10**6, 600):
        packed, packed_gradient = gradient(student, encoded, True, budget)
        assert packed == pytest.approx(padded, abs=1e-4)
        assert torch.allclose(packed_gradient, padded_gradient, atol=1e-4, rtol=1e-3)


def test_rows_are_full_and_hold_every_example_once():
    examples = lengths(300)
    plan = BatchPlan(examples, 300, "examples", 1)
    rows = pack(range(300), plan.sources, plan.targets)
    assert sorted(i for row in rows for i in row) == list(range(300))
    sizes = [(plan.sources[row].sum(), plan.targets[row].sum()) for row in rows]
    assert all(sum(size) <= ROW_TOKENS + 1 for size in sizes)
    used = plan.sources.sum() + plan.targets.sum()
    assert used / (len(rows) * ROW_TOKENS) > 0.9


def test_an_example_longer_than_a_row_has_one_of_its_own():
    examples = [Encoded([3] * 700, [4] * 20), Encoded([3] * 10, [4] * 10), Encoded([3] * 5, [4] * 900)]
    plan = BatchPlan(examples, 3, "examples", 1)
    rows = pack(range(3), plan.sources, plan.targets)
    assert sorted(i for row in rows for i in row) == [0, 1, 2]
    form = Form(SEQ2SEQ, 0, 0, True)
    assert len(list(form.micro_batches(plan, examples, range(3), 1))) == len(rows)


def test_students_with_absolute_positions_are_refused():
    class Network:
        class config:
            model_type = "bart"

    with pytest.raises(ConfigError, match=r"cannot be packed .* \(bart\)"):
        require_packable(Network)
