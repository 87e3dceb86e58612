"""The queue of generations that wait for a sequence: the one with least left to read first, and age counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workers.engine.generation import LlamaGeneration
from workers.generation import GenerationFailed, GeneratorBusy

AGEING = 0.3
"""What a second of waiting counts against a second of reading that is left. With 0.0 a long prompt might wait for ever;
with 1.0 it is nearly first come, first served (docs/decisions/continuous-batching.md)."""


def turn(seconds_to_read: float, age_s: float) -> float:
    """What generations are ordered by, the smallest first."""
    return seconds_to_read - AGEING * age_s


class Queue:
    """Every member may be used from any thread."""

    def __init__(self, limit: int, seconds_to_read: Callable[[int], float]) -> None:
        """An empty queue for `limit` generations.

        Args:
            seconds_to_read: how long so many tokens of prompt are expected to take.
        """
        self._limit = limit
        self._seconds_to_read = seconds_to_read
        self._changed = threading.Condition()
        self._waiting: list[LlamaGeneration] = []
        self._running: list[LlamaGeneration] = []
        self._closed = False

    def join(self, generation: LlamaGeneration) -> None:
        """Let it wait.

        Raises:
            GeneratorBusy: as many wait as may.
            GenerationFailed: the queue is closed.
        """
        with self._changed:
            if self._closed:
                raise GenerationFailed("the engine is closed")
            if len(self._waiting) >= self._limit:
                raise GeneratorBusy(f"{len(self._waiting)} generations wait already")
            self._waiting.append(generation)
            self._changed.notify()

    def take(self, unread: Callable[[LlamaGeneration], int]) -> LlamaGeneration | None:
        """The next one, which runs from now on; None when nobody waits."""
        with self._changed:
            for generation in self._waiting:
                generation.prompt_left = unread(generation)
            self._waiting.sort(key=self._turn)
            if not self._waiting:
                return None
            self._running.append(self._waiting.pop(0))
            return self._running[-1]

    def put_back(self, generation: LlamaGeneration) -> None:
        """Let a running one wait again."""
        with self._changed:
            if generation in self._running:
                self._running.remove(generation)
                self._waiting.append(generation)

    def leave(self, generation: LlamaGeneration) -> None:
        """Take one out that has ended, wherever it is."""
        with self._changed:
            for place in (self._running, self._waiting):
                if generation in place:
                    place.remove(generation)

    def wait(self) -> bool:
        """Return when somebody waits; False when the queue was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return not self._closed

    def before(self, generation: LlamaGeneration) -> list[LlamaGeneration]:
        """Those whose turn comes before a waiting one's, the running ones first; nobody when it does not wait."""
        with self._changed:
            if generation not in self._waiting:
                return []
            turn = self._turn(generation)
            return self._running + [g for g in self._waiting if g is not generation and self._turn(g) <= turn]

    @property
    def counts(self) -> tuple[int, int]:
        """How many run and how many wait."""
        with self._changed:
            return len(self._running), len(self._waiting)

    @property
    def running(self) -> list[LlamaGeneration]:
        """Those that run."""
        with self._changed:
            return list(self._running)

    def close(self) -> list[LlamaGeneration]:
        """Let nobody in or out any more; who was there."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            return self._running + self._waiting

    def _turn(self, generation: LlamaGeneration) -> float:
        return turn(self._seconds_to_read(generation.prompt_left), generation.age_s)
