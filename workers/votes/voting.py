"""Voting: what the clerk does when somebody presses a button under an answer."""

from __future__ import annotations

import logging

import redis

from bot.capabilities import AsksReason, ShowsVotes, ThanksVoters, Whispers
from bot.journal import UnlockedJournal
from bot.messages import Action
from bot.platform import Target
from bot.votes import Ballot, Reason
from bot.words import language
from workers.answer_cache import AnswerCache
from workers.finishing import wait_until_finished
from workers.gaps.gap import Gap
from workers.gaps.gaps import Gaps
from workers.phrases import phrase
from workers.services import Clerk
from workers.votes.votes import Press, Vote, Votes

log = logging.getLogger(__name__)

JOURNAL_LIFE_S = 24 * 3600


def vote(control_id: str, event: Action, clerk: Clerk) -> None:
    """Keep the vote and show that it counts; tell who pressed where it cannot be counted.

    That is the same for an answer that is erased or forgotten, one without sources, one of another conversation, and
    one that never was: nobody learns from it which of these it is.
    """
    press = _pressed(event, clerk.store)
    if press is None:
        _tell(phrase("vote_not_counted", event.language), control_id, event, clerk)
    else:
        _count(press.stands, event, clerk)
        _show(press, event, clerk)
    log.info("voted", extra={"platform": event.platform, "vote": press.stands.value if press else "not counted"})


def give_reason(_: str, event: Action, clerk: Clerk) -> None:
    """Keep why a person found an answer unhelpful; dropped where there is no such vote of theirs any more."""
    reason = Reason.read(event.value)
    kept = reason is not None and Votes(clerk.store).explain(reason, event.user_id)
    log.info("reason given", extra={"platform": event.platform, "kept": kept})


def _count(given: Vote, event: Action, clerk: Clerk) -> None:
    """What follows from a vote that stands."""
    if given.value == "down":
        _ask_reason(given, event, clerk)  # first: a dialog can be opened for a few seconds only
        AnswerCache(clerk.store).disown(given.answered)  # also where it was told to others
    if given.voter == given.asked.speaker:
        _note_gap(given, event, clerk)


def _show(press: Press, event: Action, clerk: Clerk) -> None:
    """Let who pressed see that it counts, once."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, ShowsVotes):
        sender.show_vote(event.conversation_id, press.stands.answer_id, press.stands.value)
    elif isinstance(sender, ThanksVoters) and press.news:
        words = phrase("vote_counted" if press.news == "given" else "vote_changed", event.language)
        sender.thank(event.reply_to, event.conversation_id, words)


def _ask_reason(given: Vote, event: Action, clerk: Clerk) -> None:
    """Ask in a dialog what was wrong, where there are such; the vote counts without an answer, too."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, AsksReason):
        sender.ask_reason(Target(given.answer_id, event.conversation_id, event.language, event.reply_to))


def _tell(words: str, control_id: str, event: Action, clerk: Clerk) -> None:
    """Tell who pressed, alone where that can be."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, Whispers):
        sender.whisper(event.reply_to, words)
        return
    if isinstance(sender, ThanksVoters):
        sender.thank(event.reply_to, event.conversation_id, words)
        return
    journal = UnlockedJournal(clerk.store, f"journal:{control_id}", JOURNAL_LIFE_S)
    sender.confirm(Target(control_id, event.conversation_id, event.language, event.reply_to), words, journal)


def _note_gap(given: Vote, event: Action, clerk: Clerk) -> None:
    """What its asker finds unhelpful is a gap in the documents, until the asker thinks better of it."""
    gap = Gap(
        message_ids=given.asked.message_ids,
        texts=given.asked.texts,
        platform=event.platform,
        conversation_id=event.conversation_id,
        user_id=event.user_id,
        reply_to=event.reply_to,
        audience=tuple(sorted(clerk.senders[event.platform].audience(event.reply_to))),
        language=language(given.asked.text),
        at=given.at,
        why="vote",
    )
    if given.value == "down":
        Gaps(clerk.store).note(gap)
    else:
        Gaps(clerk.store).drop([gap])


def _pressed(event: Action, store: redis.Redis) -> Press | None:
    ballot, votes = Ballot.read(event.value), Votes(store)
    exchange = votes.exchange(ballot.message_id, event.conversation_id) if ballot else None
    if ballot is None:
        return None
    if exchange is None:
        wait_until_finished(event.conversation_id, ballot.message_id, store)
        return None
    return votes.give(ballot, event.user_id, event.sent_at, exchange)
