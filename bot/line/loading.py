"""The loading animation: three dots in a chat of two, until the next message comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from bot.errors import DeliveryError
from bot.line.api import LineApi
from bot.platform import Journal

log = logging.getLogger(__name__)

LOADING_S = 60
LOADING_AGAIN_S = 50


def show_loading(reply_to: Mapping[str, Any], api: LineApi) -> None:
    """Show the animation for a minute, where there is one: groups have none. Best effort."""
    if reply_to["chat_type"] != "user":
        return
    try:
        api.show_loading(reply_to["chat_id"], LOADING_S)
    except DeliveryError as error:
        log.info("loading not shown", extra={"platform": "line", "reason": str(error)})


class Loading:
    """The animation while one answer is made: shown again before it ends, once whoever works.

    Its fact in the journal is `loading_until`.
    """

    def __init__(self, reply_to: Mapping[str, Any], journal: Journal, api: LineApi) -> None:
        self._reply_to = reply_to
        self._journal = journal
        self._api = api
        self._until = 0.0

    def is_shown(self) -> bool:
        """Whether it need not be shown again yet."""
        now = time.time()
        if now >= self._until:
            self._until = self._journal.read().get("loading_until", 0.0)
        return now < self._until

    def show(self) -> None:
        """Show it.

        Raises:
            LockLost, StoreUnavailable
        """
        self._until = time.time() + LOADING_AGAIN_S
        self._journal.write(loading_until=self._until)
        self._journal.check()
        show_loading(self._reply_to, self._api)
