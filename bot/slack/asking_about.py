"""The shortcut of a message, "ask about this": the message becomes a question of who chose it. Pure."""

from __future__ import annotations

import re

from bot.messages import Action, JSONObject, Message
from bot.slack.markup import without_mentions
from bot.slack.shapes import channel_type_of, conversation_of, id_of, matching, part, ts_of, words
from bot.words import language

ASK_ABOUT = "ask_about"
"""Of the shortcut in the manifest, and of the action that it becomes."""

_ADDRESS = re.compile(r"https?://[^\s<>\"|]{1,1000}")


def parse_ask_about(payload: JSONObject) -> tuple[Action, str] | None:
    """The chosen message's words as an action, and its delivery's id; None when it has none, or is of no known shape.

    Who reads the channel Slack does not tell here: it is looked up before anything is answered.
    """
    message = part(payload, "message")
    team, user, channel = (id_of(part(payload, name).get("id")) for name in ("team", "user", "channel"))
    ts, chosen_at = ts_of(payload.get("message_ts")) or ts_of(message.get("ts")), ts_of(payload.get("action_ts"))
    text = without_mentions(words(message))[: Message.MAX_TEXT_CHARS]
    if not (team and user and channel and ts and chosen_at and text):
        return None
    author = id_of(message.get("user"))
    thread_ts, channel_type = ts_of(message.get("thread_ts")), channel_type_of(channel)
    place = f"slack:{team}:{channel}"
    action = Action(
        platform="slack",
        conversation_id=conversation_of(place, ts, thread_ts, direct=channel_type == "im"),
        user_id=f"slack:{user}",
        name=ASK_ABOUT,
        value=text,
        sent_at=float(chosen_at),
        reply_to={
            "team": team,
            "channel": channel,
            "channel_type": channel_type,
            "ext_shared": True,
            "thread_ts": thread_ts or ts,
            "ts": ts,
            "user": user,
            "message_id": f"{place}:{ts}",
            "author": f"slack:{author}" if author else "",
            "response_url": matching(_ADDRESS, payload.get("response_url")),
            "private": True,
        },
        language=language(text),
    )
    return action, f"slack:{ASK_ABOUT}:{channel}:{ts}:{user}:{chosen_at}"
