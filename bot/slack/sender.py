"""Slack's way out: an answer in the thread of its question, each part of it shown exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis
from slack_sdk.web import SlackResponse

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target
from bot.slack.blocks import message, source_lines, unmarked
from bot.slack.members import Members
from bot.slack.web import SlackClient, TooLong, call, slack_client
from bot.splitting import split_text

__all__ = ["SlackReply", "SlackSender", "slack_client"]

log = logging.getLogger(__name__)

PART_CHARS = 3_500
"""Room below the 4,040 characters at which Slack itself cuts a message, wherever that falls."""
SHORTEST_PART_CHARS = 200
EVENT_TYPE = "madoguchi_reply"
SETTLE_S = 2.0
"""Wait before a part is looked for again: what timed out here may still be on its way into Slack."""
PAGE = 200


class SlackSender:
    """Sends answers to Slack; see `Sender`."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self._members = Members(client, store)

    def open(self, target: Target, journal: Journal) -> SlackReply:
        """The stream for one answer."""
        return SlackReply(self._client, target, journal)

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Labels of what the readers may see: guests, and who comes from another company, only what is public."""
        channel, user = reply_to["channel"], reply_to["user"]
        if reply_to["channel_type"] == "im":
            inside, own = self._members.has(reply_to["team"], user), f"slack:{user}"
        else:
            inside, own = not reply_to["ext_shared"], f"slack:{channel}"
        return frozenset({"public", "members", own} if inside else {"public", own})

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """Never: a thread can be answered at any time."""
        return None

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Confirm an order in its thread."""
        self.open(target, journal).finish(Reply(text))

    def post(self, reply_to: Mapping[str, Any], text: str) -> dict[str, str]:
        """Say it there; see `Board`. A person's id as channel is their conversation with the bot."""
        thread = {"thread_ts": reply_to["thread_ts"]} if reply_to["thread_ts"] else {}
        posted = call(self._client.chat_postMessage, channel=reply_to["channel"], **thread, **unmarked(text))
        return {"channel": str(posted["channel"]), "ts": str(posted["ts"])}

    def edit(self, posted: Mapping[str, str], text: str) -> None:
        """Change what was posted; see `Board`."""
        call(self._client.chat_update, channel=posted["channel"], ts=posted["ts"], **unmarked(text))

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Nothing: of what is said on Slack this package keeps nothing itself."""


class SlackReply:
    """One answer on its way to Slack; see `ReplyStream`.

    The journal holds the parts as they were cut first and how far they got, so that another worker goes on with the
    same words: `parts`, `sources`, `sending` and `sent` (numbers of parts, from 1). `round` counts the answers that
    were asked for after the first was shown; none is taken for another.
    """

    def __init__(self, client: SlackClient, target: Target, journal: Journal) -> None:
        self._client = client
        self._target = target
        self._journal = journal
        self._channel: str = target.reply_to["channel"]
        self._thread_ts: str = target.reply_to["thread_ts"]

    def waiting(self, notice: str) -> None:
        """Slack's own status line under the question; it ends with the next message, or after two minutes."""
        try:
            self._call(
                self._client.assistant_threads_setStatus,
                channel_id=self._channel,
                thread_ts=self._thread_ts,
                status=notice,
            )
        except DeliveryError as error:
            log.info("status not shown", extra={"platform": "slack", "reason": str(error)})

    def update(self, text_so_far: str) -> None:
        """Nothing: a post cannot grow, and an edit for every sentence would use up the rate limit."""

    def due(self, now: float) -> None:
        """Nothing: this stream asks for no time."""

    def finish(self, reply: Reply) -> Delivered:
        """Post the parts that are not shown yet, with the sources under the last."""
        if "parts" not in self._journal.read():
            self._journal.write(parts=split_text(reply.text, PART_CHARS), sources=source_lines(reply.citations))
        self._settle()
        return self._post_rest()

    def fail(self, apology: str) -> Delivered:
        """Post the apology in place of what is not shown yet; an answer that is shown whole needs none."""
        self._settle()
        parts, sent = self._fact("parts", []), self._fact("sent", 0)
        if not parts or sent < len(parts):
            self._journal.write(parts=[*parts[:sent], apology], sources=[])
        return self._post_rest()

    def _post_rest(self) -> Delivered:
        while (number := self._fact("sent", 0) + 1) <= len(self._fact("parts", [])):
            self._post(number)
        return Delivered("\n\n".join(self._fact("parts", [])))

    def _post(self, number: int) -> None:
        """Post one part; afterwards it is shown, or cut into shorter parts.

        Raises:
            DeliveryDeferred: it is not shown, or may be; the journal tells them apart.
            DeliveryFailed, LockLost
        """
        self._journal.write(sending=number)
        arguments = self._arguments(number)
        try:
            checkpoint("sending")
            self._call(self._client.chat_postMessage, **arguments)
            checkpoint("sent")
        except TooLong:
            self._cut(number)
            return
        except DeliveryDeferred:
            self._journal.write(sending=number - 1)  # surely not shown: nothing to look for
            raise
        except DeliveryUnknown as error:
            if not self._is_shown(number):
                raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        self._journal.write(sent=number)

    def _arguments(self, number: int) -> dict[str, Any]:
        parts = self._fact("parts", [])
        sources = self._fact("sources", []) if number == len(parts) else []
        return {
            "channel": self._channel,
            "thread_ts": self._thread_ts,
            **message(parts[number - 1], sources),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": self._mark(number)},
            "unfurl_links": False,
            "unfurl_media": False,
        }

    def _cut(self, number: int) -> None:
        """Put two or more parts in the place of one that is too long.

        Raises:
            DeliveryFailed: it is as short as parts get.
        """
        parts = self._fact("parts", [])
        part = parts[number - 1]
        if len(part) <= SHORTEST_PART_CHARS:
            raise DeliveryFailed("too long however short")
        shorter = split_text(part, max(len(part) // 2, SHORTEST_PART_CHARS))
        self._journal.write(parts=[*parts[: number - 1], *shorter, *parts[number:]])

    def _settle(self) -> None:
        """Find out whether a part that was begun is shown: a crash or a time-out has left that open."""
        begun = self._fact("sending", 0)
        if begun > self._fact("sent", 0) and self._is_shown(begun):
            self._journal.write(sent=begun)

    def _is_shown(self, number: int) -> bool:
        """Whether the thread has this part, known by its metadata.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        wanted, cursor = self._mark(number), ""
        while True:
            page = self._replies(cursor)
            if any(_mark_of(reply) == wanted for reply in page.get("messages") or ()):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return False

    def _replies(self, cursor: str) -> Mapping[str, Any]:
        """A page of what was said in the thread since the question."""
        try:
            page = self._call(
                self._client.conversations_replies,
                channel=self._channel,
                ts=self._thread_ts,
                oldest=self._target.reply_to["ts"],
                include_all_metadata=True,
                limit=PAGE,
                **({"cursor": cursor} if cursor else {}),
            )
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        except DeliveryFailed as error:
            if str(error) == "thread_not_found":  # the question is deleted, and its thread with it
                return {}
            raise
        return page.data if isinstance(page.data, dict) else {}

    def _mark(self, number: int) -> dict[str, Any]:
        mark = {"message_id": self._target.message_id, "part": number}
        again = self._fact("round", 0)
        return {**mark, "round": again} if again else mark

    def _fact(self, name: str, default: Any) -> Any:
        return self._journal.read().get(name, default)

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        self._journal.check()
        return call(method, **arguments)


def _mark_of(reply: Mapping[str, Any]) -> Mapping[str, Any] | None:
    metadata = reply.get("metadata") or {}
    return metadata.get("event_payload") if metadata.get("event_type") == EVENT_TYPE else None
