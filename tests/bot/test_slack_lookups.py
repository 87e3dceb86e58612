"""Who has to be looked up at Slack first is waited for, when that is a matter of seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from bot.slack.limiter import Limiter
from bot.slack.lookups import PATIENCE_S
from bot.slack.members import Members
from bot.slack.web import slack_client
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.fakes.slack_events import TEAM


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def members(slack: FakeSlack, store: redis.Redis) -> Members:
    return Members(slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN)), store)


@pytest.mark.parametrize("said", [1, 0, "a while"])
def test_a_member_whose_look_up_has_to_wait_a_second_is_a_member(
    slack: FakeSlack, members: Members, said: int | str
) -> None:
    slack.fail("users.info", Fault(status=429, retry_after=said))

    assert members.has(TEAM, "U1")


def test_a_rest_that_somebody_elses_look_up_began_makes_no_guest_of_a_member(
    members: Members, store: redis.Redis
) -> None:
    Limiter(store, TOKEN).rest("users.info", "", 1)

    assert members.has(TEAM, "U1")


@pytest.mark.parametrize("faults", [[Fault(status=429, retry_after=60)], [Fault(status=429, retry_after=3)] * 2])
def test_who_cannot_be_looked_up_within_seconds_does_not_wait_for_it(
    slack: FakeSlack, members: Members, faults: list[Fault]
) -> None:
    slack.fail("users.info", *faults)
    began = time.monotonic()

    assert not members.has(TEAM, "U1")
    assert time.monotonic() - began < PATIENCE_S


def test_a_slack_that_cannot_be_reached_holds_no_look_up_up(store: redis.Redis) -> None:
    with FakeSlack() as gone:
        address = gone.api_url
    began = time.monotonic()

    assert not Members(slack_client(TOKEN, address), store).has(TEAM, "U1")
    assert time.monotonic() - began < 1
