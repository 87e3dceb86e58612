"""Slack's way out: an answer in the thread of its question, each part of it shown exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from bot.capabilities import Entrance, FetchedFile, Said
from bot.errors import DeliveryDeferred
from bot.home import Page, PageGap
from bot.messages import Attachment, Citation, Reply
from bot.platform import Journal, Target
from bot.slack.again import reopen
from bot.slack.asides import Asides, place_of
from bot.slack.before import said_before
from bot.slack.blocks import unmarked
from bot.slack.channels import Channels
from bot.slack.entering import entered
from bot.slack.files import SlackFiles
from bot.slack.homes import ask_for_answer, publish
from bot.slack.members import Members
from bot.slack.people import language_of
from bot.slack.place import clear
from bot.slack.previews import Previews
from bot.slack.private import PrivateReply, is_private
from bot.slack.reply import SlackReply
from bot.slack.suggesting import suggest
from bot.slack.thread import Thread
from bot.slack.web import SlackClient, call

log = logging.getLogger(__name__)

LEFT_AFTER_S = 10.0
"""What was noted so long ago and waits for no answer any more is not somebody's who is about to deliver it."""


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
        return SlackReply(thread, self._previews, target, journal, may_train=self._may_train)

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
        """Confirm an order in its thread; one that was given in none, in the person's conversation with the bot."""
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

    def reword(self, target: Target, question: str) -> None:
        """Change what was handed off; see `HandsOff`."""
        self._asides.reword(target, question)

    def take_back(self, place: str) -> None:
        """Delete what was handed off from there; see `HandsOff`."""
        self._asides.take_back(place)

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """What somebody attached; see `FetchesFiles`."""
        return self._files.fetch(attachment, most_bytes)

    def said_before(self, reply_to: Mapping[str, Any]) -> Sequence[Said]:
        """What people said in the thread before this message; see `ReadsBack`."""
        return said_before(self._client, reply_to)

    def reopen(self, target: Target) -> None:
        """Have the next answer take the place of the one that is shown; see `Replaces`."""
        reopen(Thread(self._client, target.reply_to), self._previews, target)

    def entered(self, reply_to: Mapping[str, Any]) -> Entrance | None:
        """What somebody asks about, and who reads the answer; see `Enters`."""
        return entered(self._client, reply_to)

    def suggest(self, reply_to: Mapping[str, Any], questions: Mapping[str, Sequence[str]]) -> None:
        """Suggest what to ask; see `Suggests`."""
        suggest(self._client, reply_to, questions)

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Take away the previews of answers that will not come, and what was posted beside answers.

        Raises:
            DeliveryDeferred
        """
        self._asides.take_away(conversation_id, user_id=user_id, message_ids=message_ids)
        for message_id, note in self._previews.in_conversation(conversation_id).items():
            if message_id in message_ids or user_id == f"slack:{note.where['user']}":
                clear(Thread(self._client, note.where), message_id, note)
                self._previews.drop(conversation_id, message_id)

    def tidy(self) -> None:
        """Take away previews and half answers that nobody goes on with; see `Tidies`."""
        for conversation_id, message_id, note in self._previews.left(before=time.time() - LEFT_AFTER_S):
            try:
                clear(Thread(self._client, note.where, spare=True), message_id, note)
            except DeliveryDeferred as error:
                log.info("left for later", extra={"platform": "slack", "reason": str(error)})
            else:
                self._previews.drop(conversation_id, message_id)
