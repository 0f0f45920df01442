"""Writing: in batches and token by token the same text, and folders that cannot write are refused by name."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from rows import make_rows
from safetensors.torch import load_file

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError
from training_backend.students.base_names import resolve_base
from training_backend.students.base_student import (
    make_tiny,
    new_random,
    save_weights,
)
from training_backend.students.decoding import DecodingSettings, Student, choose_device
from training_backend.students.examples import build_examples
from training_backend.students.text import StudentText


@pytest.fixture(scope="module")
def student(trained_run):
    return Student.load(trained_run / "students" / "solve", "cpu")


@pytest.fixture(scope="module")
def known():
    return build_examples(methods.get("kpdd-pot").role("solve"), make_rows(2))


def test_writes_what_it_learned(student, known):
    assert student.generate([e.source for e in known]) == [e.target for e in known]


def test_order_of_the_sources_does_not_matter(student, known):
    sources = [known[0].source, "the", known[1].source, "total " * 40, known[0].source]
    together = student.generate(sources)
    assert together[0] == together[4] == known[0].target and together[2] == known[1].target
    assert together[1] == student.generate(["the"])[0]


def test_progress_and_stop(student, known):
    seen = []
    sources = [known[0].source] * 70
    student.generate(
        sources, lambda done, total: seen.append((done, total)), DecodingSettings(max_new_tokens=3)
    )
    assert seen[-1] == (70, 70) and len(seen) > 1
    written = student.generate(sources, settings=DecodingSettings(max_new_tokens=3), stop=lambda: True)
    assert written == [""] * 70


def test_stream_says_the_same(student, known):
    pieces = list(student.stream(known[0].source))
    assert "".join(piece.text for piece in pieces) == known[0].target
    assert pieces[-1].end and not any(piece.end for piece in pieces[:-1])
    for piece in pieces:
        assert 0 < piece.probability <= 1
        assert len(piece.alternatives) == 5
        probabilities = [p for _, p in piece.alternatives]
        assert probabilities == sorted(probabilities, reverse=True)
        assert piece.probability == pytest.approx(probabilities[0], abs=1e-4)
    assert pieces[0].text == pieces[0].alternatives[0][0]


def test_forced_tokens_come_first(student, known):
    other = student.text.encode("ans = 7")
    pieces = list(student.stream(known[0].source, forced=other))
    assert "".join(p.text for p in pieces[: len(other)]) == "ans = 7"


def test_limit_ends_the_stream(student, known):
    assert len(list(student.stream(known[0].source, DecodingSettings(max_new_tokens=4)))) == 4


def test_loss_is_small_for_what_was_learned(student, known):
    right, wrong = student.loss([known[0].source] * 2, [known[0].target, known[1].target])
    assert right < 0.1 < wrong


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "student_text.json"])
def test_missing_file_is_named(trained_run, tmp_path, name):
    folder = tmp_path / "student"
    shutil.copytree(trained_run / "students" / "key", folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError) as caught:
        Student.load(folder, "cpu")
    assert caught.value.where == str(folder / name)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(CheckpointError, match="no such student"):
        Student.load(tmp_path / "nowhere", "cpu")


def test_pickles_are_not_read(trained_run, tmp_path):
    folder = tmp_path / "student"
    shutil.copytree(trained_run / "students" / "key", folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="only a pickle"):
        Student.load(folder, "cpu")


def test_half_written_weights(trained_run, tmp_path):
    folder = tmp_path / "student"
    shutil.copytree(trained_run / "students" / "key", folder)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CheckpointError) as caught:
        Student.load(folder, "cpu")
    assert caught.value.where == str(file)


def test_weights_of_another_shape_and_missing_tensors(trained_run, tmp_path):
    folder = tmp_path / "student"
    shutil.copytree(trained_run / "students" / "key", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_layers": 3}))
    with pytest.raises(CheckpointError, match="lack"):
        Student.load(folder, "cpu")
    (folder / "config.json").write_text(json.dumps({**config, "d_ff": 64}))
    with pytest.raises(CheckpointError, match="do not fit"):
        Student.load(folder, "cpu")


def test_vocabulary_larger_than_the_weights(trained_run, tmp_path, t5_tokenizer):
    folder = tmp_path / "student"
    shutil.copytree(trained_run / "students" / "key", folder)
    (folder / "student_text.json").unlink()
    (folder / "student.json").unlink()
    shutil.copyfile(t5_tokenizer / "tokenizer.json", folder / "tokenizer.json")
    with pytest.raises(CheckpointError, match="rows for 32100"):
        Student.load(folder, "cpu")


def test_devices():
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ConfigError, match="no device"):
        choose_device("toaster")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no CUDA"):
            choose_device("cuda")


def test_made_students_load(tmp_path, lossy):
    make_tiny(tmp_path / "tiny folder", lossy)
    tiny = Student.load(tmp_path / "tiny folder", "cpu")
    assert tiny.network.config.d_model == 128 and tiny.network.config.num_layers == 2
    assert len(tiny.generate(["the total"], settings=DecodingSettings(max_new_tokens=3))) == 1


def test_saved_flan_t5_keeps_its_own_output_layer(tmp_path, lossy):
    """The trap of transformers 5: scores must not change when an untied T5 is saved and loaded."""
    network = new_random("flan-t5-small", StudentText.for_folder(lossy))
    save_weights(tmp_path, network)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["tie_word_embeddings"] is False and config["scale_decoder_outputs"] is False
    tensors = load_file(tmp_path / "model.safetensors")
    assert {"lm_head.weight", "shared.weight"} <= tensors.keys()
    from transformers import T5ForConditionalGeneration

    again = T5ForConditionalGeneration.from_pretrained(tmp_path)
    ids = torch.tensor([[5, 6, 7, 1]])
    with torch.inference_mode():
        one, two = (n.eval()(input_ids=ids, decoder_input_ids=ids).logits for n in (network, again))
    assert torch.allclose(one, two, atol=1e-5)
    assert not torch.equal(again.lm_head.weight, again.shared.weight)


def test_names_of_bases(lossy, tmp_path):
    assert resolve_base(f"tiny:{lossy}") == ("tiny", lossy)
    assert resolve_base(f"random:flan-t5-small:{lossy}") == ("random:flan-t5-small", lossy)
    assert resolve_base(str(tmp_path)) == ("folder", tmp_path)
    assert resolve_base("google/flan-t5-small") == ("hub", None)
    for wrong in ("random:gpt:x", "./nowhere", "something", f"tiny:{tmp_path}"):
        with pytest.raises(ConfigError):
            resolve_base(wrong)
