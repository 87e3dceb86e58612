"""What there is of an answer when its token dies is shown, and a tap brings the rest: all of it, in order, for free."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from bot.line.phrases import phrases
from bot.line.progress import MAX_TEMPLATE_UNITS
from bot.line.reply import NOTICE_BEFORE_S, LineReply
from bot.line.sender import LineSender
from bot.line.text import MAX_TEXT_UNITS, utf16_units
from bot.messages import Reply
from bot.platform import Target
from tests.bot.line.sending import JA, DiesAt, Killed, MemoryJournal, kept, press
from tests.fakes import line_events
from tests.fakes.line import LOADING, REPLY, FakeLine, Fault
from tests.fakes.line_events import GROUP, OTHER_USER, USER

FIRST, SECOND, THIRD = "締め日は毎月20日です。", "支払日は翌月10日です。", "遅れる場合は経理に連絡してください。"
WHOLE = Reply(FIRST + SECOND + THIRD)
QUEUED = "順番をお待ちください。前に2件、あと約40秒です。"


def at_the_end(stream: LineReply, target: Target) -> None:
    """The token is about to die."""
    stream.due(target.reply_to["expires_at"] - NOTICE_BEFORE_S + 1)


def words(line: FakeLine, chat: str = USER) -> str:
    """Everything that the chat shows, without what the desk says of it."""
    shown = "".join(line.visible(chat))
    for said in (*JA.introductions.values(), JA.more_by_button, "\n"):
        shown = shown.replace(said, "") if said else shown
    return shown


@pytest.fixture
def target(asked: Any) -> Target:
    question: Target = asked()
    return question


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def begun(sender: LineSender, target: Target, journal: MemoryJournal) -> LineReply:
    """An answer of which the first sentence was there when the token died."""
    stream = sender.open(target, journal)
    stream.update(FIRST)
    at_the_end(stream, target)
    return stream


@pytest.mark.usefixtures("begun")
def test_the_beginning_is_shown_with_a_button_for_the_rest(line: FakeLine) -> None:
    assert line.visible(USER) == [FIRST, JA.more_by_button]
    assert line.labels(USER) == [JA.more_button]


def test_a_tap_brings_the_rest_and_nothing_twice(
    sender: LineSender, line: FakeLine, store: redis.Redis, begun: LineReply
) -> None:
    assert begun.finish(WHOLE).kept
    press(sender, line)

    assert words(line) == FIRST + SECOND + THIRD
    assert JA.introductions["rest"] in line.visible(USER)[2]
    assert kept(store) == []
    assert line.pushes == 0


def test_the_next_message_brings_the_rest_as_well(
    sender: LineSender, line: FakeLine, asked: Any, begun: LineReply
) -> None:
    begun.finish(WHOLE)

    sender.open(asked(), MemoryJournal()).finish(Reply("次の答えです。"))

    assert words(line) == FIRST + SECOND + THIRD + "次の答えです。"


def test_another_worker_goes_on_after_the_beginning(
    sender: LineSender, line: FakeLine, begun: LineReply, target: Target, journal: MemoryJournal
) -> None:
    sender.open(target, journal).finish(WHOLE)
    press(sender, line)

    assert words(line) == FIRST + SECOND + THIRD


def test_an_answer_that_is_written_anew_is_shown_whole_and_says_so(
    sender: LineSender, line: FakeLine, begun: LineReply, target: Target, journal: MemoryJournal
) -> None:
    sender.open(target, journal).finish(Reply("支払日は翌月10日です。"))
    press(sender, line)

    assert line.visible(USER)[2:] == [f"{JA.introductions['anew']}\n\n支払日は翌月10日です。"]


def test_where_the_beginning_was_all_of_it_that_is_said(sender: LineSender, line: FakeLine, begun: LineReply) -> None:
    begun.finish(Reply(FIRST))
    press(sender, line)

    assert line.visible(USER)[2:] == [f"{JA.introductions['rest']}\n\n{JA.nothing_more}"]


def test_a_beginning_that_may_not_have_arrived_does_not_count(
    sender: LineSender, line: FakeLine, target: Target, journal: MemoryJournal
) -> None:
    line.go_wrong(REPLY, Fault.SERVER_ERROR, Fault.SERVER_ERROR)
    stream = sender.open(target, journal)
    stream.update(FIRST)
    at_the_end(stream, target)
    stream.finish(WHOLE)

    press_fresh(sender, line)

    assert words(line) == FIRST + SECOND + THIRD


def test_a_tap_before_it_is_ready_gets_the_rest_as_soon_as_it_is(
    sender: LineSender, line: FakeLine, begun: LineReply
) -> None:
    press(sender, line, asked_for="coming")
    assert len(line.visible(USER)) == 2

    assert not begun.finish(WHOLE).kept

    assert words(line) == FIRST + SECOND + THIRD


def test_a_tap_whose_token_dies_too_gets_the_next_part_and_another_button(
    sender: LineSender, line: FakeLine, begun: LineReply
) -> None:
    press(sender, line, asked_for="coming")
    begun.update(FIRST + SECOND)
    begun.due(time.time() + 50)

    assert line.visible(USER)[2:] == [SECOND, JA.more_by_button]

    begun.finish(WHOLE)
    press(sender, line)

    assert words(line) == FIRST + SECOND + THIRD


def test_a_tap_whose_token_dies_with_nothing_new_says_how_far_it_is(
    sender: LineSender, line: FakeLine, begun: LineReply
) -> None:
    press(sender, line, asked_for="coming")
    begun.waiting(QUEUED)
    begun.due(time.time() + 50)

    assert line.visible(USER)[2:] == [f"{QUEUED}\n{JA.more_by_button}"]


def test_what_a_document_says_is_shown_once(sender: LineSender, line: FakeLine, target: Target) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.preview(Reply("資料の抜粋です。"))
    at_the_end(stream, target)
    press(sender, line, asked_for="coming")
    stream.waiting(QUEUED)
    stream.due(time.time() + 50)

    assert line.visible(USER)[2:] == [f"{QUEUED}\n{JA.wait_for_button}"]


def test_a_tap_is_spent_by_one_of_two_who_see_its_end(
    sender: LineSender, line: FakeLine, begun: LineReply, target: Target, journal: MemoryJournal
) -> None:
    press(sender, line, asked_for="coming")
    other = sender.open(target, journal)
    begun.due(time.time() + 50)
    other.due(time.time() + 50)

    assert len(line.calls_of(REPLY)) == 2


def test_what_another_worker_writes_anew_is_shown_when_it_is_whole(
    sender: LineSender, line: FakeLine, begun: LineReply, target: Target, journal: MemoryJournal
) -> None:
    press(sender, line, asked_for="coming")
    anew = sender.open(target, journal)
    anew.update(SECOND)
    for _ in range(2):  # the question's own token comes first
        anew.due(time.time() + 50)
    assert SECOND not in "".join(line.visible(USER))

    anew.finish(Reply(SECOND + THIRD))
    press(sender, line)

    assert line.visible(USER)[-1] == f"{JA.introductions['anew']}\n\n{SECOND}{THIRD}"


def test_of_two_taps_one_is_answered(sender: LineSender, line: FakeLine, begun: LineReply) -> None:
    press(sender, line, asked_for="coming")
    press(sender, line, asked_for="coming")
    begun.finish(WHOLE)

    assert words(line) == FIRST + SECOND + THIRD
    assert len(line.calls_of(REPLY)) == 2


@pytest.mark.parametrize(("outcome", "said"), [("shown", JA.shown_above), ("gone", JA.gone)])
@pytest.mark.usefixtures("begun")
def test_a_tap_when_nothing_waits_is_told_what_became_of_it(
    sender: LineSender, line: FakeLine, outcome: Any, said: str
) -> None:
    press(sender, line, asked_for=outcome)

    assert line.visible(USER)[2:] == [said]


def test_in_a_group_anybodys_tap_brings_it(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked(line_events.group())
    stream = sender.open(target, MemoryJournal())
    stream.update(FIRST)
    at_the_end(stream, target)
    stream.finish(WHOLE)

    press(sender, line, source=line_events.group(OTHER_USER))

    assert words(line, GROUP) == FIRST + SECOND + THIRD


def test_before_the_first_sentence_a_document_speaks(sender: LineSender, line: FakeLine, target: Target) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.preview(Reply("資料の抜粋です。\n「締め日は毎月20日」"))
    at_the_end(stream, target)

    assert line.visible(USER) == ["資料の抜粋です。\n「締め日は毎月20日」", JA.wait_for_button]
    assert line.labels(USER) == [JA.button]


def test_with_nothing_at_all_the_place_in_the_queue_is_told(sender: LineSender, line: FakeLine, target: Target) -> None:
    stream = sender.open(target, MemoryJournal())
    stream.waiting(QUEUED)
    at_the_end(stream, target)

    assert line.visible(USER) == [f"{QUEUED}\n{JA.wait_for_button}"]


def test_a_long_beginning_is_shown_as_far_as_one_message_goes(
    sender: LineSender, line: FakeLine, target: Target, journal: MemoryJournal
) -> None:
    sentences = "".join(f"{number}番目の手順は😀です。" for number in range(1000))
    stream = sender.open(target, journal)
    stream.update(sentences)
    at_the_end(stream, target)
    stream.finish(Reply(sentences))
    press(sender, line)

    assert utf16_units(line.visible(USER)[0]) <= MAX_TEXT_UNITS
    assert line.visible(USER)[0].endswith("。")
    assert words(line) == sentences


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_notice_fits_a_template_with_the_longest_wait(language: str) -> None:
    said = phrases(language)
    for words_of_it in (said.wait_for_button, said.more_by_button):
        assert utf16_units(f"{'一' * 60}\n{words_of_it}") <= MAX_TEMPLATE_UNITS


def test_in_a_group_the_question_is_quoted(sender: LineSender, line: FakeLine, asked: Any) -> None:
    target = asked(line_events.group())
    sender.open(target, MemoryJournal()).finish(WHOLE)

    assert next(message.get("quoteToken") for message in line.messages(GROUP)) == target.reply_to["quote_token"]


def test_in_a_chat_of_two_nothing_is_quoted(sender: LineSender, line: FakeLine, target: Target) -> None:
    sender.open(target, MemoryJournal()).finish(WHOLE)

    assert not any("quoteToken" in message for message in line.messages(USER))


def test_where_line_takes_no_quotation_the_words_arrive_all_the_same(
    sender: LineSender, line: FakeLine, asked: Any
) -> None:
    line.go_wrong(REPLY, Fault.BAD_REQUEST)
    sender.open(asked(line_events.group()), MemoryJournal()).finish(WHOLE)

    assert words(line, GROUP) == FIRST + SECOND + THIRD
    assert not any("quoteToken" in message for message in line.messages(GROUP))


def test_the_animation_is_shown_once_while_the_token_lives_whoever_works(
    sender: LineSender, line: FakeLine, target: Target, journal: MemoryJournal
) -> None:
    clerk, worker = sender.open(target, journal), sender.open(target, journal)
    clerk.waiting(QUEUED)
    worker.working("検索しています")
    worker.waiting(QUEUED)

    assert [call.body["loadingSeconds"] for call in line.calls_of(LOADING)] == [60]


def test_a_tap_that_waits_shows_the_animation(sender: LineSender, line: FakeLine, begun: LineReply) -> None:
    press(sender, line, asked_for="coming")

    assert len(line.calls_of(LOADING)) == 1


def test_nothing_moves_where_nobody_could_see_its_end(sender: LineSender, line: FakeLine, asked: Any) -> None:
    sender.open(asked(age_s=60), MemoryJournal()).working("検索しています")
    sender.open(asked(line_events.group()), MemoryJournal()).working("検索しています")

    assert line.calls_of(LOADING) == []


def test_nothing_moves_once_only_a_tap_brings_the_rest(
    sender: LineSender, line: FakeLine, begun: LineReply, target: Target, journal: MemoryJournal
) -> None:
    begun.waiting(QUEUED)
    sender.open(target, journal).working("検索しています")

    assert line.calls_of(LOADING) == []


def test_what_was_kept_before_answers_had_cards_is_handed_over_once(
    sender: LineSender, line: FakeLine, store: redis.Redis, target: Target
) -> None:
    old = (
        '{"v": 1, "kind": "KeptAnswer", "message_id": "line:1", "user_id": "line:U1", "language": "ja", '
        '"parts": ["古い答え"], "introduction": "late"}'
    )
    store.rpush(f"kept:{target.conversation_id}", old)

    sender.open(target, MemoryJournal()).finish(WHOLE)

    assert kept(store) == []
    assert "古い答え" in line.visible(USER)[0]


def test_a_worker_that_dies_as_the_beginning_is_shown_loses_nothing(
    sender: LineSender, line: FakeLine, target: Target
) -> None:
    journal = DiesAt("notice", "sent")
    stream = sender.open(target, journal)
    stream.update(FIRST)
    with pytest.raises(Killed):
        at_the_end(stream, target)

    sender.open(target, journal).finish(WHOLE)
    press(sender, line)

    assert words(line) == FIRST + FIRST + SECOND + THIRD  # nobody knows whether the first was seen


def test_a_worker_that_dies_with_a_tap_in_its_hands_leaves_the_answer_to_the_next(
    sender: LineSender, line: FakeLine, target: Target
) -> None:
    journal = DiesAt("outcome", "shown")
    stream = sender.open(target, journal)
    stream.update(FIRST)
    at_the_end(stream, target)
    press(sender, line, asked_for="coming")
    with pytest.raises(Killed):
        stream.finish(WHOLE)

    sender.open(target, journal).finish(WHOLE)
    press_fresh(sender, line)

    assert words(line).removesuffix(JA.shown_above) == FIRST + SECOND + THIRD


def test_a_worker_that_dies_with_the_answer_kept_leaves_it_to_the_tap(
    sender: LineSender, line: FakeLine, target: Target
) -> None:
    journal = DiesAt("outcome", "kept")
    stream = sender.open(target, journal)
    stream.update(FIRST)
    at_the_end(stream, target)
    with pytest.raises(Killed):
        stream.finish(WHOLE)

    press(sender, line, asked_for="coming")

    assert words(line) == FIRST + SECOND + THIRD


def press_fresh(sender: LineSender, line: FakeLine) -> None:
    """The next message's token brings what is kept."""
    reply_to = {
        "reply_token": line.issue_token(USER),
        "expires_at": time.time() + 50,
        "chat_type": "user",
        "chat_id": USER,
        "user_id": USER,
        "quote_token": None,
    }
    sender.collect(reply_to, f"line:{USER}", "ja", asked_for="shown")
