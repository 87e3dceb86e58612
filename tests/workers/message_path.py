"""The message path twice: the real one on a real store, and the model of it, taking every step together.

Each step here is one atomic step of the service (or one control event, carried out whole). It fails
when the two differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from bot.errors import LockLost
from bot.store import script
from tests.stored import everything_in
from tests.workers.desk import LIFE_S
from tests.workers.expected_conversation import ExpectedConversation
from tests.workers.expected_path import LATER_S, ExpectedPath
from tests.workers.people import People
from tests.workers.said import Said, answer_to, turns_of
from tests.workers.stored_path import (
    conversation_of,
    conversations_in,
    lanes_in,
    letters_in,
    letters_of,
    ready_in,
)
from workers.batch import Batch
from workers.batches import Batches
from workers.dead_letters import DeadLetters

AGAIN_AFTER_S = 100.0
FOR_EVER = {"fence", "dead", "letters", "letter", "rewrite", "erased"}
FOR_A_TIME = {
    *(
        "seen",
        "about",
        "turns",
        "epoch",
        "spoke",
        "interrupt",
        "stream",
        "rate",
        "answering",
        "held_up",
        "read",
        "edited",
    )
}


class MessagePath:
    """What people, platforms, workers and the clerk do, one step at a time."""

    def __init__(self, store: redis.Redis, conversations: tuple[str, ...], per_minute: int) -> None:
        store.flushall()
        self.expected = ExpectedPath(conversations)
        self.said = Said()
        self.people = People(store, self.expected, self.said, per_minute)
        self.taken: dict[str, Batch] = {}
        self._store = store
        self._processes = [Batches(store, LIFE_S), Batches(store, LIFE_S)]
        self._due = script(store, "workers", "due")
        self._succeed = script(store, "workers", "succeed")
        self._letters = DeadLetters(store)

    def workers(self) -> list[str]:
        """The tokens of all that ever took a batch, since any may wake up; mostly those that have a lock or a batch."""
        begun = {c.begun.token for c in self.expected.conversations.values() if c.begun}
        at_work = [token for token, batch in self.taken.items() if token in {*begun, self._expected(batch).lock}]
        return [*at_work * 3 * len(self.taken), *self.taken]

    # Workers

    def take(self, name: str, *, looks: bool = False) -> Batch | None:
        conversation, ids = self.expected.conversations[name], self.expected.to_be_taken(name, looks=looks)
        batch = self._processes[len(self.taken) % 2].take(name, only_to_look=looks)
        assert (batch.ids if batch else []) == ids
        if batch:
            assert fence(batch.token) > max(map(fence, self.taken), default=0)
            assert self._store.pttl(f"lock:{name}") > 0
            self.taken[batch.token] = batch
            begun = conversation.take(ids, batch.token, looks=looks)
            assert (batch.attempt, batch.lane, batch.epoch) == (conversation.attempts, begun.lane, begun.epoch)
            assert batch.over_limit == batch.lane.startswith("over:")
            assert batch.messages == tuple(conversation.waiting[message_id] for message_id in ids)
        return batch

    def note(self, batch: Batch, **facts: Any) -> None:
        if self._expected(batch).note(batch.token, facts):
            batch.journal.write(**facts)
        else:
            with self._refused():
                batch.journal.write(**facts)

    def ask(self, batch: Batch) -> bool:
        """Whether it may send."""
        may_send = self._expected(batch).holds(batch.token)
        if may_send:
            batch.journal.check()
        else:
            with self._refused():
                batch.journal.check()
        return may_send

    def finish(self, batch: Batch, *, dead: str = "", apologised: bool = False, cut: int = 0) -> None:
        expected, now = self._expected(batch), time.time()
        turns = [] if dead or batch.over_limit else turns_of(batch)
        whole = expected.is_whole(batch.ids)
        if expected.lock != batch.token or (dead and not whole):
            with self._refused():
                self._processes[0].finish(batch, turns, dead=dead, apologised=apologised, cut=2 * cut)
            return
        waiting = self._processes[0].finish(batch, turns, dead=dead, apologised=apologised, cut=2 * cut)
        if dead:
            expected.bury(batch.ids, apologised=apologised)
        elif whole and turns and str(expected.epoch) == batch.epoch:
            expected.remember(batch.ids, answer_to(batch), cut=cut)
        self.expected.leave_the_lane(batch.conversation_id)
        expected.finish(batch.ids, now)
        self.said.answered.update(batch.ids)
        assert waiting == len(expected.waiting)

    def hand_back(self, batch: Batch, *, after_s: float, forgive: bool) -> None:
        self._processes[0].hand_back(batch, after_s=after_s, forgive=forgive)
        if self._expected(batch).hand_back(batch.token, time.time() + after_s, forgive=forgive):
            self.expected.leave_the_lane(batch.conversation_id)

    def call_in_next(self, batch: Batch) -> str | None:
        """The conversation whose turn it is when this batch has ended."""
        held_up = self.expected.lanes[batch.lane].held_up
        called = self._processes[0].next_held_up(batch)
        assert called == (held_up.pop(0) if held_up else None)
        return called

    def lock_runs_out(self, conversation: str) -> list[str]:
        """Its worker was killed, or hangs; if it wakes up it will find out."""
        self._store.delete(f"lock:{conversation}")
        self.expected.conversations[conversation].lock = None
        return [conversation]

    def succeed(self, conversation: str) -> list[str]:
        """The process that held it is dead; what the one in its place has freed."""
        owner, now = str(self.expected.conversations[conversation].lock).partition(":")[2], time.time()
        freed = [str(name) for name in self._succeed(keys=["ready"], args=[owner, now])]
        assert set(freed) == self.expected.succeed(owner, now)
        return freed

    # The clerk

    def sweep(self, now: float, *, unread: bool) -> list[str]:
        """The conversations that the clerk would hint at."""
        since = now - AGAIN_AFTER_S if unread else now
        found = [str(c) for c in self._due(keys=["ready"], args=[now, now + AGAIN_AFTER_S, 500, since])]
        assert set(found) == self.expected.sweep(now, now + AGAIN_AFTER_S, since)
        return found

    def drain(self) -> None:
        """One honest worker that hears no hint answers the rest: nobody else is alive, and it has only the sweep."""
        for _ in range(len(self.said.messages) + 2):
            for name in self.expected.locked():
                self.lock_runs_out(name)
            for name in self.sweep(time.time() + 2 * LATER_S, unread=False):
                if batch := self.take(name):
                    self.finish(batch)

    # The operator

    def retry(self, letter_id: str) -> None:
        """The operator has a dead letter asked again, which breaks no promise: it is to be answered once more."""
        conversation = self.said.messages[letter_id].conversation_id
        letter = self.expected.conversations[conversation].letters.get(letter_id)
        if letter is None or letter.messages is None:
            assert self._letters.retry(letter_id, time.time()) is None
            return
        assert self._letters.retry(letter_id, time.time()) is not None
        self.said.answered.subtract(letter.messages.keys())
        self.expected.conversations[conversation].ask_again(letter_id, time.time())

    def drop(self, letter_id: str) -> None:
        letters = self.expected.conversations[self.said.messages[letter_id].conversation_id].letters
        is_dead = letter_id in letters and letters[letter_id].messages is not None
        assert (self._letters.drop(letter_id) is not None) == is_dead
        if is_dead:
            del letters[letter_id]

    # What must hold

    def check(self) -> None:
        """The store holds what the model holds; who has something to answer is ready, or no sweep would find it."""
        conversations, lanes = self.expected.conversations, self.expected.lanes
        assert conversations_in(self._store, conversations) == {n: conversation_of(c) for n, c in conversations.items()}
        assert letters_in(self._store, conversations) == letters_of(conversations.values())
        assert lanes_in(self._store, lanes) == lanes
        due = {name: conversation.due for name, conversation in conversations.items() if conversation.due is not None}
        assert ready_in(self._store) == pytest.approx(due, abs=AGAIN_AFTER_S / 3, rel=0)
        assert due.keys() >= {name for name, conversation in conversations.items() if conversation.waiting}
        assert not self.said.twice()

    def check_the_end(self) -> None:
        """All is answered, and the store holds what it is to remember, and that for a time."""
        self.check()
        assert not self.said.lost()
        lives = {key: self._store.ttl(key) for key in map(str, self._store.scan_iter())}
        assert {key.partition(":")[0] for key, life in lives.items() if life < 0} <= FOR_EVER
        assert {key.partition(":")[0] for key, life in lives.items() if life > 0} <= FOR_A_TIME
        assert {key for key in lives if key.startswith("letter:")} == {f"letter:{n}" for n in self.expected.letters()}

    def _expected(self, batch: Batch) -> ExpectedConversation:
        return self.expected.conversations[batch.conversation_id]

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """What a worker does whose lock or batch is no longer its own: it is told so, and nothing at all changes."""
        before = everything_in(self._store)
        with pytest.raises(LockLost):
            yield
        assert everything_in(self._store) == before


def fence(token: str) -> int:
    """A fencing token's number."""
    return int(token.partition(":")[0])
