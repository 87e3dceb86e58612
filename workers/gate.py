"""The gate: lets answers run side by side, but a suspect one alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 0.3


class Gate:
    """Many may be inside, or one that is alone. Who waits to be alone lets no newcomer pass, so its turn comes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = 0

    @contextmanager
    def room(self, *, alone: bool, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Inside the block nobody runs beside one that is alone.

        Args:
            meanwhile: called a few times a second while this one waits; what it raises ends the wait.
        """
        with self._changed:
            self._wait(lambda: self._alone == 0, meanwhile)
            if alone:
                self._alone = 1
                try:
                    self._wait(lambda: self._inside == 0, meanwhile)
                except BaseException:
                    self._leave_alone()
                    raise
            else:
                self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                if alone:
                    self._leave_alone()
                else:
                    self._inside -= 1
                    self._changed.notify_all()

    def _wait(self, free: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
        while not self._changed.wait_for(free, LOOK_EVERY_S):
            self._changed.release()  # what is done meanwhile may take its time: nobody else must wait for it
            try:
                meanwhile()
            finally:
                self._changed.acquire()

    def _leave_alone(self) -> None:
        self._alone = 0
        self._changed.notify_all()
