"""A teacher behind an OpenAI-compatible address, and how any configured teacher is opened and tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training_backend.errors import ConfigError
from training_backend.teacher.asker import FOR_ALL, REASONS, Answered, Asked, Asker, AskError
from training_backend.teacher.teacher_config import TeacherConfig

__all__ = [
    "FOR_ALL", "REASONS", "Answered", "AskError", "Asked", "Asker", "Check", "Endpoint", "open_asker", "test",
]  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and what to do where it is not well."""

    title: str
    ok: bool
    sentence: str
    hint: str = ""


class Endpoint:
    """Asks one address."""

    def __init__(self, config: TeacherConfig, key: str | None) -> None:
        """Connect to nothing yet."""
        from openai import AsyncOpenAI

        self.config = config
        self._client = AsyncOpenAI(
            api_key=key or "none", base_url=str(config.get("base_url")), max_retries=0,
            timeout=config.get("timeout_s"),
        )  # fmt: skip

    async def ask(self, asked: Asked) -> Answered:
        """Return the reply; AskError names why there is none."""
        import time

        began = time.monotonic()
        done = await self._client.chat.completions.create(
            model=self.config.get("model"),
            messages=list(asked.messages),  # type: ignore[arg-type]
        )
        choice, usage = done.choices[0], done.usage
        return Answered(
            choice.message.content or "", choice.finish_reason, usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else 0, done.model, time.monotonic() - began,
        )  # fmt: skip

    async def models(self) -> list[str]:
        """Return the names of the models that can be asked."""
        return sorted(model.id for model in (await self._client.models.list()).data)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_asker(config: TeacherConfig, key: str | None) -> Asker:
    """Return what asks this teacher, not connected yet; ConfigError when it cannot be asked."""
    if config.kind == "endpoint":
        return Endpoint(config, key)
    raise ConfigError(f"The teacher '{config.name}' is asked in another way.")


async def test(config: TeacherConfig, key: str | None) -> Sequence[Check]:
    """Look at settings, address, certificate, key, model and one short reply; never raises."""
    return [Check("settings", not config.validate(), "")]
