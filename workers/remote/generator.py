"""The generator: a server that others run, as a `workers.generation.Generator`.

A thread for each answer reads from the server; what it reads reaches the caller as the engine's answers do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from pydantic import SecretStr

from workers.counting import Tally
from workers.engine.generation import LlamaGeneration, request_of
from workers.engine.rates import Pace
from workers.engine.sampling import check_sampling
from workers.generation import (
    ChatMessage,
    GenerationError,
    GenerationFailed,
    GeneratorBusy,
    Load,
    Prompt,
    PromptTooLong,
    Sampling,
)
from workers.remote.control_tokens import as_text
from workers.remote.dialects import JSON, as_json, sampling_fields
from workers.remote.estimate import estimated_chat, estimated_tokens
from workers.remote.lookout import Lookout
from workers.remote.server import Server, Wire
from workers.remote.writer import Writer

log = logging.getLogger(__name__)


class RemoteGenerator:
    """A model behind an OpenAI-compatible URL. How many answers it writes at once, and what it keeps, is its affair."""

    def __init__(self, url: str, model: str, *, api_key: SecretStr, context_tokens: int, queue_limit: int = 64) -> None:
        """Begin to look for the server and return at once; `load.ready` says when it was found.

        Args:
            model: its name there.
            context_tokens: prompt and answer together, at most; a server that has less gets its own.
            queue_limit: how many generations may be under way.
        """
        self._server = Server(url, api_key)
        self._model = model
        self._queue_limit = queue_limit
        self._pace = Pace()
        self._tally = Tally()
        self._lock = threading.Lock()
        self._under_way: dict[LlamaGeneration, Wire] = {}
        self._closed = False
        self._lookout = Lookout(self._server, model, context_tokens)
        self._writer = Writer(self._server, self._pace, self._tally, self._lookout.lose)

    # What callers see.

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together, at most. Waits until the server was found."""
        return self._lookout.found().context_tokens

    def tokenize(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The chat as the server counts it, or an estimate where it does not. Waits until the server was found."""
        dialect, chat = self._lookout.found().dialect, _text_only(messages)
        try:
            return dialect.chat_tokens(self._server.post, self._model, chat)
        except (GenerationError, LookupError, TypeError) as error:
            log.warning("tokens estimated", extra={"reason": str(error)})
            return estimated_chat(chat)

    def count_tokens(self, text: str) -> int:
        """Tokens of a plain text, or an estimate. Waits until the server was found."""
        dialect, plain = self._lookout.found().dialect, as_text(text)
        try:
            return dialect.text_tokens(self._server.post, self._model, plain)
        except (GenerationError, LookupError, TypeError) as error:
            log.warning("tokens estimated", extra={"reason": str(error)})
            return len(estimated_tokens(plain))

    def submit(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        deadline_s: float,
        sampling: Sampling,
        stop: Sequence[str] = (),
        conversation: str = "",
    ) -> LlamaGeneration:
        """Ask the server for an answer. Waits until the server was found.

        Raises:
            PromptTooLong, GeneratorBusy, ConstraintInvalid
            GenerationFailed: it is closed.
            ValueError: a prompt without tokens, `max_tokens` below 1, or senseless sampling.
        """
        check_sampling(sampling)
        known = self._lookout.found()
        _check(prompt.token_ids, max_tokens, known.context_tokens)
        body = {
            "model": self._model,
            "messages": as_json(_text_only(prompt.messages)),
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **({"stop": list(stop)} if stop else {}),
            **sampling_fields(sampling),
            **known.dialect.extras(sampling),
        }
        request = request_of(
            prompt.token_ids, max_tokens=max_tokens, deadline_s=deadline_s, sampling=sampling, stop=stop
        )
        return self._begin(LlamaGeneration(request, self), body)

    @property
    def load(self) -> Load:
        """How busy it is with what we asked for; never waits."""
        with self._lock:
            running = sum(generation.written_tokens > 0 for generation in self._under_way)
            waiting = len(self._under_way) - running
        return Load(
            ready=self._lookout.sees_it,
            running=running,
            waiting=waiting,
            prompt_tokens_per_s=self._pace.prompt.per_s,
            completion_tokens_per_s=self._pace.completion.per_s,
            counts=self._tally.counts,
        )

    def forget(self, conversation: str) -> None:
        """Nothing of it is kept here; what the server keeps in its cache is out of reach."""

    def forget_all(self) -> None:
        """Nothing is kept here."""

    def abandon_step(self) -> None:
        """No step is ours: `load.step` is always None, and what takes too long ends at its deadline."""

    def close(self) -> bool:
        """Cancel everything."""
        self._lookout.close()
        with self._lock:
            self._closed = True
            under_way = list(self._under_way)
        for generation in under_way:
            generation.cancel()
        self._server.close()
        return True

    # What a generation asks of its host.

    def place(self, generation: LlamaGeneration) -> int:
        """How many came before it and have no text yet; the server may take them in another order."""
        return len(self._before(generation))

    def expected_wait_s(self, generation: LlamaGeneration) -> float:
        """Seconds until its first text is expected, from the tokens of those before it and the measured rate."""
        tokens = sum(len(g.request.prompt) for g in (*self._before(generation), generation))
        return max(self._pace.seconds(tokens, 0) - generation.age_s, 0.0)

    def ended(self, generation: LlamaGeneration) -> None:
        """Close its connection, which tells the server that nobody waits for more."""
        with self._lock:
            wire = self._under_way.pop(generation, None)
        if wire is not None:
            wire.cut()

    def _before(self, generation: LlamaGeneration) -> list[LlamaGeneration]:
        with self._lock:
            waiting = [g for g in self._under_way if g.written_tokens == 0]
        return waiting[: waiting.index(generation)] if generation in waiting else []

    # One answer.

    def _begin(self, generation: LlamaGeneration, body: JSON) -> LlamaGeneration:
        wire = Wire()
        with self._lock:
            if self._closed:
                raise GenerationFailed("the generator is closed")
            if len(self._under_way) >= self._queue_limit:
                raise GeneratorBusy(f"{len(self._under_way)} generations are under way")
            self._under_way[generation] = wire
        writing = threading.Thread(target=self._writer.write, args=(generation, body, wire), name="writer", daemon=True)
        writing.start()
        return generation


def _text_only(chat: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [replace(message, text=as_text(message.text)) for message in chat]


def _check(token_ids: Sequence[int], max_tokens: int, context_tokens: int) -> None:
    if not token_ids or max_tokens < 1:
        raise ValueError("a generation needs a prompt and at least one token to write")
    if len(token_ids) + max_tokens > context_tokens:
        wish = f"{len(token_ids)} tokens of prompt and {max_tokens} of answer"
        raise PromptTooLong(f"{wish} do not fit a context of {context_tokens}")
