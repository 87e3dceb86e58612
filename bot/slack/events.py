"""One envelope of Slack's Events API as what a person did. Pure: nothing here talks to anything.

Slack's own shapes and what is odd about them are told where they are read; every other shape is nobody speaking to us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.messages import Command, Deletion, Edit, JSONObject, Message
from bot.slack.files import attachments, more_files
from bot.slack.listening import Heard
from bot.slack.markup import calls_others, mentions, plain_text
from bot.slack.shapes import channel_type_of, conversation_of, id_of, part, team_of, ts_of, words
from bot.words import language, order, said_to_administer

SPEAKING_SUBTYPES = (None, "file_share", "thread_broadcast")
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a person did, and an `id` that every further delivery of it has too.

    Args:
        heard: how it was said in a shared place, which decides whether it is for us (`bot.slack.listening`); None where
            nothing has to be decided.
    """

    id: str
    event: Message | Edit | Deletion | Command
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an event happened, and which users there are ourselves."""

    team: str
    channel: str
    channel_type: str
    ext_shared: bool
    own: frozenset[str]

    @property
    def direct(self) -> bool:
        return self.channel_type == "im"

    @property
    def id(self) -> str:
        return f"slack:{self.team}:{self.channel}"

    def message_id(self, ts: str) -> str:
        return f"{self.id}:{ts}"

    def conversation_id(self, ts: str, thread_ts: str) -> str:
        return conversation_of(self.id, ts, thread_ts, direct=self.direct)


def parse(envelope: JSONObject, admins: frozenset[str] = frozenset()) -> Delivery | None:
    """What a person did in this envelope; None when it cannot be for us, or is of no shape that Slack sends.

    Args:
        admins: who may administer, as `slack:U…`; their words in a direct message are orders.
    """
    event = part(envelope, "event")
    place = _place(envelope, event)
    event_id = id_of(envelope.get("event_id"))
    if place is None or not event_id:
        return None
    delivery_id = f"slack:{event_id}"
    match event.get("subtype"):
        case "message_changed":
            return _changed(event, place, delivery_id)
        case "message_deleted":
            return _removed(place, delivery_id, event, part(event, "previous_message"), event.get("deleted_ts"))
        case _:
            return _said(event, place, delivery_id, admins)


def _place(envelope: JSONObject, event: JSONObject) -> _Place | None:
    """Where it happened, when it is an event that can be for us."""
    if event.get("type") not in ("app_mention", "message"):
        return None
    authorizations = envelope.get("authorizations")
    granted = [a for a in authorizations if isinstance(a, dict)] if isinstance(authorizations, list) else []
    team, channel = team_of(envelope), id_of(event.get("channel"))
    if not team or not channel:
        return None
    return _Place(
        team=team,
        channel=channel,
        channel_type=_channel_type(event, channel),
        ext_shared=envelope.get("is_ext_shared_channel") is True,
        own=frozenset(user for a in granted if a.get("is_bot") is not False and (user := id_of(a.get("user_id")))),
    )


def _channel_type(event: JSONObject, channel: str) -> str:
    """`im`, `mpim`, `group` or `channel`; an app_mention does not say, and never comes from a DM."""
    told = event.get("channel_type")
    if isinstance(told, str):
        return told
    return channel_type_of(channel)


def _said(event: JSONObject, place: _Place, delivery_id: str, admins: frozenset[str]) -> Delivery | None:
    """A new message, or the order that it is.

    A mention comes twice, as `app_mention` and as `message`, with one ts and two event ids; with a file attached it
    comes as `message` only. So both are read, and an order is known by its message, as an inbox knows a message.
    """
    written, ts, thread_ts = words(event), ts_of(event.get("ts")), _thread_ts(event)
    if not ts or not _by_a_person(event, place):
        return None
    text = plain_text(written, place.own)[: Message.MAX_TEXT_CHARS]
    heard = None if place.direct else _heard(event, place, ts, thread_ts)
    files = attachments(event)
    if not text and not files and heard and heard.addressed != "us":
        return None
    conversation_id, user_id = place.conversation_id(ts, thread_ts), f"slack:{event['user']}"
    reply_to = _reply_to(event, place, ts, thread_ts)
    calls_into_thread = heard is not None and thread_ts not in ("", ts)  # it says: answer what was said above
    name, argument = (order(text) if text or files or calls_into_thread else "help"), ""
    if not name and place.direct and (told := said_to_administer(text, is_admin=user_id in admins)):
        name, argument = "admin", told
    if name:
        command = Command("slack", conversation_id, user_id, name, argument, language(text), float(ts), reply_to)
        return Delivery(place.message_id(ts), command, heard)
    who = (place.message_id(ts), "slack", conversation_id, user_id)
    message = Message(*who, text, float(ts), reply_to, files, more_files(event))
    return Delivery(delivery_id, message, heard)


def _heard(event: JSONObject, place: _Place, ts: str, thread_ts: str) -> Heard:
    """How a message was said in a channel or group."""
    written = words(event)
    to_us = event["type"] == "app_mention" or mentions(written, place.own)
    return Heard(
        message_id=place.message_id(ts),
        thread=place.message_id(thread_ts or ts),
        channel=f"slack:{place.channel}",
        user_id=f"slack:{event['user']}",
        at=float(ts),
        addressed="us" if to_us else "others" if calls_others(written, place.own) else "nobody",
    )


def _changed(event: JSONObject, place: _Place, delivery_id: str) -> Delivery | None:
    """An edit by a person. Unfurled links and the bot's own updates change messages too, but no person's words."""
    after, before = part(event, "message"), part(event, "previous_message")
    if after.get("subtype") == "tombstone":  # what is left of a deleted message that has replies
        return _removed(place, delivery_id, event, before, after.get("ts"))
    written, old, ts = words(after), words(before), ts_of(after.get("ts"))
    text = plain_text(written, place.own)[: Message.MAX_TEXT_CHARS]
    if not ts or not after.get("edited") or not _by_a_person(after, place):
        return None
    if text == plain_text(old, place.own)[: Message.MAX_TEXT_CHARS]:
        return None
    to_us = place.direct or mentions(written, place.own)
    if not to_us and mentions(old, place.own):  # the mention was taken away: it is said to others now
        return None
    thread_ts = _thread_ts(after)
    edit = Edit(
        platform="slack",
        conversation_id=place.conversation_id(ts, thread_ts),
        user_id=f"slack:{after['user']}",
        message_id=place.message_id(ts),
        text=text,
        sent_at=_happened_at(event, ts),
        reply_to=_reply_to(after, place, ts, thread_ts),
    )
    return Delivery(delivery_id, edit, None if to_us else _heard({**after, "type": "message"}, place, ts, thread_ts))


def _removed(
    place: _Place, delivery_id: str, event: JSONObject, message: JSONObject, message_ts: object
) -> Delivery | None:
    """A deletion, of whatever a person wrote: a text that was not for us may still be kept with a thread."""
    ts = ts_of(message_ts)
    if not ts or _by_a_bot(message, place):
        return None
    deletion = Deletion(
        platform="slack",
        conversation_id=place.conversation_id(ts, _thread_ts(message)),
        user_id=f"slack:{id_of(message.get('user')) or 'unknown'}",
        message_id=place.message_id(ts),
        sent_at=_happened_at(event, ts),
    )
    return Delivery(delivery_id, deletion)


def _reply_to(event: JSONObject, place: _Place, ts: str, thread_ts: str) -> dict[str, Any]:
    return {
        "team": place.team,
        "channel": place.channel,
        "channel_type": place.channel_type,
        "ext_shared": place.ext_shared,
        "thread_ts": thread_ts or ts,
        "ts": ts,
        "user": event["user"],
    }


def _by_a_person(message: JSONObject, place: _Place) -> bool:
    return (
        message.get("subtype") in SPEAKING_SUBTYPES
        and bool(id_of(message.get("user")))
        and not message.get("hidden")
        and not _by_a_bot(message, place)
    )


def _by_a_bot(message: JSONObject, place: _Place) -> bool:
    """Any bot, ourselves included: two bots that answer each other never end."""
    user = message.get("user")
    return bool(message.get("bot_id")) or user == SLACKBOT or (isinstance(user, str) and user in place.own)


def _thread_ts(message: JSONObject) -> str:
    return ts_of(message.get("thread_ts"))


def _happened_at(event: JSONObject, message_ts: str) -> float:
    return float(ts_of(event.get("event_ts")) or ts_of(event.get("ts")) or message_ts)
