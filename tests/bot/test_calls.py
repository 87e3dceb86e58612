"""A call to a platform is over in time, and one platform's calls do not take every thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request

import pytest

from bot.calls import LONGEST_WAIT_S, ROOM_WITHIN_S, Calls, seconds
from bot.errors import DeliveryDeferred, DeliveryUnknown
from tests.fakes.slack import TOKEN, FakeSlack, Fault

TIMEOUT_S = 0.4
SOON_S = 3.0
"""Far more than TIMEOUT_S on a busy machine, far less than what the fakes make callers wait for."""


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def ping(slack: FakeSlack) -> Request:
    return Request(slack.api_url + "auth.test", b"{}", headers_of_a_call())


def headers_of_a_call() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def test_an_answer_comes_with_its_status_headers_and_body(slack: FakeSlack) -> None:
    slack.fail("auth.test", Fault(status=429, retry_after=7))

    refused, taken = Calls().post(ping(slack)), Calls().post(ping(slack))

    assert (refused.status, refused.retry_after_s) == (429, 7)
    assert (taken.status, taken.retry_after_s) == (200, None)
    assert b'"ok": true' in taken.body


@pytest.mark.parametrize("fault", [Fault(after_s=30), Fault(drips="body"), Fault(drips="head")], ids=str)
def test_a_call_is_over_in_time_however_slowly_its_answer_comes(slack: FakeSlack, fault: Fault) -> None:
    slack.fail("auth.test", fault)
    began = time.monotonic()

    with pytest.raises(DeliveryUnknown):
        Calls().post(ping(slack), TIMEOUT_S)

    assert time.monotonic() - began < SOON_S
    assert slack.workspace.calls["auth.test"] == 1


def test_a_broken_connection_leaves_it_open(slack: FakeSlack) -> None:
    slack.fail("auth.test", Fault(reset="before"), Fault(reset="after"))

    for _ in range(2):
        with pytest.raises(DeliveryUnknown):
            Calls().post(ping(slack))


def test_where_nobody_listens_nothing_was_sent() -> None:
    with FakeSlack() as gone:
        request = ping(gone)

    with pytest.raises(DeliveryDeferred):
        Calls().post(request)


def test_a_proxy_that_sends_elsewhere_is_not_followed(slack: FakeSlack) -> None:
    with redirecting_to(slack) as address:
        answer = Calls().post(Request(address, b"{}", headers_of_a_call()))

    assert answer.status == 302
    assert not slack.workspace.calls


def test_while_all_calls_hang_another_is_put_off_soon_and_unsent(slack: FakeSlack) -> None:
    calls = Calls(at_once=2)
    slack.fail("auth.test", *[Fault(after_s=30)] * 2)
    hanging = [threading.Thread(target=post_in_vain, args=(calls, slack)) for _ in range(2)]
    for thread in hanging:
        thread.start()
    while slack.workspace.calls["auth.test"] < 2:
        time.sleep(0.01)
    began = time.monotonic()

    with pytest.raises(DeliveryDeferred):
        calls.post(ping(slack))

    assert time.monotonic() - began < ROOM_WITHIN_S + SOON_S
    assert slack.workspace.calls["auth.test"] == 2
    for thread in hanging:
        thread.join()
    assert calls.post(ping(slack)).status == 200


def post_in_vain(calls: Calls, slack: FakeSlack) -> None:
    with pytest.raises(DeliveryUnknown):
        calls.post(ping(slack), timeout_s=ROOM_WITHIN_S + 2 * SOON_S)


@pytest.mark.parametrize(
    ("said", "waits_s"),
    [
        *(("0", 0.0), ("30", 30.0), ("120", 120.0), ("1.5", 1.5)),
        *(("999999999999", LONGEST_WAIT_S), ("inf", LONGEST_WAIT_S), ("1e400", LONGEST_WAIT_S)),
        *(("", None), ("soon", None), ("-5", None), ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)),
    ],
)
def test_a_wait_is_taken_as_it_is_said_within_reason(said: str, waits_s: float | None) -> None:
    assert seconds(said) == waits_s


@contextmanager
def redirecting_to(slack: FakeSlack) -> Iterator[str]:
    """The address of a server that sends its one caller to the fake."""
    head = f"HTTP/1.1 302 Found\r\nlocation: {slack.api_url}auth.test\r\ncontent-length: 0\r\n\r\n".encode()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        answering.join()
