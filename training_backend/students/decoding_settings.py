"""How a student writes, as data; without torch, so that a wrong setting is told before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from training_backend.errors import ConfigError

ENGINES = ("auto", "transformers", "ctranslate2", "ctranslate2-int8")


@dataclass(frozen=True)
class DecodingSettings:
    """How a student writes.

    `max_new_tokens` 0 means the student's own limit. `temperature` 0 is greedy, or with `beams` above 1 beam
    search; above 0 tokens are drawn, out of the smallest set of tokens whose probabilities reach `top_p`.
    `engine` is one of ENGINES; auto takes CTranslate2 on a processor where it is proven to say the same, and
    never its 8 bits, which write other texts now and then.
    Raises ConfigError for values that make no sense together.
    """

    max_new_tokens: int = 0
    beams: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    engine: str = "auto"

    def __post_init__(self) -> None:
        if self.max_new_tokens < 0 or self.beams < 1:
            raise ConfigError(
                f"{self.max_new_tokens} tokens and {self.beams} beams cannot be written.",
                "Give at least one beam, and no negative number of tokens.",
            )
        if not 0 <= self.temperature <= 10 or not 0 < self.top_p <= 1:
            raise ConfigError(
                f"Temperature {self.temperature:g} with top-p {self.top_p:g} cannot be drawn with.",
                "Temperature goes from 0 (always the likeliest) to 10, top-p from above 0 to 1.",
            )
        if self.temperature and self.beams > 1:
            raise ConfigError("Beam search does not draw.", "Take temperature 0, or one beam.")
        if self.engine not in ENGINES:
            raise ConfigError(f"There is no engine '{self.engine}'.", f"Choose one of: {', '.join(ENGINES)}.")
        if self.temperature and self.engine.startswith("ctranslate2"):
            raise ConfigError(
                "CTranslate2 draws with numbers of its threads, so a sample could not be repeated.",
                "Sample with the engine transformers (or auto).",
            )

    @property
    def draws(self) -> bool:
        """Tell whether tokens are drawn."""
        return self.temperature > 0
