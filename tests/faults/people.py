"""People on the three platforms: they say something and look at what they are shown."""

from __future__ import annotations

import json
import uuid
from typing import Any, Protocol

from bot.line.postback import Postback
from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.desk import LINE_SECRET, SLACK_SECRET, Desk


class Person(Protocol):
    """Somebody on a platform.

    `sent` is what the platform delivered of them, in its own form; `place` is in the id of every conversation there.
    """

    sent: list[dict[str, Any]]

    @property
    def place(self) -> str: ...

    def write(self, text: str) -> list[dict[str, Any]]:
        """Write it; what the platform will deliver of it."""
        ...

    def say(self, text: str) -> list[int]:
        """Write it and have it delivered; the HTTP status of each delivery of it."""
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

    @property
    def place(self) -> str:
        return self.channel

    def __init__(self, desk: Desk, slack: FakeSlack, channel: str = "", user: str = "U1") -> None:
        self.channel = channel or self.channel
        self._desk = desk
        self._slack = slack
        self._user = user
        self._roots: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def write(self, text: str) -> list[dict[str, Any]]:
        envelopes = self._slack.say(self.channel, text, user=self._user, thread_ts=self._thread())
        self._roots.append(envelopes[0]["event"]["ts"])
        self.sent += envelopes
        return envelopes

    def say(self, text: str) -> list[int]:
        return [self.deliver(envelope) for envelope in self.write(text)]

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
        return [text for root in self._roots for text in self._slack.answers(self.channel, root)]

    def _thread(self) -> str | None:
        """The thread that is written in; None: a new message in the channel."""
        return None

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

    def __init__(self, desk: Desk, slack: FakeSlack, channel: str = "", user: str = "U1", root: str = "") -> None:
        """`root`: the thread of somebody else's message; without it the first thing said begins one."""
        super().__init__(desk, slack, channel, user)
        self._roots += [root] if root else []

    def _thread(self) -> str | None:
        return self._roots[0] if self._roots else None


class OnLine:
    """In a chat of two."""

    def __init__(self, desk: Desk, line: FakeLine, user_id: str = line_events.USER, chat_id: str = "") -> None:
        self._desk = desk
        self._line = line
        self._user_id = user_id
        self.chat_id = chat_id or user_id
        self.sent: list[dict[str, Any]] = []

    @property
    def place(self) -> str:
        return self.chat_id

    def write(self, text: str) -> list[dict[str, Any]]:
        token = self._line.issue_token(self.chat_id)
        self.sent.append(self._event(text, token))
        return self.sent[-1:]

    def say(self, text: str) -> list[int]:
        return [self.deliver(event) for event in self.write(text)]

    def unsend(self) -> int:
        """Take back the message that was said last."""
        said = self.sent[-1]["message"]["id"]
        return self.deliver(line_events.unsend(said, line_events.user(self._user_id)))

    def collect(self) -> int:
        """Press the button that brings what is kept."""
        said = self.sent[-1]["message"]["id"]
        data = Postback("collect", f"line:{self.chat_id}", f"line:{said}", "ja").data()
        token = self._line.issue_token(self.chat_id)
        return self.deliver(line_events.postback(data, line_events.user(self._user_id), reply_token=token))

    def deliver(self, event: dict[str, Any]) -> int:
        """Deliver an event, again if it was before."""
        body = line_events.body(event)
        return self._desk.post("/line/webhook", body, line_events.headers(LINE_SECRET, body)).status_code

    def reads(self) -> list[str]:
        return self._line.visible(self.chat_id)

    def _event(self, text: str, token: str) -> dict[str, Any]:
        return line_events.text(text, line_events.user(self._user_id), reply_token=token)


class InAGroup(OnLine):
    """In a group on LINE, where the bot has to be mentioned."""

    def __init__(
        self, desk: Desk, line: FakeLine, user_id: str = line_events.USER, chat_id: str = line_events.GROUP
    ) -> None:
        super().__init__(desk, line, user_id, chat_id)

    def _event(self, text: str, token: str) -> dict[str, Any]:
        source = line_events.group(self._user_id, self.chat_id)
        return line_events.mentioning(f"@窓口 {text}", source=source, reply_token=token)


class OnTheConsole:
    """In a browser."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cookie = desk.console_cookie()
        self.session = self._cookie.partition(".")[0]
        self.sent: list[dict[str, Any]] = []

    @property
    def place(self) -> str:
        return self.session

    def write(self, text: str) -> list[dict[str, Any]]:
        self.sent.append({"id": uuid.uuid4().hex, "text": text})
        return self.sent[-1:]

    def say(self, text: str) -> list[int]:
        return [self.deliver(posted) for posted in self.write(text)]

    def deliver(self, posted: dict[str, Any]) -> int:
        """Post a message, again if it was before."""
        headers = {"Cookie": f"madoguchi_console={self._cookie}", "Content-Type": "application/json"}
        return self._desk.post("/console/messages", json.dumps(posted).encode(), headers).status_code

    def events(self) -> list[dict[str, Any]]:
        """Everything that was settled."""
        return self._desk.shown(f"console:{self.session}")

    def reads(self) -> list[str]:
        return [event["text"] for event in self.events()]
