"""The thread of a question: what the bot posts there carries a mark, by which it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.web import SlackResponse

from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.slack.web import SlackClient, call, sparing

EVENT_TYPE = "madoguchi_reply"
SETTLE_S = 2.0
"""Wait before a post is looked for again: what timed out here may still be on its way into Slack."""
PAGE = 200

Mark = Mapping[str, Any]


class Thread:
    """Writes into one thread, each call once. What Slack refuses or leaves open is raised as `call` says."""

    def __init__(
        self,
        client: SlackClient,
        where: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
        *,
        spare: bool = False,
    ) -> None:
        """The thread of the question at `where`, its `reply_to`.

        Args:
            check: called just before every call; what it raises keeps the call from being made.
            spare: what is said can be left out (see `sparing`).
        """
        self._client = client
        self._where = where
        self._channel: str = where["channel"]
        self._thread_ts: str = where["thread_ts"]
        self._check = check
        self._spare = spare

    def unchecked(self) -> Thread:
        """The same thread for who has lost the right to answer, to clear away what is nobody else's."""
        return Thread(self._client, self._where)

    def sparing(self) -> Thread:
        """The same thread for what can be left out when Slack has had enough calls."""
        return Thread(self._client, self._where, self._check, spare=True)

    def elsewhere(self, where: Mapping[str, Any]) -> Thread:
        """The thread of another question, for who answers this one."""
        return Thread(self._client, where, self._check, spare=self._spare)

    def show_status(self, status: str, turns: Sequence[str] = ()) -> None:
        """Slack's own status line under the question; it ends with the next message, or after two minutes.

        Args:
            turns: texts that the line shows in turn, 10 at most of 50 characters; none: it shows the status.
        """
        self._call(
            self._client.assistant_threads_setStatus,
            channel_id=self._channel,
            thread_ts=self._thread_ts,
            status=status,
            **({"loading_messages": list(turns)} if turns else {}),
        )

    def start_stream(self, chunks: Sequence[Mapping[str, Any]]) -> str:
        """Begin a message that grows; its `ts`. It cannot have a mark until it is stopped."""
        started = self._call(
            self._client.chat_startStream,
            channel=self._channel,
            thread_ts=self._thread_ts,
            recipient_team_id=self._where["team"],
            recipient_user_id=self._where["user"],
            chunks=list(chunks),
        )
        return str(started["ts"])

    def append(self, ts: str, text: str) -> None:
        """Let a message grow by this Markdown; doing it twice is doing it twice."""
        self._call(self._client.chat_appendStream, channel=self._channel, ts=ts, markdown_text=text)

    def stop_stream(self, ts: str, mark: Mark, rest: str = "") -> None:
        """End the growth of a message, with its last words: from then on it has a mark and can be replaced."""
        words = {"markdown_text": rest} if rest else {}
        self._call(self._client.chat_stopStream, channel=self._channel, ts=ts, **words, metadata=_metadata(mark))

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
        return [str(reply["ts"]) for reply in self.replies() if mark_of(reply) == mark]

    def replies(self) -> Iterator[Mapping[str, Any]]:
        """Everything said in the thread since the question, as Slack tells it.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        return (reply for page in self._pages() for reply in page)

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
        with sparing(self._spare):
            return call(method, **arguments)


def _metadata(mark: Mark) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": mark}


def mark_of(reply: Mapping[str, Any]) -> Mark | None:
    """The mark of a message as Slack tells it; None when it has none of ours."""
    metadata = reply.get("metadata") or {}
    return metadata.get("event_payload") if metadata.get("event_type") == EVENT_TYPE else None
