"""The fake of a channel's settings is as strict as LINE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.line.menu import menus
from tests.fakes.line import FakeLine
from tests.fakes.line_account import ALIASES, DEFAULT, ENDPOINT, INFO, MENUS, TRIAL, FakeAccount

JA = menus()[0]
NOBODY = "richmenu-" + "0" * 32


@pytest.fixture
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        fake.further.append(FakeAccount())
        yield fake


def call(line: FakeLine, method: str, path: str, **given: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {line.access_token}"} | given.pop("headers", {})
    return httpx.request(method, line.url.rstrip("/") + path, headers=headers, **given)


def made(line: FakeLine, **changed: Any) -> httpx.Response:
    return call(line, "POST", MENUS, json=JA.request.to_dict() | changed)


def pictured(line: FakeLine) -> str:
    """A menu with its picture."""
    menu_id = str(made(line).json()["richMenuId"])
    assert uploaded(line, menu_id, JA.picture).status_code == 200
    return menu_id


def uploaded(line: FakeLine, menu_id: str, picture: bytes, media_type: str = "image/png") -> httpx.Response:
    path = f"{MENUS}/{menu_id}/content"
    return call(line, "POST", path, content=picture, headers={"content-type": media_type})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", INFO), ("GET", ENDPOINT), ("POST", MENUS), ("DELETE", MENUS)])
def test_nothing_is_told_without_the_token(line: FakeLine, method: str, path: str) -> None:
    assert httpx.request(method, line.url.rstrip("/") + path).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "x" * 301},
        {"name": ""},
        {"chatBarText": "あ" * 15},
        {"size": {"width": 2501, "height": 843}},
        {"size": {"width": 800, "height": 249}},
        {"size": {"width": 800, "height": 800}},
        {"areas": [{"bounds": {"x": 2000, "y": 0, "width": 501, "height": 843}, "action": {"type": "message"}}]},
        {"areas": JA.request.to_dict()["areas"] * 6},
        {"colour": "red"},
    ],
    ids=lambda changed: repr(changed)[:40],
)
def test_a_menu_beyond_lines_limits_is_refused(line: FakeLine, changed: dict[str, Any]) -> None:
    assert made(line, **changed).status_code == 400


def test_a_menu_without_a_name_is_refused(line: FakeLine) -> None:
    body = {name: value for name, value in JA.request.to_dict().items() if name != "name"}

    assert call(line, "POST", MENUS, json=body).status_code == 400


def test_a_picture_is_taken_once_in_the_menus_size_and_as_a_picture(line: FakeLine) -> None:
    menu_id = str(made(line).json()["richMenuId"])

    assert uploaded(line, menu_id, JA.picture, "application/json").status_code == 415
    assert refusal(uploaded(line, menu_id, b"GIF89a")) == (400, "The image size is not allowed for richmenu")
    assert uploaded(line, menu_id, JA.picture + b"0" * 1024 * 1024).status_code == 400
    assert uploaded(line, NOBODY, JA.picture).status_code == 404
    assert uploaded(line, menu_id, JA.picture).status_code == 200
    assert refusal(uploaded(line, menu_id, JA.picture))[1] == "An image has already been uploaded to the richmenu"


def test_a_menu_without_a_picture_is_shown_to_nobody(line: FakeLine) -> None:
    menu_id = made(line).json()["richMenuId"]

    shown = call(line, "POST", f"{DEFAULT}/{menu_id}")
    led = call(line, "POST", ALIASES, json={"richMenuAliasId": "a", "richMenuId": menu_id})

    assert refusal(shown) == (400, "must upload richmenu image before applying it to user")
    assert refusal(led) == (400, "richmenu not found")
    assert refusal(call(line, "GET", DEFAULT)) == (404, "no default richmenu")


def test_an_alias_is_made_once_and_changed_afterwards(line: FakeLine) -> None:
    body = {"richMenuAliasId": "a", "richMenuId": pictured(line)}

    assert refusal(call(line, "POST", f"{ALIASES}/a", json=body))[0] == 404
    assert call(line, "POST", ALIASES, json=body).status_code == 200
    assert refusal(call(line, "POST", ALIASES, json=body)) == (400, "conflict richmenu alias id")
    assert call(line, "POST", f"{ALIASES}/a", json={"richMenuId": body["richMenuId"]}).status_code == 200


def test_a_deleted_menu_is_shown_no_more(line: FakeLine) -> None:
    menu_id = pictured(line)
    call(line, "POST", f"{DEFAULT}/{menu_id}")

    assert call(line, "DELETE", f"{MENUS}/{menu_id}").status_code == 200
    assert call(line, "GET", DEFAULT).status_code == 404
    assert call(line, "DELETE", f"{MENUS}/{menu_id}").status_code == 404


def test_a_hundred_menus_an_hour_are_made(line: FakeLine) -> None:
    statuses = [made(line).status_code for _ in range(101)]

    assert statuses == [200] * 100 + [429]


@pytest.mark.parametrize("address", ["http://desk.example.jp/", "desk.example.jp", "https://" + "x" * 500])
def test_a_webhook_is_an_https_address(line: FakeLine, address: str) -> None:
    assert call(line, "PUT", ENDPOINT, json={"endpoint": address}).status_code == 400
    assert call(line, "POST", TRIAL, json={"endpoint": address}).status_code == 400


def test_a_webhook_that_was_never_set_is_not_found(line: FakeLine) -> None:
    assert refusal(call(line, "GET", ENDPOINT)) == (404, "Webhook endpoint not found")
    assert refusal(call(line, "POST", TRIAL, json={})) == (404, "Webhook endpoint not found")
