"""Flex messages as LINE takes and shows them: what it refuses beside what no model knows, and what a reader sees.

https://developers.line.biz/en/reference/messaging-api/#flex-message
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

MAX_BUBBLE_BYTES, MAX_CAROUSEL_BYTES, MAX_BUBBLES = 30 * 1024, 50 * 1024, 12
MAX_ALT_UNITS, MAX_URI_CHARS, MAX_DATA_CHARS, MAX_LABEL_CHARS = 1_500, 1_000, 300, 20
SCHEMES = frozenset({"http", "https", "line", "tel"})
IN_BASELINE = frozenset({"text", "icon", "filler"})

_LENGTH = r"none|xs|sm|md|lg|xl|xxl|[0-9]+(?:\.[0-9]+)?px"
_PADDING = re.compile(rf"{_LENGTH}|[0-9]+(?:\.[0-9]+)?%")
_FORMS: dict[str, re.Pattern[str]] = {
    "color": re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?"),
    "size": re.compile(r"xxs|xs|sm|md|lg|xl|xxl|[345]xl|[0-9]+(?:\.[0-9]+)?px|full"),
    "spacing": re.compile(_LENGTH),
    "margin": re.compile(_LENGTH),
    "cornerRadius": re.compile(_LENGTH),
    "borderWidth": re.compile(r"none|light|normal|medium|semi-bold|bold|[0-9]+(?:\.[0-9]+)?px"),
    **dict.fromkeys(("paddingAll", "paddingTop", "paddingBottom", "paddingStart", "paddingEnd"), _PADDING),
}
_FORMS["borderColor"] = _FORMS["backgroundColor"] = _FORMS["color"]

Fault = tuple[str, str]
"""What LINE says of it, and where it is."""


def fault(message: Mapping[str, Any]) -> Fault | None:
    """The first thing for which LINE refuses a flex message whose properties are known; None when it takes it."""
    if not 0 < len(message["altText"].encode("utf-16-le")) // 2 <= MAX_ALT_UNITS:
        return f"Length must be between 1 and {MAX_ALT_UNITS}", "altText"
    return next(_faults(message["contents"]), None)


def shown(message: Mapping[str, Any]) -> str:
    """What a reader sees of it, a line for each text, with the address that it opens."""
    return "\n".join(
        " ".join(filter(None, (part.get("text"), part.get("action", {}).get("uri"))))
        for part in _within(message["contents"])
        if part.get("type") == "text"
    )


def postbacks(message: Mapping[str, Any]) -> list[str]:
    """The data of everything that can be pressed in it."""
    actions = [part["action"] for part in _within(message["contents"]) if "action" in part]
    return [action["data"] for action in actions if action["type"] == "postback"]


def _faults(container: Mapping[str, Any]) -> Iterator[Fault]:
    is_carousel = container["type"] == "carousel"
    most_bytes = MAX_CAROUSEL_BYTES if is_carousel else MAX_BUBBLE_BYTES
    if len(json.dumps(container)) > most_bytes:
        yield f"the size of {container['type']} must be less than or equal to {most_bytes}", "/"
    if is_carousel and not 0 < len(container["contents"]) <= MAX_BUBBLES:
        yield f"size must be between 1 and {MAX_BUBBLES}", "/contents"
    for bubble in container["contents"] if is_carousel else [container]:
        if not bubble.keys() & {"header", "hero", "body", "footer"}:
            yield "a bubble needs a block", "/"
        for part in _within(bubble):
            yield from _of_part(part)


def _of_part(part: Mapping[str, Any]) -> Iterator[Fault]:
    kind = part["type"]
    if kind == "text" and not part.get("text") and not part.get("contents"):
        yield "must be non-empty text", "/text"
    if kind == "span" and not part.get("text"):
        yield "must be non-empty text", "/text"
    if kind == "button" and not part["action"].get("label"):
        yield "must be specified", "/action/label"
    if kind == "box" and part["layout"] == "baseline":
        yield from (
            ("invalid component", "/contents") for inner in part["contents"] if inner["type"] not in IN_BASELINE
        )
    for name, form in _FORMS.items():
        if kind != "bubble" and name in part and not form.fullmatch(part[name]):
            yield "invalid property", f"/{name}"
    if any(part.get(name, 0) < 0 for name in ("flex", "maxLines")):
        yield "must be greater than or equal to 0", "/flex"
    if "action" in part:
        yield from _of_action(part["action"])


def _of_action(action: Mapping[str, Any]) -> Iterator[Fault]:
    if "label" in action and not 0 < len(action["label"]) <= MAX_LABEL_CHARS:
        yield f"Length must be between 1 and {MAX_LABEL_CHARS}", "/action/label"
    if action["type"] == "postback" and not 0 < len(action.get("data", "")) <= MAX_DATA_CHARS:
        yield f"Length must be between 1 and {MAX_DATA_CHARS}", "/action/data"
    if action["type"] == "uri":
        yield from _of_uri(action.get("uri", ""))


def _of_uri(uri: str) -> Iterator[Fault]:
    if not 0 < len(uri) <= MAX_URI_CHARS:
        yield f"Length must be between 1 and {MAX_URI_CHARS}", "/action/uri"
    if re.search(r"[^!-~]|[\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})", uri):
        yield "invalid uri", "/action/uri"
    try:
        parts = urlsplit(uri)
    except ValueError:
        yield "invalid uri", "/action/uri"
        return
    if parts.scheme not in SCHEMES:
        yield "invalid uri scheme", "/action/uri"
    if parts.scheme in ("http", "https") and not re.fullmatch(r"[A-Za-z0-9._:-]+", parts.hostname or ""):
        yield "invalid uri", "/action/uri"


def _within(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The part and everything in it, in the order in which it is read."""
    yield part
    for block in (part.get(name) for name in ("header", "hero", "body", "footer")):
        yield from _within(block) if block else ()
    for inner in part.get("contents", ()):
        yield from _within(inner)
