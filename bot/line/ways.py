"""The ways to a reader on LINE, and what is kept of them for all processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from bot.line.api import LineApi, NotTaken, QuotaUsedUp
from bot.line.kept import KeptAnswers
from bot.line.quota import Pushing
from bot.line.sent import SentMessages
from bot.line.tap import Taps

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ways:
    """What every answer is shown with.

    Args:
        pushing: says whether something may be pushed.
        may_train: who finds an answer helpful is asked to lend it for training.
    """

    store: redis.Redis
    api: LineApi
    kept: KeptAnswers
    taps: Taps
    sent: SentMessages
    pushing: Pushing
    may_train: bool

    def push(self, reply_to: Mapping[str, Any], messages: Sequence[Any], retry_key: str) -> None:
        """Push some messages to the chat of `reply_to`.

        Raises:
            QuotaUsedUp, DeliveryFailed, DeliveryDeferred
        """
        chat_id = reply_to["chat_id"]
        if not self.pushing.take(chat_id, reply_to["chat_type"], retry_key):
            raise QuotaUsedUp("what is left is kept in reserve")
        try:
            shown = self.api.push(chat_id, messages, retry_key)
        except QuotaUsedUp:
            self.pushing.used_up()
            raise
        self.sent.note(shown, f"line:{chat_id}")


def show(by: Callable[[Sequence[Any]], None], messages: Sequence[Any], plain: Sequence[Any]) -> None:
    """Show the messages by this way, or, where LINE takes no cards or quotations, those in words alone.

    Raises:
        NotTaken: LINE does not take these either; and whatever `by` does.
    """
    try:
        by(messages)
    except NotTaken:
        if list(plain) == list(messages):
            raise
        log.warning("shown in words alone", extra={"platform": "line"})
        by(plain)
