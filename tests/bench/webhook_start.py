"""How soon an answer is begun: from a message's acknowledgement to its conversation's lock, one after the other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.desk import LINE_SECRET, SLACK_SECRET, Desk, wait_until

MESSAGES = 40
LOCK_WITHIN_S = 10.0
QUESTION = "When is the deadline?"


def start_times_ms(desk: Desk, slack: FakeSlack, line: FakeLine) -> list[float]:
    """For each of MESSAGES the time from the last byte of its acknowledgement to its lock; below 0: the lock was first.

    Raises:
        RuntimeError: a message was not acknowledged.
        queue.Empty: nobody took it.
    """
    connection = HTTPConnection("127.0.0.1", desk.port)
    times_ms = []
    with _locks(desk) as locks:
        for number in range(MESSAGES):
            path, headers, body = (_slack if number % 2 else _line)(number, slack, line)
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            acknowledged_at = time.monotonic()
            if response.status != 200:
                raise RuntimeError(f"a webhook was answered {response.status}")
            times_ms.append((locks.get(timeout=LOCK_WITHIN_S) - acknowledged_at) * 1000)
            wait_until(lambda: _idle(desk))
    connection.close()
    return times_ms


@contextmanager
def _locks(desk: Desk) -> Iterator[queue.SimpleQueue[float]]:
    """The times at which locks are taken, as the store tells them."""
    taken: queue.SimpleQueue[float] = queue.SimpleQueue()
    desk.store.config_set("notify-keyspace-events", "K$")  # strings that are set; a renewal is none
    subscription = desk.store.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    subscription.psubscribe("__keyspace@0__:lock:*")
    subscription.get_message(timeout=1.0)  # the confirmation
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            if subscription.get_message(timeout=0.2):
                taken.put(time.monotonic())

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    try:
        yield taken
    finally:
        ended.set()
        listening.join()
        subscription.close()
        desk.store.config_set("notify-keyspace-events", "")


def _idle(desk: Desk) -> bool:
    """Whether everything is answered."""
    store = desk.store
    return not store.zcard("ready") and not any(store.scan_iter("lock:*"))


def _slack(number: int, slack: FakeSlack, _: FakeLine) -> tuple[str, dict[str, str], bytes]:
    body = slack_events.body_of(slack.say("D1", f"{QUESTION} ({number})")[0])
    return "/slack/events", slack_events.sign(SLACK_SECRET, body), body


def _line(number: int, _: FakeSlack, line: FakeLine) -> tuple[str, dict[str, str], bytes]:
    token = line.issue_token(line_events.USER)
    body = line_events.body(line_events.text(f"{QUESTION} ({number})", line_events.user(), reply_token=token))
    return "/line/webhook", line_events.headers(LINE_SECRET, body), body
