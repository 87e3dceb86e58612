"""The end of a place: the bot was shut out of a workspace, channel or group, and nothing that was said there stays.

A place is named as its conversations begin (`slack:T1`, `slack:T1:C1`, `line:C1`); every key that ends in one of them
is looked through once, so it does not matter how many there are. Messages on LINE do not name their place: what is kept
of them elsewhere (votes, what answers were made from) does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence

import redis

from bot.capabilities import HandsOff
from bot.errors import DeliveryDeferred
from bot.messages import Command
from bot.platform import Sender
from bot.store import store_errors, text
from workers.answer_cache import AnswerCache
from workers.erasure import rewrite_soon
from workers.interrupts import ANY
from workers.provenance import Provenances
from workers.services import Clerk
from workers.votes.votes import Vote, Votes

log = logging.getLogger(__name__)

AT_ONCE = 200
_OF_CONVERSATIONS = frozenset(
    {"inbox", "messages", "turns", "batch", "lock", "letters", "gaps_in", "kept", "slack_previews"}
)
"""Keys that tell by their name that there is a conversation."""
_STAYS = frozenset({"seen", "lock", "epoch", "interrupt", "tries"})
"""Ids and numbers without words, by which what is under way, or comes again late, is kept from coming back; and how
many codes were tried, which it does not begin anew to add the bot again."""


def leave(control_id: str, event: Command, clerk: Clerk) -> None:
    """End the work in the place, and erase what was said there; other places and platforms notice nothing.

    Raises:
        DeliveryDeferred: what was handed off from there to another place still stands in that; to be called again.
    """
    place, store = event.conversation_id, clerk.store
    _drop_orders(control_id, place, store)
    deferred = _taken_back(place, clerk.senders.get(event.platform))  # first: what it goes by is erased with the rest
    stays = _STAYS | ({"slack_posts"} if deferred else set())
    keys = list(_keys(place, store))
    conversations = sorted({conversation for name, conversation in keys if name in _OF_CONVERSATIONS})
    for some in in_parts(conversations):
        clerk.conversations.end(some)
    for conversation in (conversation for name, conversation in keys if name == "batch"):
        clerk.interrupts.changed(conversation, ANY)
    Provenances(store).leave(lambda conversation: is_in(conversation, place))
    votes = Votes(store)
    votes.erase(message_ids=[m for vote in votes.all() if _was_given_in(place, vote) for m in vote.asked.message_ids])
    AnswerCache(store).clear()  # it may repeat what was asked there, and is soon full again
    _unlink([f"{name}:{rest}" for name, rest in keys if name not in stays], store)
    _forget_people(place, store)
    rewrite_soon(store, control_id)
    log.info("left", extra={"platform": event.platform, "conversations": len(conversations)})
    if deferred:
        raise deferred


def _taken_back(place: str, sender: Sender | None) -> DeliveryDeferred | None:
    """Why not all that was handed off from there is taken away yet; None when it is."""
    try:
        if isinstance(sender, HandsOff):
            sender.take_back(place)
    except DeliveryDeferred as error:
        return error
    return None


def _was_given_in(place: str, vote: Vote) -> bool:
    """Also by its messages, where an earlier version noted no conversation."""
    return is_in(vote.conversation_id, place) or any(is_in(message, place) for message in vote.asked.message_ids)


def is_in(name: str, place: str) -> bool:
    """Whether a conversation or message is in the place."""
    return name == place or name.startswith(f"{place}:")


def _keys(place: str, store: redis.Redis) -> Iterator[tuple[str, str]]:
    """Every key that is about something in the place: its name, and what it is about."""
    with store_errors():
        for key in store.scan_iter(match=f"*:{place}*", count=AT_ONCE):
            name, _, about = text(key).partition(":")
            if is_in(about, place):
                yield name, about


def _drop_orders(control_id: str, place: str, store: redis.Redis) -> None:
    """What is still to be carried out there never will be."""
    with store_errors():
        for name, order in store.hscan_iter("controls", count=AT_ONCE):
            if text(name) != control_id and is_in(_conversation(text(order)), place):
                store.hdel("controls", name)
                store.zrem("controls:due", name)
                store.delete(f"attempts:{text(name)}")


def _forget_people(place: str, store: redis.Redis) -> None:
    """Where somebody spoke, whose messages were asked about, and who was a member."""
    platform, _, team = place.partition(":")
    with store_errors():
        for key in store.scan_iter(match=f"spoke:{platform}:*", count=AT_ONCE):
            gone = [c for c in store.smembers(text(key)) if is_in(text(c), place)]
            if gone:
                store.srem(text(key), *gone)
        for key in store.scan_iter(match=f"asked_of:{platform}:*", count=AT_ONCE):
            asked = [m for m in store.hkeys(text(key)) if is_in(text(m), place)]
            if asked:
                store.hdel(text(key), *map(text, asked))
        members = [text(key) for key in store.scan_iter(match=f"{platform}:member:{team}:*", count=AT_ONCE)]
    _unlink(members, store)


def _unlink(keys: Sequence[str], store: redis.Redis) -> None:
    with store_errors():
        for some in in_parts(keys):
            store.unlink(*some)


def in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The names, so many at a time that the store can answer anybody else in between."""
    return (names[first : first + AT_ONCE] for first in range(0, len(names), AT_ONCE))


def _conversation(order: str) -> str:
    """The conversation of a control event, readable or not."""
    try:
        facts = json.loads(order)
    except ValueError:
        return ""
    return str(facts.get("conversation_id", "")) if isinstance(facts, dict) else ""
