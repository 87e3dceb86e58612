"""The web application over real HTTP on a real store: its answers when all is well, and when nothing is."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.app import WORKERS, build
from bot.errors import SettingsIncomplete
from bot.platform import MAX_BODY_BYTES
from tests.bot.serving import LINE, LINE_SECRET, SLACK, SLACK_SECRET, serving, settings, to_line, to_slack
from tests.fakes import line_events, slack_events

NOWHERE = "unix:///nowhere/store.sock"
WEBHOOK_DEADLINE_S = 2.0
"""After so long LINE counts a webhook as failed (Slack after three seconds)."""


@pytest.fixture(scope="module")
def running(store_url: str) -> Iterator[httpx.Client]:
    with serving(store_url, **SLACK, **LINE) as client:
        yield client


@pytest.fixture
def web(running: httpx.Client, store: redis.Redis) -> httpx.Client:
    """The application with both platforms, on an empty store."""
    return running


@pytest.fixture(scope="module")
def storeless() -> Iterator[httpx.Client]:
    """The application whose store is down."""
    with serving(NOWHERE, **SLACK, **LINE) as client:
        yield client


@pytest.fixture(scope="module")
def unanswered() -> Iterator[httpx.Client]:
    """The application whose store takes connections and never answers."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        serving(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", **SLACK, **LINE) as client,
    ):
        yield client


WEBHOOKS: dict[str, Callable[..., httpx.Response]] = {"/slack/events": to_slack, "/line/webhook": to_line}

each_webhook = pytest.mark.parametrize("path", list(WEBHOOKS))


def beat(store: redis.Redis, *parts: str, ready: bool = True, life_ms: int = 8_000) -> None:
    """The heartbeats of worker processes."""
    for part in parts:
        store.set(f"status:{part}", json.dumps({"ready": ready, "at": time.time()}), px=life_ms)


def raw(client: httpx.Client, request: bytes, *, wait_s: float = 5.0) -> bytes:
    """What the server first says to these very bytes."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=wait_s) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


@each_webhook
def test_a_signed_event_is_durable_before_it_is_acknowledged(web: httpx.Client, store: redis.Redis, path: str) -> None:
    assert WEBHOOKS[path](web).status_code == 200
    assert store.zcard("ready") == 1


@each_webhook
def test_the_host_header_of_a_webhook_does_not_matter(web: httpx.Client, store: redis.Redis, path: str) -> None:
    assert WEBHOOKS[path](web, Host="bot.example.com").status_code == 200


def test_the_console_answers_to_its_own_name_only(web: httpx.Client) -> None:
    assert web.get("/", headers={"Host": "rebound.example.com"}).status_code == 421


@each_webhook
def test_a_platform_that_is_not_configured_has_no_webhook(store_url: str, path: str) -> None:
    with serving(store_url) as client:
        assert WEBHOOKS[path](client).status_code == 404
        assert client.get("/healthz").status_code == 200


@each_webhook
def test_a_webhook_takes_posts_only(web: httpx.Client, path: str) -> None:
    assert [web.request(method, path).status_code for method in ("GET", "PUT", "DELETE")] == [405, 405, 405]


@pytest.mark.parametrize("missing", [*SLACK, "line_channel_secret", "line_channel_access_token"])
def test_a_half_configured_platform_is_refused_by_the_name_of_what_is_missing(store_url: str, missing: str) -> None:
    platforms = {name: value for name, value in (SLACK | LINE).items() if name != missing}

    with pytest.raises(SettingsIncomplete, match=missing.upper()):
        build(settings(store_url, **platforms), SecretStr("token"))


def test_a_service_whose_parts_all_beat_is_ready(web: httpx.Client, store: redis.Redis) -> None:
    beat(store, *WORKERS)

    response = web.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "parts": dict.fromkeys(("store", *WORKERS), True)}


@pytest.mark.parametrize("part", WORKERS)
def test_a_part_that_does_not_beat_makes_the_service_unready(web: httpx.Client, store: redis.Redis, part: str) -> None:
    beat(store, *set(WORKERS) - {part})

    response = web.get("/readyz")

    assert response.status_code == 503
    assert [name for name, well in response.json()["parts"].items() if not well] == [part]


def test_a_part_that_says_it_is_not_ready_makes_the_service_unready(web: httpx.Client, store: redis.Redis) -> None:
    beat(store, *WORKERS)
    beat(store, "replies", ready=False)

    assert web.get("/readyz").json()["parts"]["replies"] is False


def test_a_heartbeat_that_has_ended_counts_no_more(web: httpx.Client, store: redis.Redis) -> None:
    beat(store, *WORKERS)
    beat(store, "clerk", life_ms=50)

    while store.exists("status:clerk"):
        time.sleep(0.01)

    assert web.get("/readyz").json()["parts"]["clerk"] is False


def test_the_metrics_can_be_read_and_count(web: httpx.Client, store: redis.Redis) -> None:
    to_slack(web)
    to_line(web, **{"x-line-signature": "forged"})
    store.hset("dead", mapping={"m": "{}", "n": "{}"})
    store.sadd("dead:silent", "n")

    page = web.get("/metrics")

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }
    assert page.headers["content-type"].startswith("text/plain")
    assert samples["madoguchi_webhooks_total", "slack", "200"] >= 1
    assert samples["madoguchi_webhooks_total", "line", "401"] >= 1
    assert samples["madoguchi_conversations_ready",] == 1
    assert samples["madoguchi_dead_letters",] == 2
    assert samples["madoguchi_unanswered",] == 1


def test_without_a_store_the_metrics_can_be_read_all_the_same(storeless: httpx.Client) -> None:
    page = storeless.get("/metrics")

    assert page.status_code == 200
    assert "madoguchi_conversations_ready NaN" in page.text


@pytest.mark.parametrize("without", ["storeless", "unanswered"])
@each_webhook
def test_without_a_store_a_webhook_is_to_come_again(request: pytest.FixtureRequest, without: str, path: str) -> None:
    client = request.getfixturevalue(without)
    began = time.monotonic()

    response = WEBHOOKS[path](client)

    assert response.status_code == 503
    assert time.monotonic() - began < WEBHOOK_DEADLINE_S


@pytest.mark.parametrize("without", ["storeless", "unanswered"])
def test_without_a_store_the_process_lives_and_is_not_ready(request: pytest.FixtureRequest, without: str) -> None:
    client = request.getfixturevalue(without)

    assert client.get("/healthz").json() == {"ok": True}
    assert client.get("/readyz").status_code == 503


def test_health_does_not_wait_behind_webhooks_that_wait_for_the_store(unanswered: httpx.Client) -> None:
    webhooks = [threading.Thread(target=to_line, args=(unanswered,)) for _ in range(50)]
    for webhook in webhooks:
        webhook.start()
    began = time.monotonic()

    assert unanswered.get("/healthz").status_code == 200

    assert time.monotonic() - began < 1
    for webhook in webhooks:
        webhook.join()


@each_webhook
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_over_the_limit_is_refused(web: httpx.Client, store: redis.Redis, path: str, framing: str) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    sign = slack_events.sign(SLACK_SECRET, body) if path == "/slack/events" else line_events.headers(LINE_SECRET, body)

    response = web.post(path, content=body if framing == "length" else iter([body]), headers=sign)

    assert response.status_code == 413
    assert store.dbsize() == 0


@each_webhook
@pytest.mark.parametrize("framing", [b"Content-Length: 9000000000", b"Transfer-Encoding: chunked"])
def test_a_body_over_the_limit_is_not_read_to_its_end(web: httpx.Client, path: str, framing: bytes) -> None:
    head = b"POST " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n"
    begun = b"x" * (MAX_BODY_BYTES + 1)
    if b"chunked" in framing:
        begun = b"%x\r\n" % len(begun) + begun + b"\r\n"

    assert raw(web, head + begun).startswith(b"HTTP/1.1 413 ")


@each_webhook
def test_a_client_that_hangs_up_midway_does_no_harm(
    web: httpx.Client, store: redis.Redis, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", web.base_url.port or 0)) as connection:
        connection.sendall(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")

    assert WEBHOOKS[path](web).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_clients_that_send_slowly_hold_up_nobody(web: httpx.Client) -> None:
    slow = [socket.create_connection(("127.0.0.1", web.base_url.port or 0)) for _ in range(100)]
    for number, connection in enumerate(slow):
        whole = b"POST /line/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        connection.sendall(whole[: 10 + number])
    began = time.monotonic()

    statuses = [to_slack(web).status_code, to_line(web).status_code, web.get("/healthz").status_code]

    assert statuses == [200, 200, 200]
    assert time.monotonic() - began < WEBHOOK_DEADLINE_S
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xff\xfe HTTP/1.1",
        b"nonsense",
        b"GET /healthz HTTP/9.9",
        b"POST /line/webhook HTTP/1.1\r\nContent-Length: -1",
    ],
)
def test_what_is_no_http_is_a_client_s_error(web: httpx.Client, request_line: bytes) -> None:
    answer = raw(web, request_line + b"\r\nHost: localhost\r\n\r\n")

    assert answer[9:10] == b"4"
    assert b"Traceback" not in answer


def test_an_error_of_ours_shows_no_stack_trace(web: httpx.Client, store: redis.Redis) -> None:
    store.set("status:clerk", "no JSON")

    response = web.get("/readyz")

    assert (response.status_code, response.text) == (500, "Internal Server Error")
