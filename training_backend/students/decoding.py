"""A student that writes: many sources at once, or one source token by token with what it also considered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training_backend.errors import CheckpointError, ConfigError
from training_backend.students.base_student import generation_config, load_network
from training_backend.students.text import FILE_NAME, LOST, StudentText

END_SIGN = "⏹"
# below this many parameters threads wait for each other longer than they compute
_SMALL = 10_000_000
# padded source tokens decoded together
_BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}
_MOST_ROWS = {"cpu": 32, "cuda": 256}


@dataclass(frozen=True)
class DecodingSettings:
    """How a student writes; `max_new_tokens` 0 means the student's own limit, `beams` 1 is greedy."""

    max_new_tokens: int = 0
    beams: int = 1


@dataclass(frozen=True)
class Piece:
    """One written token: its text, its probability, and the five most likely tokens as (text, probability).

    The end mark is a piece too, with an empty text and `end` set.
    """

    text: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    token: int
    end: bool = False


class Student:
    """A network with its text and what it was trained for; not thread-safe."""

    def __init__(self, network: Any, text: StudentText, about: dict[str, Any] | None = None) -> None:
        """Use `network` where it lies; `about` is the content of `student.json`."""
        self.network = network
        self.text = text
        self.about = about or {}

    @classmethod
    def load(cls, folder: Path | str, device: str = "auto") -> Student:
        """Load a student's folder; CheckpointError names the file that is missing or does not fit."""
        folder = Path(folder)
        network = load_network(folder)
        if (folder / "student.json").is_file() and not (folder / FILE_NAME).is_file():
            # another rule than the one it was trained with would read and write other texts
            raise CheckpointError(
                f"The trained student's folder has no {FILE_NAME}.",
                "Take the file from another checkpoint of its run.",
                str(folder / FILE_NAME),
            )
        text = StudentText.for_folder(folder)
        rows = network.get_input_embeddings().weight.shape[0]
        if rows < text.size:
            raise CheckpointError(
                f"The weights have {rows} rows for {text.size} vocabulary entries.",
                "tokenizer.json and model.safetensors must come from the same student.",
                str(folder / "tokenizer.json"),
            )
        network.to(choose_device(device)).eval()
        spare_threads(network)
        return cls(network, text, read_about(folder))

    @property
    def device(self) -> torch.device:
        """Return where the network lies."""
        return next(self.network.parameters()).device

    @property
    def max_new_tokens(self) -> int:
        """Return the limit the student was trained with."""
        return int(self.about.get("max_target_tokens", 512))

    @property
    def max_source_tokens(self) -> int:
        """Return the longest source the student was trained with."""
        return int(self.about.get("max_source_tokens", 512))

    def generate(
        self,
        sources: Sequence[str],
        on_progress: Callable[[int, int], None] | None = None,
        settings: DecodingSettings = DecodingSettings(),
        stop: Callable[[], bool] | None = None,
    ) -> list[str]:
        """Return what the student writes for each source, in the order given.

        `on_progress(done, total)` is called after each batch; `stop` is asked before each, and the rest stays
        empty. Sources are decoded in batches of similar length.
        """
        encoded = [[*self.text.encode(source), self.text.eos_id] for source in sources]
        order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i]))
        written = [""] * len(encoded)
        done = 0
        for group in self._groups(encoded, order):
            if stop is not None and stop():
                break
            for i, ids in zip(group, self._write([encoded[i] for i in group], settings), strict=True):
                written[i] = self.text.decode(ids)
            done += len(group)
            if on_progress is not None:
                on_progress(done, len(encoded))
        return written

    @torch.inference_mode()
    def stream(
        self,
        source: str,
        settings: DecodingSettings = DecodingSettings(),
        forced: Sequence[int] = (),
    ) -> Iterator[Piece]:
        """Yield the pieces of a greedy answer as they are written; `forced` tokens are taken first."""
        ids = torch.tensor([[*self.text.encode(source), self.text.eos_id]], device=self.device)
        mask = torch.ones_like(ids)
        encoded = self.network.get_encoder()(input_ids=ids, attention_mask=mask)
        last, past = generation_config(self.network, self.text).decoder_start_token_id, None
        written: list[int] = []
        shown = ""
        for n in range(settings.max_new_tokens or self.max_new_tokens):
            out = self.network(
                encoder_outputs=encoded,
                attention_mask=mask,
                decoder_input_ids=torch.tensor([[last]], device=self.device),
                past_key_values=past,
                use_cache=True,
            )
            past = out.past_key_values
            likely = out.logits[0, -1].float().softmax(-1)
            token = int(forced[n]) if n < len(forced) else int(likely.argmax())
            best = likely.topk(min(5, likely.numel()))
            others = tuple(
                (self._reads(written, shown, int(i)), round(float(p), 5))
                for p, i in zip(best.values, best.indices, strict=True)
            )
            end = token == self.text.eos_id
            text = "" if end else self._reads(written, shown, token)
            yield Piece(text, round(float(likely[token]), 5), others, token, end)
            if end:
                return
            written.append(token)
            shown += text
            last = token

    def loss(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the mean negative log-likelihood per target token of each pair."""
        from training_backend.students.batches import Encoded, collate, token_losses

        found = []
        with torch.inference_mode():
            for source, target in zip(sources, targets, strict=True):
                pair = Encoded(
                    [*self.text.encode(source), self.text.eos_id],
                    [*self.text.encode(target), self.text.eos_id],
                )
                start = generation_config(self.network, self.text).decoder_start_token_id
                batch = collate([pair], self.text.pad_id, start).to(self.device)
                found.append(float(token_losses(self.network, batch)) / len(pair.target))
        return found

    def _reads(self, written: list[int], shown: str, token: int) -> str:
        """Return what `token` adds to the text; half of a character adds nothing yet."""
        if token == self.text.eos_id:
            return END_SIGN
        text = self.text.decode([*written, token])
        return "" if text.endswith(LOST) and token != self.text.unknown_id else text[len(shown) :]

    def _groups(self, encoded: list[list[int]], order: list[int]) -> Iterator[list[int]]:
        kind = self.device.type if self.device.type in _BATCH_TOKENS else "cpu"
        group: list[int] = []
        for i in order:
            if group and (
                len(group) >= _MOST_ROWS[kind]
                or (len(group) + 1) * len(encoded[group[0]]) > _BATCH_TOKENS[kind]
            ):
                yield group
                group = []
            group.append(i)
        if group:
            yield group

    @torch.inference_mode()
    def _write(self, sources: list[list[int]], settings: DecodingSettings) -> list[list[int]]:
        width = max(map(len, sources))
        ids = torch.full((len(sources), width), self.text.pad_id)
        mask = torch.zeros_like(ids)
        for n, row in enumerate(sources):
            ids[n, : len(row)] = torch.tensor(row)
            mask[n, : len(row)] = 1
        config = generation_config(self.network, self.text)
        config.max_new_tokens = settings.max_new_tokens or self.max_new_tokens
        config.num_beams = settings.beams
        out = self.network.generate(
            input_ids=ids.to(self.device), attention_mask=mask.to(self.device), generation_config=config
        )
        # the first token is the decoder's start
        return out[:, 1:].tolist()


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; auto takes a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"There is no device '{name}'.", "Use auto, cpu, cuda or cuda:N.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("There is no CUDA device.", "Use --device cpu, or `kpdd doctor` to see why.")
    return device


def spare_threads(network: Any) -> None:
    """Let a small student on the CPU write with one thread: several cost six times the time for nothing."""
    small = sum(weights.numel() for weights in network.parameters()) < _SMALL
    if small and next(network.parameters()).device.type == "cpu":
        torch.set_num_threads(1)


def read_about(folder: Path) -> dict[str, Any]:
    """Return what `student.json` says, or nothing for a folder that no run of ours wrote."""
    file = folder / "student.json"
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(
            f"What the student was trained for cannot be read ({error}).",
            "Take another checkpoint of the run.",
            str(file),
        ) from error
    return data if isinstance(data, dict) else {}
