"""Whatever happens to the clerk, and wherever it is with an order, it is carried out, and confirmed once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from bot.checkpoints import Point
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import (
    DEADLINE,
    DEADLINE_ANSWER,
    PARKING,
    PARKING_ANSWER,
    WITHIN_A_MINUTE_S,
    all_shown,
    answers,
    delivered,
    remembered,
    somebody_new,
    wait_until_done,
)
from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnLine, OnSlack, Person

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

POINTS: tuple[Point, ...] = ("ordered", "carried_out")
RESET, STOPPED, FORGOTTEN = "会話を新しく始めます", "途中で止めました", "会話を消しました"


@dataclass(frozen=True, slots=True)
class Order:
    """Something that a person does, and what it leads to.

    Args:
        place: where.
        waits: the question before it is still waiting (else it is answered).
        give: does it.
        shows: what the person is shown in the end.
        remembers: how many questions are remembered in the end.
    """

    name: str
    place: str
    waits: bool
    give: Callable[[Person], object]
    shows: tuple[str, ...]
    remembers: int = 0

    def __str__(self) -> str:
        return f"{self.name}-{self.place}"


def says(text: str) -> Callable[[Person], object]:
    return lambda person: say(person, text)


def edits(person: Person) -> None:
    assert isinstance(person, OnSlack)
    person.edit(PARKING)


def deletes(person: Person) -> None:
    assert isinstance(person, OnSlack)
    person.delete()


def unsends(person: Person) -> None:
    assert isinstance(person, OnLine)
    person.unsend()


def collects(person: Person) -> None:
    assert isinstance(person, OnLine)
    person.collect()


ORDERS = (
    Order("stop", "slack-thread", True, says("ストップ"), (STOPPED,)),
    Order("stop", "line", True, says("ストップ"), (STOPPED,)),
    Order("edit", "slack-dm", True, edits, (PARKING_ANSWER,), 1),
    Order("delete", "slack-dm", True, deletes, ()),
    Order("unsend", "line", True, unsends, ()),
    Order("reset", "slack-dm", False, says("リセット"), (DEADLINE_ANSWER, RESET)),
    Order("forget", "console", False, says("忘れて"), (FORGOTTEN,)),
    Order("collect", "line", False, collects, (DEADLINE_ANSWER,), 1),
)
"""As many as a clerk carries out at once."""


@pytest.fixture(scope="module", params=["killed", "ended", "without a store"])
def happened(
    request: pytest.FixtureRequest, desk: Desk, slack: FakeSlack, line: FakeLine
) -> dict[Point, dict[Order, Person]]:
    """At each point the clerk was held with everybody's order and suffered the fault; then it had its time."""
    people = {point: {order: somebody_new(desk, slack, line)[order.place]() for order in ORDERS} for point in POINTS}
    everybody = [(order, person) for orders in people.values() for order, person in orders.items()]
    try:
        ask(desk, everybody)
        for point, orders in people.items():
            give(orders, desk, point)
            FAULTS[request.param](desk)
        with suppress(AssertionError):  # what is not carried out is for the tests to say
            wait_until(lambda: not desk.store.hlen("controls"), within_s=WITHIN_A_MINUTE_S)
    finally:
        desk.disarm()
        desk.start("replies")
    return people


def ask(desk: Desk, everybody: list[tuple[Order, Person]]) -> None:
    """Everybody has asked; the answers that are to wait wait for the replies' process to come back."""
    for order, person in everybody:
        if not order.waits:
            say(person, DEADLINE, too_late=order.name == "collect")
    for order, person in everybody:
        if not order.waits:
            wait_until_done(desk, person)
    desk.end("replies")
    for order, person in everybody:
        if order.waits:
            say(person, DEADLINE)


def say(person: Person, text: str, *, too_late: bool = False) -> None:
    """Somebody says it; on LINE perhaps so long ago that its token is dead."""
    for sent in person.write(text):
        if too_late:
            sent["timestamp"] -= 21 * 60 * 1000
        delivered(person, sent)


def give(orders: dict[Order, Person], desk: Desk, point: Point) -> None:
    """Everybody gives their order; the clerk is held with all of them at the point. What was said comes once more."""
    desk.arm(point, "hold", times=len(orders))
    for order, person in orders.items():
        order.give(person)
    desk.wait_until_reached(point, times=len(orders))
    for person in orders.values():
        delivered(person, person.sent[-1])


def kill(desk: Desk) -> None:
    desk.kill("clerk")
    desk.disarm()
    desk.start("clerk")


def end(desk: Desk) -> None:
    desk.signal("clerk", signal.SIGTERM)
    desk.disarm()
    assert desk.wait_until_ended("clerk") == 0
    desk.start("clerk")


def kill_the_store(desk: Desk) -> None:
    desk.kill("store")
    desk.disarm()
    desk.start("store")
    desk.wait_until_store_answers()


FAULTS = {"killed": kill, "ended": end, "without a store": kill_the_store}


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("point", POINTS)
def test_an_order_is_carried_out_and_confirmed_once(
    desk: Desk, happened: dict[Point, dict[Order, Person]], point: Point, order: Order
) -> None:
    person = happened[point][order]

    wait_until_done(desk, person)

    shown = answers(person) if order.name == "collect" else all_shown(desk, person)
    assert len(shown) == len(order.shows), shown
    assert all(words in text for words, text in zip(order.shows, shown, strict=True)), shown
    assert len(remembered(desk, person.place)) == order.remembers
