"""The engine as callers see it: they submit a generation and read a stream; one thread owns llama.cpp and writes."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from workers.counting import Tally
from workers.engine.batching import Batching
from workers.engine.constraint import grammar_of
from workers.engine.generation import LlamaGeneration, request_of
from workers.engine.loading import Loaded, Setup
from workers.engine.owner import Owner
from workers.engine.passages import Passages
from workers.engine.placing import Placing
from workers.engine.prefixes import Prefixes
from workers.engine.queue import Queue
from workers.engine.rates import Pace
from workers.engine.rotation import rotation_of
from workers.engine.sampling import check_sampling
from workers.generation import ChatMessage, GenerationFailed, Load, Prompt, PromptTooLong, Sampling
from workers.models.memory import BATCH_TOKENS

log = logging.getLogger(__name__)

STALL_S = 1.2
"""So long may the readers of other answers wait for their next token while a prompt is read."""
SMALLEST_CHUNK_TOKENS = 32
CLOSE_WITHIN_S = 5.0
"""A step ends within the time of one node of llama.cpp's graph, loading within the reading of one tensor."""


class LlamaEngine:
    """A GGUF model as a `workers.generation.Generator`."""

    def __init__(
        self,
        model_path: Path,
        *,
        context_tokens: int = 2048,
        threads: int | None = None,
        queue_limit: int = 64,
        at_once: int = 4,
        chunk_tokens: int | None = None,
        prefix_bytes: int = 1_000_000_000,
        passage_bytes: int = 0,
        kv_type: str = "f16",
        gpu_layers: int | None = None,
        system: str = "",
        lead: str = "",
        state_file: Path | None = None,
    ) -> None:
        """Begin to load the model and return at once; `load.ready` says when it is there.

        Args:
            context_tokens: prompt and answer together; a model that was trained on less gets its own.
            threads: None: as many as this process may use processors.
            queue_limit: how many generations may wait.
            at_once: how many answers are written side by side.
            chunk_tokens: prompt tokens that a step reads beside them; None: what takes about a second.
            prefix_bytes: memory for what was read before.
            passage_bytes: memory for passages that are evaluated once and used anywhere; 0: none are.
            kv_type: `f16`, or `q8_0` for half the memory.
            gpu_layers: how many of the model's layers a GPU computes; None: all, where there is one.
            system: the system message with which every chat begins, ...
            lead: ... and the words before the first thing that it quotes; what is computed of both ...
            state_file: ... outlives a restart in this file.
        """
        self._setup = Setup(
            model_path,
            context_tokens=context_tokens,
            threads=threads or _usable_processors(),
            at_once=at_once,
            kv_type=kv_type,
            gpu_layers=gpu_layers,
            system=system,
            lead=lead,
            state_file=state_file,
        )
        self._fixed_chunk_tokens = chunk_tokens
        self._pace = Pace()
        self._tally = Tally()
        self._prefixes = Prefixes(prefix_bytes)
        self._passages = Passages(passage_bytes)
        self._queue = Queue(queue_limit, lambda tokens: self._pace.seconds(tokens, 0))
        self._owner = Owner(self._setup, self._queue, self._batching)

    # What callers see.

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together, at most. Waits until the model is loaded."""
        with self._owner.model_in_use() as loaded:
            return loaded.context_tokens

    def tokenize(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The chat through the model's own template with the assistant's turn opened. Waits until the model is loaded.

        Raises:
            GenerationFailed: the model could not be loaded, or its template refuses this chat.
        """
        with self._owner.model_in_use() as loaded:
            return loaded.chats.tokenised(messages).tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of a plain text. Waits until the model is loaded."""
        with self._owner.model_in_use() as loaded:
            return len(loaded.model.tokenize(text, control=False))

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
        """Queue a generation. Waits until the model is loaded.

        Raises:
            PromptTooLong, GeneratorBusy, ConstraintInvalid
            GenerationFailed: the model could not be loaded, or the engine is closed.
            ValueError: a prompt without tokens or with foreign ones, `max_tokens` below 1, or senseless sampling.
        """
        check_sampling(sampling)
        self._check(prompt.token_ids, max_tokens)
        with self._owner.model_in_use() as loaded:
            grammar = grammar_of(sampling.constraint, loaded.model)
            passages = loaded.chats.quotations(prompt) if self._passages.limit_bytes else ()
        request = request_of(
            prompt.token_ids,
            max_tokens=max_tokens,
            deadline_s=deadline_s,
            sampling=sampling,
            stop=stop,
            conversation=conversation,
            grammar=grammar,
            passages=passages,
        )
        generation = LlamaGeneration(request, self)
        self._queue.join(generation)
        self._stop_what_nobody_waits_for()
        return generation

    @property
    def load(self) -> Load:
        """How busy it is; never waits."""
        running, waiting = self._queue.counts
        loaded = self._owner.loaded
        return Load(
            ready=self._owner.ready,
            running=running,
            waiting=waiting,
            prompt_tokens_per_s=self._pace.prompt.per_s,
            completion_tokens_per_s=self._pace.completion.per_s,
            step=loaded.cells.step if loaded is not None else None,
            broken=self._owner.load_error is not None,
            kept_bytes=self._prefixes.size_bytes + self._passages.size_bytes,
            counts=self._tally.counts,
        )

    @property
    def evaluated_tokens(self) -> int:
        """Prompt tokens that were evaluated so far; what was known already is not among them."""
        return self._tally.counts.evaluated_tokens

    @property
    def load_error(self) -> Exception | None:
        """Why the model could not be loaded; None when it is there or still loading."""
        return self._owner.load_error

    def forget(self, conversation: str) -> None:
        """Let go of everything that was computed from this conversation's words, also of what is being written."""
        self._prefixes.forget(conversation)

    def forget_all(self) -> None:
        """Let go of everything that was computed from anybody's words and from documents."""
        self._prefixes.forget_all()
        self._passages.forget_all()

    def abandon_step(self) -> None:
        """Fail the generations that run, and llama.cpp gives up its step; those that wait go on."""
        for generation in self._queue.running:
            generation.fail(GenerationFailed("a step of the model took too long"))

    def close(self) -> bool:
        """Cancel everything and free the model; False when the model hangs, and its thread is left behind."""
        self._owner.end()
        for generation in self._queue.close():
            generation.cancel()
        self._stop_what_nobody_waits_for()
        return self._owner.join(CLOSE_WITHIN_S)

    # What a generation asks of its host.

    def place(self, generation: LlamaGeneration) -> int:
        """How many come before it."""
        return len(self._queue.before(generation))

    def expected_wait_s(self, generation: LlamaGeneration) -> float:
        """Seconds until its first text is expected, from the tokens of those before it and the measured rates."""
        before_s = sum(
            self._pace.seconds(g.prompt_left, self._pace.answer_left(g.written_tokens, g.request.max_tokens))
            for g in self._queue.before(generation)
        )
        return before_s + self._pace.seconds(generation.prompt_left, 1)

    def ended(self, generation: LlamaGeneration) -> None:
        """Let it leave the queue; a step that is for nobody any more is given up."""
        self._queue.leave(generation)
        self._stop_what_nobody_waits_for()

    def _stop_what_nobody_waits_for(self) -> None:
        """Let the step under way end, when no answer is in it: nothing of it is lost that somebody asked for."""
        loaded = self._owner.loaded
        if loaded is not None and not self._queue.running:
            loaded.cells.give_up.up()

    def _check(self, token_ids: Sequence[int], max_tokens: int) -> None:
        if not token_ids or max_tokens < 1:
            raise ValueError("a generation needs a prompt and at least one token to write")
        with self._owner.model_in_use() as loaded:
            if len(token_ids) + max_tokens > loaded.context_tokens:
                wish = f"{len(token_ids)} tokens of prompt and {max_tokens} of answer"
                raise PromptTooLong(f"{wish} do not fit a context of {loaded.context_tokens}")
            if min(token_ids) < 0 or max(token_ids) >= loaded.model.vocabulary_size:
                raise ValueError("the prompt has tokens of another model")

    # What the thread writes with.

    def _batching(self, loaded: Loaded) -> Batching:
        placing = self._placing(loaded)
        if loaded.opening:
            self._prefixes.keep(loaded.opening, begun_at=time.monotonic())
        return Batching(
            loaded.model,
            loaded.cells,
            self._prefixes,
            self._queue,
            placing,
            pace=self._pace,
            tally=self._tally,
            chunk_tokens=self._chunk_tokens,
        )

    def _placing(self, loaded: Loaded) -> Placing:
        wanted = loaded.opening is not None and self._passages.limit_bytes > 0
        rotation = rotation_of(loaded.model.metadata, loaded.cells) if wanted else None
        if wanted and rotation is None:
            log.warning("passages are not evaluated once: how this model marks places is not known here")
        return Placing(loaded.cells, self._passages, opening=loaded.opening, rotation=rotation, tally=self._tally)

    def _chunk_tokens(self) -> int:
        """Prompt tokens that a step may read while others wait for their next token."""
        if self._fixed_chunk_tokens is not None:
            return min(self._fixed_chunk_tokens, BATCH_TOKENS - self._setup.at_once)
        in_a_second = int((self._pace.prompt.per_s or 0.0) * STALL_S)
        return max(SMALLEST_CHUNK_TOKENS, min(in_a_second, BATCH_TOKENS - self._setup.at_once))


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
