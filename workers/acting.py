"""Acting on control events: orders, edits, deletions. What must not wait behind an answer, in the clerk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from bot.capabilities import Keeps, Outcome, Suggests, Whispers
from bot.errors import DeliveryDeferred
from bot.home import OPENED
from bot.journal import UnlockedJournal
from bot.messages import Action, Command, Control, Deletion, Edit
from bot.offers import HAND_OFF, SHARE, WHY
from bot.platform import Target
from bot.store import store_errors, text
from bot.votes import REASON, VOTE
from workers.administering import administer
from workers.admitting import answer_in_a_group, answer_to_a_wish
from workers.asking_about import ask_about, asked_of
from workers.editing import edit
from workers.erasure import rewrite_soon
from workers.explaining import explain
from workers.files.going import file_gone
from workers.files.keys import readers_of
from workers.gaps.gap import told_as
from workers.handing_off import hand_off
from workers.home import ACTIONS as HOME_ACTIONS
from workers.home import show_home
from workers.interrupts import ANY
from workers.leaving import leave
from workers.outcomes import erase_outcomes
from workers.phrases import SUGGESTIONS, phrase
from workers.services import Clerk
from workers.sharing import share
from workers.speaking import chosen, in_their_language
from workers.votes.voting import give_reason, vote
from workers.welcoming import greeting, what_can_be_read, what_it_can_do, what_to_ask

JOURNAL_LIFE_S = 24 * 3600


def act(control_id: str, event: Control, clerk: Clerk) -> None:
    """Carry out one event. Its effects bear repetition: after a crash it comes again.

    Raises:
        StoreUnavailable, DeliveryError: it is to be tried again.
    """
    event = in_their_language(event, clerk) if isinstance(event, Command) else event
    match event:
        case Edit():
            edit(event, clerk)
        case Deletion():
            delete(control_id, event, clerk)
        case Command() if event.name in ORDERS:
            ORDERS[event.name](control_id, event, clerk)
        case Action() if event.name in ACTIONS:
            ACTIONS[event.name](control_id, event, clerk)
        case Command() | Action():  # of a newer front door: nothing that this version can do
            return


def delete(control_id: str, event: Deletion, clerk: Clerk) -> None:
    """A message is gone, with the answer to it, from everything that we keep."""
    conversation, sender = event.conversation_id, clerk.senders[event.platform]
    ours = _was_taken_in(event.message_id, clerk.store)
    answered_with_it = clerk.conversations.load(conversation).answered_with(event.message_id)
    theirs = [*answered_with_it, *map(told_as, answered_with_it)]
    with put_off() as deferred:
        sender.erase(conversation, message_ids=theirs)  # first: after a crash no turn would tell these ids
    readers = readers_of(conversation, event.message_id, clerk.store)
    clerk.conversations.erase(conversation, message_ids=[event.message_id])
    clerk.interrupts.changed(conversation, event.message_id)
    for reader in readers:  # what is being answered there may quote a file that came with it
        clerk.interrupts.changed(reader, ANY)
    voted_on = erase_outcomes(clerk.store, message_ids=[event.message_id])
    if ours or voted_on:  # Slack tells of every deletion in a channel; most were of no concern to us
        rewrite_soon(clerk.store, control_id)
    sender.erase(conversation, message_ids=[event.message_id, told_as(event.message_id)])
    if deferred:
        raise deferred[0]


@contextmanager
def put_off() -> Iterator[list[DeliveryDeferred]]:
    """A platform that is out of reach holds up nothing of ours: what it raised, to be raised when that is done."""
    deferred: list[DeliveryDeferred] = []
    try:
        yield deferred
    except DeliveryDeferred as error:
        deferred.append(error)


def stop(control_id: str, event: Command, clerk: Clerk) -> None:
    """End the running answer, and what this person asked before saying the word."""
    with store_errors():
        something = clerk.store.exists(f"inbox:{event.conversation_id}")
    if something:
        clerk.interrupts.stop(event.conversation_id, event.user_id, event.sent_at)
        clerk.hints.answer(event.conversation_id)
    elif not event.argument:  # who presses a button sees that the answer is there
        say("nothing_to_stop", control_id, event, clerk)


def reset(control_id: str, event: Command, clerk: Clerk) -> None:
    """Begin the conversation anew; what waits in it is shown with the confirmation, or not any more."""
    clerk.conversations.reset(event.conversation_id)
    say("reset", control_id, event, clerk)
    sender = clerk.senders[event.platform]
    if isinstance(sender, Keeps):  # nothing would tell from which documents it was made
        sender.drop(event.conversation_id, but_for=control_id)


def forget(control_id: str, event: Command, clerk: Clerk) -> None:
    """Erase everything that the person said, everywhere, and the answers to it; then say so."""
    erase_person(control_id, event, clerk)
    say("forgotten", control_id, event, clerk)


def unfollow(control_id: str, event: Command, clerk: Clerk) -> None:
    """The person has left: erase, and say nothing."""
    erase_person(control_id, event, clerk)


def language(control_id: str, event: Command, clerk: Clerk) -> None:
    """Speak the language that the person chose from now on, where there are no words of theirs to go by."""
    say("language_chosen", control_id, chosen(event, clerk), clerk)


def full(control_id: str, event: Command, clerk: Clerk) -> None:
    """Say that there was no room for what the person wrote."""
    say("full", control_id, event, clerk)


def suggest(control_id: str, event: Command, clerk: Clerk) -> None:
    """Suggest to who opens a conversation what to ask."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, Suggests):
        wished = clerk.policy.of(frozenset({event.user_id})).suggested_prompts
        sender.suggest(event.reply_to, {spoken: wished or SUGGESTIONS[spoken] for spoken in SUGGESTIONS})


def not_allowed(control_id: str, event: Command, clerk: Clerk) -> None:
    """Tell who may not use the desk there that they may not, for their eyes only where that is possible."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, Whispers):
        sender.whisper(event.reply_to, phrase("not_allowed", event.language))
    else:
        say("not_allowed", control_id, event, clerk)


def collect(control_id: str, event: Command, clerk: Clerk) -> None:
    """Hand out what was kept for the person's next token, or have that wait for what is still to come."""
    if clerk.collector is not None:
        wanted = _outcome(event.conversation_id, event.argument, clerk)
        clerk.collector.collect(event.reply_to, event.conversation_id, event.language, asked_for=wanted)


def telling(words: Callable[[str, Command, Clerk], str]) -> Callable[[str, Command, Clerk], None]:
    """The order that carries out what `words` does, and tells who gave it the words that it returns, if any."""
    return lambda control_id, event, clerk: tell(words(control_id, event, clerk), control_id, event, clerk)


ORDERS: dict[str, Callable[[str, Command, Clerk], None]] = {
    "stop": stop,
    "reset": reset,
    "forget": forget,
    "unfollow": unfollow,
    "pair": telling(answer_to_a_wish),
    "pair_group": telling(answer_in_a_group),
    "help": telling(what_it_can_do),
    "ask": telling(what_to_ask),
    "joined": telling(greeting),
    "cannot_read": telling(what_can_be_read),
    "language": language,
    "full": full,
    "collect": collect,
    "leave": leave,
    "file_gone": file_gone,
    OPENED: show_home,
    "suggest": suggest,
    "not_allowed": not_allowed,
    "admin": administer,
}


ACTIONS: dict[str, Callable[[str, Action, Clerk], None]] = {
    VOTE: vote,
    **HOME_ACTIONS,
    REASON: give_reason,
    WHY: explain,
    HAND_OFF: hand_off,
    SHARE: share,
    "ask_about": ask_about,
}


def say(name: str, control_id: str, event: Command, clerk: Clerk) -> None:
    """Confirm an order where it was given."""
    tell(phrase(name, event.language), control_id, event, clerk)


def tell(words: str, control_id: str, event: Command, clerk: Clerk) -> None:
    """Say the words, if there are any, where an order was given."""
    if not words:
        return
    target = Target(control_id, event.conversation_id, event.language, event.reply_to)
    journal = UnlockedJournal(clerk.store, f"journal:{control_id}", JOURNAL_LIFE_S)
    clerk.senders[event.platform].confirm(target, words, journal)


def erase_person(control_id: str, event: Command, clerk: Clerk) -> None:
    """Erase what a person said everywhere, also when others asked about it: turns, what waits or is kept, letters."""
    asked = asked_of(event.user_id, clerk.store)
    with store_errors():
        spoken_in = {text(c) for c in clerk.store.smembers(f"spoke:{event.user_id}")}
    spoken_in |= {event.conversation_id, *asked.values()}
    for message_id, conversation in asked.items():
        clerk.conversations.erase(conversation, message_ids=[message_id])
    for conversation in spoken_in:
        clerk.conversations.erase(conversation, speaker=event.user_id)
        clerk.interrupts.changed(conversation, ANY)
    erase_outcomes(clerk.store, person=event.user_id, message_ids=list(asked))
    rewrite_soon(clerk.store, control_id)
    for conversation in spoken_in:  # last: a platform that is out of reach holds up nothing of ours
        clerk.senders[event.platform].erase(conversation, user_id=event.user_id)
    for message_id, conversation in asked.items():
        clerk.senders[event.platform].erase(conversation, message_ids=[message_id, told_as(message_id)])
    with store_errors():
        clerk.store.delete(f"spoke:{event.user_id}", f"asked_of:{event.user_id}")
    rewrite_soon(clerk.store, control_id)


def _outcome(conversation_id: str, message_id: str, clerk: Clerk) -> Outcome:
    """What became of a question."""
    with store_errors():
        waits = clerk.store.hexists(f"messages:{conversation_id}", message_id)
    if waits:
        return "coming"
    return "shown" if clerk.conversations.load(conversation_id).answered_with(message_id) else "gone"


def _was_taken_in(message_id: str, store: redis.Redis) -> bool:
    with store_errors():
        taken_in = store.get(f"seen:{message_id}") not in (None, "gone")
        return taken_in or bool(store.exists(f"about:{message_id}"))
