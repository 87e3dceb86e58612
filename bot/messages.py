"""What passes between the edges and the work: frozen values, JSON both ways, with a version.

`reply_to` is opaque: only the platform that wrote it reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar

VERSION = 1
"""Raised when a field changes its meaning; a reader accepts every version up to its own."""

JSONObject = Mapping[str, Any]


class UnreadableRecord(ValueError):
    """A stored record is not one that this version can read."""


@dataclass(frozen=True, slots=True)
class Record:
    """A value with a JSON form: `{"v": 1, "kind": "Message", …fields}`."""

    def to_json(self) -> str:
        """The value as one line of JSON."""
        return json.dumps({"v": VERSION, "kind": type(self).__name__, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The value that `to_json` wrote; unknown fields of it are ignored, so an older reader can follow.

        Raises:
            UnreadableRecord: it is no such record, of a newer version, or lacks a field.
        """
        try:
            record = json.loads(text)
            if record["kind"] != cls.__name__ or record["v"] > VERSION:
                raise UnreadableRecord(f"not a {cls.__name__} of version {VERSION} or older")
            known = {f.name for f in fields(cls)}
            return cls(**{name: value for name, value in record.items() if name in known})
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise UnreadableRecord(f"unreadable {cls.__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Attachment(Record):
    """A file that came with a message. Its content stays with the platform until somebody fetches it.

    Args:
        id: the platform's own for the file.
        name: as its sender named it, on one line, at most MAX_NAME_CHARS; empty where the platform does not say.
        mimetype: what the platform takes it for; the content may be something else.
        size_bytes: as the platform says; 0 where it does not.
        source: where the platform has it; opaque outside the platform's package.
    """

    MAX_NAME_CHARS: ClassVar[int] = 120

    id: str
    name: str
    mimetype: str
    size_bytes: int
    source: JSONObject


@dataclass(frozen=True, slots=True)
class Message(Record):
    """What a person said to the bot.

    Args:
        id: the platform's message identity, not the delivery's (`slack:T1:C1:1700000000.000100`, `line:<message id>`,
            `console:<session>:<message id>`).
        platform: `slack`, `line` or `console`.
        conversation_id: whose history it belongs to. LINE 1:1, Slack DM root, console: per user; Slack thread: per
            thread (`slack:T1:C1:<thread ts>`, so it equals the id of the message that opened the thread); LINE group or
            room: per group.
        user_id: who spoke, with the platform in front (`slack:U1`, `line:U1`, `console:<session>`).
        text: what was said, without the mention of the bot; 1 to MAX_TEXT_CHARS characters; none beside files, or
            where the bot was only called into a thread.
        sent_at: the platform's own time, seconds since the epoch.
        reply_to: where the answer goes; opaque outside the platform's package.
        attachments: the first MAX_ATTACHMENTS files that came with it.
        more_files: how many came besides.
    """

    MAX_TEXT_CHARS: ClassVar[int] = 8_000
    MAX_ATTACHMENTS: ClassVar[int] = 5

    id: str
    platform: str
    conversation_id: str
    user_id: str
    text: str
    sent_at: float
    reply_to: JSONObject
    attachments: tuple[Attachment, ...] = field(default=())
    more_files: int = 0

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The message that `to_json` wrote."""
        plain = super(Message, cls).from_json(text)
        return replace(plain, attachments=_values(Attachment, plain.attachments))


@dataclass(frozen=True, slots=True)
class Edit(Record):
    """A person changed a message: `message_id` now says `text`.

    `reply_to` is where the message is answered anew if it was the last question; empty where it is only to be
    remembered in its new words.
    """

    platform: str
    conversation_id: str
    user_id: str
    message_id: str
    text: str
    sent_at: float
    reply_to: JSONObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deletion(Record):
    """A person took a message back: it must be gone from everything that we keep."""

    platform: str
    conversation_id: str
    user_id: str
    message_id: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class Action(Record):
    """A person pressed something (a button, a postback).

    `name` says what (`vote`), `value` carries its payload (a `bot.votes.Ballot`); `language` (`ja` or `en`) is what the
    button was written in.
    """

    platform: str
    conversation_id: str
    user_id: str
    name: str
    value: str
    sent_at: float
    reply_to: JSONObject
    language: str = "ja"


@dataclass(frozen=True, slots=True)
class Command(Record):
    """A word that is an order, not a question.

    `name` is one of `reset`, `stop`, `forget`, `help`, `ask`, `pair`, `pair_group`, `collect`, `unfollow`, `language`,
    `full` (no word of a person: the desk tells that it has no room), `cannot_read` (neither: a picture or the like
    came), `joined` and `leave` (the desk is in a group, and no more); `argument` is what followed it (for `pair` the
    code, for a `stop` that was pressed the message it speaks of, for `language` the chosen one, for `cannot_read` the
    kind of message, for `joined` the word that calls the desk there); `language` (`ja` or `en`) is the asker's, for the
    confirmation, and empty where they have said nothing to tell it by.
    """

    platform: str
    conversation_id: str
    user_id: str
    name: str
    argument: str
    language: str
    sent_at: float
    reply_to: JSONObject


Control = Edit | Deletion | Action | Command
"""What goes to the clerk and not through the inbox."""

_CONTROLS: dict[str, type[Edit | Deletion | Action | Command]] = {
    kind.__name__: kind for kind in (Edit, Deletion, Action, Command)
}


def control_from_json(text: str | bytes) -> Control:
    """The Edit, Deletion, Action or Command that `to_json` wrote.

    Raises:
        UnreadableRecord: it is none of them.
    """
    try:
        kind = _CONTROLS[json.loads(text)["kind"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnreadableRecord(f"unreadable control event: {error}") from error
    return kind.from_json(text)


@dataclass(frozen=True, slots=True)
class Citation(Record):
    """One source under an answer: `number` as shown, the document's title and place, and the passage's own words.

    `uri` is what a person can open (http or https), or a path that is only shown. `page` is where the web process shows
    the passage in its document, an address or, for its own console, a path; empty where there is no such page.
    """

    number: int
    title: str
    uri: str
    heading: str
    text: str
    page: str = ""

    @property
    def address(self) -> str:
        """What opens in a browser, of the source itself or of its page here; empty when nothing does."""
        return next((place for place in (self.uri, self.page) if place.startswith(("http://", "https://"))), "")


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """An answer as it leaves: plain standard Markdown without any URL or mention that `sanitise` would refuse.

    `offers` names what can be done with it (`bot/offers.py`), by buttons where the platform has them.
    """

    text: str
    citations: tuple[Citation, ...] = field(default=())
    offers: tuple[str, ...] = field(default=())

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The reply that `to_json` wrote."""
        plain = super(Reply, cls).from_json(text)
        return cls(text=plain.text, citations=_values(Citation, plain.citations), offers=tuple(plain.offers))


Part = TypeVar("Part", Attachment, Citation)


def _values(kind: type[Part], stored: Any) -> tuple[Part, ...]:
    """The values within a record, of which JSON has left objects; unknown fields are ignored.

    Raises:
        UnreadableRecord
    """
    known = {f.name for f in fields(kind)}
    try:
        return tuple(kind(**{k: v for k, v in one.items() if k in known}) for one in stored)
    except (AttributeError, TypeError) as error:
        raise UnreadableRecord(f"unreadable {kind.__name__}: {error}") from error
