"""The front door takes what Slack signed, durably, and refuses everything else without an error of its own."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.errors import BadRequest
from bot.inbox import ROOM, Inbox
from bot.messages import Command, Message, control_from_json
from bot.platform import MAX_BODY_BYTES, WebhookRequest, WebhookResponse
from bot.slack.front_door import SlackFrontDoor
from bot.slack.signing import signature, verify
from bot.store import connect
from tests.fakes.slack_events import (
    TEAM,
    app_mention,
    body_of,
    edited,
    envelope,
    form_of,
    mention_as_message,
    message_deleted,
    message_im,
    said,
    sign,
    url_verification,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
MENTION = body_of(app_mention("経費の締め日は？"))
QUESTION_ID = f"slack:{TEAM}:C1:1700000000.000100"


class NoHints:
    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...


@pytest.fixture
def door(store: redis.Redis) -> SlackFrontDoor:
    return SlackFrontDoor(SECRET, Inbox(store, NoHints()))


def deliver(door: SlackFrontDoor, source: dict[str, Any], **headers: str) -> WebhookResponse:
    body = body_of(source)
    return door.handle(WebhookRequest(sign(SECRET, body) | headers, body))


def waiting(store: redis.Redis) -> list[str]:
    return [str(message_id) for key in store.scan_iter("inbox:*") for message_id in store.zrange(key, 0, -1)]


def controls(store: redis.Redis) -> list[Any]:
    return [control_from_json(text) for text in store.hvals("controls")]


def test_slacks_own_vector_of_a_signature() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signed = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

    assert signature(SECRET, "1531420618", body) == signed
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": signed}
    verify(SECRET, headers, body, now=1531420618 + 299)
    for now in (1531420618 + 301, 1531420618 - 301):
        with pytest.raises(BadRequest):
            verify(SECRET, headers, body, now=now)


def test_a_mention_is_durable_and_acknowledged(door: SlackFrontDoor, store: redis.Redis) -> None:
    answer = deliver(door, app_mention("経費の締め日は？"))

    assert answer.status == 200
    (stored,) = store.hvals(f"messages:{QUESTION_ID}")
    assert Message.from_json(stored).text == "経費の締め日は？"


def test_a_direct_message_is_durable_and_acknowledged(door: SlackFrontDoor, store: redis.Redis) -> None:
    assert deliver(door, message_im("経費の締め日は？")).status == 200
    assert store.zrange(f"inbox:slack:{TEAM}:D1", 0, -1) == [f"slack:{TEAM}:D1:1700000000.000100"]


@pytest.mark.parametrize("mention_first", [True, False])
def test_both_events_of_one_mention_are_one_message(
    door: SlackFrontDoor, store: redis.Redis, mention_first: bool
) -> None:
    events = [app_mention("経費は？"), mention_as_message("経費は？")]

    statuses = [deliver(door, event).status for event in (events if mention_first else reversed(events))]

    assert statuses == [200, 200]
    assert waiting(store) == [QUESTION_ID]


def test_a_redelivery_is_acknowledged_and_adds_nothing(door: SlackFrontDoor, store: redis.Redis) -> None:
    source = app_mention("経費は？")

    for number in range(3):
        retry = {"x-slack-retry-num": str(number), "x-slack-retry-reason": "http_timeout"}
        assert deliver(door, source, **retry).status == 200
    assert waiting(store) == [QUESTION_ID]


def test_a_retry_whose_first_delivery_never_came_is_taken_in(door: SlackFrontDoor, store: redis.Redis) -> None:
    deliver(door, app_mention("経費は？"), **{"x-slack-retry-num": "3", "x-slack-retry-reason": "http_error"})

    assert waiting(store) == [QUESTION_ID]


def test_both_events_of_one_order_are_one_command(door: SlackFrontDoor, store: redis.Redis) -> None:
    deliver(door, app_mention("ストップ"))
    deliver(door, mention_as_message("ストップ"))

    (command,) = controls(store)
    assert isinstance(command, Command)
    assert command.name == "stop"
    assert waiting(store) == []


def test_edits_and_deletions_go_to_the_clerk_once(door: SlackFrontDoor, store: redis.Redis) -> None:
    edit, deletion = edited(said("経費は？"), "出張費は？"), message_deleted(said("経費は？"))

    assert [deliver(door, source).status for source in (edit, edit, deletion, deletion)] == [200] * 4
    assert sorted(type(control).__name__ for control in controls(store)) == ["Deletion", "Edit"]


def test_the_challenge_of_a_new_address_is_echoed_when_it_is_signed(door: SlackFrontDoor) -> None:
    answer = deliver(door, url_verification("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"))

    assert answer.status == 200
    assert json.loads(answer.body) == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    assert answer.media_type.startswith("application/json")


def test_the_challenge_of_a_new_address_is_refused_when_it_is_not_signed(door: SlackFrontDoor) -> None:
    body = body_of(url_verification("abc"))

    assert door.handle(WebhookRequest({"content-type": "application/json"}, body)).status == 401


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_kind_of_event_is_acknowledged(door: SlackFrontDoor, sample: Path) -> None:
    assert deliver(door, json.loads(sample.read_bytes())).status == 200


@pytest.mark.parametrize("sample", ["block_actions", "view_submission", "message_action", "shortcut"])
def test_every_kind_of_interaction_is_acknowledged(door: SlackFrontDoor, sample: str) -> None:
    body = form_of(payload=(SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))

    assert door.handle(WebhookRequest(sign(SECRET, body, content_type=FORM), body)).status == 200


@pytest.mark.parametrize(
    "fields", [json.loads((SAMPLES / "slash_command.json").read_bytes()), {"ssl_check": "1", "token": "x"}]
)
def test_commands_and_checks_of_the_certificate_are_acknowledged(door: SlackFrontDoor, fields: dict[str, str]) -> None:
    body = form_of(**fields)

    assert door.handle(WebhookRequest(sign(SECRET, body, content_type=FORM), body)).status == 200


NOW = str(int(time.time()))
GOOD = sign(SECRET, MENTION)
STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


@pytest.mark.parametrize(
    "headers",
    {
        "none": {},
        "no signature": {SIGNATURE: None},
        "no timestamp": {STAMP: None},
        "empty signature": {SIGNATURE: ""},
        "empty timestamp": {STAMP: ""},
        "wrong signature": {SIGNATURE: "v0=" + "0" * 64},
        "other secret": sign("another", MENTION),
        "other body": sign(SECRET, MENTION + b" "),
        "no version": {SIGNATURE: GOOD[SIGNATURE].removeprefix("v0=")},
        "other version": {SIGNATURE: GOOD[SIGNATURE].replace("v0", "v1")},
        "cut signature": {SIGNATURE: GOOD[SIGNATURE][:-1]},
        "upper case signature": {SIGNATURE: GOOD[SIGNATURE].upper()},
        "non-ASCII signature": {SIGNATURE: "v0=é窓"},
        "half a surrogate pair in the signature": {SIGNATURE: "v0=\ud83d"},
        "huge signature": {SIGNATURE: "v0=" + "a" * 100_000},
        "stale": sign(SECRET, MENTION, int(NOW) - 301),
        "of the future": sign(SECRET, MENTION, int(NOW) + 4_000),
        "timestamp zero": sign(SECRET, MENTION, 0),
        "negative timestamp": {STAMP: "-" + NOW},
        "signed plus": {STAMP: "+" + NOW},
        "spaces": {STAMP: f" {NOW} "},
        "line end": {STAMP: NOW + "\n"},
        "underscores": {STAMP: NOW[:3] + "_" + NOW[3:]},
        "fraction": {STAMP: NOW + ".5"},
        "words": {STAMP: "yesterday"},
        "non-ASCII digits": {STAMP: "１７００００００００"},
        "infinite": {STAMP: "inf"},
        "a giant number": {STAMP: "9" * 10_000},
    }.items(),
    ids=lambda case: case[0],
)
def test_what_slack_did_not_sign_now_is_a_401(
    door: SlackFrontDoor, store: redis.Redis, headers: tuple[str, dict[str, str | None]]
) -> None:
    name, changed = headers
    merged: dict[str, str | None] = {} if name == "none" else {**GOOD, **changed}
    sent = {header: value for header, value in merged.items() if value is not None}

    assert door.handle(WebhookRequest(sent, MENTION)).status == 401
    assert store.dbsize() == 0


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"hello",
    "half": MENTION[:-1],
    "trailing": MENTION + b"}",
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "a text": b'"event_callback"',
    "not a number": b'{"type": NaN}',
    "infinite": b'{"type": Infinity}',
    "a giant number": b'{"event_time": ' + b"9" * 10_000 + b"}",
    "invalid UTF-8": b'{"type": "\xff"}',
    "UTF-16": '{"type": "event_callback"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep objects": b'{"a":' * 50_000,
    "deep lists": b'{"a":' + b"[" * 50_000,
    "deep and whole": b'{"a":' * 100 + b"1" + b"}" * 100,
    "event is a number": body_of(envelope({}) | {"event": 5}),
    "event is null": body_of(envelope({}) | {"event": None}),
    "event is a list": body_of(envelope({}) | {"event": ["type"]}),
    "authorizations is a number": body_of(app_mention("x") | {"authorizations": 5}),
    "authorizations of nulls": body_of(app_mention("x") | {"authorizations": [None]}),
    "form in JSON's place": form_of(payload="{}"),
}
BAD_FORMS: dict[str, bytes] = {
    "neither payload nor command": b"a=b",
    "empty form": b"",
    "payload is not JSON": form_of(payload="{"),
    "payload is empty": form_of(payload=""),
    "payload is a list": form_of(payload="[]"),
    "payload is too deep": form_of(payload='{"a":' * 50_000),
    "invalid UTF-8": b"command=\xff",
    "invalid UTF-8 in escapes": b"command=%FF",
    "many fields": b"&".join(b"f=%d" % number for number in range(10_000)) + b"&command=/x",
    "JSON in a form's place": MENTION,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("is_signed", [True, False])
def test_a_malformed_body_is_refused(door: SlackFrontDoor, store: redis.Redis, body: bytes, is_signed: bool) -> None:
    headers = sign(SECRET if is_signed else "another", body)

    assert door.handle(WebhookRequest(headers, body)).status == (400 if is_signed else 401)
    assert store.dbsize() == 0


@pytest.mark.parametrize("body", BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_malformed_form_is_a_400(door: SlackFrontDoor, store: redis.Redis, body: bytes) -> None:
    assert door.handle(WebhookRequest(sign(SECRET, body, content_type=FORM), body)).status == 400
    assert store.dbsize() == 0


@pytest.mark.parametrize(
    "source",
    [
        envelope({}),
        envelope({"type": 5}),
        envelope({"type": ["message"]}),
        envelope({"type": "message", "text": None}),
        app_mention("x") | {"event_id": None},
        app_mention("x") | {"event_id": {"a": 1}},
        app_mention("x", channel="../C1"),
        app_mention("x", ts="1e9"),
        message_im("x") | {"authorizations": []},
        {},
        {"type": "event_callback"},
        {"type": "unheard_of"},
        {"type": ["event_callback"]},
        {"challenge": "x"},
        {"command": 5},
        {"response_urls": 5},
        {"view": 5, "type": "view_submission"},
    ],
)
def test_an_odd_object_with_a_good_signature_is_never_an_error_of_ours(
    door: SlackFrontDoor, source: dict[str, Any]
) -> None:
    assert deliver(door, source).status in (200, 400)


@pytest.mark.parametrize("is_signed", [True, False])
def test_a_body_over_the_limit_is_a_413(door: SlackFrontDoor, is_signed: bool) -> None:
    body = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'

    assert door.handle(WebhookRequest(sign(SECRET, body) if is_signed else {}, body)).status == 413


def test_half_a_surrogate_pair_in_a_message_is_left_out(door: SlackFrontDoor, store: redis.Redis) -> None:
    body = body_of(message_im("経費は？X")).replace(b"X", b"\\ud83d")

    assert door.handle(WebhookRequest(sign(SECRET, body), body)).status == 200
    (stored,) = store.hvals(f"messages:slack:{TEAM}:D1")
    assert Message.from_json(stored).text == "経費は？"


def test_a_store_that_is_down_is_a_503_so_that_slack_comes_again(store: redis.Redis) -> None:
    down = SlackFrontDoor(SECRET, Inbox(connect("unix:///nowhere/store.sock"), NoHints()))
    up = SlackFrontDoor(SECRET, Inbox(store, NoHints()))
    source = app_mention("経費は？")

    assert [deliver(down, event).status for event in (source, app_mention("ストップ"), edited(said("a"), "b"))] == [
        503
    ] * 3
    assert deliver(up, source, **{"x-slack-retry-num": "1"}).status == 200
    assert waiting(store) == [QUESTION_ID]


@pytest.fixture
def silent_store_url() -> Iterator[str]:
    """A store that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def test_a_store_that_hangs_is_a_503_within_two_seconds(silent_store_url: str) -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect(silent_store_url), NoHints()))
    begun = time.monotonic()

    assert deliver(door, app_mention("経費は？")).status == 503
    assert time.monotonic() - begun < 2.0


def test_a_full_inbox_is_a_503(door: SlackFrontDoor, store: redis.Redis) -> None:
    store.zadd(f"inbox:slack:{TEAM}:D1", {f"m{number}": number for number in range(ROOM)})

    assert deliver(door, message_im("経費は？")).status == 503


def test_a_store_that_is_down_does_not_matter_to_what_is_not_for_us() -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect("unix:///nowhere/store.sock"), NoHints()))

    assert deliver(door, url_verification("abc")).status == 200
    assert deliver(door, envelope({"type": "reaction_added", "user": "U1"})).status == 200


def test_many_deliver_at_once(door: SlackFrontDoor, store: redis.Redis) -> None:
    sources = [app_mention("経費は？", ts=f"17000000{number:02d}.000100") for number in range(16)]
    threads = [threading.Thread(target=deliver, args=(door, source)) for source in sources * 2]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(waiting(store)) == 16


def test_no_log_tells_what_was_said_or_a_secret(door: SlackFrontDoor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = body_of(app_mention("経費の秘密"))
    stray = envelope({"type": "unheard_of", "text": "経費の秘密"})
    odd = envelope({}) | {"event": ["経費の秘密"]}

    deliver(door, app_mention("経費の秘密"))
    deliver(door, stray)
    deliver(door, odd)
    door.handle(WebhookRequest(sign("another", body), body))

    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert told
    assert not any(secret in told for secret in ("経費の秘密", json.dumps("経費の秘密"), SECRET, "verification-token"))


def test_the_way_in_asks_slack_nothing(door: SlackFrontDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *address, **_: connections.append(address))

    for sample in SAMPLES.glob("*.json"):
        deliver(door, json.loads(sample.read_bytes()))

    assert connections == []


def test_an_empty_secret_is_refused_at_the_start(store: redis.Redis) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        SlackFrontDoor("", Inbox(store, NoHints()))
