"""One sequence of tokens in llama.cpp's memory, of which a next prompt reuses what it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.binding import llama_cpp
from workers.engine.flag import IS_RAISED, Flag
from workers.engine.model import Model
from workers.generation import GenerationFailed
from workers.models.memory import CHUNK_TOKENS

_SEQUENCE = 0
_TO_THE_END = -1
_ABORTED = 2


class Context:
    """What the model has read. One thread owns it; `tokens` always says what is in llama.cpp's memory."""

    def __init__(self, model: Model, *, size_tokens: int, threads: int) -> None:
        """Memory for `size_tokens`.

        Raises:
            GenerationFailed: there is not enough memory.
        """
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = size_tokens
        parameters.n_batch = parameters.n_ubatch = CHUNK_TOKENS
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.no_perf = True
        self._context: Any = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise GenerationFailed(f"llama.cpp could not make room for {size_tokens} tokens")
        self._memory: Any = llama_cpp.llama_get_memory(self._context)
        self._batch: Any = llama_cpp.llama_batch_init(CHUNK_TOKENS, 0, 1)
        self._size_tokens: int = llama_cpp.llama_n_ctx(self._context)
        self._vocabulary_size = model.vocabulary_size
        self._flag: Flag | None = None
        self._steps = 0
        self.tokens: list[int] = []
        self.step: int | None = None
        """The number of the step under way, for other threads to look at; None between steps."""

    def abort_on(self, flag: Flag) -> None:
        """From now on give up a chunk within the time of a node of the graph once this flag is raised."""
        self._flag = flag  # llama.cpp has only its address
        llama_cpp.llama_set_abort_callback(self._context, IS_RAISED, flag.address)

    def reuse(self, prompt: Sequence[int]) -> int:
        """Keep what the prompt shares with the tokens read before it and drop the rest; how many tokens were kept.

        The last token of a prompt is never kept: only its evaluation gives the logits of the first token to write.
        """
        kept = min(shared_prefix(self.tokens, prompt), len(prompt) - 1)
        self._keep(kept)
        return len(self.tokens)

    def evaluate(self, tokens: Sequence[int], *, wants_logits: bool) -> bool:
        """Read a chunk of at most CHUNK_TOKENS tokens; `wants_logits` makes `logits` valid until the next call.

        False when it was given up (`abort_on`): then nothing of it has been read.

        Raises:
            GenerationFailed: llama.cpp refused; the context is empty then.
        """
        self._check(tokens)
        batch, first = self._batch, len(self.tokens)
        batch.n_tokens = len(tokens)
        for row, token in enumerate(tokens):
            batch.token[row], batch.pos[row] = token, first + row
            batch.n_seq_id[row], batch.seq_id[row][0] = 1, _SEQUENCE
            batch.logits[row] = wants_logits and row == len(tokens) - 1
        code = self._decode()
        if code == _ABORTED:
            self._keep(first)
            return False
        if code != 0:
            self.clear()
            raise GenerationFailed(f"llama.cpp could not evaluate {len(tokens)} tokens (code {code})")
        self.tokens += tokens
        return True

    def logits(self) -> NDArray[np.float32]:
        """The model's logits of the next token, a view that the next `evaluate` overwrites.

        Raises:
            GenerationFailed: the model gave no number.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        if not pointer:
            raise GenerationFailed("the last chunk was evaluated without logits")
        logits: NDArray[np.float32] = np.ctypeslib.as_array(pointer, shape=(self._vocabulary_size,))
        if not np.isfinite(logits.max()):
            raise GenerationFailed("the model's logits are not finite")
        return logits

    def clear(self) -> None:
        """Forget everything that was read."""
        llama_cpp.llama_memory_clear(self._memory, True)
        self.tokens = []

    def close(self) -> None:
        """Free the memory."""
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
            self._context = None

    def _decode(self) -> int:
        """llama.cpp's answer to the batch."""
        self._steps += 1
        self.step = self._steps
        try:
            return int(llama_cpp.llama_decode(self._context, self._batch))
        finally:
            self.step = None

    def _keep(self, count: int) -> None:
        """Drop what comes after the first tokens; everything where a part cannot be given back."""
        removed = llama_cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, count, _TO_THE_END)
        # Recurrent models cannot give back a part of what they have read.
        if not removed or llama_cpp.llama_memory_seq_pos_max(self._memory, _SEQUENCE) != count - 1:
            self.clear()
        del self.tokens[count:]

    def _check(self, tokens: Sequence[int]) -> None:
        if not 0 < len(tokens) <= CHUNK_TOKENS:
            raise ValueError(f"{len(tokens)} tokens are no chunk of 1 to {CHUNK_TOKENS}")
        if len(self.tokens) + len(tokens) > self._size_tokens:
            raise ValueError(f"{len(tokens)} more tokens do not fit the context of {self._size_tokens}")
        if min(tokens) < 0 or max(tokens) >= self._vocabulary_size:
            raise ValueError("a token is not in the model's vocabulary")


def shared_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens the two begin with in common."""
    shortest = min(len(a), len(b))
    return next((i for i in range(shortest) if a[i] != b[i]), shortest)
