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
    """Somebody on a platform."""

    def say(self, text: str) -> list[int]:
        """Say it; the HTTP status of each delivery of it."""
        ...

    def reads(self) -> list[str]:
        """The bot's answers, oldest first."""
        ...


class OnSlack:
    """In a direct message; every delivery of Slack's reaches the desk."""

    channel = "D1"

    def __init__(self, desk: Desk, slack: FakeSlack) -> None:
        self._desk = desk
        self._slack = slack
        self._roots: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> list[int]:
        envelopes = self._slack.say(self.channel, text)
        self._roots.append(envelopes[0]["event"]["ts"])
        self.sent += envelopes
        return [self.deliver(envelope) for envelope in envelopes]

    def deliver(self, envelope: dict[str, Any]) -> int:
        """Deliver an envelope, again if it was before."""
        body = slack_events.body_of(envelope)
        return self._desk.post("/slack/events", body, slack_events.sign(SLACK_SECRET, body)).status_code

    def reads(self) -> list[str]:
        return [text for root in self._roots for text in self._slack.visible(self.channel, root)]


class InAChannel(OnSlack):
    """In a channel, with a mention: Slack sends it as two events."""

    channel = "C1"


class OnLine:
    """In a chat of two."""

    def __init__(self, desk: Desk, line: FakeLine) -> None:
        self._desk = desk
        self._line = line
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> list[int]:
        token = self._line.issue_token(line_events.USER)
        event = line_events.text(text, reply_token=token)
        self.sent.append(event)
        return [self.deliver(event)]

    def deliver(self, event: dict[str, Any]) -> int:
        """Deliver an event, again if it was before."""
        body = line_events.body(event)
        return self._desk.post("/line/webhook", body, line_events.headers(LINE_SECRET, body)).status_code

    def reads(self) -> list[str]:
        return self._line.visible(line_events.USER)


class OnTheConsole:
    """In a browser."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cookie = desk.console_cookie()
        self.session = self._cookie.partition(".")[0]

    def say(self, text: str) -> list[int]:
        posted = {"id": uuid.uuid4().hex, "text": text}
        headers = {"Cookie": f"madoguchi_console={self._cookie}", "Content-Type": "application/json"}
        return [self._desk.post("/console/messages", json.dumps(posted).encode(), headers).status_code]

    def events(self) -> list[dict[str, Any]]:
        """Everything that was settled."""
        return self._desk.shown(f"console:{self.session}")

    def reads(self) -> list[str]:
        return [event["text"] for event in self.events()]
