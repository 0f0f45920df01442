"""LoRA: only its matrices learn, they are kept alone, go on learning, and end up merged."""

from __future__ import annotations

import json
import shutil
import warnings

import pytest
import torch

from training_backend.errors import CheckpointError
from training_backend.students.base_files import base_of_adapter
from training_backend.students.base_student import load_base, load_network, make_tiny, save_student_files
from training_backend.students.batches import collate, encode_examples
from training_backend.students.examples import Example
from training_backend.students.lora import add_lora, is_lora, merged
from training_backend.students.losses import token_losses
from training_backend.students.run_config import RunConfig

CONFIG = RunConfig(tuning="lora", lora_rank=4, lora_alpha=8, lora_dropout=0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory, lossy):
    folder = tmp_path_factory.mktemp("base") / "tiny student"
    make_tiny(folder, lossy)
    return folder


def batch(text):
    _, encoded, _ = encode_examples([Example("1", "t", "the total of 3 boxes", "ans = 3")], text, 64, 64)
    return collate(encoded, text.pad_id, text.pad_id).to(torch.device("cpu"))


def learn(network, text, steps: int = 3, rate: float = 0.05) -> float:
    learning = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=rate)
    for _ in range(steps):
        loss = token_losses(network, batch(text))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(token_losses(network, batch(text)).detach())


@pytest.fixture(scope="module")
def learned(base, tmp_path_factory):
    """A LoRA student after a few steps: (network, text, its checkpoint, its loss)."""
    network, text, tokenizer = load_base(str(base))
    network = add_lora(network, CONFIG, str(base))
    loss = learn(network, text)
    folder = tmp_path_factory.mktemp("checkpoint") / "step-3"
    save_student_files(folder, network, text, tokenizer)
    return network, text, folder, loss


def test_only_small_matrices_learn(base, learned):
    network, text, _, loss = learned
    plain = load_network(base)
    assert is_lora(network) and not is_lora(plain)
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert 0 < count < 0.2 * sum(p.numel() for p in plain.parameters())
    assert all("lora_" in name for name, p in network.named_parameters() if p.requires_grad)
    assert loss < float(token_losses(plain, batch(text)).detach()) - 0.5
    before = plain.state_dict()["shared.weight"]
    assert torch.equal(network.get_base_model().state_dict()["shared.weight"], before)


def test_saving_asks_nobody_about_the_base_student(base, lossy, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("peft.utils.save_and_load.check_file_exists_on_hf_hub", lambda *a, **k: pytest.fail())
    network, text, tokenizer = load_base(str(base))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_student_files(tmp_path, add_lora(network, CONFIG, "some/tiny@c0ffee1"), text, tokenizer)
    assert base_of_adapter(tmp_path) == "some/tiny@c0ffee1"


def test_attention_alone_has_fewer_of_them(base, lossy):
    counts = []
    for targets in ("all layers", "attention"):
        network = add_lora(
            load_network(base), RunConfig(**{**CONFIG.to_dict(), "lora_targets": targets}), "b"
        )
        names = {name.split(".lora_")[0].rpartition(".")[2] for name, p in network.named_parameters()
                 if p.requires_grad}  # fmt: skip
        counts.append(names)
    assert counts[1] == {"q", "k", "v", "o"} and counts[0] > counts[1]


def test_a_checkpoint_holds_no_base_weights_and_loads_merged(learned):
    _, text, folder, loss = learned
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "config.json", "generation_config.json",
        "student_text.json", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    loaded = load_network(folder)
    assert not is_lora(loaded)
    assert float(token_losses(loaded, batch(text)).detach()) == pytest.approx(loss, rel=1e-5)


def test_learning_goes_on_from_a_checkpoint(learned):
    _, text, folder, loss = learned
    again = load_network(folder, trainable=True)
    assert is_lora(again)
    assert float(token_losses(again, batch(text)).detach()) == pytest.approx(loss, rel=1e-5)
    assert learn(again, text, rate=0.002) < loss


def test_merged_it_is_a_student_of_its_own(learned, tmp_path):
    _, text, folder, loss = learned
    plain = merged(load_network(folder, trainable=True))
    save_student_files(tmp_path, plain, text, folder)
    assert (tmp_path / "model.safetensors").is_file() and not (tmp_path / "adapter_config.json").exists()
    loaded, _, _ = load_base(str(tmp_path))
    assert float(token_losses(loaded, batch(text)).detach()) == pytest.approx(loss, rel=1e-5)
    # another round of LoRA begins from a LoRA student
    assert is_lora(add_lora(load_network(folder), CONFIG, str(folder)))


def test_gradients_reach_it_through_checkpointing(base, lossy):
    network, text, _ = load_base(str(base))
    network = add_lora(network, CONFIG, str(base))
    # the old name serves transformers before 5.20
    below = network.get_base_model()
    getattr(below, "activation_checkpointing_enable", below.gradient_checkpointing_enable)()
    network.train()
    token_losses(network, batch(text)).backward()
    # B begins as zeros, so the gradient of A does too
    found = [p.grad for name, p in network.named_parameters() if "lora_B" in name]
    assert found and all(grad is not None for grad in found) and any(grad.abs().sum() > 0 for grad in found)


def test_decoder_only_students_too(tmp_path, qwen):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    Qwen2ForCausalLM(
        Qwen2Config(vocab_size=384, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
                    num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64)
    ).save_pretrained(tmp_path / "base")  # fmt: skip
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(qwen / name, tmp_path / "base" / name)
    network, text, tokenizer = load_base(str(tmp_path / "base"))
    made = add_lora(network, CONFIG, str(tmp_path / "base"))
    assert made.peft_config["default"].task_type == "CAUSAL_LM"
    save_student_files(tmp_path / "adapted", made, text, tokenizer)
    ids = torch.tensor([text.encode("Tom has 3 pens")])
    assert torch.allclose(load_network(tmp_path / "adapted")(ids).logits, made(ids).logits, atol=1e-5)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: (f / "adapter_model.safetensors").unlink(), "has no adapter_model.safetensors"),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b"1"), "damaged or cut off"),
        (lambda f: (f / "adapter_config.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "adapter_config.json").write_text('{"base_model_name_or_path": null}'), "do not say"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(learned, tmp_path, spoil, sentence):
    folder = tmp_path / "student"
    shutil.copytree(learned[2], folder)
    spoil(folder)
    with pytest.raises(CheckpointError, match=sentence):
        load_network(folder)


def test_a_base_that_is_gone_is_named(learned, tmp_path):
    folder = tmp_path / "student"
    shutil.copytree(learned[2], folder)
    file = folder / "adapter_config.json"
    for gone in (str(tmp_path / "gone"), str(folder)):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"base_model_name_or_path": gone}))
        with pytest.raises(CheckpointError, match=r"cannot be used: There is no base|name themselves"):
            load_network(folder)
