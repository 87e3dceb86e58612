"""Socket Mode: what comes on the WebSocket is taken once and acknowledged when it is durable, across every parting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bot.inbox import Inbox
from bot.platform import WebhookResponse
from bot.slack import socket as slack_socket
from bot.slack.front_door import SlackFrontDoor
from bot.slack.slash import NOT_ADMIN
from bot.slack.socket import Socket, listening
from bot.slack.web import slack_client
from bot.store import connect
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import BOT_USER, app_mention, envelope, feedback, message_im, said
from tests.fakes.slack_socket import APP_TOKEN, SlackSocket
from tests.workers.desk import until
from tests.workers.making import NoHints

WITHIN_S = 20.0


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake, SlackSocket(again_after_s=0.5) as socket:
        fake.socket = socket
        yield fake


@pytest.fixture
def socket(slack: FakeSlack) -> SlackSocket:
    assert slack.socket is not None
    return slack.socket


@pytest.fixture
def open_it(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> Callable[[redis.Redis], object]:
    monkeypatch.setattr(slack_socket, "LONGEST_PAUSE_S", 0.2)

    def open_it(store: redis.Redis) -> object:
        door = SlackFrontDoor(None, Inbox(store, NoHints()))
        return listening(APP_TOKEN, slack_client(TOKEN, slack.api_url), door.take)

    return open_it


@pytest.fixture
def connections(store: redis.Redis, socket: SlackSocket, open_it: Callable[[redis.Redis], object]) -> Iterator[Socket]:
    with open_it(store) as opened:  # type: ignore[attr-defined]
        until(lambda: socket.connected)
        yield opened


def waiting(store: redis.Redis) -> list[str]:
    """The conversations that wait for an answer."""
    return [str(name) for name in store.zrange("ready", 0, -1)]


@pytest.mark.usefixtures("connections")
def test_a_question_is_durable_when_it_is_acknowledged(store: redis.Redis, socket: SlackSocket) -> None:
    sent = socket.deliver(message_im("経費の締め日は？"))

    until(lambda: sent.acknowledged)
    assert waiting(store) == ["slack:T0MADO:D1"]
    assert (sent.tries, sent.answer, socket.refused) == (1, {}, [])


@pytest.mark.usefixtures("connections")
def test_a_kind_without_a_listener_is_acknowledged(store: redis.Redis, socket: SlackSocket) -> None:
    sent = socket.deliver(envelope({"type": "reaction_added", "user": "U1", "event_ts": "1700000000.000100"}))

    until(lambda: sent.acknowledged)
    assert store.dbsize() == 0


@pytest.mark.usefixtures("connections")
def test_a_command_is_answered_with_its_acknowledgement(socket: SlackSocket) -> None:
    form = {"command": "/madoguchi", "text": "reindex", "team_id": "T0MADO", "user_id": "U1", "channel_id": "C1"}
    form["trigger_id"] = "1.2.a"
    sent = socket.deliver(form, "slash_commands")

    until(lambda: sent.acknowledged)
    assert sent.answer == {"response_type": "ephemeral", "text": NOT_ADMIN}


@pytest.mark.usefixtures("connections")
def test_a_pressed_button_is_taken(store: redis.Redis, socket: SlackSocket) -> None:
    answer = said("25日です。", ts="1700000001.000100", thread_ts="1700000000.000100")
    sent = socket.deliver(feedback(answer, "up slack:T0MADO:C1:1700000000.000100"), "interactive")

    until(lambda: sent.acknowledged)
    assert store.hlen("controls") == 1


@pytest.mark.usefixtures("connections")
def test_the_same_event_again_is_acknowledged_and_taken_once(store: redis.Redis, socket: SlackSocket) -> None:
    question = app_mention("締め日は？")
    first, second = socket.deliver(question), socket.deliver(question)

    until(lambda: first.acknowledged and second.acknowledged)
    assert store.zcard("inbox:slack:T0MADO:C1:1700000000.000100") == 1


def test_without_the_store_nothing_is_acknowledged_and_it_comes_again(
    store: redis.Redis, socket: SlackSocket, open_it: Callable[[redis.Redis], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    down = connect("unix:///nowhere/store.sock")
    pool = down.connection_pool
    with open_it(down):  # type: ignore[attr-defined]
        until(lambda: socket.connected)
        sent = socket.deliver(message_im("経費の締め日は？"))
        until(lambda: sent.tries >= 2)
        assert not sent.acknowledged

        monkeypatch.setitem(pool.connection_kwargs, "path", store.connection_pool.connection_kwargs["path"])
        pool.reset()

        until(lambda: sent.acknowledged)
    assert waiting(store) == ["slack:T0MADO:D1"]


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_a_connection_that_ends_is_renewed_before_it_is_given_up(
    store: redis.Redis, socket: SlackSocket, reason: str
) -> None:
    socket.disconnect(reason, close=False)
    sent = socket.deliver(message_im("経費の締め日は？"))

    until(lambda: socket.opened == 2 and sent.acknowledged, WITHIN_S)
    assert waiting(store) == ["slack:T0MADO:D1"]
    assert store.zcard("inbox:slack:T0MADO:D1") == 1


def test_what_came_before_a_parting_is_acknowledged_where_it_came(slack: FakeSlack) -> None:
    began = threading.Event()

    def slow(_: dict[str, Any]) -> WebhookResponse:
        began.set()
        time.sleep(1.0)
        return WebhookResponse(200, "")

    with SlackSocket(again_after_s=30.0) as socket:
        slack.socket = socket
        with listening(APP_TOKEN, slack_client(TOKEN, slack.api_url), slow):
            until(lambda: socket.connected)
            sent = socket.deliver(message_im("経費の締め日は？"))
            began.wait(5)
            socket.disconnect("warning", close=False)

            until(lambda: sent.acknowledged)
            assert (socket.opened, sent.tries, socket.refused) == (2, 1, [])


def test_what_is_being_taken_in_is_acknowledged_before_the_end(slack: FakeSlack, socket: SlackSocket) -> None:
    began = threading.Event()

    def slow(_: dict[str, Any]) -> WebhookResponse:
        began.set()
        time.sleep(0.5)
        return WebhookResponse(200, "")

    with listening(APP_TOKEN, slack_client(TOKEN, slack.api_url), slow):
        until(lambda: socket.connected)
        sent = socket.deliver(message_im("経費の締め日は？"))
        began.wait(5)

    until(lambda: sent.acknowledged)


def test_a_fault_of_ours_is_not_acknowledged(slack: FakeSlack, socket: SlackSocket) -> None:
    def broken(_: dict[str, Any]) -> WebhookResponse:
        raise ValueError("a mistake")

    with listening(APP_TOKEN, slack_client(TOKEN, slack.api_url), broken):
        until(lambda: socket.connected)
        sent = socket.deliver(message_im("経費の締め日は？"))
        until(lambda: sent.tries >= 2)

    assert not sent.acknowledged


@pytest.mark.usefixtures("connections")
def test_a_connection_that_breaks_without_a_word_is_renewed_and_nothing_is_lost(
    store: redis.Redis, socket: SlackSocket
) -> None:
    socket.break_off()
    sent = socket.deliver(message_im("経費の締め日は？"))

    until(lambda: sent.acknowledged, WITHIN_S)
    assert socket.opened == 2
    assert waiting(store) == ["slack:T0MADO:D1"]


@pytest.mark.usefixtures("connections")
def test_socket_mode_turned_off_and_on_again_is_found_with_fewer_and_fewer_questions(
    socket: SlackSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_socket, "LONGEST_PAUSE_S", 60.0)
    socket.disabled = True
    socket.disconnect("link_disabled")
    until(lambda: socket.opened >= 2)
    began = time.monotonic()
    until(lambda: socket.opened >= 4, WITHIN_S)
    assert time.monotonic() - began >= 3.0

    monkeypatch.setattr(slack_socket, "LONGEST_PAUSE_S", 0.2)
    socket.disabled = False
    until(lambda: socket.connected, 30.0)


def test_slack_is_asked_no_sooner_than_it_says(
    store: redis.Redis, slack: FakeSlack, socket: SlackSocket, open_it: Callable[[redis.Redis], object]
) -> None:
    slack.fail("apps.connections.open", Fault(status=429, retry_after=3))
    began = time.monotonic()

    with open_it(store):  # type: ignore[attr-defined]
        until(lambda: socket.connected, WITHIN_S)

    assert time.monotonic() - began >= 3.0


def test_a_refusal_at_the_start_is_no_end(
    store: redis.Redis, slack: FakeSlack, socket: SlackSocket, open_it: Callable[[redis.Redis], object]
) -> None:
    slack.fail("apps.connections.open", Fault(status=429), Fault(error="internal_error"), Fault(reset="before"))

    with open_it(store):  # type: ignore[attr-defined]
        until(lambda: socket.connected, WITHIN_S)


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[1]",
        '{"envelope_id": 3, "payload": {}, "type": "events_api"}',
        '{"envelope_id": "e", "type": "events_api", "payload": [1]}',
        '{"envelope_id": "e", "type": "events_api", "payload": {"a": NaN}}',
        '{"envelope_id": "e", "type": "events_api", "payload": ' + '{"a":' * 60 + "1" + "}" * 60 + "}",
        '{"envelope_id": "e", "type": "events_api", "payload": ' + "[" * 50_000,
        '{"envelope_id": "e", "type": "events_api", "payload": {"a": "' + "x" * 1_100_000 + '"}}',
    ],
    ids=lambda text: text[:60],
)
def test_what_slack_would_not_send_is_not_acknowledged_and_stops_nothing(
    store: redis.Redis, socket: SlackSocket, text: str
) -> None:
    socket.say_raw(text)
    sent = socket.deliver(message_im("経費の締め日は？"))

    until(lambda: sent.acknowledged)
    assert (socket.refused, socket.opened) == ([], 1)
    assert waiting(store) == ["slack:T0MADO:D1"]


@pytest.mark.usefixtures("connections")
def test_the_words_and_the_token_are_not_logged(socket: SlackSocket, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("WARNING", "websockets.server")  # the fake's own
    sent = socket.deliver(message_im(f"合言葉はオニヤンマ <@{BOT_USER}>"))
    socket.disconnect("refresh_requested")
    until(lambda: sent.acknowledged and socket.opened == 2, WITHIN_S)

    assert "オニヤンマ" not in caplog.text
    assert APP_TOKEN not in caplog.text
    assert "ticket=" not in caplog.text


def test_two_processes_share_what_comes(
    store: redis.Redis, socket: SlackSocket, open_it: Callable[[redis.Redis], object]
) -> None:
    with open_it(store), open_it(store):  # type: ignore[attr-defined]
        until(lambda: socket.connected == 2)
        sent = [socket.deliver(message_im("質問", ts=f"1700000000.{n:06d}")) for n in range(10)]
        until(lambda: all(one.acknowledged for one in sent))

    assert store.zcard("inbox:slack:T0MADO:D1") == 10
