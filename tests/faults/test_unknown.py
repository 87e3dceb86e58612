"""Where LINE's answer to a call is lost with the process and its token dies meanwhile, nobody can know the outcome.

What was perhaps shown is kept then, and comes with the next message, introduced as what it is. Here the promise of
"once" ends.
"""

from __future__ import annotations

import time

import pytest

from bot.checkpoints import Point
from bot.line.phrases import phrases
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, PARKING, PARKING_ANSWER, Crowd, delivered, wait_until_done
from tests.faults.desk import Desk, wait_until
from tests.faults.people import Person

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

POINTS: tuple[Point, ...] = ("sending", "sent")
PLACES = ("line", "line-group")
TOKEN_LIFE_S = 20.0
UNSURE = phrases("ja").introductions["unsure"]


@pytest.fixture(scope="module")
def killed(desk: Desk, slack: FakeSlack, line: FakeLine) -> dict[Point, Crowd]:
    """The process was killed at the points, and started when the tokens were dead."""
    crowds = {point: Crowd(desk, slack, line, PLACES) for point in POINTS}
    for point, crowd in crowds.items():
        desk.arm(point, "hold", times=len(PLACES))
        for person in crowd.people.values():
            say_long_ago(person)
        desk.wait_until_reached(point, times=len(PLACES))
    dead_at = time.time() + TOKEN_LIFE_S
    desk.kill("replies")
    desk.disarm()
    wait_until(lambda: time.time() > dead_at)
    desk.start("replies")
    for crowd in crowds.values():
        for person in crowd.people.values():
            wait_until_done(desk, person)
    return crowds


def say_long_ago(person: Person) -> None:
    """Ask so long ago that the token dies soon: none works later than 20 minutes after its event."""
    for sent in person.write(DEADLINE):
        sent["timestamp"] -= int((20 * 60 - TOKEN_LIFE_S) * 1000)
        delivered(person, sent)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("point", POINTS)
def test_what_was_perhaps_shown_comes_again_and_says_so(
    desk: Desk, killed: dict[Point, Crowd], point: Point, place: str
) -> None:
    crowd, person = killed[point], killed[point].people[place]

    crowd.say_in(place, PARKING)
    wait_until_done(desk, person)

    *perhaps, again, parking = person.reads()
    assert len(perhaps) == (1 if point == "sent" else 0)
    assert again.startswith(UNSURE)
    assert DEADLINE_ANSWER in again
    assert PARKING_ANSWER in parking
