"""What a run will need: shapes of known and of local base students, and sums that follow the settings."""

from __future__ import annotations

import dataclasses
import json

import pytest

from training_backend.paths import demo_students_dir
from training_backend.students.known_bases import KNOWN, Shape, shape_of
from training_backend.students.memory_estimate import Device, estimate
from training_backend.students.run_config import RunConfig

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
    [({"gradient_checkpointing": True}, 0.7), ({"micro_tokens": 1024}, 0.25), ({"batch": 8}, 0.3)],
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
