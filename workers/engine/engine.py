"""The engine: one thread owns llama.cpp and works off a line of generations; callers submit and read a stream."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.engine.context import Context
from workers.engine.generation import LlamaGeneration, request_of
from workers.engine.line import Line
from workers.engine.model import Model
from workers.engine.rates import Pace
from workers.engine.sampling import check_sampling
from workers.engine.template import ChatTemplate
from workers.engine.writing import write_answer
from workers.generation import ChatMessage, GenerationFailed, Load, Prompt, PromptTooLong, Sampling

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 5.0
"""A step ends within the time of one node of llama.cpp's graph, loading within the reading of one tensor."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Model
    template: ChatTemplate
    context: Context
    context_tokens: int


class LlamaEngine:
    """A GGUF model as a `workers.generation.Generator`."""

    def __init__(
        self, model_path: Path, *, context_tokens: int = 2048, threads: int | None = None, queue_limit: int = 64
    ) -> None:
        """Begin to load the model and return at once; `load.ready` says when it is there.

        Args:
            context_tokens: prompt and answer together; a model that was trained on less gets its own.
            threads: None: as many as this process may use processors.
            queue_limit: how many generations may wait.
        """
        self._path = model_path
        self._wished_context_tokens = context_tokens
        self._threads = threads or _usable_processors()
        self._line = Line(queue_limit)
        self._pace = Pace()
        self._closing = threading.Event()
        self._tried_to_load = threading.Event()
        self._load_error: Exception | None = None
        self._loaded: _Loaded | None = None
        self._using_model = threading.Lock()  # callers tokenise; the model is not freed meanwhile
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._thread.start()

    # What callers see.

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together, at most. Waits until the model is loaded."""
        with self._model_in_use() as loaded:
            return loaded.context_tokens

    def tokenize(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The chat through the model's own template with the assistant's turn opened. Waits until the model is loaded.

        Raises:
            GenerationFailed: the model could not be loaded, or its template refuses this chat.
        """
        with self._model_in_use() as loaded:
            pieces = loaded.template.pieces(messages)
            tokens = [t for piece in pieces for t in loaded.model.tokenize(piece.text, control=piece.control)]
            first = loaded.model.first_token
        return tuple(tokens) if first is None or tokens[:1] == [first] else (first, *tokens)

    def count_tokens(self, text: str) -> int:
        """Tokens of a plain text. Waits until the model is loaded."""
        with self._model_in_use() as loaded:
            return len(loaded.model.tokenize(text, control=False))

    def submit(
        self, prompt: Prompt, *, max_tokens: int, deadline_s: float, sampling: Sampling, stop: Sequence[str] = ()
    ) -> LlamaGeneration:
        """Queue a generation. Waits until the model is loaded.

        Raises:
            PromptTooLong, GeneratorBusy
            GenerationFailed: the model could not be loaded, or the engine is closed.
            ValueError: a prompt without tokens or with foreign ones, `max_tokens` below 1, or senseless sampling.
        """
        check_sampling(sampling)
        self._check(prompt.token_ids, max_tokens)
        request = request_of(
            prompt.token_ids, max_tokens=max_tokens, deadline_s=deadline_s, sampling=sampling, stop=stop
        )
        generation = LlamaGeneration(request, self)
        self._line.join(generation)
        return generation

    @property
    def load(self) -> Load:
        """How busy it is; never waits."""
        running, waiting = self._line.counts
        loaded = self._loaded
        return Load(
            ready=loaded is not None and not self._closing.is_set(),
            running=running,
            waiting=waiting,
            prompt_tokens_per_s=self._pace.prompt.per_s,
            completion_tokens_per_s=self._pace.completion.per_s,
            step=loaded.context.step if loaded is not None else None,
        )

    def abandon_step(self) -> None:
        """Fail the generation that runs, and llama.cpp gives up its step; the others go on."""
        if (running := self._line.running) is not None:
            running.fail(GenerationFailed("a step of the model took too long"))

    @property
    def load_error(self) -> Exception | None:
        """Why the model could not be loaded; None when it is there or still loading."""
        return self._load_error

    def close(self) -> bool:
        """Cancel everything and free the model; False when the model hangs, and its thread is left behind."""
        self._closing.set()
        for generation in self._line.close():
            generation.cancel()
        self._thread.join(CLOSE_WITHIN_S)
        return not self._thread.is_alive()

    # What a generation asks of its host.

    def place(self, generation: LlamaGeneration) -> int:
        """How many come before it."""
        return len(self._line.before(generation))

    def expected_wait_s(self, generation: LlamaGeneration) -> float:
        """Seconds until its first text is expected, from the tokens of those before it and the measured rates."""
        before_s = sum(
            self._pace.seconds(g.prompt_left, self._pace.answer_left(g.written_tokens, g.request.max_tokens))
            for g in self._line.before(generation)
        )
        return before_s + self._pace.seconds(generation.prompt_left, 1)

    def ended(self, generation: LlamaGeneration) -> None:
        """Let it leave the line."""
        self._line.leave(generation)

    def _check(self, token_ids: Sequence[int], max_tokens: int) -> None:
        if not token_ids or max_tokens < 1:
            raise ValueError("a generation needs a prompt and at least one token to write")
        with self._model_in_use() as loaded:
            if len(token_ids) + max_tokens > loaded.context_tokens:
                wish = f"{len(token_ids)} tokens of prompt and {max_tokens} of answer"
                raise PromptTooLong(f"{wish} do not fit a context of {loaded.context_tokens}")
            if min(token_ids) < 0 or max(token_ids) >= loaded.model.vocabulary_size:
                raise ValueError("the prompt has tokens of another model")

    @contextmanager
    def _model_in_use(self) -> Iterator[_Loaded]:
        """The loaded model, which stays loaded as long as it is used; waits for it."""
        self._tried_to_load.wait()
        with self._using_model:
            if self._load_error is not None:
                raise GenerationFailed(f"the model could not be loaded: {self._load_error}") from self._load_error
            if self._loaded is None:
                raise GenerationFailed("the engine is closed")
            yield self._loaded

    # The thread that owns llama.cpp.

    def _live(self) -> None:
        """Load, write one answer after the other until the line is closed, free."""
        with ExitStack() as freeing:
            try:
                loaded = self._load(freeing)
            except Exception as error:  # whatever it is, callers must hear of it
                self._load_error = error
                if not self._closing.is_set():
                    log.exception("the model could not be loaded", extra={"model": self._path.name})
                return
            finally:
                self._tried_to_load.set()
            while (generation := self._line.take()) is not None:
                self._write(generation, loaded)

    def _load(self, freeing: ExitStack) -> _Loaded:
        began = time.monotonic()
        model = Model(self._path, keep_loading=lambda: not self._closing.is_set())
        freeing.callback(self._free, model)
        template = ChatTemplate(model.chat_template, bos=model.bos_text, eos=model.eos_text)
        context_tokens = min(self._wished_context_tokens, model.context_tokens)
        context = Context(model, size_tokens=context_tokens, threads=self._threads)
        freeing.callback(context.close)
        self._loaded = _Loaded(model, template, context, context_tokens)
        fields = {"model": self._path.name, "context_tokens": context_tokens, "threads": self._threads}
        log.info("model loaded", extra={**fields, "elapsed_s": round(time.monotonic() - began, 1)})
        return self._loaded

    def _free(self, model: Model) -> None:
        with self._using_model:
            self._loaded = None
            model.close()

    def _write(self, generation: LlamaGeneration, loaded: _Loaded) -> None:
        """Write one answer; an error ends this one and no other."""
        try:
            write_answer(generation, loaded.model, loaded.context, self._pace)
        except Exception as error:  # the thread must outlive it
            log.exception("a generation failed")
            loaded.context.clear()
            failure = error if isinstance(error, GenerationFailed) else GenerationFailed(f"the engine failed: {error}")
            generation.fail(failure)


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
