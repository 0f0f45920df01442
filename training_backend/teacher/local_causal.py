"""A teacher in this process: a causal language model from a local folder or the hub, asked in batches.

Loaded at the first question, in a thread of its own; what is waiting at the same time is written together.
The model's own chat template is used where it has one. Weights are read as safetensors only, code that a
model brings along is not run, and a hub id is downloaded by transformers, which honours HF_HUB_OFFLINE.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList
from transformers.utils import logging as transformers_logging

from training_backend.teacher.asker import Answered, Asked, AskError
from training_backend.teacher.teacher_config import TeacherConfig

# how long the first of a batch waits for company
_GATHER_S = 0.02
_NO_LIMIT_TOKENS = 1024


@dataclass
class _Waiting:
    asked: Asked
    reply: asyncio.Future[Answered]
    since: float


class LocalCausal:
    """Answers with a model in memory; belongs to the event loop of its first question."""

    def __init__(self, config: TeacherConfig) -> None:
        """Prepare; the model is loaded at the first question."""
        self.config = config
        self.name = str(config.get("model") or "").strip()
        self._batch_size = max(1, int(config.get("batch_size")))
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="local teacher")
        self._closing = threading.Event()
        self._writer: _Writer | None = None

    async def ask(self, asked: Asked) -> Answered:
        """Return what the model writes; AskError when it cannot be loaded or the text does not fit it."""
        loop = asyncio.get_running_loop()
        one = _Waiting(asked, loop.create_future(), time.monotonic())
        self._waiting.append(one)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())
        return await one.reply

    async def models(self) -> list[str]:
        """Return the one model that there is."""
        return [self.name]

    async def close(self) -> None:
        """End what is being written and let go of the memory."""
        self._closing.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._writer = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    async def _work(self) -> None:
        """Take what waits, in batches of requests with the same settings, until nothing waits."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(_GATHER_S)
        while self._waiting:
            batch = self._next_batch()
            try:
                replies = await loop.run_in_executor(self._thread, self._write, [one.asked for one in batch])
            except BaseException as error:
                _fail(batch, error)
                if not isinstance(error, Exception):
                    raise
                continue
            for one, reply in zip(batch, replies, strict=True):
                _settle(one, reply)

    def _next_batch(self) -> list[_Waiting]:
        first = self._waiting[0]
        alike = [one for one in self._waiting if _settings(one.asked) == _settings(first.asked)]
        batch = alike[: self._batch_size]
        taken = {id(one) for one in batch}
        self._waiting = [one for one in self._waiting if id(one) not in taken]
        return batch

    def _write(self, batch: Sequence[Asked]) -> list[Answered | AskError]:
        """Load the model if need be and answer a batch, in the thread of the model."""
        if self._writer is None:
            self._writer = _Writer(self.name, self._closing)
        return self._writer.answer(batch)


class _Writer:
    """A loaded model with its tokenizer."""

    def __init__(self, name: str, closing: threading.Event) -> None:
        self.name = name
        self.closing = closing
        self.tokenizer, self.network = _load(name)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.convert_ids_to_tokens(0)
        config = self.network.config.get_text_config(decoder=True)
        self.context = int(getattr(config, "max_position_embeddings", None) or 1 << 30)

    def answer(self, batch: Sequence[Asked]) -> list[Answered | AskError]:
        """Return a reply or a failure for each request."""
        texts = [self._prompt(asked.messages) for asked in batch]
        sizes = [len(self._ids(text)) for text in texts]
        room = batch[0].max_tokens or _NO_LIMIT_TOKENS
        fits = [index for index, size in enumerate(sizes) if size + room <= self.context]
        written = dict(zip(fits, self._generate([texts[i] for i in fits], batch[0], room), strict=True))
        return [written.get(i) or self._too_long(sizes[i], room) for i in range(len(batch))]

    def _too_long(self, size: int, room: int) -> AskError:
        return AskError(
            "too_long",
            f"The text has {size:,} tokens and the reply up to {room:,}; {self.name} reads {self.context:,}.",
            "Use fewer demonstrations, or lower the length limit.",
        )

    def _prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        if not self.tokenizer.chat_template:
            lines = [f"{one['role'].capitalize()}: {one['content']}" for one in messages]
            return "\n\n".join([*lines, "Assistant:"])
        listed = [dict(one) for one in messages]
        try:
            return self._templated(listed)
        except TemplateError:
            # some templates know no system's words: they stand before the user's
            return self._templated(_without_system(listed))

    def _templated(self, messages: list[dict[str, str]]) -> str:
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def _ids(self, text: str) -> list[int]:
        # a chat template writes the beginning of the text itself
        return self.tokenizer(text, add_special_tokens=not self.tokenizer.chat_template)["input_ids"]

    def _generate(self, texts: list[str], asked: Asked, room: int) -> list[Answered]:
        if not texts:
            return []
        try:
            return self._generate_at_once(texts, asked, room)
        except torch.cuda.OutOfMemoryError:
            if len(texts) == 1:
                raise AskError(
                    "too_long", f"The device has too little memory for {self.name}.",
                    "Lower the length limit, or choose a smaller model.",
                ) from None  # fmt: skip
        torch.cuda.empty_cache()
        half = len(texts) // 2
        return self._generate(texts[:half], asked, room) + self._generate(texts[half:], asked, room)

    def _generate_at_once(self, texts: list[str], asked: Asked, room: int) -> list[Answered]:
        began = time.monotonic()
        source = self.tokenizer(
            texts, return_tensors="pt", padding=True, add_special_tokens=not self.tokenizer.chat_template
        ).to(self.network.device)
        if asked.seed is not None:
            torch.manual_seed(asked.seed)
        with torch.inference_mode():
            written = self.network.generate(
                input_ids=source["input_ids"],
                attention_mask=source["attention_mask"],
                generation_config=self._settings(asked, room),
                stopping_criteria=StoppingCriteriaList([_Closing(self.closing)]),
            )
        latency_s = time.monotonic() - began
        start = source["input_ids"].shape[1]
        sizes = source["attention_mask"].sum(dim=1).tolist()
        return [
            self._answered(ids[start:].tolist(), size, latency_s)
            for ids, size in zip(written, sizes, strict=True)
        ]

    def _answered(self, ids: list[int], prompt_tokens: int, latency_s: float) -> Answered:
        ends = self._ends()
        end = next((index for index, token in enumerate(ids) if token in ends), len(ids))
        text = self.tokenizer.decode(ids[:end], skip_special_tokens=True)
        reason = "stop" if end < len(ids) else "length"
        return Answered(text, reason, prompt_tokens, min(end + 1, len(ids)), self.name, latency_s)

    def _ends(self) -> set[int]:
        eos = self.network.generation_config.eos_token_id
        listed = eos if isinstance(eos, list) else [eos, self.tokenizer.eos_token_id]
        return {token for token in listed if token is not None}

    def _settings(self, asked: Asked, room: int) -> Any:
        """Return the model's own settings with what was asked in their place."""
        settings = copy.deepcopy(self.network.generation_config)
        settings.max_new_tokens, settings.max_length = room, None
        settings.do_sample = bool(asked.temperature)
        settings.num_beams = 1
        if settings.do_sample:
            settings.temperature = asked.temperature
            settings.top_p = 1.0 if asked.top_p is None else asked.top_p
            # the library's default of 50 is no part of what was asked
            settings.top_k = settings.top_k or 0
        else:
            settings.temperature = settings.top_p = settings.top_k = None
        settings.pad_token_id = self.tokenizer.pad_token_id
        settings.eos_token_id = sorted(self._ends()) or None
        return settings


class _Closing(StoppingCriteria):
    """Ends a batch when the teacher is closed."""

    def __init__(self, closing: threading.Event) -> None:
        self.closing = closing

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.closing.is_set(), device=input_ids.device)


def _load(name: str) -> tuple[Any, Any]:
    """Return (tokenizer, network) of a folder or hub id, on the best device; AskError says what is wrong."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = Path(name).expanduser()
    place = str(folder) if folder.is_dir() else name
    if not folder.is_dir() and (name.startswith(("/", ".", "~")) or name.count("/") != 1):
        raise AskError(
            "model", f"There is no folder {name}.", "Choose a folder, or write a hub id: OWNER/NAME."
        )
    on_gpu = torch.cuda.is_available()
    settings: dict[str, Any] = {"dtype": precision(), "use_safetensors": True, "trust_remote_code": False}
    if on_gpu:
        # as many devices as there are; what does not fit stays in the computer's memory
        settings["device_map"] = "auto"
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
        network = AutoModelForCausalLM.from_pretrained(place, **settings)
    except Exception as error:
        raise _not_loaded(name, error) from None
    return tokenizer, network.eval()


def precision() -> torch.dtype:
    """Return bf16 where a GPU computes it natively, else fp32."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def _not_loaded(name: str, error: Exception) -> AskError:
    said = " ".join(str(error).split())
    hint = "Name a folder with config.json, model.safetensors and a tokenizer, or a hub id."
    if "trust_remote_code" in said:
        hint = "This model brings code of its own, which is not run here; choose another."
    elif "safetensors" in said:
        hint = "Its weights are no safetensors; pickled weights can run code and are not read. Convert them."
    elif "Unrecognized configuration class" in said:
        hint = "This is no causal language model; students such as T5 cannot be teachers."
    elif "offline" in said.lower() or "couldn't connect" in said.lower() or "cached files" in said.lower():
        hint = "It is not on this machine: connect to the network, or unset HF_HUB_OFFLINE, or name a folder."
    return AskError("model", f"{name} cannot be loaded ({said[:200]}).", hint)


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    before = "\n\n".join(one["content"] for one in messages if one["role"] == "system")
    rest = [one for one in messages if one["role"] != "system"]
    if before and rest:
        rest[0] = {**rest[0], "content": f"{before}\n\n{rest[0]['content']}"}
    return rest


def _settings(asked: Asked) -> tuple[Any, ...]:
    return asked.temperature, asked.top_p, asked.max_tokens, asked.seed


def _settle(one: _Waiting, reply: Answered | AskError) -> None:
    if one.reply.done():
        return
    if isinstance(reply, AskError):
        one.reply.set_exception(reply)
    elif not reply.text.strip():
        told = "The model wrote nothing."
        one.reply.set_exception(AskError("empty", told, "Look at the prompt.", answered=reply))
    else:
        one.reply.set_result(reply)


def _fail(batch: Sequence[_Waiting], error: BaseException) -> None:
    for one in batch:
        if not one.reply.done():
            if isinstance(error, asyncio.CancelledError):
                one.reply.cancel()
            else:
                one.reply.set_exception(error)
