"""People on the three platforms: they say something and look at what they are shown."""

from __future__ import annotations

import json
import uuid
from typing import Any, Protocol

from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.desk import LINE_SECRET, SLACK_SECRET, Desk


class Person(Protocol):
    """Somebody on a platform; `sent` is what the platform delivered of them, in its own form."""

    sent: list[dict[str, Any]]

    def say(self, text: str) -> list[int]:
        """Say it; the HTTP status of each delivery of it."""
        ...

    def deliver(self, sent: dict[str, Any], /) -> int:
        """Deliver one of `sent` again; the HTTP status."""
        ...

    def reads(self) -> list[str]:
        """The bot's answers, oldest first."""
        ...


class OnSlack:
    """In a direct message; every delivery of Slack's reaches the desk."""

    channel = "D1"

    def __init__(self, desk: Desk, slack: FakeSlack, channel: str = "") -> None:
        self.channel = channel or self.channel
        self._desk = desk
        self._slack = slack
        self._roots: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> list[int]:
        envelopes = self._slack.say(self.channel, text)
        self._roots.append(envelopes[0]["event"]["ts"])
        return self._deliver_all(envelopes)

    def edit(self, text: str) -> int:
        """Change the message that was said last."""
        return self.deliver(slack_events.edited(self._last_message(), text, **self._where()))

    def delete(self) -> int:
        """Take back the message that was said last."""
        return self.deliver(slack_events.message_deleted(self._last_message(), **self._where()))

    def deliver(self, envelope: dict[str, Any]) -> int:
        """Deliver an envelope, again if it was before."""
        body = slack_events.body_of(envelope)
        return self._desk.post("/slack/events", body, slack_events.sign(SLACK_SECRET, body)).status_code

    def reads(self) -> list[str]:
        return [text for root in self._roots for text in self._slack.visible(self.channel, root)]

    def _deliver_all(self, envelopes: list[dict[str, Any]]) -> list[int]:
        self.sent += envelopes
        return [self.deliver(envelope) for envelope in envelopes]

    def _last_message(self) -> dict[str, Any]:
        message = self._slack.workspace.channels[self.channel].message(self.sent[-1]["event"]["ts"])
        assert message is not None
        return message

    def _where(self) -> dict[str, str]:
        return {"channel": self.channel, "channel_type": "im" if self.channel.startswith("D") else "channel"}


class InAChannel(OnSlack):
    """In a channel, with a mention: Slack sends it as two events."""

    channel = "C1"


class InAThread(InAChannel):
    """In a channel, where everything that follows the first mention is said in its thread."""

    def say(self, text: str) -> list[int]:
        if not self._roots:
            return super().say(text)
        return self._deliver_all(self._slack.say(self.channel, text, thread_ts=self._roots[0]))


class OnLine:
    """In a chat of two."""

    def __init__(self, desk: Desk, line: FakeLine, user_id: str = line_events.USER) -> None:
        self._desk = desk
        self._line = line
        self._user_id = user_id
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> list[int]:
        token = self._line.issue_token(self._user_id)
        event = line_events.text(text, line_events.user(self._user_id), reply_token=token)
        self.sent.append(event)
        return [self.deliver(event)]

    def unsend(self) -> int:
        """Take back the message that was said last."""
        said = self.sent[-1]["message"]["id"]
        return self.deliver(line_events.unsend(said, line_events.user(self._user_id)))

    def deliver(self, event: dict[str, Any]) -> int:
        """Deliver an event, again if it was before."""
        body = line_events.body(event)
        return self._desk.post("/line/webhook", body, line_events.headers(LINE_SECRET, body)).status_code

    def reads(self) -> list[str]:
        return self._line.visible(self._user_id)


class OnTheConsole:
    """In a browser."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cookie = desk.console_cookie()
        self.session = self._cookie.partition(".")[0]
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> list[int]:
        self.sent.append({"id": uuid.uuid4().hex, "text": text})
        return [self.deliver(self.sent[-1])]

    def deliver(self, posted: dict[str, Any]) -> int:
        """Post a message, again if it was before."""
        headers = {"Cookie": f"madoguchi_console={self._cookie}", "Content-Type": "application/json"}
        return self._desk.post("/console/messages", json.dumps(posted).encode(), headers).status_code

    def events(self) -> list[dict[str, Any]]:
        """Everything that was settled."""
        return self._desk.shown(f"console:{self.session}")

    def reads(self) -> list[str]:
        return [event["text"] for event in self.events()]
