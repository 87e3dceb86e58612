"""The card below an answer: its sources as links, and whether it was of use. Pure.

Built within LINE's limits, so that it is never refused for its size: what does not fit is left out.
https://developers.line.biz/en/reference/messaging-api/#flex-message
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from bot.line.phrases import phrases
from bot.line.postback import MAX_DATA_CHARS, Postback
from bot.line.source import Source, sources
from bot.messages import JSONObject, Reply
from bot.platform import Target
from bot.splitting import shortened
from bot.votes import MAX_ID_CHARS, VOTE, Ballot

MAX_SOURCES = 10
MAX_URI_CHARS = 1_000
"""LINE: of the address that a link opens."""
MAX_ALT_CHARS = 400
"""LINE takes 1,500; a notification shows less."""

_GREY, _BLACK, _LINK, _LINE = "#767676", "#111111", "#1155CC", "#D0D0D0"
_HOST = re.compile(r"[a-z0-9._:-]+")
_SAFE = ":/?#[]@!$&'()*+,;=%-._~"
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_THUMBS = {"up": "👍", "down": "👎"}


def card(reply: Reply, target: Target, *, may_train: bool) -> JSONObject | None:
    """The Flex message below the last part of the answer to this target; None for an answer without sources.

    Args:
        may_train: who finds the answer helpful is asked to lend it for training.
    """
    cited = sources(reply.text, reply.citations)
    if not cited:
        return None
    votes = _vote_buttons(target, may_train=may_train)
    bubble = {"type": "bubble", "size": "mega", "body": _sources(cited[:MAX_SOURCES], target.language)}
    return {
        "type": "flex",
        "altText": _alternative(cited, target.language),
        "contents": bubble | ({"footer": votes} if votes else {}),
    }


def _alternative(cited: Sequence[Source], language: str) -> str:
    titles = ("、" if language == "ja" else ", ").join(source.label for source in cited)
    return shortened(f"{phrases(language).sources}: {titles}", MAX_ALT_CHARS)


def _sources(cited: Sequence[Source], language: str) -> dict[str, Any]:
    heading = {"type": "text", "text": phrases(language).sources, "size": "xs", "weight": "bold", "color": _GREY}
    return _box("vertical", [heading, *map(_line, cited)], spacing="sm", paddingAll="lg")


def _line(source: Source) -> dict[str, Any]:
    """One source, which opens in a browser where it has an address that LINE takes."""
    text = {"type": "text", "text": source.label, "size": "sm", "wrap": True, "maxLines": 3}
    uri = _uri(source.address)
    if not uri:
        return text | {"color": _BLACK}
    return text | {"color": _LINK, "decoration": "underline", "action": {"type": "uri", "uri": uri}}


def _uri(address: str) -> str:
    """The address as LINE takes it, in ASCII, without a password that may be in it; empty for what it would refuse."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode()
        place = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
        uri = _BARE_PERCENT.sub("%25", quote(urlunsplit(parts._replace(netloc=place)), safe=_SAFE))
    except ValueError:  # no address, or a name or a port that nothing has
        return ""
    return uri if _HOST.fullmatch(host) and len(uri) <= MAX_URI_CHARS else ""


def _vote_buttons(target: Target, *, may_train: bool) -> dict[str, Any] | None:
    """Both buttons, side by side where what they say is short; None when their data would not fit."""
    if len(target.message_id) > MAX_ID_CHARS:
        return None
    ballots = Ballot(target.message_id, "up", may_train), Ballot(target.message_id, "down")
    buttons = [_button(ballot, target) for ballot in ballots]
    if any(len(button["action"]["data"]) > MAX_DATA_CHARS for button in buttons):
        return None
    layout = "vertical" if may_train else "horizontal"
    return _box(layout, buttons, spacing="sm", paddingAll="md")


def _button(ballot: Ballot, target: Target) -> dict[str, Any]:
    """A box instead of LINE's button, whose label ends after a line: what is agreed to has to be in sight."""
    value = ballot.to_text().partition(" ")[0]
    pressed = Postback(VOTE, target.conversation_id, target.message_id, target.language, value)
    label = f"{_THUMBS[ballot.value]} {ballot.label(target.language)}"
    text = {"type": "text", "text": label, "size": "sm", "wrap": True, "align": "center", "color": _BLACK}
    look = {"borderColor": _LINE, "borderWidth": "1px", "cornerRadius": "md", "justifyContent": "center"}
    return _box("vertical", [text], paddingAll="sm", **look, action={"type": "postback", "data": pressed.data()})


def _box(layout: str, contents: Sequence[dict[str, Any]], **properties: Any) -> dict[str, Any]:
    return {"type": "box", "layout": layout, "contents": list(contents), **properties}
