"""Handing off: a question goes to the people of a channel, once, at its asker's wish."""

from __future__ import annotations

import logging

from bot.capabilities import HandsOff, Whispers
from bot.errors import DeliveryFailed
from bot.journal import UnlockedJournal
from bot.messages import Action, Citation, Edit
from bot.platform import Target
from bot.sanitise import sanitise
from bot.words import language
from workers.conversation import Turn
from workers.explaining import own
from workers.phrases import phrase
from workers.provenance import LIFE_S, Provenance
from workers.services import Clerk

log = logging.getLogger(__name__)

MOST_SOURCES = 3


def hand_off(_: str, event: Action, clerk: Clerk) -> None:
    """Post the question of the message `value` where the place's policy says, and tell its asker that it was."""
    sender = clerk.senders[event.platform]
    if not isinstance(sender, HandsOff) or not isinstance(sender, Whispers):
        return
    record, refusal = own(event, clerk.store)
    asked = question(event, clerk) if record and record.hand_off else None
    if record is None or asked is None:
        sender.whisper(event.reply_to, phrase(refusal or "answer_gone", event.language))
        return
    target = Target(event.value, event.conversation_id, event.language, event.reply_to)
    readers = sender.readers(record.hand_off, event.reply_to)
    try:
        sender.hand_off(record.hand_off, target, sanitise(asked.text), nearest(record, readers))
    except DeliveryFailed as error:
        log.warning("not handed off", extra={"platform": event.platform, "reason": str(error)})
        sender.whisper(event.reply_to, phrase("hand_off_refused", event.language))
        return
    now = question(event, clerk)
    if now is None:  # erased while it was posted
        sender.erase(event.conversation_id, message_ids=[event.value])
        return
    if now.text != asked.text:
        sender.reword(target, sanitise(now.text))
    told = Target(f"{event.value}:handed-off", event.conversation_id, event.language, event.reply_to)
    journal = UnlockedJournal(clerk.store, f"journal:{told.message_id}", LIFE_S)  # one for all presses
    clerk.senders[event.platform].confirm(told, phrase("handed_off", event.language), journal)


def reword(asked: Turn, event: Edit, clerk: Clerk) -> None:
    """Have people who were asked this question read it in its new words.

    Raises:
        DeliveryDeferred, StoreUnavailable: to be called again.
    """
    sender = clerk.senders[event.platform]
    if isinstance(sender, HandsOff) and event.reply_to:
        words = asked.reworded(event.message_id, event.text).text
        target = Target(asked.message_ids[-1], event.conversation_id, language(words), event.reply_to)
        sender.reword(target, sanitise(words))


def question(event: Action, clerk: Clerk) -> Turn | None:
    """The turn of the message `value`, as the conversation has it; None when it has it no more."""
    turns = clerk.conversations.load(event.conversation_id).turns
    return next((turn for turn in turns if turn.role == "user" and event.value in turn.message_ids), None)


def nearest(record: Provenance, readers: frozenset[str]) -> tuple[Citation, ...]:
    """What the people who are asked may see of the passages: those cited, else those found.

    Without the pages of ours: they show what may be read where the question was asked.
    """
    cited = [one for one in record.seen if one.is_cited] or list(record.seen)
    shown = [one for one in cited if readers & set(one.audience)][:MOST_SOURCES]
    return tuple(Citation(n, one.title, one.uri, one.heading, "") for n, one in enumerate(shown, 1))
