"""What a file says goes with its message, its sender, its conversation: from everything that is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis

from bot.checkpoints import Point
from bot.errors import LockLost
from tests.fakes.slack_files import drop
from tests.workers.desk import ANSWER, LIFE_S, a_worker_dies, everything, until
from tests.workers.files.dropping import DM, PARKING, WHERE, Chat
from workers.batches import Batches
from workers.dead_letters import DeadLetters
from workers.files import taking
from workers.files.kept import MOST_FILES, Files
from workers.files.keys import file_keys
from workers.phrases import phrase
from workers.serving import answer_next

SECRET = "地下二階"


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(point: Point) -> Iterator[None]:
    """Whoever passes this point is gone, and nothing that would follow an error follows."""

    def dies(passed: Point) -> None:
        if passed == point:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "checkpoint", dies)
        yield


NAME = "guests.md"


def held(store: redis.Redis) -> str:
    """All that the store has, but for what is shown on Slack, which is Slack's."""
    return everything(store)


def test_a_file_lives_as_long_as_its_conversation(chat: Chat) -> None:
    chat.drop(chat.upload())

    assert SECRET in held(chat.store)
    assert all(0 < chat.store.ttl(key) <= LIFE_S for key in file_keys(DM)[:2])


def test_the_file_goes_with_its_message_and_with_all_that_quotes_it(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    asked = chat.say(WHERE)
    chat.say(WHERE, thread_ts=dropped.reply_to["ts"])
    chat.say("受付はどこですか？", thread_ts=asked.reply_to["ts"])
    assert SECRET in held(chat.store)

    chat.delete(dropped)

    assert SECRET not in held(chat.store)
    assert NAME not in held(chat.store)
    assert chat.store.scard("rewrite") > 0


def test_a_file_that_is_deleted_on_slack_goes_with_all_that_quotes_it_and_its_message_stays(chat: Chat) -> None:
    file = chat.upload()
    dropped = chat.drop(file, text="来客のしおりの経費の締め日は？")
    asked = chat.say(WHERE)
    chat.say(WHERE, thread_ts=dropped.reply_to["ts"])
    chat.say("受付はどこですか？", thread_ts=asked.reply_to["ts"])
    assert SECRET in held(chat.store)

    chat.delete_file(file)

    assert SECRET not in held(chat.store)
    assert NAME not in held(chat.store)
    assert chat.store.scard("rewrite") > 0


def test_another_file_of_the_same_message_and_the_same_one_elsewhere_in_other_workspaces_stay(chat: Chat) -> None:
    gone, stays = chat.upload(), chat.upload("社員食堂は最上階の七階にあります。", "lunch.txt")
    chat.drop(gone, stays)

    chat.delete_file(gone, team_id="T9", authorizations=[{"team_id": "T9", "user_id": "U0BOT"}])
    assert SECRET in held(chat.store)
    chat.delete_file(gone)

    assert SECRET not in held(chat.store)
    assert "最上階" in held(chat.store)


def test_a_question_that_waits_with_its_file_is_answered_though_the_file_is_deleted(chat: Chat) -> None:
    file = chat.upload()
    chat.drop(file)
    waiting = chat.arrive(chat.slack.say("D1", "経費の締め日はいつですか？")[-1])

    chat.delete_file(file)
    chat.answer(waiting.conversation_id)

    assert ANSWER in chat.seen()[-1]


def test_after_that_nobody_finds_it(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    chat.delete(dropped)
    chat.say(WHERE)

    assert chat.seen()[-1].startswith(phrase("not_found", "ja"))


def test_other_files_and_turns_stay(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    chat.drop(chat.upload("社員食堂は最上階の七階にあります。", "lunch.txt"))
    chat.say("経費の締め日はいつですか？")
    chat.delete(dropped)

    assert "最上階" in held(chat.store)
    assert len(chat.desk.conversations.load(DM).turns) == 2


@pytest.mark.parametrize("order", ["forget", "unfollow"])
def test_the_file_goes_with_its_sender(chat: Chat, order: str) -> None:
    dropped = chat.drop(chat.upload())
    chat.say(WHERE)
    chat.command(order, dropped)

    assert SECRET not in held(chat.store)
    assert NAME not in held(chat.store)


def test_who_shows_a_file_in_a_thread_takes_it_along_when_others_have_asked_about_it(chat: Chat) -> None:
    dropped = chat.drop(chat.upload(), channel="C1")
    chat.say(WHERE, channel="C1", user="U2", thread_ts=dropped.reply_to["ts"])
    chat.command("forget", dropped)

    assert SECRET not in held(chat.store)


def test_a_conversation_that_begins_anew_has_no_files(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    chat.command("reset", dropped)

    assert not chat.store.exists(*file_keys(DM))


def test_a_file_that_is_read_when_its_conversation_begins_anew_is_not_kept(chat: Chat) -> None:
    message = chat.arrive(drop(chat.slack, "D1", chat.upload()))
    a_worker_dies(chat.store, conversation_id=DM)  # the batch knows the conversation as it was
    chat.desk.conversations.reset(DM)
    answer_next(DM, chat.desk)

    assert message.conversation_id == DM
    assert not chat.store.exists(*file_keys(DM))


def test_a_file_whose_message_was_deleted_while_it_was_read_is_not_kept(chat: Chat) -> None:
    chat.drop(chat.upload())
    (key,) = chat.store.hkeys(f"files:{DM}")
    file = chat.desk.files.kept(DM, key)
    contents = chat.desk.files._of(DM)[0][1]
    later = chat.arrive(drop(chat.slack, "D1", chat.upload(PARKING, "b.txt")))
    batch = Batches(chat.store, LIFE_S).take(DM)
    assert batch is not None
    assert file is not None
    chat.delete(later)

    with pytest.raises(LockLost):
        chat.desk.files.keep("b" * 32, file, contents, batch)


def test_an_answer_on_its_way_does_not_bring_the_file_back(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    asked = chat.say(WHERE)
    turns = chat.desk.conversations.load(DM).turns
    chat.arrive(chat.slack.say("D1", "受付は？")[-1])
    batch = Batches(chat.store, LIFE_S).take(DM)
    assert batch is not None
    chat.delete(dropped)
    made_before = [replace(turn, message_ids=tuple(batch.ids)) for turn in turns]
    chat.desk.batches.finish(batch, made_before)

    assert asked.conversation_id == DM
    assert SECRET not in held(chat.store)


def test_an_answer_that_nobody_has_seen_is_made_anew_without_the_file(chat: Chat) -> None:
    dropped = chat.drop(chat.upload())
    chat.say(WHERE)
    key = chat.store.hkeys(f"files:{DM}")[0]
    chat.arrive(chat.slack.say("D1", WHERE)[-1])
    a_worker_dies(chat.store, conversation_id=DM)
    chat.store.hset(f"batch:{DM}", "journal:answer", json.dumps(f"{SECRET} file:{key}:0"))
    chat.delete(dropped)
    chat.answer(DM)

    assert SECRET not in held(chat.store)
    assert chat.seen()[-1].startswith(phrase("not_found", "ja"))


@pytest.mark.parametrize("in_a_thread", [False, True])
def test_an_answer_that_was_given_up_is_asked_again_without_the_file(chat: Chat, in_a_thread: bool) -> None:
    dropped = chat.drop(chat.upload())
    thread_ts = dropped.reply_to["ts"] if in_a_thread else None
    conversation = chat.say(WHERE, thread_ts=thread_ts).conversation_id
    key = str(chat.store.hkeys(f"files:{DM}")[0])
    asked = chat.arrive(chat.slack.say("D1", WHERE, thread_ts=thread_ts)[-1])
    batch = Batches(chat.store, LIFE_S).take(conversation)
    assert batch is not None
    batch.journal.write(answer=f"{SECRET} file:{key}:0", parts=[SECRET], on_its_way=True)
    chat.desk.batches.finish(batch, (), dead="not delivered")
    chat.delete(dropped)

    assert SECRET not in held(chat.store)
    DeadLetters(chat.store).retry(asked.id, time.time())
    chat.answer(conversation)
    assert chat.seen()[-1].startswith(phrase("not_found", "ja"))


def test_a_vote_on_an_answer_from_a_file_is_no_golden_question(chat: Chat) -> None:
    chat.drop(chat.upload())
    chat.say(WHERE)
    quoted = chat.desk.conversations.load(DM).quoted()

    assert quoted
    assert not chat.desk.retriever.known(quoted)


def test_the_oldest_files_make_room(chat: Chat) -> None:
    for n in range(MOST_FILES + 2):
        chat.drop(chat.upload(f"第{n}号の規程は{n}階にあります。", f"{n}.txt"))

    names = [json.loads(file)["name"] for file in chat.store.hvals(f"files:{DM}")]
    assert sorted(names) == sorted(f"{n}.txt" for n in range(2, MOST_FILES + 2))
    assert chat.store.hlen(f"file_passages:{DM}") == MOST_FILES


def test_vectors_of_another_embedder_are_not_searched(chat: Chat) -> None:
    chat.drop(chat.upload())

    assert Files(chat.store, LIFE_S, "another").of(DM).chunks == ()


@pytest.mark.parametrize("stored", ["", "{", "[]", '{"v": 99}', '{"v": 1, "fingerprint": "x"}'])
def test_what_is_damaged_is_passed_over(chat: Chat, stored: str) -> None:
    chat.drop(chat.upload())
    (key,) = chat.store.hkeys(f"file_passages:{DM}")
    chat.store.hset(f"file_passages:{DM}", key, stored)

    assert chat.desk.files.of(DM).chunks == ()


def test_a_worker_that_dies_after_reading_leaves_one_answer_and_fetches_nothing_again(chat: Chat) -> None:
    file = chat.upload()
    message = chat.arrive(drop(chat.slack, "D1", file))
    with pytest.raises(Killed), killed_at("file kept"):
        answer_next(DM, chat.desk)
    chat.store.delete(f"lock:{DM}")
    assert chat.store.hexists(f"messages:{DM}", message.id)
    chat.answer(DM)

    assert file.asked == 1
    assert chat.seen() == ["『guests.md』を読みました（2か所）。\n続けて質問してください。"]


@pytest.mark.parametrize("trouble", ["cut", "500"])
def test_a_platform_that_hands_nothing_out_is_asked_again_and_then_it_is_said(chat: Chat, trouble: str) -> None:
    file = chat.upload()
    file.trouble = trouble  # type: ignore[assignment]
    chat.arrive(drop(chat.slack, "D1", file))

    for _ in range(3):
        until(lambda: float(chat.store.zscore("ready", DM) or 0) >= 0)
        answer_next(DM, chat.desk)

    (said,) = chat.seen()
    assert phrase("file_unreachable", "ja") in said
    assert file.asked == 3


def test_a_platform_that_recovers_is_read_after_all(chat: Chat) -> None:
    file = chat.upload()
    file.trouble = "500"
    chat.arrive(drop(chat.slack, "D1", file))
    answer_next(DM, chat.desk)
    file.trouble = ""
    answer_next(DM, chat.desk)

    assert chat.seen() == ["『guests.md』を読みました（2か所）。\n続けて質問してください。"]
