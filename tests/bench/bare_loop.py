"""One answer alone: what the engine adds to a bare loop of llama.cpp's calls, on the same file, threads and context."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workers.engine import LlamaEngine
from workers.engine.binding import llama_cpp
from workers.engine.model import Model
from workers.generation import ChatMessage, Prompt, Sampling

ROUNDS = 5
WRITTEN_TOKENS = 64
CHAT = (ChatMessage("user", "Tell the whole story of a small town by the sea, in as many words as you can."),)


@dataclass(frozen=True, slots=True)
class Alone:
    """Tokens a second of one answer, medians of rounds that took turns; and what a step takes outside of llama.cpp."""

    single_tokens_per_s: float
    bare_tokens_per_s: float
    python_ms_per_step: float


def alone(model_path: Path, *, context_tokens: int) -> Alone:
    """The rates of the engine and of the bare loop."""
    engine = LlamaEngine(model_path, context_tokens=context_tokens, at_once=1)
    model = Model(model_path)
    bare = _BareLoop(model, context_tokens)
    prompt = Prompt(CHAT, (), engine.tokenize(CHAT))
    ours, theirs, python_s = [], [], []
    for _ in range(ROUNDS):
        with _timed_decode() as decoding:
            ours.append(_seconds_a_token(_engine_pieces(engine, prompt)))
        # The first step reads the prompt.
        python_s.append(ours[-1] - statistics.mean(decoding[1:]))
        theirs.append(_seconds_a_token(bare.tokens(prompt.token_ids)))
    engine.close()
    bare.close()
    model.close()
    single_s, bare_s = statistics.median(ours), statistics.median(theirs)
    return Alone(round(1 / single_s, 2), round(1 / bare_s, 2), round(1000 * statistics.median(python_s), 2))


@contextmanager
def _timed_decode() -> Iterator[list[float]]:
    """The seconds that each call of the model took."""
    plain, took = llama_cpp.llama_decode, list[float]()

    def timed(*arguments: object) -> int:
        began = time.perf_counter()
        try:
            return int(plain(*arguments))
        finally:
            took.append(time.perf_counter() - began)

    llama_cpp.llama_decode = timed
    try:
        yield took
    finally:
        llama_cpp.llama_decode = plain


def _engine_pieces(engine: LlamaEngine, prompt: Prompt) -> Iterator[object]:
    generation = engine.submit(prompt, max_tokens=WRITTEN_TOKENS, deadline_s=600, sampling=Sampling())
    return (piece for piece in generation if piece)


def _seconds_a_token(tokens: Iterator[object]) -> float:
    """From the first token to the last one; the prompt is not in it."""
    times = [time.perf_counter() for _ in tokens]
    return (times[-1] - times[0]) / (len(times) - 1)


class _BareLoop:
    """Greedy decoding in one sequence, with nothing around it."""

    def __init__(self, model: Model, context_tokens: int) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = context_tokens, 256, 256
        parameters.n_threads = parameters.n_threads_batch = len(os.sched_getaffinity(0))
        parameters.no_perf = True
        self._vocabulary_size = model.vocabulary_size
        self._context = llama_cpp.llama_init_from_model(model.pointer, parameters)
        self._batch = llama_cpp.llama_batch_init(256, 0, 1)

    def tokens(self, prompt: tuple[int, ...]) -> Iterator[int]:
        """The answer's tokens as they come; as many as the engine is asked for, whatever they are."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        self._evaluate(list(prompt), 0)
        for position in range(len(prompt), len(prompt) + WRITTEN_TOKENS):
            logits = llama_cpp.llama_get_logits_ith(self._context, -1)
            token = int(np.ctypeslib.as_array(logits, shape=(self._vocabulary_size,)).argmax())
            yield token
            self._evaluate([token], position)

    def close(self) -> None:
        """Free its memory."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)

    def _evaluate(self, tokens: list[int], first: int) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for at, token in enumerate(tokens):
            batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, first + at, 1
            batch.seq_id[at][0], batch.logits[at] = 0, at == len(tokens) - 1
        if llama_cpp.llama_decode(self._context, batch):
            raise RuntimeError("llama.cpp could not evaluate the bare loop's tokens")
