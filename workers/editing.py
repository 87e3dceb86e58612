"""A message says something else now: what that changes, for the clerk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import redis

from bot.capabilities import Replaces
from bot.messages import Edit, Message
from bot.platform import Target
from bot.store import SEEN_S, script, store_errors
from bot.words import language, order
from workers.conversation import Turn
from workers.dead_letters import DeadLetters
from workers.gaps.gaps import Gaps
from workers.handing_off import reword
from workers.outcomes import erase_outcomes
from workers.services import Clerk


def edit(event: Edit, clerk: Clerk) -> None:
    """What waits is answered in its new words, the last question is answered again, what was is remembered so.

    People whom the question was handed to read it in its new words. Edits may come out of order: the newest stands.

    Raises:
        DeliveryDeferred, StoreUnavailable: it is to be tried again.
    """
    if _is_outdated(event, clerk.store):
        return
    asked = _asked_in(event, clerk)
    if _reword_waiting(event, clerk.store):
        clerk.interrupts.changed(event.conversation_id, event.message_id)
        clerk.hints.answer(event.conversation_id)
    elif ask_again(event, clerk):
        clerk.hints.answer(event.conversation_id)
    else:
        clerk.conversations.reword(event.conversation_id, event.message_id, event.text)
        with store_errors():
            clerk.store.srem(f"over:{event.conversation_id}", event.message_id)  # nothing is answered
        DeadLetters(clerk.store).reword(event.conversation_id, event.message_id, event.text)
        Gaps(clerk.store).reword(event.conversation_id, event.message_id, event.text)
    erase_outcomes(clerk.store, message_ids=[event.message_id])  # they came of an answer to other words
    reword(asked, event, clerk)  # last: a platform that is out of reach holds up nothing of ours


def _is_outdated(event: Edit, store: redis.Redis) -> bool:
    """Whether a later edit of the message, by the platform's time, was carried out before."""
    with store_errors():
        known = script(store, "workers", "newest_edit")(
            keys=[f"edited:{event.message_id}"], args=[event.sent_at, SEEN_S]
        )
    return bool(known)


def _asked_in(event: Edit, clerk: Clerk) -> Turn:
    """The turn that the message is in; where it is being answered again, as if it were alone in it."""
    turns = clerk.conversations.load(event.conversation_id).turns
    alone = Turn("user", (event.text,), event.user_id, (event.message_id,))
    return next((turn for turn in turns if turn.role == "user" and event.message_id in turn.message_ids), alone)


def ask_again(event: Edit, clerk: Clerk) -> bool:
    """Have an edited last question answered again, in the place of its answer; False where that is not to be.

    Raises:
        DeliveryDeferred, StoreUnavailable
    """
    asked = _last_question(event, clerk) if event.reply_to and event.text and not order(event.text) else None
    if asked is None:
        return False
    messages = _messages(asked, event)
    newest, sender = messages[-1], clerk.senders[event.platform]
    if isinstance(sender, Replaces):
        sender.reopen(Target(newest.id, newest.conversation_id, language(event.text), event.reply_to))
    with store_errors():
        is_asked = _ask_again(messages, round_=int(event.sent_at * 1000), store=clerk.store)
    if is_asked:
        Gaps(clerk.store).forget(event.conversation_id, newest.id)
    return is_asked


def _last_question(event: Edit, clerk: Clerk) -> Turn | None:
    """The conversation's last question, if this edit changes its newest message, which is answered; nothing waits."""
    with store_errors():
        if clerk.store.exists(f"inbox:{event.conversation_id}"):
            return None
    turns = clerk.conversations.load(event.conversation_id).turns[-2:]
    if [turn.role for turn in turns] != ["user", "assistant"]:
        return None
    asked = turns[0]
    is_newest = asked.message_ids[-1] == event.message_id
    return asked if is_newest and asked.texts[-1] != event.text else None


def _messages(asked: Turn, event: Edit) -> list[Message]:
    """The messages of a question as if they had been said when they were edited."""
    words = asked.reworded(event.message_id, event.text)
    where = (event.conversation_id, event.user_id)
    return [
        Message(message_id, event.platform, *where, text, event.sent_at, event.reply_to)
        for message_id, text in zip(words.message_ids, words.texts, strict=True)
    ]


def _ask_again(messages: Sequence[Message], *, round_: int, store: redis.Redis) -> bool:
    """Put the messages of the last question back into the inbox, in a round of their own.

    False when it is not the last question any more.
    """
    c = messages[0].conversation_id
    keys = [f"inbox:{c}", f"messages:{c}", f"batch:{c}", "ready", f"turns:{c}", "erased", f"over:{c}"]
    stored = (part for m in messages for part in (m.id, m.to_json(), m.sent_at))
    return bool(script(store, "workers", "ask_edited")(keys=keys, args=[c, time.time(), round_, SEEN_S, *stored]))


def _reword_waiting(event: Edit, store: redis.Redis) -> bool:
    """Whether the message still waits, now in its new words."""
    key = f"messages:{event.conversation_id}"
    with store_errors():
        waiting = store.hget(key, event.message_id)
        if waiting is None:
            return False
        changed = replace(Message.from_json(waiting), text=event.text)
        keys = [key, *(f"{name}:{event.conversation_id}" for name in ("batch", "letters", "over"))]
        return bool(script(store, "workers", "edit")(keys=keys, args=[event.message_id, changed.to_json()]))
