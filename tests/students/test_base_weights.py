"""Weights beside their configuration: looked at without loading them, also in parts and as LoRA's."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM

from training_backend.errors import CheckpointError
from training_backend.students.base_student import (
    load_base,
    load_network,
    look_over,
    make_tiny,
    save_student_files,
)
from training_backend.students.base_weights import network_without_weights, read_config
from training_backend.students.lora import add_lora
from training_backend.students.run_config import RunConfig


@pytest.fixture
def tiny(tmp_path, lossy):
    make_tiny(tmp_path / "tiny", lossy)
    return tmp_path / "tiny"


@pytest.fixture
def adapter(tmp_path, tiny):
    network, text, tokenizer = load_base(str(tiny))
    save_student_files(tmp_path / "adapter", add_lora(network, RunConfig(), str(tiny)), text, tokenizer)
    return tmp_path / "adapter"


def test_nothing_is_loaded_for_a_look(tiny):
    network = network_without_weights(tiny, read_config(tiny))
    assert {weights.device.type for weights in network.parameters()} == {"meta"}


def test_weights_in_parts_are_looked_at_too(tiny):
    whole = AutoModelForSeq2SeqLM.from_pretrained(tiny)
    (tiny / "model.safetensors").unlink()
    whole.save_pretrained(tiny, max_shard_size="300KB")
    parts = sorted(tiny.glob("model-0*.safetensors"))
    assert len(parts) > 2
    look_over(str(tiny))
    tensors = load_file(parts[1])
    name = min(name for name in tensors if tensors[name].ndim == 2)
    rows, columns = tensors[name].shape
    save_file({**tensors, name: tensors[name][1:].clone()}, parts[1], {"format": "pt"})
    with pytest.raises(CheckpointError) as caught:
        look_over(str(tiny))
    said = f"{name} is {rows - 1} × {columns} in the weights and {rows} × {columns} by config.json"
    assert said in str(caught.value) and caught.value.where == str(tiny / "model.safetensors.index.json")
    parts[1].write_bytes(parts[1].read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="cut off"):
        look_over(str(tiny))


def test_lora_fits_its_base_student(adapter):
    look_over(str(adapter))
    load_network(adapter)


def less_rank(folder):
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"r": 8}))


def take_one(folder):
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    del tensors[min(tensors)]
    save_file(tensors, file)


def add_one(folder):
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    name = min(tensors)
    save_file({**tensors, name.replace(".block.0.", ".block.7."): tensors[name].clone()}, file)


def cut_off(folder):
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (less_rank, r"lora_A\S* is 16 × 128 in adapter_model.safetensors, its layer wants 8 × 128 \(63 more"),
        (take_one, r"1 of 64 are missing, the first is \S+lora_A"),
        (add_one, r"1 have no layer there, the first is \S+block\.7"),
        (cut_off, "damaged or cut off"),
    ],
)
def test_lora_that_does_not_fit_is_one_sentence(adapter, spoil, sentence):
    spoil(adapter)
    said = set()
    for way in (lambda: look_over(str(adapter)), lambda: load_network(adapter, trainable=True)):
        with pytest.raises(CheckpointError, match=sentence) as caught:
            way()
        said.add(str(caught.value))
    assert len(said) == 1 and "\n" not in said.pop()
    assert caught.value.where == str(adapter / "adapter_model.safetensors")
