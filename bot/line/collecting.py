"""A tap's own token: fresh, free, and spent on what waits in the chat."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.errors import DeliveryUnknown
from bot.journal import UnlockedJournal
from bot.line.api import TokenGone
from bot.line.reply_token import ReplyToken
from bot.line.ways import Ways

log = logging.getLogger(__name__)

TOKEN_JOURNAL_S = 3600
"""Longer than any reply token lives: LINE's limit is 20 minutes after the event."""


def token_of_tap(reply_to: Mapping[str, Any], conversation_id: str, ways: Ways) -> ReplyToken:
    """The token that a tap brought, with a journal of its own, which every process finds again."""
    return ReplyToken(reply_to, conversation_id, journal=_journal(reply_to, ways), ways=ways)


def hand_over(
    reply_to: Mapping[str, Any],
    conversation_id: str,
    ways: Ways,
    closing: Callable[[bool], Sequence[Any]] | None = None,
) -> bool:
    """Show on a tap's token what is kept for the conversation; whether something is shown.

    May be repeated with the same token: what it showed is not shown again.

    Args:
        closing: gives further messages, told whether there was anything kept.

    Raises:
        DeliveryDeferred, DeliveryFailed: nothing was shown, all of it is still kept.
    """
    try:
        token_of_tap(reply_to, conversation_id, ways).deliver("reply", [], closing)
        return True
    except (TokenGone, DeliveryUnknown) as error:
        log.info("not handed over", extra={"platform": "line", "reason": str(error)})
        return False


def _journal(reply_to: Mapping[str, Any], ways: Ways) -> UnlockedJournal:
    tried_with = hashlib.sha256((reply_to.get("reply_token") or "").encode()).hexdigest()
    return UnlockedJournal(ways.store, f"collect:{tried_with}", TOKEN_JOURNAL_S)
