"""One answer on its way to Slack: shown as it grows, and each part of it in the end exactly once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown, StoreUnavailable
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target
from bot.slack.blocks import message, source_lines
from bot.slack.buttons import beneath
from bot.slack.growth import Growth
from bot.slack.place import Place
from bot.slack.previews import Previews
from bot.slack.status import Status
from bot.slack.stopping import stop_button
from bot.slack.thread import SETTLE_S, Mark, Thread
from bot.slack.web import TooLong
from bot.splitting import split_text

log = logging.getLogger(__name__)

PART_CHARS = 3_500
"""Room below the 4,040 characters at which Slack itself cuts a message, wherever that falls."""
SHORTEST_PART_CHARS = 200
STILL_GROWING = "streaming_state_conflict"
STILL_GROWING_S = 15.0
"""Slack ends by itself what cannot be ended from here."""


class SlackReply:
    """One answer on its way to Slack; see `ReplyStream`.

    The journal holds the parts as they were cut first and how far they got, so that another worker goes on with the
    same words: `parts`, `sources`, `offers`, `sending` and `sent` (numbers of parts, from 1). `round` counts the
    answers that were asked for after the first was shown; none is taken for another.
    """

    def __init__(
        self, thread: Thread, previews: Previews, target: Target, journal: Journal, *, may_train: bool = False
    ) -> None:
        self._thread = thread
        self._place = Place(previews, thread, target, journal)
        self._spare = Place(previews, thread.sparing(), target, journal)
        self._growth = Growth(self._spare, thread.sparing(), target, PART_CHARS)
        self._status = Status(thread.sparing())
        self._target = target
        self._journal = journal
        self._may_train = may_train
        self._is_alone = False

    @property
    def stopped(self) -> bool:
        """Whether somebody ended the answer with Slack's own button; see `Stoppable`."""
        return self._growth.stopped

    def working(self, *turns: str) -> None:
        """Show them in turn in Slack's own status line under the question; see `ShowsWork`."""
        self._status.show(turns[0], turns[1:])

    def waiting(self, notice: str) -> None:
        """Show it in Slack's own status line under the question."""
        self._status.show(notice)

    def preview(self, extract: Reply) -> None:
        """Post it; the answer will take its place, so that there is never more than one post of both."""
        part, sources = split_text(extract.text, PART_CHARS)[0], source_lines(extract.citations)
        try:
            self._take_others()
            self._spare.show(message(part, sources, stop_button(self._target)))
        except (DeliveryError, StoreUnavailable) as error:
            log.info("preview not shown", extra={"platform": "slack", "reason": str(error)})
        else:
            self._status.ended()

    def update(self, text_so_far: str) -> None:
        """Show it in the place of the preview, as often as Slack allows."""
        try:
            self._take_others()
        except (DeliveryError, StoreUnavailable) as error:
            log.info("preview not taken away", extra={"platform": "slack", "reason": str(error)})
        self._status.ended()
        self._growth.grow(text_so_far)

    def due(self, now: float) -> None:
        """Show what waits for its time; this stream asks for none."""
        self._growth.go_on()
        self._status.keep()

    def finish(self, reply: Reply) -> Delivered:
        """Post the parts that are not shown yet, with the sources under the last."""
        if "parts" not in self._journal.read():
            sources, offers = source_lines(reply.citations), list(reply.offers)
            self._journal.write(parts=split_text(reply.text, PART_CHARS), sources=sources, offers=offers)
        self._settle()
        return self._post_rest()

    def fail(self, apology: str) -> Delivered:
        """Post the apology in place of what is not shown yet; an answer that is shown whole needs none."""
        self._settle()
        parts, sent = self._fact("parts", []), self._fact("sent", 0)
        if not parts or sent < len(parts):
            self._journal.write(parts=[*parts[:sent], apology], sources=[], offers=[])
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
        try:
            checkpoint("sending")
            self._show(number)
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
        self._is_sent(number)

    def _show(self, number: int) -> None:
        """Post one part; the first one in the place of what stands there already, where that can be changed."""
        standing_ts = self._place.settle(self._growth.rest_of(self._fact("parts", [])[0])) if number == 1 else ""
        if standing_ts:
            try:
                self._thread.replace(standing_ts, self._content(number), self._mark(number))
            except TooLong:
                raise
            except DeliveryFailed as error:  # somebody deleted it, or nothing may be edited after so long
                if str(error) == STILL_GROWING:
                    raise DeliveryDeferred("still growing", STILL_GROWING_S) from error
                log.info("preview not replaced", extra={"platform": "slack", "reason": str(error)})
            else:
                return
        self._thread.post(self._content(number), self._mark(number))

    def _take_others(self) -> None:
        """Once for an answer: the messages that it covers may have been others before."""
        if not self._is_alone:
            self._is_alone = True
            if self._fact("round", 0):  # another answer may stand there, to be replaced where it is
                self._growth.by_edits()
            self._spare.take_others()

    def _content(self, number: int) -> dict[str, Any]:
        parts = self._fact("parts", [])
        sources = self._fact("sources", []) if number == len(parts) else []
        return message(parts[number - 1], sources, *(self._buttons(sources) if number == len(parts) else ()))

    def _buttons(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        offers = self._fact("offers", [])
        return beneath(self._target, has_sources=bool(sources), offers=offers, may_train=self._may_train)

    def _is_sent(self, number: int) -> None:
        self._journal.write(sent=number)
        if number == 1:
            self._place.over()

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
            self._is_sent(begun)

    def _is_shown(self, number: int) -> bool:
        """Whether the thread has this part.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        return bool(self._thread.find(self._mark(number)))

    def _mark(self, number: int) -> Mark:
        mark = {"message_id": self._target.message_id, "part": number}
        again = self._fact("round", 0)
        return {**mark, "round": again} if again else mark

    def _fact(self, name: str, default: Any) -> Any:
        return self._journal.read().get(name, default)
