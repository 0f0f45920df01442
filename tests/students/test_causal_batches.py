"""Micro-batches of decoder-only students: the loss is on the target only, whatever stands beside it."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from training_backend.students.batches import IGNORED, Encoded, collate_causal
from training_backend.students.losses import token_losses

CPU = torch.device("cpu")
EXAMPLES = [Encoded([5, 6, 7, 8], [9, 1]), Encoded([5, 6], [9, 10, 11, 12, 1]), Encoded([7], [1])]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=20, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=64,
        )
    ).eval()  # fmt: skip


def test_sources_end_and_targets_begin_in_one_column():
    batch = collate_causal(EXAMPLES, pad_id=0)
    assert batch.input_ids.tolist() == [
        [5, 6, 7, 8, 9, 0, 0, 0],
        [0, 0, 5, 6, 9, 10, 11, 12],
        [0, 0, 0, 7, 0, 0, 0, 0],
    ]
    assert batch.attention_mask.tolist() == [
        [1, 1, 1, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1, 1, 1, 1],
        [0, 0, 0, 1, 0, 0, 0, 0],
    ]
    assert batch.labels[0].tolist() == [9, 1, IGNORED, IGNORED, IGNORED]
    assert batch.to(CPU)["position_ids"][1].tolist() == [0, 0, 0, 1, 2, 3, 4, 5]


def test_loss_is_that_of_each_example_alone(network):
    together = token_losses(network, collate_causal(EXAMPLES, pad_id=0).to(CPU))
    alone = 0.0
    for example in EXAMPLES:
        ids = torch.tensor([[*example.source, *example.target]])
        labels = torch.tensor([[IGNORED] * len(example.source) + example.target])
        alone += float(network(input_ids=ids, labels=labels).loss.detach()) * len(example.target)
    assert float(together.detach()) == pytest.approx(alone, rel=1e-5)


def test_what_pads_is_changes_nothing(network):
    one, other = (token_losses(network, collate_causal(EXAMPLES, pad_id=pad).to(CPU)) for pad in (0, 19))
    assert float(one.detach()) == pytest.approx(float(other.detach()), rel=1e-6)
