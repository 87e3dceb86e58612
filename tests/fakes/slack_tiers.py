"""Slack's rate limits, for a fake on which they are turned on: calls of each method within a minute."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque

WITHIN_S = 60.0
TIERS = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "chat.appendStream": 100,
    "chat.postEphemeral": 100,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
    "auth.test": 100,
}
OTHERS = 50
POST, POSTS, POSTS_WITHIN_S = "chat.postMessage", 10, 10.0
"""About one a second in a channel; some more at once are tolerated."""


class Tiers:
    """Counts calls and says which are too many. Off until `on` is set; then `refused` counts what was refused."""

    def __init__(self) -> None:
        self.on = False
        self.refused = 0
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._rests: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def retry_after(self, method: str, channel: str) -> int:
        """After how many seconds the call may be made; 0: now, and it is counted."""
        if not self.on:
            return 0
        place = channel if method == POST else ""
        most, within_s = (POSTS, POSTS_WITHIN_S) if method == POST else (TIERS.get(method, OTHERS), WITHIN_S)
        with self._lock:
            calls, now = self._calls[method, place], time.monotonic()
            while calls and calls[0] <= now - within_s:
                calls.popleft()
            if len(calls) < most and now >= self._rests.get((method, place), 0.0):
                calls.append(now)
                return 0
            self.refused += 1
            wait_s = max(1, math.ceil(calls[0] + within_s - now)) if calls else 1
            self._rests[method, place] = now + wait_s
            return wait_s
