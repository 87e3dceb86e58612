"""What is told to who waits in the queue while no worker has the question: the place, and how long it takes."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from typing import Any

from workers.phrases import phrase

NEWEST_WEIGHT = 0.2
LONGER_AFTER_S = 30.0
"""Who has waited so much longer than three times what was to be expected is told no number any more."""


class Tempo:
    """How many seconds an answer takes, from the lock to its end: a moving mean; 0.0 before the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answer_s = 0.0

    def note(self, elapsed_s: float) -> None:
        """Count one more answer."""
        with self._lock:
            before = self.answer_s or elapsed_s
            self.answer_s = before + NEWEST_WEIGHT * (elapsed_s - before)


def heartbeat(stored: str | None) -> Mapping[str, Any]:
    """What the replies' process says of itself; nothing when it does not live."""
    told = json.loads(stored) if stored else {}
    return told if isinstance(told, dict) else {}


def expected(replies: Mapping[str, Any], before: int, waited_s: float, language: str) -> str:
    """The notice for who has so many conversations before them in the queue.

    Args:
        replies: what the heartbeat says (`workers.replies.status`).
    """
    if not replies:
        return phrase("starting", language)
    if replies.get("broken"):
        return phrase("longer", language)
    if not replies.get("ready"):
        return phrase("loading", language)
    seconds = _seconds(replies, before)
    if waited_s > 3 * seconds + LONGER_AFTER_S:
        return phrase("longer", language)
    place = phrase("before_you" if before else "next", language, place=before)
    return place if not seconds else f"{place}{phrase('wait', language, wait=_rounded(seconds, language))}"


def _seconds(replies: Mapping[str, Any], before: int) -> float:
    """Until the answer is there: those before are answered some at a time; 0.0: not known."""
    at_once, answer_s = int(replies.get("at_once", 1)), float(replies.get("answer_s", 0.0))
    return max(0.0, answer_s) * math.ceil((before + 1) / max(1, at_once))


def _rounded(seconds: float, language: str) -> str:
    """To five seconds, from a minute on to half minutes; never less than it is."""
    fives = max(5, math.ceil(seconds / 5) * 5)
    if fives < 60:
        return phrase("seconds", language, count=fives)
    minutes, halves = divmod(math.ceil(seconds / 30), 2)
    return phrase("minutes_and_half" if halves else "minutes", language, count=minutes)
