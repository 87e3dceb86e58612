"""A person opens a conversation with the bot: something to ask is suggested, once for each opening. Pure.

`app_home_opened` (tab `messages`) is what apps of the agent view get, `assistant_thread_started` the older ones. That
the person now looks at another channel (`assistant_thread_context_changed`, `app_context_changed`) changes nothing.
"""

from __future__ import annotations

from bot.messages import Command, JSONObject
from bot.slack.shapes import id_of, part, team_of, ts_of

SUGGEST = "suggest"


def parse_messages_tab(envelope: JSONObject) -> tuple[Command, str] | None:
    """The wish for suggestions that an opened Messages tab is."""
    event = part(envelope, "event")
    if event.get("tab") != "messages":
        return None
    return _suggest(envelope, user=id_of(event.get("user")), channel=id_of(event.get("channel")), thread_ts="")


def parse_thread_started(envelope: JSONObject) -> tuple[Command, str] | None:
    """The wish for suggestions that a new conversation in the assistant's pane is."""
    thread = part(part(envelope, "event"), "assistant_thread")
    thread_ts = ts_of(thread.get("thread_ts"))
    user, channel = id_of(thread.get("user_id")), id_of(thread.get("channel_id"))
    return _suggest(envelope, user=user, channel=channel, thread_ts=thread_ts) if thread_ts else None


def _suggest(envelope: JSONObject, *, user: str, channel: str, thread_ts: str) -> tuple[Command, str] | None:
    team, event_id = team_of(envelope), id_of(envelope.get("event_id"))
    opened_at = ts_of(part(envelope, "event").get("event_ts"))
    if not (user and channel and team and event_id and opened_at):
        return None
    where = {"team": team, "channel": channel, "channel_type": "im", "ext_shared": False, "user": user}
    command = Command(
        platform="slack",
        conversation_id=f"slack:{team}:{channel}",
        user_id=f"slack:{user}",
        name=SUGGEST,
        argument="",
        language="",
        sent_at=float(opened_at),
        reply_to={**where, "thread_ts": thread_ts, "ts": opened_at},
    )
    return command, f"slack:{event_id}"
