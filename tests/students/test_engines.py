"""Engines: the texts of transformers' generate, samples that repeat, copies that are proven or refused."""

from __future__ import annotations

import sys

import pytest
import torch
from rows import make_rows
from transformers import Qwen2Config, Qwen2ForCausalLM

from training_backend import methods
from training_backend.errors import ConfigError
from training_backend.students import ct2_engine
from training_backend.students.base_student import generation_config, new_tiny
from training_backend.students.decoding import Student
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.examples import build_examples
from training_backend.students.hf_engine import HFEngine, Request, group_by_length, padded
from training_backend.students.text import StudentText

SOURCES = ["the total of boxes", "Tom has 12 pens", "ans", "how many apples has Anna and Ben " * 3,
           "price of each", "she left the shop", "a", "cost in total is"]  # fmt: skip
SHORT = DecodingSettings(12, engine="transformers")
needs_ct2 = pytest.mark.skipif(not ct2_engine.installed(), reason="CTranslate2 is not installed")


def sharp(network):
    """Return the network with larger outputs: random weights alone give texts of one token."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(1.7)
    return network.eval()


@pytest.fixture(scope="module")
def tiny(lossy):
    text = StudentText.for_folder(lossy)
    return Student(sharp(new_tiny(text, 3)), text, training=False)


@pytest.fixture(scope="module")
def causal(byte_level):
    text = StudentText.for_folder(byte_level)
    torch.manual_seed(5)
    config = Qwen2Config(
        vocab_size=text.size, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.3,
        bos_token_id=None, eos_token_id=text.eos_id,
    )  # fmt: skip
    return Student(Qwen2ForCausalLM(config).eval(), text, training=False)


@pytest.fixture(params=["tiny", "causal"])
def student(request):
    return request.getfixturevalue(request.param)


def stock(student, sources, limit=12, **options):
    """Return what transformers' own generate writes, a source at a time."""
    texts = []
    for source in sources:
        ids, mask = padded([student.source_ids(source)], student.text.pad_id, False, student.device)
        config = generation_config(student.network, student.text)
        config.update(max_new_tokens=limit, **options)
        out = student.network.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        begin = 1 if student.kind == "seq2seq" else ids.shape[1]
        texts.append(student.text.decode(out[0, begin:].tolist()))
    return texts


def test_greedy_is_that_of_transformers(student):
    written = student.generate(SOURCES, settings=SHORT)
    assert written == stock(student, SOURCES)
    assert len(set(written)) > 4


def test_beams_are_those_of_transformers(student):
    assert student.generate(SOURCES[:3], settings=DecodingSettings(8, beams=3)) == stock(
        student, SOURCES[:3], 8, num_beams=3
    )


def test_samples_do_not_depend_on_what_is_written_beside_them(student):
    settings = DecodingSettings(12, temperature=1.0, seed=1)
    four = student.sample(SOURCES, 4, settings)
    assert [len(texts) for texts in four] == [4] * len(SOURCES)
    assert len({text for texts in four for text in texts}) > len(SOURCES)
    assert student.sample(SOURCES[::-1], 4, settings)[::-1] == four
    assert student.sample(SOURCES[2:3], 2, settings)[0] == four[2][:2]
    assert student.sample(SOURCES, 4, DecodingSettings(12, temperature=1.0, seed=2)) != four


def test_one_sample_streamed_is_the_same_sample(student):
    settings = DecodingSettings(12, temperature=1.0, seed=1)
    wanted = student.sample(SOURCES[1:2], 3, settings)[0]
    for n, text in enumerate(wanted):
        tokens = [piece.token for piece in student.stream(SOURCES[1], settings, sample=n) if not piece.end]
        assert student.text.decode(tokens) == text


def test_samples_share_the_encoder_pass(tiny, monkeypatch):
    seen = []
    encoder = tiny.network.get_encoder()
    handle = encoder.register_forward_hook(lambda _, __, out: seen.append(out[0].shape[0]))
    try:
        tiny.sample(SOURCES[:2], 8, DecodingSettings(3, temperature=1.0))
    finally:
        handle.remove()
    assert seen == [2]


def test_equal_sources_are_written_once(tiny):
    seen = []
    handle = tiny.network.get_encoder().register_forward_hook(lambda _, __, out: seen.append(out[0].shape[0]))
    try:
        texts = tiny.generate([SOURCES[0]] * 5 + [SOURCES[1]], settings=SHORT)
    finally:
        handle.remove()
    assert seen == [2] and len(texts) == 6 and len(set(texts[:5])) == 1


def test_groups_hold_what_fits():
    requests = [Request((1,) * n, (0, 1)) for n in (5, 900, 30, 2000, 2)]
    groups = list(group_by_length(requests, "cpu"))
    assert [i for group in groups for i in group] == [3, 1, 2, 0, 4]
    assert groups[0] == [3, 1]
    many = [Request((1,), tuple(range(24))) for _ in range(20)]
    assert [len(group) for group in group_by_length(many, "cpu")] == [8, 8, 4]
    # what rows remember counts too
    wide = [Request((1,) * 100, (0,)) for _ in range(8)]
    assert [len(group) for group in group_by_length(wide, "cpu", 2**30 // 400)] == [2, 2, 2, 2]
    # one source with more samples than a group holds is still written
    assert list(group_by_length([Request((1,), tuple(range(999)))], "cpu")) == [[0]]


def test_no_more_is_read_than_there_are_positions(causal, monkeypatch):
    monkeypatch.setattr(causal, "_positions", 60)
    long, short = "price " * 30, "price"
    texts = causal.generate([long, short], settings=SHORT)
    assert texts[0] == "" and texts[1] == stock(causal, [short])[0]
    with pytest.raises(ConfigError, match="60 positions"):
        list(causal.stream(long, SHORT))


def test_stop_ends_the_writing(student):
    asked = []
    settings = DecodingSettings(12, temperature=1.0)
    texts = student.sample(SOURCES, 2, settings, stop=lambda: bool(asked.append(1)) or len(asked) > 3)
    assert len(asked) == 4 and any("" in pair for pair in texts)


def test_forced_tokens_give_what_writing_them_gives(student):
    pieces = list(student.stream(SOURCES[0], SHORT))
    tokens = [piece.token for piece in pieces]
    for cut in (1, 3, len(tokens)):
        again = list(student.stream(SOURCES[0], SHORT, forced=tokens[:cut]))
        assert [p.token for p in again] == tokens
        for one, other in zip(pieces, again, strict=True):
            assert one.text == other.text and one.alternative_tokens == other.alternative_tokens
            assert one.probability == pytest.approx(other.probability, abs=1e-4)
    other = pieces[1].alternative_tokens[1]
    branch = list(student.stream(SOURCES[0], SHORT, forced=[tokens[0], other]))
    assert branch[0].token == tokens[0] and branch[1].token == other
    assert branch[1].probability == pytest.approx(pieces[1].alternatives[1][1], abs=1e-4)


def test_forced_end_and_forced_nonsense(tiny):
    pieces = list(tiny.stream("a", SHORT, forced=[5, tiny.text.eos_id, 7]))
    assert [piece.token for piece in pieces] == [5, tiny.text.eos_id] and pieces[-1].end
    with pytest.raises(ConfigError, match="no token 99999"):
        list(tiny.stream("a", SHORT, forced=[99999]))


# ---- CTranslate2 -----------------------------------------------------------------------------------


@needs_ct2
@pytest.mark.parametrize("name", ["tiny", "causal"])
def test_ctranslate2_writes_the_same(name, request):
    student = request.getfixturevalue(name)
    quick = DecodingSettings(12, engine="ctranslate2")
    assert student.engine_name(1, quick) == "ctranslate2"
    assert student.generate(SOURCES, settings=quick) == student.generate(SOURCES, settings=SHORT)
    assert student._quick.difference < 1e-3


@needs_ct2
def test_auto_takes_the_quick_engine_for_many(trained_run):
    student = Student.load(trained_run / "students" / "solve", "cpu")
    known = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(2))
    sources = [known[0].source, known[1].source, *SOURCES]
    assert student.engine_name(2) == "transformers"
    assert student.engine_name(len(sources), DecodingSettings(temperature=1.0)) == "transformers"
    assert student.engine_name(len(sources), DecodingSettings(beams=2)) == "transformers"
    assert student.engine_name(len(sources)) == "ctranslate2"
    assert student.generate(sources)[:2] == [known[0].target, known[1].target]


@needs_ct2
def test_untied_outputs_are_not_scaled(lossy, monkeypatch):
    """The trap of the converter: without the repair every log-probability of a FlanT5 is wrong."""
    text = StudentText.for_folder(lossy)
    network = new_tiny(text).eval()
    network.lm_head.weight = torch.nn.Parameter(torch.randn_like(network.shared.weight))
    network.config.scale_decoder_outputs = False
    assert network.config.tie_word_embeddings is True
    reference = HFEngine(network, text)
    assert ct2_engine.CT2Engine(reference).difference < 1e-3
    monkeypatch.setattr(ct2_engine, "_mend_scale", lambda spec, config: None)
    with pytest.raises(ct2_engine.NotUsable, match="other probabilities"):
        ct2_engine.CT2Engine(reference)


@needs_ct2
def test_a_copy_that_is_not_proven_is_not_used(lossy, monkeypatch):
    monkeypatch.setattr(ct2_engine, "TOLERANCE", -1.0)
    text = StudentText.for_folder(lossy)
    student = Student(new_tiny(text), text, training=False)
    assert student.engine_name(100) == "transformers" and "other probabilities" in student.engine_note
    with pytest.raises(ConfigError, match="cannot write for this student"):
        student.generate(["a"], settings=DecodingSettings(3, engine="ctranslate2"))


@needs_ct2
def test_a_broken_library_is_no_end(lossy, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2.converters", None)
    text = StudentText.for_folder(lossy)
    student = Student(new_tiny(text), text, training=False)
    assert student.engine_name(100) == "transformers" and "cannot be loaded" in student.engine_note


def test_without_ctranslate2_transformers_writes(lossy, monkeypatch):
    monkeypatch.setattr(ct2_engine, "installed", lambda: False)
    text = StudentText.for_folder(lossy)
    student = Student(new_tiny(text), text, training=False)
    assert len(student.generate(SOURCES * 2, settings=DecodingSettings(3))) == 16
    assert student.engine_note == "CTranslate2 is not installed"


@needs_ct2
def test_a_student_in_training_is_never_copied(lossy):
    text = StudentText.for_folder(lossy)
    student = Student(new_tiny(text), text)
    assert student.engine_name(100) == "transformers"
    with pytest.raises(ConfigError, match="still trained"):
        student.engine_name(100, DecodingSettings(engine="ctranslate2"))


@needs_ct2
def test_an_unknown_network_is_named(lossy):
    text = StudentText.for_folder(lossy)
    network = new_tiny(text)

    class OddConfig(type(network.config)):
        pass

    network.config.__class__ = OddConfig
    with pytest.raises(ct2_engine.NotUsable, match="does not know OddConfig"):
        ct2_engine.CT2Engine(HFEngine(network, text))


@needs_ct2
def test_limit_and_stop(tiny):
    quick = DecodingSettings(3, engine="ctranslate2")
    assert tiny.generate(SOURCES, settings=quick) == tiny.generate(
        SOURCES, settings=DecodingSettings(3, engine="transformers")
    )
    assert tiny.generate(SOURCES, settings=quick, stop=lambda: True) == [""] * len(SOURCES)
