"""Solve on the key points that the trained Key student writes: which rows, kept, and what is missing."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from rows import make_rows
from small_runs import Watching, small_run

from training_backend.errors import ConfigError
from training_backend.events import Control, Log, Reporter
from training_backend.students import own_key_points
from training_backend.students.decoding import Student
from training_backend.students.examples import read_examples
from training_backend.students.own_key_points import own_examples
from training_backend.students.training import Training, train_role


class Writer:
    """A Key student that writes given texts, and counts how often it is asked."""

    asked: ClassVar[list[str]] = []

    @classmethod
    def load(cls, folder):
        return cls()

    def generate(self, sources, told, stop):
        Writer.asked += sources
        told(len(sources), len(sources))
        # it reads the question after its prefix; of every fifth it says nothing useful
        return [
            "nothing" if n % 5 == 4 else f"core question: own {source[-9:]} information: 1. seen 2. read"
            for n, source in enumerate(sources)
        ]


@pytest.fixture
def writer(monkeypatch):
    monkeypatch.setattr("training_backend.students.decoding.Student", Writer)
    monkeypatch.setattr(Writer, "asked", [])


def run_with_key(tmp_path, lossy, name="run", **changes):
    run = small_run(tmp_path, lossy, name, **{"key_points_from": "student", **changes})
    (run.student_dir("key")).mkdir(parents=True)
    (run.student_dir("key") / "student.json").write_text("{}")
    train, held = (read_examples(run.examples_file("solve", part)) for part in ("train", "held_out"))
    return run, run.method.role("solve"), train, held


def test_every_question_that_could_be_read_has_its_own(tmp_path, lossy, writer):
    run, role, train, held = run_with_key(tmp_path, lossy)
    reporter = Watching()
    own, own_held = own_examples(run, role, train, held, reporter, Control(), False)
    assert len(own) == len(train) and len(own_held) == len(held) > 0
    changed = [new for new, old in zip([*own, *own_held], [*train, *held], strict=True) if new != old]
    assert len(changed) == 16
    assert all("core question: own " in e.source and "1. seen 2. read" in e.source for e in changed)
    assert [e.target for e in own] == [e.target for e in train]
    assert all(source.startswith("extract key points: Tom has") for source in Writer.asked)
    (told,) = reporter.all(Log)
    assert "key points of the run's own students; for 4 questions they wrote none" in told.text


def test_a_mix_changes_a_share_of_the_training_and_all_held_out_ones(tmp_path, lossy, writer):
    run, role, train, held = run_with_key(tmp_path, lossy, key_points_from="mixed", key_points_share=0.5)
    own, own_held = own_examples(run, role, train, held, Reporter(quiet=True), Control(), False)
    changed = sum(new != old for new, old in zip(own, train, strict=True))
    assert 0 < changed < len(train) - 4
    assert sum("own " not in e.source for e in own_held) <= 4


def test_what_was_written_is_kept_until_the_key_student_is_another(tmp_path, lossy, writer):
    import os

    run, role, train, held = run_with_key(tmp_path, lossy)
    first = own_examples(run, role, train, held, Reporter(quiet=True), Control(), False)
    asked = len(Writer.asked)
    assert own_examples(run, role, train, held, Reporter(quiet=True), Control(), False) == first
    assert len(Writer.asked) == asked
    student = run.student_dir("key") / "student.json"
    os.utime(student, (5, 5))
    own_examples(run, role, train, held, Reporter(quiet=True), Control(), False)
    assert len(Writer.asked) == 2 * asked
    # a resumed training keeps its examples, whatever became of the Key student
    os.utime(student, (9, 9))
    (run.checkpoints_dir("solve") / "step-2").mkdir(parents=True)
    (run.checkpoints_dir("solve") / "step-2" / "student.json").write_text("{}")
    own_examples(run, role, train, held, Reporter(quiet=True), Control(), True)
    assert len(Writer.asked) == 2 * asked


def test_the_teachers_need_no_student(tmp_path, lossy):
    run = small_run(tmp_path, lossy)
    role = run.method.role("solve")
    examples = read_examples(run.examples_file("solve"))
    assert own_examples(run, role, examples, [], Reporter(), Control(), False) == (examples, [])


def test_a_key_student_that_is_not_trained_is_named(tmp_path, lossy):
    run = small_run(tmp_path, lossy, key_points_from="student")
    with pytest.raises(ConfigError, match="key points that Key writes, which is not trained yet"):
        train_role(run, run.method.role("solve"), Watching(), Control())


def test_a_stop_while_they_are_written_keeps_nothing_half(tmp_path, lossy, writer):
    run, role, train, held = run_with_key(tmp_path, lossy)
    control = Control()
    control.stop()
    own_examples(run, role, train, held, Reporter(quiet=True), control, False)
    assert not run.own_key_points_file("solve").exists()
    # nothing is trained on the half that there is
    status = train_role(run, role, Watching(), control)
    assert (status.status, status.step) == ("stopped", 0) and run.checkpoints("solve") == []


def test_three_students_read_what_those_before_them_wrote(tmp_path, lossy, monkeypatch):
    asked = {}

    class Two(Writer):
        @classmethod
        def load(cls, folder):
            made = cls()
            made.role = folder.name
            return made

        def generate(self, sources, told, stop):
            asked[self.role] = sources
            return ["What is it?" if self.role == "core" else "1. seen" for _ in sources]

    monkeypatch.setattr("training_backend.students.decoding.Student", Two)
    run = small_run(tmp_path, lossy, method="kpdd3-pot", key_points_from="student")
    for name in ("core", "info"):
        run.student_dir(name).mkdir(parents=True)
        (run.student_dir(name) / "student.json").write_text("{}")
    role = run.method.role("solve")
    train = read_examples(run.examples_file("solve"))
    own, _ = own_examples(run, role, train, [], Reporter(quiet=True), Control(), False)
    assert all("core question: What is it?" in e.source and "1. seen" in e.source for e in own)
    assert all("core question: What is it?" in source for source in asked["info"])


def test_real_students_end_to_end(tmp_path, lossy):
    """The Key student knows its questions by heart: its key points are the teacher's, and are kept."""
    run = small_run(
        tmp_path, lossy, rows=make_rows(2), key_points_from="student", held_out=0.0, max_steps=110,
        learning_rate=3e-3, warmup=10, dropout=0.0, save_every=110,
    )  # fmt: skip
    key, solve = run.method.roles
    train_role(run, key, Watching(), Control())
    work = Training(run, solve, Watching(), Control(), False)
    assert [e.source for e in work.train_examples] == [
        e.source for e in read_examples(run.examples_file("solve"))
    ]
    kept = json.loads(run.own_key_points_file("solve").read_text())
    assert len(kept["written"]) == 2
    assert own_key_points._read(run.path / "no such file") == {} and Student is not Writer
