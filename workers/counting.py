"""Counting what a generator has done, from any thread."""

from __future__ import annotations

import dataclasses
import threading

from workers.generation import Counts


class Tally:
    """Counts that grow; `counts` is how far they are, and no other thread changes what was read."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._lock = threading.Lock()

    def add(self, **more: int) -> None:
        """Add to the counts of these names."""
        with self._lock:
            sums = {name: getattr(self.counts, name) + number for name, number in more.items()}
            self.counts = dataclasses.replace(self.counts, **sums)
