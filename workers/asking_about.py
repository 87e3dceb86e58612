"""A message that somebody chose to ask about becomes their question, answered where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from bot.capabilities import Enters, Whispers
from bot.inbox import Accepted, Inbox
from bot.messages import Action, Message
from bot.store import REMEMBERED_S, store_errors, text
from workers.phrases import phrase
from workers.services import Clerk


def ask_about(control_id: str, event: Action, clerk: Clerk) -> None:
    """Ask it, or tell who chose it why not.

    Raises:
        DeliveryDeferred, StoreUnavailable: it is to be tried again.
    """
    sender = clerk.senders[event.platform]
    if not isinstance(sender, Enters):
        return
    entrance = sender.entered(event.reply_to)
    if entrance is None:
        _tell("not_there", event, clerk)
        return
    if entrance.author_id:  # before it is asked: whatever happens then, they can have it erased
        _note(entrance.author_id, entrance.message_id, event.conversation_id, clerk.store)
    where = (event.conversation_id, event.user_id)
    message = Message(entrance.message_id, event.platform, *where, event.value, event.sent_at, entrance.reply_to)
    outcome = Inbox(clerk.store, clerk.hints).accept(message, f"{control_id}:asked")
    if outcome is Accepted.KNOWN:
        _tell("asked_already", event, clerk)


def asked_of(person: str, store: redis.Redis) -> Mapping[str, str]:
    """The messages of a person that others asked about, each with the conversation in which that was answered.

    Raises:
        StoreUnavailable
    """
    with store_errors():
        noted: Any = store.hgetall(f"asked_of:{person}")
    return {text(message_id): text(conversation_id) for message_id, conversation_id in noted.items()}


def _note(author: str, message_id: str, conversation_id: str, store: redis.Redis) -> None:
    key = f"asked_of:{author}"
    with store_errors(), store.pipeline() as together:
        together.hset(key, message_id, conversation_id)
        together.expire(key, REMEMBERED_S)
        together.execute()


def _tell(name: str, event: Action, clerk: Clerk) -> None:
    sender = clerk.senders[event.platform]
    if isinstance(sender, Whispers):
        sender.whisper(event.reply_to, phrase(name, event.language))
