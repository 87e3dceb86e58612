"""The guard in front of every parser: bytes that anybody may send become one JSON object, or a clear refusal.

Platform libraries parse before they verify and raise on odd input; nothing reaches them that has not passed here.
"""

from __future__ import annotations

import json
from typing import Any

from bot.errors import BadRequest
from bot.platform import MAX_BODY_BYTES

MAX_DEPTH = 40
"""Slack's deepest real payload (Block Kit in a message in an event) nests about 15 levels."""


def check_size(body: bytes) -> None:
    """Refuse what is larger than any real webhook.

    Raises:
        BadRequest: 413.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadRequest(413, "body too large")


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that the body is.

    Raises:
        BadRequest: 400 for invalid UTF-8, invalid JSON, another type than an object, numbers beyond any use, or nesting
            deeper than MAX_DEPTH.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise BadRequest(400, "not JSON") from error
    if not isinstance(value, dict):
        raise BadRequest(400, "not a JSON object")
    if _deeper_than(value, MAX_DEPTH):
        raise BadRequest(400, "nested too deeply")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
