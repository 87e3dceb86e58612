"""Whether something may be pushed, which costs, where a reply is free.

What is left of the month is asked from LINE every ten minutes and counted down in the store in between, so that all
processes share it. Keys: `line:quota`, `line:pushes`, `line:push:{retry key}`, `line:members:{chat}`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Protocol

import redis

from bot.errors import DeliveryDeferred, DeliveryError
from bot.line.account import LineAccount
from bot.line.api import LineApi
from bot.store import script, store_errors

log = logging.getLogger(__name__)

ASKED_EVERY_S = 600
UNKNOWN_S = 60
"""What LINE did not tell is not asked again for so long."""
REMEMBERED_S = 24 * 3600
"""LINE knows a retry key for so long, and takes no second push for it."""
UNCOUNTED_S = 120
"""A push of that age may be missing in LINE's own count, which is approximate."""
_LINES_TIME = timezone(timedelta(hours=9))
_UNLIMITED, _UNKNOWN = "unlimited", "unknown"


class Pushing(Protocol):
    """Says whether a chat may be pushed to, and counts what is."""

    def allows(self, chat_id: str, chat_type: str) -> bool:
        """Whether something could be pushed now; nothing is promised by it."""
        ...

    def take(self, chat_id: str, chat_type: str, retry_key: str) -> bool:
        """Whether it may be pushed under this key now; if so it is counted, once for each key."""
        ...

    def used_up(self) -> None:
        """LINE takes no more this month."""
        ...


class Never:
    """Nothing is pushed."""

    def allows(self, chat_id: str, chat_type: str) -> bool:
        return False

    def take(self, chat_id: str, chat_type: str, retry_key: str) -> bool:
        return False

    def used_up(self) -> None:
        """Nothing was pushed."""


class Always:
    """Whatever LINE takes."""

    def allows(self, chat_id: str, chat_type: str) -> bool:
        return True

    def take(self, chat_id: str, chat_type: str, retry_key: str) -> bool:
        return True

    def used_up(self) -> None:
        """LINE says so every time."""


class Quota:
    """As long as a reserve of the month's messages is kept. What is not known is not allowed.

    Every method raises StoreUnavailable when the store is down.

    Args:
        reserve: so many of the month's messages are left for others.
    """

    def __init__(
        self, api: LineApi, store: redis.Redis, reserve: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._api = api
        self._store = store
        self._reserve = reserve
        self._clock = clock
        self._take = script(store, "bot", "take_push")
        self._set_left = script(store, "bot", "set_quota")

    def allows(self, chat_id: str, chat_type: str) -> bool:
        """Whether the month has room for one push to everybody in the chat."""
        left = self._left()
        if left == _UNLIMITED:
            return True
        if left == _UNKNOWN or int(left) <= self._reserve:
            return False
        recipients = self._recipients(chat_id, chat_type)
        return recipients > 0 and int(left) - recipients >= self._reserve

    def take(self, chat_id: str, chat_type: str, retry_key: str) -> bool:
        """Count a push before it is made, if there is room: of two processes one gets the last."""
        self._left()
        recipients = self._recipients(chat_id, chat_type)
        keys = ["line:quota", f"line:push:{retry_key}", "line:pushes"]
        with store_errors():
            return bool(self._take(keys, [recipients, self._reserve, self._clock(), REMEMBERED_S, retry_key]))

    def used_up(self) -> None:
        """Nothing is left until the month ends."""
        with store_errors():
            self._store.set("line:quota", 0, ex=seconds_of_month(self._clock()))

    def _left(self) -> str:
        """What is left of the month: a number, `unlimited` or `unknown`."""
        with store_errors():
            known = self._store.get("line:quota")
        return str(known) if known is not None else self._ask()

    def _ask(self) -> str:
        asked_at = self._clock()  # what is pushed while LINE counts may be missing in its count
        try:
            spent = LineAccount(self._api).spent()
            left = _UNLIMITED if spent.limit is None else str(max(0, spent.limit - max(0, spent.used)))
            life_s = min(ASKED_EVERY_S, seconds_of_month(asked_at))
        except DeliveryError as error:
            log.warning("quota not known", extra={"platform": "line", "reason": str(error)})
            left, life_s = _UNKNOWN, UNKNOWN_S
        with store_errors():
            return str(self._set_left(["line:quota", "line:pushes"], [left, asked_at - UNCOUNTED_S, life_s]))

    def _recipients(self, chat_id: str, chat_type: str) -> int:
        """How many messages a push to the chat counts; 0: not known."""
        if chat_type == "user":
            return 1
        key = f"line:members:{chat_id}"
        with store_errors():
            known = self._store.get(key)
        if known is not None:
            return int(known)
        members, life_s = self._count(chat_id, chat_type)
        with store_errors():
            self._store.set(key, members, ex=life_s)
        return members

    def _count(self, chat_id: str, chat_type: str) -> tuple[int, int]:
        """The people in a group or room, 0 where LINE does not tell, and for how many seconds that holds."""
        if chat_type not in {"group", "room"}:
            return 0, ASKED_EVERY_S
        try:
            count = self._api.get(f"/v2/bot/{chat_type}/{chat_id}/members/count").get("count")
        except DeliveryError as error:  # 403: not for this account; 404: not in the group
            log.info("members not counted", extra={"platform": "line", "reason": str(error)})
            return 0, UNKNOWN_S if isinstance(error, DeliveryDeferred) else ASKED_EVERY_S
        return (count if type(count) is int and count > 0 else 0), ASKED_EVERY_S


def seconds_of_month(now: float) -> int:
    """The seconds until the month ends where LINE counts, in Tokyo; at least one."""
    today = datetime.fromtimestamp(now, _LINES_TIME)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = (first + timedelta(days=32)).replace(day=1)
    return max(1, round((ends - today).total_seconds()))
