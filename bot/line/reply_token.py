"""One reply token: free, works once, for about a minute. What was tried with it is in the journal, for who goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown, LockLost
from bot.line.api import MAX_MESSAGES, TokenGone
from bot.line.kept import KeptAnswer, fill
from bot.line.ways import Ways, show
from bot.platform import Journal

log = logging.getLogger(__name__)

Purpose = Literal["reply", "notice"]
"""What the token is spent on; each has its own fact in the journal: `once`, `twice` (being tried), `sent`, `gone`."""

PAUSE_S = 0.5
"""Before the second try: a server that has just failed needs a moment."""


class ReplyToken:
    """The token of one `reply_to`, and everything that its one call carries."""

    def __init__(self, reply_to: Mapping[str, Any], conversation_id: str, *, journal: Journal, ways: Ways) -> None:
        self._token: str = reply_to.get("reply_token") or ""
        self.expires_at: float = reply_to.get("expires_at") or 0.0
        self._conversation_id = conversation_id
        self._journal = journal
        self._api = ways.api
        self._kept = ways.kept
        self._sent = ways.sent

    def alive(self, now: float) -> bool:
        """Whether it may still work."""
        return bool(self._token) and now < self.expires_at

    def is_dying(self, now: float, within_s: float) -> bool:
        """Whether it lives, and not for as long as that."""
        return self.alive(now) and now >= self.expires_at - within_s

    def deliver(
        self, purpose: Purpose, answers: Sequence[KeptAnswer], closing: Callable[[bool], Sequence[Any]] | None = None
    ) -> list[KeptAnswer]:
        """Show what was kept, the answers, and the closing messages in one call; what is left of the answers.

        All that did not fit is kept.

        Args:
            closing: gives further messages, told whether there was anything kept.

        Raises:
            TokenGone, DeliveryDeferred, DeliveryFailed: nothing was shown, and nothing has changed.
            DeliveryUnknown: it may have been shown; all of it is kept, marked so.
        """
        if self._journal.read().get(f"{purpose}_settled"):
            return []
        carried = self._carried(purpose)
        last = list(closing(bool(carried))) if closing else []
        filled = fill([*carried, *answers], MAX_MESSAGES - len(last))
        if not filled.messages and not last:
            return []
        try:
            show(partial(self._spend, purpose), [*filled.messages, *last], [*filled.plain, *last])
            left = self._settle(purpose, carried, answers, filled.left)
            self._journal.write(**{f"{purpose}_settled": True})
            return left
        except DeliveryUnknown:
            doubtful = [answer.introduced("unsure") for answer in (*carried, *answers)]
            self._settle(purpose, carried, answers, doubtful)
            raise
        except DeliveryError:
            self._journal.write(**{f"{purpose}_carried": []})  # a copy of the words would escape an erasure
            raise
        finally:
            self._kept.release(self._conversation_id, self._token)

    def _settle(
        self,
        purpose: Purpose,
        carried: Sequence[KeptAnswer],
        answers: Sequence[KeptAnswer],
        left: Sequence[KeptAnswer | None],
    ) -> list[KeptAnswer]:
        """Keep what is left of all of them, and no copy of what was shown; what is left of the answers.

        Raises:
            LockLost: the answers' messages were erased meanwhile, so that nothing of these is kept.
        """
        changed = list(zip(carried, left, strict=False))
        own = [rest for rest in left[len(carried) :] if rest]
        # Of an earlier try, by a worker that was killed, there may be doubtful ones among what is kept.
        doubtful = [answer.introduced("unsure") for answer in answers]
        try:
            self._journal.check()
        except LockLost:
            self._kept.exchange(self._conversation_id, changed, gone=doubtful)
            raise
        self._kept.exchange(self._conversation_id, changed, own, doubtful)
        self._journal.write(**{f"{purpose}_carried": []})
        return own

    def _carried(self, purpose: Purpose) -> list[KeptAnswer]:
        """What was kept: as written down where a try may have shown it, else as it is now."""
        facts = self._journal.read()
        if facts.get(purpose) in ("once", "twice", "sent"):
            return [KeptAnswer.from_json(text) for text in facts.get(f"{purpose}_carried") or ()]
        carried = self._kept.claim(self._conversation_id, self._token)
        self._journal.write(**{f"{purpose}_carried": [answer.to_json() for answer in carried]})
        return carried

    def _spend(self, purpose: Purpose, messages: Sequence[Any]) -> None:
        """Return when LINE has taken the messages; after a try that may have been taken, one more settles it."""
        state = self._journal.read().get(purpose)
        if state == "sent":
            return
        if state == "gone" or (state is None and self._spent_on_other(purpose)):
            raise TokenGone("used")
        if state is None and not self.alive(time.time()):
            raise TokenGone("too old")
        tries = ("twice",) if state in ("once", "twice") else ("once", "twice")
        for number, attempt in enumerate(tries):
            if number:
                time.sleep(PAUSE_S)
            if self._try(purpose, attempt, messages):
                return
        raise DeliveryUnknown("nobody knows whether LINE took it")

    def _try(self, purpose: Purpose, attempt: str, messages: Sequence[Any]) -> bool:
        """Whether LINE has the messages now; False when that cannot be known."""
        before = self._journal.read().get(purpose)
        if not self.alive(time.time()):
            return False
        self._journal.write(**{purpose: attempt})
        checkpoint("sending")
        self._journal.check()
        try:
            shown = self._api.reply(self._token, messages)
            checkpoint("sent")
            self._sent.note(shown, self._conversation_id)
        except DeliveryUnknown:
            return False
        except (DeliveryDeferred, DeliveryFailed):
            self._journal.write(**{purpose: before})
            raise
        except TokenGone:
            if before is None:
                self._journal.write(**{purpose: "gone"})
                raise
            if self._spent_on_other(purpose):
                return False
            # Used, though we have had no answer: it was the first try that used it.
        self._journal.write(**{purpose: "sent"})
        return True

    def _spent_on_other(self, purpose: Purpose) -> bool:
        """Whether it was, or may have been, spent on the other purpose (the clerk's notice, the worker's reply)."""
        other = "notice" if purpose == "reply" else "reply"
        return self._journal.read().get(other) not in (None, "gone")
