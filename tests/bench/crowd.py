"""A crowd that writes to the bot on the fakes of Slack and LINE and on the console, and what it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.counting import Shown
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import user
from tests.faults.desk import Desk
from tests.faults.people import InAChannel, InAGroup, InAThread, OnLine, OnSlack, OnTheConsole, Person

SLACK_DMS, SLACK_CHANNELS, SLACK_THREAD, LINE_CHATS, LINE_GROUP, ON_THE_CONSOLE = 4, 2, 3, 4, 3, 2
"""How many people write where; those in the thread and those in the group write in one place."""
PEOPLE = SLACK_DMS + SLACK_CHANNELS + SLACK_THREAD + LINE_CHATS + LINE_GROUP + ON_THE_CONSOLE


@dataclass(frozen=True, slots=True)
class Writer:
    """One of the crowd."""

    name: str
    platform: str
    person: Person

    def place(self, sent: dict[str, Any]) -> str:
        """Where the answer to something that was sent belongs."""
        match self.person:
            case OnSlack(channel=channel):
                event = sent["event"]
                return slack_place(channel, event.get("thread_ts") or event["ts"])
            case OnLine(chat_id=chat_id):
                return chat_id
            case OnTheConsole(session=session):
                return session
        raise TypeError(self.person)

    def written_at(self, sent: dict[str, Any], now: float) -> float:
        """The platform's time of something that was sent; the console has none but ours."""
        match self.person:
            case OnSlack():
                return float(sent["event"]["ts"])
            case OnLine():
                return float(sent["timestamp"])
        return now


class Crowd:
    """All people, and everything that they see of the bot."""

    def __init__(self, desk: Desk, slack: FakeSlack, line: FakeLine, *, with_console: bool) -> None:
        self._desk, self._slack, self._line = desk, slack, line
        self._consoles = [OnTheConsole(desk) for _ in range(ON_THE_CONSOLE)] if with_console else []
        self.writers = [
            *(Writer(name, "slack", person) for name, person in self._on_slack()),
            *(Writer(name, "line", person) for name, person in self._on_line()),
            *(Writer(f"console {n}", "console", person) for n, person in enumerate(self._consoles)),
        ]

    def shown(self) -> list[Shown]:
        """Everything of the bot's, those of one place in the order in which they stand there."""
        on_slack = (
            Shown(slack_place(channel, post["thread_ts"] or post["ts"]), post["text"])
            for channel, posts in self._slack.workspace.everything_visible().items()
            for post in posts
        )
        on_line = (Shown(chat_id, text) for chat_id in self.chats() for text in self._line.visible(chat_id))
        on_consoles = (Shown(person.session, text) for person in self._consoles for text in person.reads())
        return [*on_slack, *on_line, *on_consoles]

    def kept(self) -> dict[str, list[str]]:
        """The texts that are still kept for each chat on LINE: the one thing that only the service knows."""
        stored = {chat: self._desk.store.lrange(f"kept:line:{chat}", 0, -1) for chat in self.chats()}
        return {chat: [part for kept in stored[chat] for part in json.loads(kept)["parts"]] for chat in stored}

    def chats(self) -> list[str]:
        """The chats on LINE."""
        return list(dict.fromkeys(w.person.chat_id for w in self.writers if isinstance(w.person, OnLine)))

    def somebody_in(self, chat: str) -> Writer:
        """One of those who write in a chat on LINE."""
        return next(w for w in self.writers if isinstance(w.person, OnLine) and w.person.chat_id == chat)

    def _on_slack(self) -> Iterator[tuple[str, OnSlack]]:
        root = self._slack.workspace.say("C9", "Let us ask here.", user="U1")["ts"]
        for n in range(SLACK_DMS + SLACK_CHANNELS + SLACK_THREAD):
            person = f"U{n + 1}"
            self._slack.workspace.users[person] = user(person)
            if n < SLACK_DMS:
                yield f"slack dm {person}", OnSlack(self._desk, self._slack, f"D{n + 1}", person)
            elif n < SLACK_DMS + SLACK_CHANNELS:
                yield f"slack channel {person}", InAChannel(self._desk, self._slack, "C1", person)
            else:
                yield f"slack thread {person}", InAThread(self._desk, self._slack, "C9", person, root)

    def _on_line(self) -> Iterator[tuple[str, OnLine]]:
        for n in range(LINE_CHATS + LINE_GROUP):
            person = f"U{n:032x}"
            kind = OnLine if n < LINE_CHATS else InAGroup
            yield f"line {n}", kind(self._desk, self._line, person)


def slack_place(channel: str, thread_ts: str) -> str:
    """A direct message is one place, a channel has one for each thread."""
    return channel if channel.startswith("D") else f"{channel}:{thread_ts}"
