"""The course of one answer: how long each step of it took, and how many sentences did not stand."""

from __future__ import annotations

import time


class Course:
    """What happened on the way to an answer.

    Attributes:
        left_out: sentences of the model that stood on no passage.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._began = self._searched = time.monotonic()
        self._wrote: float | None = None

    def searched(self) -> None:
        """The documents have been searched."""
        self._searched = time.monotonic()

    def writes(self) -> None:
        """The model has written a sentence; the first one counts."""
        self._wrote = self._wrote or time.monotonic()

    @property
    def has_written(self) -> bool:
        """Whether a model wrote anything."""
        return self._wrote is not None

    def times_ms(self) -> tuple[int, int, int]:
        """Searching, waiting for the first sentence, and writing from then until now; without a model the first."""
        now = time.monotonic()
        wrote = self._wrote or now
        waited_s, wrote_s = (wrote - self._searched, now - wrote) if self.has_written else (0.0, 0.0)
        return round((self._searched - self._began) * 1000), round(waited_s * 1000), round(wrote_s * 1000)
