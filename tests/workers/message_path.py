"""The message path twice: the real one on a real store, and the model of it, taking every step together.

Each step here is one atomic step of the service (or one control event, carried out whole). It fails
when the two differ.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from bot.errors import LockLost
from bot.inbox import Accepted, Inbox
from bot.messages import Control, Deletion, Edit
from bot.store import script
from tests.stored import everything_in
from tests.workers.desk import LIFE_S, make_clerk, order
from tests.workers.expected_path import ExpectedConversation, ExpectedLane
from tests.workers.making import NoHints
from tests.workers.said import Said, answer_to, turns_of
from tests.workers.stored_path import (
    conversation_of,
    conversations_in,
    lanes_in,
    letters_in,
    letters_of,
    ready_in,
)
from workers.acting import act
from workers.batches import Batch, Batches
from workers.dead_letters import DeadLetters

AGAIN_AFTER_S = 100.0
LATER_S = 1000.0
"""Times are far apart, so that a slow machine is not mistaken for a late step."""
FOR_EVER = {"fence", "dead", "letters", "letter", "rewrite"}
FOR_A_TIME = {"seen", "about", "turns", "epoch", "spoke", "interrupt", "stream", "rate", "answering", "held_up"}


class MessagePath:
    """What people, platforms, workers and the clerk do, one step at a time."""

    def __init__(self, store: redis.Redis, conversations: tuple[str, ...], per_minute: int) -> None:
        store.flushall()
        self._store = store
        self._inbox = Inbox(store, NoHints(), person_messages_per_minute=per_minute)
        self._processes = [Batches(store, LIFE_S), Batches(store, LIFE_S)]
        self._clerk = make_clerk(store)
        self._due = script(store, "workers", "due")
        self._succeed = script(store, "workers", "succeed")
        self._per_minute = per_minute
        self._within_the_minute: Counter[str] = Counter()
        self.expected = {c: ExpectedConversation() for c in conversations}
        self.lanes: defaultdict[str, ExpectedLane] = defaultdict(ExpectedLane)
        self.said = Said()
        self.taken: dict[str, Batch] = {}
        self._letters = DeadLetters(store)
        self._orders = 0

    def workers(self) -> list[str]:
        """The tokens of all that ever took a batch, since any may wake up; mostly those that hold one."""
        at_work = [token for token, batch in self.taken.items() if self._expected(batch).holds(token)]
        return [*at_work * 3 * len(self.taken), *self.taken]

    def locked(self) -> list[str]:
        """The conversations that somebody holds, alive or not."""
        return [name for name, conversation in self.expected.items() if conversation.lock]

    def free(self) -> list[str]:
        """The conversations that nobody holds."""
        return [name for name, conversation in self.expected.items() if not conversation.lock]

    def touchable(self) -> list[str]:
        """Every message, and those again that matter most: what is being answered, what waits."""
        begun = [message_id for c in self.expected.values() if c.begun for message_id in c.begun.ids]
        return [*begun, *(message_id for c in self.expected.values() for message_id in c.waiting), *self.said.messages]

    # People and platforms

    def write(self, conversation: str, person: str, sent_at: float) -> None:
        said = self.said.message(conversation, person, sent_at)
        assert self._inbox.accept(said, f"{said.id} as first delivered") is Accepted.NEW
        assert self._store.exists(f"seen:{said.id} as first delivered", f"seen:{said.id}") == 2
        self._within_the_minute[person] += 1
        over_limit = 0 < self._per_minute < self._within_the_minute[person]
        self.expected[conversation].accept(said, time.time(), over_limit=over_limit)

    def let_a_minute_go_by(self) -> None:
        for person in self._within_the_minute:
            self._store.delete(f"rate:{person}")
        self._within_the_minute.clear()

    def deliver_again(self, message_id: str, *, under_another_id: bool) -> None:
        delivery = f"{message_id} under another id" if under_another_id else f"{message_id} as first delivered"
        assert self._inbox.accept(self.said.messages[message_id], delivery) is Accepted.KNOWN
        assert self._store.exists(f"seen:{delivery}", f"seen:{message_id}") == 2

    def edit(self, message_id: str) -> None:
        said, words = self.said.messages[message_id], self.said.new_words(message_id)
        self._act(Edit("console", said.conversation_id, said.user_id, message_id, words, said.sent_at))
        self.expected[said.conversation_id].reword(message_id, words)

    def delete(self, message_id: str) -> None:
        said = self.said.messages[message_id]
        self._act(Deletion("console", said.conversation_id, said.user_id, message_id, said.sent_at))
        self._erase({message_id})

    def forget(self, person: str, conversation: str) -> None:
        self._act(order("forget", user=person, conversation=conversation))
        assert not self._store.exists(f"spoke:{person}")
        self._erase(self.said.by(person))

    def reset(self, conversation: str) -> None:
        self._act(order("reset", conversation=conversation))
        self.expected[conversation].reset()

    # Workers

    def take(self, conversation: str, *, looks: bool = False) -> Batch | None:
        expected, ids = self.expected[conversation], self._to_be_taken(conversation, looks)
        process = self._processes[len(self.taken) % 2]
        batch = process.take(conversation, only_to_look=looks)
        assert (batch.ids if batch else []) == ids
        if batch:
            assert fence(batch.token) > max(map(fence, self.taken), default=0)
            assert self._store.pttl(f"lock:{conversation}") > 0
            expected.take(ids, batch.token, looks=looks)
            self.taken[batch.token] = batch
            assert (batch.attempt, batch.over_limit) == (expected.attempts, batch.lane.startswith("over:"))
            assert expected.begun
            assert (batch.lane, batch.epoch) == (expected.begun.lane, expected.begun.epoch)
            assert batch.journal.read() == expected.begun.journal
            assert batch.messages == tuple(expected.waiting[message_id] for message_id in ids)
        return batch

    def _to_be_taken(self, conversation: str, looks: bool) -> list[str]:
        """What a worker who comes now must get."""
        expected = self.expected[conversation]
        ids = expected.next_ids()
        if not ids:
            expected.due = expected.due if expected.lock else None
            return []
        if looks or self.lanes[expected.lane(ids[0])].admits(conversation, set(self.locked())):
            return ids
        expected.due = time.time() + LATER_S
        return []

    def note(self, batch: Batch, **facts: Any) -> None:
        if self._expected(batch).note(batch.token, facts):
            batch.journal.write(**facts)
        else:
            with self._refused():
                batch.journal.write(**facts)

    def ask(self, batch: Batch) -> None:
        """Ask whether it may send."""
        if self._expected(batch).holds(batch.token):
            batch.journal.check()
        else:
            with self._refused():
                batch.journal.check()

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
        self._leave_the_lane(batch.conversation_id)
        expected.finish(batch.ids, now)
        self.said.answered.update(batch.ids)
        assert waiting == len(expected.waiting)

    def hand_back(self, batch: Batch, *, after_s: float, forgive: bool) -> None:
        self._processes[0].hand_back(batch, after_s=after_s, forgive=forgive)
        if self._expected(batch).hand_back(batch.token, time.time() + after_s, forgive=forgive):
            self._leave_the_lane(batch.conversation_id)

    def call_in_next(self, batch: Batch) -> str | None:
        """The conversation whose turn it is when this batch has ended."""
        held_up = self.lanes[batch.lane].held_up
        called = self._processes[0].next_held_up(batch)
        assert called == (held_up.pop(0) if held_up else None)
        return called

    def lock_runs_out(self, conversation: str) -> list[str]:
        """Its worker was killed, or hangs; if it wakes up it will find out."""
        self._store.delete(f"lock:{conversation}")
        self.expected[conversation].lock = None
        return [conversation]

    def succeed(self, conversation: str) -> list[str]:
        """The process that held it is dead; what the one in its place has freed."""
        owner = str(self.expected[conversation].lock).partition(":")[2]
        freed = [str(name) for name in self._succeed(keys=["ready"], args=[owner, time.time()])]
        held = [name for name in self.locked() if str(self.expected[name].lock).endswith(f":{owner}")]
        assert set(freed) == {name for name in held if self.expected[name].due is not None}
        for name in freed:
            self.expected[name].lock, self.expected[name].due = None, time.time()
        return freed

    # The clerk

    def sweep(self, now: float, *, unread: bool) -> list[str]:
        """The conversations that the clerk would hint at."""
        since = now - AGAIN_AFTER_S if unread else now
        found = [str(c) for c in self._due(keys=["ready"], args=[now, now + AGAIN_AFTER_S, 500, since])]
        hinted = {name for name, c in self.expected.items() if c.sweep(now, now + AGAIN_AFTER_S, since)}
        assert set(found) == hinted
        return found

    def drain(self) -> None:
        """One honest worker that hears no hint answers the rest: nobody else is alive, and it has only the sweep."""
        for _ in range(len(self.said.messages) + 2):
            for name in self.locked():
                self.lock_runs_out(name)
            for name in self.sweep(time.time() + 2 * LATER_S, unread=False):
                if batch := self.take(name):
                    self.finish(batch)

    # The operator

    def letters(self) -> list[str]:
        """The dead letters that are not asked again."""
        return [name for c in self.expected.values() for name, letter in c.letters.items() if letter.messages]

    def retry(self, letter_id: str) -> None:
        """The operator has a dead letter asked again, which breaks no promise: it is to be answered once more."""
        conversation = self.said.messages[letter_id].conversation_id
        letter = self.expected[conversation].letters.get(letter_id)
        if letter is None or letter.messages is None:
            assert self._letters.retry(letter_id, time.time()) is None
            return
        assert self._letters.retry(letter_id, time.time()) is not None
        self.said.answered.subtract(letter.messages.keys())
        self.expected[conversation].ask_again(letter_id, time.time())

    def drop(self, letter_id: str) -> None:
        letters = self.expected[self.said.messages[letter_id].conversation_id].letters
        is_dead = letter_id in letters and letters[letter_id].messages is not None
        assert (self._letters.drop(letter_id) is not None) == is_dead
        if is_dead:
            del letters[letter_id]

    # What must hold

    def check(self) -> None:
        """The store holds what the model holds; who has something to answer is ready, or no sweep would find it."""
        found = conversations_in(self._store, self.expected)
        assert found == {name: conversation_of(conversation) for name, conversation in self.expected.items()}
        assert lanes_in(self._store, self.lanes) == self.lanes
        assert letters_in(self._store, self.expected) == letters_of(self.expected.values())
        due = {name: conversation.due for name, conversation in self.expected.items() if conversation.due is not None}
        assert ready_in(self._store) == pytest.approx(due, abs=AGAIN_AFTER_S / 3, rel=0)
        assert due.keys() >= {name for name, conversation in self.expected.items() if conversation.waiting}
        assert not self.said.twice()

    def check_the_end(self) -> None:
        """All is answered, and the store holds what it is to remember, and that for a time."""
        self.check()
        assert not self.said.lost()
        lives = {key: self._store.ttl(key) for key in map(str, self._store.scan_iter())}
        assert {key.partition(":")[0] for key, life in lives.items() if life < 0} <= FOR_EVER
        assert {key.partition(":")[0] for key, life in lives.items() if life > 0} <= FOR_A_TIME

    def _expected(self, batch: Batch) -> ExpectedConversation:
        return self.expected[batch.conversation_id]

    def _leave_the_lane(self, conversation: str) -> None:
        begun = self.expected[conversation].begun
        if begun and begun.lane:
            self.lanes[begun.lane].answering.discard(conversation)

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """What a worker does whose lock or batch is no longer its own: it is told so, and nothing at all changes."""
        before = everything_in(self._store)
        with pytest.raises(LockLost):
            yield
        assert everything_in(self._store) == before

    def _act(self, event: Control) -> None:
        self._orders += 1
        act(f"order {self._orders}", event, self._clerk)

    def _erase(self, gone: set[str]) -> None:
        self.said.erased |= gone
        for name, conversation in self.expected.items():
            if conversation.begun and gone.intersection(conversation.begun.ids, conversation.waiting):
                self._leave_the_lane(name)
            conversation.erase(gone)
        assert not self.said.left_in(self._store, gone)


def fence(token: str) -> int:
    """A fencing token's number."""
    return int(token.partition(":")[0])
