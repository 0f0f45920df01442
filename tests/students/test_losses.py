"""The loss: that of the library and its gradients, with a few scores at a time and of labelled cells only."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import BartConfig, BartForConditionalGeneration, Qwen2Config, Qwen2ForCausalLM

from training_backend.students import losses
from training_backend.students.base_student import new_random, new_tiny
from training_backend.students.batches import IGNORED, Encoded, collate, collate_causal
from training_backend.students.losses import token_losses
from training_backend.students.text import StudentText

CPU = torch.device("cpu")
EXAMPLES = [Encoded([5, 6, 7, 8, 1], [9, 1]), Encoded([5, 6, 1], [9, 10, 11, 12, 1]), Encoded([7, 1], [1])]
TARGET_TOKENS = 8


def bart():
    network = BartForConditionalGeneration(
        BartConfig(
            vocab_size=40, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=32,
        )
    )  # fmt: skip
    # what the library adds to the scores behind the output layer
    torch.nn.init.normal_(network.final_logits_bias)
    return network


def qwen():
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=40, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=64, tie_word_embeddings=True,
        )
    )  # fmt: skip


@pytest.fixture(params=["tiny", "flan-t5-small", "bart", "qwen"])
def network(request, lossy):
    torch.manual_seed(0)
    if request.param in ("bart", "qwen"):
        return {"bart": bart, "qwen": qwen}[request.param]().eval()
    text = StudentText.for_folder(lossy)
    return (new_tiny(text) if request.param == "tiny" else new_random(request.param, text)).eval()


def batch_of(network) -> dict[str, torch.Tensor]:
    made = collate(EXAMPLES, 0, 0) if network.config.is_encoder_decoder else collate_causal(EXAMPLES, 0)
    return made.to(CPU)


def gradients(network, loss) -> dict[str, torch.Tensor]:
    network.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def plain_loss(network) -> torch.Tensor:
    """Return the loss from all scores, as anybody would write it."""
    batch = batch_of(network)
    labels = batch.pop("labels")
    logits = network(**batch).logits[:, -labels.shape[1] :]
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


@pytest.mark.parametrize("tokens_at_once", [3, 1000])
def test_loss_and_gradients_are_those_of_all_scores(network, tokens_at_once, monkeypatch):
    rows = network.get_input_embeddings().weight.shape[0]
    monkeypatch.setattr(losses, "_SCORES_AT_ONCE", {"cpu": tokens_at_once * rows})
    ours, theirs = token_losses(network, batch_of(network)), plain_loss(network)
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)
    # scaled as in a step, so that the way back must scale too
    found, wanted = gradients(network, ours / 7), gradients(network, theirs / 7)
    assert found.keys() == wanted.keys() and len(found) > 10
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, atol=1e-5, rtol=1e-4), name


class LargestScores(TorchDispatchMode):
    """Notes how many cells were scored at once: rows of results that are as wide as the vocabulary."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary, self.cells = vocabulary, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        # not the weights themselves, which are seen turned around
        if isinstance(made, torch.Tensor) and made.shape[-1:] == (self.vocabulary,) and func.is_view is False:
            self.cells = max(self.cells, made.shape[:-1].numel())
        return made


def test_no_more_scores_are_held_at_once_than_was_said(network, monkeypatch):
    rows = network.get_output_embeddings().weight.shape[0]
    monkeypatch.setattr(losses, "_SCORES_AT_ONCE", {"cpu": 3 * rows})
    with LargestScores(rows) as seen:
        token_losses(network, batch_of(network)).backward()
    # behind BART's output layer comes more, so it is asked for its scores
    most = TARGET_TOKENS if network.config.model_type == "bart" else 3
    # of 15 cells with padding
    assert seen.cells == most


def test_nothing_stays_on_the_network_and_without_gradients_none_are_made(network):
    batch, layer = batch_of(network), network.get_output_embeddings()
    loss = float(token_losses(network, batch).detach())
    assert not layer._forward_pre_hooks
    with torch.inference_mode():
        assert float(token_losses(network, batch)) == pytest.approx(loss, rel=1e-6)
    network.requires_grad_(False)
    network.get_input_embeddings().weight.requires_grad_(True)
    if network.config.tie_word_embeddings:
        return
    token_losses(network, batch).backward()
    assert layer.weight.grad is None and network.get_input_embeddings().weight.grad is not None


def test_under_autocast_the_gradient_of_the_output_layer_is_kept_in_fp32(lossy):
    network = new_tiny(StudentText.for_folder(lossy)).eval()
    exact = gradients(network, token_losses(network, batch_of(network)))
    with torch.autocast("cpu", torch.bfloat16):
        loss = token_losses(network, batch_of(network))
    assert loss.dtype == torch.float32
    rough = gradients(network, loss)["shared.weight"]
    assert rough.dtype == torch.float32
    assert 0 < float((rough - exact["shared.weight"]).norm() / exact["shared.weight"].norm()) < 0.05
