"""Nothing lost, nothing twice, always in order: random histories of the message path on a real store.

People write, platforms deliver again, workers take, die, wake up too late and hand back, messages are edited and
erased, hints get lost. After every step the store must hold what a model in plain Python holds
(`expected_path.py`), and in the end one honest worker that has nothing but the sweep finds and answers the rest.

The histories are the same in every run. For others, and more: `MESSAGE_PATH_EXAMPLES=2000 pytest` with this file.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.workers.message_path import AGAIN_AFTER_S, LATER_S, MessagePath, answer_to
from workers.batches import MOST_MESSAGES

EXAMPLES = int(os.environ.get("MESSAGE_PATH_EXAMPLES", "0"))
HISTORIES = settings(
    max_examples=EXAMPLES or 120,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
PEOPLE = ("console:u1", "console:u2")
CONVERSATIONS = ("console:c1", "console:c2", "console:c3")

HANDED_BACK: dict[str, Any] = {
    "fails": {"after_s": 0.0, "forgive": False},
    "is put off": {"after_s": LATER_S, "forgive": True},
}

people = st.sampled_from([*PEOPLE[:1] * 3, *PEOPLE])
conversations = st.runner().flatmap(lambda machine: st.sampled_from([*machine.path.free() * 2, *CONVERSATIONS]))
counts = st.sampled_from([*[1] * 8, *[2] * 3, MOST_MESSAGES + 2])
occasions = st.sampled_from(
    ["the same delivery", "another delivery", *["edit"] * 4, *["deletion"] * 2, "/forget", *["/reset"] * 2]
)
endings = st.sampled_from([*["answers"] * 4, "gives up", *HANDED_BACK])
messages = st.runner().flatmap(lambda machine: st.sampled_from(machine.path.touchable()))
workers = st.runner().flatmap(lambda machine: st.sampled_from(machine.path.workers()))
held = st.runner().flatmap(lambda machine: st.sampled_from(machine.path.locked()))

after_messages = precondition(lambda machine: machine.path.messages)
after_a_batch = precondition(lambda machine: machine.path.taken)
while_locked = precondition(lambda machine: machine.path.locked())


class Histories(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self, store: redis.Redis) -> None:
        super().__init__()
        self.store = store

    @initialize(per_minute=st.sampled_from([0, 0, 2]))
    def the_service_begins(self, per_minute: int) -> None:
        self.path = MessagePath(self.store, CONVERSATIONS, per_minute)

    @rule(
        conversation=conversations,
        person=people,
        second=st.integers(0, 4),
        count=counts,
        minute_later=st.booleans(),
        hinted=st.booleans(),
    )
    def somebody_writes(
        self, conversation: str, person: str, second: int, count: int, minute_later: bool, hinted: bool
    ) -> None:
        """Seconds are few: there are ties, and messages that arrive later than younger ones."""
        if minute_later:
            self.path.let_a_minute_go_by()
        for _ in range(count):
            self.path.write(conversation, person, sent_at=1.7e9 + second)
        self.hint(conversation, hinted)

    @after_messages
    @rule(message=messages, what=occasions, hinted=st.booleans())
    def a_message_is_spoken_of_again(self, message: str, what: str, hinted: bool) -> None:
        said = self.path.messages[message]
        match what:
            case "the same delivery" | "another delivery":
                self.path.deliver_again(message, under_another_id=what == "another delivery")
            case "edit":
                self.path.edit(message)
            case "deletion":
                self.path.delete(message)
            case "/forget":
                self.path.forget(said.user_id, said.conversation_id)
            case "/reset":
                self.path.reset(said.conversation_id)
        self.hint(said.conversation_id, hinted)

    @after_a_batch
    @rule(worker=workers, step=st.sampled_from(["checks", "writes the answer down", "begins to send"]))
    def a_worker_goes_on(self, worker: str, step: str) -> None:
        batch = self.path.taken[worker]
        match step:
            case "checks":
                self.path.check(batch)
            case "writes the answer down":
                self.path.note(batch, answer=answer_to(batch))
            case "begins to send":
                self.path.note(batch, on_its_way=True)

    @after_a_batch
    @rule(worker=workers, how=endings, cut=st.integers(0, 1), hinted=st.booleans())
    def a_worker_ends(self, worker: str, how: str, cut: int, hinted: bool) -> None:
        batch = self.path.taken[worker]
        match how:
            case "answers":
                self.path.finish(batch, cut=cut)
            case "gives up":
                self.path.finish(batch, dead="gave up")
            case _:
                self.path.hand_back(batch, **HANDED_BACK[how])
        self.hint(batch.conversation_id, hinted)
        self.hint(self.path.call_in_next(batch), hinted)

    @while_locked
    @rule(conversation=held, succeeded=st.booleans(), hinted=st.booleans())
    def a_worker_is_killed(self, conversation: str, succeeded: bool, hinted: bool) -> None:
        """Its lock runs out, or its process has a successor that frees all that it held."""
        freed = self.path.succeed(conversation) if succeeded else self.path.lock_runs_out(conversation)
        for name in freed:
            self.hint(name, hinted)

    @after_messages
    @rule(ahead_s=st.sampled_from([0.0, AGAIN_AFTER_S + 50, LATER_S + 50]), unread=st.booleans(), heard=st.booleans())
    def the_clerk_sweeps(self, ahead_s: float, unread: bool, heard: bool) -> None:
        for conversation in self.path.sweep(time.time() + ahead_s, unread=unread):
            self.hint(conversation, heard)

    @after_messages
    @rule(conversation=conversations, dies=st.booleans())
    def the_clerk_looks(self, conversation: str, dies: bool) -> None:
        """It takes what waits only to see to its due time."""
        batch = self.path.take(conversation, looks=True)
        if batch and not dies:
            self.path.hand_back(batch, after_s=0, forgive=False)

    def hint(self, conversation: str | None, heard: bool) -> None:
        """A hint gets lost, or a worker comes."""
        if conversation and heard:
            self.path.take(conversation)

    @invariant()
    def the_store_holds_what_it_should(self) -> None:
        self.path.check_conversations()
        self.path.check_lanes()
        self.path.check_ready()
        self.path.check_dead_letters()
        self.path.check_nothing_twice()

    def teardown(self) -> None:
        if sys.exc_info()[0]:  # the history has failed: that is to be told, and not how it would have ended
            return
        self.path.drain()
        self.the_store_holds_what_it_should()
        self.path.check_nothing_lost()
        self.path.check_nothing_left()


def test_nothing_is_lost_nothing_twice_always_in_order(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    store.config_set("appendfsync", "no")  # what reaches the disk is not the question here
    for pause in ("LOCK_LIFE_S", "HELD_UP_PAUSE_S"):  # no time is so short that a busy machine lets it pass
        monkeypatch.setattr(f"workers.batches.{pause}", LATER_S)
    run_state_machine_as_test(lambda: Histories(store), settings=HISTORIES)  # type: ignore[arg-type]
