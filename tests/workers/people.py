"""What people, and the platforms between us and them, do in a history: on the store and on the model alike."""

from __future__ import annotations

import time
from collections import Counter

import redis

from bot.inbox import Accepted, Inbox
from bot.messages import Control, Deletion, Edit
from bot.store import script
from tests.workers.desk import make_clerk, order
from tests.workers.expected_path import ExpectedPath
from tests.workers.making import NoHints
from tests.workers.said import Said
from workers.acting import act


class People:
    """They write, and think again; a control event is carried out whole, as one step."""

    def __init__(self, store: redis.Redis, expected: ExpectedPath, said: Said, per_minute: int) -> None:
        self._store = store
        self._expected = expected
        self._said = said
        self._per_minute = per_minute
        self._within_the_minute: Counter[str] = Counter()
        self._inbox = Inbox(store, NoHints(), person_messages_per_minute=per_minute)
        self._clerk = make_clerk(store)
        self._edit = script(store, "workers", "edit")
        self._orders = 0

    def write(self, conversation: str, person: str, sent_at: float) -> None:
        said = self._said.message(conversation, person, sent_at)
        assert self._inbox.accept(said, f"{said.id} as first delivered") is Accepted.NEW
        assert self._store.exists(f"seen:{said.id} as first delivered", f"seen:{said.id}") == 2
        self._within_the_minute[person] += 1
        over_limit = 0 < self._per_minute < self._within_the_minute[person]
        self._expected.conversations[conversation].accept(said, time.time(), over_limit=over_limit)

    def let_a_minute_go_by(self) -> None:
        for person in self._within_the_minute:
            self._store.delete(f"rate:{person}")
        self._within_the_minute.clear()

    def deliver_again(self, message_id: str, *, under_another_id: bool) -> None:
        delivery = f"{message_id} under another id" if under_another_id else f"{message_id} as first delivered"
        assert self._inbox.accept(self._said.messages[message_id], delivery) is Accepted.KNOWN
        assert self._store.exists(f"seen:{delivery}", f"seen:{message_id}") == 2

    def edit(self, message_id: str) -> None:
        said, words = self._said.messages[message_id], self._said.new_words(message_id)
        c, conversation = said.conversation_id, self._expected.conversations[said.conversation_id]
        self._act(Edit("console", c, said.user_id, message_id, words, said.sent_at))
        conversation.reword(message_id, words)
        if message_id not in conversation.waiting:  # the clerk may have seen it waiting just before
            keys = [f"messages:{c}", f"batch:{c}", f"letters:{c}", f"over:{c}"]
            assert self._edit(keys=keys, args=[message_id, said.to_json()]) == 0

    def delete(self, message_id: str) -> None:
        said = self._said.messages[message_id]
        self._act(Deletion("console", said.conversation_id, said.user_id, message_id, said.sent_at))
        self._is_gone({message_id})

    def forget(self, person: str, conversation: str) -> None:
        self._act(order("forget", user=person, conversation=conversation))
        assert not self._store.exists(f"spoke:{person}")
        self._is_gone(self._said.by(person))

    def reset(self, conversation: str) -> None:
        self._act(order("reset", conversation=conversation))
        self._expected.conversations[conversation].reset()

    def _act(self, event: Control) -> None:
        self._orders += 1
        act(f"order {self._orders}", event, self._clerk)

    def _is_gone(self, gone: set[str]) -> None:
        remembered = gone & self._expected.remembered()
        assert not remembered or not self._store.exists(*(f"about:{message_id}" for message_id in remembered))
        self._said.erased |= gone
        self._expected.erase(gone)
        assert not self._said.left_in(self._store, gone)
