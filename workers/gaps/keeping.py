"""What the knowledge process does about gaps, beside indexing: sorts them, and publishes what was answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bot.errors import StoreUnavailable
from knowledge.errors import KnowledgeError
from workers.gaps.answers import Publishing
from workers.gaps.topics import Sorting

log = logging.getLogger(__name__)

EVERY_S = 5.0


class Keeping:
    """Looks after the gaps until `end`."""

    def __init__(self, sorting: Sorting, publishing: Publishing, every_s: float = EVERY_S) -> None:
        self._steps: tuple[Callable[[], object], ...] = (publishing.publish, sorting.sort)
        self._every_s = every_s
        self._ending = threading.Event()

    def end(self, **_: object) -> None:
        """End after the step under way."""
        self._ending.set()

    def run(self) -> None:
        """Publish and sort, again and again."""
        while not self._ending.wait(self._every_s):
            for step in self._steps:
                self._take(step)

    def _take(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (StoreUnavailable, KnowledgeError, OSError) as error:
            log.warning("gaps not kept", extra={"error": type(error).__name__})
        except Exception:  # the thread must outlive what nobody foresaw
            log.exception("gaps not kept")
