"""What a platform is: the protocols that Slack, LINE and the console implement.

What only some of them can do is in `bot/capabilities.py`. A further platform is one folder beside `bot/slack`, its
samples, and one row in `tests/bot/test_platform_contract.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.messages import Reply

MAX_BODY_BYTES = 1_000_000
"""A webhook's body beyond this is refused with 413 before it is read to its end."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One HTTP request as it came: header names in lower case, the body's raw bytes."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """What to answer: status, body, media type."""

    status: int
    body: str = ""
    media_type: str = "text/plain; charset=utf-8"


class FrontDoor(Protocol):
    """The way in, in the web process. Synchronous: the ASGI route calls it in a thread."""

    def handle(self, request: WebhookRequest) -> WebhookResponse:
        """Verify, decide whether it is meant for us, make it durable, answer.

        200 only after everything in the request is durable; 400, 401 or 413 for what cannot be the platform's own;
        503 when the store is down. Never raises for anything that a sender can put into a request.
        """
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer goes: the newest message that it covers, its conversation, and the platform's own `reply_to`.

    `message_id` names the delivery: the same answer is never shown twice for it.
    """

    message_id: str
    conversation_id: str
    language: str
    reply_to: Mapping[str, Any]


class Journal(Protocol):
    """What a delivery has done so far, kept in the store under the fencing token, so that another worker can go on."""

    def read(self) -> Mapping[str, Any]:
        """The facts written so far, by whichever worker."""
        ...

    def write(self, **facts: Any) -> None:
        """Add facts (JSON values), durable on return.

        Raises:
            LockLost: another worker owns the conversation.
        """
        ...

    def check(self) -> None:
        """Call just before every call to a platform.

        Raises:
            LockLost: another worker owns the conversation: nothing may be sent.
        """
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the person has: the text as shown, and whether it is shown or kept for the next chance to show it."""

    text: str
    kept: bool = False


class ReplyStream(Protocol):
    """One answer on its way out. A stream is used by one thread."""

    def waiting(self, notice: str) -> None:
        """A sign of life while nothing can be shown yet (the model loads, a place in the queue).

        Best effort: the platform's failures are swallowed and logged.
        """
        ...

    def preview(self, extract: Reply) -> None:
        """Show what a document says while the answer is being written; the answer (or the apology) takes its place.

        It may be shown again, by this stream or another worker's; nothing of it is left when the answer is there. Its
        text says what it is. A platform on which nothing can be replaced shows nothing. Best effort, like `waiting`.
        """
        ...

    def update(self, text_so_far: str) -> None:
        """Show the answer so far: whole sentences that have passed `sanitise`, each text beginning with the one before.

        A platform that cannot take words back or has no streaming may do nothing. Best effort, like `waiting`.
        """
        ...

    def due(self, now: float) -> None:
        """A time that the stream asked for may have come (seconds since the epoch)."""
        ...

    def finish(self, reply: Reply) -> Delivered:
        """Deliver the whole answer, in as many parts as the platform needs.

        Called again by another worker after a crash it goes on where the journal stopped, and settles what is unknown.

        Raises:
            DeliveryDeferred, DeliveryFailed, LockLost
        """
        ...

    def fail(self, apology: str) -> Delivered:
        """Like `finish`, with an apology in place of what was being written."""
        ...


class Sender(Protocol):
    """The way out, in a worker."""

    def open(self, target: Target, journal: Journal) -> ReplyStream:
        """The stream for one answer; nothing is sent yet."""
        ...

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Which audiences the answer's readers belong to, in a shared place the place's, never the asker's.

        Labels: `public`; `members` (full members, paired people, the console); a place or person by name
        (`slack:C1`, `line:U1`). What cannot be found out (the platform does not answer) counts as `public` only.
        """
        ...

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """From when on an unfinished stream to this place wants `due` called (seconds since the epoch); None: never."""
        ...

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Tell who gave an order that it was carried out.

        Raises:
            DeliveryDeferred, DeliveryFailed
        """
        ...

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Erase what the platform's own part of the store keeps of these messages, or of everything of a person."""
        ...
