"""What only one person sees: the answer to a slash command, and words for who has pressed something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target
from bot.slack.blocks import message, source_lines, unmarked
from bot.slack.buttons import beneath
from bot.slack.response_urls import ResponseUrls
from bot.slack.thread import SETTLE_S
from bot.slack.web import SlackClient, call
from bot.splitting import split_text

MOST_CHARS = 10_000
"""Of an answer in one message, below the 12,000 that Slack takes as Markdown; what is longer ends here."""


def is_private(reply_to: Mapping[str, Any]) -> bool:
    """Whether an answer there is for its asker's eyes only."""
    return bool(reply_to.get("private"))


class Eyes:
    """Shows something to one person in a channel. Slack keeps nothing of it that one could look for."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._urls = ResponseUrls(client)

    def show(self, reply_to: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """Show it to the person of `reply_to`: by the address that they gave, or as the bot where that has ended.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        if url := reply_to.get("response_url"):
            try:
                self._urls.say(url, content)
            except DeliveryFailed:  # half an hour is over, or it was used five times
                pass
            else:
                return
        thread = {"thread_ts": reply_to["thread_ts"]} if reply_to["thread_ts"] else {}
        where = {"channel": reply_to["channel"], "user": reply_to["user"], **thread}
        call(self._client.chat_postEphemeral, **where, **content)

    def replace(self, reply_to: Mapping[str, Any], text: str) -> None:
        """Put this in the place of the message whose button was pressed.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        self._urls.say(reply_to.get("response_url", ""), unmarked(text), replaces=True)


class PrivateReply:
    """The answer to a slash command on its way; see `ReplyStream`.

    The command was acknowledged with a word, and Slack has no status line or growing message for one pair of eyes: so
    nothing is seen before the answer, which is one message. Whether it is shown cannot be found out; where Slack left
    that open it is shown again.
    """

    def __init__(self, eyes: Eyes, target: Target, journal: Journal, *, may_train: bool) -> None:
        self._eyes = eyes
        self._target = target
        self._journal = journal
        self._may_train = may_train

    def waiting(self, notice: str) -> None:
        """Nothing, as for the rest of what comes before the answer."""

    def preview(self, extract: Reply) -> None:
        """Nothing."""

    def update(self, text_so_far: str) -> None:
        """Nothing."""

    def due(self, now: float) -> None:
        """Nothing."""

    def finish(self, reply: Reply) -> Delivered:
        """Show the answer with its sources and buttons."""
        sources = source_lines(reply.citations)
        text = split_text(reply.text, MOST_CHARS)[0]
        may = self._may_train
        buttons = beneath(self._target, has_sources=bool(sources), offers=reply.offers, may_train=may)
        self._show(message(text, sources, *buttons))
        return Delivered(text)

    def fail(self, apology: str) -> Delivered:
        """Show the apology, unless the answer was."""
        self._show(message(apology, []))
        return Delivered(apology)

    def _show(self, content: Mapping[str, Any]) -> None:
        if self._journal.read().get("shown"):
            return
        self._journal.check()
        checkpoint("sending")
        try:
            self._eyes.show(self._target.reply_to, content)
        except DeliveryUnknown as error:
            raise DeliveryDeferred("outcome unknown", SETTLE_S) from error
        checkpoint("sent")
        self._journal.write(shown=True)
