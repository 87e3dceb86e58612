"""A Slack workspace: its people, channels and messages, and what each Web API method does to them.

Strict where Slack is: unknown arguments, shapes, lengths, threads and channels are refused with Slack's error names.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.fakes.slack_assistant import suggest
from tests.fakes.slack_blocks import refusal_of_blocks, shown
from tests.fakes.slack_channel import Channel, Refused, decoded, in_thread, metadata, only, page_of, without_metadata
from tests.fakes.slack_events import BOT_ID, BOT_USER, TEAM, said, user
from tests.fakes.slack_files import FakeFiles
from tests.fakes.slack_interactions import Interactions
from tests.fakes.slack_streams import Streams

JSON = dict[str, Any]

MAX_TEXT_CHARS, MAX_UPDATED_CHARS, MAX_MARKDOWN_CHARS = 40_000, 4_000, 12_000


class Workspace:
    """Everything behind the Web API; used by many threads. `calls` counts what was called by method."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.channels = {c.id: c for c in (Channel("C1"), Channel("C2"), Channel("D1", "im"), Channel("D2", "im"))}
        self.users = {name: user(name) for name in ("U1", "U2")}
        self.whispers: list[tuple[str, str]] = []
        """Who was told what for their eyes only."""
        self.streams = Streams(self)
        self.interactions = Interactions(self)
        self.files = FakeFiles()
        self._lock = threading.RLock()
        self._clock = itertools.count(int(time.time()) * 1_000_000)
        self._methods: dict[str, Callable[[JSON], JSON]] = {
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.startStream": self.streams.start,
            "chat.appendStream": self.streams.append,
            "chat.stopStream": self.streams.stop,
            "chat.getPermalink": self.interactions.permalink,
            "conversations.replies": self._replies,
            "conversations.history": self.interactions.history,
            "conversations.info": self.interactions.info,
            "views.open": self.interactions.views_open,
            "views.publish": self.interactions.views_publish,
            "assistant.threads.setStatus": self._set_status,
            "assistant.threads.setSuggestedPrompts": lambda asked: suggest(self._readable(asked["channel_id"]), asked),
            "users.info": self._users_info,
            "files.info": self.files.info,
            "auth.test": self._auth_test,
        }

    def call(self, method: str, arguments: JSON) -> JSON:
        """What Slack answers to a call with a good token."""
        with self._lock:
            self.calls[method] += 1
            try:
                return {"ok": True} | self._methods[method](arguments)
            except KeyError as missing:
                if method not in self._methods:
                    return {"ok": False, "error": "unknown_method", "req_method": method}
                return {"ok": False, "error": "invalid_arguments", "detail": f"missing {missing}"}
            except Refused as refused:
                return {"ok": False, "error": str(refused)}

    def say(self, channel: str, text: str, *, user: str = "U1", thread_ts: str | None = None) -> JSON:
        """A person writes; the message as Slack tells it in events."""
        with self._lock:
            message = said(text, user=user, ts=self._ts(), thread_ts=thread_ts)
            self.channels.setdefault(channel, Channel(channel, "im" if channel[0] == "D" else "channel"))
            self.channels[channel].messages.append(message)
            return message

    def delete(self, channel: str, ts: str) -> None:
        """A person deletes a message and the thread under it."""
        with self._lock:
            place = self.channels[channel]
            place.messages = [m for m in place.messages if ts not in (m["ts"], m.get("thread_ts"))]

    def visible(self, channel: str, thread_ts: str | None = None) -> list[str]:
        """What a person reads of the bot in a channel, or in one of its threads."""
        with self._lock:
            place = self.channels[channel]
            messages = place.thread(thread_ts) if thread_ts else place.messages
            return [self._seen(m) for m in messages if m.get("bot_id") == BOT_ID]

    def answers(self, channel: str, thread_ts: str | None = None) -> list[str]:
        """What a person reads of the bot there, without what an answer takes the place of and what is not whole yet."""
        with self._lock:
            place = self.channels[channel]
            messages = place.thread(thread_ts) if thread_ts else place.messages
            return [self._seen(m) for m in messages if m.get("bot_id") == BOT_ID and _is_whole(m)]

    def stop_stream(self, channel: str, ts: str) -> None:
        """A person presses Slack's own button on a message that grows."""
        with self._lock:
            message = self.channels[channel].message(ts)
            assert message is not None
            self.streams.stopped_by_person(message)

    def _seen(self, message: JSON) -> str:
        """What a person reads of a message; one that is not whole looks so."""
        if self.streams.grows(message):
            return f"{shown(message)}\n[growing]"
        return f"{shown(message)}\n[cut off]" if message.get("cut_off") else shown(message)

    def everything_visible(self) -> JSON:
        """What a person reads of the bot, by channel, with the thread it is in."""
        with self._lock:
            return {
                place.id: [
                    {
                        "text": self._seen(m),
                        "thread_ts": m.get("thread_ts"),
                        "ts": m["ts"],
                        "metadata": m.get("metadata"),
                    }
                    for m in place.messages
                    if m.get("bot_id") == BOT_ID
                ]
                for place in self.channels.values()
            }

    def _post_message(self, arguments: JSON) -> JSON:
        only(
            arguments,
            *("channel", "text", "blocks", "thread_ts", "reply_broadcast", "metadata", "markdown_text", "mrkdwn"),
            *("unfurl_links", "unfurl_media", "link_names", "parse"),
        )
        place = self.writable(self._opened(arguments["channel"]))
        text, markdown, blocks = (arguments.get(name) for name in ("text", "markdown_text", "blocks"))
        if markdown and (text or blocks):
            raise Refused("markdown_text_conflict")
        if not any((text, markdown, blocks)):
            raise Refused("no_text")
        if len(markdown or "") > MAX_MARKDOWN_CHARS:
            raise Refused("msg_too_long")
        if blocks is not None and (reason := refusal_of_blocks(decoded(blocks, "invalid_blocks_format"))):
            raise Refused(reason)
        more = in_thread(place, arguments.get("thread_ts")) | metadata(arguments.get("metadata"))
        drawn = decoded(blocks, "invalid_blocks_format") if blocks else []
        message = self.own((text or markdown or "")[:MAX_TEXT_CHARS], drawn, more)
        place.messages.append(message)
        return {"channel": place.id, "ts": message["ts"], "message": without_metadata(message)}

    def _post_ephemeral(self, arguments: JSON) -> JSON:
        """Only who is there can be told; a person's id does not open a direct conversation."""
        only(arguments, "channel", "user", "text", "blocks", "thread_ts", "link_names", "parse", "markdown_text")
        place = self.writable(arguments["channel"])
        if arguments["user"] not in self.users:
            raise Refused("user_not_in_channel")
        if not arguments.get("text"):
            raise Refused("no_text")
        in_thread(place, arguments.get("thread_ts"))
        blocks = decoded(arguments.get("blocks") or [], "invalid_blocks_format")
        if blocks and (reason := refusal_of_blocks(blocks)):
            raise Refused(reason)
        seen = self.interactions.show(arguments["user"], place.id, {**arguments, "blocks": blocks})
        return {"message_ts": seen["ts"]}

    def _update(self, arguments: JSON) -> JSON:
        """Unlike for a post, the channel must be a channel's id, and only the bot's own messages change."""
        only(arguments, "channel", "ts", "text", "blocks", "metadata", "markdown_text", "link_names", "parse")
        place = self.writable(arguments["channel"])
        message = place.message(arguments["ts"])
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT_ID:
            raise Refused("cant_update_message")
        if self.streams.grows(message):
            raise Refused("streaming_state_conflict")
        text, blocks = arguments.get("text", ""), decoded(arguments.get("blocks") or [], "invalid_blocks_format")
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > MAX_UPDATED_CHARS:
            raise Refused("msg_too_long")
        if blocks and (reason := refusal_of_blocks(blocks)):
            raise Refused(reason)
        message |= {"text": text, "blocks": blocks, **metadata(arguments.get("metadata"))}
        message.pop("cut_off", None)
        return {"channel": place.id, "ts": message["ts"], "text": message["text"]}

    def _delete(self, arguments: JSON) -> JSON:
        """Only the bot's own messages go."""
        only(arguments, "channel", "ts")
        place = self.writable(arguments["channel"])
        message = place.message(arguments["ts"])
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT_ID or self.streams.grows(message):
            raise Refused("cant_delete_message")
        place.messages.remove(message)
        return {"channel": place.id, "ts": message["ts"]}

    def own(self, text: str, blocks: list[JSON], more: JSON) -> JSON:
        """A message of the bot's."""
        own = {"type": "message", "user": BOT_USER, "bot_id": BOT_ID, "team": TEAM, "ts": self._ts()}
        return {**own, "text": text, "blocks": blocks, **more}

    def _replies(self, arguments: JSON) -> JSON:
        only(arguments, "channel", "ts", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata")
        place = self._readable(arguments["channel"])
        root = place.message(arguments["ts"])
        if root is None:
            raise Refused("thread_not_found")
        if not place.has_bot:
            raise Refused("not_in_channel")
        oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
        thread = place.thread(root.get("thread_ts") or root["ts"])
        replies = [m for m in thread if oldest < float(m["ts"]) < latest or m is root]
        with_metadata = str(arguments.get("include_all_metadata", "0")).lower() in ("1", "true")
        return page_of(replies if with_metadata else [without_metadata(m) for m in replies], arguments)

    def _set_status(self, arguments: JSON) -> JSON:
        only(arguments, "channel_id", "thread_ts", "status", "loading_messages")
        place = self._readable(arguments["channel_id"])
        if place.message(arguments["thread_ts"]) is None:
            raise Refused("invalid_thread_ts")
        turns = arguments.get("loading_messages") or []
        if len(turns) > 10 or not all(isinstance(turn, str) and 0 < len(turn) <= 50 for turn in turns):
            raise Refused("invalid_arguments")
        place.statuses.append((arguments["thread_ts"], arguments["status"]))
        place.turns.append(turns)
        return {}

    def _users_info(self, arguments: JSON) -> JSON:
        only(arguments, "user", "include_locale")
        if arguments["user"] not in self.users:
            raise Refused("user_not_found")
        return {"user": self.users[arguments["user"]]}

    def _auth_test(self, arguments: JSON) -> JSON:
        only(arguments)
        return {"url": "https://mado.slack.com/", "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID}

    def _opened(self, channel: str) -> str:
        """The direct conversation of a person whose id stands in the channel's place; it is opened if need be."""
        if channel not in self.users:
            return channel
        return self.channels.setdefault(f"D{channel}", Channel(f"D{channel}", "im")).id

    def _readable(self, channel: str) -> Channel:
        if channel not in self.channels:
            raise Refused("channel_not_found")
        return self.channels[channel]

    def writable(self, channel: str) -> Channel:
        place = self._readable(channel)
        if place.is_archived:
            raise Refused("is_archived")
        if not place.has_bot:
            raise Refused("not_in_channel")
        return place

    def next_ts(self) -> str:
        """The time of a new message."""
        return self._ts()

    def _ts(self) -> str:
        micros = next(self._clock)
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _is_whole(message: JSON) -> bool:
    """Whether it is an answer: no extract, no half of one."""
    marked: JSON = message.get("metadata") or {}
    if not marked:
        return "streaming_state" not in message
    return bool(marked["event_payload"].get("part") != 0)
