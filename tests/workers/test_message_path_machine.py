"""Nothing lost, nothing twice, always in order: random histories of the message path on a real store.

People write, platforms deliver again, workers take, die, wake up too late and hand back, messages are edited and
erased, hints get lost. After every step the store must hold what a model in plain Python holds (`expected_path.py`,
`expected_conversation.py`), and in the end one honest worker that has nothing but the sweep answers the rest.

The histories are the same in every run. For others, and more: `MESSAGE_PATH_EXAMPLES=2000 pytest` with this file.
"""

from __future__ import annotations

import os
import sys
import time

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

from tests.workers.expected_path import LATER_S
from tests.workers.message_path import AGAIN_AFTER_S, MessagePath
from tests.workers.said import answer_to
from workers.batch import Batch
from workers.batches import MOST_MESSAGES

EXAMPLES = int(os.environ.get("MESSAGE_PATH_EXAMPLES", "0"))
HISTORIES = settings(
    max_examples=EXAMPLES or 150,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
PEOPLE = ("console:u1", "console:u2")
CONVERSATIONS = ("console:c1", "console:c2", "console:c3", "console:c4")
"""Two of them one person may have answered at once, and two may wait for that."""

people = st.sampled_from([*PEOPLE[:1] * 3, *PEOPLE])
conversations = st.runner().flatmap(
    lambda machine: st.sampled_from([*machine.path.expected.free() * 2, *CONVERSATIONS])
)
counts = st.sampled_from([*[1] * 7, *[2] * 5, MOST_MESSAGES + 2])
occasions = st.sampled_from(
    ["the same delivery", "another delivery", *["edit"] * 4, *["deletion"] * 2, *["/forget", "/reset"] * 2]
)
steps = st.sampled_from(
    [
        *("asks whether it may send", "asks whether it may send", "writes the answer down", "begins to send"),
        *["has answered"] * 4,
        *("has apologised", "has apologised", "gives up", "gives up", "fails", "is put off"),
        *("sees an edit", "sees a deletion", "sees a reset"),
    ]
)
ways = st.lists(steps, min_size=1, max_size=4)
Hint = list[str] | None
only_takes: st.SearchStrategy[Hint] = st.just([])
hints = st.one_of(st.none(), only_takes, only_takes, ways)
"""What a worker does that hears a hint. None: nobody does."""
messages = st.runner().flatmap(
    lambda machine: st.sampled_from([*machine.path.expected.touchable(), *machine.path.said.messages])
)
workers = st.runner().flatmap(lambda machine: st.sampled_from(machine.path.workers()))
letters = st.runner().flatmap(
    lambda machine: st.sampled_from([*machine.path.expected.letters() * 2, *machine.path.said.messages])
)
held = st.runner().flatmap(lambda machine: st.sampled_from(machine.path.expected.locked()))

after_messages = precondition(lambda machine: machine.path.said.messages)
after_a_batch = precondition(lambda machine: machine.path.taken)
after_a_letter = precondition(lambda machine: machine.path.expected.letters())
while_locked = precondition(lambda machine: machine.path.expected.locked())


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
        hint=hints,
    )
    def somebody_writes(
        self, conversation: str, person: str, second: int, count: int, minute_later: bool, hint: Hint
    ) -> None:
        """Seconds are few: there are ties, and messages that arrive later than younger ones."""
        if minute_later:
            self.path.people.let_a_minute_go_by()
        for _ in range(count):
            self.path.people.write(conversation, person, sent_at=1.7e9 + second)
        self.come(conversation, hint)

    @after_messages
    @rule(message=messages, what=occasions, hint=hints)
    def a_message_is_spoken_of_again(self, message: str, what: str, hint: Hint) -> None:
        said = self.path.said.messages[message]
        match what:
            case "the same delivery" | "another delivery":
                self.path.people.deliver_again(message, under_another_id=what == "another delivery")
            case "edit":
                self.path.people.edit(message)
            case "deletion":
                self.path.people.delete(message)
            case "/forget":
                self.path.people.forget(said.user_id, said.conversation_id)
            case "/reset":
                self.path.people.reset(said.conversation_id)
        self.come(said.conversation_id, hint)

    @after_a_batch
    @rule(worker=workers, way=ways, cut=st.integers(0, 1), hint=hints)
    def a_worker_goes_on(self, worker: str, way: list[str], cut: int, hint: Hint) -> None:
        """Also beyond the end of its batch, and after it has lost it: whatever it does then is refused."""
        batch = self.path.taken[worker]
        for step in way:
            self.step(batch, step, cut)
        self.come(batch.conversation_id, hint)
        self.come(self.path.call_in_next(batch), hint)

    def step(self, batch: Batch, step: str, cut: int) -> None:
        match step:
            case "asks whether it may send":
                if not self.path.ask(batch):  # what workers.serving does then
                    self.path.hand_back(batch, after_s=0.0, forgive=False)
            case "writes the answer down":
                self.path.note(batch, answer=answer_to(batch))
            case "begins to send":
                self.path.note(batch, answer=answer_to(batch))
                self.path.note(batch, on_its_way=True)
            case "has answered":
                self.path.finish(batch, cut=cut)
            case "has apologised":
                self.path.note(batch, apology=True)
                self.path.finish(batch, dead="gave up", apologised=True)
            case "gives up":
                self.path.finish(batch, dead="gave up")
            case "fails":
                self.path.hand_back(batch, after_s=0.0, forgive=False)
            case "is put off":
                self.path.hand_back(batch, after_s=LATER_S, forgive=True)
            case "sees an edit":
                self.path.people.edit(batch.newest.id)
            case "sees a deletion":
                self.path.people.delete(batch.ids[0])
            case "sees a reset":
                self.path.people.reset(batch.conversation_id)

    @after_a_letter
    @rule(letter=letters, what=st.sampled_from(["retry", "retry", "retry, then edit", "drop"]), hint=hints)
    def the_operator_sees_a_dead_letter(self, letter: str, what: str, hint: Hint) -> None:
        if what == "drop":
            self.path.drop(letter)
            return
        self.path.retry(letter)
        self.path.retry(letter)  # once more does no harm
        if what == "retry, then edit":
            self.path.people.edit(letter)
        self.come(self.path.said.messages[letter].conversation_id, hint)

    @while_locked
    @rule(conversation=held, succeeded=st.booleans(), hint=hints)
    def a_worker_is_killed(self, conversation: str, succeeded: bool, hint: Hint) -> None:
        """Its lock runs out, or its process has a successor that frees all that it held."""
        freed = self.path.succeed(conversation) if succeeded else self.path.lock_runs_out(conversation)
        for name in freed:
            self.come(name, hint)

    @after_messages
    @rule(ahead_s=st.sampled_from([0.0, AGAIN_AFTER_S + 50, LATER_S + 50]), unread=st.booleans(), hint=hints)
    def the_clerk_sweeps(self, ahead_s: float, unread: bool, hint: Hint) -> None:
        for conversation in self.path.sweep(time.time() + ahead_s, unread=unread):
            self.come(conversation, hint)

    @after_messages
    @rule(conversation=conversations, dies=st.booleans())
    def the_clerk_looks(self, conversation: str, dies: bool) -> None:
        """It takes what waits only to see to its due time."""
        batch = self.path.take(conversation, looks=True)
        if batch and not dies:
            self.path.hand_back(batch, after_s=0, forgive=False)

    def come(self, conversation: str | None, hint: Hint) -> None:
        """A worker comes and goes some steps, or the hint is lost."""
        if conversation and hint is not None and (batch := self.path.take(conversation)):
            for step in hint:
                self.step(batch, step, cut=0)

    @invariant()
    def the_store_holds_what_it_should(self) -> None:
        self.path.check()

    def teardown(self) -> None:
        if sys.exc_info()[0]:  # the history has failed: that is to be told, and not how it would have ended
            return
        self.path.drain()
        self.path.check_the_end()


def test_nothing_is_lost_nothing_twice_always_in_order(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    store.config_set("appendfsync", "no")  # what reaches the disk is not the question here
    for pause in ("LOCK_LIFE_S", "HELD_UP_PAUSE_S"):  # no time is so short that a busy machine lets it pass
        monkeypatch.setattr(f"workers.batches.{pause}", LATER_S)
    run_state_machine_as_test(lambda: Histories(store), settings=HISTORIES)  # type: ignore[arg-type]
