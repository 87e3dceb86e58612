"""llama.cpp as plainly as it can be used: one sequence, read whole and then token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.binding import llama_cpp
from workers.engine.model import Model


class PlainLoop:
    """A context of its own over loaded weights; nothing of one text is there for the next."""

    def __init__(self, model: Model, *, context_tokens: int, threads: int) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = context_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        self._vocabulary_size = model.vocabulary_size
        self._context: Any = llama_cpp.llama_init_from_model(model.pointer, parameters)
        assert self._context

    def logits_along(self, prompt: Sequence[int], answer: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """The logits after the prompt, then after each token of the answer; a view that the next one overwrites."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        for tokens in (prompt, *([token] for token in answer)):
            array = (llama_cpp.llama_token * len(tokens))(*tokens)  # the batch points to it and does not own it
            # Without positions llama.cpp counts them itself, and gives the logits of the last token.
            batch = llama_cpp.llama_batch_get_one(array, len(tokens))
            assert llama_cpp.llama_decode(self._context, batch) == 0
            pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
            yield np.ctypeslib.as_array(pointer, shape=(self._vocabulary_size,))

    def close(self) -> None:
        """Free the context; the weights stay."""
        llama_cpp.llama_free(self._context)
