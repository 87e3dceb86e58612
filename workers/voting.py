"""Voting: what the clerk does when somebody presses a button under an answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.journal import UnlockedJournal
from bot.messages import Action
from bot.platform import ShowsVotes, Target
from bot.votes import Ballot
from workers.phrases import phrase
from workers.votes import Vote, Votes

if TYPE_CHECKING:
    from workers.acting import Clerk

log = logging.getLogger(__name__)

JOURNAL_LIFE_S = 24 * 3600


def vote(control_id: str, event: Action, clerk: Clerk) -> None:
    """Keep the vote and show that it counts; tell who pressed where it cannot be counted.

    That is the same for an answer that is erased or forgotten, one without sources, one of another conversation, and
    one that never was: nobody learns from it which of these it is.
    """
    given = _given(event, Votes(clerk.store))
    sender = clerk.senders[event.platform]
    if given is None:
        target = Target(control_id, event.conversation_id, event.language, event.reply_to)
        journal = UnlockedJournal(clerk.store, f"journal:{control_id}", JOURNAL_LIFE_S)
        sender.confirm(target, phrase("vote_not_counted", event.language), journal)
    elif isinstance(sender, ShowsVotes):
        sender.show_vote(event.conversation_id, given.answer_id, given.value)
    log.info("voted", extra={"platform": event.platform, "vote": given.value if given else "not counted"})


def _given(event: Action, votes: Votes) -> Vote | None:
    ballot = Ballot.read(event.value)
    exchange = votes.exchange(ballot.message_id, event.conversation_id) if ballot else None
    if ballot is None or exchange is None:
        return None
    return votes.give(ballot, event.user_id, event.sent_at, exchange)
