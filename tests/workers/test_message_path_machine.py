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

import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.workers.message_path import AGAIN_AFTER_S, LATER_S, MessagePath, answer_to

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
PEOPLE = ("console:u1", "console:u2", "console:u3")
CONVERSATIONS = ("console:c1", "console:c2")

people = st.sampled_from(PEOPLE)
conversations = st.sampled_from(CONVERSATIONS)
messages = st.runner().flatmap(lambda machine: st.sampled_from([*machine.path.messages]))
workers = st.runner().flatmap(lambda machine: st.sampled_from([*machine.path.at_work() * 4, *machine.path.taken]))
"""Tokens. Every worker that ever took a batch may still act; who holds one does so more often."""

after_messages = precondition(lambda machine: machine.path.messages)
after_a_batch = precondition(lambda machine: machine.path.taken)


class Histories(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self, store: redis.Redis) -> None:
        super().__init__()
        self.path = MessagePath(store, CONVERSATIONS)

    @rule(conversation=conversations, person=people, second=st.integers(0, 4), count=st.sampled_from([1, 1, 1, 2, 22]))
    def somebody_writes(self, conversation: str, person: str, second: int, count: int) -> None:
        """Seconds are few: there are ties, and messages that arrive later than younger ones."""
        for _ in range(count):
            self.path.write(conversation, person, sent_at=1.7e9 + second)

    @after_messages
    @rule(message=messages, under_another_id=st.booleans())
    def a_platform_delivers_again(self, message: str, under_another_id: bool) -> None:
        self.path.deliver_again(message, under_another_id=under_another_id)

    @after_messages
    @rule(message=messages)
    def somebody_edits(self, message: str) -> None:
        self.path.edit(message)

    @after_messages
    @rule(message=messages)
    def somebody_deletes(self, message: str) -> None:
        self.path.delete(message)

    @rule(person=people, conversation=conversations)
    def somebody_is_forgotten(self, person: str, conversation: str) -> None:
        self.path.forget(person, conversation)

    @rule(conversation=conversations)
    def somebody_resets(self, conversation: str) -> None:
        self.path.reset(conversation)

    @rule(conversation=conversations)
    def a_worker_comes(self, conversation: str) -> None:
        self.path.take(conversation)

    @after_a_batch
    @rule(worker=workers)
    def a_worker_writes_its_answer_down(self, worker: str) -> None:
        batch = self.path.taken[worker]
        self.path.note(batch, answer=answer_to(batch))

    @after_a_batch
    @rule(worker=workers)
    def a_worker_begins_to_send(self, worker: str) -> None:
        self.path.note(self.path.taken[worker], on_its_way=True)

    @after_a_batch
    @rule(worker=workers)
    def a_worker_asks_whether_it_may_send(self, worker: str) -> None:
        self.path.check(self.path.taken[worker])

    @after_a_batch
    @rule(worker=workers, dead=st.sampled_from(["", "", "gave up"]), cut=st.integers(0, 1))
    def a_worker_finishes(self, worker: str, dead: str, cut: int) -> None:
        self.path.finish(self.path.taken[worker], dead=dead, cut=cut)

    @after_a_batch
    @rule(worker=workers, after_s=st.sampled_from([0.0, LATER_S]), forgive=st.booleans())
    def a_worker_hands_back(self, worker: str, after_s: float, forgive: bool) -> None:
        self.path.hand_back(self.path.taken[worker], after_s=after_s, forgive=forgive)

    @rule(conversation=conversations)
    def a_workers_lock_runs_out(self, conversation: str) -> None:
        self.path.lock_runs_out(conversation)

    @rule(ahead_s=st.sampled_from([0.0, AGAIN_AFTER_S + 50, LATER_S + 50]), unread=st.booleans())
    def the_clerk_sweeps(self, ahead_s: float, unread: bool) -> None:
        self.path.sweep(time.time() + ahead_s, unread=unread)

    @invariant()
    def the_store_holds_what_it_should(self) -> None:
        self.path.check_conversations()
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


def test_nothing_is_lost_nothing_twice_always_in_order(store: redis.Redis) -> None:
    store.config_set("appendfsync", "no")  # what reaches the disk is not the question here
    run_state_machine_as_test(lambda: Histories(store), settings=HISTORIES)  # type: ignore[arg-type]
