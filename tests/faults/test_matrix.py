"""Whatever happens while an answer is at whichever point of its way, who asked gets each answer once, in order.

At each point the answers to somebody in each of the places are held; then the fault comes.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from bot.checkpoints import Point
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, PARKING, PARKING_ANSWER, PLACES, Crowd
from tests.faults.desk import Desk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

POINTS: tuple[Point, ...] = (
    *("taken", "retrieving", "previewed", "generating", "made"),
    *("delivering", "sending", "sent", "delivered", "finished"),
)
THREE_POINTS: tuple[Point, ...] = ("delivering", "sending", "sent")
in_every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module", params=POINTS)
def at(request: pytest.FixtureRequest) -> Point:
    """Where the first answers are held."""
    point: Point = request.param
    return point


@pytest.fixture(scope="module")
def crowd(desk: Desk, slack: FakeSlack, line: FakeLine, at: Point) -> Iterator[Crowd]:
    """Everybody's first answer is held at the point; the question came again then, and a second one waits behind it."""
    people = Crowd(desk, slack, line)
    desk.arm(at, "hold", times=len(PLACES))
    people.begin_to_say(DEADLINE)
    try:
        desk.wait_until_reached(at, times=len(PLACES))
        people.deliver_the_last()
        people.say(PARKING)
        yield people
    finally:
        desk.disarm()


@pytest.fixture(scope="module")
def killed(desk: Desk, crowd: Crowd) -> Crowd:
    """The process was killed."""
    desk.kill("replies")
    desk.disarm()
    desk.start("replies")
    return crowd


@in_every_place
def test_answers_come_once_though_the_process_is_killed(killed: Crowd, place: str) -> None:
    killed.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def ended(desk: Desk, crowd: Crowd) -> Crowd:
    """The process was asked to end, and did."""
    desk.signal("replies", signal.SIGTERM)
    desk.disarm()
    assert desk.wait_until_ended("replies") == 0
    desk.start("replies")
    return crowd


@in_every_place
def test_answers_come_once_though_the_process_is_ended(ended: Crowd, place: str) -> None:
    ended.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def store_restarted(desk: Desk, crowd: Crowd) -> Crowd:
    """The store was killed and came back before anybody noticed."""
    desk.kill("store")
    desk.start("store")
    desk.wait_until_store_answers()
    desk.disarm()
    return crowd


@in_every_place
def test_answers_come_once_though_the_store_is_killed(store_restarted: Crowd, place: str) -> None:
    store_restarted.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def store_gone(desk: Desk, crowd: Crowd) -> Crowd:
    """The store was killed, and the process went on without it for a while."""
    desk.kill("store")
    desk.disarm()
    desk.start("store")
    desk.wait_until_store_answers()
    return crowd


@in_every_place
def test_answers_come_once_though_the_store_is_gone(store_gone: Crowd, place: str) -> None:
    store_gone.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def delivered_again(desk: Desk, crowd: Crowd) -> Crowd:
    """The platforms delivered everything again while the answers were held."""
    crowd.deliver_again()
    desk.disarm()
    return crowd


@in_every_place
def test_answers_come_once_though_the_questions_come_again(delivered_again: Crowd, place: str) -> None:
    delivered_again.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER)


@pytest.fixture(scope="module")
def killed_three_times(desk: Desk, slack: FakeSlack, line: FakeLine) -> Crowd:
    """The process was killed at three points in a row, so that the last attempt gives the answers up."""
    crowd = Crowd(desk, slack, line)
    desk.end("replies")
    crowd.say(DEADLINE)
    for point in THREE_POINTS:
        desk.arm(point, "hold", times=len(PLACES))
        desk.start("replies")
        desk.wait_until_reached(point, times=len(PLACES))
        desk.kill("replies")
        desk.disarm()
    crowd.say(PARKING)
    desk.start("replies")
    return crowd


@in_every_place
def test_an_answer_that_is_shown_is_not_given_up_for_an_apology(killed_three_times: Crowd, place: str) -> None:
    read_back = place == "slack-thread"  # with the next question, since nothing of the thread is remembered
    killed_three_times.has_answers(place, DEADLINE_ANSWER, PARKING_ANSWER, given_up=0 if read_back else 1)
