"""Votes: who found which answer helpful, with the question and the answer as they were, until either is to be gone."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import redis

from bot.messages import VERSION, UnreadableRecord
from bot.store import script, store_errors, text
from bot.votes import Ballot, Reason
from workers.conversation import Turn
from workers.erasure import rewrite_soon

log = logging.getLogger(__name__)

LIFE_S = 180 * 24 * 3600
"""Of a vote. An operator who exports, or takes over golden questions, does so more often."""
MOST = 2_000
"""Beyond it the oldest goes. An erasure looks through all of them, which takes a tenth of a second."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on one answer; a later one of the same person takes its place.

    Args:
        voter: who pressed, as `slack:U1`.
        may_train: the voter agreed that the pair may be used for training (`bot.votes.Ballot`).
        at: when it was pressed, seconds since the epoch.
        asked: the question's turn with the passages that the model saw.
        answered: the answer's turn as delivered, with the passages that it cites.
        chunk_ids: what the model had read in this conversation until then; the answer may have words of each.
        reason: what the voter says was wrong, in at most MAX_REASON_CHARS; empty where nothing was said.
        conversation_id: where that was said; empty in what an earlier version wrote.
    """

    voter: str
    value: Literal["up", "down"]
    may_train: bool
    at: float
    asked: Turn
    answered: Turn
    chunk_ids: tuple[str, ...]
    reason: str = ""
    conversation_id: str = ""

    @property
    def answer_id(self) -> str:
        """Names the answer: the newest message that it covers."""
        return self.answered.message_ids[-1]

    @property
    def lends(self) -> bool:
        """Whether question and answer may be used for training: only who asked can agree to that."""
        return self.may_train and self.value == "up" and self.voter == self.asked.speaker

    def concerns(self, person: str, message_ids: Collection[str]) -> bool:
        """Whether the person gave it or asked what it is about, or it is about one of the messages."""
        return person in (self.voter, self.asked.speaker) or not set(message_ids).isdisjoint(self.asked.message_ids)

    def to_json(self) -> str:
        """The vote as one line of JSON."""
        turns = {"asked": self.asked.to_json(), "answered": self.answered.to_json()}
        given = {"voter": self.voter, "value": self.value, "may_train": self.may_train, "at": self.at}
        given |= {"reason": self.reason} if self.reason else {}
        given |= {"conversation_id": self.conversation_id} if self.conversation_id else {}
        return json.dumps({"v": VERSION, **given, **turns, "chunk_ids": self.chunk_ids}, ensure_ascii=False)

    @classmethod
    def from_json(cls, stored: str) -> Vote:
        """The vote that `to_json` wrote.

        Raises:
            UnreadableRecord: a newer version wrote it, or it is damaged.
        """
        try:
            facts = json.loads(stored)
            if facts["v"] > VERSION:
                raise UnreadableRecord(f"not a Vote of version {VERSION} or older")
            asked, answered = Turn.from_json(facts["asked"]), Turn.from_json(facts["answered"])
            given = (facts["voter"], facts["value"], facts["may_train"], facts["at"])
            said = (asked, answered, tuple(facts["chunk_ids"]), facts.get("reason", ""))
            return cls(*given, *said, facts.get("conversation_id", ""))
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableRecord(f"unreadable Vote: {error}") from error


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as a conversation has them, and as the store spells them."""

    conversation_id: str
    asked: Turn
    answered: Turn
    chunk_ids: tuple[str, ...]
    spelt: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Press:
    """What came of a press on a button.

    Args:
        stands: the person's vote on that answer.
        news: what it changed; nothing where it says what they have said before, or comes later than another one.
    """

    stands: Vote
    news: Literal["given", "changed", ""]


class Votes:
    """The votes in the store. Every method raises StoreUnavailable when it does not answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._vote = script(store, "workers", "vote")

    def exchange(self, message_id: str, conversation_id: str) -> Exchange | None:
        """What can be voted on: the answer with sources that covers the message, as long as it is remembered.

        None also for a message of another conversation: who presses there has not seen it.
        """
        with store_errors():
            lines = [text(line) for line in self._store.lrange(f"turns:{conversation_id}", 0, -1)]
        turns = [Turn.from_json(line) for line in lines]
        for at, (asked, answered) in enumerate(pairwise(turns)):
            if answered.role == "assistant" and message_id in answered.message_ids and answered.passages:
                read = dict.fromkeys(quoted.chunk_id for turn in turns[: at + 2] for quoted in turn.passages)
                return Exchange(conversation_id, asked, answered, tuple(read), (lines[at], lines[at + 1]))
        return None

    def give(self, ballot: Ballot, voter: str, at: float, exchange: Exchange) -> Press | None:
        """Keep a person's vote, in the place of an earlier one on the same answer; what came of it.

        None: the exchange was erased, edited or left behind since it was read.
        """
        asked = replace(exchange.asked, recalled=())  # of other messages, which may be erased by themselves
        said = (asked, exchange.answered, exchange.chunk_ids)
        given = (voter, ballot.value, ballot.may_train, at)
        vote = Vote(*given, *said, conversation_id=exchange.conversation_id)
        with store_errors():
            votes = self._vote(
                keys=[f"turns:{exchange.conversation_id}", "votes", "votes:since", "votes:new"],
                args=[*exchange.spelt, f"{vote.answer_id} {voter}", vote.to_json(), at, MOST],
            )
        if not votes:
            return None
        stands, before = votes
        return Press(Vote.from_json(text(stands)), _news(vote, _readable(text(before)) if before else None))

    def explain(self, reason: Reason, voter: str) -> bool:
        """Keep why a person found an answer unhelpful with their vote; whether there is such a vote still."""
        name = f"{reason.message_id} {voter}"

        def add(pipeline: redis.client.Pipeline) -> None:
            stored = pipeline.hget("votes", name)
            vote = _readable(text(stored)) if stored is not None else None
            pipeline.multi()
            if vote is not None and vote.value == "down":
                pipeline.hset("votes", name, replace(vote, reason=reason.words).to_json())

        with store_errors():
            return bool(self._store.transaction(add, "votes"))

    def all(self) -> list[Vote]:
        """Every vote, the oldest first; what a newer version wrote is left out."""
        return sorted((vote for _, vote in self._stored() if vote), key=lambda vote: vote.at)

    def erase(self, *, person: str = "", message_ids: Sequence[str] = ()) -> int:
        """Erase what the person gave, and what is about the person's questions or these messages; how many went.

        What cannot be read might be theirs, and goes too.
        """
        going = [name for name, vote in self._stored() if vote is None or vote.concerns(person, message_ids)]
        return self._drop(going)

    def refresh(self, known: Callable[[Collection[str]], Collection[str]], *, only_new: bool) -> None:
        """Drop the votes on answers that were made with what the documents do not say any more.

        Args:
            known: those of some chunks' ids that are in the newest index.
            only_new: look at the votes that nobody has looked at.
        """
        looked_at = list(self._stored(only_new=only_new))
        if not looked_at:
            return
        there = frozenset(known({chunk for _, vote in looked_at if vote for chunk in vote.chunk_ids}))
        if self._drop([name for name, vote in looked_at if vote is None or not there.issuperset(vote.chunk_ids)]):
            rewrite_soon(self._store, "votes")
        with store_errors():
            self._store.srem("votes:new", *(name for name, _ in looked_at))

    def drop_oldest(self, before: float) -> int:
        """Drop what was given before a time; how many went."""
        with store_errors():
            oldest: list[Any] = self._store.zrange("votes:since", "-inf", before, byscore=True)
        return self._drop([text(name) for name in oldest])

    def _stored(self, *, only_new: bool = False) -> Iterator[tuple[str, Vote | None]]:
        """The name of every vote, or of the new ones, and what it says; None for one that cannot be read."""
        with store_errors():
            names = list(map(text, self._store.smembers("votes:new") if only_new else self._store.hkeys("votes")))
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            with store_errors():
                stored = self._store.hmget("votes", some)
            yield from ((name, _readable(text(one))) for name, one in zip(some, stored, strict=True) if one is not None)

    def _drop(self, names: Sequence[str]) -> int:
        if not names:
            return 0
        with store_errors(), self._store.pipeline() as step:
            step.hdel("votes", *names)
            step.zrem("votes:since", *names)
            step.srem("votes:new", *names)
            gone: int = step.execute()[0]
        log.info("votes dropped", extra={"votes": gone})
        return gone


def _news(vote: Vote, before: Vote | None) -> Literal["given", "changed", ""]:
    """What the vote changes; the same press, carried out again after a crash, has its news once more."""
    if before is None or before.at == vote.at:
        return "given"
    said_before = (before.value, before.may_train) == (vote.value, vote.may_train)
    return "" if before.at > vote.at or said_before else "changed"


def _readable(stored: str) -> Vote | None:
    try:
        return Vote.from_json(stored)
    except UnreadableRecord:
        return None
