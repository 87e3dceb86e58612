"""What has been read before, kept in host memory, so that a prompt that begins alike is not read again.

Finished sequences do not stay in llama.cpp's cells: attention walks over all cells up to the last used one, whoever's
they are. Kept here, 100 tokens are back in their place within a millisecond; to evaluate them takes a second.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.engine.cells import State

Tokens = NDArray[np.int32]

LONGEST_ANSWER_S = 2 * 3600
"""Longer than an answer may take (ANSWER_DEADLINE_S): after it nothing of before can come any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The state of a sequence of tokens; `conversation` is whose words are in it (empty: nobody's)."""

    tokens: Tokens
    state: State
    conversation: str = ""

    @property
    def size_bytes(self) -> int:
        return self.state.nbytes + self.tokens.nbytes


class Prefixes:
    """The kept sequences, least recently used first, within a bound of memory. Every member is safe in any thread."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._kept: list[Kept] = []
        self._forgotten: dict[str, float] = {}
        self._all_forgotten = -math.inf

    def longest(self, prompt: Tokens) -> tuple[Kept | None, int]:
        """The kept sequence that has most in common with the prompt's beginning, and how many tokens that are."""
        best, count = None, 0
        with self._lock:
            for kept in self._kept:
                if (shared := shared_prefix(kept.tokens, prompt)) > count:
                    best, count = kept, shared
            if best is not None:
                self._touch(best)
        return best, count

    def shared_with(self, prompt: Tokens) -> int:
        """How many tokens of the prompt's beginning are kept."""
        with self._lock:
            return max((shared_prefix(kept.tokens, prompt) for kept in self._kept), default=0)

    def keep(self, new: Kept, *, begun_at: float) -> None:
        """Keep a sequence in place of those that it begins with; the least recently used go when it is too much.

        Args:
            begun_at: when its answer was asked for (monotonic clock): what was to be forgotten since is not kept.
        """
        with self._lock:
            if new.size_bytes > self._limit_bytes or self._is_forgotten(new.conversation, begun_at):
                return
            self._kept = [kept for kept in self._kept if not _continues(new, kept)]
            self._kept.append(new)
            for kept in self._out_first():
                if self.size_bytes <= self._limit_bytes:
                    break
                self._kept.remove(kept)

    def forget(self, conversation: str) -> None:
        """Drop what has this conversation's words in it, and keep nothing of it that was asked for before now."""
        now = time.monotonic()
        with self._lock:
            recent = {c: at for c, at in self._forgotten.items() if at > now - LONGEST_ANSWER_S}
            self._forgotten = {**recent, conversation: now}
            self._kept = [kept for kept in self._kept if kept.conversation != conversation]

    def forget_all(self) -> None:
        """Drop everything with anybody's words or documents in it, and keep nothing that was asked for before now."""
        with self._lock:
            self._all_forgotten = time.monotonic()
            self._kept = [kept for kept in self._kept if not kept.conversation]

    @property
    def size_bytes(self) -> int:
        """How much memory they take."""
        return sum(kept.size_bytes for kept in self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _out_first(self) -> Iterator[Kept]:
        """In the order in which they go: what is nobody's (the system prompt) last."""
        yield from [kept for kept in self._kept if kept.conversation]
        yield from [kept for kept in self._kept if not kept.conversation]

    def _is_forgotten(self, conversation: str, begun_at: float) -> bool:
        if not conversation:
            return False
        return begun_at <= max(self._forgotten.get(conversation, -math.inf), self._all_forgotten)

    def _touch(self, kept: Kept) -> None:
        self._kept.remove(kept)
        self._kept.append(kept)


def as_tokens(tokens: Sequence[int]) -> Tokens:
    """Token ids as an array."""
    return np.asarray(tokens, dtype=np.int32)


def shared_prefix(a: Tokens, b: Tokens) -> int:
    """How many tokens the two begin with in common."""
    shortest = min(len(a), len(b))
    different = np.flatnonzero(a[:shortest] != b[:shortest])
    return int(different[0]) if len(different) else shortest


def _continues(new: Kept, old: Kept) -> bool:
    """Whether the new one is the same conversation, further on."""
    return new.conversation == old.conversation and shared_prefix(new.tokens, old.tokens) == len(old.tokens)
