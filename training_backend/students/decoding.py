"""A student that writes: many sources at once, or one source token by token with what it also considered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training_backend.errors import ArgumentError, CheckpointError, ConfigError
from training_backend.students.base_student import check_vocabulary, kind_of, load_network, longest_text
from training_backend.students.ct2_engine import WORTH_IT, CT2Engine, NotUsable
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.hf_engine import HFEngine, Request
from training_backend.students.int8_engine import int8_engine, trial_sources
from training_backend.students.lint import fits_together
from training_backend.students.sampling import Chooser
from training_backend.students.text import FILE_NAME, LOST, StudentText

END_SIGN = "⏹"
GREEDY = DecodingSettings()
# below this many parameters threads wait for each other longer than they compute
_SMALL = 10_000_000
_OTHERS = 5


@dataclass(frozen=True)
class Piece:
    """One written token: its text, its probability, and the five most likely tokens as (text, probability).

    `token` and `alternative_tokens` are their ids, which can be forced. The end mark is a piece too, with an
    empty text and `end` set.
    """

    text: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    token: int
    end: bool = False
    alternative_tokens: tuple[int, ...] = ()


class Student:
    """A network with its text and what it was trained for; not thread-safe."""

    def __init__(
        self, network: Any, text: StudentText, about: dict[str, Any] | None = None, training: bool = True
    ) -> None:
        """Use `network` where it lies; `about` is the content of `student.json`.

        A network that is still `training` is never converted: the copy would stay behind.
        """
        self.network = network
        self.text = text
        self.about = about or {}
        self.kind = kind_of(network)
        # 0: as many as one likes
        self._positions = longest_text(network)
        self._reference = HFEngine(network, text)
        self._quick: CT2Engine | None = None
        self._quickest: CT2Engine | None = None
        # why the quick engine is not used; empty while that is not known
        self.engine_note = "the student is still trained" if training else ""

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
        check_vocabulary(network, text, folder)
        network.to(choose_device(device)).eval()
        spare_threads(network)
        return cls(network, text, read_about(folder), training=False)

    @property
    def device(self) -> torch.device:
        """Return where the network lies."""
        return self._reference.device

    @property
    def max_new_tokens(self) -> int:
        """Return the limit the student was trained with."""
        return int(self.about.get("max_target_tokens", 512))

    @property
    def max_source_tokens(self) -> int:
        """Return the longest source the student was trained with."""
        return int(self.about.get("max_source_tokens", 512))

    def source_ids(self, source: str) -> list[int]:
        """Return the ids of a source, ended as this student was trained to see it."""
        return self.text.source_ids(source, self.kind)

    # ---- many sources --------------------------------------------------------------------------

    def generate(
        self,
        sources: Sequence[str],
        on_progress: Callable[[int, int], None] | None = None,
        settings: DecodingSettings = GREEDY,
        stop: Callable[[], bool] | None = None,
    ) -> list[str]:
        """Return what the student writes for each source, in the order given.

        `on_progress(done, total)` is called as texts end; after `stop` the rest stays empty.
        """
        written = [""] * len(sources)
        for done, (i, text) in enumerate(self.write([(s, 0) for s in sources], settings, stop), 1):
            written[i] = text
            if on_progress is not None:
                on_progress(done, len(sources))
        return written

    def sample(
        self,
        sources: Sequence[str],
        count: int,
        settings: DecodingSettings,
        stop: Callable[[], bool] | None = None,
    ) -> list[list[str]]:
        """Return `count` samples of each source, which share its encoder pass; after `stop` they stay empty.

        Sample n of a source is the same whatever else is written, up to rounding of the probabilities.
        """
        wanted = [(source, n) for source in sources for n in range(count)]
        texts = [""] * len(wanted)
        for i, text in self.write(wanted, settings, stop):
            texts[i] = text
        return [texts[start : start + count] for start in range(0, len(texts), count)]

    def write(
        self,
        wanted: Sequence[tuple[str, int]],
        settings: DecodingSettings = GREEDY,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, str]]:
        """Yield (number, text) for (source, number of the sample) pairs, in the order in which they end.

        Equal sources are read once. Without drawing all samples of a source are the same text, written once.
        A source for which the network has no positions gives an empty text.
        """
        places: dict[tuple[str, int], list[int]] = {}
        for i, (source, sample) in enumerate(wanted):
            places.setdefault((source, sample if settings.draws else 0), []).append(i)
        samples: dict[str, list[int]] = {}
        for source, sample in places:
            samples.setdefault(source, []).append(sample)
        limit = self._limit(settings)
        encoded = {source: tuple(self.source_ids(source)) for source in samples}
        sources = [source for source, ids in encoded.items() if self._fits(ids, limit)]
        requests = [Request(encoded[source], tuple(samples[source])) for source in sources]
        for (source, _), numbers in places.items():
            if not self._fits(encoded[source], limit):
                yield from ((i, "") for i in numbers)
        if not requests:
            return
        for request, sample, ids in self._engine(len(requests), settings).write(
            requests, settings, limit, stop
        ):
            text = self.text.decode(ids)
            for i in places[sources[request], sample]:
                yield i, text

    def engine_name(self, count: int, settings: DecodingSettings = GREEDY) -> str:
        """Return the name of the engine that writes for `count` sources, with what is known of it.

        The engine is made ready.
        """
        return self._engine(count, settings).name

    def _engine(self, count: int, settings: DecodingSettings) -> HFEngine | CT2Engine:
        """Return the engine for `count` sources; ConfigError when the one asked for cannot be used."""
        asked = settings.engine.startswith("ctranslate2")
        if settings.engine == "transformers" or settings.draws:
            return self._reference
        # beams are searched by the reference unless asked otherwise: the two end their searches differently
        if not asked and (count < WORTH_IT or settings.beams > 1 or self.device.type != "cpu"):
            return self._reference
        if self._quick is None and not self.engine_note:
            try:
                self._quick = CT2Engine(self._reference)
            except NotUsable as reason:
                self.engine_note = str(reason)
        if self._quick is None and asked:
            raise ConfigError(
                f"CTranslate2 cannot write for this student: {self.engine_note}.",
                "Take the engine auto or transformers.",
            )
        if self._quick is not None and settings.engine == "ctranslate2-int8":
            return self._in_8_bits(self._quick, settings)
        return self._quick or self._reference

    def _in_8_bits(self, precise: CT2Engine, settings: DecodingSettings) -> CT2Engine:
        if self._quickest is None:
            sources = [self.source_ids(source) for source in trial_sources(self.about)]
            limit = self._limit(settings)
            try:
                fit = [ids for ids in sources if self._fits(ids, limit)]
                self._quickest = int8_engine(self._reference, precise, fit, limit)
            except NotUsable as reason:
                raise ConfigError(
                    f"CTranslate2 cannot write for this student: {reason}.",
                    "Take the engine ctranslate2 or auto.",
                ) from reason
        return self._quickest

    # ---- one source, token by token ------------------------------------------------------------

    @torch.inference_mode()
    def stream(
        self,
        source: str,
        settings: DecodingSettings = GREEDY,
        forced: Sequence[int] = (),
        sample: int = 0,
    ) -> Iterator[Piece]:
        """Yield the pieces of one answer as they are written; `forced` tokens are taken first, in one pass.

        With a temperature it is the sample of that number. Probabilities are the student's own, before it.
        """
        ids, limit = self.source_ids(source), self._limit(settings)
        if not self._fits(ids, limit):
            raise ConfigError(
                f"The student has {self._positions} positions; this text has {len(ids)} tokens and up to "
                f"{limit} are written.",
                "Shorten the question.",
            )
        chooser = Chooser(settings, [(ids, sample)], limit, self.device)
        row = torch.zeros(1, dtype=torch.long, device=self.device)
        rows = self._reference.begin([ids])
        waiting = [rows.first()[0]]
        forced = self._known(forced)[:limit]
        if len(forced) > 1:
            waiting += rows.step(torch.tensor([forced[:-1]], device=self.device))[0].unbind()
        written: list[int] = []
        shown, last = "", 0
        for n in range(limit):
            if n < len(forced):
                logits, token = waiting[n], int(forced[n])
            else:
                logits = (
                    waiting[n]
                    if n < len(waiting)
                    else rows.step(torch.tensor([[last]], device=self.device))[0, -1]
                )
                token = int(chooser.choose(logits[None], row, n)[0])
            piece = self._piece(logits, written, shown, token)
            yield piece
            if piece.end:
                return
            written.append(token)
            shown += piece.text
            last = token

    def loss(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the mean negative log-likelihood per target token of each pair, the end mark among them."""
        pairs = [
            (self.source_ids(source), self.text.target_ids(target))
            for source, target in zip(sources, targets, strict=True)
        ]
        return [-float(likely.mean()) for likely in self._reference.score(pairs)]

    def _limit(self, settings: DecodingSettings) -> int:
        """Return how many tokens may be written."""
        limit = settings.max_new_tokens or self.max_new_tokens
        return min(limit, self._positions) if self._positions else limit

    def _fits(self, ids: Sequence[int], limit: int) -> bool:
        return fits_together(len(ids), limit, self._positions, self.kind)

    def _known(self, tokens: Sequence[int]) -> list[int]:
        rows = self.network.get_input_embeddings().weight.shape[0]
        wrong = [token for token in tokens if not 0 <= token < rows]
        if wrong:
            raise ConfigError(
                f"There is no token {wrong[0]} in a vocabulary of {rows}.",
                "Continue with tokens that this student wrote or offered.",
            )
        return list(tokens)

    def _piece(self, logits: torch.Tensor, written: list[int], shown: str, token: int) -> Piece:
        likely = logits.float().softmax(-1)
        best = likely.topk(min(_OTHERS, likely.numel()))
        ids = best.indices.tolist()
        others = tuple(
            (self._reads(written, shown, i), round(p, 5))
            for i, p in zip(ids, best.values.tolist(), strict=True)
        )
        end = token == self.text.eos_id
        text = "" if end else self._reads(written, shown, token)
        return Piece(text, round(float(likely[token]), 5), others, token, end, tuple(ids))

    def _reads(self, written: list[int], shown: str, token: int) -> str:
        """Return what `token` adds to the text; half of a character adds nothing yet."""
        if token == self.text.eos_id:
            return END_SIGN
        text = self.text.decode([*written, token])
        return "" if text.endswith(LOST) and token != self.text.unknown_id else text[len(shown) :]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; auto takes a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ArgumentError(f"There is no device '{name}'.", "Use auto, cpu, cuda or cuda:N.") from error
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
