"""Who may use the console."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.console.access import Sessions, check_host, check_origin, new_session
from bot.errors import BadRequest, SettingsIncomplete

SESSIONS = Sessions(SecretStr("the token"))


def test_the_token_is_admitted_and_nothing_else() -> None:
    assert SESSIONS.admits("the token")
    assert not SESSIONS.admits("the toke")
    assert not SESSIONS.admits("トークン")
    assert not SESSIONS.admits("")


def test_an_empty_token_is_an_error_at_start() -> None:
    with pytest.raises(SettingsIncomplete, match="CONSOLE_TOKEN"):
        Sessions(SecretStr(""))


def test_a_cookie_gives_its_session_back() -> None:
    session = new_session()

    assert SESSIONS.session(SESSIONS.cookie(session)) == session


@pytest.mark.parametrize("cookie", ["", ".", "abc", "abc.", "abc.0123", "é.é", "a.b.c"])
def test_a_cookie_that_nobody_signed_gives_none(cookie: str) -> None:
    assert SESSIONS.session(cookie) is None


def test_a_signature_holds_for_its_own_session_and_token_only() -> None:
    signature = SESSIONS.cookie("mine").partition(".")[2]

    assert SESSIONS.session(f"yours.{signature}") is None
    assert Sessions(SecretStr("another token")).session(SESSIONS.cookie("mine")) is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1:8000",
        "[::1]:8000",
        "[::1]",
        "192.168.1.20",
        "desk.lan:80",
    ],
)
def test_hosts_that_are_ours(host: str) -> None:
    check_host(host, {"desk.lan"})


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8000", "desk.lan.", ":"],
)
def test_hosts_that_are_not(host: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_host(host, {"desk.lan"})

    assert refusal.value.status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "192.168.1.20:8000", "origin": "http://192.168.1.20:8000"},
        {"host": "desk.lan", "origin": "https://desk.lan", "sec-fetch-site": "same-origin"},
        {"host": "localhost:8000"},
    ],
)
def test_posts_of_our_own_page_and_of_no_browser_pass(headers: dict[str, str]) -> None:
    check_origin(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8000", "origin": "http://localhost:9000"},
        {"host": "localhost:8000", "origin": "null"},
        {"host": "localhost:8000", "origin": "http://[evil"},
        {"host": "localhost:8000", "sec-fetch-site": "cross-site"},
        {"host": "localhost:8000", "sec-fetch-site": "same-site"},
    ],
)
def test_posts_of_another_page_do_not(headers: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        check_origin(headers)
