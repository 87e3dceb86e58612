"""A LINE channel's settings as its API has them: the bot, the webhook, rich menus with their pictures and aliases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from linebot.v3.messaging import (
    CreateRichMenuAliasRequest,
    RichMenuRequest,
    SetWebhookEndpointRequest,
    TestWebhookEndpointRequest,
    UpdateRichMenuAliasRequest,
)

from tests.fakes.line import Fault, Response
from tests.fakes.line_validation import Refused, checked

JSON = dict[str, Any]

ENDPOINT, TRIAL = "/v2/bot/channel/webhook/endpoint", "/v2/bot/channel/webhook/test"
MENUS, ALIASES, DEFAULT = "/v2/bot/richmenu", "/v2/bot/richmenu/alias", "/v2/bot/user/all/richmenu"
INFO = "/v2/bot/info"
BOT_ID = "U" + "b" * 32
MAX_PICTURE_BYTES = 1024 * 1024
MENUS_PER_HOUR, TRIALS_PER_HOUR = 100, 60
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class MenuThere:
    """A rich menu, and its picture when it has one."""

    request: JSON
    picture: bytes = b""


@dataclass
class FakeAccount:
    """Endpoints of one channel's settings.

    Args:
        reaches: where an address of the internet really leads, by how it begins (a reverse proxy in front of a test).
        default: whose menu everybody sees: an id, "manager" for one of the Official Account Manager, or nobody's.
        failing: what goes wrong with the next calls, by method and how the path begins.
        called: every call that changes something, in order.
    """

    secret: str = "line-secret"
    chat_mode: str = "bot"
    endpoint: str = ""
    active: bool = True
    reaches: dict[str, str] = field(default_factory=dict)
    menus: dict[str, MenuThere] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    default: str = ""
    failing: dict[tuple[str, str], deque[Fault | Response]] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    trials: int = 0
    menus_made: int = 0
    menus_deleted: int = 0

    def go_wrong(self, method: str, path: str, *faults: Fault | Response) -> None:
        """Let the next calls fail, one after the other."""
        self.failing.setdefault((method, path), deque()).extend(faults)

    def names(self) -> list[str]:
        """What the menus are called that are there."""
        return [menu.request["name"] for menu in self.menus.values()]

    def shown(self, alias: str = "") -> MenuThere:
        """The menu that everybody sees, or to which an item leads."""
        return self.menus[self.aliases[alias] if alias else self.default]

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """The answer to a call; see `Endpoints`."""
        for (verb, rest), endpoint in _ENDPOINTS.items():
            if verb == method and (found := re.fullmatch(rest, path)):
                if wrong := self._wrong(method, path):
                    return wrong
                if method != "GET":
                    self.called.append(f"{method} {path}")
                given = (body, headers) if "content" in rest else (_object(body),) if method in ("POST", "PUT") else ()
                return Response(body=json.dumps(endpoint(self, *found.groups(), *given)).encode())
        return None

    def _wrong(self, method: str, path: str) -> Response | None:
        for (verb, begins), faults in self.failing.items():
            if verb == method and path.startswith(begins) and faults:
                wrong = faults.popleft()
                return Response(fault=wrong) if isinstance(wrong, Fault) else wrong
        return None

    def _info(self) -> JSON:
        read = "manual" if self.chat_mode == "chat" else "auto"
        return {
            "userId": BOT_ID,
            "basicId": "@216ruzxq",
            "displayName": "まどぐち",
            "chatMode": self.chat_mode,
            "markAsReadMode": read,
        }

    def _webhook(self) -> JSON:
        if not self.endpoint:
            raise Refused(404, "Webhook endpoint not found")
        return {"endpoint": self.endpoint, "active": self.active}

    def _set_webhook(self, body: JSON) -> JSON:
        self.endpoint = _https(checked(body, SetWebhookEndpointRequest)["endpoint"])
        return {}

    def _trial(self, body: JSON) -> JSON:
        self.trials += 1
        if self.trials > TRIALS_PER_HOUR:
            raise Refused(429, "The API rate limit has been exceeded. Try again later.")
        address = checked(body, TestWebhookEndpointRequest).get("endpoint", self.endpoint)
        if not address:
            raise Refused(404, "Webhook endpoint not found")
        status, reason, detail = self._tried(_https(address))
        return {
            "success": status == 200,
            "timestamp": "2026-12-01T04:00:00.031Z",
            "statusCode": status,
            "reason": reason,
            "detail": detail,
        }

    def _tried(self, address: str) -> tuple[int, str, str]:
        begins = next(filter(address.startswith, self.reaches), None)
        if begins is None:
            return 0, "COULD_NOT_CONNECT", f"TLS handshake failure: {address}"
        event = json.dumps({"destination": BOT_ID, "events": []}).encode()
        signature = base64.b64encode(hmac.new(self.secret.encode(), event, hashlib.sha256).digest()).decode()
        try:
            answer = httpx.post(
                address.replace(begins, self.reaches[begins], 1),
                content=event,
                headers={"x-line-signature": signature, "content-type": "application/json"},
                timeout=2,
            )
        except httpx.TimeoutException:
            return 0, "REQUEST_TIMEOUT", "Request timeout"
        except httpx.HTTPError:
            return 0, "COULD_NOT_CONNECT", f"Failed to connect: {address}"
        reason = "OK" if answer.status_code == 200 else "ERROR_STATUS_CODE"
        return answer.status_code, reason, str(answer.status_code)

    def _menus(self) -> JSON:
        return {"richmenus": [{"richMenuId": menu_id, **menu.request} for menu_id, menu in self.menus.items()]}

    def _create(self, body: JSON) -> JSON:
        self.menus_made += 1
        if self.menus_made > MENUS_PER_HOUR:
            raise Refused(429, "The API rate limit has been exceeded. Try again later.")
        _check_menu(checked(body, RichMenuRequest))
        menu_id = f"richmenu-{hashlib.md5(str(self.menus_made).encode()).hexdigest()}"
        self.menus[menu_id] = MenuThere(body)
        return {"richMenuId": menu_id}

    def _upload(self, menu_id: str, picture: bytes, headers: Mapping[str, str]) -> JSON:
        menu = self._menu(menu_id)
        if headers.get("content-type") not in ("image/png", "image/jpeg"):
            raise Refused(415, "Unsupported media type")
        if menu.picture:
            raise Refused(400, "An image has already been uploaded to the richmenu")
        if len(picture) > MAX_PICTURE_BYTES or _pixels(picture) != menu.request["size"]:
            raise Refused(400, "The image size is not allowed for richmenu")
        menu.picture = picture
        return {}

    def _delete(self, menu_id: str) -> JSON:
        self.menus_deleted += 1
        if self.menus_deleted > MENUS_PER_HOUR:
            raise Refused(429, "The API rate limit has been exceeded. Try again later.")
        self._menu(menu_id)
        del self.menus[menu_id]
        self.default = "" if self.default == menu_id else self.default
        return {}

    def _aliases(self) -> JSON:
        return {"aliases": [{"richMenuAliasId": one, "richMenuId": menu} for one, menu in self.aliases.items()]}

    def _create_alias(self, body: JSON) -> JSON:
        alias = checked(body, CreateRichMenuAliasRequest)
        if alias["richMenuAliasId"] in self.aliases:
            raise Refused(400, "conflict richmenu alias id")
        self._lead(alias["richMenuAliasId"], alias["richMenuId"])
        return {}

    def _update_alias(self, alias: str, body: JSON) -> JSON:
        if alias not in self.aliases:
            raise Refused(404, "richmenu alias not found")
        self._lead(alias, checked(body, UpdateRichMenuAliasRequest)["richMenuId"])
        return {}

    def _lead(self, alias: str, menu_id: str) -> None:
        if menu_id not in self.menus or not self.menus[menu_id].picture:
            raise Refused(400, "richmenu not found")
        self.aliases[alias] = menu_id

    def _shown_to_all(self) -> JSON:
        if self.default == "manager":
            raise Refused(403, "the richmenu is owned by another channel")
        if not self.default:
            raise Refused(404, "no default richmenu")
        return {"richMenuId": self.default}

    def _show_to_all(self, menu_id: str, _: JSON) -> JSON:
        if not self._menu(menu_id).picture:
            raise Refused(400, "must upload richmenu image before applying it to user")
        self.default = menu_id
        return {}

    def _menu(self, menu_id: str) -> MenuThere:
        if menu_id not in self.menus:
            raise Refused(404, "Not found")
        return self.menus[menu_id]


_ENDPOINTS: dict[tuple[str, str], Callable[..., JSON]] = {
    ("GET", INFO): FakeAccount._info,
    ("GET", ENDPOINT): FakeAccount._webhook,
    ("PUT", ENDPOINT): FakeAccount._set_webhook,
    ("POST", TRIAL): FakeAccount._trial,
    ("GET", f"{MENUS}/list"): FakeAccount._menus,
    ("GET", f"{ALIASES}/list"): FakeAccount._aliases,
    ("POST", ALIASES): FakeAccount._create_alias,
    ("POST", rf"{ALIASES}/([a-z0-9_-]{{1,32}})"): FakeAccount._update_alias,
    ("POST", MENUS): FakeAccount._create,
    ("POST", rf"{MENUS}/(richmenu-\w+)/content"): FakeAccount._upload,
    ("DELETE", rf"{MENUS}/(richmenu-[\w-]+)"): FakeAccount._delete,
    ("GET", DEFAULT): FakeAccount._shown_to_all,
    ("POST", rf"{DEFAULT}/(richmenu-\w+)"): FakeAccount._show_to_all,
}


def _object(body: bytes) -> JSON:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(400, "The request body could not be parsed as JSON") from error
    if not isinstance(value, dict):
        raise Refused(400, "The request body could not be parsed as JSON")
    return value


def _https(address: str) -> str:
    if not address.startswith("https://") or len(address) > 500:
        raise Refused(400, "Invalid webhook endpoint URL")
    return address


def _check_menu(menu: JSON) -> None:
    for name in ("size", "selected", "name", "chatBarText", "areas"):
        if name not in menu:
            raise Refused(400, "The request body has 1 error(s)", name)
    width, height = menu["size"]["width"], menu["size"]["height"]
    if not 800 <= width <= 2500 or height < 250 or width / height < 1.45:
        raise Refused(400, "The request body has 1 error(s)", "size")
    if not 0 < len(menu["chatBarText"]) <= 14 or not 0 < len(menu["name"]) <= 300 or len(menu["areas"]) > 20:
        raise Refused(400, "The request body has 1 error(s)", "areas")
    for number, area in enumerate(menu["areas"]):
        bounds, action = area["bounds"], area["action"]
        inside = bounds["x"] + bounds["width"] <= width and bounds["y"] + bounds["height"] <= height
        if not inside or len(action.get("label", "")) > 20 or not 0 < len(action.get("data", "x")) <= 300:
            raise Refused(400, "The request body has 1 error(s)", f"areas[{number}]")


def _pixels(picture: bytes) -> JSON:
    """A PNG's size; nothing for what is none."""
    if not picture.startswith(_PNG):
        return {}
    width, height = struct.unpack(">II", picture[16:24])
    return {"width": width, "height": height}
