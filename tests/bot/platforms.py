"""The platforms, as the contract tests see them: where somebody asks, what a person then sees, how it goes down.

A further platform is one class here and its name in `PLATFORMS`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import redis

from bot.console.events import from_post
from bot.console.sender import ConsoleSender
from bot.line.events import translate
from bot.messages import Message
from bot.platform import Sender, Target
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client
from bot.store import connect
from tests.bot.line.sending import make_sender
from tests.fakes import line_events
from tests.fakes.line import LOADING, REPLY, FakeLine
from tests.fakes.line import Fault as LineFault
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.slack import Fault as SlackFault
from tests.fakes.slack_events import TEAM

ADDRESS = re.compile(r"https?://[^\s|>)]+")


class Platform(Protocol):
    """One platform with somebody on it."""

    place: str
    """The audience label of where it is asked."""
    person: str
    """The user id of who asks."""
    replaces: bool
    """Whether what is shown can be replaced there."""

    @property
    def sender(self) -> Sender:
        """The way out; after `goes_down` to a platform that does not answer."""
        ...

    def asked(self) -> Target:
        """A new question."""
        ...

    def sees(self) -> list[str]:
        """What the bot has said there, oldest first, with the sources as they are shown."""
        ...

    def previews(self) -> list[str]:
        """What is seen in the place of answers that are still to come, in the same way."""
        ...

    def addresses(self) -> list[str]:
        """Every address that can be opened from there."""
        ...

    def calls_somebody(self) -> bool:
        """Whether anything that was sent makes anybody's phone ring."""
        ...

    def goes_down(self) -> None:
        """From now on the platform fails every call."""
        ...


class OnSlack:
    """A mention in a channel."""

    place = "slack:C1"
    person = "slack:U1"
    replaces = True

    def __init__(self, slack: FakeSlack, store: redis.Redis) -> None:
        self._slack = slack
        self.sender = SlackSender(slack_client(TOKEN, slack.api_url), store)

    def asked(self) -> Target:
        ts = self._slack.workspace.say("C1", "経費の締め日は？")["ts"]
        where = {"team": TEAM, "channel": "C1", "channel_type": "channel", "ext_shared": False, "user": "U1"}
        return Target(f"slack:{TEAM}:C1:{ts}", f"slack:{TEAM}:C1:{ts}", "ja", where | {"thread_ts": ts, "ts": ts})

    def sees(self) -> list[str]:
        return self._slack.visible("C1")

    def previews(self) -> list[str]:
        marks = [post["metadata"]["event_payload"] for post in self._posts()]
        return [text for text, mark in zip(self.sees(), marks, strict=True) if mark["part"] == 0]

    def addresses(self) -> list[str]:
        elements = [
            e["text"] for post in self._posts() for b in post["blocks"] for e in b.get("elements", ()) if "text" in e
        ]
        return [address for text in elements for address in re.findall(r"<([^|>]+)\|[^>]*>", text)]

    def calls_somebody(self) -> bool:
        sent = json.dumps([[post["text"], post["blocks"]] for post in self._posts()], ensure_ascii=False)
        return bool(re.search(r"<[!@#]|(?:<|&lt;)!|@(?:channel|here|everyone)\b", sent))

    def goes_down(self) -> None:
        for method in ("chat.postMessage", "chat.update", "assistant.threads.setStatus", "conversations.replies"):
            self._slack.fail(method, *[SlackFault(status=500)] * 20)

    def _posts(self) -> list[dict[str, Any]]:
        return [message for message in self._slack.workspace.channels["C1"].messages if "bot_id" in message]


class OnLine:
    """A chat of two."""

    place = person = f"line:{line_events.USER}"
    replaces = False

    def __init__(self, line: FakeLine, store: redis.Redis) -> None:
        self._line = line
        self.sender = make_sender(line, store, timeout_s=0.5)

    def asked(self) -> Target:
        event = line_events.text("経費の締め日は？", reply_token=self._line.issue_token(line_events.USER))
        message = translate(event, time.time())
        assert isinstance(message, Message)
        return Target(message.id, message.conversation_id, "ja", message.reply_to)

    def sees(self) -> list[str]:
        return self._line.visible(line_events.USER)

    def previews(self) -> list[str]:
        """Whatever is seen here stays, so a preview would be among what the bot has said."""
        return [text for text in self.sees() if "抜粋" in text]

    def addresses(self) -> list[str]:
        return [address for text in self.sees() for address in ADDRESS.findall(text)]

    def calls_somebody(self) -> bool:
        """Only a message of the type textV2 can mention."""
        sent = [message for call in self._line.calls_of(REPLY) for message in call.body["messages"]]
        return any(message["type"] not in ("text", "flex") or "substitution" in message for message in sent)

    def goes_down(self) -> None:
        for path in (REPLY, LOADING):
            self._line.go_wrong(path, *[LineFault.SERVER_ERROR] * 20)


class OnTheConsole:
    """A session on the page, whose stream the page shows."""

    place = "console"
    person = "console:s1"
    replaces = True

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self.sender = ConsoleSender(store)
        self._questions = 0

    def asked(self) -> Target:
        self._questions += 1
        message = from_post({"id": f"question-{self._questions}", "text": "経費の締め日は？"}, "s1", time.time())
        assert isinstance(message, Message)
        return Target(message.id, message.conversation_id, "ja", message.reply_to)

    def sees(self) -> list[str]:
        return self._shown("done", "failed", "notice")

    def previews(self) -> list[str]:
        return self._shown("preview")

    def addresses(self) -> list[str]:
        """What the page opens: its own check is held in a browser by tests/e2e/test_console_page.py."""
        cited = [citation["uri"] for event in self._events() for citation in event.get("citations", ())]
        return [uri for uri in cited if ADDRESS.match(uri)]

    def calls_somebody(self) -> bool:
        """Nobody can be called on a page of one's own."""
        return False

    def goes_down(self) -> None:
        self.sender = ConsoleSender(connect("unix:///nowhere/store.sock"))

    def _shown(self, *kinds: str) -> list[str]:
        events = [event for event in self._events() if event["type"] in kinds]
        return ["\n".join((e["text"], *(c["title"] for c in e.get("citations", ())))) for e in events]

    def _events(self) -> list[dict[str, Any]]:
        shown: Any = self._store.xrange("stream:console:s1")
        return [json.loads(fields["event"]) for _, fields in shown]


@contextmanager
def on_slack(store: redis.Redis) -> Iterator[OnSlack]:
    with FakeSlack() as slack:
        yield OnSlack(slack, store)


@contextmanager
def on_line(store: redis.Redis) -> Iterator[OnLine]:
    with FakeLine() as line:
        yield OnLine(line, store)


@contextmanager
def on_the_console(store: redis.Redis) -> Iterator[OnTheConsole]:
    yield OnTheConsole(store)


Opening = Callable[[redis.Redis], AbstractContextManager[Platform]]

PLATFORMS: dict[str, Opening] = {"slack": on_slack, "line": on_line, "console": on_the_console}
