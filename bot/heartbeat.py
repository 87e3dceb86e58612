"""Heartbeats: each process beside the web says every few seconds that it lives, and how it is, in `status:{part}`."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis

log = logging.getLogger(__name__)

BEAT_EVERY_S = 2.0
LIFE_S = 8


class Heartbeat:
    """Writes what `status` says of the process; the key dies soon after the process."""

    def __init__(self, store: redis.Redis, part: str, status: Callable[[], Mapping[str, Any]]) -> None:
        self._store = store
        self._part = part
        self._status = status

    def start(self) -> None:
        """Beat for ever, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def beat(self) -> None:
        """Write the status once."""
        status = {"pid": os.getpid(), "at": time.time(), **self._status()}
        self._store.set(f"status:{self._part}", json.dumps(status, ensure_ascii=False), ex=LIFE_S)

    def _run(self) -> None:
        while True:
            try:
                self.beat()
            except redis.RedisError as error:
                log.warning("no heartbeat", extra={"error": type(error).__name__})
            time.sleep(BEAT_EVERY_S)
