"""On a GPU: bf16 by itself, memory as it was foretold, the same curve however a step is cut, and resumed.

`python3 run.py test gpu` runs these; without a CUDA device they skip.
"""

from __future__ import annotations

import pytest
import torch
from small_runs import Watching, small_run

from training_backend.events import Control, Log, Metrics
from training_backend.students import watcher
from training_backend.students.base_student import new_random
from training_backend.students.batches import Encoded, collate
from training_backend.students.known_bases import Shape
from training_backend.students.losses import token_losses
from training_backend.students.memory_estimate import Device, estimate
from training_backend.students.run_config import RunConfig
from training_backend.students.text import StudentText
from training_backend.students.training import train_role

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(autouse=True)
def report_every_step(monkeypatch):
    monkeypatch.setattr(watcher, "EVENTS_EVERY_S", 0.0)


def train(tmp_path, lossy, name, **changes):
    """Train a small Solve student; return (its run, the reporter)."""
    run = small_run(tmp_path, lossy, name, base=f"random:flan-t5-small:{lossy}", **changes)
    reporter = Watching()
    train_role(run, run.method.role("solve"), reporter, Control())
    return run, reporter


def curve(reporter) -> dict[int, float]:
    return {event.step: event.loss for event in reporter.all(Metrics)}


def test_bf16_is_chosen_and_learns_as_fp32_does(tmp_path, lossy):
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        pytest.skip("this GPU has no bf16")
    _, auto = train(tmp_path, lossy, "auto", dropout=0.0)
    _, exact = train(tmp_path, lossy, "exact", dropout=0.0, precision="fp32")
    assert any("bf16 on cuda" in event.text for event in auto.all(Log))
    found, wanted = curve(auto), curve(exact)
    assert found[8] < found[1]
    assert all(found[step] == pytest.approx(wanted[step], rel=0.02) for step in wanted)
    assert any(found[step] != wanted[step] for step in wanted)


def test_micro_batches_and_packing_do_not_change_the_curve(tmp_path, lossy):
    same = {"dropout": 0.0, "precision": "fp32", "max_steps": 5, "batch": 8}
    _, whole = train(tmp_path, lossy, "whole", **same)
    _, cut = train(tmp_path, lossy, "cut", micro_tokens=150, **same)
    _, packed = train(tmp_path, lossy, "packed", packing=True, **same)
    for other in (cut, packed):
        assert curve(other) == pytest.approx(curve(whole), abs=1e-3)


def test_stopped_and_resumed_is_the_same_curve(tmp_path, lossy):
    _, whole = train(tmp_path, lossy, "whole", dropout=0.1)
    run = small_run(tmp_path, lossy, "parts", base=f"random:flan-t5-small:{lossy}", dropout=0.1)
    role, control = run.method.role("solve"), Control()
    before = Watching(lambda event: control.stop() if event.step == 3 else None)
    assert train_role(run, role, before, control).status == "stopped"
    after = Watching()
    assert train_role(run, role, after, Control(), resume=True).status == "done"
    assert curve(before) | curve(after) == pytest.approx(curve(whole), rel=0.01)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("tokens", [(64, 96), (256, 256)])
def test_a_step_needs_the_memory_that_was_foretold(precision, tokens, lossy):
    if precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        pytest.skip("this GPU has no bf16")
    source, target = tokens
    examples = 8192 // (source + target)
    text = StudentText.for_folder(lossy)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    network = new_random("flan-t5-small", text).cuda().train()
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    batch = collate([Encoded([3] * source, [4] * target)] * examples, 0, 0).to(torch.device("cuda"))
    for _ in range(2):
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            loss = token_losses(network, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    used = torch.cuda.max_memory_allocated() - before
    weights = sum(p.numel() for p in network.parameters())
    config = RunConfig(precision=precision, batch=examples)
    card = Device("cuda", "this card", 80 << 30, 80 << 30, bf16=True)
    foretold = estimate(Shape(weights, 512, 16, text.size), config, card, source, target)
    needed = foretold.total - foretold.context
    assert foretold.tokens == examples * (source + target)
    # the whole must not be more than was said, and not so much less that runs are refused for nothing
    assert 0.6 * needed < used < 1.1 * needed
