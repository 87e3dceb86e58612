"""LINE's way out: the streams of answers, who reads them, and what a button fetches."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import redis
from linebot.v3.messaging import TextMessage

from bot.calls import AT_ONCE, TIMEOUT_S, Calls
from bot.errors import DeliveryUnknown
from bot.journal import UnlockedJournal
from bot.line.api import LineApi, TokenGone
from bot.line.kept import KeptAnswers
from bot.line.phrases import phrases
from bot.line.reply import NOTICE_BEFORE_S, LineReply, Push
from bot.line.reply_token import ReplyToken
from bot.messages import Reply
from bot.platform import Journal, Target

log = logging.getLogger(__name__)

TOKEN_JOURNAL_S = 3600
"""Longer than any reply token lives: LINE's limit is 20 minutes after the event."""


class LineSender:
    """Sends answers to LINE; see `Sender`."""

    def __init__(
        self,
        api_url: str,
        access_token: str,
        store: redis.Redis,
        *,
        push: Push,
        access: Literal["pairing", "open"],
        timeout_s: float = TIMEOUT_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._api = LineApi(api_url, access_token, Calls(at_once), timeout_s)
        self._store = store
        self._kept = KeptAnswers(store)
        self._push: Push = push
        self._paired_only = access == "pairing"

    def open(self, target: Target, journal: Journal) -> LineReply:
        """The stream for one answer."""
        return LineReply(target, journal, api=self._api, kept=self._kept, push=self._push)

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Labels of what the readers may see: members' documents only where everybody had to be let in."""
        place = f"line:{reply_to['chat_id']}"
        return frozenset({"public", "members", place} if self._paired_only else {"public", place})

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """Shortly before the reply token dies."""
        return float(reply_to["expires_at"]) - NOTICE_BEFORE_S if reply_to.get("reply_token") else None

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Confirm an order on its own reply token."""
        self.open(target, journal).finish(Reply(text))

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Drop the kept answers to these messages, or to everything that the person asked."""
        self._kept.drop(conversation_id, lambda kept: kept.user_id == user_id or kept.message_id in message_ids)

    def kept(self) -> Iterator[tuple[str, str]]:
        """What waits for a reply token, but for what was withdrawn already."""
        return ((where, kept.message_id) for where, kept in self._kept.all() if kept != kept.withdrawn)

    def withdraw(self, conversation_id: str, message_id: str) -> None:
        """Have the waiting answer to this message say that it holds no more."""
        for kept in self._kept.of(conversation_id):
            if kept.message_id == message_id:
                self._kept.withdraw(conversation_id, kept)

    def collect(self, reply_to: Mapping[str, Any], conversation_id: str, language: str) -> None:
        """Show on a fresh token (a button was pressed) what is kept for the conversation, or say that nothing is.

        May be repeated with the same token: what it showed is not shown again.

        Raises:
            DeliveryDeferred, DeliveryFailed: nothing was shown, all of it is still kept.
        """
        tried_with = hashlib.sha256((reply_to.get("reply_token") or "").encode()).hexdigest()
        journal = UnlockedJournal(self._store, f"collect:{tried_with}", TOKEN_JOURNAL_S)
        token = ReplyToken(reply_to, conversation_id, journal=journal, api=self._api, kept=self._kept)
        nothing = TextMessage(text=phrases(language).nothing_kept)
        try:
            token.deliver("reply", [], lambda anything: [] if anything else [nothing])
        except (TokenGone, DeliveryUnknown) as error:
            log.info("not collected", extra={"platform": "line", "reason": str(error)})
        journal.write(reply_carried=[])  # settled: a copy of the words would escape an erasure
