"""Called late into a thread: what people said there before is read once, and the conversation begins with it.

It is remembered as turns, each with its message and its speaker: so it goes when the message is deleted, and when its
speaker wants to be forgotten, like everything else that they said.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from bot.capabilities import ReadsBack, Said
from bot.errors import DeliveryError
from bot.words import language
from workers.batch import Batch
from workers.conversation import Conversation, Turn
from workers.services import Desk

log = logging.getLogger(__name__)

POINTING = {"ja": "これについて教えてください。", "en": "Can you answer this?"}
"""What who only calls the desk into a thread says by that, in its language; `knowledge.pointing` reads it so."""


def spelled_out(batch: Batch, desk: Desk) -> Batch:
    """The batch; one that says nothing but the desk's name points at what was said before, where something was.

    Raises:
        LockLost, StoreUnavailable, UnreadableRecord
    """
    if batch.text or batch.has_files or batch.over_limit:
        return batch
    said = conversation_of(batch, desk).questions()
    if not said:
        return batch
    newest = replace(batch.newest, text=POINTING[language("\n".join(said))])
    return replace(batch, messages=(*batch.messages[:-1], newest))


def conversation_of(batch: Batch, desk: Desk) -> Conversation:
    """What was said so far in the batch's conversation; in a thread that the desk is new to, by anybody there."""
    conversation = desk.conversations.load(batch.conversation_id)
    if conversation.turns or not desk.conversations.may_begin_with(batch.conversation_id):
        return conversation
    read_at = time.time()
    turns = [_turn(one) for one in _said_before(batch, desk) if one.message_id not in batch.ids]
    if turns and desk.conversations.begin_with(batch.conversation_id, batch.token, turns, read_at):
        return Conversation(batch.conversation_id, tuple(turns))
    return conversation


def _said_before(batch: Batch, desk: Desk) -> Sequence[Said]:
    """What the platform tells of the thread above the batch; nothing where it does not now."""
    oldest = batch.messages[0]
    sender = desk.senders[oldest.platform]
    if not isinstance(sender, ReadsBack):
        return ()
    try:
        return sender.said_before(oldest.reply_to)
    except DeliveryError as error:
        log.info("thread not read", extra={"platform": oldest.platform, "reason": str(error)})
        return ()


def _turn(said: Said) -> Turn:
    return Turn("user", (said.text,), said.user_id, (said.message_id,))
