"""LINE's way out, through HTTP against the strict fake: each answer once, free where it can be, and never lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, LockLost
from bot.line.api import MAX_MESSAGES
from bot.line.events import translate
from bot.line.kept import KEPT_S, ROOM, KeptAnswer, KeptAnswers
from bot.line.phrases import phrases
from bot.line.reply import LineReply, Push
from bot.line.sender import LineSender
from bot.messages import Citation, Command, Message, Reply
from bot.platform import Delivered, Target
from tests.fakes import line_events
from tests.fakes.line import LOADING, PUSH, REPLY, FakeLine, Fault
from tests.fakes.line_events import GROUP, USER

CONVERSATION = f"line:{USER}"
ANSWER = Reply("締め日は**毎月20日**です。", (Citation(1, "経費規程", "https://example.jp/keihi", "", "毎月20日"),))
SHOWN = "締め日は毎月20日です。\n\n出典: 経費規程 https://example.jp/keihi"
JA = phrases("ja")
LATE, UNSURE = JA.introductions["late"], JA.introductions["unsure"]


class MemoryJournal:
    """A journal that outlives the worker, with a lock that can be lost."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.lost = False

    def read(self) -> dict[str, Any]:
        return dict(self.facts)

    def write(self, **facts: Any) -> None:
        self.check()
        self.facts.update(facts)

    def check(self) -> None:
        if self.lost:
            raise LockLost("another worker owns the conversation")


class Killed(BaseException):
    """The worker died here."""


class DiesAt(MemoryJournal):
    """A journal whose worker dies before a fact gets written."""

    def __init__(self, fact: str, value: object) -> None:
        super().__init__()
        self.last_words = (fact, value)

    def write(self, **facts: Any) -> None:
        if self.last_words in facts.items():
            self.last_words = ("", None)
            raise Killed
        super().write(**facts)


@pytest.fixture
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        yield fake


@pytest.fixture
def sender(line: FakeLine, store: redis.Redis) -> LineSender:
    return make_sender(line, store, "never")


@pytest.fixture
def pushing(line: FakeLine, store: redis.Redis) -> LineSender:
    return make_sender(line, store, "always")


def make_sender(line: FakeLine, store: redis.Redis, push: Push) -> LineSender:
    return LineSender(line.url, line.access_token, store, push=push, access="pairing", timeout_s=0.3)


@pytest.fixture
def asked(line: FakeLine) -> Callable[..., Target]:
    """A question as it came from LINE with a living token; `age_s` says how long ago."""

    def ask(source: dict[str, str] | None = None, *, age_s: float = 0.0, language: str = "ja") -> Target:
        source = source or line_events.user()
        chat = source.get("groupId") or source["userId"]
        said = line_events.mentioning("@窓口 締め日は？", source=source, reply_token=line.issue_token(chat))
        message = translate(said, time.time() - age_s)
        assert isinstance(message, Message)
        return Target(message.id, message.conversation_id, language, message.reply_to)

    return ask


def kept(store: redis.Redis, conversation_id: str = CONVERSATION) -> list[KeptAnswer]:
    return [KeptAnswer.from_json(text) for text in store.lrange(f"kept:{conversation_id}", 0, -1)]


def long_answer(parts: int) -> Reply:
    """An answer that takes so many messages."""
    return Reply("あ" * 4_800 + ("。" + "い" * 4_800) * (parts - 1))


# By the reply token


def test_an_answer_is_shown_once_for_free(sender: LineSender, line: FakeLine, asked: Any) -> None:
    delivered = sender.open(asked(), MemoryJournal()).finish(ANSWER)

    assert delivered == Delivered("締め日は毎月20日です。")
    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 0


def test_an_answer_in_a_group_is_shown_in_the_group(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(line_events.group()), MemoryJournal()).finish(ANSWER)

    assert line.visible(GROUP) == [SHOWN]


def test_finishing_twice_shows_once(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    sender.open(target, journal).finish(ANSWER)

    assert sender.open(target, journal).finish(Reply("別の答え")) == Delivered("締め日は毎月20日です。")
    assert line.visible(USER) == [SHOWN]


def test_an_apology_is_shown_like_an_answer(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(), MemoryJournal()).fail("申し訳ありません。")

    assert line.visible(USER) == ["申し訳ありません。"]


def test_what_does_not_fit_one_call_is_kept_for_the_next(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    delivered = sender.open(asked(), MemoryJournal()).finish(long_answer(7))

    assert not delivered.kept
    assert len(line.visible(USER)) == MAX_MESSAGES
    assert [(len(rest.parts), rest.introduction) for rest in kept(store)] == [(2, "rest")]


def test_a_worker_that_lost_its_lock_sends_nothing(sender: LineSender, line: FakeLine, asked: Any) -> None:
    journal = MemoryJournal()
    stream = sender.open(asked(), journal)
    journal.lost = True

    with pytest.raises(LockLost):
        stream.finish(ANSWER)
    with pytest.raises(LockLost):
        stream.waiting("")
    assert line.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RESET_BEFORE_ACCEPTING,
        Fault.RESET_AFTER_ACCEPTING,
        Fault.SERVER_ERROR,
        Fault.SERVER_ERROR_AFTER_ACCEPTING,
        Fault.SLOW,
        Fault.NOT_JSON,
    ],
)
def test_a_reply_that_may_have_been_taken_is_tried_once_more_and_shown_once(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any, fault: Fault
) -> None:
    line.go_wrong(REPLY, fault)

    delivered = pushing.open(asked(), MemoryJournal()).finish(ANSWER)

    assert not delivered.kept
    assert line.visible(USER) == [SHOWN]
    assert len(line.calls_of(REPLY)) == 2
    assert line.pushes == 0
    assert kept(store) == []


def test_a_reply_that_twice_may_have_been_taken_is_kept_and_says_so_and_is_never_pushed(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, Fault.SERVER_ERROR)

    delivered = pushing.open(asked(), MemoryJournal()).finish(ANSWER)
    assert delivered.kept
    assert line.visible(USER) == []
    assert line.pushes == 0

    pushing.open(asked(), MemoryJournal()).finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{UNSURE}\n\n{SHOWN}", "次の答え"]


@pytest.mark.parametrize("died_before", [("reply", "sent"), ("outcome", "shown")])
def test_another_worker_settles_what_a_dead_one_had_sent(
    pushing: LineSender, line: FakeLine, asked: Any, died_before: tuple[str, str]
) -> None:
    target, journal = asked(), DiesAt(*died_before)
    with pytest.raises(Killed):
        pushing.open(target, journal).finish(ANSWER)

    delivered = pushing.open(target, journal).finish(Reply("書き直された答え"))

    assert delivered == Delivered("締め日は毎月20日です。"), "the words that were shown"
    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 0


def test_another_worker_sends_what_a_dead_one_had_not(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), DiesAt("reply", "once")
    with pytest.raises(Killed):
        sender.open(target, journal).finish(ANSWER)

    sender.open(target, journal).finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_what_nobody_can_settle_any_more_is_kept_and_not_pushed(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    journal = MemoryJournal()
    journal.facts = {"reply": "once", "text": "答え", "parts": ["答え"], "reply_carried": []}

    assert pushing.open(asked(age_s=60), journal).finish(ANSWER).kept
    assert [answer.introduction for answer in kept(store)] == ["unsure"]
    assert line.calls == []


def test_a_rate_limit_defers_and_the_same_token_works_later(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())

    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert not stream.finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]


def test_a_line_that_cannot_be_reached_defers(line: FakeLine, store: redis.Redis, asked: Any) -> None:
    nowhere = LineSender("http://127.0.0.1:9/", "token", store, push="never", access="pairing", timeout_s=0.3)

    with pytest.raises(DeliveryDeferred):
        nowhere.open(asked(), MemoryJournal()).finish(ANSWER)


def test_a_revoked_access_token_fails_for_good(line: FakeLine, store: redis.Redis, asked: Any) -> None:
    stranger = LineSender(line.url, "revoked", store, push="never", access="pairing", timeout_s=0.3)

    with pytest.raises(DeliveryFailed):
        stranger.open(asked(), MemoryJournal()).finish(ANSWER)


def test_the_apology_takes_the_place_of_what_could_not_be_shown(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())
    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    stream.fail("申し訳ありません。")

    assert line.visible(USER) == ["申し訳ありません。"]


# With the token gone


@pytest.mark.parametrize("how", ["by our clock", "by LINE's"])
def test_with_the_token_gone_an_answer_is_kept_and_comes_with_the_next_one(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, how: str
) -> None:
    target = asked(age_s=60 if how == "by our clock" else 0)
    if how == "by LINE's":
        line.token_life_s = -1

    assert sender.open(target, MemoryJournal()).finish(ANSWER) == Delivered("締め日は毎月20日です。", kept=True)
    assert line.visible(USER) == []
    assert 0 < store.ttl(f"kept:{CONVERSATION}") <= KEPT_S

    line.token_life_s = 60
    sender.open(asked(), MemoryJournal()).finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", "次の答え"]
    assert kept(store) == []
    assert line.pushes == 0


def test_what_was_kept_stays_kept_when_the_reply_is_refused(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(ANSWER)
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    stream = sender.open(asked(), MemoryJournal())

    with pytest.raises(DeliveryDeferred):
        stream.finish(Reply("次の答え"))
    assert len(kept(store)) == 1

    stream.finish(Reply("次の答え"))
    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", "次の答え"]


def test_more_than_one_call_holds_is_shown_in_order_over_the_next_calls(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    for number in range(6):
        sender.open(asked(age_s=60), MemoryJournal()).finish(Reply(f"{number}番"))

    assert sender.open(asked(), MemoryJournal()).finish(Reply("新しい答え")).kept
    assert [text[-2:] for text in line.visible(USER)] == ["0番", "1番", "2番", "3番", "4番"]

    sender.open(asked(), MemoryJournal()).finish(Reply("最後の答え"))
    assert line.visible(USER)[5:] == [f"{LATE}\n\n5番", f"{LATE}\n\n新しい答え", "最後の答え"]
    assert kept(store) == []


@pytest.mark.parametrize("died_before", [("reply", "sent"), ("outcome", "kept")])
def test_what_was_kept_is_shown_once_though_the_worker_dies(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any, died_before: tuple[str, str]
) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(long_answer(6))
    target, journal = asked(), DiesAt(*died_before)
    with pytest.raises(Killed):
        sender.open(target, journal).finish(Reply("新しい答え"))

    sender.open(target, journal).finish(Reply("新しい答え"))

    assert len(line.visible(USER)) == MAX_MESSAGES
    assert [len(answer.parts) for answer in kept(store)] == [1, 1], "the sixth part and the new answer"


def test_an_answer_kept_by_a_worker_that_died_is_kept_once(sender: LineSender, store: redis.Redis, asked: Any) -> None:
    target, journal = asked(age_s=60), DiesAt("outcome", "kept")
    with pytest.raises(Killed):
        sender.open(target, journal).finish(ANSWER)

    sender.open(target, journal).finish(ANSWER)

    assert len(kept(store)) == 1


def test_a_conversation_keeps_so_many_answers_and_the_newest_stay(
    sender: LineSender, store: redis.Redis, asked: Any
) -> None:
    for number in range(ROOM + 3):
        sender.open(asked(age_s=60), MemoryJournal()).finish(Reply(f"{number}番"))

    assert [answer.parts[0] for answer in kept(store)] == [f"{number}番" for number in range(3, ROOM + 3)]


def test_a_kept_answer_names_its_question_and_its_asker_so_that_it_can_be_erased(
    sender: LineSender, store: redis.Redis, asked: Any
) -> None:
    target = asked(line_events.group(), age_s=60)
    sender.open(target, MemoryJournal()).finish(ANSWER)

    (answer,) = kept(store, f"line:{GROUP}")
    assert (answer.message_id, answer.user_id) == (target.message_id, f"line:{USER}")


def test_an_unreadable_kept_answer_holds_nothing_up(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    store.rpush(f"kept:{CONVERSATION}", '{"v": 99, "kind": "KeptAnswer"}')

    sender.open(asked(), MemoryJournal()).finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_what_one_token_carries_no_other_token_carries_meanwhile(store: redis.Redis) -> None:
    answers = KeptAnswers(store)
    answers.keep(CONVERSATION, KeptAnswer("m", "u", "ja", ["答え"], "late"))

    assert len(answers.claim(CONVERSATION, "first")) == 1
    assert answers.claim(CONVERSATION, "second") == []
    answers.release(CONVERSATION, "second")
    assert len(answers.claim(CONVERSATION, "first")) == 1
    answers.release(CONVERSATION, "first")
    assert len(answers.claim(CONVERSATION, "second")) == 1


# Pushing, where it is allowed


def test_with_the_token_gone_an_answer_is_pushed_where_that_is_allowed(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    assert not pushing.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept

    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 1


def test_a_long_answer_is_pushed_five_messages_at_a_time(pushing: LineSender, line: FakeLine, asked: Any) -> None:
    pushing.open(asked(age_s=60), MemoryJournal()).finish(long_answer(7))

    assert [len(call.body["messages"]) for call in line.calls_of(PUSH)] == [5, 2]
    assert len({call.headers["x-line-retry-key"] for call in line.calls_of(PUSH)}) == 2


@pytest.mark.parametrize(
    "fault", [Fault.RESET_BEFORE_ACCEPTING, Fault.RESET_AFTER_ACCEPTING, Fault.SERVER_ERROR, Fault.SLOW]
)
def test_a_push_that_may_have_been_taken_is_made_again_with_its_key_and_shown_once(
    pushing: LineSender, line: FakeLine, asked: Any, fault: Fault
) -> None:
    line.go_wrong(PUSH, fault)
    stream = pushing.open(asked(age_s=60), MemoryJournal())
    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert not stream.finish(Reply("書き直された答え")).kept
    assert line.visible(USER) == [SHOWN]
    assert len({call.headers["x-line-retry-key"] for call in line.calls_of(PUSH)}) == 1


def test_another_worker_goes_on_pushing_where_a_dead_one_stopped(
    pushing: LineSender, line: FakeLine, asked: Any
) -> None:
    target, journal = asked(age_s=60), DiesAt("pushed", 1)
    with pytest.raises(Killed):
        pushing.open(target, journal).finish(long_answer(7))

    pushing.open(target, journal).finish(long_answer(7))

    assert len(line.visible(USER)) == 7


def test_with_the_months_pushes_used_up_an_answer_is_kept(
    pushing: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    line.monthly_limit = 1

    delivered = pushing.open(asked(age_s=60), MemoryJournal()).finish(long_answer(7))
    assert not delivered.kept
    assert [(len(rest.parts), rest.introduction) for rest in kept(store)] == [(2, "rest")]

    assert pushing.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept


# The notice, and the button on it


def about_to_die(stream: LineReply, target: Target) -> None:
    stream.due(target.reply_to["expires_at"] - 7)


def test_nobody_sits_in_silence_when_the_token_is_about_to_die(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked()
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [JA.wait_for_button]
    assert len(line.buttons(USER)) == 1


def test_the_notice_is_in_the_askers_language(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked(language="en")
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [phrases("en").wait_for_button]


def test_where_pushing_is_allowed_the_notice_has_no_button(pushing: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    about_to_die(pushing.open(target, journal), target)
    pushing.open(target, journal).finish(ANSWER)

    assert line.visible(USER) == [JA.wait_for_push, SHOWN]
    assert line.buttons(USER) == []


@pytest.mark.parametrize("seconds_left", [55, 9, -1])
def test_the_notice_is_neither_early_nor_late(
    sender: LineSender, line: FakeLine, asked: Any, seconds_left: float
) -> None:
    target = asked()
    sender.open(target, MemoryJournal()).due(target.reply_to["expires_at"] - seconds_left)

    assert line.calls == []


def test_the_notice_is_shown_once_whoever_is_asked(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    worker, clerk = sender.open(target, journal), sender.open(target, journal)

    for stream in (worker, clerk, worker):
        about_to_die(stream, target)

    assert len(line.calls_of(REPLY)) == 1


def test_an_answered_question_gets_no_notice(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target, journal = asked(), MemoryJournal()
    sender.open(target, journal).finish(ANSWER)
    about_to_die(sender.open(target, journal), target)

    assert line.visible(USER) == [SHOWN]


def test_after_the_notice_the_answer_is_kept_and_the_button_brings_it(
    sender: LineSender, line: FakeLine, store: redis.Redis, asked: Any
) -> None:
    target, journal = asked(), MemoryJournal()
    stream = sender.open(target, journal)
    about_to_die(stream, target)
    assert stream.finish(ANSWER).kept

    press(sender, line)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]
    assert kept(store) == []
    assert line.pushes == 0


def test_a_notice_that_line_refused_leaves_the_token_to_the_answer(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    target = asked()
    stream = sender.open(target, MemoryJournal())
    about_to_die(stream, target)

    assert not stream.finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]


def test_after_a_notice_that_may_have_been_taken_the_token_counts_as_used(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, Fault.SERVER_ERROR)
    target, journal = asked(), MemoryJournal()
    about_to_die(sender.open(target, journal), target)

    assert sender.open(target, journal).finish(ANSWER).kept


def test_the_notice_brings_what_was_kept_before(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).finish(ANSWER)
    target = asked()
    about_to_die(sender.open(target, MemoryJournal()), target)

    assert line.visible(USER) == [f"{LATE}\n\n{SHOWN}", JA.wait_for_button]


def press(sender: LineSender, line: FakeLine, token: str | None = None) -> None:
    """Press the chat's last button: the postback comes in and is carried out."""
    data = line.buttons(USER)[-1]
    event = line_events.postback(data, reply_token=token or line.issue_token(USER))
    command = translate(event, time.time())
    assert isinstance(command, Command)
    sender.collect(command.reply_to, command.conversation_id, command.language)


@pytest.fixture
def waiting_for_button(sender: LineSender, line: FakeLine, asked: Any) -> LineReply:
    """An answer that is being written, with the notice and its button shown."""
    target = asked()
    stream = sender.open(target, MemoryJournal())
    about_to_die(stream, target)
    return stream


@pytest.mark.usefixtures("waiting_for_button")
def test_a_press_before_it_is_ready_says_so(sender: LineSender, line: FakeLine) -> None:
    press(sender, line)

    assert line.visible(USER)[1:] == [JA.nothing_kept]


def test_a_second_press_shows_nothing_twice(sender: LineSender, line: FakeLine, waiting_for_button: LineReply) -> None:
    waiting_for_button.finish(ANSWER)
    press(sender, line)
    press(sender, line)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}", JA.nothing_kept]


@pytest.mark.parametrize("fault", [None, Fault.RESET_AFTER_ACCEPTING, Fault.SERVER_ERROR])
def test_a_press_that_is_carried_out_again_shows_once(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply, fault: Fault | None
) -> None:
    waiting_for_button.finish(ANSWER)
    token = line.issue_token(USER)
    if fault:
        line.go_wrong(REPLY, fault)

    press(sender, line, token)
    press(sender, line, token)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]
    assert kept(store) == []


def test_a_press_that_comes_too_late_leaves_the_answer_kept(
    sender: LineSender, line: FakeLine, store: redis.Redis, waiting_for_button: LineReply
) -> None:
    waiting_for_button.finish(ANSWER)
    press(sender, line, "ffffffffffffffffffffffffffffffff")

    assert len(kept(store)) == 1


def test_a_press_while_line_limits_the_rate_is_carried_out_later(
    sender: LineSender, line: FakeLine, waiting_for_button: LineReply
) -> None:
    waiting_for_button.finish(ANSWER)
    token = line.issue_token(USER)
    line.go_wrong(REPLY, Fault.RATE_LIMITED)
    with pytest.raises(DeliveryDeferred):
        press(sender, line, token)

    press(sender, line, token)

    assert line.visible(USER)[1:] == [f"{LATE}\n\n{SHOWN}"]


# Signs of life, readers, logs


def test_waiting_shows_the_loading_animation_in_a_1_to_1_chat(sender: LineSender, line: FakeLine, asked: Any) -> None:
    stream = sender.open(asked(), MemoryJournal())
    stream.waiting("モデルを読み込んでいます")
    stream.waiting("モデルを読み込んでいます")

    assert [call.body for call in line.calls_of(LOADING)] == [{"chatId": USER, "loadingSeconds": 60}]


def test_a_group_has_no_loading_animation(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(line_events.group()), MemoryJournal()).waiting("…")

    assert line.calls == []


def test_a_loading_animation_that_fails_harms_nothing(sender: LineSender, line: FakeLine, asked: Any) -> None:
    line.go_wrong(LOADING, Fault.SERVER_ERROR)
    stream = sender.open(asked(), MemoryJournal())

    stream.waiting("…")
    stream.update("締め日は")
    stream.finish(ANSWER)

    assert line.visible(USER) == [SHOWN]


def test_in_a_group_the_groups_audience_counts(line: FakeLine, store: redis.Redis, sender: LineSender) -> None:
    person, place = {"chat_id": USER, "user_id": USER}, {"chat_id": GROUP, "user_id": USER}
    everybody = LineSender(line.url, "token", store, push="never", access="open")

    assert sender.audience(person) == {"public", "members", f"line:{USER}"}
    assert sender.audience(place) == {"public", "members", f"line:{GROUP}"}
    assert everybody.audience(person) == {"public", f"line:{USER}"}


def test_logs_have_lines_request_id_and_no_word_of_the_answer(
    sender: LineSender, asked: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot")

    sender.open(asked(), MemoryJournal()).finish(ANSWER)

    (called,) = [record for record in caplog.records if record.message == "called LINE"]
    assert len(called.__dict__["line_request_id"]) == 32
    assert not any("20日" in str(record.__dict__) for record in caplog.records)
