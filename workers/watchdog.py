"""A watchdog over the model: gives up a step that takes too long, and ends a process whose model hangs.

Nobody whose answer waits behind a hanging model loses an attempt: only the generation that hangs fails, and the end of
the process hands everything else back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from workers.ending import ask_to_end
from workers.generation import Generator

log = logging.getLogger(__name__)

TICK_S = 1.0
ABANDON_AFTER_TICKS = 60
"""A chunk of a prompt takes two seconds on two cores, ten on a very slow machine."""
END_AFTER_TICKS = 75


class Watchdog:
    """Counts for how many of its own ticks the model has been in one and the same step.

    Ticks, not time: a machine that slept or a process that was stopped has not ticked, and a busy one ticks slowly.
    """

    def __init__(
        self, generator: Generator, *, tick_s: float = TICK_S, end_process: Callable[[], None] = ask_to_end
    ) -> None:
        self._generator = generator
        self._tick_s = tick_s
        self._end_process = end_process
        self._step: int | None = None
        self._ticks = 0

    def start(self) -> None:
        """Watch, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def tick(self) -> None:
        """Look once."""
        step = self._generator.load.step
        self._ticks = self._ticks + 1 if step is not None and step == self._step else 0
        self._step = step
        if self._ticks == ABANDON_AFTER_TICKS:
            log.error("a step of the model takes too long and is given up")
            self._generator.abandon_step()
        if self._ticks == END_AFTER_TICKS:
            log.error("the model hangs, the process ends")
            self._end_process()

    def _run(self) -> None:
        while True:
            time.sleep(self._tick_s)
            self.tick()
