"""An edited last question is answered again, in the place of its answer; an older one is only remembered anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import redis

from bot.messages import Deletion, Edit, Message
from knowledge.retrieval import Retriever
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import ANSWER, at_work, everything, from_slack, make_clerk, make_desk, saying, slack_sender
from tests.workers.making import accept
from workers.acting import act
from workers.conversation import Recalled
from workers.gaps.gaps import Gaps
from workers.services import Clerk, Desk
from workers.serving import answer_next

BOX = "領収書は総務部の青い箱に入れます。"
LEAVE = "有給休暇は入社から半年で10日もらえます。"
DAY, PLACE, DAYS = "経費の締め日はいつですか？", "領収書はどこに入れますか？", "有給休暇は何日もらえますか？"


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    scripts = (Script(BOX, matches=asks(PLACE)), Script(LEAVE, matches=asks(DAYS)), Script(ANSWER))
    with saying(*scripts) as knowing:
        yield knowing


@pytest.fixture
def desk(store: redis.Redis, slack: FakeSlack, retriever: Retriever, generator: ScriptedGenerator) -> Desk:
    return make_desk(store, retriever, generator, senders={"slack": slack_sender(slack, store)})


@pytest.fixture
def clerk(store: redis.Redis, desk: Desk) -> Clerk:
    return make_clerk(store, desk.senders)


def converse(store: redis.Redis, desk: Desk, slack: FakeSlack, text: str, thread_ts: str | None = None) -> Message:
    asked = from_slack(slack, text, thread_ts=thread_ts)
    accept(store, asked)
    answer_next(asked.conversation_id, desk)
    return asked


def edit_of(asked: Message, text: str) -> Edit:
    """A person's edit, an hour after the question."""
    who = (asked.platform, asked.conversation_id, asked.user_id)
    return Edit(*who, asked.id, text, asked.sent_at + 3600, asked.reply_to)


def turns(desk: Desk, asked: Message) -> list[str]:
    return [turn.text for turn in desk.conversations.load(asked.conversation_id).turns]


def posts(slack: FakeSlack, asked: Message) -> list[str]:
    return slack.visible("C1", asked.reply_to["thread_ts"])


def own_ts(slack: FakeSlack) -> list[str]:
    return [m["ts"] for m in slack.workspace.channels["C1"].messages if m.get("bot_id")]


def test_the_new_answer_takes_the_place_of_the_old_one(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    before = own_ts(slack)

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert own_ts(slack) == before
    (shown,) = posts(slack, asked)
    assert BOX in shown
    assert ANSWER not in shown
    assert turns(desk, asked) == [PLACE, BOX]


def test_what_was_said_before_is_still_known(store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack) -> None:
    first = converse(store, desk, slack, DAYS)
    asked = converse(store, desk, slack, DAY, first.reply_to["thread_ts"])

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert turns(desk, asked) == [DAYS, LEAVE, PLACE, BOX]
    assert [LEAVE in post for post in posts(slack, asked)] == [True, False]


def recalls(store: redis.Redis, desk: Desk, asked: Message, stated: str) -> None:
    """Older turns had to go for the last question, which recalls what was stated in them."""
    last = desk.conversations.load(asked.conversation_id).turns[-2]
    recalling = replace(last, recalled=(Recalled(stated, "an older message", asked.user_id),))
    store.lset(f"turns:{asked.conversation_id}", -2, recalling.to_json())


def test_what_was_stated_before_the_conversation_was_cut_is_still_known(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack, generator: ScriptedGenerator
) -> None:
    first = converse(store, desk, slack, DAYS)
    asked = converse(store, desk, slack, DAY, first.reply_to["thread_ts"])
    recalls(store, desk, asked, "私は大阪支社の佐藤です。")

    for number in range(2):
        act(f"edit {number}", edit_of(asked, (PLACE, DAY)[number]), clerk)
        answer_next(asked.conversation_id, desk)

    assert sum(message.text.count("大阪支社") for message in generator.prompts[-1].messages) == 1
    act("deletion", Deletion("slack", asked.conversation_id, asked.user_id, "an older message", 1.0), clerk)
    assert "大阪支社" not in everything(store)


def test_nothing_of_the_old_words_is_left_in_the_store(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, "わたしの秘密の経費の締め日はいつですか？")

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert "わたしの秘密" not in everything(store)


def test_an_older_question_is_only_remembered_in_its_new_words(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    first = converse(store, desk, slack, DAY)
    converse(store, desk, slack, DAYS, first.reply_to["thread_ts"])

    act("edit 1", edit_of(first, PLACE), clerk)
    answer_next(first.conversation_id, desk)

    assert turns(desk, first) == [PLACE, ANSWER, DAYS, LEAVE]
    assert len(posts(slack, first)) == 2


@pytest.mark.parametrize("times", [2, 3])
def test_an_edit_that_comes_again_is_answered_once(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack, generator: ScriptedGenerator, times: int
) -> None:
    asked = converse(store, desk, slack, DAY)

    for _ in range(times):
        act("edit 1", edit_of(asked, PLACE), clerk)
        answer_next(asked.conversation_id, desk)

    assert len(generator.prompts) == 2
    assert len(posts(slack, asked)) == 1


def test_edit_after_edit_replaces_the_same_post(store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack) -> None:
    asked = converse(store, desk, slack, DAY)
    before = own_ts(slack)

    for number, text in enumerate((PLACE, DAYS)):
        act(f"edit {number}", edit_of(asked, text), clerk)
        answer_next(asked.conversation_id, desk)

    assert own_ts(slack) == before
    assert LEAVE in posts(slack, asked)[0]


def test_two_edits_before_the_answer_are_one_answer(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack, generator: ScriptedGenerator
) -> None:
    asked = converse(store, desk, slack, DAY)

    act("edit 1", edit_of(asked, PLACE), clerk)
    act("edit 2", edit_of(asked, DAYS), clerk)
    for _ in range(2):  # the first look at it finds that it changed
        answer_next(asked.conversation_id, desk)

    assert len(generator.prompts) == 2
    assert turns(desk, asked) == [DAYS, LEAVE]


def test_an_edit_that_changes_nothing_does_nothing(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack, generator: ScriptedGenerator
) -> None:
    asked = converse(store, desk, slack, DAY)

    act("edit 1", edit_of(asked, DAY), clerk)
    answer_next(asked.conversation_id, desk)

    assert len(generator.prompts) == 1


@pytest.mark.parametrize("text", ["", "リセット"])
def test_an_edit_to_no_question_is_only_remembered(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack, text: str
) -> None:
    asked = converse(store, desk, slack, DAY)

    act("edit 1", edit_of(asked, text), clerk)

    assert not store.exists(f"inbox:{asked.conversation_id}")
    assert turns(desk, asked) == [text, ANSWER]


def test_where_the_platform_names_no_place_to_answer_it_is_only_remembered(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    who = (asked.platform, asked.conversation_id, asked.user_id)

    act("edit 1", Edit(*who, asked.id, PLACE, asked.sent_at), clerk)

    assert turns(desk, asked) == [PLACE, ANSWER]


def test_an_answer_that_somebody_deleted_is_followed_by_one_below(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    (ts,) = own_ts(slack)
    slack.workspace.call("chat.delete", {"channel": "C1", "ts": ts})

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    (shown,) = posts(slack, asked)
    assert BOX in shown


def test_an_answer_that_may_not_be_changed_any_more_is_followed_by_one_below(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    slack.fail("chat.update", *[Fault(error="edit_window_closed")] * 20)

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert BOX in posts(slack, asked)[-1]


def long_answer(parts: int) -> str:
    return "\n\n".join(f"{ANSWER}{number}" + "あ" * 3_400 for number in range(parts))


def test_of_a_long_answer_the_first_post_is_replaced_and_the_others_go(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    thread = asked.reply_to["thread_ts"]
    metadata = {"event_type": "madoguchi_reply", "event_payload": {"message_id": asked.id, "part": 2}}
    post = {"channel": "C1", "thread_ts": thread, "text": "続きの部分", "metadata": metadata}
    slack.workspace.call("chat.postMessage", post)

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    (shown,) = posts(slack, asked)
    assert BOX in shown


def test_slack_out_of_reach_leaves_the_edit_to_be_tried_again(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    slack.fail("conversations.replies", Fault(status=500))

    with pytest.raises(Exception, match="unknown"):
        act("edit 1", edit_of(asked, PLACE), clerk)
    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert len(posts(slack, asked)) == 1
    assert turns(desk, asked) == [PLACE, BOX]


def test_a_question_that_waits_behind_it_makes_it_an_older_one(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    accept(store, from_slack(slack, DAYS, thread_ts=asked.reply_to["thread_ts"]))

    act("edit 1", edit_of(asked, PLACE), clerk)

    assert turns(desk, asked) == [PLACE, ANSWER]


def test_an_answer_that_is_not_made_anew_keeps_all_its_posts(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    thread = asked.reply_to["thread_ts"]
    metadata = {"event_type": "madoguchi_reply", "event_payload": {"message_id": asked.id, "part": 2}}
    slack.workspace.call(
        "chat.postMessage", {"channel": "C1", "thread_ts": thread, "text": "続きの部分", "metadata": metadata}
    )
    accept(store, from_slack(slack, DAYS, thread_ts=thread))

    act("edit 1", edit_of(asked, PLACE), clerk)

    assert "続きの部分" in posts(slack, asked)


def test_an_answer_of_several_messages_is_made_anew_from_all_of_them(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    first = from_slack(slack, "教えてください。")
    second = from_slack(slack, DAY, thread_ts=first.reply_to["thread_ts"])
    for asked in (first, second):
        accept(store, asked)
    answer_next(first.conversation_id, desk)

    act("edit 1", edit_of(second, PLACE), clerk)
    answer_next(first.conversation_id, desk)

    conversation = desk.conversations.load(first.conversation_id)
    assert [turn.message_ids for turn in conversation.turns] == [(first.id, second.id)] * 2
    assert turns(desk, first) == [f"教えてください。\n{PLACE}", BOX]
    assert len(posts(slack, first)) == 1


def test_a_gap_is_none_any_more_when_the_new_words_are_answered(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, "象の体重はどのくらいですか？")
    assert Gaps(store).has(asked.id)

    act("edit 1", edit_of(asked, PLACE), clerk)
    answer_next(asked.conversation_id, desk)

    assert not Gaps(store).has(asked.id)


def test_the_question_can_be_deleted_while_it_is_answered_again(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    act("edit 1", edit_of(asked, PLACE), clerk)

    act("deletion 1", Deletion("slack", asked.conversation_id, asked.user_id, asked.id, asked.sent_at), clerk)
    answer_next(asked.conversation_id, desk)

    assert PLACE not in everything(store)
    assert turns(desk, asked) == []


def test_a_worker_that_dies_before_the_new_answer_leaves_it_to_another(
    store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack
) -> None:
    asked = converse(store, desk, slack, DAY)
    act("edit 1", edit_of(asked, PLACE), clerk)
    assert desk.batches.take(asked.conversation_id) is not None
    store.delete(f"lock:{asked.conversation_id}")

    answer_next(asked.conversation_id, desk)

    assert len(posts(slack, asked)) == 1
    assert BOX in posts(slack, asked)[0]


def test_an_edit_while_the_new_answer_is_written_begins_it_anew(
    store: redis.Redis, retriever: Retriever, slack: FakeSlack
) -> None:
    scripts: Sequence[Script] = (
        Script(BOX, matches=asks(PLACE), hangs=True),
        Script(LEAVE, matches=asks(DAYS)),
        Script(ANSWER),
    )
    with saying(*scripts) as generator:
        desk = make_desk(store, retriever, generator, senders={"slack": slack_sender(slack, store)})
        clerk = make_clerk(store, desk.senders)
        asked = converse(store, desk, slack, DAY)
        act("edit 1", edit_of(asked, PLACE), clerk)
        with at_work(desk, asked.conversation_id):
            act("edit 2", edit_of(asked, DAYS), clerk)
        answer_next(asked.conversation_id, desk)

        (shown,) = posts(slack, asked)
        assert LEAVE in shown


def test_the_round_is_written_with_the_batch(store: redis.Redis, desk: Desk, clerk: Clerk, slack: FakeSlack) -> None:
    asked = converse(store, desk, slack, DAY)
    edit = edit_of(asked, PLACE)

    act("edit 1", edit, clerk)

    batch = store.hgetall(f"batch:{asked.conversation_id}")
    assert json.loads(batch["ids"]) == [asked.id]
    assert batch["journal:round"] == str(int(edit.sent_at * 1000))
    assert store.get(f"seen:{asked.id}") == "accepted"
