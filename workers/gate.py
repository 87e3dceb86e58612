"""The gate: lets answers run side by side, but a suspect one alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Many may be inside, or one that is alone. Who waits to be alone lets no newcomer pass, so its turn comes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = 0

    @contextmanager
    def room(self, *, alone: bool) -> Iterator[None]:
        """Inside the block nobody runs beside one that is alone."""
        with self._changed:
            if alone:
                self._changed.wait_for(lambda: self._alone == 0)
                self._alone = 1
                self._changed.wait_for(lambda: self._inside == 0)
            else:
                self._changed.wait_for(lambda: self._alone == 0)
                self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                if alone:
                    self._alone = 0
                else:
                    self._inside -= 1
                self._changed.notify_all()
