"""What goes wrong in a training, and what it goes on with: memory, numbers, looks, a second process."""

from __future__ import annotations

import json
import math

import pytest
import torch
from rows import make_rows
from small_runs import Watching, small_run

from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control, HeldOut, Log, Metrics
from training_backend.students import held_out, trainer, watcher
from training_backend.students.base_student import load_network
from training_backend.students.run_folder import RoleStatus
from training_backend.students.training import train_role


@pytest.fixture(autouse=True)
def report_every_step(monkeypatch):
    monkeypatch.setattr(watcher, "EVENTS_EVERY_S", 0.0)


def losses(reporter) -> list[float]:
    return [event.loss for event in reporter.all(Metrics)]


def only_small_fits(cells: int, error: Exception):
    """Return the trainer's losses on a device that holds so many cells of ids."""
    real = trainer.token_losses

    def limited(network, batch):
        if batch["input_ids"].numel() + batch["labels"].numel() > cells:
            raise error
        return real(network, batch)

    return limited


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_out_of_memory_makes_smaller_micro_batches_of_the_same_step(tmp_path, lossy, monkeypatch, error):
    settings = {"max_steps": 4, "batch": 8, "micro_tokens": 4000, "held_out": 0}
    wanted, found = Watching(), Watching()
    whole = small_run(tmp_path, lossy, "whole", **settings)
    train_role(whole, whole.method.role("solve"), wanted, Control())
    run = small_run(tmp_path, lossy, "less", **settings)
    monkeypatch.setattr(trainer, "token_losses", only_small_fits(600, error))
    train_role(run, run.method.role("solve"), found, Control())
    assert losses(found) == pytest.approx(losses(wanted), abs=1e-4)
    told = [event for event in found.all(Log) if "Out of memory" in event.text]
    assert [event.level for event in told] == ["warning"] * len(told)
    assert "2000 tokens; a step is the same" in told[0].text and 1 <= len(told) <= 4
    # what fits is remembered
    kept = json.loads((run.checkpoints("solve")[-1] / trainer.PROGRESS_FILE).read_text())
    assert kept["micro_tokens"] < 1001


def test_an_example_that_fits_no_memory_is_one_sentence(tmp_path, lossy, monkeypatch):
    run = small_run(tmp_path, lossy)
    monkeypatch.setattr(trainer, "token_losses", only_small_fits(3, torch.OutOfMemoryError("out of memory")))
    with pytest.raises(ConfigError, match=r"One example of \d+ tokens does not fit"):
        train_role(run, run.method.role("solve"), Watching(), Control())
    assert run.role_status("solve").status == "failed"


def test_another_error_is_no_lack_of_memory(tmp_path, lossy, monkeypatch):
    run = small_run(tmp_path, lossy)
    monkeypatch.setattr(
        trainer, "token_losses", only_small_fits(3, RuntimeError("shapes cannot be multiplied"))
    )
    with pytest.raises(RuntimeError, match="multiplied"):
        train_role(run, run.method.role("solve"), Watching(), Control())


def spoilt(at_step: int, rows: int, how):
    """Return the trainer's losses; the first micro-batch of a step is spoilt by `how`."""
    real, calls = trainer.token_losses, []

    def losses_of(network, batch):
        calls.append(1)
        loss = real(network, batch)
        return how(loss) if len(calls) == at_step * rows + 1 else loss

    return losses_of


@pytest.mark.parametrize(
    "how",
    [
        lambda loss: loss * math.nan,
        lambda loss: loss * math.inf,
        # a loss that looks sound, and a gradient that is no number
        lambda loss: loss + torch.sqrt((loss - loss.detach()) ** 2),
    ],
)
@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_no_weight_is_spoilt_by_a_loss_that_is_no_number(tmp_path, lossy, monkeypatch, how, clip):
    run = small_run(tmp_path, lossy, save_every=1, held_out=0, micro_tokens=1, clip=clip)
    # one example at once, four a step
    monkeypatch.setattr(trainer, "token_losses", spoilt(3, 4, how))
    with pytest.raises(DatasetError, match=r"not a number at step 4 \(rows \d+") as caught:
        train_role(run, run.method.role("solve"), Watching(), Control())
    kept = run.checkpoints("solve")
    assert [path.name for path in kept] == ["step-2", "step-3"]
    assert all(torch.isfinite(p).all() for p in load_network(kept[-1]).parameters())
    assert "solve.train.jsonl" in caught.value.where
    status = run.role_status("solve")
    assert (status.status, status.step) == ("failed", 3) and "step 4" in status.error
    monkeypatch.undo()
    assert train_role(run, run.method.role("solve"), Watching(), Control(), resume=True).status == "done"


def test_the_rows_of_the_odd_micro_batch_are_named(tmp_path, lossy, monkeypatch):
    run = small_run(tmp_path, lossy, held_out=0, micro_tokens=1)
    monkeypatch.setattr(trainer, "token_losses", spoilt(0, 4, lambda loss: loss * math.nan))
    with pytest.raises(DatasetError) as caught:
        train_role(run, run.method.role("solve"), Watching(), Control())
    assert "," not in caught.value.message and "(rows " in caught.value.message


class Looks:
    """Held-out looks with the accuracies given, in place of decoding and running."""

    def __init__(self, accuracies):
        self.left = list(accuracies)

    def __call__(self, student, examples, judged, loss, *rest):
        return held_out.Look(loss=loss, accuracy=self.left.pop(0))


def test_early_stopping_goes_by_answers_not_by_loss(tmp_path, lossy, monkeypatch):
    settings = {"max_steps": 12, "eval_every": 2, "save_every": 100, "early_stopping": 2}
    ended = {}
    for best_by in ("accuracy", "loss"):
        monkeypatch.setattr(watcher, "look", Looks([0.2, 0.5, 0.4, 0.3, 0.1, 0.1]))
        run = small_run(tmp_path, lossy, best_by, best_by=best_by, **settings)
        reporter = Watching()
        status = train_role(run, run.method.role("solve"), reporter, Control())
        seen = [event.loss for event in reporter.all(HeldOut)]
        assert seen == sorted(seen, reverse=True)
        about = json.loads((run.student_dir("solve") / "student.json").read_text())
        ended[best_by] = (status.step, status.best_step, about["step"])
    assert ended == {"accuracy": (8, 4, 4), "loss": (12, 12, 12)}


def test_a_resumed_run_knows_its_best_look_and_those_since(tmp_path, lossy, monkeypatch):
    settings = {"max_steps": 12, "eval_every": 2, "save_every": 100, "early_stopping": 2}
    monkeypatch.setattr(watcher, "look", Looks([0.5, 0.6, 0.3]))
    run = small_run(tmp_path, lossy, **settings)
    role = run.method.role("solve")
    control = Control()
    # stopped after step 7: the look at step 6 was worse than that at step 4
    train_role(run, role, Watching(lambda e: control.stop() if e.step == 7 else None), control)
    assert run.role_status("solve").best_step == 4
    monkeypatch.setattr(watcher, "look", Looks([0.4, 0.9]))
    status = train_role(run, role, Watching(), Control(), resume=True)
    assert (status.step, status.best_step) == (8, 4)
    assert status.best_score == pytest.approx(0.6, abs=1e-4)
    assert json.loads((run.student_dir("solve") / "student.json").read_text())["step"] == 4


def test_a_student_that_is_trained_already_is_left_alone(tmp_path, lossy):
    import os

    run = small_run(tmp_path, lossy)
    run.set_role_status(RoleStatus("solve", "running", 3, 8, pid=os.getppid()))
    with pytest.raises(ConfigError, match=rf"being trained already \(process {os.getppid()}\)"):
        train_role(run, run.method.role("solve"), Watching(), Control())
    assert run.role_status("solve").status == "running"
    # a number that was given to a later process, and a machine that has been silent
    status = run.checkpoints_dir("solve") / "status.json"
    os.utime(status, (1, 1))
    assert run.role_status("solve").status == "interrupted"
    run.set_role_status(RoleStatus("solve", "running", 3, 8, pid=1, host="another machine"))
    assert run.role_status("solve").status == "interrupted"
    run.events_file.write_text("")
    assert run.role_status("solve").status == "running"


def test_tensorboard_files_stand_beside_the_events(tmp_path, lossy):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = small_run(tmp_path, lossy)
    reporter = Watching()
    train_role(run, run.method.role("solve"), reporter, Control())
    curves = EventAccumulator(str(run.path / "tensorboard" / "solve"))
    curves.Reload()
    found = [(event.step, event.value) for event in curves.Scalars("loss/train")]
    assert found == [(e.step, pytest.approx(e.loss, rel=1e-5)) for e in reporter.all(Metrics)]
    assert [event.step for event in curves.Scalars("loss/held_out")] == [4, 8]


def test_lora_and_language_models_train_and_resume_on_the_same_curve(tmp_path, lossy, qwen):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from training_backend.students.base_student import make_tiny, save_student_files
    from training_backend.students.text import StudentText

    text = StudentText.for_folder(qwen)
    torch.manual_seed(0)
    network = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=text.size, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=2048,
            attention_dropout=0.1,
        )
    )  # fmt: skip
    save_student_files(tmp_path / "causal base", network, text, qwen)
    make_tiny(tmp_path / "t5 base", lossy)
    for base, tuning in (("causal base", "full"), ("causal base", "lora"), ("t5 base", "lora")):
        settings = {
            "base": str(tmp_path / base), "tuning": tuning, "learning_rate": 1e-2, "max_steps": 6,
            "save_every": 6, "eval_every": 6, "max_source_tokens": 900, "max_target_tokens": 900,
            "held_out_judged": 1, "rows": make_rows(12),
        }  # fmt: skip
        whole, parts = (small_run(tmp_path, lossy, f"{base} {tuning} {n}", **settings) for n in "ab")
        role = whole.method.role("solve")
        wanted, before, after = Watching(), Watching(), Watching()
        train_role(whole, role, wanted, Control())
        control = Control()
        before.at = lambda event, control=control: control.stop() if event.step == 3 else None
        train_role(parts, role, before, control)
        train_role(parts, role, after, Control(), resume=True)
        assert losses(before) + losses(after) == pytest.approx(losses(wanted), abs=1e-4)
        assert losses(wanted)[-1] < losses(wanted)[0]
        student = parts.student_dir("solve")
        assert (student / "adapter_model.safetensors").exists() == (tuning == "lora")
        load_network(student)


@pytest.mark.parametrize(
    ("changes", "near"),
    [({"gradient_checkpointing": True}, 1e-4), ({"precision": "bf16"}, 0.1), ({"packing": True}, 1e-4)],
)
def test_ways_to_save_memory_keep_the_curve(tmp_path, lossy, changes, near):
    curves = []
    for name, more in (("plain", {}), ("saving", changes)):
        run = small_run(tmp_path, lossy, name, max_steps=4, **more)
        reporter = Watching()
        train_role(run, run.method.role("solve"), reporter, Control())
        curves.append(losses(reporter) + [event.loss for event in reporter.all(HeldOut)])
    assert len(curves[0]) == 5 and curves[1] == pytest.approx(curves[0], abs=near)
    saved = load_network(run.student_dir("solve"))
    assert all(p.dtype == torch.float32 for p in saved.parameters())
