"""What every platform promises (bot.platform): one set of tests, a row for each platform."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, LockLost
from bot.messages import Citation, Reply
from bot.platform import Delivered, ReplyStream
from tests.bot.platforms import PLATFORMS, Platform
from tests.console_desk import MemoryJournal
from tests.stored import everything_in

ANSWER = Reply("締め日は毎月25日です。")
ERASED = Reply("消えるべき答え")
SENTENCE = "経費の規程。"
LONG = "\n\n".join(f"段落{number}。" + SENTENCE * 300 for number in range(12))
WIKI = Citation(1, "経費規程", "https://wiki.example.jp/keihi", "締め日", "毎月25日")
EXTRACT = Reply("資料の抜粋です。\n「毎月25日」", (WIKI,))
HOSTILE = (
    *("<!channel> 見て", "<@U1> さん", "@everyone 見て", "@here", "<!subteam^S1|@team>", "&lt;!channel&gt;"),
    *("[押す](javascript:alert(1))", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "a|b<c>d&e"),
    *("`<!channel>`", "```\n<!here>\n```", "{{7*7}} {user}", "\u202eabc", "|| x ||", "*" * 50),
)
STEPS: dict[str, Callable[[ReplyStream], object]] = {
    "waiting": lambda stream: stream.waiting("お待ちください"),
    "preview": lambda stream: stream.preview(EXTRACT),
    "update": lambda stream: stream.update("途中"),
    "due": lambda stream: stream.due(4e9),
}
ENDS: dict[str, Callable[[ReplyStream], Delivered]] = {
    "finish": lambda stream: stream.finish(ANSWER),
    "fail": lambda stream: stream.fail("申し訳ありません。"),
}

each_end = pytest.mark.parametrize("end", list(ENDS.values()), ids=list(ENDS))


@pytest.fixture(params=list(PLATFORMS))
def platform(request: pytest.FixtureRequest, store: redis.Redis) -> Iterator[Platform]:
    with PLATFORMS[request.param](store) as there:
        yield there


def inked(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


def test_opening_shows_nothing(platform: Platform) -> None:
    platform.sender.open(platform.asked(), MemoryJournal())

    assert platform.sees() == []


def test_an_answer_is_shown_once(platform: Platform) -> None:
    delivered = platform.sender.open(platform.asked(), MemoryJournal()).finish(ANSWER)

    assert platform.sees() == [ANSWER.text]
    assert delivered == Delivered(ANSWER.text)


def test_an_answer_that_grew_is_shown_once(platform: Platform) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.waiting("お待ちください")
    stream.update("締め日は")
    stream.update("締め日は毎月")

    stream.finish(ANSWER)

    assert platform.sees() == [ANSWER.text]


@each_end
def test_another_worker_shows_nothing_twice(platform: Platform, end: Callable[[ReplyStream], Delivered]) -> None:
    target, journal = platform.asked(), MemoryJournal()
    first = platform.sender.open(target, journal).finish(ANSWER)

    again = end(platform.sender.open(target, MemoryJournal(**journal.facts)))

    assert platform.sees() == [ANSWER.text]
    assert again == first


def test_two_questions_are_two_answers(platform: Platform) -> None:
    for text in ("一つめ", "二つめ"):
        platform.sender.open(platform.asked(), MemoryJournal()).finish(Reply(text))

    assert platform.sees() == ["一つめ", "二つめ"]


@each_end
def test_who_lost_the_lock_sends_nothing(platform: Platform, end: Callable[[ReplyStream], Delivered]) -> None:
    journal = MemoryJournal()
    stream = platform.sender.open(platform.asked(), journal)
    journal.lost = True

    with pytest.raises(LockLost):
        end(stream)

    assert platform.sees() == []


def test_an_apology_is_shown_in_place_of_the_answer(platform: Platform) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.update("途中まで")

    delivered = stream.fail("申し訳ありません。")

    assert platform.sees() == ["申し訳ありません。"]
    assert delivered.text == "申し訳ありません。"


def test_a_preview_is_shown_with_its_source_where_it_can_be_replaced(platform: Platform) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.preview(EXTRACT)
    stream.waiting("お待ちください")

    previewed = platform.previews()

    assert len(previewed) == platform.replaces
    assert all(EXTRACT.text in text and WIKI.title in text for text in previewed)


@each_end
def test_nothing_of_a_preview_is_left_when_the_answer_or_the_apology_is_there(
    platform: Platform, end: Callable[[ReplyStream], Delivered]
) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.preview(EXTRACT)
    stream.update("締め日は")

    delivered = end(stream)

    assert platform.previews() == []
    assert platform.sees() == [delivered.text]


@each_end
def test_another_worker_puts_its_words_in_the_place_of_a_preview(
    platform: Platform, end: Callable[[ReplyStream], Delivered]
) -> None:
    target, journal = platform.asked(), MemoryJournal()
    platform.sender.open(target, journal).preview(EXTRACT)

    delivered = end(platform.sender.open(target, MemoryJournal(**journal.facts)))

    assert platform.previews() == []
    assert platform.sees() == [delivered.text]


def test_a_preview_is_shown_once_however_many_attempts_show_it(platform: Platform) -> None:
    target, journal = platform.asked(), MemoryJournal()
    for words in ("古い抜粋", "古い抜粋", EXTRACT.text):
        platform.sender.open(target, MemoryJournal(**journal.facts)).preview(Reply(words))

    assert platform.previews() == [EXTRACT.text] * platform.replaces


def test_a_long_answer_takes_the_place_of_a_preview_too(platform: Platform) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.preview(EXTRACT)
    stream.finish(Reply(LONG))
    platform.sender.open(platform.asked(), MemoryJournal()).finish(ANSWER)  # what a platform keeps comes with the next

    shown = "".join(platform.sees())
    assert EXTRACT.text not in shown
    assert [shown.count(f"段落{number}。") for number in range(12)] == [1] * 12


def test_who_lost_the_lock_previews_nothing(platform: Platform) -> None:
    journal = MemoryJournal()
    stream = platform.sender.open(platform.asked(), journal)
    journal.lost = True

    with suppress(LockLost):
        stream.preview(EXTRACT)

    assert platform.previews() == []


@pytest.mark.parametrize("by_person", [True, False])
def test_an_erased_question_has_no_preview_left(platform: Platform, store: redis.Redis, by_person: bool) -> None:
    target = platform.asked()
    platform.sender.open(target, MemoryJournal()).preview(EXTRACT)

    if by_person:
        platform.sender.erase(target.conversation_id, user_id=platform.person)
    else:
        platform.sender.erase(target.conversation_id, message_ids=[target.message_id])

    assert platform.previews() == []
    assert EXTRACT.text not in everything_in(store)


@pytest.mark.parametrize("uri", ["keiri/2026.md", "javascript:alert(1)", "file:///etc/passwd", "", "HTTPS is good"])
def test_a_source_is_shown_by_its_title_and_opens_only_on_the_web(platform: Platform, uri: str) -> None:
    local = Citation(2, "申請の手順", uri, "", "")

    platform.sender.open(platform.asked(), MemoryJournal()).finish(Reply(ANSWER.text, (WIKI, local)))

    shown = "\n".join(platform.sees())
    assert ANSWER.text in shown
    assert "経費規程" in shown
    assert "申請の手順" in shown
    assert not uri or uri not in shown
    assert platform.addresses() == [WIKI.uri]


def test_a_very_long_answer_loses_no_word(platform: Platform) -> None:
    delivered = platform.sender.open(platform.asked(), MemoryJournal()).finish(Reply(LONG, (WIKI,)))
    platform.sender.open(platform.asked(), MemoryJournal()).finish(ANSWER)  # what a platform keeps comes with the next

    shown = "".join(platform.sees())
    assert [shown.count(f"段落{number}。") for number in range(12)] == [1] * 12
    assert shown.count(SENTENCE) == LONG.count(SENTENCE)
    assert inked(delivered.text) == inked(LONG)


@pytest.mark.parametrize("hostile", HOSTILE)
@each_end
def test_whatever_is_said_calls_nobody(
    platform: Platform, hostile: str, end: Callable[[ReplyStream], Delivered]
) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())
    stream.waiting(hostile)
    stream.preview(Reply(f"窓口 {hostile}", (Citation(1, hostile, hostile, hostile, hostile),)))
    assert not platform.calls_somebody()
    stream.update(hostile)
    if end is ENDS["finish"]:
        stream.finish(Reply(f"窓口 {hostile}", (Citation(1, hostile, hostile, hostile, hostile),)))
    else:
        stream.fail(f"窓口 {hostile}")

    assert "窓口" in "".join(platform.sees())
    assert not platform.calls_somebody()
    assert platform.addresses() == []


@pytest.mark.parametrize("step", list(STEPS.values()), ids=list(STEPS))
def test_a_sign_of_life_never_raises(platform: Platform, step: Callable[[ReplyStream], object]) -> None:
    target = platform.asked()
    platform.goes_down()

    step(platform.sender.open(target, MemoryJournal()))


@pytest.mark.parametrize("step", list(STEPS.values()), ids=list(STEPS))
def test_a_sign_of_life_logs_no_words(
    platform: Platform, step: Callable[[ReplyStream], object], caplog: pytest.LogCaptureFixture
) -> None:
    target = platform.asked()
    platform.goes_down()

    with caplog.at_level(logging.DEBUG):
        step(platform.sender.open(target, MemoryJournal()))

    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name[:4] == "bot.")
    assert not any(words in logged for words in ("お待ちください", "途中", "25日"))


def test_an_answer_to_a_platform_that_is_down_comes_later_or_is_kept(platform: Platform) -> None:
    target = platform.asked()
    platform.goes_down()

    try:
        delivered = platform.sender.open(target, MemoryJournal()).finish(ANSWER)
    except DeliveryDeferred:
        delivered = Delivered("", kept=True)

    assert delivered.kept
    assert platform.sees() == []


def test_a_confirmation_is_shown_once(platform: Platform) -> None:
    target, journal = platform.asked(), MemoryJournal()

    for _ in range(2):
        platform.sender.confirm(target, "会話を新しく始めます。", journal)

    assert platform.sees() == ["会話を新しく始めます。"]


def test_a_person_s_erasure_leaves_none_of_their_answers_in_the_store(platform: Platform, store: redis.Redis) -> None:
    sender, target = platform.sender, platform.asked()
    sender.open(target, MemoryJournal()).finish(ERASED)
    second = platform.asked()
    platform.goes_down()
    with suppress(DeliveryDeferred):
        platform.sender.open(second, MemoryJournal()).finish(ERASED)

    sender.erase(target.conversation_id, user_id=platform.person)

    assert ERASED.text not in everything_in(store)


def test_every_reader_may_see_what_is_public_and_what_is_for_the_place(platform: Platform) -> None:
    audience = platform.sender.audience(platform.asked().reply_to)

    assert {"public", platform.place} <= audience


def test_a_platform_that_is_down_has_an_audience_all_the_same(platform: Platform) -> None:
    target = platform.asked()
    platform.goes_down()

    assert "public" in platform.sender.audience(target.reply_to)


def test_a_due_time_is_a_time_or_none(platform: Platform) -> None:
    due_at = platform.sender.due_at(platform.asked().reply_to)

    assert due_at is None or 1.7e9 < due_at < 4e9


@pytest.mark.parametrize("text", ["", " \n　"])
def test_an_answer_without_words_shows_nothing_and_is_no_crash(platform: Platform, text: str) -> None:
    stream = platform.sender.open(platform.asked(), MemoryJournal())

    with suppress(DeliveryFailed):
        stream.finish(Reply(text))

    assert not any(seen.strip() for seen in platform.sees())
