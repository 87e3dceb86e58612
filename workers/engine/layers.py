"""The inside of a saved state: keys and values of its tokens, layer by layer, as llama.cpp lays them out.

The layout is nobody's promise, so everything that is read is checked, and what is not as expected is not touched:
`llama_kv_cache::state_write` of llama.cpp; a head, three numbers a cell, then all layers' keys, then all their values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workers.engine.cells import State

HEAD_BYTES = 12
"""Magic number, sequence, streams; the number of cells comes after it."""
COUNT_BYTES = 4
CELL_NUMBERS = 3
"""Position, how many sequences it is in, which one."""
LAYER_HEAD_BYTES = 12
"""The type of its numbers, and how many bytes a token takes."""
F16 = 1
_F16_BYTES = 2


class LayoutUnknown(Exception):
    """A saved state does not look as it should, or has keys that are not plain half-precision numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The keys, float16 of shape (layers, tokens, width), and the values, bytes of shape (layers, tokens, size)."""

    keys: NDArray[np.float16]
    values: NDArray[np.uint8]
    head: NDArray[np.uint8]
    key_head: NDArray[np.uint8]
    value_head: NDArray[np.uint8]

    @classmethod
    def of(cls, state: State) -> Layers:
        """What is in a state of one sequence.

        Raises:
            LayoutUnknown
        """
        if state.size < HEAD_BYTES + COUNT_BYTES:
            raise LayoutUnknown("it is too short")
        _, _, streams, tokens = _numbers(state[: HEAD_BYTES + COUNT_BYTES])
        at = HEAD_BYTES + COUNT_BYTES + 4 * CELL_NUMBERS * tokens
        transposed, layers = _numbers(state[at : at + 8]) if state.size >= at + 8 else (1, 0)
        if streams != 1 or tokens == 0 or transposed or layers == 0:
            raise LayoutUnknown("it is of several streams, empty, or its values are transposed")
        keys, key_head, at = _blocks(state, at + 8, layers, tokens)
        values, value_head, at = _blocks(state, at, layers, tokens)
        if at != state.size or _numbers(key_head)[0] != F16:
            raise LayoutUnknown("it is longer than its layers, or its keys are quantized")
        return cls(keys.view(np.float16), values, state[:HEAD_BYTES], key_head, value_head)

    @property
    def tokens(self) -> int:
        """How many tokens it is of."""
        return len(self.keys[0])

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return self.keys.nbytes + self.values.nbytes

    def after(self, count: int) -> Layers:
        """All but the first `count` tokens."""
        return replace(self, keys=self.keys[:, count:], values=self.values[:, count:])

    def state(self, first_position: int) -> State:
        """The state with its tokens at consecutive positions from that one on; the keys are as they are."""
        cells = np.zeros((self.tokens, CELL_NUMBERS), np.int32)
        cells[:, 0] = np.arange(first_position, first_position + self.tokens)
        cells[:, 1] = 1
        counts = np.array([0, len(self.keys)], np.uint32)
        numbers = [np.array([self.tokens], np.uint32), cells.reshape(-1), counts]
        layers = [_with_head(self.key_head, self.keys), _with_head(self.value_head, self.values)]
        return np.concatenate([self.head, *(part.view(np.uint8) for part in numbers), *layers])


def _blocks(state: State, start: int, layers: int, tokens: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
    """The bytes of all layers (layers, tokens, size), the head that each has, and where they end."""
    head = state[start : start + LAYER_HEAD_BYTES]
    if head.size < LAYER_HEAD_BYTES:
        raise LayoutUnknown("it ends before its layers")
    size = int(head[4:].copy().view(np.uint64)[0])
    length = LAYER_HEAD_BYTES + tokens * size
    end = start + layers * length
    if not size > 0 or size % _F16_BYTES or end > state.size:
        raise LayoutUnknown("it ends before its layers")
    blocks = state[start:end].reshape(layers, length)
    if (blocks[:, :LAYER_HEAD_BYTES] != head).any():
        raise LayoutUnknown("its layers differ in form")
    body = np.ascontiguousarray(blocks[:, LAYER_HEAD_BYTES:])
    return body.reshape(layers, tokens, size), head.copy(), end


def _with_head(head: NDArray[np.uint8], body: NDArray[np.float16] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    layers = len(body)
    rows = np.ascontiguousarray(body).view(np.uint8).reshape(layers, -1)
    return np.concatenate([np.broadcast_to(head, (layers, LAYER_HEAD_BYTES)), rows], axis=1).reshape(-1)


def _numbers(raw: NDArray[np.uint8]) -> list[int]:
    numbers: list[int] = raw[: raw.size // 4 * 4].copy().view(np.uint32).tolist()
    return numbers
