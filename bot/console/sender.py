"""The console's way out: an answer as events of the page's stream."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from bot.checkpoints import checkpoint
from bot.console.stream import ChatStream
from bot.errors import DeliveryDeferred, StoreUnavailable
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target

log = logging.getLogger(__name__)

AUDIENCE = frozenset({"public", "members", "console"})


class ConsoleSender:
    """Sends to the console's pages, through the store that they read from."""

    def __init__(self, store: redis.Redis, *, may_train: bool = False) -> None:
        """`may_train`: who finds an answer helpful is asked to lend it for training."""
        self._stream = ChatStream(store)
        self._may_train = may_train

    def open(self, target: Target, journal: Journal) -> ConsoleReply:
        """The stream for one answer; nothing is sent yet."""
        return ConsoleReply(self._stream, target, journal, may_train=self._may_train)

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Who has the console's token is a member."""
        return AUDIENCE

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """Never: the page follows its stream for as long as it takes."""
        return None

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Show the confirmation of an order, once.

        Raises:
            DeliveryDeferred
        """
        with _deferred():
            self._stream.notice(target.conversation_id, target.message_id, text)

    def show_vote(self, conversation_id: str, message_id: str, value: str) -> None:
        """Show which button was pressed; see `ShowsVotes`."""
        with _deferred():
            self._stream.voted(conversation_id, message_id, value)

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Empty the page of a person; of single messages take back what is shown of answers that will not come."""
        if user_id:
            self._stream.clear(conversation_id)
        for message_id in message_ids:
            self._stream.withdrawn(conversation_id, message_id)


class ConsoleReply:
    """One answer on its way to the page."""

    def __init__(self, stream: ChatStream, target: Target, journal: Journal, *, may_train: bool = False) -> None:
        self._stream = stream
        self._may_train = may_train
        self._about = (target.conversation_id, target.message_id)
        self._journal = journal
        self._begun = False

    def waiting(self, notice: str) -> None:
        """Show a notice; a store that does not answer is logged."""
        with _best_effort():
            self._begin()
            self._stream.waiting(*self._about, notice)

    def preview(self, extract: Reply) -> None:
        """Show what a document says, up to the answer; a store that does not answer is logged."""
        with _best_effort():
            self._begin()
            self._stream.preview(*self._about, extract)

    def update(self, text_so_far: str) -> None:
        """Show the answer so far; a store that does not answer is logged."""
        with _best_effort():
            self._begin()
            self._stream.text(*self._about, text_so_far)

    def due(self, now: float) -> None:
        """Nothing: the console asks for no time."""

    def finish(self, reply: Reply) -> Delivered:
        """Show the whole answer; what was shown already by another worker stays as it is.

        Raises:
            DeliveryDeferred, LockLost
        """
        with _deferred():
            self._begin()
            checkpoint("sending")
            text = self._stream.done(*self._about, reply, may_train=self._may_train)
            checkpoint("sent")
            return Delivered(text)

    def fail(self, apology: str) -> Delivered:
        """Show an apology; what was shown already by another worker stays as it is.

        Raises:
            DeliveryDeferred, LockLost
        """
        with _deferred():
            self._begin()
            return Delivered(self._stream.failed(*self._about, apology))

    def _begin(self) -> None:
        """Take back, once, what a worker before this one had shown; then check that the answer is still ours."""
        if not self._begun:
            facts = self._journal.read()
            self._journal.check()
            if facts.get("shown"):
                self._stream.restarted(*self._about)
            else:
                if facts.get("round"):  # the operator's wish for another answer than the one that is shown
                    self._stream.reopened(*self._about)
                self._journal.write(shown=True)
            self._begun = True
        self._journal.check()


@contextmanager
def _best_effort() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        log.warning("not shown", extra={"platform": "console", "error": type(error).__name__})


@contextmanager
def _deferred() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise DeliveryDeferred("the store does not answer") from error
