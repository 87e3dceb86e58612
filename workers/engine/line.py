"""The line of generations: one runs, the others wait in order."""

from __future__ import annotations

import threading
from collections import deque

from workers.engine.generation import LlamaGeneration
from workers.generation import GenerationFailed, GeneratorBusy


class Line:
    """First come, first served; every member may be used from any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[LlamaGeneration] = deque()
        self._running: LlamaGeneration | None = None
        self._closed = False

    def join(self, generation: LlamaGeneration) -> None:
        """Put it at the end.

        Raises:
            GeneratorBusy: as many wait as may.
            GenerationFailed: the line is closed.
        """
        with self._changed:
            if self._closed:
                raise GenerationFailed("the engine is closed")
            if len(self._waiting) >= self._limit:
                raise GeneratorBusy(f"{len(self._waiting)} generations wait already")
            self._waiting.append(generation)
            self._changed.notify()

    def take(self) -> LlamaGeneration | None:
        """The next one, which runs from now on; waits for it. None when the line was closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def leave(self, generation: LlamaGeneration) -> None:
        """Take one out that has ended, wherever it is."""
        with self._changed:
            if generation is self._running:
                self._running = None
            if generation in self._waiting:
                self._waiting.remove(generation)

    def before(self, generation: LlamaGeneration) -> list[LlamaGeneration]:
        """Those that come before a waiting one, the running one first; nobody when it does not wait."""
        with self._changed:
            if generation not in self._waiting:
                return []
            running = [self._running] if self._running else []
            return running + list(self._waiting)[: self._waiting.index(generation)]

    @property
    def running(self) -> LlamaGeneration | None:
        """The one that runs, if one does."""
        with self._changed:
            return self._running

    @property
    def counts(self) -> tuple[int, int]:
        """How many run and how many wait."""
        with self._changed:
            return int(self._running is not None), len(self._waiting)

    def close(self) -> list[LlamaGeneration]:
        """Let nobody in or out any more; who was there."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            running = [self._running] if self._running else []
            return running + list(self._waiting)
