"""Jobs over real child processes: events arrive, stops are obeyed or forced, the window never waits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QTimer

from kpdd_app.jobs import Jobs, tidy
from kpdd_app.supervisor import Lines, read_end
from training_backend.events import (
    Ended,
    Failed,
    Log,
    Metrics,
    Progress,
    Result,
    Started,
    Unknown,
    read_events,
    to_line,
)
from training_backend.project.training_rows import TrainingRow
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RoleStatus, prepare_run

FAKE = [sys.executable, str(Path(__file__).parent / "fake_command.py")]


def collect(job) -> list:
    events: list = []
    job.event_came.connect(events.append)
    return events


def test_events_arrive_in_order_and_the_job_ends_done(fake_jobs, qtbot):
    ended = []
    fake_jobs.job_ended.connect(ended.append)
    job = fake_jobs.start("short", ["short"])
    events = collect(job)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        assert fake_jobs.running() == [job]
    assert signal.args == ["done"]
    assert [type(event) for event in events] == [Started, Result, Ended]
    assert ended == [job] and fake_jobs.running() == [] and job.is_over
    assert job.pid == events[0].pid


def test_noise_becomes_log_and_unknown_events(fake_jobs, qtbot):
    job = fake_jobs.start("noise", ["noise"])
    events = collect(job)
    with qtbot.waitSignal(job.ended, timeout=10_000):
        pass
    assert [type(event) for event in events] == [Started, Log, Unknown, Log, Result, Ended]
    assert events[1].text == "this is no JSON"


def beats_of_a_burst(jobs, qtbot, count: int) -> tuple[list[float], list[float]]:
    """Return (s by the clock, s of the thread's processor time) between beats while `count` events come."""
    own: list[float] = []
    gaps: list[float] = []
    last = [time.perf_counter(), time.thread_time()]

    def beat() -> None:
        now = [time.perf_counter(), time.thread_time()]
        gaps.append(now[0] - last[0])
        own.append(now[1] - last[1])
        last[:] = now

    job = jobs.start("burst", ["burst", str(count)])
    seen = [0]
    job.event_came.connect(lambda event: seen.__setitem__(0, seen[0] + isinstance(event, Progress)))
    heart = QTimer()
    heart.setInterval(1)
    heart.timeout.connect(beat)
    with qtbot.waitSignal(job.event_came, timeout=10_000):
        pass
    last[:] = [time.perf_counter(), time.thread_time()]
    heart.start()
    with qtbot.waitSignal(job.ended, timeout=60_000):
        pass
    heart.stop()
    assert seen[0] == count and job.progress.done == count
    return sorted(gaps), sorted(own)


def test_a_burst_leaves_the_window_its_heartbeat(fake_jobs, qtbot):
    for _ in range(3):
        gaps, own = beats_of_a_burst(fake_jobs, qtbot, 100_000)
        # what the window's thread itself spent between two beats does not depend on the neighbours' load
        assert own[-1] < 0.025, own[-5:]
        # the clock does: a burst beside which the machine did something else is measured again
        calm = gaps[len(gaps) // 2] < 0.025 and gaps[int(len(gaps) * 0.99)] < 0.15
        if calm:
            break
    assert calm, gaps[-5:]


def test_a_polite_stop_is_obeyed(fake_jobs, qtbot):
    job = fake_jobs.start("wait", ["wait"])
    with qtbot.waitSignal(job.event_came, timeout=10_000):
        pass
    with qtbot.waitSignal(job.ended, timeout=5_000) as signal:
        job.stop()
        assert job.status == "stopping"
    assert signal.args == ["stopped"] and job.last_failure is None


def test_pause_and_resume(fake_jobs, qtbot):
    job = fake_jobs.start("wait", ["wait"])
    qtbot.waitUntil(lambda: job.progress is not None and job.progress.done > 2, timeout=10_000)
    job.pause()
    assert job.status == "paused"
    # two equal looks, some time apart: the child waits
    looks: list[int] = []

    def unchanged() -> bool:
        looks.append(job.progress.done)
        return len(looks) > 12 and looks[-12:] == [looks[-1]] * 12

    qtbot.waitUntil(unchanged, timeout=5_000)
    held = job.progress.done
    job.resume()
    qtbot.waitUntil(lambda: job.progress.done > held, timeout=5_000)


def test_a_child_that_does_not_listen_is_killed(fake_jobs, qtbot):
    job = fake_jobs.start("stubborn", ["stubborn"])
    with qtbot.waitSignal(job.event_came, timeout=10_000):
        pass
    with qtbot.waitSignal(job.ended, timeout=8_000) as signal:
        job.stop()
    assert signal.args == ["stopped"]
    assert not psutil.pid_exists(job.pid)


@pytest.mark.parametrize(
    ("how", "message"),
    [("silent", "exit status 3: ValueError: nothing to say"), ("killed", "signal SIGKILL")],
)
def test_an_end_without_a_word_is_explained(fake_jobs, qtbot, how, message):
    failures: list[Failed] = []
    job = fake_jobs.start(how, [how])
    job.failed.connect(failures.append)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == ["failed"]
    assert len(failures) == 1 and message in failures[0].message
    assert job.last_failure is failures[0]


def test_a_failure_the_command_explains_is_told_once(fake_jobs, qtbot):
    failures: list[Failed] = []
    job = fake_jobs.start("fails", ["fails"])
    job.failed.connect(failures.append)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == ["failed"]
    assert [(f.message, f.hint, f.where) for f in failures] == [
        ("The disk is full.", "Free some space.", "/there")
    ]


def test_a_program_that_is_not_there(qtbot):
    jobs = Jobs(command=["/no/such/program"])
    job = jobs.start("nothing", ["x"])
    with qtbot.waitSignal(job.ended, timeout=5_000) as signal:
        pass
    assert signal.args == ["failed"] and "could not be started" in job.last_failure.message
    jobs.close()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs the command sleep")
def test_a_grandchild_that_holds_the_pipe_does_not_hold_the_job(fake_jobs, qtbot):
    job = fake_jobs.start("grandchild", ["grandchild"])
    events = collect(job)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == ["done"]
    other = next(int(event.text) for event in events if isinstance(event, Log))
    os.kill(other, 9)


def test_a_run_outlives_the_window_and_is_followed_by_the_next(tmp_path, qtbot):
    run = tmp_path / "a run"
    first = Jobs(command=FAKE)
    job = first.start("run", ["run", str(run)], detached=True)
    qtbot.waitUntil(lambda: job.run_folder == run and job.progress is not None, timeout=10_000)
    pid = job.pid
    first.close()
    assert job.status == "detached"
    count = len(read_events(run / "events.jsonl"))
    qtbot.waitUntil(lambda: len(read_events(run / "events.jsonl")) > count + 3, timeout=5_000)

    second = Jobs(command=FAKE)
    followed = second.follow(run)
    events = collect(followed)
    qtbot.waitUntil(lambda: len(events) > count, timeout=5_000)
    assert isinstance(events[0], Started) and events[0].pid == pid
    assert [event.done for event in events[1:] if isinstance(event, Progress)][:3] == [1, 2, 3]
    with qtbot.waitSignal(followed.ended, timeout=5_000) as signal:
        followed.stop()
    assert signal.args == ["stopped"]
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=10_000)
    second.close()


def test_a_run_that_was_to_stop_with_the_window_goes_on_when_the_closing_says_so(small_project, qtbot):
    jobs = Jobs(command=[sys.executable, str(Path(__file__).parent / "fake_training.py")])
    job = jobs.start("run", ["train", str(small_project), "--title", "endless"], detached=True)
    qtbot.waitUntil(lambda: job.run_folder is not None, timeout=20_000)
    job.send({"command": "stop_at_end"})
    qtbot.waitUntil((job.run_folder / "ends with the window").exists, timeout=20_000)
    jobs.close()
    count = len(read_events(job.run_folder / "events.jsonl"))
    qtbot.waitUntil(lambda: len(read_events(job.run_folder / "events.jsonl")) > count + 40, timeout=20_000)
    (job.run_folder / "control").write_text("stop")
    qtbot.waitUntil(lambda: not psutil.pid_exists(job.pid), timeout=20_000)


def test_closing_can_stop_the_runs_too(tmp_path, qtbot):
    jobs = Jobs(command=FAKE)
    job = jobs.start("run", ["run", str(tmp_path / "run")], detached=True)
    qtbot.waitUntil(lambda: job.progress is not None, timeout=10_000)
    jobs.close(stop_detached=True)
    assert job.status == "stopped" and not running(job.pid)


def test_a_run_that_takes_long_to_stop_is_left_to_write_its_checkpoint(qtbot):
    jobs = Jobs(command=FAKE, grace_s=0.1)
    job = jobs.start("stubborn", ["stubborn"], detached=True)
    qtbot.waitUntil(lambda: job.status == "running", timeout=10_000)
    job.stop()
    jobs.close(stop_detached=True, wait_s=0.5)
    assert job.status == "detached" and running(job.pid)
    os.kill(job.pid, 9)
    # nobody follows it, yet it does not stay behind as a process that only looks alive
    qtbot.waitUntil(lambda: not psutil.pid_exists(job.pid), timeout=10_000)


def test_closing_does_not_wait_for_a_background_job(qtbot):
    jobs = Jobs(command=FAKE, grace_s=30.0)
    job = jobs.start("stubborn", ["stubborn"], background=True)
    qtbot.waitUntil(lambda: job.status == "running", timeout=10_000)
    began = time.monotonic()
    jobs.close()
    assert time.monotonic() - began < 4 and not running(job.pid)


def test_a_finished_run_is_read_to_its_end(tmp_path, fake_jobs, qtbot):
    lines = [to_line(Started(command="train", pid=1, run_folder=str(tmp_path), t=1.0))]
    lines += [
        to_line(Metrics(role="key", step=n, total_steps=3000, epoch=0.0, loss=1 / n, t=float(n)))
        for n in range(1, 3001)
    ]
    lines += [to_line(Ended(status="done", t=4000.0)), '{"event": "half']
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    job = fake_jobs.follow(tmp_path)
    events = collect(job)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == ["done"] and len(events) == 3002


def test_a_followed_run_says_when_all_that_it_said_before_has_come(tmp_path, fake_jobs, qtbot):
    events_file = tmp_path / "events.jsonl"
    lines = [to_line(Started(command="train", pid=os.getpid(), run_folder=str(tmp_path), t=time.time()))]
    lines += [
        to_line(Metrics(role="key", step=n, total_steps=4000, epoch=0.0, loss=1 / n, t=float(n)))
        for n in range(1, 3001)
    ]
    events_file.write_text("\n".join(lines) + "\n")
    job = fake_jobs.follow(tmp_path)
    events, seen = collect(job), []
    job.event_came.connect(lambda _: seen.append(job.reading))
    job.caught_up.connect(lambda: events.append("caught up"))
    with qtbot.waitSignal(job.caught_up, timeout=20_000):
        assert job.reading
    assert len(events) == 3002 and events[-1] == "caught up" and all(seen) and not job.reading
    with events_file.open("a") as file:
        file.write(to_line(Metrics("key", 3001, 4000, 0.0, 0.1, 5e-4, 1.0, 1, 1.0)) + "\n")
    qtbot.waitUntil(lambda: len(events) == 3003, timeout=10_000)
    assert events[-1].step == 3001 and not seen[-1]
    job.release()


def test_a_run_whose_process_is_gone_is_failed(tmp_path, fake_jobs, qtbot):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "events.jsonl").write_text(to_line(Started(command="train", pid=gone.pid, t=1.0)) + "\n")
    os.utime(tmp_path / "events.jsonl", (1000, 1000))
    job = fake_jobs.follow(tmp_path)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == ["failed"] and "without a last word" in job.last_failure.message


@pytest.mark.parametrize(
    ("statuses", "word"),
    [(("done", "done"), "done"), (("done", "stopped"), "stopped"), (("done", ""), "stopped")],
)
def test_a_run_that_was_part_of_a_longer_command_ends_as_its_students_did(
    tmp_path, fake_jobs, qtbot, statuses, word
):
    rows = [
        TrainingRow(
            n, n, "d", "train", f"{n} and 1?", "", n + 1, "How many?", (f"{n}",), "pot", f"ans = {n} + 1"
        )
        for n in range(4)
    ]
    run = prepare_run(tmp_path / "run", RunConfig(held_out=0, max_steps=1), rows)
    for role, status in zip(run.method.roles, statuses, strict=True):
        if status:
            run.set_role_status(RoleStatus(role.name, status))
    run.events_file.write_text(to_line(Progress(stage="training, steps", done=1, t=1.0)) + "\n")
    job = fake_jobs.follow(run.path)
    with qtbot.waitSignal(job.ended, timeout=10_000) as signal:
        pass
    assert signal.args == [word] and job.last_failure is None


def test_a_folder_that_is_no_run(tmp_path, fake_jobs, qtbot):
    job = fake_jobs.follow(tmp_path)
    with qtbot.waitSignal(job.ended, timeout=5_000) as signal:
        pass
    assert signal.args == ["failed"] and job.last_failure.where == str(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes through /proc")
def test_no_orphan_after_the_window_is_killed(tmp_path, qtbot):
    """A window that is ended by SIGKILL takes its job along: standard input ends, the command stops."""
    script = tmp_path / "window.py"
    script.write_text(
        "import sys\n"
        "from PySide6.QtCore import QCoreApplication\n"
        "from kpdd_app.jobs import Jobs\n"
        "app = QCoreApplication([])\n"
        f"jobs = Jobs(command={FAKE!r})\n"
        "job = jobs.start('wait', ['wait'])\n"
        "job.event_came.connect(lambda event: print(job.pid, flush=True))\n"
        "app.exec()\n"
    )
    window = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True
    )
    pid = int(window.stdout.readline())
    window.kill()
    window.wait()
    window.stdout.close()
    qtbot.waitUntil(lambda: not running(pid), timeout=5_000)


def test_what_lies_in_the_folder_of_the_start_is_not_run(qtbot, tmp_path, monkeypatch):
    (tmp_path / "argparse.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    jobs = Jobs()
    job = jobs.start("version", ["--version"])
    qtbot.waitUntil(lambda: job.status not in ("starting", "running"), timeout=30_000)
    jobs.close()
    assert job.status == "done", job.last_failure


def test_lines_wait_for_their_end():
    lines = Lines()
    lines.feed(b"a\nb")
    assert lines.take() == b"a" and lines.take() is None
    lines.feed(b"c\n")
    assert lines.take() == b"bc" and lines.size == 0


def test_the_end_of_a_file_begins_with_a_whole_line(tmp_path):
    file = tmp_path / "log"
    file.write_text("one\ntwo\nthree\n")
    assert read_end(file, 9) == "three\n"
    assert read_end(file) == "one\ntwo\nthree\n"
    assert read_end(tmp_path / "none") == ""


def test_old_job_files_are_removed(tmp_path):
    (tmp_path / "old").write_text("")
    (tmp_path / "new").write_text("")
    os.utime(tmp_path / "old", (1000, 1000))
    tidy(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["new"]


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
