"""The message path twice: the real one on a real store, and the model of it, taking every step together.

Each step here is one atomic step of the service (or one control event, carried out whole). It fails
when the two differ.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from bot.errors import LockLost
from bot.inbox import Accepted, Inbox
from bot.messages import Control, Deletion, Edit, Message
from bot.store import script
from tests.stored import everything_in
from tests.workers.desk import LIFE_S, make_clerk, order
from tests.workers.expected_path import ExpectedConversation, ExpectedLane, facts_in
from tests.workers.making import NoHints
from workers.acting import act
from workers.batches import Batch, Batches
from workers.conversation import Turn

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
        self.messages: dict[str, Message] = {}
        self.taken: dict[str, Batch] = {}
        self._words: dict[str, list[str]] = {}
        self._answered: Counter[str] = Counter()
        self._erased: set[str] = set()
        self._dead: dict[str, list[str]] = {}
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
        return [*begun, *(message_id for c in self.expected.values() for message_id in c.waiting), *self.messages]

    # People and platforms

    def write(self, conversation: str, person: str, sent_at: float) -> None:
        name = f"console:m{len(self.messages) * 7919 % 1000}"  # unlike the order of arrival, as a platform's ids may be
        said = Message(name, "console", conversation, person, self._new_words(name), sent_at, {})
        self.messages[name] = said
        assert self._inbox.accept(said, f"{name} as first delivered") is Accepted.NEW
        assert self._store.exists(f"seen:{name} as first delivered", f"seen:{name}") == 2
        self._within_the_minute[person] += 1
        over_limit = 0 < self._per_minute < self._within_the_minute[person]
        self.expected[conversation].accept(said, time.time(), over_limit=over_limit)

    def let_a_minute_go_by(self) -> None:
        for person in self._within_the_minute:
            self._store.delete(f"rate:{person}")
        self._within_the_minute.clear()

    def deliver_again(self, message_id: str, *, under_another_id: bool) -> None:
        delivery = f"{message_id} under another id" if under_another_id else f"{message_id} as first delivered"
        assert self._inbox.accept(self.messages[message_id], delivery) is Accepted.KNOWN
        assert self._store.exists(f"seen:{delivery}", f"seen:{message_id}") == 2

    def edit(self, message_id: str) -> None:
        said, words = self.messages[message_id], self._new_words(message_id)
        self._act(Edit("console", said.conversation_id, said.user_id, message_id, words, said.sent_at))
        self.expected[said.conversation_id].reword(message_id, words)

    def delete(self, message_id: str) -> None:
        said = self.messages[message_id]
        self._act(Deletion("console", said.conversation_id, said.user_id, message_id, said.sent_at))
        self._erase({message_id})

    def forget(self, person: str, conversation: str) -> None:
        self._act(order("forget", user=person, conversation=conversation))
        assert not self._store.exists(f"spoke:{person}")
        self._erase({message.id for message in self.messages.values() if message.user_id == person})

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

    def check(self, batch: Batch) -> None:
        if self._expected(batch).holds(batch.token):
            batch.journal.check()
        else:
            with self._refused():
                batch.journal.check()

    def finish(self, batch: Batch, *, dead: str = "", cut: int = 0) -> None:
        expected = self._expected(batch)
        if expected.lock != batch.token or (dead and self._erased.intersection(batch.ids)):
            with self._refused():
                self._processes[0].finish(batch, turns_of(batch), dead=dead, cut=2 * cut)
            return
        remembered = [] if dead or batch.over_limit else turns_of(batch)
        waiting = self._processes[0].finish(batch, remembered, dead=dead, cut=2 * cut)
        whole = not self._erased.intersection(batch.ids)
        if whole and dead:
            self._dead[batch.newest.id] = batch.ids
        elif whole and remembered and str(expected.epoch) == batch.epoch:
            expected.remember(batch.ids, answer_to(batch), cut=cut)
        self._leave_the_lane(batch.conversation_id)
        expected.finish(batch.ids, time.time())
        self._answered.update(batch.ids)
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
        for _ in range(len(self.messages) + 2):
            for name in self.locked():
                self.lock_runs_out(name)
            for name in self.sweep(time.time() + 2 * LATER_S, unread=False):
                if batch := self.take(name):
                    self.finish(batch)

    # What must hold

    def check_conversations(self) -> None:
        found = facts_in(self._store, [*self.expected])
        assert found == {name: conversation.facts() for name, conversation in self.expected.items()}

    def check_lanes(self) -> None:
        with self._store.pipeline() as look:
            for lane in self.lanes:
                look.smembers(f"answering:{lane}")
                look.zrange(f"held_up:{lane}", 0, -1)
            found = look.execute()
        assert found == [part for lane in self.lanes.values() for part in (lane.answering, lane.held_up)]

    def check_ready(self) -> None:
        """Who has something to answer is there, or no sweep would find it."""
        found: Any = self._store.zrange("ready", 0, -1, withscores=True)
        ready: dict[str, float] = dict(found)
        due = {name: conversation.due for name, conversation in self.expected.items() if conversation.due is not None}
        assert ready == pytest.approx(due, abs=AGAIN_AFTER_S / 3, rel=0)
        assert ready.keys() >= {name for name, conversation in self.expected.items() if conversation.waiting}

    def check_dead_letters(self) -> None:
        letters = {name: json.loads(letter)["messages"] for name, letter in self._store.hgetall("dead").items()}
        assert {name: [message["id"] for message in said] for name, said in letters.items()} == self._dead

    def check_nothing_twice(self) -> None:
        assert not [message_id for message_id, times in self._answered.items() if times > 1]

    def check_nothing_lost(self) -> None:
        assert self.messages.keys() - self._erased - self._answered.keys() == set()

    def check_nothing_left(self) -> None:
        """When all is answered the store holds what it is to remember, and that for a time."""
        lives = {key: self._store.ttl(key) for key in map(str, self._store.scan_iter())}
        assert {key.partition(":")[0] for key, life in lives.items() if life < 0} <= FOR_EVER
        assert {key.partition(":")[0] for key, life in lives.items() if life > 0} <= FOR_A_TIME

    def _expected(self, batch: Batch) -> ExpectedConversation:
        return self.expected[batch.conversation_id]

    def _leave_the_lane(self, conversation: str) -> None:
        if begun := self.expected[conversation].begun:
            self.lanes[begun.lane].answering.discard(conversation)

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """What a worker does whose lock or batch is no longer its own: it is told so, and nothing at all changes."""
        before = everything_in(self._store)
        with pytest.raises(LockLost):
            yield
        assert everything_in(self._store) == before

    def _new_words(self, message_id: str) -> str:
        said = self._words.setdefault(message_id, [])
        said.append(f"<{message_id} in words {len(said)}>")
        return said[-1]

    def _act(self, event: Control) -> None:
        self._orders += 1
        act(f"order {self._orders}", event, self._clerk)

    def _erase(self, gone: set[str]) -> None:
        self._erased |= gone
        for name, conversation in self.expected.items():
            if conversation.begun and gone.intersection(conversation.begun.ids):
                self._leave_the_lane(name)
            conversation.erase(gone)
        self._dead = {name: ids for name, ids in self._dead.items() if not gone.intersection(ids)}
        left = everything_in(self._store)
        assert not [words for message_id in gone for words in self._words[message_id] if words in left]


def answer_to(batch: Batch) -> str:
    """An answer that repeats all it was asked, so that what is left of erased words can be found."""
    return f"You said: {batch.text}"


def turns_of(batch: Batch) -> list[Turn]:
    """What is to be remembered of a batch."""
    asked = Turn("user", tuple(m.text for m in batch.messages), batch.newest.user_id, tuple(batch.ids))
    return [asked, Turn("assistant", (answer_to(batch),), "assistant", tuple(batch.ids))]


def fence(token: str) -> int:
    """A fencing token's number."""
    return int(token.partition(":")[0])
