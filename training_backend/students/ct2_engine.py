"""Writing with CTranslate2, the quick engine on a processor, once it is proven to say what transformers says.

A network is converted when it is first used and proven then: the log-probabilities of random texts must be
those of transformers. Where that cannot be, NotUsable says why, and transformers writes.

The trap: transformers 5 keeps whether T5 scales its decoder's outputs in `scale_decoder_outputs` and says
`tie_word_embeddings: true` of every T5; the converter reads the latter, so the logits of FlanT5 and T5 v1.1
would come out multiplied by d_model^-0.5. The likeliest token stays, every score is wrong.
"""

from __future__ import annotations

import copy
import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.hf_engine import HFEngine, Request, Written

# fewer sources are written sooner than a network is converted
WORTH_IT = 8
# log-probabilities in fp32 agree to 1e-4; a wrong scale is off by whole units
TOLERANCE = 2e-3
_PAIRS, _PAIR_TOKENS = 4, 24
# rows written together: few of a small student stay in the processor's cache, a large one wants more
_ROWS, _ROWS_OF_SMALL, _SMALL = 32, 16, 10_000_000


class NotUsable(Exception):
    """CTranslate2 cannot write for this student; the text says why."""


def installed() -> bool:
    """Tell whether CTranslate2 is installed."""
    return importlib.util.find_spec("ctranslate2") is not None


class CT2Engine:
    """Writes greedily or with beams, on the processor."""

    name = "ctranslate2"

    def __init__(self, reference: HFEngine, compute: str = "float32") -> None:
        """Convert the reference's network and prove the copy; NotUsable says why that cannot be.

        `compute` is float32, or int8, whose texts its caller has to try: its probabilities are others.
        """
        if not installed():
            raise NotUsable("CTranslate2 is not installed")
        if reference.device.type != "cpu":
            raise NotUsable("the student is not on the processor")
        self._eos = reference.text.eos_id
        self._causal = not reference.network.config.is_encoder_decoder
        small = sum(weights.numel() for weights in reference.network.parameters()) < _SMALL
        self._rows = _ROWS_OF_SMALL if small else _ROWS
        self._model = _converted(reference, compute)
        self.difference = self._proven(reference) if compute == "float32" else float("nan")

    def write(
        self,
        requests: Sequence[Request],
        settings: DecodingSettings,
        limit: int,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[Written]:
        """Yield what is written, at most `limit` tokens a row; `stop` is asked before each batch."""
        order = sorted(range(len(requests)), key=lambda i: -len(requests[i].ids))
        for start in range(0, len(order), self._rows):
            if stop is not None and stop():
                return
            group = order[start : start + self._rows]
            sources = [_names(requests[i].ids) for i in group]
            for i, names in zip(group, self._texts(sources, settings.beams, limit), strict=True):
                ids = [int(name) for name in names]
                for sample in requests[i].samples:
                    yield i, sample, ids

    def _texts(self, sources: list[list[str]], beams: int, limit: int) -> list[list[str]]:
        if self._causal:
            found = self._model.generate_batch(
                sources, beam_size=beams, max_length=limit, include_prompt_in_result=False
            )
            return [one.sequences[0] for one in found]
        # without max_input_length 0 a long source would be cut in silence
        found = self._model.translate_batch(
            sources, beam_size=beams, max_decoding_length=limit, max_input_length=0
        )
        return [one.hypotheses[0] for one in found]

    def score(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[list[float]]:
        """Return the log-probability of each target token of (source, target) ids, the end mark not given."""
        sources, targets = [_names(s) for s, _ in pairs], [_names(t) for _, t in pairs]
        if self._causal:
            both = [source + target for source, target in zip(sources, targets, strict=True)]
            found = self._model.score_batch(both, max_input_length=0)
            return [list(one.log_probs[-len(target) :]) for one, target in zip(found, targets, strict=True)]
        found = self._model.score_batch(sources, targets, max_input_length=0)
        # the end mark is scored too
        return [list(one.log_probs[: len(target)]) for one, target in zip(found, targets, strict=True)]

    def _proven(self, reference: HFEngine) -> float:
        """Return the largest difference in log-probability over random texts; NotUsable if too large."""
        rows = reference.network.get_input_embeddings().weight.shape[0]
        random = np.random.default_rng(0)
        draw = random.integers(0, rows, (_PAIRS, 2, _PAIR_TOKENS)).tolist()
        # an end mark inside a text would end it
        draw = [[[i for i in ids if i != self._eos] for ids in pair] for pair in draw]
        pairs = [(source if self._causal else [*source, self._eos], target) for source, target in draw]
        wanted, found = reference.score(pairs), self.score(pairs)
        difference = max(
            float((one - torch.tensor(other)).abs().max()) for one, other in zip(wanted, found, strict=True)
        )
        if not difference <= TOLERANCE:
            raise NotUsable(
                f"its copy gives other probabilities (log-probabilities differ by {difference:.2g})"
            )
        return difference


def _converted(reference: HFEngine, compute: str) -> Any:
    """Return the network as a CTranslate2 model; its tokens are named by their ids."""
    try:
        import ctranslate2
        from ctranslate2.converters import transformers as converters
    except (ImportError, OSError) as error:
        raise NotUsable(f"CTranslate2 cannot be loaded ({error})") from error
    text = reference.text
    # some loaders take the network apart as they read it: they get modules of their own over its weights
    weights = [*reference.network.parameters(), *reference.network.buffers()]
    network = copy.deepcopy(reference.network, {id(tensor): tensor for tensor in weights})
    loader = converters._MODEL_LOADERS.get(type(network.config).__name__)
    if loader is None:
        raise NotUsable(f"CTranslate2 does not know {type(network.config).__name__}")
    start = getattr(network.config, "decoder_start_token_id", None)
    rows = network.get_output_embeddings().weight.shape[0]
    try:
        with torch.no_grad():
            spec = loader.get_model_spec(network)
            _mend_scale(spec, network.config)
        loader.set_vocabulary(spec, _names(range(rows)))
        spec.config.eos_token = str(text.eos_id)
        spec.config.unk_token = str(text.pad_id if text.unknown_id is None else text.unknown_id)
        spec.config.bos_token = str(text.pad_id)
        if network.config.is_encoder_decoder:
            spec.config.decoder_start_token = str(text.pad_id if start is None else start)
        spec.validate()
        spec.optimize(quantization="float32")
        model_class = ctranslate2.Translator if network.config.is_encoder_decoder else ctranslate2.Generator
        with tempfile.TemporaryDirectory(prefix="kpdd-student-") as folder:
            spec.save(folder)
            return model_class(
                str(Path(folder)), device="cpu", compute_type=compute, intra_threads=torch.get_num_threads()
            )
    except Exception as error:
        # the converter knows most networks, not every variant: each failure of it has the same way out
        raise NotUsable(f"CTranslate2 cannot convert it ({' '.join(str(error).split())[:200]})") from error


def _mend_scale(spec: Any, config: Any) -> None:
    """Scale the decoder's outputs exactly where the network does."""
    from ctranslate2.specs.model_spec import OPTIONAL

    scaled = getattr(config, "scale_decoder_outputs", None)
    if scaled is not None:
        spec.decoder.scale_outputs = config.d_model**-0.5 if scaled else OPTIONAL


def _names(ids: Sequence[int]) -> list[str]:
    return [str(i) for i in ids]
