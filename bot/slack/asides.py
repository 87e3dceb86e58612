"""What is said beside an answer: to one person alone, to the channel it is shared with, to people who are asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, DeliveryUnknown
from bot.messages import Citation, Reply
from bot.platform import Target
from bot.slack.blocks import MAX_ELEMENTS, message, plain, source_lines
from bot.slack.dialogs import reason_view
from bot.slack.posts import Post, Posts
from bot.slack.private import Eyes, is_private
from bot.slack.web import SlackClient, call
from bot.splitting import split_text

log = logging.getLogger(__name__)

SHARED, HANDED_OFF = "shared", "handed-off"
MOST_CHARS = 2_900
"""Of a text in one section, which takes 3,000."""
MOST_SHARED_CHARS = 10_000
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "shared": "<@{user}> さんが窓口に尋ねました。",
        "asks": "<@{user}> さんが、わかる方の返事を待っています。",
        "sources": "資料では次のところが近いようです。",
        "thread": "<{link}|質問のスレッド>",
    },
    "en": {
        "shared": "<@{user}> asked the desk.",
        "asks": "<@{user}> is waiting for an answer from somebody who knows.",
        "sources": "The documents come closest here:",
        "thread": "<{link}|The question's thread>",
    },
}


class Asides:
    """Says things beside an answer; the methods are those of `bot/capabilities.py`."""

    def __init__(self, client: SlackClient, store: redis.Redis) -> None:
        self._client = client
        self.eyes = Eyes(client)
        self._posts = Posts(client, store)

    def whisper(self, reply_to: Mapping[str, Any], text: str, citations: Sequence[Citation] = ()) -> None:
        """Tell one person; see `Whispers`."""
        said = {"type": "section", "text": {"type": "plain_text", "text": split_text(text, MOST_CHARS)[0]}}
        content = {"text": plain(text), "blocks": [said, *_sources(citations)]}
        try:
            self.eyes.show(
                reply_to, {**content, "parse": "none", "link_names": False} if not is_private(reply_to) else content
            )
        except (DeliveryFailed, DeliveryUnknown) as error:  # they have left, or it is not known
            log.info("not told", extra={"platform": "slack", "reason": str(error)})

    def ask_reason(self, target: Target) -> None:
        """Open the dialog; see `AsksReason`. It can be opened for three seconds after the press, and no more."""
        trigger_id = target.reply_to.get("trigger_id")
        if not trigger_id:
            return
        view = reason_view(target.message_id, target.conversation_id, target.language)
        try:
            call(self._client.views_open, trigger_id=trigger_id, view=view)
        except DeliveryError as error:
            log.info("dialog not opened", extra={"platform": "slack", "reason": str(error)})

    def share(self, target: Target, question: str, reply: Reply) -> None:
        """Show question and answer in the channel; see `Shares`."""
        words = _WORDS[target.language]["shared"].format(user=target.reply_to["user"])
        answer = message(split_text(reply.text, MOST_SHARED_CHARS)[0], source_lines(reply.citations))
        blocks = [_context(words), _quoted(question), *answer["blocks"]]
        self._posts.once(Post(SHARED, target, target.reply_to["channel"]), {**answer, "blocks": blocks})

    def conclude(self, reply_to: Mapping[str, Any], text: str) -> None:
        """Put this in the place of the answer that its asker sees; see `Shares`."""
        try:
            self.eyes.replace(reply_to, text)
        except DeliveryError as error:
            log.info("not replaced", extra={"platform": "slack", "reason": str(error)})

    def hand_off(self, to: str, target: Target, question: str, citations: Sequence[Citation]) -> None:
        """Ask the people of a channel; see `HandsOff`."""
        self._posts.once(Post(HANDED_OFF, target, _channel_of(to)), self._asking(target, question, citations))

    def reword(self, target: Target, question: str) -> None:
        """Change what they were asked; see `HandsOff`. A question without words is none any more."""
        if question:
            self._posts.change(HANDED_OFF, target, lambda: self._asking(target, question, ()))
        else:
            self._posts.take_away(target.conversation_id, user_id="", message_ids=[target.message_id])

    def take_back(self, place: str) -> None:
        """Delete what was handed off from there; see `HandsOff`."""
        self._posts.take_back(place)

    def take_away(self, conversation_id: str, *, user_id: str, message_ids: Sequence[str]) -> None:
        """Take away what was posted beside the answers to these messages, or to a person's.

        Raises:
            DeliveryDeferred
        """
        self._posts.take_away(conversation_id, user_id=user_id, message_ids=message_ids)

    def _asking(self, target: Target, question: str, citations: Sequence[Citation]) -> dict[str, Any]:
        """The post: who asks what, what comes near it, and where it was asked."""
        words = _WORDS[target.language]
        near = [_context(words["sources"]), *_sources(citations)] if citations else []
        link = self._link(target.reply_to)
        thread = [_context(words["thread"].format(link=link))] if link else []
        asks = {
            "type": "section",
            "text": {"type": "mrkdwn", "text": words["asks"].format(user=target.reply_to["user"])},
        }
        return {"text": plain(question), "blocks": [asks, _quoted(question), *near, *thread]}

    def _link(self, reply_to: Mapping[str, Any]) -> str:
        """Where the question stands in Slack; empty for one that is no message there, or cannot be found."""
        if not reply_to["ts"] or reply_to["channel_type"] == "im":  # which nobody else can open
            return ""
        try:
            found = call(self._client.chat_getPermalink, channel=reply_to["channel"], message_ts=reply_to["ts"])
        except (DeliveryFailed, DeliveryUnknown, DeliveryDeferred) as error:
            log.info("question not linked", extra={"platform": "slack", "reason": str(error)})
            return ""
        return str(found.get("permalink") or "")


def place_of(to: str, reply_to: Mapping[str, Any]) -> dict[str, Any]:
    """The channel of a label as a place where somebody reads (`reply_to`): who is there has to be looked up."""
    team, user = reply_to["team"], reply_to["user"]
    return {"team": team, "channel": _channel_of(to), "channel_type": "channel", "private": True, "user": user}


def _channel_of(label: str) -> str:
    return label.removeprefix("slack:")


def _sources(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    lines = source_lines(citations)[:MAX_ELEMENTS]
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": line} for line in lines]}] if lines else []


def _context(words: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}


def _quoted(question: str) -> dict[str, Any]:
    """A person's words as they are: nothing in them is markup here."""
    return {"type": "section", "text": {"type": "plain_text", "text": split_text(question, MOST_CHARS)[0]}}
