"""Passages that were read once, to be used at any place of any prompt, and those that wait to be read.

What is kept was computed after what every chat begins with, and after nobody's words: it depends on the passage alone.
It is found by the passage's own tokens, so only a prompt that holds the passage can make use of it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from workers.engine.layers import Layers

SHORTEST_TOKENS = 32
"""A shorter passage is read as fast as it is placed."""
MOST_WANTED = 256

Passage = tuple[int, ...]


class Passages:
    """The passages' keys and values, least recently used first, within a bound of memory. Safe in any thread."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Passage, Layers] = OrderedDict()
        self._wanted: OrderedDict[Passage, float] = OrderedDict()
        self._all_forgotten = -math.inf
        self.size_bytes = 0

    def __contains__(self, passage: Passage) -> bool:
        return passage in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, passage: Passage) -> Layers | None:
        """Its keys and values, if it was read."""
        with self._lock:
            if passage in self._kept:
                self._kept.move_to_end(passage)
            return self._kept.get(passage)

    def want(self, passages: Sequence[Passage], *, begun_at: float) -> None:
        """Have them read when there is time, those that were wanted last first.

        Args:
            begun_at: when the answer was asked for (monotonic clock): what was to be forgotten since is not wanted.
        """
        with self._lock:
            for passage in passages:
                if passage not in self._kept and begun_at > self._all_forgotten:
                    self._wanted[passage] = begun_at
                    self._wanted.move_to_end(passage)
            while len(self._wanted) > MOST_WANTED:
                self._wanted.popitem(last=False)

    @property
    def has_wishes(self) -> bool:
        """Whether a passage waits to be read."""
        return bool(self._wanted)

    def take_wish(self) -> tuple[Passage, float] | None:
        """The passage to be read next, and when it was asked for; None when there is none."""
        with self._lock:
            return self._wanted.popitem() if self._wanted else None

    def keep(self, passage: Passage, layers: Layers, *, begun_at: float) -> None:
        """Keep what was read of it; the least recently used go when it is too much."""
        with self._lock:
            self._wanted.pop(passage, None)
            if passage in self._kept or layers.size_bytes > self.limit_bytes or begun_at <= self._all_forgotten:
                return
            self._kept[passage] = layers
            self.size_bytes += layers.size_bytes
            while self.size_bytes > self.limit_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.size_bytes -= oldest.size_bytes

    def forget_all(self) -> None:
        """Drop everything, and keep nothing that was asked for before now: documents may have left."""
        with self._lock:
            self._all_forgotten = time.monotonic()
            self._kept.clear()
            self._wanted.clear()
            self.size_bytes = 0
