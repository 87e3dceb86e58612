"""How often a host is asked, and when it is left alone."""

from __future__ import annotations

import time

from knowledge.web.connection import GLANCE_S, Tick
from knowledge.web.errors import Unreachable

LONGEST_DELAY_S = 30.0
"""Of a Crawl-delay and of a Retry-After: a host that asks for more gets this, or is left alone until the next time."""
MOST_FAILURES = 3
"""In a row: a host that is down must not cost its time limit for each of a thousand pages."""


class Pace:
    """The turns of one host: one request at a time, with a pause between the end of one and the next."""

    def __init__(self, pause_s: float, tick: Tick) -> None:
        self._pause_s = pause_s
        self._tick = tick
        self._next_at = 0.0
        self._failures = 0
        self._left_alone = ""

    def slow_down(self, pause_s: float) -> None:
        """Have at least this between two requests, up to LONGEST_DELAY_S."""
        self._pause_s = max(self._pause_s, min(pause_s, LONGEST_DELAY_S))

    def wait(self) -> None:
        """Return when the host may be asked.

        Raises:
            Unreachable: not any more in this run.
        """
        if self._left_alone:
            raise Unreachable(self._left_alone)
        while (left_s := self._next_at - time.monotonic()) > 0:
            self._tick()
            time.sleep(min(left_s, GLANCE_S))

    def answered(self) -> None:
        """Note that the host answers."""
        self._failures = 0
        self._next_at = time.monotonic() + self._pause_s

    def failed(self, reason: str) -> None:
        """Note that it did not; after several times in a row it is asked no more."""
        self._failures += 1
        self._next_at = time.monotonic() + self._pause_s
        if self._failures >= MOST_FAILURES:
            self._left_alone = f"{reason}; {self._failures} times in a row, so the host was asked no more"

    def rest(self, seconds: float) -> None:
        """Leave the host alone for so long; when that is longer than LONGEST_DELAY_S, for good."""
        if seconds > LONGEST_DELAY_S:
            self._left_alone = f"the host asks to be left alone for {seconds:.0f} s"
        self._next_at = time.monotonic() + max(seconds, self._pause_s)
