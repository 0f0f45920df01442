"""A language model in this process, with a tiny one of random weights."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tiny_chat import CHAT_TEMPLATE, NO_SYSTEM_TEMPLATE, make_tiny_chat

from training_backend.teacher.asker import Answered, Asked, AskError
from training_backend.teacher.endpoint import open_asker
from training_backend.teacher.teacher_config import TeacherConfig

MESSAGES = ({"role": "system", "content": "Write programs."}, {"role": "user", "content": "2 and 3?"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_tiny_chat(tmp_path_factory.mktemp("tiny chat"))


def asked(user: str = "2 and 3?", **settings) -> Asked:
    messages = (MESSAGES[0], {"role": "user", "content": user})
    return Asked(messages, **{"max_tokens": 8, "temperature": 0.0, **settings})


def ask_all(folder: Path | str, requests: list[Asked], **settings) -> list[Answered | BaseException]:
    async def work():
        teacher = open_asker(TeacherConfig("mine", "local", {"model": str(folder), **settings}), None)
        try:
            return await asyncio.gather(*map(teacher.ask, requests), return_exceptions=True)
        finally:
            await teacher.close()

    return asyncio.run(work())


def test_a_batch_says_what_each_says_alone(folder):
    questions = ["2 and 3?", "How many apples has Ann if Ben gives her half of his eleven?", "x", "7 - 2"]
    together = ask_all(folder, [asked(question) for question in questions], batch_size=4)
    alone = [ask_all(folder, [asked(question)], batch_size=1)[0] for question in questions]
    assert [one.text for one in together] == [one.text for one in alone]
    assert len({one.text for one in together}) > 1
    assert all(one.completion_tokens == 8 and one.finish_reason == "length" for one in together)


def test_the_same_as_plain_transformers(folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    source = tokenizer.apply_chat_template(list(MESSAGES), add_generation_prompt=True, return_tensors="pt")
    written = network.generate(**source, do_sample=False, max_new_tokens=8)
    start = source["input_ids"].shape[1]
    (answer,) = ask_all(folder, [asked()])
    assert answer.text == tokenizer.decode(written[0, start:], skip_special_tokens=True)
    assert answer.prompt_tokens == start


def test_sampling_follows_its_seed(folder):
    settings = {"temperature": 1.0, "max_tokens": 16}
    first, again, other = ask_all(
        folder, [asked(seed=2, **settings), asked(seed=3, **settings), asked(seed=4, **settings)]
    )
    (same,) = ask_all(folder, [asked(seed=2, **settings)])
    assert first.text == same.text
    assert len({first.text, again.text, other.text}) == 3


def test_a_model_that_ends_at_once_wrote_nothing(folder):
    # with this seed the random weights choose the end first
    (error,) = ask_all(folder, [asked(seed=1, temperature=1.0, max_tokens=16)])
    assert isinstance(error, AskError) and error.reason == "empty" and error.answered.completion_tokens == 1


def test_more_requests_than_a_batch_holds(folder):
    replies = ask_all(folder, [asked(f"question {number}") for number in range(11)], batch_size=3)
    assert len(replies) == 11 and all(isinstance(reply, Answered) for reply in replies)


def test_a_template_without_a_system_role(tmp_path, folder):
    refusing = make_tiny_chat(tmp_path / "no system", NO_SYSTEM_TEMPLATE)
    (answer,) = ask_all(refusing, [asked()])
    assert answer.prompt_tokens > len("Write programs.")


def test_a_model_without_a_template_gets_named_lines(tmp_path):
    plain = make_tiny_chat(tmp_path / "plain", None)
    (answer,) = ask_all(plain, [asked()])
    # its vocabulary are bytes
    assert answer.prompt_tokens == len("System: Write programs.\n\nUser: 2 and 3?\n\nAssistant:")


def test_what_does_not_fit_is_refused_and_the_rest_answered(tmp_path):
    small = make_tiny_chat(tmp_path / "small", CHAT_TEMPLATE, context=64)
    good, long = ask_all(small, [asked("2?"), asked("apples " * 30)])
    assert isinstance(good, Answered)
    assert isinstance(long, AskError) and long.reason == "too_long" and "64" in long.message


@pytest.mark.parametrize(
    ("name", "hint"),
    [("/no/such/folder", "hub id"), ("someone/not-on-this-machine", "HF_HUB_OFFLINE")],
)
def test_a_model_that_is_not_there(name, hint):
    (error,) = ask_all(name, [asked()])
    assert isinstance(error, AskError) and error.reason == "model" and not error.retryable
    assert hint in error.hint


def test_pickled_weights_are_not_read(tmp_path):
    import torch

    folder = make_tiny_chat(tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    (error,) = ask_all(folder, [asked()])
    assert error.reason == "model" and "pickled" in error.hint


def test_a_student_is_no_teacher(tmp_path):
    from transformers import T5Config

    folder = make_tiny_chat(tmp_path / "t5")
    T5Config().save_pretrained(folder)
    (error,) = ask_all(folder, [asked()])
    assert error.reason == "model" and "T5" in error.hint


def test_closing_ends_a_long_reply(folder):
    async def work():
        teacher = open_asker(TeacherConfig("mine", "local", {"model": str(folder)}), None)
        # loaded, so that what is closed is the writing
        await teacher.ask(asked(max_tokens=1))
        long = asyncio.ensure_future(teacher.ask(asked(max_tokens=400)))
        await asyncio.sleep(0.05)
        await teacher.close()
        return await asyncio.gather(long, return_exceptions=True)

    (ended,) = asyncio.run(asyncio.wait_for(work(), 60))
    assert isinstance(ended, (asyncio.CancelledError, Answered))


def test_precision_is_fp32_without_a_gpu_and_bf16_with_one(monkeypatch):
    import torch

    from training_backend.teacher import local_causal

    assert local_causal.precision() == (torch.bfloat16 if torch.cuda.is_available() else torch.float32)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert local_causal.precision() == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert local_causal.precision() == torch.float32
