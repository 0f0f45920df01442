"""What a run will need: shapes of known and of local base students, and sums that follow the settings."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from training_backend.paths import demo_students_dir
from training_backend.students import losses, memory_estimate
from training_backend.students.base_student import new_random, new_tiny
from training_backend.students.batches import Encoded, collate
from training_backend.students.known_bases import KNOWN, Shape, shape_of
from training_backend.students.lora import add_lora
from training_backend.students.losses import token_losses
from training_backend.students.memory_estimate import Device, estimate
from training_backend.students.packing import ROW_TOKENS
from training_backend.students.run_config import RunConfig
from training_backend.students.text import StudentText
from training_backend.students.training import set_dropout

GIB = 2**30
GPU = Device("cuda", "a card", 24 * GIB, 20 * GIB, bf16=True)
CPU = Device("cpu", "the processor", 8 * GIB, 4 * GIB)
BASE = shape_of("google/flan-t5-base")


def test_shapes_by_name_and_by_files(tmp_path):
    assert shape_of("random:flan-t5-small:/x") == shape_of("google/flan-t5-small@abc") == KNOWN[0].shape
    solve = demo_students_dir() / "students" / "solve"
    found = shape_of("demo", solve)
    assert found.width == 128 and found.layers == 4 and 1e6 < found.parameters < 2e6 and not found.causal
    assert shape_of("nobody/unknown") is None
    (tmp_path / "config.json").write_text("{}")
    assert shape_of("x", tmp_path) is None


def test_a_language_model_and_a_bart_are_read_by_their_own_names(tmp_path):
    config = {"hidden_size": 64, "num_hidden_layers": 3, "vocab_size": 99}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert shape_of("x", tmp_path) == Shape(0, 64, 3, 99, causal=True)
    config = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 5, "num_hidden_layers": 2,
              "vocab_size": 99, "is_encoder_decoder": True}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert shape_of("x", tmp_path).layers == 7


def test_damaged_weights_are_no_shape(tmp_path):
    config = {"hidden_size": 64, "num_hidden_layers": 3, "vocab_size": 99}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 20)
    assert shape_of("x", tmp_path) is None


def test_the_sums_are_those_of_the_table():
    # FlanT5-base, AdamW: 16 bytes a weight
    full = estimate(BASE, RunConfig(), GPU)
    assert full.weights + full.gradients + full.optimizer == 16 * BASE.parameters
    lora = estimate(BASE, RunConfig(tuning="lora"), GPU)
    assert lora.gradients + lora.optimizer < 0.05 * (full.gradients + full.optimizer)
    ada = estimate(BASE, RunConfig(optimizer="adafactor"), GPU)
    assert ada.optimizer < full.optimizer / 20


@pytest.mark.parametrize(
    ("changes", "less"),
    [({"gradient_checkpointing": True}, 0.5), ({"micro_tokens": 1024}, 0.4), ({"batch": 8}, 0.5)],
)
def test_what_is_kept_for_the_way_back_follows_the_settings(changes, less):
    usual = estimate(BASE, RunConfig(), GPU)
    other = estimate(BASE, RunConfig(**changes), GPU)
    assert other.activations < less * usual.activations


def test_no_more_is_computed_at_once_than_a_step_has():
    assert estimate(BASE, RunConfig(batch=4), GPU, 60, 40).tokens == 400
    assert estimate(BASE, RunConfig(batch=1000, batch_unit="target tokens"), GPU, 60, 40).tokens == 2500
    assert estimate(BASE, RunConfig(batch=320), CPU, 60, 40).tokens == 1536
    one = estimate(BASE, RunConfig(batch=320), GPU)
    assert one.least < one.total


def test_bf16_keeps_less_than_fp32():
    kept = [estimate(BASE, RunConfig(precision=p), GPU).activations for p in ("bf16", "fp32")]
    assert kept[0] < kept[1]
    assert GPU.precision == "bf16" and dataclasses.replace(GPU, bf16=False).precision == "fp32"


def kept(network, examples: int, source: int, target: int, bf16: bool) -> int:
    """Count the bytes that the way back of some examples keeps beside the weights."""
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    seen: dict[int, tuple[int, torch.Tensor]] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            # held, so that no other tensor gets its place
            seen[storage.data_ptr()] = storage.nbytes(), tensor
        return tensor

    batch = collate([Encoded([3] * source, [4] * target)] * examples, 0, 0)
    with (
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
    ):
        token_losses(network, batch.to(torch.device("cpu")))
    return sum(size for size, _ in seen.values())


@pytest.mark.parametrize(("source", "target"), [(32, 48), (128, 192)])
@pytest.mark.parametrize(
    ("geometry", "changes"),
    [
        ("tiny", {}),
        ("flan-t5-small", {}),
        ("flan-t5-small", {"precision": "bf16"}),
        ("flan-t5-small", {"tuning": "lora", "base": "x"}),
        ("flan-t5-small", {"tuning": "lora", "base": "x", "precision": "bf16"}),
        ("flan-t5-small", {"gradient_checkpointing": True}),
    ],
)
def test_what_examples_keep_is_what_is_counted(geometry, changes, source, target, lossy):
    config = RunConfig(**changes)
    text = StudentText.for_folder(lossy)
    network = new_tiny(text) if geometry == "tiny" else new_random(geometry, text)
    set_dropout(network, 0.1)
    shape = Shape(0, network.config.d_model, network.config.num_layers * 2, text.size)
    if config.tuning == "lora":
        network = add_lora(network, config, "x")
    if config.gradient_checkpointing:
        enable = "activation_checkpointing_enable"  # before transformers 5.20 it had the older name
        getattr(network, enable, network.gradient_checkpointing_enable)()
    network.train()
    bf16 = config.precision == "bf16"
    # the difference of one example leaves out what does not grow with them, as copies of the weights
    counted = kept(network, 2, source, target, bf16) - kept(network, 1, source, target, bf16)
    two, one = (
        estimate(shape, dataclasses.replace(config, batch=n), CPU, source, target).activations for n in (2, 1)
    )
    if config.gradient_checkpointing:
        # the rest is one layer, which is computed again on the way back
        assert counted < two - one < counted * 8
    else:
        assert 0.8 < (two - one) / counted < 1.25


@pytest.mark.parametrize("targets", ["all layers", "attention"])
def test_lora_has_about_the_weights_that_are_reckoned_with(targets, lossy):
    text = StudentText.for_folder(lossy)
    config = RunConfig(tuning="lora", base="x", lora_targets=targets)
    network = add_lora(new_random("flan-t5-small", text), config, "x")
    learning = sum(p.numel() for p in network.parameters() if p.requires_grad)
    found = estimate(Shape(0, 512, 16, text.size), config, CPU)
    assert found.gradients == 4 * found.optimizer / 8
    assert 0.8 < found.gradients / 4 / learning < 1.25


def test_a_packed_row_looks_at_half_its_tokens_and_so_many_scores_are_held():
    assert 2 * memory_estimate._ROW_HALF == ROW_TOKENS
    assert memory_estimate._SCORES_AT_ONCE == losses._SCORES_AT_ONCE
    packed, alone = (estimate(BASE, RunConfig(packing=p), CPU, 32, 32).activations for p in (True, False))
    assert packed > alone
