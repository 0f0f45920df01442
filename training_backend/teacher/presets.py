"""Teachers to begin with: what hosted providers and the usual local servers expect, as data.

The addresses are those that the providers document for OpenAI's SDK, as of November 2026. A preset
names no model: the list is fetched from the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# name, kind and settings of a teacher
Preset = tuple[str, str, Mapping[str, Any]]


def _hosted(name: str, base_url: str, **settings: Any) -> Preset:
    return name, "endpoint", {"base_url": base_url, **settings}


def _on_this_machine(name: str, port: int, **settings: Any) -> Preset:
    return name, "endpoint", {"base_url": f"http://localhost:{port}/v1", "key_source": "none", **settings}


PRESETS: Mapping[str, Preset] = {
    "openai": _hosted(
        "OpenAI", "https://api.openai.com/v1", structured=True, limit_field="max_completion_tokens"
    ),
    "anthropic": _hosted("Anthropic", "https://api.anthropic.com/v1"),
    "gemini": _hosted("Gemini", "https://generativelanguage.googleapis.com/v1beta/openai", structured=True),
    "deepseek": _hosted("DeepSeek", "https://api.deepseek.com"),
    "mistral": _hosted("Mistral", "https://api.mistral.ai/v1", structured=True),
    "groq": _hosted("Groq", "https://api.groq.com/openai/v1"),
    "together": _hosted("Together", "https://api.together.xyz/v1"),
    "fireworks": _hosted("Fireworks", "https://api.fireworks.ai/inference/v1", structured=True),
    "openrouter": _hosted("OpenRouter", "https://openrouter.ai/api/v1"),
    "xai": _hosted("xAI", "https://api.x.ai/v1", structured=True),
    "vllm": _on_this_machine("vLLM", 8000, structured=True, send_seed=True, concurrency=64),
    "llama.cpp": _on_this_machine("llama.cpp", 8080, structured=True, send_seed=True, concurrency=4),
    "ollama": _on_this_machine("Ollama", 11434, structured=True, send_seed=True, concurrency=4),
    "lm-studio": _on_this_machine("LM Studio", 1234, structured=True, concurrency=4),
    "litellm": _on_this_machine("LiteLLM proxy", 4000, key_source="keyring"),
    "other": _hosted("My endpoint", ""),
    "local": ("Local model", "local", {}),
    "replay": ("Replay", "replay", {}),
    "sample": ("Sample teacher", "sample", {}),
}
