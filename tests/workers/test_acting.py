"""Orders are carried out and confirmed once; what is to be forgotten is nowhere afterwards."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import redis

from bot.access import Access
from bot.console.stream import ChatStream
from bot.errors import DeliveryDeferred, StoreUnavailable
from bot.line.kept import KeptAnswer, KeptAnswers
from bot.messages import Action, Command, Deletion, Edit, Message
from knowledge.retrieval import Retriever
from tests.fakes.line import FakeLine
from tests.fakes.line_events import OTHER_USER, USER
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import (
    ANSWER,
    LIFE_S,
    C,
    HeardHints,
    at_work,
    command,
    everything,
    from_line,
    from_slack,
    line_sender,
    make_clerk,
    make_desk,
    order,
    page,
    saying,
    slack_sender,
)
from tests.workers.letters import a_question_dies, an_order_dies
from tests.workers.making import accept, message
from workers.acting import act
from workers.batches import Batches
from workers.conversation import Conversations, Turn
from workers.phrases import phrase
from workers.services import Clerk, Desk
from workers.serving import answer_next

THEIRS = "わたしの秘密"


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


def crash(*_: object) -> None:
    raise StoreUnavailable("in the middle")


def notices(store: redis.Redis) -> list[str]:
    return [text for kind, text in page(store) if kind == "notice"]


def converse(store: redis.Redis, desk: Desk, text: str, conversation: str = C, user: str = "console:u1") -> Message:
    said = message(text, conversation=conversation, user=user)
    accept(store, said)
    answer_next(conversation, desk)
    return said


def test_a_reset_begins_anew_and_says_so(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    converse(store, desk, "経費の締め日はいつですか？")

    act("order 1", order("reset"), clerk)

    assert desk.conversations.load(C).turns == ()
    assert notices(store) == [phrase("reset", "ja")]


def test_an_answer_under_way_during_a_reset_is_delivered_and_not_remembered(
    store: redis.Redis, retriever: Retriever, clerk: Clerk
) -> None:
    accept(store, message())
    with saying(Script(ANSWER, seconds_per_piece=0.005)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            act("order 1", order("reset"), clerk)

    assert ("done", ANSWER) in page(store)
    assert desk.conversations.load(C).turns == ()


def test_help_says_what_the_desk_can_do(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", order("help"), clerk)

    assert notices(store) == [phrase("help", "ja")]


def test_an_order_is_confirmed_in_its_language(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", replace(order("reset"), language="en"), clerk)

    assert notices(store) == [phrase("reset", "en")]


def test_a_stop_where_nothing_is_written_says_so(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", order("stop"), clerk)

    assert notices(store) == [phrase("nothing_to_stop", "ja")]
    assert not store.exists(f"interrupt:{C}")


@pytest.mark.parametrize("name", ["reset", "help", "forget", "stop"])
def test_an_order_that_is_carried_out_twice_is_confirmed_once(store: redis.Redis, clerk: Clerk, name: str) -> None:
    for _ in range(2):
        act("order 1", order(name), clerk)

    assert len(notices(store)) == 1


def test_an_order_on_slack_that_is_carried_out_twice_is_confirmed_once(store: redis.Redis, slack: FakeSlack) -> None:
    said = from_slack(slack, "リセット")
    told = Command("slack", said.conversation_id, said.user_id, "reset", "", "ja", said.sent_at, said.reply_to)
    clerk = make_clerk(store, {"slack": slack_sender(slack, store)})
    slack.fail("chat.postMessage", Fault(status=429))

    with pytest.raises(DeliveryDeferred):
        act("order 1", told, clerk)
    for _ in range(2):
        act("order 1", told, clerk)

    assert slack.visible("C1", said.reply_to["thread_ts"]) == [phrase("reset", "ja")]


def test_what_a_newer_front_door_sends_is_left_alone(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", order("dance"), clerk)
    act("action 1", Action("console", C, "console:u1", "dance", "+1", time.time(), {}), clerk)

    assert not store.keys()


def test_an_edit_of_what_waits_changes_what_is_asked(store: redis.Redis, clerk: Clerk) -> None:
    said = message("古い言葉")
    accept(store, said)

    act("edit 1", Edit("console", C, said.user_id, said.id, "新しい言葉", said.sent_at), clerk)

    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    assert batch.text == "新しい言葉"
    assert isinstance(clerk.hints, HeardHints)
    assert clerk.hints.answers == [C]


def test_an_edit_drops_an_answer_to_the_old_words_that_is_not_on_its_way(store: redis.Redis, clerk: Clerk) -> None:
    said = message("古い言葉")
    accept(store, said)
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    batch.journal.write(answer="答え")

    act("edit 1", Edit("console", C, said.user_id, said.id, "新しい言葉", said.sent_at), clerk)

    assert "answer" not in batch.journal.read()


def test_an_edit_keeps_an_answer_that_is_on_its_way(store: redis.Redis, clerk: Clerk) -> None:
    said = message("古い言葉")
    accept(store, said)
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    batch.journal.write(answer="答え", on_its_way=True)

    act("edit 1", Edit("console", C, said.user_id, said.id, "新しい言葉", said.sent_at), clerk)

    assert batch.journal.read()["answer"] == "答え"


def test_what_was_shown_before_an_edit_is_what_is_remembered(
    store: redis.Redis, retriever: Retriever, line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = from_line(line, "経費の締め日はいつですか？")
    conversation, senders = said.conversation_id, {"line": line_sender(line, store)}
    edit = Edit("line", conversation, said.user_id, said.id, "領収書はどこに出しますか？", time.time())
    accept(store, said)

    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, senders=senders)
        monkeypatch.setattr(desk.batches, "finish", crash)
        answer_next(conversation, desk)
    act("edit 1", edit, make_clerk(store, senders))
    with saying(Script("領収書は総務部の青い箱に入れます。")) as generator:
        desk = make_desk(store, retriever, generator, senders=senders)
        answer_next(conversation, desk)

    assert len(line.visible(USER)) == 1
    assert desk.conversations.load(conversation).turns[-1].text == ANSWER


def test_an_edit_of_what_was_answered_is_remembered(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    said = converse(store, desk, f"{THEIRS}と経費の締め日は？")

    act("edit 1", Edit("console", C, said.user_id, said.id, "経費の締め日は？", said.sent_at), clerk)

    assert desk.conversations.load(C).questions() == ("経費の締め日は？",)
    assert THEIRS not in everything(store)


def test_a_deleted_question_takes_its_answer_along(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    said = converse(store, desk, f"{THEIRS}と経費の締め日は？")
    kept = converse(store, desk, "領収書はどこに？")

    act("deletion 1", Deletion("console", C, said.user_id, said.id, said.sent_at), clerk)

    assert [turn.message_ids for turn in desk.conversations.load(C).turns] == [(kept.id,)] * 2
    assert THEIRS not in str(store.lrange(f"turns:{C}", 0, -1))


def test_a_message_unsent_on_line_takes_the_kept_answer_along(store: redis.Redis, desk: Desk, line: FakeLine) -> None:
    first, second = from_line(line, THEIRS, age_s=100), from_line(line, "経費の締め日は？", age_s=99)
    conversation = first.conversation_id
    accept(store, first, second)
    sender = line_sender(line, store)
    answer_next(conversation, replace(desk, senders={"line": sender}))
    assert store.exists(f"kept:{conversation}")

    gone = Deletion("line", conversation, first.user_id, first.id, time.time())
    act("deletion 1", gone, make_clerk(store, {"line": sender}))

    assert not store.exists(f"kept:{conversation}", f"turns:{conversation}")
    assert THEIRS not in everything(store)


def test_a_deletion_that_is_interrupted_reaches_the_kept_answer_with_the_next_try(
    store: redis.Redis, desk: Desk, line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, newest = (from_line(line, text, age_s=120) for text in ("経費の締め日は？", "領収書は？"))
    at_line = replace(desk, senders={"line": line_sender(line, store)})
    accept(store, first, newest)
    answer_next(first.conversation_id, at_line)
    assert store.exists(f"kept:{first.conversation_id}")
    clerk = make_clerk(store, at_line.senders)
    deletion = Deletion("line", first.conversation_id, first.user_id, first.id, first.sent_at)

    with monkeypatch.context() as broken:
        broken.setattr(clerk.interrupts, "changed", crash)
        with pytest.raises(StoreUnavailable):
            act("deletion 1", deletion, clerk)
    act("deletion 1", deletion, clerk)

    assert not store.exists(f"kept:{first.conversation_id}", f"turns:{first.conversation_id}")


def test_a_deleted_message_leaves_the_dead_letters_too(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    said, other = message(THEIRS), message("ほかの質問")
    accept(store, said, other)
    batch = desk.batches.take(C)
    assert batch is not None
    desk.batches.finish(batch, (), dead="given up")
    assert THEIRS in everything(store)

    act("deletion 1", Deletion("console", C, said.user_id, said.id, said.sent_at), clerk)

    assert THEIRS not in everything(store)


def test_forgetting_reaches_every_conversation_and_everything_that_is_kept(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    waiting, shared = "console:c2", "console:c3"
    stream = ChatStream(store)
    stream.question(converse(store, desk, f"{THEIRS}その一、経費の締め日は？"))
    converse(store, desk, f"{THEIRS}その二、経費の締め日は？", conversation=shared)
    others = converse(store, desk, "経費の締め日は？", conversation=shared, user="console:u2")
    accept(store, message(f"{THEIRS}その三", conversation=waiting))
    a_question_dies(store, message(f"{THEIRS}その四", conversation=shared), answer=THEIRS)
    an_order_dies(store, Edit("console", C, "console:u1", "m9", f"{THEIRS}その五", 1.0), "edit 1")
    command(store, Edit("console", C, "console:u1", "m9", f"{THEIRS}その六", 1.0), "edit 2")

    act("order 1", order("forget"), clerk)

    assert THEIRS not in everything(store)
    assert not store.exists("spoke:console:u1", f"inbox:{waiting}", "dead")
    assert store.zscore("ready", waiting) is None
    assert {turn.message_ids for turn in Conversations(store).load(shared).turns} == {(others.id,)}
    assert notices(store) == [phrase("forgotten", "ja")]


def test_forgetting_leaves_other_peoples_dead_letters(store: redis.Redis, clerk: Clerk) -> None:
    other = a_question_dies(store, message("ほかの人", user="console:u11"))

    act("order 1", order("forget"), clerk)

    assert store.hexists("dead", other)
    assert store.exists(f"letter:{other}")


def test_forgetting_while_an_answer_is_written_leaves_nothing_anywhere(
    store: redis.Redis, retriever: Retriever, clerk: Clerk
) -> None:
    accept(store, message(f"{THEIRS}と経費の締め日は？"))
    with saying(Script(ANSWER, hangs=True)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            act("order 1", order("forget"), clerk)
        answer_next(C, desk)

    assert THEIRS not in everything(store)
    store.delete(*store.scan_iter("passage:*"))  # the document's page has these words too
    assert ANSWER not in everything(store)
    assert [kind for kind, _ in page(store)][-1] == "notice"
    assert not store.exists("ready", f"lock:{C}", f"batch:{C}", f"attempts:{C}")


def test_who_leaves_line_is_forgotten_without_a_word(store: redis.Redis, desk: Desk, line: FakeLine) -> None:
    said = from_line(line, f"{THEIRS}と経費の締め日は？", age_s=100)
    accept(store, said)
    sender = line_sender(line, store)
    answer_next(said.conversation_id, replace(desk, senders={"line": sender}))
    left = Command("line", said.conversation_id, said.user_id, "unfollow", "", "ja", time.time(), {})

    act("order 1", left, make_clerk(store, {"line": sender}))

    assert THEIRS not in everything(store)
    assert ANSWER not in everything(store)
    assert line.visible(USER) == []


def test_an_open_code_lets_in_once_and_the_order_may_come_twice(store: redis.Redis, line: FakeLine) -> None:
    access = Access(store, "pairing", frozenset())
    clerk = make_clerk(store, {"line": line_sender(line, store)}, access=access)
    code = access.invite()

    def pair(control_id: str, who: str) -> None:
        said = from_line(line, code)
        to = {**said.reply_to, "reply_token": line.issue_token(who), "chat_id": who}
        act(control_id, Command("line", f"line:{who}", f"line:{who}", "pair", code, "ja", time.time(), to), clerk)

    pair("pair 1", USER)
    pair("pair 1", USER)
    pair("pair 2", OTHER_USER)

    assert line.visible(USER) == [phrase("paired", "ja")]
    assert line.visible(OTHER_USER) == [phrase("code_refused", "ja")]
    assert access.admits(f"line:{USER}")
    assert not access.admits(f"line:{OTHER_USER}")


@pytest.mark.parametrize(
    ("answered", "said"),
    [(True, "すでに上に表示しています"), (False, "もう一度質問してください")],
    ids=["shown", "gone"],
)
def test_a_button_whose_answer_is_not_kept_tells_what_became_of_it(
    store: redis.Redis, line: FakeLine, answered: bool, said: str
) -> None:
    asked = from_line(line, "経費の締め日は？")
    turn = Turn("user", (asked.text,), asked.user_id, (asked.id,))
    if answered:
        store.rpush(f"turns:{asked.conversation_id}", turn.to_json())
    sender = line_sender(line, store)
    pressed = Command(
        "line", asked.conversation_id, asked.user_id, "collect", asked.id, "ja", time.time(), asked.reply_to
    )

    act("p1", pressed, make_clerk(store, {"line": sender}, collector=sender))

    assert said in line.visible(USER)[0]


def test_a_button_whose_answer_is_still_to_come_waits_for_it(store: redis.Redis, line: FakeLine) -> None:
    asked = from_line(line, "経費の締め日は？")
    accept(store, asked)
    sender = line_sender(line, store)
    pressed = Command(
        "line", asked.conversation_id, asked.user_id, "collect", asked.id, "ja", time.time(), asked.reply_to
    )

    act("p1", pressed, make_clerk(store, {"line": sender}, collector=sender))

    assert line.visible(USER) == []
    assert store.exists(f"tap:{asked.conversation_id}")


def test_what_waits_is_shown_as_its_conversation_begins_anew_or_not_any_more(
    store: redis.Redis, line: FakeLine
) -> None:
    asked = from_line(line, "経費の締め日は？")
    sender = line_sender(line, store)
    answers = KeptAnswers(store)
    for number in range(6):  # and the confirmation: two more than one token shows
        kept = KeptAnswer(f"line:{number}", asked.user_id, "ja", [f"答え{number}"], "late")
        answers.keep(asked.conversation_id, kept, f"line:{number}")
    said = Command("line", asked.conversation_id, asked.user_id, "reset", "", "ja", time.time(), asked.reply_to)

    act("r1", said, make_clerk(store, {"line": sender}, collector=sender))

    assert "答え3" in "".join(line.visible(USER))
    assert [kept.message_id for kept in answers.of(asked.conversation_id)] == ["r1"]


def test_a_button_collects_what_was_kept(store: redis.Redis, line: FakeLine) -> None:
    sender = line_sender(line, store)
    said = from_line(line, "質問")
    kept = KeptAnswer("m1", said.user_id, "ja", [ANSWER], "late")
    KeptAnswers(store).keep(said.conversation_id, kept, said.id)
    pressed = Command("line", said.conversation_id, said.user_id, "collect", "", "ja", time.time(), said.reply_to)
    clerk = make_clerk(store, {"line": sender}, collector=sender)

    for _ in range(2):
        act("order 1", pressed, clerk)

    assert [ANSWER in shown for shown in line.visible(USER)] == [True]
    assert not store.exists(f"kept:{said.conversation_id}")


def test_the_file_is_to_be_rewritten_without_what_was_erased(store: redis.Redis, clerk: Clerk) -> None:
    act("order 1", order("forget"), clerk)

    assert store.smembers("rewrite") == {"order 1"}


def test_the_file_is_rewritten_for_a_deleted_message_of_ours_only(store: redis.Redis, clerk: Clerk) -> None:
    said = message()
    accept(store, said)

    act("deletion 1", Deletion("console", C, said.user_id, "console:c1:not for us", said.sent_at), clerk)
    act("deletion 2", Deletion("console", C, said.user_id, said.id, said.sent_at), clerk)

    assert store.smembers("rewrite") == {"deletion 2"}
