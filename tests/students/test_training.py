"""Training whole: figures, checkpoints that load, stop and resume on the same curve, and what goes wrong."""

from __future__ import annotations

import json
import platform
import resource

import pytest
import torch
from rows import make_rows
from small_runs import Watching, small_run

from training_backend.errors import CheckpointError, ConfigError, DatasetError, StoreError
from training_backend.events import Checkpoint, Control, HeldOut, Log, Metrics, Reporter, read_events
from training_backend.students import watcher
from training_backend.students.decoding import Student
from training_backend.students.held_out import look
from training_backend.students.trainer import StudentTrainer, choose_precision, keep_freed_memory
from training_backend.students.training import train_role


@pytest.fixture(autouse=True)
def report_every_step(monkeypatch):
    monkeypatch.setattr(watcher, "EVENTS_EVERY_S", 0.0)


def weights(folder):
    student = Student.load(folder, "cpu")
    return torch.cat([p.detach().flatten() for p in student.network.parameters()])


def test_a_run_leaves_figures_checkpoints_and_a_student(tmp_path, lossy):
    run = small_run(tmp_path, lossy, keep_checkpoints=5, take="last")
    reporter = Watching()
    reporter.attach(run.path)
    status = train_role(run, run.method.role("solve"), reporter, Control())
    reporter.detach()
    assert (status.status, status.step, status.total_steps) == ("done", 8, 8)
    figures = reporter.all(Metrics)
    assert [event.step for event in figures] == list(range(1, 9))
    assert figures[-1].loss < figures[0].loss
    assert figures[0].learning_rate > 0 and figures[0].tokens_per_s > 0 and figures[0].memory_bytes > 2**20
    looks = reporter.all(HeldOut)
    assert [event.step for event in looks] == [4, 8]
    assert looks[1].loss < looks[0].loss and looks[0].accuracy is None
    kinds = [(event.step, event.kind) for event in reporter.all(Checkpoint)]
    assert kinds == [(4, "best"), (8, "best"), (8, "final")]
    assert [path.name for path in run.checkpoints("solve")] == ["step-4", "step-8"]
    # the first and the last checkpoint load, and differ; the student is the last
    first, last = (weights(path) for path in run.checkpoints("solve"))
    assert not torch.equal(first, last)
    assert torch.equal(weights(run.students()["solve"]), last)
    assert not (run.student_dir("solve") / "optimizer.pt").exists()
    about = json.loads((run.student_dir("solve") / "student.json").read_text())
    assert (
        about["role"] == "solve" and about["step"] == 8 and about["tasks"][0]["prefix"] == "solve by program"
    )
    assert len([e for e in read_events(run.events_file) if isinstance(e, Metrics)]) == 8


def test_stopped_and_resumed_is_the_same_curve(tmp_path, lossy):
    # dropout, so that the state of the random numbers counts too
    whole, parts = (small_run(tmp_path, lossy, name, dropout=0.1) for name in ("whole", "parts"))
    role = whole.method.role("solve")
    undisturbed = Watching()
    train_role(whole, role, undisturbed, Control())

    control = Control()
    before = Watching(lambda event: control.stop() if event.step == 3 else None)
    status = train_role(parts, role, before, control)
    assert (status.status, status.step) == ("stopped", 3)
    assert [path.name for path in parts.checkpoints("solve")] == ["step-3"]
    assert parts.students() == {} and parts.status() == "stopped"
    after = Watching()
    status = train_role(parts, role, after, Control(), resume=True)
    assert (status.status, status.step) == ("done", 8)
    curve = {event.step: event.loss for event in [*before.all(Metrics), *after.all(Metrics)]}
    wanted = {event.step: event.loss for event in undisturbed.all(Metrics)}
    assert curve.keys() == wanted.keys()
    assert all(curve[step] == pytest.approx(wanted[step], abs=1e-4) for step in wanted)
    assert torch.allclose(weights(parts.student_dir("solve")), weights(whole.student_dir("solve")), atol=1e-5)


def test_checkpoints_are_not_begun_over(tmp_path, lossy):
    run = small_run(tmp_path, lossy, max_steps=2, held_out=0)
    role = run.method.role("key")
    train_role(run, role, Watching(), Control())
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    with pytest.raises(ConfigError, match=r"holds checkpoints already \(key, step 2\)"):
        train_role(run, role, Watching(), Control())
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before
    # the other student has none
    assert train_role(run, run.method.role("solve"), Watching(), Control()).status == "done"


def test_pause_waits_and_goes_on(tmp_path, lossy):
    run = small_run(tmp_path, lossy, max_steps=3)
    control = Control()
    control.attach(run.path)
    word = run.path / "control"
    looked = []

    class Asked(Control):
        def wait_while_paused(self):
            looked.append(self.paused)
            control._paused.clear()

        paused = property(lambda self: control._paused.is_set())
        stop_requested = property(lambda self: False)

    reporter = Watching(lambda event: control._paused.set() if event.step == 1 else None)
    train_role(run, run.method.role("key"), reporter, Asked())
    assert looked == [True]
    assert any("paused after step 1" in event.text for event in reporter.all(Log))
    assert not word.exists()


def test_micro_batches_do_not_change_the_curve(tmp_path, lossy):
    curves = []
    for name, micro in (("large", 100_000), ("small", 150)):
        run = small_run(tmp_path, lossy, name, micro_tokens=micro, max_steps=5, batch=8)
        reporter = Watching()
        train_role(run, run.method.role("solve"), reporter, Control())
        curves.append([event.loss for event in reporter.all(Metrics)])
    assert curves[0] == pytest.approx(curves[1], abs=1e-4)


def test_held_out_answers_are_judged_by_running_them(tmp_path, lossy):
    run = small_run(
        tmp_path, lossy, rows=make_rows(2), held_out=0.0, max_steps=110, learning_rate=3e-3, warmup=10,
        dropout=0.0, eval_every=110, held_out_judged=4,
    )  # fmt: skip
    # what it learned by heart is what it is asked
    train_file = run.examples_file("solve")
    run.examples_file("solve", "held_out").write_bytes(train_file.read_bytes())
    reporter = Watching()
    status = train_role(run, run.method.role("solve"), reporter, Control())
    (seen,) = reporter.all(HeldOut)
    assert seen.accuracy == 1.0
    assert [sample["state"] for sample in seen.samples] == ["equal", "equal"]
    assert seen.samples[0]["said"] == seen.samples[0]["wanted"] and "\n    " in seen.samples[0]["said"]
    assert status.best_step == 110 and status.best_score == pytest.approx(1.0, abs=1e-3)


def test_a_look_cut_short_by_a_stop_is_not_told(tmp_path, lossy, monkeypatch):
    run = small_run(tmp_path, lossy, max_steps=6, eval_every=2, save_every=100, held_out_judged=1)
    control, looks = Control(), []

    def stopped_in_the_second(*given):
        looks.append(given)
        if len(looks) == 2:
            control.stop()
        return look(*given)

    monkeypatch.setattr(watcher, "look", stopped_in_the_second)
    reporter = Watching()
    status = train_role(run, run.method.role("solve"), reporter, control)
    assert len(looks) == 2 and (status.status, status.best_step) == ("stopped", 2)
    (told,) = reporter.all(HeldOut)
    assert told.step == 2 and len(told.samples) == 1 and told.accuracy is not None


def test_adafactor_and_accumulated_tokens_train(tmp_path, lossy):
    run = small_run(
        tmp_path, lossy, optimizer="adafactor", batch=120, batch_unit="target tokens", max_steps=3
    )
    assert train_role(run, run.method.role("key"), Watching(), Control()).status == "done"


def test_early_stopping_takes_the_best(tmp_path, lossy):
    run = small_run(
        tmp_path, lossy, max_steps=40, eval_every=2, save_every=100, early_stopping=2, learning_rate=0.9,
        optimizer="adamw-rms", clip=0, warmup=0,
    )  # fmt: skip
    status = train_role(run, run.method.role("solve"), Watching(), Control())
    assert status.status == "done" and status.step < 40
    about = json.loads((run.student_dir("solve") / "student.json").read_text())
    assert about["step"] == status.best_step < status.step


def test_old_checkpoints_go_the_best_stays(tmp_path, lossy):
    run = small_run(
        tmp_path, lossy, max_steps=8, save_every=1, eval_every=100, keep_checkpoints=2, held_out=0
    )
    train_role(run, run.method.role("key"), Watching(), Control())
    assert [path.name for path in run.checkpoints("key")] == ["step-7", "step-8"]


def test_full_disk_keeps_the_last_good_checkpoint(tmp_path, lossy):
    run = small_run(tmp_path, lossy)
    role = run.method.role("key")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def no_space(event):
        if event.step == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))

    try:
        with pytest.raises(StoreError) as caught:
            train_role(run, role, Watching(no_space), Control())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "step 8" in caught.value.message and "step-4" in caught.value.hint
    assert [path.name for path in run.checkpoints_dir("key").iterdir() if path.is_dir()] == ["step-4"]
    assert run.role_status("key").status == "failed"
    assert Student.load(run.checkpoints("key")[0], "cpu").about["step"] == 4
    assert train_role(run, role, Watching(), Control(), resume=True).status == "done"


def test_loss_that_is_no_number_names_step_and_rows(tmp_path, lossy):
    run = small_run(tmp_path, lossy, learning_rate=1.0, clip=0, warmup=0, max_steps=60, eval_every=1000)
    with pytest.raises(DatasetError, match=r"not a number at step \d+ \(rows \d+"):
        train_role(run, run.method.role("key"), Breaking(), Control())
    assert run.role_status("key").status == "failed"
    assert "not a number" in run.role_status("key").error


class Breaking(Watching):
    """Puts a weight out of range after the first step."""

    def emit(self, event):
        super().emit(event)
        if isinstance(event, Metrics) and event.step == 1:
            import gc

            for thing in gc.get_objects():
                if type(thing) is StudentTrainer:
                    next(thing.model.parameters()).data.fill_(float("nan"))


def test_examples_that_do_not_fit_are_counted(tmp_path, lossy):
    rows = [*make_rows(10), make_rows(1)[0].__class__(**{**make_rows(1)[0].__dict__, "row_id": 99,
            "question_id": 99, "rationale": "x = 1\n" * 300 + "ans = x"})]  # fmt: skip
    run = small_run(tmp_path, lossy, rows=rows, held_out=0, max_steps=2)
    reporter = Watching()
    train_role(run, run.method.role("solve"), reporter, Control())
    assert any("10 of 11 examples are used" in event.text for event in reporter.all(Log))


def test_nothing_fits(tmp_path, lossy):
    run = small_run(tmp_path, lossy, max_target_tokens=8)
    with pytest.raises(DatasetError, match="None of the") as caught:
        train_role(run, run.method.role("solve"), Watching(), Control())
    assert "solve.train.jsonl" in caught.value.where


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_base_with_a_missing_file_is_named(tmp_path, lossy, trained_run, name):
    import shutil

    base = tmp_path / "base"
    shutil.copytree(trained_run / "students" / "key", base)
    (base / name).unlink()
    run = small_run(tmp_path, lossy, base=str(base))
    with pytest.raises(CheckpointError) as caught:
        train_role(run, run.method.role("key"), Watching(), Control())
    assert caught.value.where == str(base / name)


def test_a_trained_student_can_be_a_base(tmp_path, lossy, trained_run):
    run = small_run(tmp_path, lossy, base=str(trained_run / "students" / "solve"), max_steps=2, held_out=0)
    reporter = Watching()
    train_role(run, run.method.role("solve"), reporter, Control())
    assert reporter.all(Metrics)[0].loss < 2.5
    assert (run.student_dir("solve") / "student_text.json").is_file()


def test_fp16_is_refused():
    with pytest.raises(ConfigError, match="overflows"):
        choose_precision("fp16", torch.device("cpu"))
    assert choose_precision("auto", torch.device("cpu")) == "fp32"


def test_each_student_goes_on_from_its_own_in_another_run(tmp_path, lossy):
    first = small_run(tmp_path, lossy, "first", max_steps=2, learning_rate=1e-2, take="last")
    roles = first.method.roles
    for role in roles:
        train_role(first, role, Reporter(quiet=True), Control())
    again = small_run(
        tmp_path, lossy, "again", base=str(first.path), max_steps=1, learning_rate=1e-8, take="last"
    )
    for role in roles:
        train_role(again, role, Reporter(quiet=True), Control())
    before, after = (
        {role.name: weights(run.student_dir(role.name)) for role in roles} for run in (first, again)
    )
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)
    assert not torch.allclose(before["key"], before["solve"], atol=1e-5)


def test_a_run_without_the_student_to_go_on_from_says_so(tmp_path, lossy):
    first = small_run(tmp_path, lossy, "first")
    again = small_run(tmp_path, lossy, "again", base=str(first.path))
    with pytest.raises(ConfigError, match="no student 'key' to go on from"):
        train_role(again, again.method.roles[0], Reporter(quiet=True), Control())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_memory_that_is_freed_is_kept_for_the_next_step():
    keep_freed_memory()

    def faults(rounds: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(rounds):
            torch.empty(16 * 2**20).fill_(1.0)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    # 64 MiB anew would be 32 large pages or 16,384 small ones, each time; the first times may be anew
    assert min(faults(20) for _ in range(3)) < 20 * 32 / 2
