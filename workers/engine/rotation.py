"""Rotary position embeddings: how a model writes a token's place into its keys, and how to write another one.

RoFormer (https://arxiv.org/abs/2104.09864): pairs of a key's numbers are turned by an angle that grows with the place,
so a key that stands elsewhere is the same key turned further. A model may pair, scale or leave that out in its own way;
`rotation_of` believes only what it has tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.cells import Cells, Row
from workers.engine.layers import Layers, LayoutUnknown

TRIED_TOKENS = 16
MOST_OFF = 0.15
"""Of the keys' length, in each layer: rounding makes up to 0.04 (measured), another way of turning 0.6 somewhere."""
USUAL_BASE = 10_000.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """How keys of `head` numbers are turned: the first `turned` ones of them, in pairs.

    Args:
        adjacent: a pair is two neighbours (Llama's own files), else the halves' numbers of the same rank (GPT-NeoX).
        base: the slowest pair turns once in about 2π times so many tokens.
    """

    head: int
    turned: int
    base: float
    adjacent: bool

    def moved(self, keys: NDArray[np.float16], by: int) -> NDArray[np.float16]:
        """The keys as they would be `by` places further on; any shape whose last axis is a whole number of heads."""
        if by == 0:
            return keys
        angle = by * self.base ** (-np.arange(self.turned // 2) * 2.0 / self.turned)
        turn = (np.cos(angle) + 1j * np.sin(angle)).astype(np.complex64)
        heads = keys.reshape(-1, self.head).astype(np.float32)
        first, second = self._pairs(heads)
        pairs = first + 1j * second
        pairs *= turn
        first[:], second[:] = pairs.real, pairs.imag
        return heads.astype(np.float16).reshape(keys.shape)

    def _pairs(self, heads: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Views of the first and the second number of each pair."""
        if self.adjacent:
            return heads[:, 0 : self.turned : 2], heads[:, 1 : self.turned : 2]
        half = self.turned // 2
        return heads[:, :half], heads[:, half : self.turned]


def rotation_of(metadata: Mapping[str, Any], cells: Cells) -> Rotation | None:
    """How this model turns its keys, found by trying; None where none of the ways is right.

    A text of one token again and again has, but for the turn, the same keys at every place in every layer, since
    attention over equal values gives that value: so a key moved from one place to another must be the key there.

    Args:
        metadata: of the GGUF file.
        cells: empty ones, which are empty again afterwards.
    """
    try:
        layers = Layers.of(_tried(cells))
        candidates = [_named(metadata, layers, adjacent=adjacent) for adjacent in (False, True)]
    except (LayoutUnknown, KeyError, TypeError, ZeroDivisionError):
        return None
    return next((c for c in candidates if c is not None and _is_right(c, layers.keys)), None)


def _tried(cells: Cells) -> NDArray[np.uint8]:
    token = cells.vocabulary_size // 2
    cells.evaluate([Row(0, token) for _ in range(TRIED_TOKENS)])
    try:
        return cells.save(0)
    finally:
        cells.cut(0, 0)


def _named(metadata: Mapping[str, Any], layers: Layers, *, adjacent: bool) -> Rotation | None:
    """The rotation by the file's own numbers; None where they do not go together."""
    name = metadata["general.architecture"]
    heads = metadata[f"{name}.attention.head_count"]
    head = int(metadata.get(f"{name}.attention.key_length", metadata[f"{name}.embedding_length"] // heads))
    turned = int(metadata.get(f"{name}.rope.dimension_count", head))
    base = float(metadata.get(f"{name}.rope.freq_base", USUAL_BASE))
    if layers.keys.shape[-1] % head or not 0 < turned <= head or turned % 2 or base <= 1:
        return None
    return Rotation(head, turned, base, adjacent)


def _is_right(rotation: Rotation, keys: NDArray[np.float16]) -> bool:
    """Whether every layer's keys, moved from the first half of the places to the second, are those that stand there."""
    half = TRIED_TOKENS // 2
    there = keys[:, half:].astype(np.float32)
    moved = rotation.moved(keys[:, :half], half).astype(np.float32)
    off = np.linalg.norm(moved - there, axis=(1, 2)) / np.linalg.norm(there, axis=(1, 2))
    return bool((off < MOST_OFF).all())
