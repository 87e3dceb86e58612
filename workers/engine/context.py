"""One sequence of tokens in llama.cpp's memory, of which a next prompt reuses what it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.binding import llama_cpp
from workers.engine.model import Model
from workers.generation import GenerationFailed
from workers.models.memory import CHUNK_TOKENS

_SEQUENCE = 0
_TO_THE_END = -1


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
        self.tokens: list[int] = []

    def reuse(self, prompt: Sequence[int]) -> int:
        """Keep what the prompt shares with the tokens read before it and drop the rest; how many tokens were kept.

        The last token of a prompt is never kept: only its evaluation gives the logits of the first token to write.
        """
        kept = min(shared_prefix(self.tokens, prompt), len(prompt) - 1)
        removed = llama_cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, kept, _TO_THE_END)
        # Recurrent models cannot give back a part of what they have read.
        if not removed or llama_cpp.llama_memory_seq_pos_max(self._memory, _SEQUENCE) != kept - 1:
            self.clear()
            return 0
        del self.tokens[kept:]
        return kept

    def evaluate(self, tokens: Sequence[int], *, wants_logits: bool) -> None:
        """Read a chunk of at most CHUNK_TOKENS tokens; `wants_logits` makes `logits` valid until the next call.

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
        code = llama_cpp.llama_decode(self._context, batch)
        if code != 0:
            self.clear()
            raise GenerationFailed(f"llama.cpp could not evaluate {len(tokens)} tokens (code {code})")
        self.tokens += tokens

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
