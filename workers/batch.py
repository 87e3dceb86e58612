"""One batch: the messages that one answer covers, and the journal of that answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.messages import Message
from bot.platform import Target
from bot.words import language


class Journals(Protocol):
    """Who keeps the journals of batches in the store, each under its batch's token (`workers.batches.Batches`)."""

    def journal(self, conversation_id: str) -> Mapping[str, Any]: ...

    def note(self, conversation_id: str, token: str, facts: Mapping[str, Any]) -> None: ...

    def check(self, conversation_id: str, token: str) -> None: ...


class BatchJournal:
    """The journal of a batch (bot.platform.Journal): facts beside the batch in the store, under its token."""

    def __init__(self, batches: Journals, conversation_id: str, token: str) -> None:
        self._batches = batches
        self._conversation_id = conversation_id
        self._token = token
        self._alive_at = time.monotonic()

    def read(self) -> Mapping[str, Any]:
        self.sign_of_life()
        return self._batches.journal(self._conversation_id)

    def write(self, **facts: Any) -> None:
        self.sign_of_life()
        self._batches.note(self._conversation_id, self._token, facts)

    def check(self) -> None:
        self.sign_of_life()
        self._batches.check(self._conversation_id, self._token)

    def sign_of_life(self) -> None:
        """Say that whoever holds the batch goes on."""
        self._alive_at = time.monotonic()

    @property
    def silent_s(self) -> float:
        """How long ago the last sign of life was."""
        return time.monotonic() - self._alive_at


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one person that one answer covers, oldest first, and the right to answer them.

    Args:
        over_limit: they were beyond their person's limit of messages a minute: a notice is all they get.
        lane: the person, and whether it is a notice: what is held at once is counted by it.
    """

    token: str
    attempt: int
    epoch: str
    over_limit: bool
    lane: str
    messages: tuple[Message, ...]
    journal: BatchJournal

    @property
    def conversation_id(self) -> str:
        return self.messages[0].conversation_id

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]

    @property
    def newest(self) -> Message:
        """The message that the answer replies to."""
        return self.messages[-1]

    @property
    def text(self) -> str:
        """What the person asked, all of it; empty when they only showed files."""
        return "\n".join(filter(None, (message.text for message in self.messages)))

    @property
    def has_files(self) -> bool:
        """Whether files came with one of them."""
        return any(message.attachments for message in self.messages)

    @property
    def target(self) -> Target:
        newest = self.newest
        return Target(newest.id, newest.conversation_id, language(self.text), newest.reply_to)
