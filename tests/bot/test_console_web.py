"""The console over real HTTP: who gets in, what is taken in, what the stream says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import redis

from bot.messages import Command, Reply, control_from_json
from tests.console_desk import TOKEN, Worker, serving

ID = "5f0e1c2ab3d44e55"
QUESTION = {"id": ID, "text": "経費の締め日は？"}


@pytest.fixture(scope="module")
def address(store_url: str) -> Iterator[str]:
    with serving(store_url, hosts=["desk.lan"]) as console:
        yield console.address


@pytest.fixture
def stranger(address: str, store: redis.Redis) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture
def guest(stranger: httpx.Client) -> httpx.Client:
    """Somebody who opened the address with the token."""
    assert stranger.get("/", params={"token": TOKEN}).status_code == 303
    return stranger


@contextmanager
def events(client: httpx.Client, **request: Any) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The stream's events as (id, event); the mark of having caught up comes as ("", {})."""
    with client.stream("GET", "/console/events", timeout=10, **request) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _parsed(response.iter_lines())


def _parsed(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    event_id = ""
    for line in lines:
        if line.startswith("id: "):
            event_id = line.removeprefix("id: ")
        if line.startswith("data: "):
            yield event_id, json.loads(line.removeprefix("data: "))
            event_id = ""


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger: httpx.Client) -> None:
    response = stranger.get("/", params={"token": TOKEN})

    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert "<textarea" in stranger.get("/").text


def test_the_same_browser_keeps_its_session_when_it_comes_with_the_token_again(guest: httpx.Client) -> None:
    before = guest.cookies["madoguchi_console"]

    guest.get("/", params={"token": TOKEN})

    assert guest.cookies["madoguchi_console"] == before


def test_two_browsers_have_two_conversations(guest: httpx.Client, address: str, store: redis.Redis) -> None:
    with httpx.Client(base_url=address, params={"token": TOKEN}, follow_redirects=True) as other:
        other.get("/")
        other.post("/console/messages", json=QUESTION)
    guest.post("/console/messages", json=QUESTION)

    assert len({message.conversation_id for message in Worker(store).messages()}) == 2


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%FF%00", f"?token={TOKEN[:-1]}"])
def test_without_the_token_there_is_only_a_page_that_says_how_to_get_in(stranger: httpx.Client, query: str) -> None:
    response = stranger.get(f"/{query}")

    assert response.status_code == 401
    assert "?token=" in response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("cookie", ["", "x", f"{'0' * 32}.{'0' * 64}"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/console/events"),
        ("GET", "/console/status"),
        ("POST", "/console/messages"),
        ("POST", "/console/orders"),
    ],
)
def test_nothing_is_done_without_a_session(stranger: httpx.Client, method: str, path: str, cookie: str) -> None:
    headers = {"cookie": f"madoguchi_console={cookie}"}

    assert stranger.request(method, path, json=QUESTION, headers=headers).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", ""])
@pytest.mark.parametrize("path", ["/", "/console/static/console.js", "/console/events", "/console/status"])
def test_a_name_that_is_not_ours_is_misdirected(guest: httpx.Client, host: str, path: str) -> None:
    assert guest.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:1", "desk.lan", "192.168.0.7:8000", "[::1]"])
def test_our_own_names_and_any_address_are_served(guest: httpx.Client, host: str) -> None:
    cookie = f"madoguchi_console={guest.cookies['madoguchi_console']}"

    assert guest.get("/", headers={"host": host, "cookie": cookie}).status_code == 200


def test_a_message_is_durable_when_it_is_acknowledged(guest: httpx.Client, store: redis.Redis) -> None:
    response = guest.post("/console/messages", json=QUESTION)

    assert (response.status_code, response.json()) == (202, {"kind": "message"})
    (message,) = Worker(store).messages()
    assert message.text == "経費の締め日は？"
    assert store.zrange("ready", 0, -1) == [message.conversation_id]


def test_a_repeated_post_is_one_message_and_shown_once(guest: httpx.Client, store: redis.Redis) -> None:
    for _ in range(3):
        assert guest.post("/console/messages", json=QUESTION).status_code == 202

    (message,) = Worker(store).messages()
    assert store.xlen(f"stream:{message.conversation_id}") == 1


def test_a_repeated_post_is_one_order(guest: httpx.Client, store: redis.Redis) -> None:
    for _ in range(2):
        assert guest.post("/console/messages", json={"id": ID, "text": "リセット"}).status_code == 202

    assert store.hlen("controls") == 1


def test_a_word_that_is_an_order_goes_to_the_clerk(guest: httpx.Client, store: redis.Redis) -> None:
    response = guest.post("/console/messages", json={"id": ID, "text": "リセット"})

    assert response.json() == {"kind": "command"}
    assert [control_from_json(text).name for text in store.hvals("controls")] == ["reset"]  # type: ignore[union-attr]
    assert Worker(store).messages() == []


@pytest.mark.parametrize(("accepted", "language"), [("ja,en;q=0.8", "ja"), ("en-GB", "en"), ("", "en")])
def test_a_button_is_an_order_in_the_browsers_language(
    guest: httpx.Client, store: redis.Redis, accepted: str, language: str
) -> None:
    response = guest.post("/console/orders", json={"name": "stop"}, headers={"accept-language": accepted})

    assert response.status_code == 202
    (order,) = (control_from_json(text) for text in store.hvals("controls"))
    assert isinstance(order, Command)
    assert (order.name, order.language) == ("stop", language)


@pytest.mark.parametrize(
    "refused",
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"", {}, 400),
        (b'{"id": "' + ID.encode() + b'", "text": "\\ud800"}', {}, 400),
        (b'{"id": "../../etc", "text": "a"}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, {}, 400),
        (b'{"text": "' + b"a" * 1_100_000 + b'"}', {}, 413),
        (json.dumps(QUESTION).encode(), {"content-type": "text/plain"}, 415),
        (json.dumps(QUESTION).encode(), {"content-type": "application/x-www-form-urlencoded"}, 415),
        (json.dumps(QUESTION).encode(), {"origin": "http://evil.example"}, 400),
        (json.dumps(QUESTION).encode(), {"origin": "null"}, 400),
        (json.dumps(QUESTION).encode(), {"sec-fetch-site": "cross-site"}, 400),
    ],
)
@pytest.mark.parametrize("path", ["/console/messages", "/console/orders"])
def test_what_our_page_would_not_post_is_refused_and_changes_nothing(
    guest: httpx.Client, store: redis.Redis, path: str, refused: tuple[bytes, dict[str, str], int]
) -> None:
    body, headers, status = refused

    response = guest.post(path, content=body, headers={"content-type": "application/json"} | headers)

    assert response.status_code == status
    assert "Traceback" not in response.text
    assert store.keys("inbox:*") == store.keys("controls*") == store.keys("stream:*") == []


@pytest.mark.parametrize(
    "path",
    [
        "/console/static/../web.py",
        "/console/static/..%2Fweb.py",
        "/console/static/%2e%2e%2f%2e%2e%2fsettings.py",
        "/console/static/....//web.py",
        "/console/static//etc/passwd",
        "/console/static/console.js%00.css",
        "/console/static/",
    ],
)
def test_no_path_leads_out_of_the_static_files(guest: httpx.Client, path: str) -> None:
    response = guest.get(httpx.URL(path))

    assert response.status_code in (400, 404)
    assert "import" not in response.text


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("console.js", "text/javascript"), ("console.css", "text/css"), ("seal.svg", "image/svg+xml")],
)
def test_the_pages_files_are_served_as_what_they_are(stranger: httpx.Client, name: str, media_type: str) -> None:
    response = stranger.get(f"/console/static/{name}")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)


@pytest.mark.parametrize("path", ["/", "/console/static/console.js", "/console/status", "/console/static/none"])
def test_every_response_forbids_what_the_page_does_not_need(guest: httpx.Client, path: str) -> None:
    headers = guest.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_loads_nothing_from_elsewhere(guest: httpx.Client) -> None:
    names = ["index.html", "unauthorised.html", "console.css", "console.js", "turn.js", "markdown.js", "seal.svg"]
    text = "".join(guest.get(f"/console/static/{name}").text for name in names)

    assert "innerHTML" not in text
    assert "//cdn" not in text
    assert "@import" not in text


def test_the_stream_tells_the_whole_story(guest: httpx.Client, store: redis.Redis) -> None:
    guest.post("/console/messages", json=QUESTION)
    worker = Worker(store)

    with events(guest) as story:
        first, caught_up = next(story), next(story)
        reply = worker.open(worker.message("経費の締め日は？"))
        reply.update("25日")
        second = next(story)
        reply.finish(Reply("25日です。"))
        third = next(story)

    assert first[1]["type"] == "question"
    assert caught_up == ("", {})
    assert (second[1]["type"], second[1]["text"]) == ("text", "25日")
    assert (third[1]["type"], third[1]["text"]) == ("done", "25日です。")


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_page_goes_on_where_it_was_cut_off(guest: httpx.Client, way: str) -> None:
    guest.post("/console/messages", json={"id": "question-1", "text": "一つ目"})
    guest.post("/console/messages", json={"id": "question-2", "text": "二つ目"})
    with events(guest) as story:
        seen, _ = next(story)

    request = {"headers": {"last-event-id": seen}} if way == "header" else {"params": {"after": seen}}
    with events(guest, **request) as story:
        assert next(story)[1]["text"] == "二つ目"


@pytest.mark.parametrize("last", ["x", "1", "1-", "$", "+", f"{'9' * 30}-0", "0-0 COUNT"])
def test_a_last_event_id_that_is_none_is_refused(guest: httpx.Client, last: str) -> None:
    assert guest.get("/console/events", headers={"last-event-id": last}).status_code == 400


def test_nobody_reads_another_sessions_stream(guest: httpx.Client, address: str) -> None:
    guest.post("/console/messages", json=QUESTION)

    with httpx.Client(base_url=address, params={"token": TOKEN}, follow_redirects=True) as other:
        other.get("/")
        with events(other) as story:
            assert next(story) == ("", {})


def test_scripts_in_a_question_and_an_answer_travel_as_text(guest: httpx.Client, store: redis.Redis) -> None:
    script = "</script><script>alert(1)</script>\n\ndata: {}\nevent: evil"
    guest.post("/console/messages", json={"id": ID, "text": script})
    worker = Worker(store)
    worker.open(worker.message(script)).finish(Reply(script))

    with events(guest) as story:
        assert [next(story)[1]["text"] for _ in range(2)] == [script, script]


def test_a_page_that_leaves_frees_its_connection_to_the_store(guest: httpx.Client, store: redis.Redis) -> None:
    with events(guest) as story:
        next(story)
        assert _readers(store) == 1

    until_s = time.monotonic() + 5
    while _readers(store) and time.monotonic() < until_s:
        time.sleep(0.01)
    assert _readers(store) == 0


def test_the_server_ends_while_a_page_follows(store: redis.Redis, store_url: str) -> None:
    with serving(store_url) as console, httpx.Client(base_url=console.address) as client:
        client.get("/", params={"token": TOKEN})
        with events(client) as story:
            next(story)
            began = time.monotonic()
            console.end()
            assert list(story) == []
    assert time.monotonic() - began < 3


def test_the_status_is_what_the_workers_wrote(guest: httpx.Client, store: redis.Redis) -> None:
    store.set("status:replies", json.dumps({"ready": True, "model": "a"}))

    assert guest.get("/console/status").json() == {"replies": {"ready": True, "model": "a"}, "knowledge": None}


def test_a_store_that_is_down_is_503_and_the_page_may_come_again(store: redis.Redis) -> None:
    with serving("unix:///nowhere/store.sock") as console, httpx.Client(base_url=console.address) as client:
        client.get("/", params={"token": TOKEN})

        for method, path, body in (
            ("POST", "/console/messages", QUESTION),
            ("POST", "/console/orders", {"name": "stop"}),
            ("GET", "/console/status", None),
        ):
            response = client.request(method, path, json=body)
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"


def _readers(store: redis.Redis) -> int:
    return sum(client["cmd"] == "xread" for client in store.client_list())
