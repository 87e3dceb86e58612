"""Messages that grow, as Slack has them: begun in a thread, appended to, stopped; five minutes at most.

While one grows it can be neither changed nor deleted; when it does not, nothing can be appended. A person can stop it.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tests.fakes.slack_blocks import refusal_of_blocks
from tests.fakes.slack_channel import Channel, Refused, decoded, in_thread, metadata, only, without_metadata

if TYPE_CHECKING:
    from tests.fakes.slack_workspace import Workspace

JSON = dict[str, Any]

LIFE_S = 300.0
MAX_MARKDOWN_CHARS = 12_000
GROWS, DONE = "in_progress", "completed"
START = ("channel", "thread_ts", "markdown_text", "chunks", "recipient_team_id", "recipient_user_id")
APPEND = ("channel", "ts", "markdown_text", "chunks")
STOP = ("channel", "ts", "markdown_text", "chunks", "blocks", "metadata", "session_status")


class Streams:
    """The messages of a workspace that grow or grew. `later_s` moves its clock."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.later_s = 0.0
        self._began: dict[str, float] = {}
        self._stopped: set[str] = set()

    def start(self, arguments: JSON) -> JSON:
        """It needs a thread, and in channels to know who reads along; it takes no mark."""
        only(arguments, *START)
        place = self._workspace.writable(arguments["channel"])
        thread_ts = arguments["thread_ts"]
        if not place.streams:
            raise Refused("channel_type_not_supported")
        for name in ("recipient_team_id", "recipient_user_id"):
            if place.kind != "im" and not arguments.get(name):
                raise Refused(f"missing_{name}")
        if arguments.get("recipient_user_id") not in (None, *self._workspace.users):
            raise Refused("user_not_found")
        if refusal := refusal_of_chunks(arguments, needs_some=False):
            raise Refused(refusal)
        message = self._workspace.own("", [], in_thread(place, thread_ts))
        self._begin(message, arguments)
        place.messages.append(message)
        return {"channel": place.id, "ts": message["ts"]}

    def append(self, arguments: JSON) -> JSON:
        only(arguments, *APPEND)
        place, message = self._growing(arguments)
        if refusal := self._refusal(message) or refusal_of_chunks(arguments, needs_some=True):
            raise Refused(refusal)
        self._grow(message, arguments)
        return {"channel": place.id, "ts": message["ts"]}

    def stop(self, arguments: JSON) -> JSON:
        """The last words, blocks beneath, and a mark may come with it."""
        only(arguments, *STOP)
        place, message = self._growing(arguments)
        blocks = decoded(arguments.get("blocks") or [], "invalid_blocks_format")
        if not self.grows(message):
            raise Refused("message_not_in_streaming_state")
        if refusal := refusal_of_chunks(arguments, needs_some=False) or refusal_of_blocks(blocks):
            raise Refused(refusal)
        self._grow(message, arguments)
        self._end(message, blocks)
        message |= metadata(arguments.get("metadata"))
        return {"channel": place.id, "ts": message["ts"], "message": without_metadata(message)}

    def _growing(self, arguments: JSON) -> tuple[Channel, JSON]:
        place = self._workspace.writable(arguments["channel"])
        message = place.message(arguments["ts"])
        if message is None:
            raise Refused("message_not_found")
        return place, message

    def _begin(self, message: JSON, arguments: JSON) -> None:
        """The message grows from now on."""
        self._began[message["ts"]] = self._now()
        message["streaming_state"] = GROWS
        self._grow(message, arguments)

    def grows(self, message: JSON) -> bool:
        """Whether it grows; one that has had its time does not any more."""
        if message.get("streaming_state") == GROWS and self._now() - self._began[message["ts"]] > LIFE_S:
            message["streaming_state"] = DONE
            message["cut_off"] = True
        return message.get("streaming_state") == GROWS

    def _refusal(self, message: JSON) -> str:
        """The error with which Slack refuses to let it grow, or nothing."""
        if message["ts"] in self._stopped:
            return "stopped_by_user"
        return "" if self.grows(message) else "message_not_in_streaming_state"

    def _grow(self, message: JSON, arguments: JSON) -> None:
        """Add what a call brings."""
        for chunk in chunks_of(arguments):
            blocks = message["blocks"]
            if chunk["type"] == "blocks":
                blocks.extend(chunk["blocks"])
            elif blocks and blocks[-1]["type"] == "markdown":
                blocks[-1]["text"] += chunk["text"]
            else:
                blocks.append({"type": "markdown", "text": chunk["text"]})
        message["text"] = spelled("".join(b["text"] for b in message["blocks"] if b["type"] == "markdown"))

    def _end(self, message: JSON, blocks: list[JSON]) -> None:
        """It grows no more; the blocks stand at its end."""
        message["streaming_state"] = DONE
        message["blocks"] = [*message["blocks"], *blocks]

    def stopped_by_person(self, message: JSON) -> None:
        """A person pressed Slack's own button."""
        self._stopped.add(message["ts"])
        message["streaming_state"] = DONE

    def _now(self) -> float:
        return time.time() + self.later_s


def chunks_of(arguments: JSON) -> list[JSON]:
    """What a call brings, as chunks."""
    text = arguments.get("markdown_text")
    return [{"type": "markdown_text", "text": text}] if text else list(arguments.get("chunks") or [])


def refusal_of_chunks(arguments: JSON, *, needs_some: bool) -> str:
    """The error with which Slack refuses what a call brings, or nothing."""
    chunks, text = arguments.get("chunks") or [], arguments.get("markdown_text")
    if text and chunks:
        return "markdown_text_conflict"
    if not isinstance(chunks, list) or not all(map(_good_chunk, chunks)):
        return "invalid_chunks"
    if any(refusal_of_blocks(chunk["blocks"]) for chunk in chunks if chunk["type"] == "blocks"):
        return "invalid_blocks"
    if needs_some and not text and not chunks:
        return "no_text"
    return "msg_too_long" if any(len(c.get("text", "")) > MAX_MARKDOWN_CHARS for c in chunks_of(arguments)) else ""


def spelled(markdown: str) -> str:
    """The `text` that Slack tells of what was written as Markdown."""
    linked = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"<\2|\1>", markdown.replace("&", "&amp;"))
    return re.sub(r"\*\*([^\n]+?)\*\*", r"*\1*", linked)


def _good_chunk(chunk: Any) -> bool:
    match chunk:
        case {"type": "markdown_text", "text": str(text)}:
            return bool(text) and chunk.keys() == {"type", "text"}
        case {"type": "blocks", "blocks": [*_]}:
            return True
        case _:
            return False
