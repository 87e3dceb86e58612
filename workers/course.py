"""The course of one answer: how long each step of it took, and how many sentences did not stand."""

from __future__ import annotations

import time


class Course:
    """What happened on the way to an answer, in the order in which it happened.

    Attributes:
        left_out: sentences of the model that stood on no passage.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._began = self._searched = self._wrote = time.monotonic()

    def searched(self) -> None:
        """The documents have been searched."""
        self._searched = self._wrote = time.monotonic()

    def writes(self) -> None:
        """The model's first words are there."""
        self._wrote = time.monotonic()

    def times_ms(self) -> tuple[int, int, int]:
        """Searching, then waiting for the first words, then writing until now; without a model the first two."""
        has_waited = self._wrote > self._searched
        now = time.monotonic()
        waited, wrote = (self._wrote - self._searched, now - self._wrote) if has_waited else (0.0, 0.0)
        return round((self._searched - self._began) * 1000), round(waited * 1000), round(wrote * 1000)
