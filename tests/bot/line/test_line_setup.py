"""`madoguchi line setup`: the webhook's address and the rich menus, put right once and left alone afterwards."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.findings import Finding
from bot.line.account import LineAccount
from bot.line.menu import HEIGHT, OURS, WIDTH, menus
from bot.line.menus_there import MenusThere
from bot.line.postback import Postback
from bot.line.sender import line_api
from bot.line.setup import set_up
from tests.bot.serving import LINE, LINE_SECRET, serving, settings
from tests.fakes.line import ACCEPTING, FakeLine, Fault, Response
from tests.fakes.line_account import ALIASES, DEFAULT, ENDPOINT, MENUS, TRIAL, FakeAccount, MenuThere

HOST = "https://desk.example.jp"
ADDRESS = f"{HOST}/line/webhook"
MADE = [
    f"POST {MENUS}",
    f"POST {MENUS}/*/content",
    f"POST {MENUS}",
    f"POST {MENUS}/*/content",
    f"POST {ALIASES}",
    f"POST {ALIASES}",
    f"POST {DEFAULT}/*",
]
OTHERS = "richmenu-" + "c" * 32


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(secret=LINE_SECRET, endpoint=ADDRESS)


@pytest.fixture
def line(account: FakeAccount) -> Iterator[FakeLine]:
    with FakeLine() as fake:
        fake.further.append(account)
        yield fake


def told(line: FakeLine, *, dry_run: bool = False, token: str = "", **given: Any) -> list[Finding]:
    """What a run of the command finds and does."""
    api = line_api(line.url, token or line.access_token, timeout_s=2)
    chosen = settings("unix:///nowhere/s.sock", **(LINE | {"public_url": HOST} | given))
    return list(set_up(chosen, LineAccount(api), MenusThere(api, api), dry_run=dry_run))


def texts(findings: list[Finding], state: str) -> list[str]:
    return [finding.text for finding in findings if finding.state == state]


def changes(account: FakeAccount) -> list[str]:
    """The calls that changed something, without the ids."""
    calls = [call for call in account.called if not call.endswith(TRIAL)]
    return ["/".join("*" if part.startswith("richmenu-") else part for part in call.split("/")) for call in calls]


def test_a_new_channel_gets_its_address_and_both_menus(line: FakeLine, account: FakeAccount) -> None:
    account.endpoint = ""

    findings = told(line)

    assert account.endpoint == ADDRESS
    assert changes(account) == [f"PUT {ENDPOINT}", *MADE]
    ja, en = menus()
    assert texts(findings, "done") == [
        f"LINE's webhook address is set to {ADDRESS} (there was none)",
        f"rich menu {ja.name} made",
        f"rich menu {en.name} made",
        f"rich menu {ja.name} is shown to everybody",
    ]


def test_a_second_run_changes_nothing(line: FakeLine, account: FakeAccount) -> None:
    told(line)
    account.called.clear()

    findings = told(line)

    assert changes(account) == []
    assert texts(findings, "done") == []


def test_a_dry_run_changes_nothing_and_tells_what_would_be_done(line: FakeLine, account: FakeAccount) -> None:
    account.endpoint = "https://old.example.jp/line/webhook"
    account.menus["richmenu-1"] = MenuThere({"name": "madoguchi-en-0123456789ab"})

    findings = told(line, dry_run=True)

    assert changes(account) == []
    ja, en = menus()
    assert texts(findings, "would") == [
        f"set LINE's webhook address to {ADDRESS} (before: https://old.example.jp/line/webhook)",
        f"make rich menu {ja.name}",
        f"make rich menu {en.name}",
        f"show rich menu {ja.name} to everybody",
        "delete rich menu madoguchi-en-0123456789ab",
    ]


def test_a_dry_run_tries_the_address_that_would_be_set(line: FakeLine, account: FakeAccount) -> None:
    account.endpoint = "https://old.example.jp/line/webhook"

    assert any(f"came to nothing at {ADDRESS}" in text for text in texts(told(line, dry_run=True), "bad"))


def test_a_dry_run_after_the_real_one_has_nothing_to_do(line: FakeLine) -> None:
    told(line)

    assert texts(told(line, dry_run=True), "would") == []


def test_everybody_sees_the_japanese_menu_and_each_leads_to_the_other(line: FakeLine, account: FakeAccount) -> None:
    told(line)

    ja, en = menus()
    assert account.shown().request["name"] == ja.name
    for here, there in ((ja, en), (en, ja)):
        switch = account.shown(here.alias).request["areas"][2]["action"]
        assert switch["type"] == "richmenuswitch"
        assert account.shown(switch["richMenuAliasId"]).request["name"] == there.name
        assert Postback.read(switch["data"]) == Postback("menu", "", "", there.language, "language")


@pytest.mark.parametrize("menu", menus(), ids=lambda menu: menu.language)
def test_every_item_says_what_it_is_in_its_menus_language(menu: Any) -> None:
    items = [Postback.read(area.action.data) for area in menu.request.areas if area.action.type == "postback"]

    assert items == [Postback("menu", "", "", menu.language, item) for item in ("ask", "reset", "help")]


@pytest.mark.parametrize("menu", menus(), ids=lambda menu: menu.language)
def test_the_items_cover_the_picture_once(menu: Any) -> None:
    bounds = [area.bounds for area in menu.request.areas]

    assert [one.x for one in bounds] == [sum(before.width for before in bounds[:i]) for i in range(len(bounds))]
    assert sum(one.width for one in bounds) == WIDTH
    assert {one.height for one in bounds} == {HEIGHT}


@pytest.mark.parametrize("menu", menus(), ids=lambda menu: menu.language)
def test_the_pictures_are_as_line_takes_them(menu: Any) -> None:
    assert struct.unpack(">II", menu.picture[16:24]) == (WIDTH, HEIGHT)
    assert len(menu.picture) <= 1_000_000


def test_the_pictures_come_with_the_package() -> None:
    manifest = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")

    assert '"line/menus/*.png"' in manifest


def test_a_menu_of_an_earlier_version_is_replaced_and_no_other_is_touched(line: FakeLine, account: FakeAccount) -> None:
    told(line)
    account.shown().request["name"] = old = "madoguchi-ja-0123456789ab"
    others = ["madoguchi-campaign", "夏のメニュー", "madoguchi-ja-0123456789ab-copy"]
    account.menus |= {f"richmenu-{number}": MenuThere({"name": name}) for number, name in enumerate(others)}
    account.aliases["madoguchi-summer"] = "richmenu-0"

    findings = told(line)

    ja, en = menus()
    assert sorted(account.names()) == sorted([en.name, ja.name, *others])
    assert texts(findings, "done")[-1] == f"rich menu {old} deleted"
    assert account.shown().request["name"] == account.shown(ja.alias).request["name"] == ja.name
    assert account.aliases["madoguchi-summer"] == "richmenu-0"


def test_a_menu_that_somebody_else_showed_to_everybody_is_named_and_stays(line: FakeLine, account: FakeAccount) -> None:
    account.menus[OTHERS] = MenuThere({"name": "夏のメニュー"}, b"picture")
    account.default = OTHERS

    findings = told(line)

    assert texts(findings, "done")[-1].endswith("is shown to everybody, in the place of '夏のメニュー', which stays")
    assert OTHERS in account.menus


def test_a_menu_of_the_official_account_manager_is_no_obstacle(line: FakeLine, account: FakeAccount) -> None:
    account.default = "manager"

    told(line)

    assert account.shown().request["name"] == menus()[0].name


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.RESET_AFTER_ACCEPTING, Fault.RATE_LIMITED, Fault.FORBIDDEN]
)
@pytest.mark.parametrize("call", range(len(MADE) + 2))
def test_a_run_that_breaks_off_anywhere_shows_no_half_and_the_next_one_mends(
    line: FakeLine, account: FakeAccount, call: int, fault: Fault
) -> None:
    told(line)
    for number, menu in enumerate(account.menus.values()):
        menu.request["name"] = f"madoguchi-{'je'[number]}{'an'[number]}-{number:012}"
    break_at(account, call, fault)

    broken = of_menus(told(line))

    assert [text for text in texts(broken, "bad") if "running it again mends" in text]
    assert account.shown().picture
    assert all(account.shown(alias).picture for alias in account.aliases)

    mended = of_menus(told(line))

    assert texts(mended, "bad") == []
    assert sorted(account.names()) == sorted(menu.name for menu in menus())
    assert account.shown().request["name"] == menus()[0].name
    assert {finding.state for finding in of_menus(told(line))} == {"ok"}


def of_menus(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.text.startswith("rich menu")]


def break_at(account: FakeAccount, call: int, fault: Fault) -> None:
    """Let the call of that number fail, of those that change menus."""
    answer, seen = account.answer, itertools.count()

    def broken(method: str, path: str, body: bytes, headers: Any) -> Response | None:
        if method == "GET" or "richmenu" not in path or next(seen) != call:
            return answer(method, path, body, headers)
        if fault in ACCEPTING:
            answer(method, path, body, headers)
        return Response(fault=fault)

    account.answer = broken  # type: ignore[method-assign]


def test_beyond_a_hundred_menus_an_hour_it_says_that_line_has_enough(line: FakeLine, account: FakeAccount) -> None:
    account.menus_made = 100

    (bad,) = texts(of_menus(told(line)), "bad")

    assert "has enough for now (rate limited)" in bad


def test_a_menu_whose_picture_never_came_is_made_again(line: FakeLine, account: FakeAccount) -> None:
    account.go_wrong("POST", f"{MENUS}/", Fault.SERVER_ERROR)
    told(line)
    assert [menu.picture for menu in account.menus.values()] == [b""]

    told(line)

    assert [bool(menu.picture) for menu in account.menus.values()] == [True, True]


@pytest.mark.parametrize(
    "listed",
    [b"[]", b"{}", b'{"richmenus": 3}', b"<html>", b"\xff", b'{"richmenus": ' + b"[" * 5_000, b"{" + b" " * 1_100_000],
    ids=lambda body: repr(body[:20]),
)
def test_a_list_of_menus_that_is_none_changes_nothing(line: FakeLine, account: FakeAccount, listed: bytes) -> None:
    account.go_wrong("GET", f"{MENUS}/list", Response(body=listed))

    findings = told(line)

    assert changes(account) == []
    assert len(texts(findings, "bad")) == 1 + 1  # beside the trial, which reaches nothing here


def test_odd_menus_among_the_others_are_no_obstacle(line: FakeLine, account: FakeAccount) -> None:
    account.menus |= {
        "richmenu-1": MenuThere({"name": 3}),
        "richmenu-2": MenuThere({"areas": [{"action": {"type": "brandnew"}}]}),
    }

    told(line)

    assert account.shown().request["name"] == menus()[0].name
    assert {"richmenu-1", "richmenu-2"} <= set(account.menus)


def test_names_of_ours_are_told_from_all_others() -> None:
    assert all(OURS.fullmatch(menu.name) for menu in menus())
    assert not OURS.fullmatch("madoguchi-campaign")


def test_an_address_that_is_right_is_not_set_again(line: FakeLine, account: FakeAccount) -> None:
    findings = told(line)

    assert f"PUT {ENDPOINT}" not in account.called
    assert f"LINE's webhook address is {ADDRESS}" in texts(findings, "ok")


def test_without_public_url_the_address_is_left_alone_and_told(line: FakeLine, account: FakeAccount) -> None:
    findings = told(line, public_url="")

    assert account.endpoint == ADDRESS
    assert any(f"is left alone (before: {ADDRESS})" in text for text in texts(findings, "unknown"))


def test_an_address_without_https_is_never_given_to_line(line: FakeLine, account: FakeAccount) -> None:
    findings = told(line, public_url="http://desk.example.jp")

    assert account.endpoint == ADDRESS
    assert any("must be https" in text for text in texts(findings, "bad"))


def test_an_address_that_line_refuses_is_told(line: FakeLine, account: FakeAccount) -> None:
    account.endpoint = ""
    account.go_wrong("PUT", ENDPOINT, Fault.BAD_REQUEST)

    findings = told(line)

    assert any("LINE does not take" in text for text in texts(findings, "bad"))


def test_where_use_webhook_is_off_it_says_where_to_turn_it_on(line: FakeLine, account: FakeAccount) -> None:
    account.active = False

    findings = told(line)

    assert any("Use webhook is off" in text and "Developers Console" in text for text in texts(findings, "bad"))


def test_a_test_event_reaches_the_service(line: FakeLine, account: FakeAccount, store_url: str) -> None:
    with serving(store_url, **LINE) as web:
        account.reaches[HOST] = str(web.base_url).rstrip("/")
        findings = told(line)

    assert texts(findings, "bad") == []
    assert any("test event of LINE's has reached" in text for text in texts(findings, "ok"))


def test_a_secret_of_another_channel_is_found_by_the_test_event(
    line: FakeLine, account: FakeAccount, store_url: str
) -> None:
    account.secret = "another"
    with serving(store_url, **LINE) as web:
        account.reaches[HOST] = str(web.base_url).rstrip("/")
        findings = told(line)

    assert any("LINE_CHANNEL_SECRET is not this channel's" in text for text in texts(findings, "bad"))


@pytest.mark.parametrize(
    ("reaches", "words"),
    [({}, "chain of certificates"), ({HOST: "http://127.0.0.1:9"}, "Failed to connect")],
)
def test_a_test_event_that_does_not_arrive_says_why(
    line: FakeLine, account: FakeAccount, reaches: dict[str, str], words: str
) -> None:
    account.reaches = reaches

    assert any(words in text for text in texts(told(line), "bad"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"success": false, "statusCode": 503, "reason": "ERROR_STATUS_CODE", "detail": "503"}', "the store"),
        (b'{"success": false, "statusCode": 404, "reason": "ERROR_STATUS_CODE", "detail": "404"}', "it answered 404"),
        (b'{"success": false, "statusCode": 0, "reason": "REQUEST_TIMEOUT", "detail": "x"}', "no answer came in time"),
        (b'{"success": false, "statusCode": -1, "reason": "NEW_ONE", "detail": "x"}', "NEW_ONE"),
    ],
)
def test_what_came_of_a_test_event_is_told_in_words(
    line: FakeLine, account: FakeAccount, answer: bytes, words: str
) -> None:
    account.go_wrong("POST", TRIAL, Response(body=answer))

    assert any(words in text for text in texts(told(line), "bad"))


@pytest.mark.parametrize("answer", [Fault.RATE_LIMITED, Response(body=b"[]"), Response(body=b"{}"), Fault.NOT_JSON])
def test_a_test_event_that_line_did_not_send_is_no_fault_of_ours(
    line: FakeLine, account: FakeAccount, answer: Fault | Response
) -> None:
    account.go_wrong("POST", TRIAL, answer)

    findings = told(line)

    assert texts(findings, "bad") == []
    assert any("did not try" in text for text in texts(findings, "unknown"))


def test_a_token_of_nobody_ends_it_without_the_token(line: FakeLine, account: FakeAccount) -> None:
    (finding,) = told(line, token="very-secret")

    assert finding.state == "bad"
    assert "issue another" in finding.text
    assert "very-secret" not in finding.text
    assert account.called == []


@pytest.mark.parametrize(
    "said",
    [b"{}", b'{"displayName": 3, "basicId": "@x", "chatMode": "bot"}', b"[]", b"<html>", b'{"displayName": "x"}'],
)
def test_a_bot_info_that_is_none_ends_it(line: FakeLine, account: FakeAccount, said: bytes) -> None:
    account.go_wrong("GET", "/v2/bot/info", Response(body=said))

    assert [finding.state for finding in told(line)] == ["bad"]
    assert account.called == []


@pytest.mark.parametrize(("mode", "words"), [("chat", "Chat on"), ("bot", "Chat off")])
def test_whether_people_may_answer_by_hand_is_told(line: FakeLine, account: FakeAccount, mode: str, words: str) -> None:
    account.chat_mode = mode

    assert words in told(line)[0].text


@pytest.mark.parametrize(
    ("limit", "used", "push", "state", "words"),
    [
        (200, 7, "never", "ok", "7 messages of this month's quota are used (200)"),
        (200, 200, "never", "ok", "all free"),
        (200, 200, "always", "bad", "used up"),
        (200, 7, "always", "ok", "count"),
        (200, 180, "quota", "ok", "no more than the reserve of 20 is left"),
        (200, 179, "quota", "ok", "late answers are pushed"),
        (None, 7_000, "quota", "ok", "late answers are pushed"),
        (None, 7_000, "always", "ok", "no limit"),
    ],
)
def test_the_quota_is_told_with_what_it_means(
    line: FakeLine, limit: int | None, used: int, push: str, state: str, words: str
) -> None:
    line.monthly_limit, line.pushes = limit, used

    assert any(words in text for text in texts(told(line, line_push=push), state))


def test_what_line_tells_nobody_is_told_to_be_looked_at(line: FakeLine) -> None:
    by_hand = " ".join(texts(told(line), "unknown"))

    assert all(what in by_hand for what in ("Auto-response", "redelivery", "group chats"))
