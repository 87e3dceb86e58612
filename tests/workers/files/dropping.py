"""A chat on the fake Slack into which people drop files, and a worker and a clerk that see to it."""

from __future__ import annotations

import io
from typing import Any

import redis
from reportlab.pdfgen.canvas import Canvas

from bot.inbox import Inbox
from bot.messages import Command, Control, Message
from bot.slack.events import parse
from bot.slack.happenings import parse_happening
from knowledge.retrieval import Retriever
from tests.fakes.model import ScriptedGenerator
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import TEAM, envelope, message_deleted
from tests.fakes.slack_files import Hosted, drop
from tests.workers.desk import make_clerk, make_desk, slack_sender
from tests.workers.making import NoHints
from workers.acting import act
from workers.answer_cache import AnswerCache
from workers.services import Desk
from workers.serving import answer_next

PARKING = "来客用の駐車場は地下二階の北側にあります。"
RULES = f"# 来客のしおり\n\n## 駐車場\n\n{PARKING}\n\n## 受付\n\n来客は一階の受付で名札を受け取ります。\n"
WHERE = "来客用の駐車場はどこにありますか？"
DM = f"slack:{TEAM}:D1"


class Chat:
    """One chat; `desk` and `clerk` are a worker's and the clerk's services."""

    def __init__(
        self, store: redis.Redis, slack: FakeSlack, retriever: Retriever, generator: ScriptedGenerator
    ) -> None:
        self.store = store
        self.slack = slack
        senders = {"slack": slack_sender(slack, store)}
        self.desk: Desk = make_desk(store, retriever, generator, senders=senders, answers=AnswerCache(store, 24))
        self.clerk = make_clerk(store, senders)
        self._inbox = Inbox(store, NoHints())

    def upload(self, content: str | bytes = RULES, name: str = "guests.md", **told: Any) -> Hosted:
        """A file that somebody has on Slack."""
        encoded = content.encode() if isinstance(content, str) else content
        return self.slack.workspace.files.add(self.slack.url, name, encoded, **told)

    def drop(self, *files: Hosted, channel: str = "D1", **said: Any) -> Message:
        """Somebody drops files there; the message, answered."""
        return self.take(drop(self.slack, channel, *files, **said))

    def say(self, text: str, *, channel: str = "D1", **how: Any) -> Message:
        """Somebody says something there; the message, answered."""
        return self.take(self.slack.say(channel, text, **how)[-1])

    def take(self, envelope: dict[str, Any]) -> Message:
        """What an envelope says is taken in, and answered."""
        message = self.arrive(envelope)
        self.answer(message.conversation_id)
        return message

    def answer(self, conversation_id: str) -> None:
        """What waits there is answered; an answer that was to be begun anew, is."""
        for _ in range(2):
            answer_next(conversation_id, self.desk)

    def arrive(self, envelope: dict[str, Any]) -> Message:
        """What an envelope says is taken in."""
        delivery = parse(envelope)
        assert delivery is not None
        assert isinstance(delivery.event, Message)
        self._inbox.accept(delivery.event, delivery.id)
        return delivery.event

    def delete(self, message: Message) -> None:
        """Its author deletes a message, and the clerk is told."""
        ts, channel = message.reply_to["ts"], message.reply_to["channel"]
        place = self.slack.workspace.channels[channel]
        before = place.message(ts)
        assert before is not None
        delivery = parse(message_deleted(before, channel=channel, channel_type=message.reply_to["channel_type"]))
        assert delivery is not None
        assert not isinstance(delivery.event, Message)
        self.order(delivery.event)

    def delete_file(self, file: Hosted, **envelope_facts: Any) -> None:
        """Somebody deletes a file on Slack, and the clerk is told."""
        event = {"type": "file_deleted", "file_id": file.told["id"], "event_ts": "1700000100.000100"}
        happened = parse_happening(envelope(event, **envelope_facts))
        assert happened is not None
        self.order(happened[0])

    def order(self, event: Control) -> None:
        """The clerk carries out an order."""
        act(f"order {id(event)}", event, self.clerk)

    def command(self, name: str, message: Message) -> None:
        """Who wrote the message gives an order there."""
        where = (message.platform, message.conversation_id, message.user_id)
        self.order(Command(*where, name, "", "ja", message.sent_at + 60, message.reply_to))

    def seen(self, channel: str = "D1") -> list[str]:
        """What the bot has said there, with the sources beneath."""
        return self.slack.visible(channel)


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF of these pages."""
    written = io.BytesIO()
    canvas = Canvas(written, encrypt=password or None)
    for page in pages:
        for at, line in enumerate(page.splitlines()):
            canvas.drawString(72, 720 - 14 * at, line)
        canvas.showPage()
    canvas.save()
    return written.getvalue()
