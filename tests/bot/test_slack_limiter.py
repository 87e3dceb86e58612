"""No more calls are made to Slack than it allows, and none of a method that it wants left alone, by any process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.slack.limiter import PACES, TIER_2, TIER_3, Limiter
from bot.slack.web import SlackClient, call, slack_client, sparing
from bot.store import connect
from tests.fakes.slack import TOKEN, FakeSlack, Fault

POST, START, UPDATE = "chat.postMessage", "chat.startStream", "chat.update"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def limiter(store: redis.Redis) -> Limiter:
    return Limiter(store, TOKEN)


@pytest.fixture
def client(slack: FakeSlack, limiter: Limiter) -> SlackClient:
    return slack_client(TOKEN, slack.api_url, limiter=limiter)


def taken(limiter: Limiter, method: str, channel: str = "C1", *, spare: bool = False) -> int:
    """How many calls may be made before one has to wait."""
    for made in range(200):
        try:
            limiter.take(method, channel, spare=spare)
        except DeliveryDeferred:
            return made
    raise AssertionError("without limit")


@pytest.mark.parametrize(
    ("method", "calls"), [(START, 20), ("chat.stopStream", 20), ("chat.appendStream", 100), (UPDATE, 50), (POST, 10)]
)
def test_a_method_has_the_calls_of_its_tier(limiter: Limiter, method: str, calls: int) -> None:
    assert taken(limiter, method) == calls


def test_who_has_to_wait_is_told_for_how_long(limiter: Limiter) -> None:
    taken(limiter, START)

    with pytest.raises(DeliveryDeferred) as deferred:
        limiter.take(START, "C1")

    assert 55 < (deferred.value.retry_after_s or 0) <= TIER_2.within_s


def test_the_last_calls_are_kept_for_what_has_to_be_said(limiter: Limiter) -> None:
    assert taken(limiter, UPDATE, spare=True) == 40
    assert taken(limiter, UPDATE) == 10


def test_posts_are_counted_by_channel_and_edits_for_the_workspace(limiter: Limiter) -> None:
    taken(limiter, POST, "C1")
    taken(limiter, UPDATE, "C1")

    assert taken(limiter, POST, "C2") == PACES[POST].calls
    assert taken(limiter, UPDATE, "C2") == 0


def test_another_workspace_has_calls_of_its_own(limiter: Limiter, store: redis.Redis) -> None:
    taken(limiter, UPDATE)

    assert taken(Limiter(store, "xoxb-another"), UPDATE) == TIER_3.calls


def test_the_token_is_in_no_key_of_the_store(client: SlackClient, store: redis.Redis) -> None:
    client.chat_postMessage(channel="C1", text="a")

    keys = [str(key) for key in store.scan_iter("slack:*")]
    assert keys
    assert not any(TOKEN in key for key in keys)


def test_no_call_is_made_while_a_method_rests_by_any_process(
    slack: FakeSlack, client: SlackClient, store: redis.Redis
) -> None:
    slack.fail(UPDATE, Fault(status=429, retry_after=30))
    with pytest.raises(DeliveryDeferred):
        call(client.chat_update, channel="C1", ts="1.1", text="a")

    another = slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN))
    with pytest.raises(DeliveryDeferred) as deferred:
        call(another.chat_update, channel="C2", ts="1.1", text="a")

    assert 28 < (deferred.value.retry_after_s or 0) <= 30
    assert len(slack.asked) == 1


def test_a_rest_after_posts_to_one_channel_is_none_for_another(slack: FakeSlack, client: SlackClient) -> None:
    slack.fail(POST, Fault(status=429, retry_after=30), channel="C1")
    with pytest.raises(DeliveryDeferred):
        call(client.chat_postMessage, channel="C1", text="a")

    call(client.chat_postMessage, channel="C2", text="a")

    assert slack.visible("C2") == ["a"]


def test_a_rest_ends(slack: FakeSlack, client: SlackClient, store: redis.Redis) -> None:
    slack.fail(POST, Fault(status=429, retry_after=30))
    with pytest.raises(DeliveryDeferred):
        call(client.chat_postMessage, channel="C1", text="a")

    for key in store.scan_iter("slack:rest:*"):
        assert 0 < store.pttl(key) <= 30_000
        store.pexpire(key, 1)
    threading.Event().wait(0.01)

    call(client.chat_postMessage, channel="C1", text="a")
    assert slack.visible("C1") == ["a"]


@pytest.mark.parametrize("said", ["", "soon", "-3", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_nonsense_in_retry_after_is_a_second(
    slack: FakeSlack, client: SlackClient, store: redis.Redis, said: str
) -> None:
    slack.fail(POST, Fault(status=429, retry_after=said))
    with pytest.raises(DeliveryDeferred):
        call(client.chat_postMessage, channel="C1", text="a")

    assert [0 < store.pttl(key) <= 1_000 for key in store.scan_iter("slack:rest:*")] == [True]


def test_a_shorter_rest_does_not_end_a_longer_one(limiter: Limiter, store: redis.Redis) -> None:
    limiter.rest(UPDATE, "C1", 60)
    limiter.rest(UPDATE, "C1", 1)

    with pytest.raises(DeliveryDeferred) as deferred:
        limiter.take(UPDATE, "C1")
    assert (deferred.value.retry_after_s or 0) > 50


def test_without_the_store_calls_are_made(slack: FakeSlack) -> None:
    nowhere = Limiter(connect("unix:///nowhere/store.sock"), TOKEN)
    client = slack_client(TOKEN, slack.api_url, limiter=nowhere)

    call(client.chat_postMessage, channel="C1", text="a")

    assert slack.visible("C1") == ["a"]


def test_what_can_be_left_out_is_told_from_what_has_to_be_said(client: SlackClient) -> None:
    with sparing(True):
        for _ in range(8):
            call(client.chat_postMessage, channel="C1", text="a")
        with pytest.raises(DeliveryDeferred):
            call(client.chat_postMessage, channel="C1", text="a")

    call(client.chat_postMessage, channel="C1", text="a")


def test_many_threads_at_once_never_exceed_slacks_own_limits(slack: FakeSlack, store: redis.Redis) -> None:
    slack.tiers.on = True
    root = slack.workspace.say("C1", "?")["ts"]
    clients = [slack_client(TOKEN, slack.api_url, limiter=Limiter(store, TOKEN)) for _ in range(4)]
    where = {"channel": "C1", "thread_ts": root, "recipient_team_id": "T", "recipient_user_id": "U1"}

    def start(number: int) -> bool:
        try:
            call(clients[number % 4].chat_startStream, **where, markdown_text="a")
        except DeliveryDeferred:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        began = sum(threads.map(start, range(60)))

    assert began == 20
    assert slack.tiers.refused == 0
