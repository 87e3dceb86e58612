"""The thread of a question: what the bot posts there carries a mark, by which it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk.web import SlackResponse

from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.slack.web import SlackClient, call

EVENT_TYPE = "madoguchi_reply"
SETTLE_S = 2.0
"""Wait before a post is looked for again: what timed out here may still be on its way into Slack."""
PAGE = 200

Mark = Mapping[str, Any]


class Thread:
    """Writes into one thread, each call once. What Slack refuses or leaves open is raised as `call` says."""

    def __init__(self, client: SlackClient, where: Mapping[str, Any], check: Callable[[], None] = lambda: None) -> None:
        """The thread of the question at `where`, its `reply_to`.

        Args:
            check: called just before every call; what it raises keeps the call from being made.
        """
        self._client = client
        self._where = where
        self._channel: str = where["channel"]
        self._thread_ts: str = where["thread_ts"]
        self._check = check

    def unchecked(self) -> Thread:
        """The same thread for who has lost the right to answer, to clear away what is nobody else's."""
        return Thread(self._client, self._where)

    def show_status(self, status: str) -> None:
        """Slack's own status line under the question; it ends with the next message, or after two minutes."""
        self._call(
            self._client.assistant_threads_setStatus,
            channel_id=self._channel,
            thread_ts=self._thread_ts,
            status=status,
        )

    def post(self, content: Mapping[str, Any], mark: Mark) -> str:
        """Post a message; its `ts`."""
        posted = self._call(
            self._client.chat_postMessage,
            channel=self._channel,
            thread_ts=self._thread_ts,
            **content,
            metadata=_metadata(mark),
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(posted["ts"])

    def replace(self, ts: str, content: Mapping[str, Any], mark: Mark) -> None:
        """Put another message in the place of one; doing it twice is doing it once."""
        self._call(self._client.chat_update, channel=self._channel, ts=ts, **content, metadata=_metadata(mark))

    def delete(self, ts: str) -> None:
        """Take a message away."""
        self._call(self._client.chat_delete, channel=self._channel, ts=ts)

    def find(self, mark: Mark) -> list[str]:
        """The `ts` of every message with this mark since the question.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        return [str(reply["ts"]) for page in self._pages() for reply in page if _mark_of(reply) == mark]

    def _pages(self) -> Iterator[list[Mapping[str, Any]]]:
        cursor = ""
        while True:
            page = self._replies(cursor)
            yield page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _replies(self, cursor: str) -> Mapping[str, Any]:
        """A page of what was said in the thread since the question."""
        try:
            page = self._call(
                self._client.conversations_replies,
                channel=self._channel,
                ts=self._thread_ts,
                oldest=self._where["ts"],
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

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        self._check()
        return call(method, **arguments)


def _metadata(mark: Mark) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": mark}


def _mark_of(reply: Mapping[str, Any]) -> Mark | None:
    metadata = reply.get("metadata") or {}
    return metadata.get("event_payload") if metadata.get("event_type") == EVENT_TYPE else None
