"""What a person takes back, or says differently, reaches dead letters too, also while the operator asks them again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from bot.errors import LockLost
from bot.messages import Control, Deletion, Edit, Message, UnreadableRecord
from tests.workers.desk import LIFE_S, C, answers, command, everything, make_clerk, order
from tests.workers.letters import a_question_dies, an_order_dies
from tests.workers.making import accept, message
from workers.acting import act
from workers.batch import Batch
from workers.batches import Batches
from workers.controls import Controls
from workers.dead_letters import DeadLetters
from workers.services import Clerk, Desk
from workers.serving import answer_next

THEIRS = "わたしの秘密"
KEYS_OF_LETTERS = ("dead", "dead:since", "dead:silent", f"letters:{C}")


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


@pytest.fixture
def letters(store: redis.Redis) -> DeadLetters:
    return DeadLetters(store)


def deletion(said: Message) -> Control:
    return Deletion("console", C, said.user_id, said.id, time.time())


def forgetting(_: Message) -> Control:
    return order("forget")


def edit_of(said: Message, words: str) -> Edit:
    return Edit("console", C, said.user_id, said.id, words, said.sent_at)


def taken(store: redis.Redis) -> Batch:
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    return batch


erasures = pytest.mark.parametrize("erasure", [deletion, forgetting])
Erasure = Callable[[Message], Control]


@erasures
def test_an_erasure_takes_a_letter_and_its_journal(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters, erasure: Erasure
) -> None:
    said = message(THEIRS)
    a_question_dies(store, said, message(THEIRS), answer=THEIRS, parts=[THEIRS])

    act("order 1", erasure(said), clerk)

    assert THEIRS not in everything(store)
    assert letters.retry(said.id, time.time()) is None
    assert not store.exists(*KEYS_OF_LETTERS, f"inbox:{C}", "ready")


@erasures
def test_an_erasure_reaches_what_waits_to_be_asked_again(
    store: redis.Redis, desk: Desk, clerk: Clerk, letters: DeadLetters, erasure: Erasure
) -> None:
    said = message(THEIRS)
    a_question_dies(store, said, answer=THEIRS, on_its_way=True)
    letters.retry(said.id, time.time())

    act("order 1", erasure(said), clerk)
    answer_next(C, desk)

    assert THEIRS not in everything(store)
    assert answers(store) == []
    assert not store.exists(*KEYS_OF_LETTERS, f"letter:{said.id}", f"batch:{C}", f"inbox:{C}", "ready")


@erasures
def test_an_erasure_reaches_what_a_worker_is_answering_again(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters, erasure: Erasure
) -> None:
    said = message(THEIRS)
    a_question_dies(store, said, answer=THEIRS)
    letters.retry(said.id, time.time())
    batch = taken(store)

    act("order 1", erasure(said), clerk)

    with pytest.raises(LockLost):
        batch.journal.check()
    with pytest.raises(LockLost):
        Batches(store, LIFE_S).finish(batch, (), dead="again")
    assert THEIRS not in everything(store)


@erasures
def test_nothing_survives_when_the_operator_retries_in_the_middle_of_an_erasure(
    store: redis.Redis, clerk: Clerk, erasure: Erasure, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    while True:
        store.flushall()
        said = message(THEIRS)
        a_question_dies(store, said, answer=THEIRS)
        with monkeypatch.context() as patched:
            operator = RetriesBefore(steps, said.id, store)
            patched.setattr(redis.Redis, "execute_command", operator.execute_command)
            act("order 1", erasure(said), clerk)

        assert THEIRS not in everything(store)
        assert not store.exists("dead", f"inbox:{C}", f"letter:{said.id}")
        if not operator.came:
            break
        steps += 1
    assert steps > 3


class RetriesBefore:
    """The operator, who retries a letter just before the clerk's next call to the store but so many."""

    def __init__(self, calls: int, letter_id: str, store: redis.Redis) -> None:
        self.came = False
        self._calls = calls
        self._letter_id = letter_id
        self._letters = DeadLetters(store)
        self._execute: Any = redis.Redis.execute_command

    @property
    def execute_command(self) -> Callable[..., Any]:
        def execute(client: redis.Redis, *command: Any, **options: Any) -> Any:
            self._calls -= 1
            if self._calls < 0 and not self.came:
                self.came = True
                self._letters.retry(self._letter_id, time.time())
            return self._execute(client, *command, **options)

        return execute


def test_what_is_left_of_a_letter_that_is_asked_again_is_answered_in_its_round(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters
) -> None:
    first, second, later = message(THEIRS), message("残る"), message("後の質問")
    a_question_dies(store, first, second, apologised=True)
    letters.retry(second.id, time.time())
    accept(store, later)

    act("deletion 1", deletion(first), clerk)

    batch = taken(store)
    assert (batch.ids, batch.journal.read()) == ([second.id], {"round": 1})
    assert THEIRS not in everything(store)


def test_what_is_left_of_a_batch_in_a_later_round_stays_in_it(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters
) -> None:
    first, second = message(THEIRS), message("残る")
    a_question_dies(store, first, second, apologised=True)
    letters.retry(second.id, time.time())
    taken(store).journal.write(answer=THEIRS)

    act("deletion 1", deletion(first), clerk)
    store.delete(f"lock:{C}")

    assert THEIRS not in everything(store)
    batch = taken(store)
    assert (batch.ids, batch.journal.read(), batch.attempt) == ([second.id], {"round": 1}, 1)


@erasures
def test_of_a_later_round_nothing_is_left_when_all_of_it_is_erased(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters, erasure: Erasure
) -> None:
    said = message(THEIRS)
    a_question_dies(store, said, apologised=True)
    letters.retry(said.id, time.time())
    taken(store)

    act("order 1", erasure(said), clerk)

    assert not store.exists(f"batch:{C}", f"letter:{said.id}", f"attempts:{C}", "ready")


def test_an_erasure_leaves_the_letters_of_others(store: redis.Redis, clerk: Clerk, letters: DeadLetters) -> None:
    mine, other = message(THEIRS), message("ほかの人", user="console:u2")
    a_question_dies(store, other, answer="ほかの答え")
    a_question_dies(store, mine)
    letters.retry(other.id, time.time())

    act("order 1", order("forget"), clerk)

    batch = taken(store)
    assert (batch.messages, batch.journal.read()) == ((other,), {"answer": "ほかの答え"})


@erasures
def test_an_erasure_takes_the_edits_that_were_not_carried_out(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters, erasure: Erasure
) -> None:
    said, other = message(), message(user="console:u2")
    accept(store, said, other)
    an_order_dies(store, edit_of(said, THEIRS), "edit 1")
    command(store, edit_of(said, THEIRS), "edit 2")
    command(store, edit_of(other, "ほかの言葉"), "edit 3")
    store.hset("controls", "odd", "not JSON")

    act("order 1", erasure(said), clerk)

    assert THEIRS not in everything(store)
    assert letters.retry("edit 1", time.time()) is None
    assert store.zrange("controls:due", 0, -1) == ["edit 3"]


@erasures
def test_an_edit_that_fails_while_its_message_is_erased_is_no_letter(
    store: redis.Redis, clerk: Clerk, erasure: Erasure
) -> None:
    said = message()
    accept(store, said)
    command(store, edit_of(said, THEIRS), "edit 1")

    def fail(*_: object) -> None:
        act("order 1", erasure(said), clerk)
        raise UnreadableRecord  # which is not tried again

    Controls(store).carry_out("edit 1", fail)

    assert THEIRS not in everything(store)
    assert not store.exists("dead", "dead:silent", "controls")


def test_an_edited_question_is_asked_again_in_its_new_words(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters
) -> None:
    first, said = message("前の質問"), message(THEIRS)
    a_question_dies(store, first, said, answer=THEIRS)

    act("edit 1", edit_of(said, "新しい言葉"), clerk)
    assert THEIRS not in everything(store)
    letters.retry(said.id, time.time())

    batch = taken(store)
    assert ([m.text for m in batch.messages], batch.journal.read()) == (["前の質問", "新しい言葉"], {})


def test_an_answer_that_is_on_its_way_stands_whatever_is_edited(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters
) -> None:
    said = message("古い言葉")
    a_question_dies(store, said, answer="答え", on_its_way=True)

    act("edit 1", edit_of(said, "新しい言葉"), clerk)
    letters.retry(said.id, time.time())

    assert taken(store).journal.read()["answer"] == "答え"


@pytest.mark.parametrize(("on_its_way", "kept"), [(False, {}), (True, {"answer": "答え", "on_its_way": True})])
def test_an_edit_while_a_question_waits_to_be_asked_again_drops_what_nobody_has_seen(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters, on_its_way: bool, kept: dict[str, Any]
) -> None:
    said = message("古い言葉")
    journal: dict[str, Any] = {"answer": "答え", **({"on_its_way": True} if on_its_way else {})}
    a_question_dies(store, said, **journal)
    letters.retry(said.id, time.time())

    act("edit 1", edit_of(said, "新しい言葉"), clerk)

    batch = taken(store)
    assert (batch.text, batch.journal.read()) == ("新しい言葉", kept)


def test_a_letter_has_the_words_that_its_message_had_in_the_end(
    store: redis.Redis, clerk: Clerk, letters: DeadLetters
) -> None:
    said = message(THEIRS)
    accept(store, said)
    batch = taken(store)
    act("edit 1", edit_of(said, "新しい言葉"), clerk)

    Batches(store, LIFE_S).finish(batch, (), dead="is_archived")

    assert [letter.messages[0]["text"] for letter in letters.all()] == ["新しい言葉"]
    assert THEIRS not in everything(store)
