"""What a look at a platform's settings finds, for who runs the bot to read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx

REACH_WITHIN_S = 8.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        state: it is well, it keeps something from working, it cannot be told; or it was changed, or would be.
    """

    state: Literal["ok", "bad", "unknown", "done", "would"]
    text: str


def unsigned_call(address: str) -> Finding:
    """Whether what is sent to our address without a signature arrives, and is turned away by us."""
    try:
        status = httpx.post(address, content=b"{}", timeout=REACH_WITHIN_S).status_code
    except httpx.HTTPError as error:
        return Finding("bad", f"{address} cannot be reached from here: {type(error).__name__}")
    if status == httpx.codes.UNAUTHORIZED:
        return Finding("ok", f"{address} is reached, and turns away what is not signed")
    return Finding("bad", f"{address} answers {status} in the place of 401: the service does not stand behind it")


def clock_skew_s(date: str | None) -> int | None:
    """How many seconds this machine's clock is ahead of a Date header; None when that says nothing."""
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None
    return round(time.time() - theirs)


def ago(seconds: float) -> str:
    """How long ago something was, in words (`3 hours`)."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return "a moment"
