"""Whatever happens to the web process, and wherever it is with a delivery, what was said is answered once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.checkpoints import Point
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, PARKING, PARKING_ANSWER, PLACES, Crowd
from tests.faults.desk import Desk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

POINTS: tuple[Point, ...] = ("accepting", "accepted", "hinted")
POLITELY = (0, -signal.SIGTERM)
"""Exit statuses: uvicorn ends itself by the signal when everything is answered."""
in_every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module", params=POINTS)
def at(request: pytest.FixtureRequest) -> Point:
    """Where the deliveries are held."""
    point: Point = request.param
    return point


@contextmanager
def held(desk: Desk, crowd: Crowd, at: Point) -> Iterator[None]:
    """Inside the block everybody's deliveries are at the point; afterwards all are acknowledged, perhaps later ones."""
    desk.arm(at, "hold", times=crowd.deliveries)
    with crowd.saying(DEADLINE):
        try:
            desk.wait_until_reached(at, times=crowd.deliveries)
            yield
        finally:
            desk.disarm()


def check_answered(crowd: Crowd, place: str) -> None:
    """Check that the first question is answered once, and so is a second one."""
    crowd.has_answers(place, DEADLINE_ANSWER)
    crowd.say_in(place, PARKING)
    crowd.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def killed(desk: Desk, slack: FakeSlack, line: FakeLine, at: Point) -> Crowd:
    """The process was killed; what it had not acknowledged was delivered again."""
    crowd = Crowd(desk, slack, line)
    with held(desk, crowd, at):
        desk.kill("web")
        desk.start("web")
        desk.wait_until_web_answers()
    return crowd


@in_every_place
def test_a_killed_process(killed: Crowd, place: str) -> None:
    check_answered(killed, place)


@pytest.fixture(scope="module")
def ended(desk: Desk, slack: FakeSlack, line: FakeLine, at: Point) -> Crowd:
    """The process was asked to end, and did."""
    crowd = Crowd(desk, slack, line)
    with held(desk, crowd, at):
        desk.signal("web", signal.SIGTERM)
        desk.disarm()
        assert desk.wait_until_ended("web") in POLITELY
        desk.start("web")
        desk.wait_until_web_answers()
    return crowd


@in_every_place
def test_an_ended_process(ended: Crowd, place: str) -> None:
    check_answered(ended, place)


@pytest.fixture(scope="module")
def store_gone(desk: Desk, slack: FakeSlack, line: FakeLine, at: Point) -> Crowd:
    """The store was killed, and the process went on without it for a while."""
    crowd = Crowd(desk, slack, line)
    with held(desk, crowd, at):
        desk.kill("store")
        desk.disarm()
        desk.start("store")
        desk.wait_until_store_answers()
    return crowd


@in_every_place
def test_a_killed_store(store_gone: Crowd, place: str) -> None:
    check_answered(store_gone, place)


@pytest.fixture(scope="module")
def delivered_again(desk: Desk, slack: FakeSlack, line: FakeLine, at: Point) -> Crowd:
    """The platforms delivered everything again while the first deliveries were held."""
    crowd = Crowd(desk, slack, line)
    with held(desk, crowd, at):
        crowd.deliver_again()
    return crowd


@in_every_place
def test_a_second_delivery_that_comes_first(delivered_again: Crowd, place: str) -> None:
    check_answered(delivered_again, place)


@pytest.fixture(scope="module")
def delivered_afterwards(desk: Desk, slack: FakeSlack, line: FakeLine) -> Crowd:
    """Everything came again after its answer, and once more after the process had been killed."""
    crowd = Crowd(desk, slack, line)
    crowd.begin_to_say(DEADLINE)
    for place in PLACES:
        crowd.has_answers(place, DEADLINE_ANSWER)
    crowd.deliver_again()
    desk.kill("web")
    desk.start("web")
    desk.wait_until_web_answers()
    crowd.deliver_again()
    return crowd


@in_every_place
def test_a_delivery_long_after_the_answer(delivered_afterwards: Crowd, place: str) -> None:
    check_answered(delivered_afterwards, place)
