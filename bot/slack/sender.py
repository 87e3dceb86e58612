"""Slack's way out: an answer in the thread of its question, each part of it shown exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from bot.capabilities import FetchedFile
from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown, StoreUnavailable
from bot.home import Page, PageGap
from bot.messages import Attachment, Citation, Reply
from bot.platform import Delivered, Journal, Target
from bot.slack.asides import Asides, place_of
from bot.slack.blocks import message, source_lines, unmarked
from bot.slack.buttons import beneath
from bot.slack.channels import Channels
from bot.slack.files import SlackFiles
from bot.slack.homes import ask_for_answer, publish
from bot.slack.members import Members
from bot.slack.people import language_of
from bot.slack.previews import Preview, Previews
from bot.slack.private import PrivateReply, is_private
from bot.slack.thread import SETTLE_S, Mark, Thread
from bot.slack.web import SlackClient, TooLong, call, slack_client
from bot.splitting import split_text

__all__ = ["SlackReply", "SlackSender", "slack_client"]

log = logging.getLogger(__name__)

PART_CHARS = 3_500
"""Room below the 4,040 characters at which Slack itself cuts a message, wherever that falls."""
SHORTEST_PART_CHARS = 200


class SlackSender:
    """Sends answers to Slack; see `Sender`."""

    def __init__(self, client: SlackClient, store: redis.Redis, *, may_train: bool = False) -> None:
        """`may_train`: who finds an answer helpful is asked to lend it for training."""
        self._client = client
        self._may_train = may_train
        self._members = Members(client, store)
        self._channels = Channels(client, store)
        self._asides = Asides(client, store)
        self._previews = Previews(store)
        self._files = SlackFiles(client)

    def open(self, target: Target, journal: Journal) -> SlackReply | PrivateReply:
        """The stream for one answer."""
        if is_private(target.reply_to):
            return PrivateReply(self._asides.eyes, target, journal, may_train=self._may_train)
        thread = Thread(self._client, target.reply_to, journal.check)
        preview = Preview(self._previews, thread, target, journal)
        return SlackReply(thread, preview, target, journal, may_train=self._may_train)

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Labels of what the readers may see: guests, and who comes from another company, only what is public."""
        channel, user = reply_to["channel"], reply_to["user"]
        if reply_to["channel_type"] == "im":
            inside, own = self._members.has(reply_to["team"], user), f"slack:{user}"
        else:
            inside, own = not self._is_shared(reply_to), f"slack:{channel}"
        return frozenset({"public", "members", own} if inside else {"public", own})

    def _is_shared(self, reply_to: Mapping[str, Any]) -> bool:
        """Whether another company reads the channel; with a slash command Slack does not tell."""
        if is_private(reply_to):
            return self._channels.is_shared(reply_to["team"], reply_to["channel"])
        return bool(reply_to["ext_shared"])

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """Never: a thread can be answered at any time."""
        return None

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Confirm an order in its thread; one that was given in no thread, in the person's conversation with the bot."""
        if target.reply_to["thread_ts"] or is_private(target.reply_to):
            self.open(target, journal).finish(Reply(text))
        elif "posted" not in journal.read():
            journal.write(posted=self.post(target.reply_to, text))

    def post(self, reply_to: Mapping[str, Any], text: str) -> dict[str, str]:
        """Say it there; see `Board`. A person's id as channel is their conversation with the bot."""
        thread = {"thread_ts": reply_to["thread_ts"]} if reply_to["thread_ts"] else {}
        posted = call(self._client.chat_postMessage, channel=reply_to["channel"], **thread, **unmarked(text))
        return {"channel": str(posted["channel"]), "ts": str(posted["ts"])}

    def edit(self, posted: Mapping[str, str], text: str) -> None:
        """Change what was posted; see `Board`."""
        call(self._client.chat_update, channel=posted["channel"], ts=posted["ts"], **unmarked(text))

    def language_of(self, reply_to: Mapping[str, Any]) -> str:
        """The language of the person's Slack; see `HasHome`."""
        return language_of(self._client, reply_to["user"])

    def show_home(self, reply_to: Mapping[str, Any], page: Page) -> None:
        """Publish the person's App Home; see `HasHome`."""
        publish(self._client, reply_to["user"], page)

    def ask_for_answer(self, reply_to: Mapping[str, Any], gap: PageGap, language: str) -> None:
        """Open the dialog for an answer to a gap; see `HasHome`."""
        ask_for_answer(self._client, reply_to, gap, language)

    def whisper(self, reply_to: Mapping[str, Any], text: str, citations: Sequence[Citation] = ()) -> None:
        """Tell one person; see `Whispers`."""
        self._asides.whisper(reply_to, text, citations)

    def ask_reason(self, target: Target) -> None:
        """Ask what was wrong; see `AsksReason`."""
        self._asides.ask_reason(target)

    def can_share(self, reply_to: Mapping[str, Any]) -> bool:
        """Whether it is in a channel, before one person; see `Shares`."""
        return is_private(reply_to) and reply_to["channel_type"] != "im"

    def share(self, target: Target, question: str, reply: Reply) -> None:
        """Show it to the channel; see `Shares`."""
        self._asides.share(target, question, reply)

    def conclude(self, reply_to: Mapping[str, Any], text: str) -> None:
        """Put this in the place of what only one person sees; see `Shares`."""
        self._asides.conclude(reply_to, text)

    def readers(self, to: str, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Who reads in a channel; see `HandsOff`."""
        return self.audience(place_of(to, reply_to))

    def hand_off(self, to: str, target: Target, question: str, citations: Sequence[Citation]) -> None:
        """Ask the people of a channel; see `HandsOff`."""
        self._asides.hand_off(to, target, question, citations)

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """What somebody attached; see `FetchesFiles`."""
        return self._files.fetch(attachment, most_bytes)

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Take away the previews of answers that will not come, and what was posted beside answers.

        Raises:
            DeliveryDeferred
        """
        self._asides.take_away(conversation_id, user_id=user_id, message_ids=message_ids)
        self._previews.take_away(self._client, conversation_id, user_id=user_id, message_ids=message_ids)


class SlackReply:
    """One answer on its way to Slack; see `ReplyStream`.

    The journal holds the parts as they were cut first and how far they got, so that another worker goes on with the
    same words: `parts`, `sources`, `offers`, `sending` and `sent` (numbers of parts, from 1). `round` counts the
    answers that were asked for after the first was shown; none is taken for another.
    """

    def __init__(
        self, thread: Thread, preview: Preview, target: Target, journal: Journal, *, may_train: bool = False
    ) -> None:
        self._thread = thread
        self._preview = preview
        self._target = target
        self._journal = journal
        self._may_train = may_train
        self._asked_to_wait_until = 0.0

    def waiting(self, notice: str) -> None:
        """Show it in Slack's own status line under the question."""
        try:
            self._thread.show_status(notice)
        except DeliveryError as error:
            log.info("status not shown", extra={"platform": "slack", "reason": str(error)})

    def preview(self, extract: Reply) -> None:
        """Post it; the answer's first part will take its place, so that there is never more than one post of both."""
        try:
            self._preview.show(message(split_text(extract.text, PART_CHARS)[0], source_lines(extract.citations)))
        except (DeliveryError, StoreUnavailable) as error:
            if isinstance(error, DeliveryDeferred):
                self._asked_to_wait_until = time.monotonic() + (error.retry_after_s or 0.0)
            log.info("preview not shown", extra={"platform": "slack", "reason": str(error)})

    def update(self, text_so_far: str) -> None:
        """Nothing: a post cannot grow, and an edit for every sentence would use up the rate limit."""

    def due(self, now: float) -> None:
        """Nothing: this stream asks for no time."""

    def finish(self, reply: Reply) -> Delivered:
        """Post the parts that are not shown yet, with the sources under the last."""
        if "parts" not in self._journal.read():
            sources, offers = source_lines(reply.citations), list(reply.offers)
            self._journal.write(parts=split_text(reply.text, PART_CHARS), sources=sources, offers=offers)
        if (left_s := self._asked_to_wait_until - time.monotonic()) > 0:
            raise DeliveryDeferred("rate limited", left_s)
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
        """Post one part; the first one in the place of the preview, where there is one that can be changed."""
        preview_ts = self._preview.ts() if number == 1 else ""
        if preview_ts:
            try:
                self._thread.replace(preview_ts, self._content(number), self._mark(number))
            except TooLong:
                raise
            except DeliveryFailed as error:  # somebody deleted it, or nothing may be edited after so long
                log.info("preview not replaced", extra={"platform": "slack", "reason": str(error)})
            else:
                return
        self._thread.post(self._content(number), self._mark(number))

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
            self._preview.over()

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
