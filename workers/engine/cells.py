"""llama.cpp's memory: sequences of tokens in one cache that they share. One thread owns it.

llama.cpp ends the whole process on a wrong argument (GGML_ASSERT), so everything is checked before a call is made, and
what each sequence holds is written down here: nobody else knows.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.binding import llama_cpp
from workers.engine.flag import IS_RAISED, Flag
from workers.engine.model import Model
from workers.generation import GenerationFailed

State = NDArray[np.uint8]
"""What llama.cpp computed for the tokens of a sequence, as bytes: about 28 KB a token for the default model."""

_TO_THE_END = -1
_NO_ROOM, _ABORTED = 1, 2


class NoRoom(GenerationFailed):
    """The cache has no room for these rows; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One token to evaluate at the end of a sequence; `wants_logits` where the next token will be drawn."""

    sequence: int
    token: int
    wants_logits: bool = False


class Cells:
    """The cache, and the tokens of each sequence in it."""

    def __init__(
        self, model: Model, *, size_tokens: int, sequences: int, batch_tokens: int, threads: int, kv_type: str = "f16"
    ) -> None:
        """A cache of `size_tokens` for `sequences` sequences together.

        Args:
            batch_tokens: rows that one call may evaluate.

        Raises:
            GenerationFailed: there is not enough memory.
        """
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = size_tokens
        parameters.n_batch = parameters.n_ubatch = batch_tokens
        parameters.n_seq_max, parameters.kv_unified = sequences + 1, True
        parameters.n_outputs_max = sequences + 1  # llama.cpp wants room for one of each sequence
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.type_k = parameters.type_v = _KV_TYPES[kv_type]
        parameters.no_perf = True
        self._context: Any = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise GenerationFailed(f"llama.cpp could not make room for {size_tokens} tokens")
        self._memory: Any = llama_cpp.llama_get_memory(self._context)
        self._batch: Any = llama_cpp.llama_batch_init(batch_tokens, 0, 1)
        self.batch_tokens = batch_tokens
        self.vocabulary_size = model.vocabulary_size
        self.size_tokens: int = llama_cpp.llama_n_ctx(self._context)
        self.tokens: list[list[int]] = [[] for _ in range(sequences)]
        self._between = sequences  # one sequence more, through which parts of others come and go
        self.give_up = Flag()
        """Raised, the step under way ends within the time of a node of llama.cpp's graph; nothing of it was read."""
        llama_cpp.llama_set_abort_callback(self._context, IS_RAISED, self.give_up.address)
        self._steps = 0
        self.step: int | None = None
        """The number of the step under way, for other threads to look at; None between steps."""

    def evaluate(self, rows: Sequence[Row]) -> bool:
        """Evaluate rows, those of one sequence in their order; `logits` is valid until the next call.

        False when it was given up: then nothing has been read.

        Raises:
            NoRoom
            GenerationFailed: llama.cpp refused; the sequences of these rows hold what they held before.
        """
        self._check(rows)
        ends = [len(tokens) for tokens in self.tokens]
        batch = self._batch
        batch.n_tokens = len(rows)
        for at, row in enumerate(rows):
            batch.token[at], batch.pos[at], batch.n_seq_id[at] = row.token, ends[row.sequence], 1
            batch.seq_id[at][0], batch.logits[at] = row.sequence, row.wants_logits
            ends[row.sequence] += 1
        code = self._decode()
        if code == 0:
            for row in rows:
                self.tokens[row.sequence].append(row.token)
            return True
        if code == _NO_ROOM:
            raise NoRoom(f"no room for {len(rows)} tokens")
        for sequence in {row.sequence for row in rows}:  # a part of the rows may have stayed
            self._remove(sequence, len(self.tokens[sequence]))
        if code == _ABORTED:
            return False
        raise GenerationFailed(f"llama.cpp could not evaluate {len(rows)} tokens (code {code})")

    def read(self, sequence: int, tokens: Sequence[int]) -> bool:
        """Evaluate tokens after which nothing is drawn; False when it was given up, maybe midway.

        Raises:
            NoRoom, GenerationFailed
        """
        rows = [Row(sequence, token) for token in tokens]
        starts = range(0, len(rows), self.batch_tokens)
        return all(self.evaluate(rows[start : start + self.batch_tokens]) for start in starts)

    def logits(self, row: int) -> NDArray[np.float32]:
        """The logits of the token after a row of the last call, a view that the next call overwrites.

        Raises:
            GenerationFailed: the model gave no number.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._context, row)
        if not pointer:
            raise GenerationFailed("the row was evaluated without logits")
        logits: NDArray[np.float32] = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        if not np.isfinite(logits.max()):
            raise GenerationFailed("the model's logits are not finite")
        return logits

    def share(self, source: int, target: int, count: int) -> None:
        """Let an empty sequence begin with the first `count` tokens of another; the cells are the same ones."""
        if self.tokens[target] or not 0 < count <= len(self.tokens[source]):
            raise ValueError("only an empty sequence can begin like another one")
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, count)
        self.tokens[target] = self.tokens[source][:count]

    def cut(self, sequence: int, count: int) -> None:
        """Keep only the first `count` tokens of a sequence."""
        if count < len(self.tokens[sequence]):
            self._remove(sequence, count)

    def save_part(self, sequence: int, start: int, end: int) -> State:
        """The state of the tokens from `start` up to `end` of a sequence, to be moved and appended elsewhere."""
        if not 0 <= start < end <= len(self.tokens[sequence]):
            raise ValueError("the sequence has no such part")
        llama_cpp.llama_memory_seq_cp(self._memory, sequence, self._between, start, end)
        try:
            return self.save(self._between)
        finally:
            self._clear(self._between)

    def append(self, sequence: int, state: State, tokens: Sequence[int]) -> bool:
        """Go on with a state of exactly these tokens, whose places are those next; False when it does not fit."""
        first = len(self.tokens[sequence])
        restored = llama_cpp.llama_state_seq_set_data(self._context, _pointer(state), state.size, self._between)
        fits = bool(restored) and self._places(self._between) == (first, first + len(tokens) - 1)
        if fits:
            llama_cpp.llama_memory_seq_cp(self._memory, self._between, sequence, first, first + len(tokens))
            self.tokens[sequence].extend(tokens)
        self._clear(self._between)
        return fits

    def save(self, sequence: int) -> State:
        """The state of a sequence, to be restored into any."""
        size = llama_cpp.llama_state_seq_get_size(self._context, sequence)
        state = np.empty(size, np.uint8)
        written = llama_cpp.llama_state_seq_get_data(self._context, _pointer(state), size, sequence)
        if written != size:
            raise GenerationFailed("llama.cpp could not save a sequence")
        return state

    def restore(self, sequence: int, state: State, tokens: Sequence[int]) -> bool:
        """Fill an empty sequence with a saved state of exactly these tokens; False when there is no room for it."""
        if self.tokens[sequence]:
            raise ValueError("only an empty sequence can be restored")
        if not llama_cpp.llama_state_seq_set_data(self._context, _pointer(state), state.size, sequence):
            return False
        if llama_cpp.llama_memory_seq_pos_max(self._memory, sequence) != len(tokens) - 1:
            self._remove(sequence, 0)
            return False
        self.tokens[sequence] = list(tokens)
        return True

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

    def _remove(self, sequence: int, start: int) -> None:
        """Take what stands from `start` on out of a sequence; all of it where a part cannot be taken out."""
        removed = llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, _TO_THE_END)
        if not removed or llama_cpp.llama_memory_seq_pos_max(self._memory, sequence) != start - 1:
            self._clear(sequence)
            start = 0
        del self.tokens[sequence][start:]

    def _clear(self, sequence: int) -> None:
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, _TO_THE_END)

    def _places(self, sequence: int) -> tuple[int, int]:
        """Its first and its last position, as llama.cpp knows them."""
        lowest = llama_cpp.llama_memory_seq_pos_min(self._memory, sequence)
        return lowest, llama_cpp.llama_memory_seq_pos_max(self._memory, sequence)

    def _check(self, rows: Sequence[Row]) -> None:
        if not 0 < len(rows) <= self.batch_tokens:
            raise ValueError(f"{len(rows)} rows are no batch of 1 to {self.batch_tokens}")
        if not all(0 <= row.sequence < len(self.tokens) for row in rows):
            raise ValueError("a row of no sequence")
        if not all(0 <= row.token < self.vocabulary_size for row in rows):
            raise ValueError("a token is not in the model's vocabulary")


_KV_TYPES = {"f16": llama_cpp.GGML_TYPE_F16, "q8_0": llama_cpp.GGML_TYPE_Q8_0}


def _pointer(state: State) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
