"""Following the index while nobody asks, so that an old generation is let go and no question waits for the new one."""

from __future__ import annotations

import logging
import threading

from workers.services import Retriever

log = logging.getLogger(__name__)

FOLLOW_EVERY_S = 3.0


def follow(retriever: Retriever, done: threading.Event, every_s: float = FOLLOW_EVERY_S) -> None:
    """Follow the index until `done` is set; what keeps it from that is logged once, and it tries again."""
    told = ""
    while not done.wait(every_s):
        try:
            retriever.follow()
            told = ""
        except Exception as error:  # whatever it is, a question says the same to who asks it
            if (reason := f"{type(error).__name__}: {error}") != told:
                log.warning("index not followed", extra={"reason": reason})
            told = reason
