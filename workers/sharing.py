"""Sharing: an answer that only its asker has seen is shown to everybody in the place where it was asked, once."""

from __future__ import annotations

import logging
from itertools import pairwise

from bot.capabilities import Shares, Whispers
from bot.errors import DeliveryFailed
from bot.messages import Action, Reply
from bot.platform import Target
from bot.sanitise import sanitise
from workers.conversation import Turn
from workers.explaining import own
from workers.phrases import phrase
from workers.provenance import Provenance
from workers.services import Clerk

log = logging.getLogger(__name__)


def share(_: str, event: Action, clerk: Clerk) -> None:
    """Show question and answer of the message `value`; it was made for what the place's readers may see.

    Words come from the conversation alone, and only while the documents are as they were.
    """
    sender = clerk.senders[event.platform]
    if not isinstance(sender, Shares) or not isinstance(sender, Whispers) or not sender.can_share(event.reply_to):
        return
    record, refusal = own(event, clerk.store)
    exchange = _exchange(event, clerk) if record else None
    if record is None or exchange is None:
        sender.whisper(event.reply_to, phrase(refusal or "answer_gone", event.language))
        return
    asked, answered = exchange
    if not may_read(record, sender.audience(event.reply_to)):
        sender.whisper(event.reply_to, phrase("share_refused", event.language))
        return
    target = Target(event.value, event.conversation_id, event.language, event.reply_to)
    try:
        sender.share(target, sanitise(asked.text), Reply(answered.text, record.sources()))
    except DeliveryFailed as error:
        log.warning("not shared", extra={"platform": event.platform, "reason": str(error)})
        sender.whisper(event.reply_to, phrase("share_refused", event.language))
        return
    if _exchange(event, clerk) is None:  # erased while it was posted
        sender.erase(event.conversation_id, message_ids=[event.value])
        return
    sender.conclude(event.reply_to, phrase("shared", event.language))


def may_read(record: Provenance, readers: frozenset[str]) -> bool:
    """Whether these readers may see all that the answer stands on: a channel may be others' too by now."""
    return all(readers & set(one.audience) for one in record.seen if one.is_cited)


def _exchange(event: Action, clerk: Clerk) -> tuple[Turn, Turn] | None:
    """The question and its answer, as the conversation has them."""
    turns = clerk.conversations.load(event.conversation_id).turns
    return next(
        (
            (asked, answered)
            for asked, answered in pairwise(turns)
            if answered.role == "assistant" and event.value in answered.message_ids and answered.passages
        ),
        None,
    )
