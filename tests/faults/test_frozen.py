"""A process that stands still until another has taken over and answered sends and writes nothing when it wakes up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import redis

from bot.checkpoints import Point
from tests.fakes.line import REPLY, FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import (
    DEADLINE,
    DEADLINE_ANSWER,
    PARKING,
    PARKING_ANSWER,
    PLACES,
    Crowd,
    keys,
    wait_until_done,
)
from tests.faults.desk import Desk, wait_until
from tests.faults.people import Person

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

POINTS: tuple[Point, ...] = ("generating", "delivering", "sending", "sent", "delivered")
SERVED = " served "
"""What the log says at the end of each batch that was held, however it ended."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there was of somebody at one time."""

    shown: list[str]
    calls: int
    stored: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Woken:
    """Everybody whose answers were at one point, and what was found of them before the waking and after it."""

    crowd: Crowd
    before: dict[str, Found]
    after: dict[str, Found]


@pytest.fixture(scope="module")
def woken(desk: Desk, slack: FakeSlack, line: FakeLine) -> Iterator[dict[Point, Woken]]:
    """The process stood still at all points at once, and woke up when a second one had answered and was at it again."""
    crowds = {point: held_at(point, desk, Crowd(desk, slack, line)) for point in POINTS}
    desk.signal("replies", signal.SIGSTOP)
    desk.disarm()
    try:
        desk.start("replies-2")
        for crowd in crowds.values():
            crowd.say(PARKING)
        wait_until_answered(desk, crowds)
        desk.arm("taken", "hold", times=len(crowds) * len(PLACES))
        for crowd in crowds.values():
            crowd.say(DEADLINE)
        desk.wait_until_reached("taken", times=len(crowds) * len(PLACES))
        before = {point: found(desk, crowd, slack, line) for point, crowd in crowds.items()}
        ended = desk.log_of("replies").count(SERVED)
    finally:
        desk.signal("replies", signal.SIGCONT)
    wait_until(lambda: desk.log_of("replies").count(SERVED) >= ended + len(crowds) * len(PLACES))
    after = {point: found(desk, crowd, slack, line) for point, crowd in crowds.items()}
    desk.disarm()
    yield {point: Woken(crowd, before[point], after[point]) for point, crowd in crowds.items()}
    desk.end("replies-2")


def held_at(point: Point, desk: Desk, crowd: Crowd) -> Crowd:
    """The crowd, when all of their answers are at the point."""
    desk.arm(point, "hold", times=len(PLACES))
    crowd.say(DEADLINE)
    desk.wait_until_reached(point, times=len(PLACES))
    return crowd


def wait_until_answered(desk: Desk, crowds: dict[Point, Crowd]) -> None:
    """Return when the second process is done with everybody; who is not answered is for the tests to say."""
    with suppress(AssertionError):
        for crowd in crowds.values():
            for person in crowd.people.values():
                wait_until_done(desk, person)


def found(desk: Desk, crowd: Crowd, slack: FakeSlack, line: FakeLine) -> dict[str, Found]:
    """What everybody is shown, how often the platforms were called about it, and what the store holds of them now."""
    return {
        place: Found(person.reads(), calls(person, slack, line), stored(desk, person.place))
        for place, person in crowd.people.items()
    }


def calls(person: Person, slack: FakeSlack, line: FakeLine) -> int:
    """How often the platforms were called to show this person something."""
    tokens = [sent.get("replyToken", "") for sent in person.sent]
    replies = [call for call in line.calls_of(REPLY) if call.body["replyToken"] in tokens]
    posts = [asked for asked in slack.asked if (asked.method, asked.channel) == ("chat.postMessage", person.place)]
    return len(replies) + len(posts)


def stored(desk: Desk, place: str) -> dict[str, bytes]:
    """All that the store holds of a place."""
    with redis.Redis.from_url(desk.store_url) as store:
        return {key: store.dump(key) for key in keys(desk, place)}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("point", POINTS)
def test_who_wakes_up_too_late_changes_nothing(woken: dict[Point, Woken], point: Point, place: str) -> None:
    here = woken[point]

    assert here.after[place] == here.before[place]
    here.crowd.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER, DEADLINE_ANSWER)
