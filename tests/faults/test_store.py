"""While the store is away, full or read-only, webhooks say so soon; what was taken in before is answered after, once.

The answers to somebody in each of the places are held at each of the points; then it happens to all of them at once.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from bot.checkpoints import Point
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, PARKING, PARKING_ANSWER, PLACES, Crowd, delivered
from tests.faults.desk import Desk, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

POINTS: tuple[Point, ...] = ("taken", "generating", "delivering", "sent", "delivered")
OUTAGE_S = 30.0
REFUSED_WITHIN_S = 2.0
ANSWERED_WITHIN_S = 5.0
"""After the store is back: the first of many that wait."""


@contextmanager
def frozen(desk: Desk) -> Iterator[None]:
    """The store's process stands still for half a minute."""
    desk.signal("store", signal.SIGSTOP)
    until = time.monotonic() + OUTAGE_S
    yield
    wait_until(lambda: time.monotonic() > until, within_s=OUTAGE_S + 1)
    desk.signal("store", signal.SIGCONT)


@contextmanager
def gone(desk: Desk) -> Iterator[None]:
    """The store is killed, and started half a minute later."""
    desk.kill("store")
    until = time.monotonic() + OUTAGE_S
    yield
    wait_until(lambda: time.monotonic() > until, within_s=OUTAGE_S + 1)
    desk.start("store")
    desk.wait_until_store_answers()


@contextmanager
def full(desk: Desk) -> Iterator[None]:
    """The store takes in nothing more."""
    desk.store.config_set("maxmemory", 1)
    yield
    desk.store.config_set("maxmemory", 0)


@contextmanager
def read_only(desk: Desk) -> Iterator[None]:
    """The store refuses every change, as one does that has been failed over."""
    desk.store.replicaof("127.0.0.1", 1)
    yield
    desk.store.replicaof("NO", "ONE")


TROUBLE = {"frozen": frozen, "gone": gone, "full": full, "read-only": read_only}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happened, and how the webhooks answered meanwhile: status and seconds."""

    held: dict[Point, Crowd]
    late: Crowd
    refusals: list[tuple[int, float]]
    first_answer_after_s: float


@pytest.fixture(scope="module", params=TROUBLE)
def trouble(request: pytest.FixtureRequest, desk: Desk, slack: FakeSlack, line: FakeLine) -> Trouble:
    """It happened while answers were at every point and more came in, and it is over."""
    happens: AbstractContextManager[None] = TROUBLE[request.param](desk)
    held = {point: held_at(point, desk, Crowd(desk, slack, line)) for point in POINTS}
    late = Crowd(desk, slack, line)
    with happens:
        desk.disarm()
        refusals = [timed(late, place) for place in PLACES]
    ended = time.monotonic()
    before = read(held)
    wait_until(lambda: read(held) > before)
    first_answer_after_s = time.monotonic() - ended
    for person in late.people.values():
        for sent in person.sent:
            delivered(person, sent)
    return Trouble(held, late, refusals, first_answer_after_s)


def held_at(point: Point, desk: Desk, crowd: Crowd) -> Crowd:
    """The crowd, when all of their first answers are at the point and a second question waits behind each."""
    desk.arm(point, "hold", times=len(PLACES))
    crowd.say(DEADLINE)
    desk.wait_until_reached(point, times=len(PLACES))
    crowd.say(PARKING)
    return crowd


def timed(crowd: Crowd, place: str) -> tuple[int, float]:
    """How a delivery of who is there is answered, and within how many seconds."""
    person = crowd.people[place]
    sent = person.write(DEADLINE)[0]
    began = time.monotonic()
    return person.deliver(sent), time.monotonic() - began


def read(held: dict[Point, Crowd]) -> int:
    """How many answers can be read on the platforms."""
    return sum(
        len(person.reads()) for crowd in held.values() for name, person in crowd.people.items() if name != "console"
    )


def test_webhooks_say_so_within_two_seconds(trouble: Trouble) -> None:
    assert [status for status, _ in trouble.refusals] == [503] * len(PLACES)
    assert max(seconds for _, seconds in trouble.refusals) < REFUSED_WITHIN_S


def test_the_first_answer_comes_soon_after(trouble: Trouble) -> None:
    assert trouble.first_answer_after_s < ANSWERED_WITHIN_S


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("point", POINTS)
def test_who_was_heard_before_is_answered_once_and_in_order(trouble: Trouble, point: Point, place: str) -> None:
    trouble.held[point].has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.mark.parametrize("place", PLACES)
def test_who_was_refused_is_answered_when_the_platform_has_delivered_again(trouble: Trouble, place: str) -> None:
    trouble.late.has_answers(place, DEADLINE_ANSWER)


def test_every_process_has_lived_through_it(trouble: Trouble, desk: Desk) -> None:
    assert [name for name in ("web", "clerk", "replies", "knowledge") if desk.exited(name) is not None] == []
