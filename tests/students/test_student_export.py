"""Exported students: plain transformers reads them, and the lines of their card encode as we do."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch
from rows import make_rows
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, Qwen2Config, Qwen2ForCausalLM

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError, StoreError
from training_backend.students import student_export
from training_backend.students.base_student import new_tiny, save_student_files
from training_backend.students.decoding import Student
from training_backend.students.examples import build_examples
from training_backend.students.student_export import export_student
from training_backend.students.text import StudentText

TEXTS = ["", "a", "ans = 12 * 3\n", "if x < 3:\n        y = {'a': 1}\n\n  z\t = 4  ",
         " total  of  the boxes  ",
         "½ ﬁ 中 😀 ▁ \u00a0 ~", "question: the total\n\n\n", "\n", "   ", "12 boxes has 2112"]  # fmt: skip


def code_of(folder):
    """Return the two parts of the card that are Python: how text is encoded, how the student is used."""
    return re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def run_reader(folder):
    names: dict = {}
    exec(code_of(folder)[0].replace("Path()", f"Path({str(folder)!r})"), names)
    return names


def about(role="solve", **more):
    task = {"prefix": "solve by program", "reads": ["question"], "writes": "pot"}
    return {"version": 1, "role": role, "method": "potd", "tasks": [task], "step": 7, "trained_on": 1234,
            "base": "google/flan-t5-small@main", "max_source_tokens": 64, "max_target_tokens": 32,
            **more}  # fmt: skip


def made(folder, network, vocabulary, split_digits=False, **more):
    """Write a student as a run does."""
    text = StudentText.for_folder(vocabulary, split_digits)
    save_student_files(folder, network(text), text, vocabulary)
    (folder / "student.json").write_text(json.dumps(about(**more)), encoding="utf-8")
    return folder


def untied(text):
    network = new_tiny(text, 4)
    network.lm_head.weight = torch.nn.Parameter(torch.randn_like(network.shared.weight))
    network.config.scale_decoder_outputs = False
    return network


def causal(text):
    torch.manual_seed(5)
    return Qwen2ForCausalLM(Qwen2Config(
        vocab_size=text.size, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.3,
        bos_token_id=None, eos_token_id=text.eos_id,
    ))  # fmt: skip


def test_what_it_learned_is_written_by_the_lines_of_its_card(trained_run, tmp_path, capsys):
    out = tmp_path / "made" / "my student"
    told = export_student(trained_run / "students" / "solve", out)
    assert told["role"] == "solve" and told["difference"] < 1e-4 and not told["merged"]
    known = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(1))[0]
    reader, usage = code_of(out)
    names: dict = {}
    exec(reader.replace("Path()", f"Path({str(out)!r})"), names)
    exec(re.sub(r"source = .*", f"source = {known.source!r}", usage), names)
    assert capsys.readouterr().out.rstrip("\n") == known.target.rstrip("\n")
    again = Student.load(out, "cpu")
    assert again.generate([known.source]) == [known.target] and again.about["role"] == "solve"
    assert not list(tmp_path.glob("made/.new*"))


@pytest.mark.parametrize("split_digits", [False, True])
@pytest.mark.parametrize("vocabulary", ["lossy", "byte_level", "closed", "t5_tokenizer"])
def test_the_card_encodes_as_we_do(vocabulary, split_digits, tmp_path, request):
    folder = made(tmp_path / "one", new_tiny, request.getfixturevalue(vocabulary), split_digits)
    export_student(folder, tmp_path / "out")
    text, names = StudentText.for_folder(folder), run_reader(tmp_path / "out")
    for one in [*TEXTS, *(row.rationale for row in make_rows()), *(row.question for row in make_rows())]:
        ids = text.encode(one)
        assert names["encode"](one) == ids
        assert names["decode"](ids) == text.decode(ids)


def test_an_output_layer_of_its_own_is_told_in_the_old_words(lossy, tmp_path):
    folder = made(tmp_path / "one", untied, lossy)
    assert export_student(folder, tmp_path / "out")["difference"] < 1e-4
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["tie_word_embeddings"] is False
    plain = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out")
    assert not torch.equal(plain.lm_head.weight, plain.shared.weight)


def test_a_language_model(byte_level, tmp_path, capsys):
    folder = made(tmp_path / "one", causal, byte_level, kind="causal")
    assert export_student(folder, tmp_path / "out")["kind"] == "causal"
    AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    names = run_reader(tmp_path / "out")
    usage = re.sub(r"source = .*", "source = 'the total'", code_of(tmp_path / "out")[1])
    exec(usage.replace("max_new_tokens=32", "max_new_tokens=6"), names)
    wanted = Student.load(folder, "cpu")
    from training_backend.students.decoding_settings import DecodingSettings

    (text,) = wanted.generate(["the total"], settings=DecodingSettings(6))
    assert capsys.readouterr().out == text + "\n"


def test_lora_is_added_in(lossy, tmp_path):
    peft = pytest.importorskip("peft")
    base = made(tmp_path / "base", new_tiny, lossy)
    student = Student.load(base, "cpu")
    network = peft.get_peft_model(
        student.network, peft.LoraConfig(r=2, target_modules=["q", "v"], init_lora_weights=False)
    )
    network.peft_config["default"].base_model_name_or_path = str(base)
    folder = tmp_path / "one"
    save_student_files(folder, network, student.text, base)
    (folder / "student.json").write_text(json.dumps(about()), encoding="utf-8")
    told = export_student(folder, tmp_path / "out")
    assert told["merged"] and told["difference"] < 1e-4
    assert (tmp_path / "out" / "model.safetensors").is_file()
    assert not list((tmp_path / "out").glob("adapter*"))
    assert "LoRA" in (tmp_path / "out" / "README.md").read_text()


def test_card_says_what_it_is(lossy, tmp_path):
    export_student(made(tmp_path / "one", new_tiny, lossy), tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert (
        card.startswith("---\nlibrary_name: transformers\n") and "base_model: google/flan-t5-small\n" in card
    )
    assert "# Solve of PoTD" in card and "1,234 examples" in card and "arXiv 2305.13888" in card
    assert "`solve by program: {question}`" in card and "{{" not in card
    assert "None" not in "".join(re.split(r"```python\n.*?```", card, flags=re.DOTALL))


def test_what_is_in_the_way(trained_run, lossy, tmp_path, monkeypatch):
    folder = trained_run / "students" / "key"
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    for replace in (False, True):
        with pytest.raises(ConfigError, match="Something else stands"):
            export_student(folder, taken, replace)
    assert (taken / "mine.txt").is_file()
    with pytest.raises(ConfigError, match="onto itself"):
        export_student(folder, folder, replace=True)
    plain = tmp_path / "plain"
    shutil.copytree(folder, plain)
    (plain / "student.json").unlink()
    with pytest.raises(CheckpointError, match=r"no student\.json"):
        export_student(plain, tmp_path / "out")
    with pytest.raises(StoreError, match="cannot be written"):
        export_student(folder, taken / "mine.txt" / "out")


def test_a_student_is_replaced_only_by_a_proven_one(trained_run, tmp_path, monkeypatch):
    folder, out = trained_run / "students" / "key", tmp_path / "out"
    export_student(folder, out)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="A student stands"):
        export_student(folder, out)
    monkeypatch.setattr(student_export, "_SAME", -1.0)
    with pytest.raises(CheckpointError, match="other probabilities"):
        export_student(folder, out, replace=True)
    assert (out / "mine.txt").is_file() and not list(tmp_path.glob(".*"))
    monkeypatch.undo()
    export_student(folder, out, replace=True)
    assert not (out / "mine.txt").exists() and (out / "model.safetensors").is_file()
