"""A control event is carried out once, comes again when it failed, and ends among the dead letters."""

from __future__ import annotations

import json
import time

import pytest
import redis

from bot.errors import DeliveryDeferred, DeliveryFailed, StoreUnavailable
from bot.inbox import Inbox
from bot.messages import Control, Deletion
from bot.store import connect
from tests.workers.desk import command, order
from tests.workers.making import NoHints
from workers.controls import LEASE_S, MOST_ERASING_TRIES, MOST_TRIES, Controls


class Acted:
    """What was carried out; fails as often as it is told to."""

    def __init__(self, failures: int = 0, error: type[Exception] = RuntimeError) -> None:
        self.events: list[tuple[str, Control]] = []
        self._failures = failures
        self._error = error

    def __call__(self, control_id: str, event: Control) -> None:
        self.events.append((control_id, event))
        if len(self.events) <= self._failures:
            raise self._error("no")


@pytest.fixture
def controls(store: redis.Redis) -> Controls:
    return Controls(store)


def let_time_pass(store: redis.Redis) -> None:
    """Everything that was put off is due."""
    for name in store.zrange("controls:due", 0, -1):
        store.zadd("controls:due", {str(name): time.time()})


def test_an_event_is_carried_out_and_gone(store: redis.Redis, controls: Controls) -> None:
    reset = order("reset")
    command(store, reset, "order 1")
    acted = Acted()

    assert controls.due() == ["order 1"]
    assert controls.carry_out("order 1", acted) == "done"
    assert controls.carry_out("order 1", acted) == "gone"

    assert acted.events == [("order 1", reset)]
    assert not store.exists("controls", "controls:due", "attempts:order 1")


def test_an_event_that_is_delivered_twice_is_carried_out_once(store: redis.Redis, controls: Controls) -> None:
    inbox = Inbox(store, NoHints())
    acted = Acted()
    for _ in range(2):
        inbox.control(order("reset", sent_at=1.0), "order 1")
        controls.carry_out("order 1", acted)

    assert len(acted.events) == 1


def test_what_one_carries_out_nobody_else_begins(store: redis.Redis, controls: Controls) -> None:
    command(store, order("reset"), "order 1")
    outcomes: list[str] = []

    controls.carry_out("order 1", lambda *_: outcomes.append(Controls(store).carry_out("order 1", Acted())))

    assert outcomes == ["gone"]


def test_what_a_killed_clerk_had_begun_is_due_again(store: redis.Redis, controls: Controls) -> None:
    class Killed(BaseException):
        """The clerk dies here."""

    def die(_id: str, _event: Control) -> None:
        raise Killed

    command(store, order("reset"), "order 1")
    with pytest.raises(Killed):
        controls.carry_out("order 1", die)

    assert controls.due() == []
    assert store.zscore("controls:due", "order 1") == pytest.approx(time.time() + LEASE_S, abs=5)
    let_time_pass(store)
    assert controls.carry_out("order 1", Acted()) == "done"


def test_what_failed_comes_again_after_growing_pauses(store: redis.Redis, controls: Controls) -> None:
    command(store, order("reset"), "order 1")
    acted, pauses = Acted(failures=3), []
    for _ in range(3):
        assert controls.carry_out("order 1", acted) == "again"
        pauses.append(round(float(store.zscore("controls:due", "order 1") or 0) - time.time()))
        let_time_pass(store)

    assert pauses == [2, 4, 8]
    assert controls.carry_out("order 1", acted) == "done"
    assert not store.exists("attempts:order 1")


def test_what_never_works_is_a_dead_letter(store: redis.Redis, controls: Controls) -> None:
    command(store, order("reset"), "order 1")
    acted, outcomes = Acted(failures=99), []
    for _ in range(MOST_TRIES):
        outcomes.append(controls.carry_out("order 1", acted))
        let_time_pass(store)

    assert outcomes == ["again"] * (MOST_TRIES - 1) + ["dead"]
    letter = json.loads(store.hget("dead", "order 1") or "")
    assert (letter["reason"], letter["control"]["name"]) == ("RuntimeError", "reset")
    assert not store.exists("controls", "controls:due")


ERASURES: list[Control] = [
    Deletion("slack", "slack:T1:C1", "slack:U1", "slack:T1:C1:1.1", 2.0),
    order("forget"),
    order("unfollow"),
]


@pytest.mark.parametrize("event", ERASURES, ids=["deletion", "forget", "unfollow"])
def test_an_erasure_outlasts_a_platform_that_is_away_for_two_days(
    store: redis.Redis, controls: Controls, event: Control
) -> None:
    command(store, event, "order 1")
    store.set("attempts:order 1", MOST_ERASING_TRIES - 2)  # five minutes apart, but for the first few
    away = Acted(failures=99, error=DeliveryDeferred)

    assert controls.carry_out("order 1", away) == "again"
    assert store.zscore("controls:due", "order 1") == pytest.approx(time.time() + 300, abs=5)
    let_time_pass(store)
    assert controls.carry_out("order 1", away) == "dead"  # there is nothing left that it could take away


def test_an_erasure_that_fails_for_another_reason_is_a_dead_letter_soon(store: redis.Redis, controls: Controls) -> None:
    command(store, order("forget"), "order 1")
    acted = Acted(failures=99, error=DeliveryFailed)
    while controls.carry_out("order 1", acted) == "again":
        let_time_pass(store)

    assert len(acted.events) == MOST_TRIES


def test_an_order_that_erases_nothing_does_not_wait_for_its_platform_for_long(
    store: redis.Redis, controls: Controls
) -> None:
    command(store, order("stop"), "order 1")
    acted = Acted(failures=99, error=DeliveryDeferred)
    while controls.carry_out("order 1", acted) == "again":
        let_time_pass(store)

    assert len(acted.events) == MOST_TRIES


def test_a_platform_that_asks_for_patience_is_left_alone_for_so_long(store: redis.Redis, controls: Controls) -> None:
    def busy(_id: str, _event: Control) -> None:
        raise DeliveryDeferred("ratelimited", 600.0)

    command(store, order("forget"), "order 1")
    controls.carry_out("order 1", busy)

    assert store.zscore("controls:due", "order 1") == pytest.approx(time.time() + 600, abs=5)


@pytest.mark.parametrize("stored", ["not JSON", "[]", "{}", '{"v": 1, "kind": "Dance"}', '{"v": 1, "kind": "Edit"}'])
def test_an_event_that_nobody_can_read_is_a_dead_letter_at_once(
    store: redis.Redis, controls: Controls, stored: str
) -> None:
    store.hset("controls", "odd", stored)
    store.zadd("controls:due", {"odd": 1})
    acted = Acted()

    assert controls.carry_out("odd", acted) == "dead"

    assert acted.events == []
    assert store.hexists("dead", "odd")
    assert not store.exists("controls", "controls:due")


def test_an_event_of_a_newer_version_is_not_guessed_at(store: redis.Redis, controls: Controls) -> None:
    store.hset("controls", "new", order("forget").to_json().replace('"v": 1', '"v": 9'))
    store.zadd("controls:due", {"new": 1})
    acted = Acted()

    assert controls.carry_out("new", acted) == "dead"
    assert acted.events == []


def test_a_store_that_is_away_costs_no_try(store: redis.Redis, store_url: str) -> None:
    def go_away(_id: str, _event: Control) -> None:
        store.client_pause(300)
        raise StoreUnavailable("away")

    command(store, order("reset"), "order 1")

    with pytest.raises(StoreUnavailable):
        Controls(connect(store_url, timeout_s=0.1)).carry_out("order 1", go_away)

    assert not store.exists("attempts:order 1")
    assert store.zscore("controls:due", "order 1") is not None
