"""Posts that an answer has given rise to outside of its conversation: shared with a channel, handed to people.

Each is made once. It is noted in the store before it is made, and as long as it may be taken away again:
`slack_posts:{conversation}` has by kind and message where it is to stand, who asked, and its `ts`, empty as long as
that is not known. So whoever comes after a crash finds it by its mark, and who erases the question takes it away.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.platform import Target
from bot.slack.thread import SETTLE_S
from bot.slack.web import SlackClient, call
from bot.store import script, store_errors, text

log = logging.getLogger(__name__)

LIFE_S = 180 * 24 * 3600
"""Of a note, after the newest post of its conversation."""
CLAIM_S = 60
"""Longer than posting takes. Of two who press at once one posts."""
EVENT_TYPE = "madoguchi_post"
CLOCKS_S = 120
"""By so much Slack's clock and ours may differ."""
PAGE = 200


@dataclass(frozen=True, slots=True)
class Post:
    """One post: of what kind, for the answer to which message, in which channel."""

    kind: str
    target: Target
    channel: str

    @property
    def name(self) -> str:
        """What it is noted as within its conversation."""
        return name_of(self.kind, self.target)


def name_of(kind: str, target: Target) -> str:
    """What a post of this kind for the answer to this message is noted as."""
    return f"{kind} {target.message_id}"


class Posts:
    """Makes posts, each once, and takes them away."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._store = store
        self._renote = script(store, "bot", "renote")

    def once(self, post: Post, content: Mapping[str, Any]) -> None:
        """Have it posted, if it was not.

        Raises:
            DeliveryDeferred: it is not posted, or may be; to be called again.
            DeliveryFailed: the channel does not take it.
        """
        with self._claimed(post):
            noted = self._noted(post.target.conversation_id, post.name)
            if noted and noted["ts"]:
                return
            found = self._find(post.channel, post.name, noted["at"]) if noted else ""
            if not noted:
                self._note(post)
            self._is_at(post, found or self._posted(post, content))

    def change(self, kind: str, target: Target, content: Callable[[], Mapping[str, Any]]) -> None:
        """Have a post of this kind for this message, if there is one, say this instead.

        Raises:
            DeliveryDeferred: it may still say what it said; to be called again.
        """
        name = name_of(kind, target)
        facts = self._noted(target.conversation_id, name)
        if facts is None:
            return
        try:
            if ts := facts["ts"] or self._find(facts["channel"], name, facts["at"]):
                call(self._client.chat_update, channel=facts["channel"], ts=ts, **content())
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        except DeliveryFailed as error:  # somebody deleted it, or the place is closed to us
            log.info("post not changed", extra={"platform": "slack", "reason": str(error)})

    def take_away(self, conversation_id: str, *, user_id: str, message_ids: Sequence[str]) -> None:
        """Delete what was posted for these messages, or for everything of a person.

        Raises:
            DeliveryDeferred: not all of it is done; it may be asked for again.
        """
        with store_errors():
            noted: Any = self._store.hgetall(_key(conversation_id))
        for name, stored in noted.items():
            facts = json.loads(stored)
            if name.partition(" ")[2] in message_ids or user_id == facts["user"]:
                self._delete(name, facts)
                with store_errors():
                    self._store.hdel(_key(conversation_id), name)

    def take_back(self, place: str) -> None:
        """Delete what was posted elsewhere for conversations in a place that is closed to us.

        Raises:
            DeliveryDeferred: not all of it is done; it may be asked for again.
        """
        with store_errors():
            keys = [text(key) for key in self._store.scan_iter(match=f"{_key(place)}*")]
        for key in keys:
            if f"{key}:".startswith(f"{_key(place)}:"):
                with store_errors():
                    noted: Any = self._store.hgetall(key)
                for name, stored in noted.items():
                    self._delete(name, json.loads(stored))
                    with store_errors():
                        self._store.hdel(key, name)

    def _posted(self, post: Post, content: Mapping[str, Any]) -> str:
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"name": post.name}}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        try:
            posted = call(self._client.chat_postMessage, channel=post.channel, **content, metadata=metadata, **quiet)
        except (DeliveryDeferred, DeliveryFailed):
            with store_errors():
                self._store.hdel(_key(post.target.conversation_id), post.name)
            raise
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        return str(posted["ts"])

    def _is_at(self, post: Post, ts: str) -> None:
        """Note where it stands; where the question was erased meanwhile, take it away."""
        facts = _facts(post, ts)
        with store_errors():
            known = self._renote(keys=[_key(post.target.conversation_id)], args=[post.name, json.dumps(facts)])
        if not known:
            self._delete(post.name, facts)

    def _note(self, post: Post) -> None:
        key = _key(post.target.conversation_id)
        with store_errors(), self._store.pipeline(transaction=True) as together:
            together.hset(key, post.name, json.dumps(_facts(post, "")))
            together.expire(key, LIFE_S)
            together.execute()

    def _noted(self, conversation_id: str, name: str) -> dict[str, Any] | None:
        with store_errors():
            noted = self._store.hget(_key(conversation_id), name)
        return dict(json.loads(text(noted))) if noted else None

    def _delete(self, name: str, facts: Mapping[str, Any]) -> None:
        try:
            if ts := facts["ts"] or self._find(facts["channel"], name, facts["at"]):
                call(self._client.chat_delete, channel=facts["channel"], ts=ts)
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        except DeliveryFailed as error:  # somebody deleted it, or the place is closed to us
            log.info("post not taken away", extra={"platform": "slack", "reason": str(error)})

    def _find(self, channel: str, name: str, since: float) -> str:
        """The `ts` of the post of this name, or nothing.

        Raises:
            DeliveryDeferred: it cannot be found out now.
            DeliveryFailed: the channel cannot be read.
        """
        cursor = ""
        while True:
            page = self._page(channel, since, cursor)
            marked = [str(said["ts"]) for said in page.get("messages") or [] if _name_of(said) == name]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if marked or not cursor:
                return marked[0] if marked else ""

    def _page(self, channel: str, since: float, cursor: str) -> Mapping[str, Any]:
        oldest = f"{max(since - CLOCKS_S, 0):.6f}"
        more = {"cursor": cursor} if cursor else {}
        asked = {"channel": channel, "oldest": oldest, "limit": PAGE, "include_all_metadata": True}
        try:
            page = call(self._client.conversations_history, **asked, **more)
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        return page.data if isinstance(page.data, dict) else {}

    @contextmanager
    def _claimed(self, post: Post) -> Iterator[None]:
        claim = f"slack_posting:{post.name}"
        with store_errors():
            mine = self._store.set(claim, "1", nx=True, ex=CLAIM_S)
        if not mine:
            raise DeliveryDeferred("it is being posted", SETTLE_S)
        try:
            yield
        finally:
            with store_errors():
                self._store.delete(claim)


def _facts(post: Post, ts: str) -> dict[str, Any]:
    user = f"slack:{post.target.reply_to['user']}"
    return {"channel": post.channel, "ts": ts, "user": user, "at": time.time()}


def _name_of(said: Mapping[str, Any]) -> str:
    metadata = said.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("name")) if metadata.get("event_type") == EVENT_TYPE else ""


def _key(conversation_id: str) -> str:
    return f"slack_posts:{conversation_id}"
