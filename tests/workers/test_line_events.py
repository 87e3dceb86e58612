"""LINE's events end to end: in by the front door, carried out by the clerk, answered by a worker, shown by LINE."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.access import Access, Mode
from bot.inbox import Inbox
from bot.line.calling import CallWords
from bot.line.front_door import LineFrontDoor
from bot.line.postback import Postback
from bot.platform import WebhookRequest
from knowledge.retrieval import Retriever
from tests.bot.line.sending import make_sender
from tests.fakes import line_events, line_flex
from tests.fakes.line import FakeLine
from tests.fakes.line_content import FakeContent
from tests.fakes.line_events import GROUP, OTHER_USER, ROOM, USER
from tests.fakes.line_profiles import FakeProfiles
from tests.fakes.model import Script
from tests.workers.desk import ANSWER, everything, make_clerk, make_desk, saying
from tests.workers.making import NoHints
from workers.acting import act
from workers.controls import Controls
from workers.phrases import phrase
from workers.serving import answer_next
from workers.votes.votes import Votes

CHANNEL_SECRET = "line-secret"
SECRET = "オニヤンマ"
QUESTION = f"{SECRET}の経費の締め日はいつですか？"
WITHOUT_WORDS = {"seen", "epoch", "interrupt", "erased", "fence", "rewrite", "line:sent", "line", "spoke"}


class Chats:
    """Chats on the fake LINE, with everything of ours behind them."""

    def __init__(
        self, store: redis.Redis, line: FakeLine, retriever: Retriever, model: Any, *, mode: Mode = "open"
    ) -> None:
        self.line, self.store = line, store
        self.access = Access(store, mode, frozenset())
        sender = make_sender(line, store, access=self.access)
        self.desk = make_desk(store, retriever, model, senders={"line": sender})
        self.clerk = make_clerk(store, {"line": sender}, access=self.access)
        self._door = LineFrontDoor(CHANNEL_SECRET, Inbox(store, NoHints()), self.access, CallWords(("窓口",)))

    def deliver(self, *events: Any) -> None:
        """LINE delivers the events in one body; the clerk acts, a worker answers."""
        body = line_events.body(*events)
        request = WebhookRequest(line_events.headers(CHANNEL_SECRET, body), body)
        assert self._door.handle(request).status == 200
        controls = Controls(self.store)
        for control_id in controls.due():
            controls.carry_out(control_id, lambda name, event: act(name, event, self.clerk))
        for conversation in list(self.store.zrange("ready", 0, -1)):
            answer_next(str(conversation), self.desk)

    def ask(self, text: str, source: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
        source = source or line_events.user()
        event = line_events.text(text, source, reply_token=self.token(source), **fields)
        self.deliver(event)
        return event

    def token(self, source: dict[str, str]) -> str:
        return self.line.issue_token(source.get("groupId") or source.get("roomId") or source["userId"])

    def send(self, kind: str, source: dict[str, str] | None = None, **message: Any) -> dict[str, Any]:
        """Somebody sends something that is no text."""
        source = source or line_events.user()
        said = {"type": kind, "id": str(time.time_ns()), **message}
        event = line_events.event("message", source, replyToken=self.token(source), message=said)
        self.deliver(event)
        return event

    def joins(self, source: dict[str, str]) -> None:
        self.deliver(line_events.event("join", source, replyToken=self.token(source)))

    def press(self, data: str, source: dict[str, str] | None = None) -> None:
        source = source or line_events.user()
        self.deliver(line_events.postback(data, source, reply_token=self.token(source)))


@pytest.fixture
def chats(store: redis.Redis, line: FakeLine, retriever: Retriever) -> Iterator[Chats]:
    with saying(Script(ANSWER)) as model:
        yield Chats(store, line, retriever, model)


@pytest.fixture
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        yield fake


def test_a_call_word_and_a_quote_of_the_answer_are_answered_in_a_group(chats: Chats) -> None:
    chats.ask("窓口、経費の締め日はいつですか？", line_events.group())
    shown = chats.line.visible(GROUP)
    (first, *_) = [str(key).rpartition(":")[2] for key in chats.store.scan_iter("line:sent:*")]

    chats.ask("経費の締め日はいつですか？", line_events.group(OTHER_USER))
    assert chats.line.visible(GROUP) == shown

    chats.ask("経費の締め日をもう一度", line_events.group(OTHER_USER), quotedMessageId=first)
    assert len(shown) >= 1
    assert len(chats.line.visible(GROUP)) > len(shown)
    assert chats.line.pushes == 0


@pytest.mark.parametrize("kind", ["sticker", "image", "video", "audio", "location"])
def test_what_cannot_be_read_is_said_with_what_can_be(chats: Chats, kind: str) -> None:
    chats.send(kind)

    assert chats.line.visible(USER) == [phrase("cannot_read", "ja", what=phrase(f"kind_{kind}", "ja"))]


def test_it_is_said_in_the_language_that_the_person_uses_line_in(chats: Chats) -> None:
    told = FakeProfiles()
    chats.line.further.append(told)
    told.befriend(USER, "Ann", "en")

    chats.send("sticker")

    assert chats.line.visible(USER) == [phrase("cannot_read", "en", what="stickers")]


def test_twenty_pictures_are_told_of_once_and_another_person_hears_of_it_too(chats: Chats) -> None:
    for number in range(1, 21):
        chats.send("image", imageSet={"id": "E005", "index": number, "total": 20})
    chats.send("sticker")
    chats.send("image", line_events.user(OTHER_USER))

    assert len(chats.line.visible(USER)) == 1
    assert len(chats.line.visible(OTHER_USER)) == 1

    assert 0 < chats.store.ttl(f"unread:line:{USER}") <= 600


def test_in_a_group_nobody_is_told_so(chats: Chats) -> None:
    for kind in ("sticker", "image", "file"):
        chats.send(kind, line_events.group(), fileName="a.txt", fileSize=1)

    assert chats.line.visible(GROUP) == []


@pytest.mark.parametrize("source", [line_events.group(None), line_events.room(None)], ids=["group", "room"])
def test_a_group_that_it_joins_hears_how_to_call_it(chats: Chats, source: dict[str, str]) -> None:
    chats.joins(source)

    (greeting,) = chats.line.visible(source.get("groupId") or source["roomId"])
    assert "「窓口、締め日はいつですか？」" in greeting
    assert "メンション" in greeting
    assert "引用" in greeting


def test_a_group_that_is_not_let_in_hears_how_an_administrator_lets_it_in(
    store: redis.Redis, line: FakeLine, retriever: Retriever
) -> None:
    with saying(Script(ANSWER)) as model:
        Chats(store, line, retriever, model, mode="pairing").joins(line_events.group(None))

    assert line.visible(GROUP) == [phrase("group_not_admitted", "ja")]


@pytest.mark.parametrize(("language", "begins"), [("ja", "知りたいこと"), ("en", "Just write")])
def test_the_menus_first_item_invites_to_ask_with_an_example(chats: Chats, language: str, begins: str) -> None:
    chats.press(Postback("menu", "", "", language, "ask").data())

    (invitation,) = chats.line.visible(USER)
    assert invitation.startswith(begins)


def test_the_menus_language_is_spoken_from_then_on(chats: Chats) -> None:
    chats.press(Postback("menu", "", "", "en", "language").data())
    chats.send("sticker")

    assert chats.line.visible(USER) == [
        phrase("language_chosen", "en"),
        phrase("cannot_read", "en", what="stickers"),
    ]


def test_a_pressed_vote_counts_once_for_each_person_and_not_from_another_chat(chats: Chats) -> None:
    group = line_events.group()
    chats.ask("窓口、経費の締め日はいつですか？", group)
    card = next(message for message in chats.line.messages(GROUP) if message["type"] == "flex")
    helpful = line_flex.postbacks(card)[0]

    for source in (group, group, line_events.group(OTHER_USER), line_events.user(), line_events.room()):
        chats.press(helpful, source)

    assert sorted(vote.voter for vote in Votes(chats.store).all()) == sorted([f"line:{USER}", f"line:{OTHER_USER}"])


def test_a_file_waits_for_a_question_and_its_unsending_takes_it_away(chats: Chats) -> None:
    content = FakeContent()
    chats.line.further.append(content)
    sent = content.send("guests.md", f"# 来客\n\n{SECRET}は来客用の駐車場です。地下二階にあります。")
    chats.deliver(sent.event(reply_token=chats.token(line_events.user())))

    assert chats.line.visible(USER)[0].startswith("『guests.md』を読みました")
    assert SECRET in everything(chats.store)

    chats.deliver(line_events.unsend(sent.message_id))
    assert SECRET not in everything(chats.store)


def left(chats: Chats, source: dict[str, str]) -> None:
    chats.deliver(line_events.event("leave", source))


def test_of_a_group_that_it_leaves_nothing_is_left(chats: Chats) -> None:
    group = line_events.group()
    asked = chats.ask(f"窓口、{QUESTION}", group)
    card = next(message for message in chats.line.messages(GROUP) if message["type"] == "flex")
    chats.press(line_flex.postbacks(card)[0], group)
    chats.store.delete(f"turns:line:{GROUP}", f"about:line:{asked['message']['id']}")  # they end before a vote does
    chats.ask(f"窓口、{QUESTION}", group)
    chats.store.set(f"line_profile:line:{GROUP}", SECRET)
    chats.store.set(f"kept:line:{GROUP}", SECRET)
    assert SECRET in everything(chats.store)
    assert chats.store.zcard("provenances") == 2

    left(chats, {"type": "group", "groupId": GROUP})

    assert SECRET not in everything(chats.store)
    assert Votes(chats.store).all() == []
    assert not chats.store.exists("provenances")
    names = {str(key).partition(":")[0] for key in chats.store.scan_iter(f"*{GROUP}*")}
    assert names <= WITHOUT_WORDS
    assert not chats.store.sismember(f"spoke:line:{USER}", f"line:{GROUP}")


def test_other_chats_notice_nothing_of_it(chats: Chats) -> None:
    chats.ask(f"窓口、{QUESTION}", line_events.group())
    chats.ask(f"窓口、{QUESTION}", line_events.room())
    chats.ask(QUESTION)

    left(chats, {"type": "room", "roomId": ROOM})

    assert not chats.store.exists(f"turns:line:{ROOM}")
    assert chats.store.exists(f"turns:line:{GROUP}", f"turns:line:{USER}") == 2


def test_to_leave_a_group_does_not_begin_the_tries_at_codes_anew(chats: Chats) -> None:
    chats.store.set(f"tries:line:{GROUP}", "10")

    left(chats, {"type": "group", "groupId": GROUP})

    assert chats.store.get(f"tries:line:{GROUP}") == "10"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the later one first"])
def test_the_newest_edit_stands_in_whichever_order_they_come_and_nothing_is_answered_again(
    chats: Chats, order: tuple[int, int]
) -> None:
    group = line_events.group()
    asked = chats.ask("窓口、経費の締め日はいつですか？", group)
    shown = chats.line.visible(GROUP)
    said = {1: "窓口、経費の締切は？", 2: f"窓口、{SECRET}の締切は？"}

    for number in order:
        edited = line_events.edited(asked["message"]["id"], said[number], group)
        chats.deliver(edited | {"timestamp": asked["timestamp"] + number})

    (turn, *_) = chats.desk.conversations.load(f"line:{GROUP}").turns
    assert turn.texts == (f"{SECRET}の締切は？",)
    assert chats.line.visible(GROUP) == shown


def test_an_unsent_message_is_gone_whoever_holds_the_chat(chats: Chats) -> None:
    asked = chats.ask(QUESTION)
    assert SECRET in everything(chats.store)

    chats.deliver(line_events.unsend(asked["message"]["id"]) | {"mode": "standby"})

    assert SECRET not in everything(chats.store)


def test_one_body_with_every_kind_of_event_is_answered_message_by_message(chats: Chats) -> None:
    group = line_events.group()
    question = line_events.text("経費の締め日はいつですか？", reply_token=chats.token(line_events.user()))
    in_group = line_events.text("窓口、経費の締め日はいつですか？", group, reply_token=chats.token(group))
    nothing = [
        line_events.event("memberJoined", group, joined={"members": [line_events.user(OTHER_USER)]}),
        line_events.event("memberLeft", group, left={"members": [line_events.user(OTHER_USER)]}),
        line_events.event("somethingNew", group),
        {"type": "message", "source": None},
        None,
    ]

    chats.deliver(*nothing, question, *nothing, in_group, *nothing)

    assert len(chats.line.visible(USER)) == len(chats.line.visible(GROUP)) == 1
