"""CTranslate2 in 8 bits: never taken unasked, tried before it writes, said, and refused where it differs."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.students import ct2_engine, decoding, int8_engine
from training_backend.students.base_student import new_tiny
from training_backend.students.decoding import Student
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.int8_engine import trial_sources
from training_backend.students.text import StudentText

pytestmark = pytest.mark.skipif(not ct2_engine.installed(), reason="CTranslate2 is not installed")
IN_8_BITS = DecodingSettings(engine="ctranslate2-int8")


@pytest.fixture(scope="module")
def student(trained_run):
    return Student.load(trained_run / "students" / "solve", "cpu")


def test_what_is_tried_has_the_form_the_student_knows(student):
    sources = list(trial_sources(student.about))
    assert len(sources) == len(set(sources)) == 16
    assert all(source.startswith("solve by program: question: ") for source in sources)
    assert "core question: How many pens does Anna have in all?" in sources[0]
    assert sources[0].endswith("information: 1. Anna has 3 boxes 2. each box holds 12 pens")
    assert next(trial_sources({})).startswith("question: Anna has 3 boxes")


def test_the_agreement_is_measured_and_said(student, monkeypatch):
    # a student that knows two rows by heart may say anything about other questions
    monkeypatch.setattr(int8_engine, "LEAST_SAME", 0)
    name = student.engine_name(1, IN_8_BITS)
    sources = list(trial_sources(student.about))
    texts = [student.generate(sources, settings=DecodingSettings(int8_engine._LONGEST, engine=engine))
             for engine in ("ctranslate2", "ctranslate2-int8")]  # fmt: skip
    same = sum(one == other for one, other in zip(*texts, strict=True))
    assert name == f"ctranslate2-int8, {same} of 16 texts as in float32"
    assert student.engine_name(100) == "ctranslate2", "auto never takes 8 bits"


def test_a_student_that_writes_other_texts_is_refused(lossy, monkeypatch):
    monkeypatch.setattr(int8_engine, "LEAST_SAME", 17)
    text = StudentText.for_folder(lossy)
    student = Student(new_tiny(text), text, {"max_target_tokens": 8}, training=False)
    with pytest.raises(ConfigError, match=r"in 8 bits it writes other texts: \d+ of 16 are as in float32"):
        student.generate(["a"], settings=IN_8_BITS)
    assert student.generate(["a"], settings=DecodingSettings(3, engine="ctranslate2"))


def test_what_could_not_be_tried_is_refused(lossy, monkeypatch):
    monkeypatch.setattr(decoding, "trial_sources", lambda about: iter(()))
    text = StudentText.for_folder(lossy)
    with pytest.raises(ConfigError, match="no question fits it that could show"):
        Student(new_tiny(text), text, training=False).engine_name(1, IN_8_BITS)


def test_the_float_copy_is_proven_first(lossy, monkeypatch):
    monkeypatch.setattr(ct2_engine, "TOLERANCE", -1.0)
    text = StudentText.for_folder(lossy)
    with pytest.raises(ConfigError, match="other probabilities"):
        Student(new_tiny(text), text, training=False).engine_name(1, IN_8_BITS)


def test_8_bits_draw_nothing():
    with pytest.raises(ConfigError, match="could not be repeated"):
        DecodingSettings(temperature=1.0, engine="ctranslate2-int8")
