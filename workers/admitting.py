"""Who is let in where not everybody is: codes that are sent, and an administrator's orders about people and groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis

from bot.capabilities import KnowsNames
from bot.messages import Command
from bot.store import store_errors
from workers.interrupts import ANY, Interrupts
from workers.phrases import phrase
from workers.seldom import is_time_for
from workers.services import Clerk

TELL_PERSON_EVERY_S = 600
TELL_GROUP_EVERY_S = 3600
"""So often who is not let in is told so: what strangers write must not cost a call to the platform each."""
MOST_LISTED = 50
_REFUSALS = ("not_admitted", "not_on_list", "group_not_admitted")
NAMES_WITHIN_S = 5.0
"""A platform that does not answer does not hold up the list, which has a reply token's life; ids are enough."""


@dataclass(frozen=True, slots=True)
class _Words:
    """The phrase for who is let in now, the one for who is not, and how often that is said."""

    admitted: str
    refused: str
    every_s: int


def answer_to_a_wish(control_id: str, event: Command, clerk: Clerk) -> str:
    """What to say to a person who is not let in and may have sent a code; empty when they were told just now."""
    refused = "not_admitted" if clerk.access.takes_codes else "not_on_list"
    return _answer(_Words("paired", refused, TELL_PERSON_EVERY_S), control_id, event, clerk)


def answer_in_a_group(control_id: str, event: Command, clerk: Clerk) -> str:
    """The same in a group; everybody in it is told together."""
    return _answer(_Words("group_paired", "group_not_admitted", TELL_GROUP_EVERY_S), control_id, event, clerk)


def _answer(words: _Words, control_id: str, event: Command, clerk: Clerk) -> str:
    outcome = clerk.access.redeem(event.argument, event.conversation_id)
    if clerk.access.admits(event.conversation_id):
        return phrase(words.admitted, event.language)
    if outcome == "wrong":  # to be told at once; there are few tries
        return phrase("code_refused", event.language)
    name = "codes_over" if outcome == "too many" else words.refused
    return _seldom(name, words.every_s, control_id, event, clerk)


def answer_to_an_order(control_id: str, event: Command, clerk: Clerk) -> str:
    """Carry out an administrator's order about who is let in, and what to say; the same to nobody else."""
    if event.user_id not in clerk.access.admins:
        return _seldom("only_admins_let_in", TELL_GROUP_EVERY_S, control_id, event, clerk)
    verb, _, who = event.argument.partition(" ")
    return ORDERS[verb](who, event, clerk)


def shut_out(who: str, interrupts: Interrupts, store: redis.Redis) -> None:
    """End the answer that is being written there: it is begun anew, and refused. The next question is refused aloud."""
    with store_errors():
        store.delete(*(f"refused:{who}:{name}" for name in _REFUSALS))
    interrupts.changed(who, ANY)


def _invite(_: str, event: Command, clerk: Clerk) -> str:
    if clerk.access.is_open:
        return phrase("everybody_is_in", event.language)
    if not clerk.access.takes_codes:
        return phrase("no_codes", event.language)
    return phrase("invitation", event.language, code=clerk.access.invite())


def _allowed(_: str, event: Command, clerk: Clerk) -> str:
    if clerk.access.is_open:
        return phrase("everybody_is_in", event.language)
    who = clerk.access.admitted()
    if not who:
        return phrase("nobody_is_in", event.language)
    lines = [phrase("admitted", event.language, count=len(who)), *_named(who[:MOST_LISTED], clerk)]
    more = [phrase("admitted_more", event.language, count=len(who) - MOST_LISTED)] if len(who) > MOST_LISTED else []
    return "\n".join([*lines, *more])


def _allow(who: str, event: Command, clerk: Clerk) -> str:
    if not who:
        return phrase("which_to_allow", event.language)
    clerk.access.allow(who)
    return phrase("group_paired" if _is_here(who, event) else "allowed", event.language, who=who)


def _revoke(who: str, event: Command, clerk: Clerk) -> str:
    if not who:
        return phrase("which_to_revoke", event.language)
    clerk.access.revoke(who)
    if clerk.access.admits(who):
        return phrase("stays_in", event.language, who=who)
    shut_out(who, clerk.interrupts, clerk.store)
    return phrase("group_revoked" if _is_here(who, event) else "revoked", event.language, who=who)


ORDERS: dict[str, Callable[[str, Command, Clerk], str]] = {
    "invite": _invite,
    "allowed": _allowed,
    "allow": _allow,
    "revoke": _revoke,
}


def _is_here(who: str, event: Command) -> bool:
    """Whether the order was given in the group that it is about."""
    return who == event.conversation_id != event.user_id


def _named(ids: Sequence[str], clerk: Clerk) -> list[str]:
    """Each with what its platform calls it, as long as there is time to ask."""
    until, lines = time.monotonic() + NAMES_WITHIN_S, []
    for who in ids:
        sender = clerk.senders.get(who.partition(":")[0])
        has_time = time.monotonic() < until
        name = sender.name_of(who) if has_time and isinstance(sender, KnowsNames) else ""
        lines.append(f"{who} {name}".strip())
    return lines


def _seldom(name: str, every_s: int, control_id: str, event: Command, clerk: Clerk) -> str:
    """The phrase, unless it was said there just now; the same event gets it again after a crash."""
    is_time = is_time_for(f"refused:{event.conversation_id}:{name}", every_s, control_id, clerk.store)
    return phrase(name, event.language, who=event.conversation_id) if is_time else ""
