"""Base students: every family loads and is written again; what does not fit is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from training_backend.errors import CheckpointError, ConfigError, KpddError
from training_backend.students.base_names import adapter_base, ensure_base, resolve_base
from training_backend.students.base_student import (
    base_text,
    generation_config,
    kind_of,
    load_base,
    load_network,
    longest_text,
    look_over,
    make_tiny,
    save_student_files,
)
from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText

SMALL = {"d_model": 32, "num_layers": 2, "num_heads": 2, "d_kv": 16, "d_ff": 64}


def put_tokenizer(folder: Path, tokenizer: Path) -> Path:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    return folder


def qwen_network(rows: int = 384) -> Qwen2ForCausalLM:
    return Qwen2ForCausalLM(
        Qwen2Config(vocab_size=rows, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                    num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256,
                    bos_token_id=0, eos_token_id=0, tie_word_embeddings=True)
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, lossy, qwen, code_t5) -> dict[str, Path]:
    """A folder for each family with tiny random weights, as its authors publish them."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("base students")
    folders = {name: root / name for name in ("t5 v1.1", "codet5+", "bart", "qwen2")}
    T5ForConditionalGeneration(
        T5Config(vocab_size=256, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
                 decoder_start_token_id=0, **SMALL)
    ).save_pretrained(folders["t5 v1.1"])  # fmt: skip
    T5ForConditionalGeneration(
        T5Config(vocab_size=384, pad_token_id=0, eos_token_id=2, decoder_start_token_id=0, **SMALL)
    ).save_pretrained(folders["codet5+"])
    BartForConditionalGeneration(
        BartConfig(vocab_size=384, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
                   decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, pad_token_id=0,
                   bos_token_id=1, eos_token_id=2, decoder_start_token_id=2, max_position_embeddings=128)
    ).save_pretrained(folders["bart"])  # fmt: skip
    network = qwen_network()
    # what Qwen publishes would sample
    network.generation_config.update(do_sample=True, temperature=0.7, top_p=0.8)
    network.save_pretrained(folders["qwen2"])
    for name, tokenizer in (("t5 v1.1", lossy), ("codet5+", code_t5), ("bart", code_t5), ("qwen2", qwen)):
        put_tokenizer(folders[name], tokenizer)
    return folders


@pytest.mark.parametrize(
    ("name", "kind", "positions"),
    [("t5 v1.1", SEQ2SEQ, 0), ("codet5+", SEQ2SEQ, 0), ("bart", SEQ2SEQ, 128), ("qwen2", CAUSAL, 256)],
)
def test_every_family_loads_and_plain_transformers_reads_what_is_written(
    made, tmp_path, name, kind, positions
):
    network, text, tokenizer = load_base(str(made[name]))
    assert (kind_of(network), longest_text(network)) == (kind, positions)
    assert network.dtype == torch.float32 and base_text(str(made[name]))[1] == kind
    looked = look_over(str(made[name]))
    assert (looked.kind, looked.positions, looked.text.rule) == (kind, positions, text.rule)
    save_student_files(tmp_path, network, text, tokenizer)
    again = load_network(tmp_path)
    ours, theirs = network.state_dict(), again.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
    plain = AutoModelForSeq2SeqLM if kind == SEQ2SEQ else AutoModelForCausalLM
    stock = plain.from_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).is_fast
    assert not stock.generation_config.do_sample
    ids = torch.tensor([text.source_ids("Tom has 3 pens", kind)])
    settings = generation_config(again, text)
    settings.max_new_tokens = 8
    first = again.eval().generate(input_ids=ids, attention_mask=torch.ones_like(ids),
                                  generation_config=settings)  # fmt: skip
    second = stock.eval().generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=8)
    assert first.tolist() == second.tolist()


def test_a_tokenizer_is_made_of_its_parts(made, t5_tokenizer, tmp_path):
    shutil.copytree(made["t5 v1.1"], tmp_path / "student")
    (tmp_path / "student" / "tokenizer.json").unlink()
    (tmp_path / "student" / "tokenizer_config.json").unlink()
    shutil.copyfile(t5_tokenizer / "spiece.model", tmp_path / "student" / "spiece.model")
    text, _ = base_text(str(tmp_path / "student"))
    real = StudentText.for_folder(t5_tokenizer)
    sample = "if total < 3:\n    ans = {total}  # Füße"
    assert text.rule == real.rule and text.encode(sample) == real.encode(sample)
    assert not (tmp_path / "student" / "tokenizer.json").exists()
    # the weights of the fixture have fewer rows than the real vocabulary
    with pytest.raises(CheckpointError, match=r"256 rows for 32100 vocabulary entries"):
        load_base(str(tmp_path / "student"))


def test_a_tokenizer_that_cannot_be_made_is_named(made, tmp_path):
    shutil.copytree(made["t5 v1.1"], tmp_path / "student")
    (tmp_path / "student" / "tokenizer.json").unlink()
    (tmp_path / "student" / "spiece.model").write_bytes(b"no model")
    with pytest.raises(CheckpointError, match=r"No fast tokenizer can be made of spiece\.model"):
        base_text(str(tmp_path / "student"))


def change(folder: Path, **values) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def spoil_bytes(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def take_a_tensor(folder: Path) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    tensors.pop("encoder.block.1.layer.0.SelfAttention.q.weight")
    save_file(tensors, file, metadata={"format": "pt"})


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def lose_a_shard(folder: Path) -> None:
    AutoModelForSeq2SeqLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    sorted(folder.glob("model-0*.safetensors"))[1].unlink()


def own_code(folder: Path) -> None:
    change(folder, model_type="own_kind", auto_map={"AutoModelForSeq2SeqLM": "modeling_own.Own"})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer.json"),
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "configuration cannot be read"),
        (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
        (only_a_pickle, "only a pickle"),
        (lose_a_shard, "files of the weights are missing"),
        (spoil_bytes, "damaged or cut off"),
        (take_a_tensor, r"lack what the configuration wants: one weight, encoder\.block\.1\.\S+ \(32 × 32\)"),
        (lambda f: change(f, d_model=64), r"\S+\.weight is 32 × 32 in the weights and 32 × 64 by config"),
        (lambda f: change(f, num_layers=3), r"lack what the configuration wants: \d+ weights"),
        (lambda f: change(f, num_layers=1), "for which the configuration has no layer"),
        (lambda f: change(f, model_type="nothing known"), "configuration cannot be read"),
        (own_code, "code of its own"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer cannot be read"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(made, tmp_path, spoil, sentence):
    folder = tmp_path / "student"
    shutil.copytree(made["t5 v1.1"], folder)
    spoil(folder)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load_base(str(folder))
    assert caught.value.hint and caught.value.where.startswith(str(folder)) and "\n" not in str(caught.value)
    # the same is said without loading anything
    with pytest.raises(CheckpointError, match=sentence) as looked:
        ensure_base(str(folder))
        look_over(str(folder))
    assert str(looked.value) == str(caught.value)


def test_code_beside_a_known_kind_is_neither_run_nor_carried_on(made, tmp_path):
    folder = tmp_path / "student"
    shutil.copytree(made["t5 v1.1"], folder)
    change(folder, auto_map={"AutoModelForSeq2SeqLM": "modeling_own.Own", "AutoConfig": "modeling_own.Own"})
    (folder / "modeling_own.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')")
    network, text, tokenizer = load_base(str(folder))
    save_student_files(tmp_path / "trained", network, text, tokenizer)
    assert "auto_map" not in json.loads((tmp_path / "trained" / "config.json").read_text())
    assert not (tmp_path / "it ran").exists() and not (tmp_path / "trained" / "modeling_own.py").exists()


def test_what_writes_no_text_is_no_student(tmp_path, qwen):
    BertForMaskedLM(
        BertConfig(vocab_size=384, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                   intermediate_size=32)
    ).save_pretrained(tmp_path)  # fmt: skip
    put_tokenizer(tmp_path, qwen)
    with pytest.raises(CheckpointError, match=r"no student that writes text \(BertForMaskedLM\)"):
        load_base(str(tmp_path))


def test_a_vocabulary_larger_than_the_weights_is_refused(tmp_path, qwen):
    qwen_network(rows=128).save_pretrained(tmp_path)
    put_tokenizer(tmp_path, qwen)
    for way in (load_base, look_over):
        with pytest.raises(CheckpointError, match="128 rows for"):
            way(str(tmp_path))


def test_names_of_base_students(tmp_path, lossy):
    hub = {"google/flan-t5-small", "google/t5-v1_1-base@refs/pr/2", "Qwen/Qwen2.5-0.5B"}
    assert {resolve_base(name) for name in hub} == {("hub", None)}
    for wrong in (
        "",
        "nothing",
        "a/b/c",
        "../x",
        "https://huggingface.co/google/flan-t5-small",
        "x" * 5000,
        "two\nlines\0",
        "~nobody-of-this-name/student",
        "tiny:" + "x" * 5000,
        "random:flan-t5-small:\0",
        "tiny:/none",
    ):
        with pytest.raises(KpddError) as caught:
            resolve_base(wrong)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    make_tiny(tmp_path / "tiny", lossy)
    assert ensure_base(str(tmp_path / "tiny")) == tmp_path / "tiny"
    assert ensure_base(f"tiny:{lossy}") is None
    assert adapter_base(str(tmp_path / "tiny")) == str((tmp_path / "tiny").resolve())
    assert adapter_base("google/flan-t5-small") == "google/flan-t5-small"
    with pytest.raises(ConfigError, match="no base student"):
        ensure_base(str(tmp_path / "not here"))
