"""What Slack sends: signed bodies and the envelopes of its Events API in their full shape."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

from bot.slack.signing import signature

TEAM, BOT_USER, BOT_ID, APP = "T0MADO", "U0BOT", "B0BOT", "A0MADO"

JSON = dict[str, Any]

_events = itertools.count(1)


def sign(
    secret: str, body: bytes, timestamp: int | None = None, content_type: str = "application/json"
) -> dict[str, str]:
    """The headers of a body that Slack sends now, or at `timestamp`."""
    stamp = str(int(time.time()) if timestamp is None else timestamp)
    return {
        "content-type": content_type,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature(secret, stamp, body),
    }


def body_of(envelope: JSON) -> bytes:
    """The bytes of an envelope, as Slack encodes it."""
    return json.dumps(envelope, separators=(",", ":")).encode()


def form_of(**fields: str) -> bytes:
    """The bytes of a slash command or an interaction."""
    return urlencode(fields).encode()


def envelope(event: JSON, **changed: Any) -> JSON:
    """An `event_callback` around an event, with an event id of its own."""
    event_id = f"Ev{next(_events):08d}"
    return {
        "token": "verification-token",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event.get("event_ts", "1700000000.0"))),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    } | changed


def said(text: str, *, user: str = "U1", ts: str = "1700000000.000100", thread_ts: str | None = None) -> JSON:
    """A person's message, as it stands in events and in conversations.replies."""
    message: JSON = {
        "user": user,
        "type": "message",
        "ts": ts,
        "client_msg_id": f"msg-{ts}",
        "text": text,
        "team": TEAM,
        "blocks": [
            {
                "type": "rich_text",
                "block_id": "b1",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
            }
        ],
    }
    return message | ({"thread_ts": thread_ts, "parent_user_id": "U1"} if thread_ts else {})


def app_mention(text: str, *, channel: str = "C1", **message: Any) -> JSON:
    """The envelope of a mention; the text is told without it."""
    event = said(f"<@{BOT_USER}> {text}", **message)
    return envelope(event | {"type": "app_mention", "channel": channel, "event_ts": event["ts"]})


def mention_as_message(text: str, *, channel: str = "C1", **message: Any) -> JSON:
    """The second envelope of the same mention, for an app that reads the channel."""
    return message_event(f"<@{BOT_USER}> {text}", channel=channel, channel_type="channel", **message)


def message_event(text: str, *, channel: str, channel_type: str, **message: Any) -> JSON:
    """The envelope of a message in a channel, group or DM."""
    event = said(text, **message)
    return envelope(event | {"channel": channel, "event_ts": event["ts"], "channel_type": channel_type})


def message_im(text: str, *, channel: str = "D1", **message: Any) -> JSON:
    """The envelope of a direct message to the bot."""
    return message_event(text, channel=channel, channel_type="im", **message)


def message_changed(
    before: JSON, after: JSON, *, channel: str = "D1", channel_type: str = "im", event_ts: str = "1700000100.000200"
) -> JSON:
    """The envelope of a message that became another; for a person's edit use `edited`."""
    return envelope(
        {
            "type": "message",
            "subtype": "message_changed",
            "message": after,
            "previous_message": before,
            "channel": channel,
            "hidden": True,
            "ts": event_ts,
            "event_ts": event_ts,
            "channel_type": channel_type,
        }
    )


def edited(before: JSON, text: str, **where: Any) -> JSON:
    """The envelope of a person's edit."""
    after = before | {"text": text, "edited": {"user": before["user"], "ts": "1700000100.000000"}}
    return message_changed(before, after, **where)


def message_deleted(
    before: JSON, *, channel: str = "D1", channel_type: str = "im", event_ts: str = "1700000100.000200"
) -> JSON:
    """The envelope of a deletion of a message without replies."""
    return envelope(
        {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": before,
            "channel": channel,
            "hidden": True,
            "deleted_ts": before["ts"],
            "ts": event_ts,
            "event_ts": event_ts,
            "channel_type": channel_type,
        }
    )


def root_deleted(before: JSON, **where: Any) -> JSON:
    """The envelope of a deletion of a message with replies: a tombstone takes its place."""
    tombstone = {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": True,
        "ts": before["ts"],
        "thread_ts": before["ts"],
        "reply_count": 1,
        "reply_users_count": 1,
        "latest_reply": "1700000050.000100",
        "reply_users": [BOT_USER],
        "is_locked": False,
    }
    return message_changed(before | {"thread_ts": before["ts"]}, tombstone, **where)


def pressed(message: JSON, action: JSON, *, channel: str = "C1", user: str = "U1") -> JSON:
    """What Slack tells when a person presses a button of a message of the bot's."""
    container = {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "hanako", "name": "hanako", "team_id": TEAM},
        "api_app_id": APP,
        "token": "verification-token",
        "container": container | ({"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}),
        "trigger_id": "12466734323.1395872398",
        "team": {"id": TEAM, "domain": "mado"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": "general"},
        "message": message,
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T0MADO/1/x",
        "actions": [{"block_id": "b2", "action_ts": "1700000200.000100", **action}],
    }


def feedback(message: JSON, value: str, **where: str) -> JSON:
    """What Slack tells when a person presses one of its feedback buttons under a message."""
    told = {"type": "plain_text", "text": "役に立った", "emoji": True}
    return pressed(message, {"type": "feedback_buttons", "action_id": "vote", "text": told, "value": value}, **where)


def url_verification(challenge: str) -> JSON:
    """What Slack asks when the address is entered; signed like the rest, and no event."""
    return {"token": "verification-token", "challenge": challenge, "type": "url_verification"}


def user(user_id: str, **changed: Any) -> JSON:
    """A full member as users.info tells it; change `is_restricted`, `is_stranger`, `team_id`…"""
    return {
        "id": user_id,
        "team_id": TEAM,
        "name": user_id.lower(),
        "deleted": False,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "tz": "Asia/Tokyo",
    } | changed
