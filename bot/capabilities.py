"""What only some platforms can do, each as a protocol that the platform's `Sender` may have besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Whispers(Protocol):
    """The way out of a platform on which one person in a shared place can be told something that nobody else reads."""

    def whisper(self, reply_to: Mapping[str, Any], text: str) -> None:
        """Tell the person of `reply_to`; what may have been told is not told again.

        Raises:
            DeliveryDeferred
        """
        ...


@runtime_checkable
class ShowsVotes(Protocol):
    """The way out of a platform that does not show by itself which button under an answer was pressed (Slack does)."""

    def show_vote(self, conversation_id: str, message_id: str, value: str) -> None:
        """Show the vote (`up` or `down`) under the answer to this message, for as long as that is shown.

        Raises:
            DeliveryDeferred
        """
        ...


@runtime_checkable
class Board(Protocol):
    """The way out of a platform on which what was said can be changed, for a message that tells how far a thing is."""

    def post(self, reply_to: Mapping[str, Any], text: str) -> Mapping[str, str]:
        """Say it; what `edit` needs to find it again, as JSON values.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        ...

    def edit(self, posted: Mapping[str, str], text: str) -> None:
        """Have what was posted say this instead.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        ...


@runtime_checkable
class Keeps(Protocol):
    """The way out of a platform on which a written answer may have to wait until its reader can be reached."""

    def kept(self) -> Iterable[tuple[str, str]]:
        """The conversation and the newest message that it covers, of every answer that waits."""
        ...

    def withdraw(self, conversation_id: str, message_id: str) -> None:
        """Have an answer that waits say that it holds no more, in the place of its words."""
        ...
