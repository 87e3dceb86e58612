"""People in places of their own on every platform, who ask the same questions at once."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from bot.line.phrases import phrases
from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.desk import Desk, wait_until
from tests.faults.people import InAChannel, InAGroup, InAThread, OnLine, OnSlack, OnTheConsole, Person

DEADLINE, DEADLINE_ANSWER = "経費の申請の締め日はいつですか？", "毎月25日"
PARKING, PARKING_ANSWER = "Where do visitors park?", "level 3"
THANKS, THANKS_ANSWER = "ありがとう", "どういたしまして"
WITHIN_A_MINUTE_S = 60.0
HELD_BY_WORK = ("lock:", "batch:", "attempts:", "inbox:", "messages:", "over:", "carrying:")
"""Keys that a conversation in which nothing waits does not have."""
SIGNS_OF_LIFE = [phrases(language).wait_for_button for language in ("ja", "en")]
"""What LINE shows when its token is about to end; it is no answer."""

_numbers = itertools.count(1000)


class InADirectMessage(OnSlack):
    """Somebody in a chat of two, who reads all of it in its order."""

    def reads(self) -> list[str]:
        return self._slack.answers(self.channel) if self.sent else []


class InAThreadOfTheirOwn(InAThread):
    """Somebody in a thread; here Slack sends a mention's two events the other way round."""

    def write(self, text: str) -> list[dict[str, Any]]:
        return super().write(text)[::-1]

    def reads(self) -> list[str]:
        return self._slack.answers(self.channel) if self.sent else []


def somebody_new(desk: Desk, slack: FakeSlack, line: FakeLine) -> Mapping[str, Callable[[], Person]]:
    """For each kind of place: somebody in a place that nobody has used before."""
    number = next(_numbers)
    user = f"U{number}"
    slack.workspace.users[user] = slack_events.user(user)
    return {
        "slack-dm": lambda: InADirectMessage(desk, slack, f"D{number}", user),
        "slack-channel": lambda: InAChannel(desk, slack, f"C{number}", user),
        "slack-thread": lambda: InAThreadOfTheirOwn(desk, slack, f"C{number}", user),
        "line": lambda: OnLine(desk, line, f"U{number:032x}"),
        "line-group": lambda: InAGroup(desk, line, f"U{number:032x}", f"C{number:032x}"),
        "console": lambda: OnTheConsole(desk),
    }


PLACES = ("slack-dm", "slack-channel", "slack-thread", "line", "line-group", "console")


class Crowd:
    """Somebody in each of the places."""

    def __init__(self, desk: Desk, slack: FakeSlack, line: FakeLine, places: Sequence[str] = PLACES) -> None:
        self._desk = desk
        self.people = {place: somebody_new(desk, slack, line)[place]() for place in places}

    @property
    def deliveries(self) -> int:
        """How many of them one thing makes that everybody says."""
        return sum(2 if isinstance(person, InAChannel) else 1 for person in self.people.values())

    def say(self, text: str) -> None:
        """Everybody says it, and it is taken in."""
        for place in self.people:
            self.say_in(place, text)

    def say_in(self, place: str, text: str) -> None:
        """Who is there says it, and it is taken in."""
        for sent in self.people[place].write(text):
            delivered(self.people[place], sent)

    def begin_to_say(self, text: str) -> None:
        """Everybody says it; of the two deliveries that Slack makes of a mention only the first has come."""
        for person in self.people.values():
            first, *_ = person.write(text)
            delivered(person, first)

    def deliver_the_last(self) -> None:
        """The second of a mention's deliveries comes; everywhere else the only one comes again."""
        for person in self.people.values():
            delivered(person, person.sent[-1])

    @contextmanager
    def saying(self, text: str) -> Iterator[None]:
        """Inside the block everybody's deliveries of it are under way; afterwards they are acknowledged."""
        written = [(person, sent) for person in self.people.values() for sent in person.write(text)]
        with ThreadPoolExecutor(len(written)) as deliveries:
            under_way = [deliveries.submit(delivered, person, sent) for person, sent in written]
            yield
        for delivery in under_way:
            delivery.result()

    def deliver_again(self) -> None:
        """The platforms deliver everything again, the last first; LINE with its flag and without."""
        for person in self.people.values():
            for sent in reversed(person.sent):
                delivered(person, sent)
                if "deliveryContext" in sent:
                    delivered(person, line_events.redelivered(sent))

    def has_answers(self, place: str, *answers: str, given_up: int = 0) -> None:
        """Check that who is there was shown these answers and nothing else, and that nothing of it is left to do.

        Args:
            given_up: of how many of them nothing is remembered, since they were attempted too often.
        """
        person = self.people[place]
        wait_until_done(self._desk, person)
        shown = all_shown(self._desk, person)
        assert len(shown) == len(answers), shown
        assert all(words in text for words, text in zip(answers, shown, strict=True)), shown
        assert left(self._desk, person.place) == []
        asked = remembered(self._desk, person.place)
        assert len(asked) == len(set(asked)) == len(answers) - given_up


def delivered(person: Person, sent: dict[str, Any]) -> None:
    """Deliver it, again and again, until it is acknowledged."""
    wait_until(lambda: acknowledged(person, sent), within_s=WITHIN_A_MINUTE_S)


def acknowledged(person: Person, sent: dict[str, Any]) -> bool:
    """Whether a delivery was answered as taken in."""
    try:
        return person.deliver(sent) in (200, 202)
    except httpx.TransportError:
        return False


def all_shown(desk: Desk, person: Person) -> list[str]:
    """The answers that somebody is shown; on LINE what is kept comes with the answer to one more message."""
    kept = [key for key in keys(desk, person.place) if key.startswith("kept:")]
    if not kept:
        return answers(person)
    for sent in person.write(THANKS):
        delivered(person, sent)
    wait_until(lambda: any(THANKS_ANSWER in shown for shown in person.reads()), within_s=WITHIN_A_MINUTE_S)
    wait_until_done(desk, person)
    return [answer for answer in answers(person) if THANKS_ANSWER not in answer]


def answers(person: Person) -> list[str]:
    """What somebody is shown now, but for signs of life."""
    return [shown for shown in person.reads() if shown not in SIGNS_OF_LIFE]


def wait_until_done(desk: Desk, person: Person) -> None:
    """Return when nothing of this person waits or is being answered."""
    until = time.monotonic() + WITHIN_A_MINUTE_S
    while open_ends := left(desk, person.place):
        assert time.monotonic() < until, (open_ends, person.reads())
        time.sleep(0.1)


def left(desk: Desk, place: str) -> list[str]:
    """What the store holds only while something is to be done there."""
    store = desk.store
    held = [key for key in keys(desk, place) if key.startswith(HELD_BY_WORK)]
    lanes = [lane for lane in store.scan_iter("answering:*", 1000) if place in str(store.smembers(lane))]
    ready = [f"ready: {c!r}" for c in store.zrange("ready", 0, -1) if place in str(c)]
    orders = [f"control: {name!r}" for name, event in store.hgetall("controls").items() if place in str(event)]
    return [*held, *lanes, *ready, *orders]


def keys(desk: Desk, place: str) -> list[str]:
    """All keys with the place's name in it."""
    return list(desk.store.scan_iter(f"*{place}*", 1000))


def remembered(desk: Desk, place: str) -> list[str]:
    """The ids of the messages that are remembered as asked, each as often as it is."""
    lists = [desk.store.lrange(key, 0, -1) for key in keys(desk, place) if key.startswith("turns:")]
    turns = [json.loads(turn) for turns in lists for turn in turns]
    return [message_id for turn in turns if turn["role"] == "user" for message_id in turn["message_ids"]]
