"""LINE's webhook: what is signed becomes durable once, what is not is refused, and nothing makes it fail."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest
import redis

from bot.access import Access
from bot.inbox import ROOM, Inbox
from bot.line.calling import CallWords
from bot.line.front_door import LineFrontDoor, signed
from bot.line.postback import Postback
from bot.messages import Command, Control, Deletion, Edit, Message, control_from_json
from bot.platform import MAX_BODY_BYTES, WebhookRequest, WebhookResponse
from bot.store import connect
from tests.fakes import line_events

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
USER, GROUP = f"line:{line_events.USER}", f"line:{line_events.GROUP}"


class NoHints:
    """Nobody listens: the clerk's tick finds it."""

    def answer(self, conversation_id: str) -> None:
        """Nothing."""

    def act(self, control_id: str) -> None:
        """Nothing."""


@pytest.fixture
def access(store: redis.Redis) -> Access:
    return Access(store, "pairing", frozenset({USER, GROUP}))


@pytest.fixture
def door(store: redis.Redis, access: Access) -> LineFrontDoor:
    return LineFrontDoor(SECRET, Inbox(store, NoHints()), access)


def deliver(door: LineFrontDoor, *events: Any) -> WebhookResponse:
    """Send the events as one signed body."""
    body = line_events.body(*events)
    return door.handle(WebhookRequest(line_events.headers(SECRET, body), body))


def waiting(store: redis.Redis, conversation_id: str = USER) -> list[Message]:
    ids = store.zrange(f"inbox:{conversation_id}", 0, -1)
    return [Message.from_json(str(store.hget(f"messages:{conversation_id}", str(id_)))) for id_ in ids]


def controls(store: redis.Redis) -> list[Control]:
    return [control_from_json(text) for text in store.hvals("controls")]


def test_lines_own_documented_signature_is_right() -> None:
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'

    assert signed(SECRET.encode(), body, "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=")


def test_the_consoles_verify_call_is_answered_with_200(door: LineFrontDoor) -> None:
    assert deliver(door).status == 200


def test_a_signed_text_message_waits_to_be_answered(door: LineFrontDoor, store: redis.Redis) -> None:
    event = line_events.text("経費の締め日は？")

    assert deliver(door, event).status == 200
    assert [message.text for message in waiting(store)] == ["経費の締め日は？"]
    assert 50 < waiting(store)[0].reply_to["expires_at"] - time.time() <= 55


def test_a_message_delivered_again_waits_once(door: LineFrontDoor, store: redis.Redis) -> None:
    event = line_events.text("経費の締め日は？")

    answers = [deliver(door, event), deliver(door, event), deliver(door, line_events.redelivered(event))]

    assert [answer.status for answer in answers] == [200] * 3
    assert len(waiting(store)) == 1


@pytest.mark.parametrize(
    "bad",
    [None, 1, "x", [], {}, {"type": "message"}, {"type": []}, line_events.text("x") | {"message": None}],
)
def test_a_bad_event_never_spoils_the_others(door: LineFrontDoor, store: redis.Redis, bad: Any) -> None:
    answer = deliver(door, line_events.text("一つ目"), bad, line_events.text("三つ目"))

    assert answer.status == 200
    assert [message.text for message in waiting(store)] == ["一つ目", "三つ目"]


def test_what_is_taken_back_goes_to_the_clerk(door: LineFrontDoor, store: redis.Redis) -> None:
    deliver(door, line_events.unsend("590000000000000001"))

    (control,) = controls(store)
    assert isinstance(control, Deletion)
    assert control.message_id == "line:590000000000000001"


GOOD = line_events.body(line_events.text("こんにちは"))
SIGNATURE = line_events.sign(SECRET, GOOD)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-line-signature": ""},
        {"x-line-signature": " "},
        {"x-line-signature": "AAAA"},
        {"x-line-signature": SIGNATURE.rstrip("=")},
        {"x-line-signature": SIGNATURE + "="},
        {"x-line-signature": SIGNATURE + " "},
        {"x-line-signature": SIGNATURE.swapcase()},
        {"x-line-signature": f"sha256={SIGNATURE}"},
        {"x-line-signature": f"{SIGNATURE}, {SIGNATURE}"},
        {"x-line-signature": line_events.sign("another secret", GOOD)},
        {"x-line-signature": line_events.sign(SECRET, GOOD + b" ")},
        {"x-line-signature": line_events.sign("", GOOD)},
        {"x-line-signature": "窓口"},
        {"x-line-signature": "\udcff\x00"},
        {"x-line-signature": "A" * 100_000},
        {"x-slack-signature": SIGNATURE},
    ],
)
def test_what_is_not_signed_by_line_is_a_401(door: LineFrontDoor, store: redis.Redis, headers: dict[str, str]) -> None:
    assert door.handle(WebhookRequest(headers, GOOD)).status == 401
    assert waiting(store) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"events=[]",
        b"{",
        b"[]",
        b"null",
        b"true",
        b"1",
        b'"events"',
        b"{}",
        b'{"events": null}',
        b'{"events": {}}',
        b'{"events": "[]"}',
        b'{"events": 0}',
        b'{"Events": []}',
        b'{"events": [NaN]}',
        b'{"events": [Infinity]}',
        b'{"events": [' + b"9" * 10_000 + b"]}",
        b'{"events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"events": ' + b"[" * 100_000,
        b'{"events": [' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]}",
        b'{"events": [{"type": "mess',
        '{"events": ["窓'.encode()[:-1],
    ],
    ids=lambda body: f"{bytes(body[:20])!r}…{len(body)}",
)
def test_a_signed_body_that_line_never_sends_is_a_400(door: LineFrontDoor, body: bytes) -> None:
    assert door.handle(WebhookRequest(line_events.headers(SECRET, body), body)).status == 400


def test_a_body_over_the_limit_is_a_413(door: LineFrontDoor) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)

    assert door.handle(WebhookRequest(line_events.headers(SECRET, body), body)).status == 413


def test_a_refusal_says_nothing_of_the_request(door: LineFrontDoor, caplog: pytest.LogCaptureFixture) -> None:
    answer = door.handle(WebhookRequest({"x-line-signature": "secret-word"}, b"secret-word"))

    assert "secret-word" not in answer.body + caplog.text


def test_what_a_stranger_says_becomes_a_wish_to_be_paired(door: LineFrontDoor, store: redis.Redis) -> None:
    deliver(door, line_events.text("7K3M-QX9D please", line_events.user(line_events.OTHER_USER)))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert (command.name, command.argument, command.language) == ("pair", "7K3MQX9D", "en")
    assert command.reply_to["reply_token"]
    assert waiting(store, f"line:{line_events.OTHER_USER}") == []


def test_a_code_alone_says_nothing_of_a_language(door: LineFrontDoor, store: redis.Redis) -> None:
    deliver(door, line_events.text("7k3m-qx9d", line_events.user(line_events.OTHER_USER)))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert (command.name, command.argument, command.language) == ("pair", "7K3MQX9D", "")


@pytest.mark.parametrize("event", [line_events.follow(), line_events.text("ヘルプ"), line_events.text("リセット")])
def test_a_stranger_who_follows_or_orders_is_told_how_to_get_in(
    door: LineFrontDoor, store: redis.Redis, event: dict[str, Any]
) -> None:
    event = event | {"source": line_events.user(line_events.OTHER_USER)}
    deliver(door, event)

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert (command.name, command.argument) == ("pair", "")


@pytest.mark.parametrize(("said", "order"), [("忘れて", "forget"), (None, "unfollow")])
def test_who_is_no_longer_let_in_may_still_have_everything_erased(
    door: LineFrontDoor, store: redis.Redis, said: str | None, order: str
) -> None:
    stranger = line_events.user(line_events.OTHER_USER)
    deliver(door, line_events.text(said, stranger) if said else line_events.unfollow(stranger))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert command.name == order


def test_a_group_that_is_not_let_in_is_answered_only_when_the_bot_is_mentioned(
    door: LineFrontDoor, store: redis.Redis
) -> None:
    elsewhere = line_events.group(group_id="C" + "0" * 32)  # the speaker is let in, the group is not
    deliver(door, line_events.text("お昼は？", elsewhere), line_events.mentioning("@窓口 締め日は？", source=elsewhere))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert (command.name, command.argument) == ("pair_group", "")
    assert command.conversation_id == "line:C" + "0" * 32


def test_who_redeemed_a_code_is_heard(door: LineFrontDoor, access: Access, store: redis.Redis) -> None:
    access.redeem(access.invite(), f"line:{line_events.OTHER_USER}")

    deliver(door, line_events.text("締め日は？", line_events.user(line_events.OTHER_USER)))

    assert len(waiting(store, f"line:{line_events.OTHER_USER}")) == 1


def test_a_replay_after_two_days_does_nothing(door: LineFrontDoor, store: redis.Redis) -> None:
    old = line_events.text("締め日は？", sent_at=time.time() - 48 * 3600)

    assert deliver(door, old).status == 200
    assert waiting(store) == []


def test_a_store_that_is_down_is_a_503_within_two_seconds() -> None:
    nowhere = connect("unix:///nowhere/store.sock")
    door = LineFrontDoor(SECRET, Inbox(nowhere, NoHints()), Access(nowhere, "pairing", frozenset({USER})))
    began = time.monotonic()

    answer = deliver(door, *(line_events.text(f"{number}") for number in range(20)))

    assert answer.status == 503
    assert time.monotonic() - began < 2


def test_a_full_conversation_is_a_503_and_the_others_are_taken_in(door: LineFrontDoor, store: redis.Redis) -> None:
    waiting_already = Message("x", "line", USER, USER, "x", 1.0, {})
    for number in range(ROOM):
        Inbox(store, NoHints()).accept(dataclasses.replace(waiting_already, id=str(number)), f"d{number}")
    events = [line_events.text("もう一つ"), line_events.mentioning("@窓口 締め日は？")]

    assert deliver(door, *events).status == 503
    assert len(waiting(store, GROUP)) == 1

    store.delete(f"inbox:{USER}")
    assert deliver(door, *events).status == 200
    assert len(waiting(store, GROUP)) == 1
    assert len(waiting(store)) == 1


def test_text_that_no_encoding_holds_is_taken_in(door: LineFrontDoor, store: redis.Redis) -> None:
    body = json.dumps({"events": [line_events.text("締め日\ud83d")]}).encode()

    assert door.handle(WebhookRequest(line_events.headers(SECRET, body), body)).status == 200
    assert [message.text for message in waiting(store)] == ["締め日\ufffd"]


def test_a_quote_that_cannot_be_looked_up_is_a_503_so_that_line_delivers_it_again(store: redis.Redis) -> None:
    nowhere = connect("unix:///nowhere/store.sock")
    door = LineFrontDoor(SECRET, Inbox(nowhere, NoHints()), Access(nowhere, "open", frozenset()))

    assert deliver(door, line_events.text("もう少し", line_events.group(), quotedMessageId="901")).status == 503


def test_a_call_word_of_the_settings_is_heard(store: redis.Redis, access: Access) -> None:
    door = LineFrontDoor(SECRET, Inbox(store, NoHints()), access, CallWords(("窓口",)))

    deliver(door, line_events.text("窓口、締め日は？", line_events.group()))
    deliver(door, line_events.text("窓口はどこ？", line_events.group()))

    assert [message.text for message in waiting(store, GROUP)] == ["締め日は？"]


def test_a_strangers_vote_is_dropped_and_their_sticker_is_a_wish_to_be_let_in(
    door: LineFrontDoor, store: redis.Redis
) -> None:
    stranger = line_events.user(line_events.OTHER_USER)
    vote = Postback("vote", f"line:{line_events.OTHER_USER}", "line:1", "ja", "up").data()
    sticker = {"type": "sticker", "id": "1", "packageId": "1", "stickerId": "1"}
    deliver(door, line_events.postback(vote, stranger), line_events.event("message", stranger, message=sticker))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert command.name == "pair"


def test_a_press_delivered_again_counts_once(door: LineFrontDoor, store: redis.Redis) -> None:
    press = line_events.postback(Postback("vote", USER, "line:1", "ja", "up").data())

    deliver(door, press, press)
    deliver(door, line_events.redelivered(press))

    assert len(controls(store)) == 1


def test_messages_that_come_out_of_order_wait_in_the_order_in_which_they_were_said(
    door: LineFrontDoor, store: redis.Redis
) -> None:
    now = time.time()
    deliver(door, line_events.text("二つ目", sent_at=now - 1), line_events.text("一つ目", sent_at=now - 2))

    assert [message.text for message in waiting(store)] == ["一つ目", "二つ目"]


def test_a_message_that_was_unsent_before_it_came_never_waits(door: LineFrontDoor, store: redis.Redis) -> None:
    said = line_events.text("締め日は？")
    deliver(door, line_events.unsend(said["message"]["id"]))
    deliver(door, said)

    assert waiting(store) == []


def test_of_an_edit_of_what_people_said_to_each_other_nothing_is_kept(door: LineFrontDoor, store: redis.Redis) -> None:
    said = line_events.text("お昼は？", line_events.group())
    deliver(door, said, line_events.edited(said["message"]["id"], "お昼はそばで"))

    assert controls(store) == []
    assert not store.exists(f"rate:{USER}")


def test_people_who_edit_where_the_bot_is_not_let_in_give_the_clerk_nothing_to_do(
    door: LineFrontDoor, store: redis.Redis
) -> None:
    said = line_events.text("お昼は？", line_events.room())
    deliver(door, said, line_events.edited(said["message"]["id"], "お昼はそばで", line_events.room()))

    assert controls(store) == []


def test_an_edit_of_what_was_said_to_the_bot_goes_to_the_clerk(door: LineFrontDoor, store: redis.Redis) -> None:
    said = line_events.mentioning("@窓口 締め日は？")
    deliver(door, said, line_events.edited(said["message"]["id"], "締切は？"))

    (edit,) = controls(store)
    assert isinstance(edit, Edit)
    assert edit.text == "締切は？"


def called_in(text: str) -> dict[str, Any]:
    """What an edited message has besides its text when it mentions the bot."""
    return {"mention": {"mentionees": [line_events.mentionee(text, "@窓口", is_self=True)]}}


def test_an_edit_that_overtakes_its_message_is_what_is_asked(door: LineFrontDoor, store: redis.Redis) -> None:
    said, anew = line_events.mentioning("@窓口 締め日は？"), "@窓口 支払日は？"
    deliver(door, line_events.edited(said["message"]["id"], anew, **called_in(anew)))
    deliver(door, said)

    assert [message.text for message in waiting(store, GROUP)] == ["支払日は？"]
    assert controls(store) == []


def test_who_calls_the_bot_by_an_edit_is_answered(door: LineFrontDoor, store: redis.Redis) -> None:
    said, anew = line_events.text("締め日は？", line_events.group()), "@窓口 締め日は？"
    deliver(door, said)
    deliver(door, line_events.edited(said["message"]["id"], anew, **called_in(anew)))

    assert [message.text for message in waiting(store, GROUP)] == ["締め日は？"]


def test_an_edit_of_what_was_unsent_is_not_asked(door: LineFrontDoor, store: redis.Redis) -> None:
    said, anew = line_events.mentioning("@窓口 締め日は？"), "@窓口 支払日は？"
    deliver(door, said)
    deliver(door, line_events.unsend(said["message"]["id"], line_events.group()))
    deliver(door, line_events.edited(said["message"]["id"], anew, **called_in(anew)))

    assert "支払日は？" not in [message.text for message in waiting(store, GROUP)]
