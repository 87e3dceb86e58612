"""Webhooks while the store hangs, is full or is gone: each is told in time to come again, and later taken in once.

The web process and its store are real processes; the store hangs because it is really stopped.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx
import pytest

from tests.fakes import line_events, slack_events
from tests.faults.desk import LINE_SECRET, SLACK_SECRET, Desk, wait_until

DEADLINE_S = 2.0
"""After so long LINE counts a webhook as failed."""
STORE_TIMEOUT_S = 1.0
"""After so long a call to the store is given up (bot.store.connect)."""
AT_ONCE_S = 0.5
"""Well below STORE_TIMEOUT_S, and well above what it takes on a machine that is busy with other work (0.1 to 0.2)."""
MANY = 60


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request as a platform sends it, and the key under which the store knows its message."""

    path: str
    headers: dict[str, str]
    body: bytes
    seen: str

    @property
    def bytes(self) -> bytes:
        """The request on the wire."""
        headers = {"host": "localhost", "content-length": str(len(self.body)), **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + self.body


def on_slack(number: int) -> Webhook:
    """A direct message, each of another person."""
    ts = f"{time.time():.0f}.{number:06d}"
    body = slack_events.body_of(
        slack_events.message_im("経費の締め日は？", channel=f"D{number}", user=f"U{number}", ts=ts)
    )
    headers = slack_events.sign(SLACK_SECRET, body)
    return Webhook("/slack/events", headers, body, f"seen:slack:{slack_events.TEAM}:D{number}:{ts}")


def on_line(number: int) -> Webhook:
    """A message in a chat of two, each of another person."""
    event = line_events.text("経費の締め日は？", line_events.user(line_user(number)))
    body = line_events.body(event)
    headers = line_events.headers(LINE_SECRET, body)
    return Webhook("/line/webhook", headers, body, f"seen:line:{event['message']['id']}")


def line_user(number: int) -> str:
    return f"U{number:032x}"


PLATFORMS = {"slack": on_slack, "line": on_line}

on_each_platform = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A web process with both platforms, and its store."""
    running = Desk(
        tmp_path_factory.mktemp("web"),
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "LINE_CHANNEL_SECRET": LINE_SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": "line-token",
            "LINE_ACCESS": "pairing",
        },
        {name: ["-m", "workers.cli", "process", name] for name in ("store", "web")},
    )
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture
def desk(started: Desk) -> Iterator[Desk]:
    """The web process on a store that holds nothing but who is let in, and that is well before and after."""
    started.store.flushall()
    started.store.sadd("admitted", *(f"line:{line_user(number)}" for number in range(MANY)))
    yield started
    started.signal("store", signal.SIGCONT)
    started.store.config_set("maxmemory", "0")
    wait_until(lambda: sent(started, on_slack(0)) == 200)


@pytest.fixture
def hanging(desk: Desk) -> Desk:
    """The same, whose store takes connections and commands and answers none."""
    desk.signal("store", signal.SIGSTOP)
    return desk


def sent(desk: Desk, webhook: Webhook) -> int:
    """The status of one request."""
    return desk.post(webhook.path, webhook.body, webhook.headers).status_code


def many() -> list[Webhook]:
    """As many requests of each platform, in turn."""
    return [of(number) for number in range(MANY) for of in PLATFORMS.values()]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    after_s: float


async def send_at_once(desk: Desk, webhooks: Sequence[Webhook], on_their_way: asyncio.Event) -> list[Answer]:
    """Send all of them at one moment, each on a connection of its own; what is answered, and how long after that."""
    connections = [await asyncio.open_connection("127.0.0.1", desk.port) for _ in webhooks]
    began = time.monotonic()
    for (_, writer), webhook in zip(connections, webhooks, strict=True):
        writer.write(webhook.bytes)
    on_their_way.set()

    async def answer(reader: asyncio.StreamReader) -> Answer:
        head = await reader.readuntil(b"\r\n\r\n")
        return Answer(int(head.split()[1]), time.monotonic() - began)

    answers = await asyncio.gather(*(answer(reader) for reader, _ in connections))
    for _, writer in connections:
        writer.close()
    return answers


def burst(desk: Desk, webhooks: Sequence[Webhook]) -> list[Answer]:
    """The answers to requests that come all at once."""
    return asyncio.run(send_at_once(desk, webhooks, asyncio.Event()))


async def elapsed_s(desk: Desk, path: str, meanwhile: Sequence[Webhook], cookie: str = "") -> float:
    """How long a GET takes that comes while these requests wait."""
    async with httpx.AsyncClient(base_url=desk.url, cookies={"madoguchi_console": cookie}, timeout=10) as client:
        on_their_way = asyncio.Event()
        webhooks = asyncio.create_task(send_at_once(desk, meanwhile, on_their_way))
        await on_their_way.wait()
        began = time.monotonic()
        await client.get(path)
        elapsed = time.monotonic() - began
        assert not webhooks.done()
        await webhooks
    return elapsed


def test_many_webhooks_at_a_hanging_store_are_all_told_in_time_to_come_again(hanging: Desk) -> None:
    answers = burst(hanging, many())

    assert {answer.status for answer in answers} == {503}
    assert max(answer.after_s for answer in answers) < DEADLINE_S


def test_the_process_says_at_once_that_it_lives_while_many_webhooks_wait(hanging: Desk) -> None:
    assert asyncio.run(elapsed_s(hanging, "/healthz", many())) < AT_ONCE_S


def test_the_console_does_not_wait_behind_webhooks(hanging: Desk) -> None:
    cookie = hanging.console_cookie()

    assert asyncio.run(elapsed_s(hanging, "/console/status", many(), cookie)) < STORE_TIMEOUT_S + AT_ONCE_S


@on_each_platform
def test_a_webhook_does_not_wait_behind_those_of_the_other_platform(hanging: Desk, platform: str) -> None:
    others = [PLATFORMS["line" if platform == "slack" else "slack"](number) for number in range(MANY)]

    *_, answer = burst(hanging, [*others, PLATFORMS[platform](0)])

    assert answer.status == 503
    assert answer.after_s < STORE_TIMEOUT_S + AT_ONCE_S


def test_what_was_refused_is_taken_in_once_when_the_store_goes_on_and_it_comes_again(hanging: Desk) -> None:
    webhooks = many()
    burst(hanging, webhooks)
    hanging.signal("store", signal.SIGCONT)

    answers = burst(hanging, webhooks)

    assert {answer.status for answer in answers} == {200}
    assert hanging.store.exists(*(webhook.seen for webhook in webhooks)) == len(webhooks)
    assert hanging.store.zcard("ready") == len(webhooks)
    inboxes = list(hanging.store.scan_iter("inbox:*", count=1000))
    assert sum(hanging.store.zcard(inbox) for inbox in inboxes) == len(webhooks)


@on_each_platform
def test_a_full_store_refuses_what_is_new_and_takes_it_in_when_there_is_room(desk: Desk, platform: str) -> None:
    webhook = PLATFORMS[platform](1)
    desk.store.config_set("maxmemory", "1")
    assert sent(desk, webhook) == 503
    assert not desk.store.exists(webhook.seen)

    desk.store.config_set("maxmemory", "0")

    assert sent(desk, webhook) == 200
    assert desk.store.exists(webhook.seen)


@on_each_platform
def test_a_full_store_acknowledges_what_it_holds_though_nobody_can_be_told(desk: Desk, platform: str) -> None:
    webhook = PLATFORMS[platform](1)
    assert sent(desk, webhook) == 200

    desk.store.config_set("maxmemory", "1")

    assert sent(desk, webhook) == 200


def test_a_store_that_is_gone_and_comes_back_needs_no_new_web_process(desk: Desk) -> None:
    webhooks = many()
    desk.kill("store")
    refused = burst(desk, webhooks)
    assert {answer.status for answer in refused} == {503}
    assert max(answer.after_s for answer in refused) < DEADLINE_S

    desk.start("store")
    wait_until(lambda: sent(desk, on_slack(MANY)) == 200)

    assert {answer.status for answer in burst(desk, webhooks)} == {200}


def test_a_hint_is_given_again_after_the_store_has_hung(hanging: Desk) -> None:
    sent(hanging, on_slack(1))
    hanging.signal("store", signal.SIGCONT)
    wait_until(lambda: sent(hanging, on_line(2)) == 200)

    wait_until(lambda: hanging.store.llen("replies"))
