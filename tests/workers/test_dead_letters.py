"""What was given up can be answered after all: once, from where it ended, and never what was erased."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

import pytest
import redis

from bot.line.quota import Always
from bot.messages import Message, Reply
from bot.platform import Sender
from tests.bot.line.sending import make_sender
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import (
    ANSWER,
    LIFE_S,
    C,
    a_worker_dies,
    answers,
    asked_times,
    dead_letters,
    from_line,
    from_slack,
    hinted,
    order,
    slack_sender,
)
from tests.workers.letters import a_question_dies, an_order_dies
from tests.workers.making import accept, message
from workers.answer import Answer
from workers.batch import Batch
from workers.batches import GIVE_UP_FROM_ATTEMPT, Batches
from workers.controls import Controls
from workers.conversation import Conversations, Turn
from workers.dead_letters import DeadLetter, DeadLetters
from workers.phrases import phrase
from workers.services import Desk
from workers.serving import MOST_DELIVERY_TRIES, answer_next

APOLOGY = phrase("apology", "ja")
POST = "chat.postMessage"


@pytest.fixture
def letters(store: redis.Redis) -> DeadLetters:
    return DeadLetters(store)


def retry(letters: DeadLetters, letter_id: str) -> None:
    assert letters.retry(letter_id, time.time()) is not None


def taken(store: redis.Redis) -> Batch:
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    return batch


def apologised_to(store: redis.Redis, desk: Desk, said: Message, sender: Sender) -> Desk:
    """The desk at the message's platform, after it has apologised there."""
    at_platform = replace(desk, senders={said.platform: sender})
    accept(store, said)
    a_worker_dies(store, GIVE_UP_FROM_ATTEMPT - 1, said.conversation_id)
    answer_next(said.conversation_id, at_platform)
    return at_platform


def left_of_letters(store: redis.Redis) -> list[str]:
    return [str(key) for pattern in ("dead*", "letter*", "batch:*") for key in store.scan_iter(pattern)]


def test_what_a_platform_refused_is_delivered_after_all_without_being_written_again(
    store: redis.Redis, desk: Desk, slack: FakeSlack, letters: DeadLetters
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    accept(store, said)
    at_slack = replace(desk, senders={"slack": slack_sender(slack, store)})
    slack.fail(POST, *[Fault(error="is_archived")] * 2)  # the preview and the answer
    slack.fail("chat.startStream", Fault(error="is_archived"))
    answer_next(said.conversation_id, at_slack)
    assert slack.visible("C1", said.reply_to["thread_ts"]) == []

    retry(letters, said.id)
    answer_next(said.conversation_id, at_slack)

    assert [ANSWER in shown for shown in slack.visible("C1", said.reply_to["thread_ts"])] == [True]
    assert asked_times(desk) == 1
    assert [turn.role for turn in desk.conversations.load(said.conversation_id).turns] == ["user", "assistant"]
    assert left_of_letters(store) == []


def test_no_part_that_is_shown_is_shown_again(
    store: redis.Redis, desk: Desk, slack: FakeSlack, letters: DeadLetters
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    answer = Answer(Reply("一つ目\n\n二つ目")).to_json()
    a_question_dies(store, said, answer=answer, on_its_way=True, parts=["一つ目", "二つ目"], sending=2, sent=1)

    retry(letters, said.id)
    answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert slack.visible("C1", said.reply_to["thread_ts"]) == ["二つ目"]


def test_the_tries_begin_anew(store: redis.Redis, desk: Desk, slack: FakeSlack, letters: DeadLetters) -> None:
    said = from_slack(slack, "経費の締め日は？")
    answer = Answer(Reply(ANSWER)).to_json()
    a_question_dies(store, said, answer=answer, tries=MOST_DELIVERY_TRIES)
    slack.fail(POST, Fault(status=429))

    retry(letters, said.id)
    answer_next(said.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))

    assert dead_letters(store) == []
    assert store.zscore("ready", said.conversation_id) is not None


@pytest.mark.parametrize("reset", ["before", "after"])
def test_on_slack_an_answer_after_an_apology_is_not_taken_for_it(
    store: redis.Redis, desk: Desk, slack: FakeSlack, letters: DeadLetters, reset: str
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    at_slack = apologised_to(store, desk, said, slack_sender(slack, store))
    slack.fail(POST, Fault(reset=reset))

    retry(letters, said.id)
    for _ in range(2):
        answer_next(said.conversation_id, at_slack)

    apology, *answered = slack.visible("C1", said.reply_to["thread_ts"])
    assert apology == APOLOGY
    assert [ANSWER in shown for shown in answered] == [True]


def test_after_an_apology_that_was_refused_the_answer_is_made_anew(
    store: redis.Redis, desk: Desk, slack: FakeSlack, letters: DeadLetters
) -> None:
    said = from_slack(slack, "経費の締め日は？")
    slack.fail(POST, *[Fault(error="is_archived")] * 2)  # the preview and the answer
    at_slack = apologised_to(store, desk, said, slack_sender(slack, store))
    assert [letter.apologised for letter in letters.all()] == [False]

    retry(letters, said.id)
    answer_next(said.conversation_id, at_slack)

    assert [ANSWER in shown for shown in slack.visible("C1", said.reply_to["thread_ts"])] == [True]


def test_on_line_an_answer_after_an_apology_is_not_taken_for_it(
    store: redis.Redis, desk: Desk, line: FakeLine, letters: DeadLetters
) -> None:
    said = from_line(line, "経費の締め日は？", age_s=100)
    pushing = make_sender(line, store, Always())
    at_line = apologised_to(store, desk, said, pushing)
    assert line.visible(USER) == [APOLOGY]

    retry(letters, said.id)
    answer_next(said.conversation_id, at_line)

    assert [ANSWER in shown for shown in line.visible(USER)] == [False, True]
    assert not store.exists(f"kept:{said.conversation_id}")


def test_on_the_page_an_answer_takes_the_place_of_the_apology(
    store: redis.Redis, desk: Desk, letters: DeadLetters
) -> None:
    said = message()
    apologised_to(store, desk, said, desk.senders["console"])
    assert answers(store) == [APOLOGY]

    retry(letters, said.id)
    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_every_further_round_has_its_own_number(store: redis.Redis, letters: DeadLetters) -> None:
    said = message()
    a_question_dies(store, said, apologised=True, answer="old")
    retry(letters, said.id)
    first = taken(store)
    assert first.journal.read() == {"round": 1}
    first.journal.write(apology=True)
    Batches(store, LIFE_S).finish(first, (), dead="again", apologised=True)

    retry(letters, said.id)

    assert taken(store).journal.read() == {"round": 2}


@pytest.mark.parametrize("kind", ["question", "order"])
def test_a_letter_is_put_back_once_however_many_ask_for_it(store: redis.Redis, letters: DeadLetters, kind: str) -> None:
    letter = (
        a_question_dies(store, message()) if kind == "question" else an_order_dies(store, order("reset"), "order 1")
    )
    outcomes: list[bool] = []
    all_have_read_it = threading.Barrier(4)

    class Operator(DeadLetters):
        def _put_back(self, letter: DeadLetter, now: float) -> bool:
            all_have_read_it.wait(timeout=10)
            return super()._put_back(letter, now)

    def ask() -> None:
        outcomes.append(Operator(store).retry(letter, time.time()) is not None)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False, False, False, True]
    assert store.zcard(f"inbox:{C}") + store.zcard("controls:due") == 1


def test_the_messages_come_back_as_they_were(store: redis.Redis, letters: DeadLetters) -> None:
    said = [replace(message(f"質問{n}"), sent_at=1_700_000_000.000123 + n) for n in range(2)]
    late = replace(message("別の人の質問", user="console:u2"), sent_at=1_700_000_000.5)
    a_question_dies(store, *said)
    accept(store, late)

    retry(letters, said[1].id)

    batch = taken(store)
    assert batch.messages == tuple(said)
    assert store.zrange(f"inbox:{C}", 0, -1, withscores=True) == [(m.id, m.sent_at) for m in (said[0], late, said[1])]
    assert batch.attempt == 1


def test_a_letter_waits_its_turn_behind_what_is_being_answered(store: redis.Redis, letters: DeadLetters) -> None:
    dead, other = message("前の質問"), message("今の質問")
    a_question_dies(store, dead, answer="書いてあった答え")
    accept(store, other)
    batches = Batches(store, LIFE_S)
    current = taken(store)
    current.journal.write(answer="今の答え")

    retry(letters, dead.id)
    later = message("後の質問")
    accept(store, later)

    assert current.journal.read() == {"answer": "今の答え"}
    assert batches.finish(current, ()) == 2
    again = taken(store)
    assert (again.ids, again.journal.read()) == ([dead.id], {"answer": "書いてあった答え"})
    assert batches.finish(again, ()) == 1
    assert taken(store).ids == [later.id]


def test_what_was_too_much_in_a_minute_stays_so(store: redis.Redis, letters: DeadLetters) -> None:
    said = message()
    accept(store, said)
    store.sadd(f"over:{C}", said.id)
    Batches(store, LIFE_S).finish(taken(store), (), dead="is_archived")

    retry(letters, said.id)

    assert taken(store).over_limit


def test_after_a_reset_an_old_answer_is_delivered_and_not_remembered(
    store: redis.Redis, desk: Desk, letters: DeadLetters
) -> None:
    said = message()
    turns = (
        Turn("user", (said.text,), said.user_id, (said.id,)),
        Turn("assistant", (ANSWER,), "assistant", (said.id,)),
    )
    a_question_dies(store, said, answer=Answer(Reply(ANSWER), turns, cut=2).to_json(), on_its_way=True)
    Conversations(store).reset(C)

    retry(letters, said.id)
    answer_next(C, desk)

    assert answers(store) == [ANSWER]
    assert desk.conversations.load(C).turns == ()


def test_an_order_is_carried_out_after_all(store: redis.Redis, letters: DeadLetters) -> None:
    told, acted = order("forget"), []
    an_order_dies(store, told, "order 1")

    retry(letters, "order 1")

    assert not store.exists("attempts:order 1")
    assert Controls(store).due() == ["order 1"]
    assert Controls(store).carry_out("order 1", lambda *event: acted.append(event)) == "done"
    assert acted == [("order 1", told)]
    assert left_of_letters(store) == []


def test_an_order_that_nobody_could_read_is_put_back_word_for_word(store: redis.Redis, letters: DeadLetters) -> None:
    store.hset("controls", "odd", "not JSON")
    store.zadd("controls:due", {"odd": 1})
    assert Controls(store).carry_out("odd", lambda *_: None) == "dead"

    retry(letters, "odd")

    assert store.hget("controls", "odd") == "not JSON"
    assert letters.drop("odd") is None


def test_a_dropped_letter_leaves_nothing(store: redis.Redis, letters: DeadLetters) -> None:
    a_question_dies(store, said := message("ひみつ"), answer="ひみつ")
    an_order_dies(store, order("reset"), "order 1")

    assert letters.drop(said.id) is not None
    assert letters.drop("order 1") is not None
    assert letters.drop(said.id) is None

    assert left_of_letters(store) == []


def test_what_is_asked_again_cannot_be_dropped_any_more(store: redis.Redis, letters: DeadLetters) -> None:
    a_question_dies(store, said := message())
    retry(letters, said.id)

    assert letters.drop(said.id) is None

    assert taken(store).ids == [said.id]


def test_the_oldest_letters_go_when_there_are_too_many_or_their_time_is_over(
    store: redis.Redis, letters: DeadLetters, caplog: pytest.LogCaptureFixture
) -> None:
    said = [a_question_dies(store, message()) for _ in range(4)]
    said.append(an_order_dies(store, order("reset"), "order 1"))
    caplog.clear()
    store.zadd("dead:since", {letter: at for at, letter in enumerate(said)}, xx=True)

    assert letters.drop_oldest(before=1.0, most=2) == 3
    assert [letter.id for letter in letters.all()] == said[3:]
    assert letters.drop_oldest(before=3.0, most=2) == 1
    assert letters.drop_oldest(before=3.0, most=2) == 0

    assert [letter.id for letter in letters.all()] == said[4:]
    assert [record.__dict__["letters"] for record in caplog.records] == [3, 1]


def test_a_letter_without_a_word_to_the_person_is_an_error_in_the_log_and_is_counted(
    store: redis.Redis, desk: Desk, letters: DeadLetters, caplog: pytest.LogCaptureFixture, slack: FakeSlack
) -> None:
    silent, apologised = from_slack(slack, "ひみつの質問"), message("ひみつの質問")
    accept(store, silent)
    slack.fail(POST, *[Fault(error="is_archived")] * 2)  # the preview and the answer
    answer_next(silent.conversation_id, replace(desk, senders={"slack": slack_sender(slack, store)}))
    apologised_to(store, desk, apologised, desk.senders["console"])

    told = [(r.levelno, r.__dict__["letter"]) for r in caplog.records if r.message == "question not answered"]
    assert told == [(logging.ERROR, silent.id), (logging.WARNING, apologised.id)]
    assert "ひみつ" not in str([record.__dict__ for record in caplog.records])
    assert letters.silent() == 1
    assert {letter.id: letter.apologised for letter in letters.all()} == {silent.id: False, apologised.id: True}


def test_an_order_that_is_not_carried_out_is_an_error_in_the_log_and_is_counted(
    store: redis.Redis, letters: DeadLetters, caplog: pytest.LogCaptureFixture
) -> None:
    an_order_dies(store, order("forget"), "order 1")

    assert caplog.records[-1].levelno == logging.ERROR
    assert caplog.records[-1].__dict__["letter"] == "order 1"
    assert letters.silent() == 1


def test_of_a_batch_that_is_given_up_while_a_message_of_it_is_erased_the_rest_is_begun_anew(
    store: redis.Redis, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = message("消される"), message("残る")
    accept(store, first, second)
    a_worker_dies(store, GIVE_UP_FROM_ATTEMPT - 1)

    def erased_meanwhile(*_: object) -> None:
        desk.conversations.erase(C, message_ids=[first.id])
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(desk.senders["console"], "open", erased_meanwhile)
        answer_next(C, desk)

    assert dead_letters(store) == []
    assert hinted(desk) == []
    assert taken(store).ids == [second.id]
