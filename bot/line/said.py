"""What people write and send on LINE: whether it is for the bot, and what it says. Pure but for what is quoted.

In a group a text is for the bot when it mentions it, begins with a call word, or quotes what the bot has shown. Nothing
else there is: a file or a picture that is sent to a group calls nobody, and who answers the bot with a sticker wants
no answer.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from bot.line.calling import Listening, mentions_of_the_bot, without
from bot.line.envelope import Envelope, OddEvent, an_object, message_id, optional_identifier
from bot.messages import Attachment, Command, Deletion, Edit, Message
from bot.sanitise import visible
from bot.words import language, order, said_to_administer

_UNREADABLE = frozenset({"sticker", "image", "video", "audio", "location"})


def spoken(event: Envelope, listening: Listening) -> Message | Command | None:
    """A message: a question or an order, a file to be read, or, in a 1:1 chat, what cannot be read.

    Raises:
        OddEvent, StoreUnavailable
    """
    message = an_object(event.rest.get("message"))
    kind = message.get("type")
    if kind == "text":
        text = _text_for_us(event, message, listening)
        return None if text is None else _question_or_order(text, event, listening)
    if event.is_shared:
        return None
    if kind == "file":
        return _file(event, message)
    is_told = isinstance(kind, str) and kind in _UNREADABLE and not _is_one_of_several(message)
    return event.command("cannot_read", str(kind)) if is_told else None


def edited(event: Envelope, listening: Listening) -> Message | Command | Edit | Deletion | None:
    """A text says something else now; nothing, where only the call is left. It is not answered again.

    One that nobody took in before is said now, if it calls the bot: the edit overtook it, or added the call. LINE tells
    of every edit in a group; of people's own talk nothing is kept.

    Raises:
        OddEvent, StoreUnavailable
    """
    message = an_object(event.rest.get("message"))
    if message.get("type") != "text":
        return None
    if not listening.knows(message_id(message)):
        return spoken(event, listening)
    text = _called(event, message, listening)[0]
    if not text:
        return Deletion(**event.who, message_id=message_id(message), sent_at=event.sent_at)
    return Edit(**event.who, message_id=message_id(message), text=text, sent_at=event.sent_at)


def _text_for_us(event: Envelope, message: Mapping[str, Any], listening: Listening) -> str | None:
    """What is said to the bot, empty where it is only called; None where nobody called it."""
    text, is_called = _called(event, message, listening)
    return text if not event.is_shared or is_called or _quotes_us(event, message, listening) else None


def _called(event: Envelope, message: Mapping[str, Any], listening: Listening) -> tuple[str, bool]:
    """The text without what calls the bot, and whether that is in it; a mention and a call word are one call."""
    said = message.get("text")
    if not isinstance(said, str):
        raise OddEvent
    mentions = mentions_of_the_bot(message)
    text = without(mentions, said)
    behind = listening.call_words.cut(text) if event.is_shared else None
    return (text if behind is None else behind)[: Message.MAX_TEXT_CHARS], bool(mentions) or behind is not None


def _quotes_us(event: Envelope, message: Mapping[str, Any], listening: Listening) -> bool:
    quoted = optional_identifier(message, "quotedMessageId")
    return quoted is not None and listening.is_ours(quoted, event.conversation_id)


def _question_or_order(text: str, event: Envelope, listening: Listening) -> Message | Command:
    name = order(text) if text else "help"
    if name:
        return event.command(name, "", language(text) if text else "")
    is_admin = event.who["user_id"] in listening.admins
    told = None if event.is_shared else said_to_administer(text, is_admin=is_admin)
    if told:
        return event.command("admin", told, language(text))
    message = an_object(event.rest["message"])
    return _message(event, text, quote_token=optional_identifier(message, "quoteToken"))


def _file(event: Envelope, message: Mapping[str, Any]) -> Message:
    """A file in a 1:1 chat: a message without words."""
    size = message.get("fileSize")
    name = _file_name(message.get("fileName"))
    file = Attachment(
        id=message_id(message).removeprefix("line:"),
        name=name,
        mimetype=mimetypes.guess_type(f"file{PurePosixPath(name).suffix}")[0] or "",
        size_bytes=size if type(size) is int and 0 <= size < 2**53 else 0,
        source={},
    )
    return _message(event, "", files=(file,))


def _message(
    event: Envelope, text: str, *, quote_token: str | None = None, files: tuple[Attachment, ...] = ()
) -> Message:
    return Message(
        id=message_id(an_object(event.rest["message"])),
        **event.who,
        text=text,
        sent_at=event.sent_at,
        reply_to=event.reply_to(quote_token),
        attachments=files,
    )


def _file_name(told: object) -> str:
    """On one line, its ending kept, since that says what it is; empty where LINE does not say."""
    name = told if isinstance(told, str) else ""
    plain = " ".join(visible(name.encode("utf-8", "ignore").decode()).split())
    if len(plain) <= Attachment.MAX_NAME_CHARS:
        return plain
    ending = PurePosixPath(plain).suffix
    ending = ending if len(ending) <= 10 else ""
    return plain[: Attachment.MAX_NAME_CHARS - len(ending) - 1] + "…" + ending


def _is_one_of_several(message: Mapping[str, Any]) -> bool:
    """Whether it is a picture behind the first of those that were sent together."""
    together = message.get("imageSet")
    index = together.get("index") if isinstance(together, Mapping) else None
    return type(index) is int and index != 1
