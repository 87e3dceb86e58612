"""What people said in a thread of Slack before the bot was called into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.capabilities import Said
from bot.messages import JSONObject
from bot.slack.events import SLACKBOT, SPEAKING_SUBTYPES
from bot.slack.markup import without_mentions
from bot.slack.shapes import id_of, ts_of, words
from bot.slack.web import SlackClient, call, sparing
from bot.words import order

PAGE = 200
"""One page is read: in a longer thread that is its beginning. Slack gives some apps 15 messages, once a minute."""
MOST_MESSAGES = 20
MOST_CHARS = 1_000
"""A model on two cores reads this in eight seconds."""
MOST_CHARS_OF_ONE = 300
"""What somebody pasted must not push out what others said."""


def said_before(client: SlackClient, where: Mapping[str, Any]) -> Sequence[Said]:
    """The thread above the message at `where`, its `reply_to`; see `ReadsBack`.

    What opened the thread comes first, then the newest messages that there is room for, without bots and orders.
    """
    if where["channel_type"] == "im" or where["thread_ts"] in ("", where["ts"]):
        return ()
    with sparing(True):
        page = call(
            client.conversations_replies,
            channel=where["channel"],
            ts=where["thread_ts"],
            latest=where["ts"],
            limit=PAGE,
        )
    messages = page.get("messages")
    told = messages if isinstance(messages, list) else []
    return _fitting([said for message in told if (said := _said(message, where))])


def _fitting(said: Sequence[Said]) -> tuple[Said, ...]:
    """The first one, and of the others the newest, as far as there is room."""
    if not said:
        return ()
    first, *others = said
    room, kept = MOST_CHARS - len(first.text), list[Said]()
    for one in reversed(others[-MOST_MESSAGES + 1 :]):
        room -= len(one.text)
        if room < 0:
            break
        kept.append(one)
    return (first, *reversed(kept))


def _said(message: object, where: Mapping[str, Any]) -> Said | None:
    """One message of the thread, when a person said it before `where`, and not as an order to the bot."""
    if not isinstance(message, dict) or not _by_a_person(message):
        return None
    ts, text = ts_of(message.get("ts")), without_mentions(words(message))[:MOST_CHARS_OF_ONE]
    if not ts or not text or float(ts) >= float(where["ts"]) or order(text):
        return None
    return Said(f"slack:{where['team']}:{where['channel']}:{ts}", f"slack:{message['user']}", text)


def _by_a_person(message: JSONObject) -> bool:
    told = (message.get("bot_id"), message.get("hidden"), message.get("user") == SLACKBOT)
    return message.get("subtype") in SPEAKING_SUBTYPES and bool(id_of(message.get("user"))) and not any(told)
