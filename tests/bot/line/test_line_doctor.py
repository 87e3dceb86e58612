"""`madoguchi doctor line` says what keeps the bot from working on LINE, changes nothing, and never tells a secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import trustme

from bot import findings
from bot.access import Access
from bot.line.account import LineAccount
from bot.line.doctor import examine
from bot.line.menu import menus
from bot.line.menus_there import MenusThere, put_up
from bot.line.sender import line_api
from bot.line.sightings import EXPECTED, kind_of
from bot.sightings import Sightings
from bot.store import connect
from tests.bot.serving import LINE, LINE_SECRET, serving, settings, to_line
from tests.fakes import line_events
from tests.fakes.line import FakeLine, Fault, Response
from tests.fakes.line_account import ENDPOINT, MENUS, FakeAccount

HOST = "https://desk.example.invalid"
ADDRESS = f"{HOST}/line/webhook"


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(secret=LINE_SECRET, endpoint=ADDRESS)


@pytest.fixture
def line(account: FakeAccount) -> Iterator[FakeLine]:
    with FakeLine() as fake:
        fake.further.append(account)
        yield fake


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for this machine, of an authority that is trusted here."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
    return tmp_path / "own.pem"


def found(line: FakeLine, store: redis.Redis, token: str = "", **given: Any) -> dict[str, list[str]]:
    """What is found, by its state."""
    api = line_api(line.url, token or line.access_token, timeout_s=2)
    chosen = settings("unix:///nowhere/s.sock", **(LINE | {"line_access": "pairing", "line_api_url": line.url} | given))
    access = Access.of(chosen, store)
    told = list(examine(chosen, LineAccount(api), MenusThere(api, api), Sightings(store, "line"), access))
    return {state: [one.text for one in told if one.state == state] for state in ("ok", "bad", "unknown")}


def has(told: list[str], *words: str) -> bool:
    return any(all(word in text for word in words) for text in told)


def test_where_nothing_is_missing_nothing_is_bad(
    line: FakeLine, account: FakeAccount, store: redis.Redis, store_url: str, certificate: Path
) -> None:
    api = line_api(line.url, line.access_token)
    list(put_up(MenusThere(api, api), menus(), dry_run=False))
    with serving(store_url, certificate=certificate, **LINE) as web:
        account.endpoint = str(web.base_url.join("/line/webhook"))
        account.reaches[str(web.base_url)] = str(web.base_url)
        told = found(line, store, public_url=str(web.base_url))

    assert told["bad"] == []
    for words in ("ACCESS_TOKEN works", "clock agrees", "webhook address is", "test event", "rich menu", "turns away"):
        assert has(told["ok"], words)


def test_it_changes_nothing(line: FakeLine, account: FakeAccount, store: redis.Redis) -> None:
    account.endpoint = "https://elsewhere.example.jp/"

    found(line, store, public_url=HOST)

    assert [call for call in account.called if not call.endswith("/test")] == []


def test_a_token_of_nobody_is_told_without_the_token(line: FakeLine, store: redis.Redis) -> None:
    told = found(line, store, token="very-secret", line_channel_secret="also-very-secret")

    assert has(told["bad"], "LINE_CHANNEL_ACCESS_TOKEN does not work", "issue another")
    assert "very-secret" not in str(told)


@pytest.mark.parametrize(
    "wrong", [Fault.SERVER_ERROR, Fault.RESET_AFTER_ACCEPTING, Fault.NOT_JSON, Fault.RATE_LIMITED, Response(body=b"[]")]
)
def test_where_line_tells_nothing_the_rest_is_told(
    line: FakeLine, account: FakeAccount, store: redis.Redis, wrong: Fault | Response
) -> None:
    account.go_wrong("GET", "/v2/bot/info", wrong)

    told = found(line, store)

    assert has(told["bad"], "LINE_CHANNEL_ACCESS_TOKEN does not work")
    assert has(told["unknown"], "has never come")


@pytest.mark.parametrize(("off_s", "state"), [(0, "ok"), (200, "ok"), (400, "bad"), (-400, "bad")])
def test_a_clock_that_is_off_is_told(
    line: FakeLine, store: redis.Redis, monkeypatch: pytest.MonkeyPatch, off_s: int, state: str
) -> None:
    monkeypatch.setattr(findings, "time", SimpleNamespace(time=lambda: time.time() + off_s))

    told = found(line, store)

    assert has(told[state], "clock")
    assert has(told["bad"], "no answer would be free") == (off_s == 400)


def test_a_line_that_is_down_tells_no_time(line: FakeLine, store: redis.Redis) -> None:
    line.goes_down()

    told = found(line, store)
    line.comes_back()

    assert has(told["unknown"], "what time it is")


def test_an_address_that_is_not_ours_is_told(line: FakeLine, account: FakeAccount, store: redis.Redis) -> None:
    account.endpoint = "https://elsewhere.example.jp/hook"

    told = found(line, store, public_url=HOST)

    assert has(told["bad"], "https://elsewhere.example.jp/hook", f"in the place of {ADDRESS}", "line setup")


def test_an_address_that_was_never_set_is_told(line: FakeLine, account: FakeAccount, store: redis.Redis) -> None:
    account.endpoint = ""

    assert has(found(line, store)["bad"], "no webhook address", "line setup")


@pytest.mark.parametrize("wrong", [Fault.SERVER_ERROR, Response(body=b"{}"), Response(body=b'{"endpoint": 3}')])
def test_an_address_that_line_does_not_tell_is_unknown(
    line: FakeLine, account: FakeAccount, store: redis.Redis, wrong: Fault | Response
) -> None:
    account.go_wrong("GET", ENDPOINT, wrong)

    assert has(found(line, store)["unknown"], "does not tell the webhook's address")


def test_where_use_webhook_is_off_it_is_told(line: FakeLine, account: FakeAccount, store: redis.Redis) -> None:
    account.active = False

    assert has(found(line, store)["bad"], "Use webhook is off")


def test_a_service_that_does_not_stand_behind_the_address_is_told(
    line: FakeLine, store: redis.Redis, store_url: str
) -> None:
    with serving(store_url, **LINE) as web:
        elsewhere = found(line, store, public_url=f"{web.base_url}/desk")
    gone = found(line, store, public_url="http://127.0.0.1:9")

    assert has(elsewhere["bad"], "answers 404 in the place of 401")
    assert has(gone["bad"], "cannot be reached")


@pytest.mark.parametrize("amiss", ["never made", "one deleted", "another shown", "no picture"])
def test_a_rich_menu_that_is_not_whole_is_told(
    line: FakeLine, account: FakeAccount, store: redis.Redis, amiss: str
) -> None:
    if amiss != "never made":
        api = line_api(line.url, line.access_token)
        list(put_up(MenusThere(api, api), menus(), dry_run=False))
    match amiss:
        case "one deleted":
            del account.menus[account.aliases["madoguchi-en"]]
        case "another shown":
            account.default = "manager"
        case "no picture":
            account.aliases.clear()

    assert has(found(line, store)["unknown"], "rich menu is not there", "line setup")


@pytest.mark.parametrize("wrong", [Fault.SERVER_ERROR, Response(body=b'{"richmenus": {}}')])
def test_rich_menus_that_line_does_not_tell_of_are_unknown(
    line: FakeLine, account: FakeAccount, store: redis.Redis, wrong: Fault | Response
) -> None:
    account.go_wrong("GET", f"{MENUS}/list", wrong)

    assert has(found(line, store)["unknown"], "does not tell of its rich menus")


def test_events_that_came_are_told_and_those_that_never_did(line: FakeLine, store: redis.Redis, store_url: str) -> None:
    with serving(store_url, **LINE) as web:
        to_line(web)

    told = found(line, store)

    assert has(told["ok"], "message has come, last a moment ago")
    never = [text.split(" has never")[0] for text in told["unknown"] if "has never come" in text]
    assert never == [kind for kind in EXPECTED if kind != "message"]


def test_what_line_has_not_signed_is_no_sighting(line: FakeLine, store: redis.Redis, store_url: str) -> None:
    with serving(store_url, **LINE) as web:
        to_line(web, **{"x-line-signature": "bm90IGxpbmU="})

    assert has(found(line, store)["unknown"], "message has never come")


def test_without_the_store_everything_else_is_told(line: FakeLine) -> None:
    told = found(line, connect("unix:///nowhere/store.sock"))

    assert has(told["unknown"], "does not run")
    assert has(told["ok"], "ACCESS_TOKEN works")


@pytest.mark.parametrize("slip", [line_events.USER, "line:Uxxx", f"line: {line_events.USER}", "LINE:U1"])
def test_an_administrator_whose_id_is_none_is_told_of(line: FakeLine, store: redis.Redis, slip: str) -> None:
    told = found(line, store, admin_users=f"slack:U2,{slip}")

    assert has(told["bad"], f"ADMIN_USERS: {slip} is nobody's ID")
    assert has(told["unknown"], "nobody is answered yet")


@pytest.mark.parametrize(
    ("given", "let_in", "state", "words"),
    [
        ({}, (), "unknown", "nobody is answered yet. `madoguchi line invite`"),
        ({"line_access": "allowlist"}, (), "unknown", "nobody is answered yet. `madoguchi line allow ID`"),
        ({"line_access": "allowlist", "line_allowed": f"line:{line_events.USER}"}, (), "ok", "1 people and groups"),
        ({}, ("line:U1", "line:C1"), "ok", "2 people and groups"),
        ({"admin_users": f"line:{line_events.USER},slack:U2"}, (), "ok", "1 administrators"),
        ({"line_access": "open"}, (), "ok", "everybody is answered, from public documents only"),
    ],
)
def test_who_is_let_in_is_counted_and_not_named(
    line: FakeLine, store: redis.Redis, given: dict[str, Any], let_in: tuple[str, ...], state: str, words: str
) -> None:
    if let_in:
        store.sadd("admitted", *let_in)

    told = found(line, store, **given)

    assert has(told[state], words)
    assert "line:C1" not in str(told)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (line_events.text("質問"), "message"),
        (line_events.text("質問", source=line_events.group()), "group message"),
        (line_events.text("質問", source={"type": "room", "roomId": "R1"}), "group message"),
        ({"type": "follow"}, "follow"),
        ({"type": "messageEdited", "source": None}, "messageEdited"),
        ({"type": "brandNew"}, ""),
        ({"type": ["message"]}, ""),
        ({"type": "message", "source": "group"}, "message"),
        ({}, ""),
        (None, ""),
        ("message", ""),
    ],
)
def test_a_kind_is_told_from_whatever_comes(event: object, kind: str) -> None:
    assert kind_of(event) == kind


def test_a_kind_is_noted_once_in_a_while_and_never_its_words(store: redis.Redis) -> None:
    sightings = Sightings(store, "line")
    sightings.note(kind_of(line_events.text("合言葉はオニヤンマ")))
    store.delete("line:seen")
    sightings.note(kind_of(line_events.text("合言葉はオニヤンマ")))

    assert sightings.all() == {}
    Sightings(store, "line").note(kind_of(line_events.text("合言葉はオニヤンマ")))
    assert list(store.hgetall("line:seen")) == ["message"]
