"""Who is let in on LINE, from the webhook through the clerk to what people see in their chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from bot.access import Access, Mode
from bot.inbox import Inbox
from bot.line.front_door import LineFrontDoor
from bot.line.kept import KeptAnswer, KeptAnswers
from bot.line.postback import Postback
from bot.platform import WebhookRequest
from knowledge.retrieval import Retriever
from tests.bot.line.sending import make_sender
from tests.fakes import line_events
from tests.fakes.line import FakeLine, Fault
from tests.fakes.line_events import GROUP, OTHER_USER, ROOM, USER
from tests.fakes.line_profiles import FakeProfiles
from tests.fakes.model import Script
from tests.workers.desk import ANSWER, at_work, everything, make_clerk, make_desk, saying, until
from tests.workers.making import NoHints
from workers.acting import act
from workers.admitting import MOST_LISTED, TELL_GROUP_EVERY_S, TELL_PERSON_EVERY_S
from workers.controls import Controls
from workers.phrases import phrase
from workers.services import Clerk, Desk
from workers.serving import answer_next

SECRET = "line-secret"
ADMIN = "U" + "a" * 32
THEIRS = "わたしの秘密"
QUESTION = "経費の締め日はいつですか？"


class Place:
    """LINE with one bot behind it: what is said comes in through the front door, the clerk acts at once."""

    def __init__(self, line: FakeLine, store: redis.Redis, mode: Mode, allowed: frozenset[str]) -> None:
        self.line, self.store = line, store
        self.access = Access(store, mode, frozenset({f"line:{ADMIN}"}), allowed)
        self.sender = make_sender(line, store, access=self.access)
        self.clerk: Clerk = make_clerk(store, {"line": self.sender}, access=self.access)
        self._door = LineFrontDoor(SECRET, Inbox(store, NoHints()), self.access)

    def deliver(self, *events: Any) -> None:
        body = line_events.body(*events)
        assert self._door.handle(WebhookRequest(line_events.headers(SECRET, body), body)).status == 200
        controls = Controls(self.store)
        for control_id in controls.due():
            controls.carry_out(control_id, lambda name, event: act(name, event, self.clerk))

    def say(self, words: str, user: str = USER) -> list[str]:
        """What the person in a chat of two reads in answer."""
        return self._shown(user, line_events.text(words, line_events.user(user), reply_token=self._token(user)))

    def say_in_group(self, words: str, user: str | None = USER, group: str = GROUP) -> list[str]:
        """What a group reads in answer to who mentions the bot."""
        source = line_events.group(user, group) if group[0] == "C" else line_events.room(user, group)
        said = line_events.mentioning(f"@窓口 {words}", source=source, reply_token=self._token(group))
        return self._shown(group, said)

    def follow(self, user: str = USER) -> list[str]:
        return self._shown(user, line_events.follow(line_events.user(user), replyToken=self._token(user)))

    def time_passes(self) -> None:
        """What is remembered for minutes is forgotten."""
        for key in self.store.scan_iter("refused:*"):
            self.store.delete(key)

    def waits(self, chat: str) -> int:
        return int(self.store.zcard(f"inbox:line:{chat}"))

    def _token(self, chat: str) -> str:
        return self.line.issue_token(chat)

    def _shown(self, chat: str, event: dict[str, Any]) -> list[str]:
        before = len(self.line.visible(chat))
        self.deliver(event)
        return self.line.visible(chat)[before:]


@pytest.fixture
def place_of(line: FakeLine, store: redis.Redis) -> Callable[..., Place]:
    return lambda mode="pairing", allowed=frozenset(): Place(line, store, mode, allowed)


@pytest.fixture
def place(place_of: Callable[..., Place]) -> Place:
    return place_of()


def ja(name: str, **values: object) -> list[str]:
    return [phrase(name, "ja", **values)]


def code_of(shown: list[str]) -> str:
    (words,) = shown
    return words.splitlines()[0].removeprefix("招待コード: ")


# --- Who is not let in


def test_a_stranger_is_told_how_to_get_in_in_their_language(place: Place) -> None:
    assert place.say(QUESTION) == ja("not_admitted")
    assert place.say("When are expenses due?", OTHER_USER) == [phrase("not_admitted", "en")]


def test_who_says_no_words_is_told_in_the_language_that_they_use_line_in(place: Place) -> None:
    profiles = FakeProfiles()
    profiles.befriend(USER, language="en-GB")
    place.line.further.append(profiles)

    place.deliver(line_events.text("7K3M-QX9D", reply_token=place.line.issue_token(USER)))

    assert place.line.visible(USER) == [phrase("code_refused", "en")]


def test_a_strangers_flood_is_answered_once_in_ten_minutes(place: Place) -> None:
    shown = [words for number in range(30) for words in place.say(f"質問{number}")]

    assert shown == ja("not_admitted")
    assert len([call for call in place.line.calls if call.path.endswith("/reply")]) == 1
    assert TELL_PERSON_EVERY_S - 5 < place.store.ttl(f"refused:line:{USER}:not_admitted") <= TELL_PERSON_EVERY_S == 600
    place.time_passes()
    assert place.say("まだですか") == ja("not_admitted")


def test_one_strangers_flood_does_not_silence_another_stranger(place: Place) -> None:
    place.say(QUESTION)

    assert place.say(QUESTION, OTHER_USER) == ja("not_admitted")


def test_a_refusal_that_line_did_not_take_is_said_with_the_next_try(place: Place) -> None:
    place.line.go_wrong("/v2/bot/message/reply", Fault.RATE_LIMITED)
    place.say(QUESTION)

    assert not place.line.visible(USER)
    place.store.zadd("controls:due", dict.fromkeys(map(str, place.store.zrange("controls:due", 0, -1)), 0.0))
    place.deliver()
    assert place.line.visible(USER) == ja("not_admitted")


@pytest.mark.parametrize("long", ["", "あ" * 5_000, "7K3M" * 1_250, "﷽" * 5_000])
def test_nothing_of_what_a_stranger_says_is_kept(place: Place, long: str) -> None:
    place.line.goes_down()  # what cannot be carried out is kept longest

    place.deliver(line_events.text(f"{THEIRS}{long}"), line_events.mentioning(f"@窓口 {THEIRS}{long}"))

    assert THEIRS not in everything(place.store)
    assert place.waits(USER) == place.waits(GROUP) == 0


def test_new_words_of_who_is_not_let_in_are_not_kept(place: Place) -> None:
    place.line.goes_down()

    place.deliver(line_events.edited("590000000000000001", THEIRS, line_events.user()))

    assert THEIRS not in everything(place.store)


# --- Codes


def test_an_administrators_word_gives_a_code_that_lets_one_person_in(place: Place) -> None:
    code = code_of(place.say("招待", ADMIN))

    assert place.say(code) == ja("paired")
    assert place.say(code, OTHER_USER) == ja("code_refused")
    place.say(QUESTION)
    assert place.waits(USER) == 1


@pytest.mark.parametrize("word", ["招待", "招待コード", "招待。", "ｉｎｖｉｔｅ", "Invite!"])
def test_the_word_may_be_written_in_several_ways(place: Place, word: str) -> None:
    place.say(word, ADMIN)

    assert len(list(place.store.scan_iter("invite:*"))) == 1


@pytest.mark.parametrize("word", ["招待", "許可一覧", "許可", f"取り消し line:{OTHER_USER}"])
def test_from_who_is_no_administrator_it_is_a_question_like_any_other(place: Place, word: str) -> None:
    place.access.allow(f"line:{USER}")

    assert place.say(word) == []
    assert place.waits(USER) == 1
    assert not list(place.store.scan_iter("invite:*"))


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "コードは{}です",
        "Hello, my long-term code is {} thanks",
        "「{}」",
        "  {}\n",
        "@x {}!",
    ],
)
def test_a_code_in_a_sentence_counts(place: Place, around: str) -> None:
    place.say(around.format(place.access.invite()))

    assert place.access.admits(f"line:{USER}")


def test_a_code_in_full_width_counts(place: Place) -> None:
    code = place.access.invite()
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)

    assert place.say(f"コード：{wide}") == ja("paired")


def test_a_wrong_code_is_told_so_each_time_up_to_ten(place: Place) -> None:
    shown = [place.say(f"ZZZZ-ZZ2{number}") for number in range(10)]

    assert shown == [ja("code_refused")] * 10
    code = place.access.invite()
    assert place.say(code) == ja("codes_over")
    assert place.say(code) == []
    assert not place.access.admits(f"line:{USER}")


def test_words_are_no_wrong_codes(place: Place) -> None:
    for words in ("password", "deadline", "経費の締め日は2026年12月25日ですか？", "help with this plan", "long-term"):
        place.say(words)

    assert not list(place.store.scan_iter("tries:*"))


# --- Groups


def test_an_administrators_word_in_the_group_lets_it_in_and_out(place: Place) -> None:
    assert place.say_in_group("許可", ADMIN) == ja("group_paired")
    place.say_in_group(QUESTION)
    assert place.waits(GROUP) == 1

    assert place.say_in_group("許可を取り消し", ADMIN) == ja("group_revoked")
    assert place.say_in_group(QUESTION) == ja("group_not_admitted")
    assert place.waits(GROUP) == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("参加を許可", "group_paired"),
        ("Allow", "group_paired"),
        ("disallow", "group_revoked"),
        ("許可。", "group_paired"),
    ],
)
def test_the_words_in_a_group_in_japanese_and_english(place: Place, word: str, said: str) -> None:
    tongue = "en" if word.isascii() else "ja"

    assert place.say_in_group(word, ADMIN) == [phrase(said, tongue)]


@pytest.mark.parametrize("is_in", [False, True])
def test_anybody_elses_word_in_a_group_is_answered_that_an_administrator_has_to_say_it(
    place: Place, is_in: bool
) -> None:
    if is_in:
        place.access.allow(f"line:{GROUP}")

    assert place.say_in_group("許可") == ja("only_admins_let_in")
    assert place.say_in_group("許可を取り消す", OTHER_USER) == []
    assert place.access.admits(f"line:{GROUP}") is is_in


def test_the_word_of_somebody_whom_line_does_not_name_lets_nobody_in(place: Place) -> None:
    assert place.say_in_group("許可", None) == ja("only_admins_let_in")
    assert not place.access.admits(f"line:{GROUP}")


def test_a_room_is_let_in_like_a_group(place: Place) -> None:
    assert place.say_in_group("許可", ADMIN, ROOM) == ja("group_paired")
    assert place.access.admits(f"line:{ROOM}")


def test_a_group_that_is_not_let_in_is_told_so_once_an_hour(place: Place) -> None:
    shown = [place.say_in_group(f"質問{number}", user) for number in range(5) for user in (USER, OTHER_USER)]

    assert shown == [ja("group_not_admitted"), *[[]] * 9]
    key = f"refused:line:{GROUP}:group_not_admitted"
    assert TELL_GROUP_EVERY_S - 5 < place.store.ttl(key) <= TELL_GROUP_EVERY_S == 3600
    place.time_passes()
    assert place.say_in_group("When are expenses due?") == [phrase("group_not_admitted", "en")]


def test_what_is_said_in_a_group_without_a_mention_is_answered_nothing(place: Place) -> None:
    place.deliver(line_events.text("許可", line_events.group(ADMIN), reply_token=place.line.issue_token(GROUP)))

    assert place.line.visible(GROUP) == []
    assert not place.access.admits(f"line:{GROUP}")


def test_a_code_behind_a_mention_lets_the_group_in(place: Place) -> None:
    assert place.say_in_group(place.access.invite()) == ja("group_paired")
    assert place.access.admits(f"line:{GROUP}")
    assert not place.access.admits(f"line:{USER}")


@pytest.mark.parametrize("is_code", [False, True])
def test_where_nobody_can_mention_the_bot_a_group_is_let_in_by_quoting_what_it_said(
    place: Place, is_code: bool
) -> None:
    refusal = place.say_in_group(QUESTION)
    (shown,) = (str(key).removeprefix("line:sent:") for key in place.store.scan_iter("line:sent:*"))

    said = place.access.invite() if is_code else "許可"
    quoting = line_events.text(
        said, line_events.group(ADMIN), reply_token=place.line.issue_token(GROUP), quotedMessageId=shown
    )
    place.deliver(quoting)

    assert "引用" in refusal[0]
    assert place.line.visible(GROUP)[1:] == ja("group_paired")
    assert "引用" in ja("group_paired")[0]


def test_who_is_let_in_alone_is_not_let_in_in_a_group(place: Place) -> None:
    place.say(place.access.invite())

    assert place.say_in_group(QUESTION) == ja("group_not_admitted")
    assert place.waits(GROUP) == 0


def test_who_is_in_a_group_that_is_let_in_is_not_let_in_alone(place: Place) -> None:
    place.say_in_group("許可", ADMIN)

    assert place.say(QUESTION) == ja("not_admitted")
    assert place.waits(USER) == 0


def test_an_administrator_is_not_answered_in_a_group_that_is_not_let_in(place: Place) -> None:
    assert place.say_in_group(QUESTION, ADMIN) == ja("group_not_admitted")


# --- Lists


def test_with_an_allow_list_codes_let_nobody_in(place_of: Callable[..., Place]) -> None:
    code = place_of("pairing").access.invite()
    place = place_of("allowlist")

    assert place.say(code) == ja("not_on_list", who=f"line:{USER}")
    assert place.say("招待", ADMIN) == ja("no_codes")
    assert not place.access.admits(f"line:{USER}")


def test_with_an_allow_list_who_came_in_by_a_code_is_out(place_of: Callable[..., Place]) -> None:
    paired = place_of("pairing")
    paired.say(paired.access.invite())

    assert paired.access.admits(f"line:{USER}")
    assert place_of("allowlist").say(QUESTION) == ja("not_on_list", who=f"line:{USER}")


@pytest.mark.parametrize("mode", ["pairing", "allowlist"])
def test_whom_the_settings_allow_are_in(place_of: Callable[..., Place], mode: Mode) -> None:
    place = place_of(mode, frozenset({f"line:{USER}", f"line:{GROUP}"}))
    place.say(QUESTION)
    place.say_in_group(QUESTION, OTHER_USER)

    assert place.waits(USER) == place.waits(GROUP) == 1
    assert place.say(QUESTION, OTHER_USER) != []


@pytest.mark.parametrize("mode", ["pairing", "allowlist"])
@pytest.mark.parametrize("words", [f"許可 line:{USER}", f"allow {USER}", f"許可　ｌｉｎｅ：{USER}"])
def test_an_administrator_lets_in_by_name(place_of: Callable[..., Place], mode: Mode, words: str) -> None:
    place = place_of(mode)
    tongue = "en" if words.isascii() else "ja"

    assert place.say(words, ADMIN) == [phrase("allowed", tongue, who=f"line:{USER}")]
    assert place.access.admits(f"line:{USER}")


@pytest.mark.parametrize("words", ["許可", "許可 line:", "許可 line:U123", f"許可 {USER}0", "許可 u123456"])
def test_without_an_id_that_line_could_have_nobody_is_let_in(place: Place, words: str) -> None:
    assert place.say(words, ADMIN) == ja("which_to_allow")
    assert place.access.admitted() == []


@pytest.mark.parametrize("words", ["許可はいつ出ますか？", "許可 申請の方法", "allow me a question", "招待状の書き方"])
def test_an_administrators_question_with_such_a_word_is_a_question(place: Place, words: str) -> None:
    assert place.say(words, ADMIN) == []
    assert place.waits(ADMIN) == 1


def test_the_list_names_who_is_let_in_as_line_calls_them(place_of: Callable[..., Place]) -> None:
    place = place_of("pairing", frozenset({f"line:{ROOM}"}))
    profiles = FakeProfiles()
    profiles.befriend(USER, "山田 花子")
    profiles.groups[GROUP] = "総務部"
    place.line.further.append(profiles)
    place.say(place.access.invite())
    place.say_in_group("許可", ADMIN)

    (shown,) = place.say("許可一覧", ADMIN)

    assert shown.splitlines()[1:] == [f"line:{GROUP} 総務部", f"line:{ROOM}", f"line:{USER} 山田 花子"]


def test_the_list_is_short_and_a_line_that_does_not_answer_leaves_the_names_out(place: Place) -> None:
    for number in range(MOST_LISTED + 3):
        place.access.allow(f"line:U{number:032x}")

    lines = place.say("許可一覧", ADMIN)[0].splitlines()

    assert len(lines) == MOST_LISTED + 2
    assert "3" in lines[-1]


def test_nobody_is_let_in_at_first(place: Place) -> None:
    assert place.say("許可一覧", ADMIN) == ja("nobody_is_in")


def test_where_it_is_open_an_administrator_is_told_so(place_of: Callable[..., Place]) -> None:
    place = place_of("open")

    assert [place.say(word, ADMIN) for word in ("招待", "許可一覧")] == [ja("everybody_is_in")] * 2


def test_whom_the_settings_let_in_an_administrator_cannot_shut_out(place_of: Callable[..., Place]) -> None:
    place = place_of("pairing", frozenset({f"line:{USER}"}))

    assert place.say(f"取り消し line:{USER}", ADMIN) == ja("stays_in", who=f"line:{USER}")
    assert place.say(f"取り消し line:{ADMIN}", ADMIN) == ja("stays_in", who=f"line:{ADMIN}")


@pytest.mark.parametrize(("word", "tongue"), [("使い方", "ja"), ("help", "en")])
def test_an_administrator_alone_who_asks_for_help_is_told_an_administrators_words(
    place: Place, word: str, tongue: str
) -> None:
    place.access.allow(f"line:{USER}")
    place.access.allow(f"line:{GROUP}")

    names = ("help", "admin_help", "admin_help_access")
    assert place.say(word, ADMIN) == ["\n\n".join(phrase(name, tongue) for name in names)]
    assert place.say(word) == [phrase("help", tongue)]
    assert place.say_in_group(word, ADMIN) == [phrase("help", tongue)]


@pytest.mark.parametrize("said", ["「招待」", "「許可一覧」", "“invite”", "“allowed”"])
def test_the_words_that_help_names_are_orders(place: Place, said: str) -> None:
    tongue = "en" if said[0] == "“" else "ja"
    place.access.allow(f"line:{USER}")

    assert said in phrase("admin_help_access", tongue)
    assert place.say(said[1:-1], ADMIN) != []


def test_an_order_that_comes_again_after_a_crash_is_answered_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Controls, "_done", lambda *_: None)
        first = place.say("招待", ADMIN)
    place.store.zadd("controls:due", dict.fromkeys(map(str, place.store.zrange("controls:due", 0, -1)), 0.0))
    place.deliver()

    assert place.line.visible(ADMIN) == first


# --- Who is shut out again


@pytest.mark.parametrize("mode", ["pairing", "allowlist"])
def test_who_is_shut_out_soon_after_being_let_in_is_told_so(place_of: Callable[..., Place], mode: Mode) -> None:
    place = place_of(mode)
    refused = place.say(QUESTION)
    place.say(f"許可 line:{USER}", ADMIN)

    place.say(f"取り消し line:{USER}", ADMIN)

    assert place.say(QUESTION) == refused != []


def test_a_group_that_is_shut_out_soon_after_being_let_in_is_told_so(place: Place) -> None:
    refused = place.say_in_group(QUESTION)
    place.say_in_group("許可", ADMIN)

    place.say_in_group("許可を取り消し", ADMIN)

    assert place.say_in_group(QUESTION) == refused != []


@pytest.fixture
def desk_of(store: redis.Redis, retriever: Retriever) -> Callable[..., Desk]:
    return lambda place, generator: make_desk(store, retriever, generator, senders={"line": place.sender})


def test_what_waited_when_its_person_was_shut_out_is_not_answered(place: Place, desk_of: Callable[..., Desk]) -> None:
    place.access.allow(f"line:{USER}")
    place.say(QUESTION)

    assert place.say(f"取り消し line:{USER}", ADMIN) == ja("revoked", who=f"line:{USER}")
    with saying(Script(ANSWER)) as generator:
        answer_next(f"line:{USER}", desk_of(place, generator))

    assert place.line.visible(USER) == ja("no_longer_admitted")
    assert generator.prompts == []
    assert place.waits(USER) == 0
    assert not place.store.exists(f"turns:line:{USER}")


def test_an_answer_under_way_when_its_group_is_shut_out_does_not_come(
    place: Place, desk_of: Callable[..., Desk]
) -> None:
    place.access.allow(f"line:{GROUP}")
    place.say_in_group(QUESTION)

    with saying(Script(ANSWER, hangs=True)) as generator:
        desk = desk_of(place, generator)
        with at_work(desk, f"line:{GROUP}"):
            place.say_in_group("許可を取り消し", ADMIN)
        answer_next(f"line:{GROUP}", desk)

    assert place.line.visible(GROUP) == [*ja("group_revoked"), *ja("no_longer_admitted")]
    assert place.waits(GROUP) == 0


def test_what_is_kept_for_who_is_shut_out_is_not_handed_out(place: Place) -> None:
    who = f"line:{USER}"
    KeptAnswers(place.store).keep(who, KeptAnswer("line:1", who, "ja", [ANSWER], "late"), "line:1")
    button = Postback("collect", who, "line:1", "ja").data()

    place.deliver(line_events.postback(button, line_events.user(), reply_token=place.line.issue_token(USER)))

    assert place.line.visible(USER) == ja("not_admitted")


def test_who_is_let_in_again_is_answered(place: Place, desk_of: Callable[..., Desk]) -> None:
    place.access.allow(f"line:{USER}")
    place.say(f"取り消し line:{USER}", ADMIN)
    place.access.allow(f"line:{USER}")
    place.say(QUESTION)

    with saying(Script(ANSWER)) as generator:
        desk = desk_of(place, generator)
        until(lambda: answer_next(f"line:{USER}", desk) or place.waits(USER) == 0)

    assert ANSWER in place.line.visible(USER)[0]


def test_who_is_shut_out_may_still_have_everything_erased(place: Place) -> None:
    assert place.say("忘れて") == ja("forgotten")
