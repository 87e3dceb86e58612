"""Slack's signature over the raw bytes (docs.slack.dev, "Verifying requests from Slack")."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from bot.errors import BadRequest

WINDOW_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `x-slack-signature` for a body sent at `timestamp` (seconds since the epoch, as text)."""
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    return "v0=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Return only when Slack signed this body within the last five minutes; header names are in lower case.

    Raises:
        BadRequest: 401.
    """
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > WINDOW_S:
        raise BadRequest(401, "no timestamp of now")
    claimed = headers.get("x-slack-signature", "").encode("utf-8", "replace")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode("ascii"), claimed):
        raise BadRequest(401, "wrong signature")
