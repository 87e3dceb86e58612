"""In what the servers differ beyond OpenAI's API: how tokens are counted, sampling, and how large a context is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workers.generation import ChatMessage, ConstraintInvalid, Grammar, JsonSchema, Sampling
from workers.remote.estimate import estimated_chat, estimated_tokens

JSON = dict[str, Any]
Post = Callable[[str, JSON], JSON]
"""Sends JSON to a path of the server; its answer."""

NO_THINKING: JSON = {"chat_template_kwargs": {"enable_thinking": False}}
"""Thinking aloud is not shown and takes minutes on a CPU; templates that do not know the word pass over it."""


class Dialect(Protocol):
    """What one kind of server understands."""

    def chat_tokens(self, post: Post, model: str, chat: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The chat through the model's template with the assistant's turn opened."""
        ...

    def text_tokens(self, post: Post, model: str, text: str) -> int:
        """How many tokens a plain text has."""
        ...

    def extras(self, sampling: Sampling) -> JSON:
        """What of the sampling OpenAI's API has no field for.

        Raises:
            ConstraintInvalid: a grammar for a server that knows none.
        """
        ...


class OpenAI:
    """OpenAI's own API and nothing more: Ollama, and whatever is not recognised. Tokens are estimated."""

    def chat_tokens(self, post: Post, model: str, chat: Sequence[ChatMessage]) -> tuple[int, ...]:
        return estimated_chat(chat)

    def text_tokens(self, post: Post, model: str, text: str) -> int:
        return len(estimated_tokens(text))

    def extras(self, sampling: Sampling) -> JSON:
        _refuse_grammar(sampling)
        return {}


class Vllm:
    """https://docs.vllm.ai/: tokenises chats itself."""

    def chat_tokens(self, post: Post, model: str, chat: Sequence[ChatMessage]) -> tuple[int, ...]:
        return tuple(post("/tokenize", {"model": model, "messages": as_json(chat), **NO_THINKING})["tokens"])

    def text_tokens(self, post: Post, model: str, text: str) -> int:
        return len(post("/tokenize", {"model": model, "prompt": text, "add_special_tokens": False})["tokens"])

    def extras(self, sampling: Sampling) -> JSON:
        _refuse_grammar(sampling)
        return {"min_p": sampling.min_p, "repetition_penalty": sampling.repeat_penalty, **NO_THINKING}


class LlamaServer:
    """llama.cpp's own server: a chat goes through its template first, and then is tokenised."""

    def chat_tokens(self, post: Post, model: str, chat: Sequence[ChatMessage]) -> tuple[int, ...]:
        prompt = post("/apply-template", {"messages": as_json(chat), **NO_THINKING})["prompt"]
        return tuple(post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"])

    def text_tokens(self, post: Post, model: str, text: str) -> int:
        return len(post("/tokenize", {"content": text, "add_special": False, "parse_special": False})["tokens"])

    def extras(self, sampling: Sampling) -> JSON:
        extras = {"min_p": sampling.min_p, "repeat_penalty": sampling.repeat_penalty, **NO_THINKING}
        if isinstance(sampling.constraint, Grammar):
            extras["grammar"] = sampling.constraint.gbnf
        return extras


def recognised(models: Mapping[str, Any], model: str) -> tuple[Dialect, int | None]:
    """Who answered `/v1/models` so, and how many tokens its context has, if it says."""
    listed = models.get("data") or [{}]
    ours = next((one for one in listed if one.get("id") == model), listed[0])
    if "max_model_len" in ours:
        return Vllm(), ours["max_model_len"]
    if ours.get("owned_by") == "llamacpp":
        return LlamaServer(), (ours.get("meta") or {}).get("n_ctx")
    return OpenAI(), None


def as_json(chat: Sequence[ChatMessage]) -> list[JSON]:
    """The chat as OpenAI's API has it."""
    return [{"role": message.role, "content": message.text} for message in chat]


def sampling_fields(sampling: Sampling) -> JSON:
    """The sampling as far as OpenAI's API has fields for it."""
    fields: JSON = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    if sampling.seed is not None:
        fields["seed"] = sampling.seed
    if isinstance(sampling.constraint, JsonSchema):
        schema = {"name": "answer", "schema": dict(sampling.constraint.schema), "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    return fields


def _refuse_grammar(sampling: Sampling) -> None:
    if isinstance(sampling.constraint, Grammar):
        raise ConstraintInvalid(
            "of the servers only llama-server knows llama.cpp's grammars; a JSON schema they all know"
        )
