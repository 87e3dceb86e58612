"""What the console's page posts, as messages and orders. Pure: one JSON object in, one value out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import BadRequest
from bot.messages import Action, Command, Message
from bot.votes import VOTE, Ballot
from bot.words import language, order

PLATFORM = "console"
BUTTONS = ("reset", "stop", "forget")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def conversation(session: str) -> str:
    """The conversation of a session; a session speaks as one person, so this is the user's id too."""
    return f"{PLATFORM}:{session}"


def from_post(posted: Mapping[str, Any], session: str, now: float) -> Message | Command:
    """What a person typed: a message, or the order that the whole text is.

    `posted` is `{"id", "text"}`; the page makes the id, so a post that is repeated is known by it.

    Raises:
        BadRequest: 400, the id or the text is missing, of another type, or too long.
    """
    client_id, text = _client_id(posted), _text(posted)
    name = order(text)
    if name:
        return _command(name, session, language(text), now)
    return Message(
        id=f"{conversation(session)}:{client_id}",
        platform=PLATFORM,
        conversation_id=conversation(session),
        user_id=conversation(session),
        text=text,
        sent_at=now,
        reply_to={"session": session},
    )


def from_button(posted: Mapping[str, Any], session: str, asker_language: str, now: float) -> Command | Action:
    """What a button does: an order, `{"name"}`, or a vote, `{"name": "vote", "id", "value", "may_train"}`.

    Raises:
        BadRequest: 400, there is no such button.
    """
    name = posted.get("name")
    if name == VOTE:
        return _vote(posted, session, asker_language, now)
    if name not in BUTTONS:
        raise BadRequest(400, "no such order")
    return _command(name, session, asker_language, now)


def _command(name: str, session: str, asker_language: str, now: float) -> Command:
    return Command(
        platform=PLATFORM,
        conversation_id=conversation(session),
        user_id=conversation(session),
        name=name,
        argument="",
        language=asker_language,
        sent_at=now,
        reply_to={"session": session},
    )


def _vote(posted: Mapping[str, Any], session: str, asker_language: str, now: float) -> Action:
    """A vote on an answer of this session, whatever the id is: the page knows only its own part of it."""
    value, may_train = posted.get("value"), posted.get("may_train", False)
    if value not in ("up", "down") or not isinstance(may_train, bool):
        raise BadRequest(400, "no such vote")
    ballot = Ballot(f"{conversation(session)}:{_client_id(posted)}", value, may_train and value == "up")
    return Action(
        platform=PLATFORM,
        conversation_id=conversation(session),
        user_id=conversation(session),
        name=VOTE,
        value=ballot.to_text(),
        sent_at=now,
        reply_to={"session": session},
        language=asker_language,
    )


def _client_id(posted: Mapping[str, Any]) -> str:
    client_id = posted.get("id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise BadRequest(400, "bad id")
    return client_id


def _text(posted: Mapping[str, Any]) -> str:
    text = posted.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(400, "no text")
    if len(text.strip()) > Message.MAX_TEXT_CHARS:
        raise BadRequest(400, "text too long")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:  # JSON can spell half a surrogate pair; nothing else here can hold one
        raise BadRequest(400, "text is not Unicode") from error
    return text.strip()
