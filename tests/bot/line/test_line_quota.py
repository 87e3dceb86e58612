"""LINE_PUSH=quota: pushed is what leaves a reserve of the month's messages; what is not known is not pushed."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.line.phrases import phrases
from bot.line.quota import Quota, seconds_of_month
from bot.line.sender import LineSender, line_api
from bot.settings import BotSettings
from bot.store import connect
from tests.bot.line.sending import ANSWER, SHOWN, DiesAt, Killed, MemoryJournal, kept, long_answer, make_sender
from tests.fakes.line import CONSUMPTION, PUSH, QUOTA, FakeLine, Fault, Response
from tests.fakes.line_events import GROUP, ROOM, USER, group
from tests.fakes.line_members import FakeMembers
from workers.senders import pushing as what_line_push_allows

RESERVE = 20


class Telling:
    """What LINE answers about the quota, in place of the fake's own figures, and how often it was asked."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line
        self.bodies: dict[str, bytes] = {}
        self.fault: Fault | None = None
        self.asked = 0

    def answer(self, method: str, path: str, *_: Any) -> Response | None:
        if method != "GET" or path not in (QUOTA, CONSUMPTION):
            return None
        self.asked += 1
        own = self._line.told_of_quota(method, path)
        return Response(body=self.bodies.get(path, b""), fault=self.fault) if path in self.bodies or self.fault else own


@pytest.fixture
def members(line: FakeLine) -> FakeMembers:
    told = FakeMembers(line.members)
    line.further.append(told)
    return told


@pytest.fixture
def telling(line: FakeLine) -> Telling:
    told = Telling(line)
    line.further.insert(0, told)
    return told


@pytest.fixture
def quota(line: FakeLine, store: redis.Redis) -> Quota:
    return make_quota(line, store)


def make_quota(line: FakeLine, store: redis.Redis, **other: Any) -> Quota:
    return Quota(line_api(line.url, line.access_token, timeout_s=0.3), store, RESERVE, **other)


def key() -> str:
    return str(uuid.uuid4())


def takes(quota: Quota, at_most: int = 50) -> int:
    """How many pushes to a person it lets through."""
    return sum(quota.take(USER, "user", key()) for _ in range(at_most))


@pytest.mark.parametrize(
    ("limit", "used", "allowed"),
    [(200, 0, True), (200, 179, True), (200, 180, False), (200, 200, False), (200, 9_999, False), (None, 9_999, True)],
)
def test_a_push_is_allowed_as_long_as_it_leaves_the_reserve(
    line: FakeLine, quota: Quota, limit: int | None, used: int, allowed: bool
) -> None:
    line.monthly_limit, line.pushes = limit, used

    assert quota.allows(USER, "user") is allowed
    assert quota.take(USER, "user", key()) is allowed


def test_our_own_pushes_count_before_line_is_asked_again(line: FakeLine, quota: Quota, telling: Telling) -> None:
    line.pushes = 175

    assert takes(quota) == 5
    assert not quota.allows(USER, "user")
    assert telling.asked == 2  # the quota and what is used of it, once


def test_of_many_workers_as_many_push_as_there_are_messages(line: FakeLine, store: redis.Redis, store_url: str) -> None:
    line.pushes = 175
    workers = [make_quota(line, connect(store_url)) for _ in range(8)]
    together = threading.Barrier(len(workers))

    def work(worker: Quota) -> int:
        together.wait()
        return takes(worker, 10)

    with ThreadPoolExecutor(len(workers)) as pool:
        assert sum(pool.map(work, workers)) == 5


def test_a_push_counts_once_however_often_it_is_tried(line: FakeLine, quota: Quota) -> None:
    line.pushes = 178
    again = key()

    assert [quota.take(USER, "user", again) for _ in range(5)] == [True] * 5
    assert takes(quota) == 1


@pytest.mark.parametrize(("chat", "kind"), [(GROUP, "group"), (ROOM, "room")])
def test_a_push_to_many_counts_them_all(
    line: FakeLine, quota: Quota, members: FakeMembers, chat: str, kind: str
) -> None:
    line.members[chat], line.pushes = 50, 100

    assert [quota.take(chat, kind, key()) for _ in range(2)] == [True, False]
    assert not quota.allows(chat, kind)
    assert quota.allows(USER, "user")
    assert members.asked == 1


def test_where_line_does_not_count_the_members_nothing_is_pushed(
    line: FakeLine, quota: Quota, members: FakeMembers
) -> None:
    line.members[GROUP], members.allowed = 3, False

    assert not quota.allows(GROUP, "group")
    assert not quota.take(GROUP, "group", key())
    assert not quota.allows(ROOM, "room")
    assert not quota.allows(USER, "somebody")


@pytest.mark.parametrize("count", [0, -5, True, 2.5, "3", None, [3], 10**30])
def test_a_count_that_is_none_allows_nothing(line: FakeLine, quota: Quota, members: FakeMembers, count: object) -> None:
    line.members[GROUP], members.told = 3, {"count": count}

    assert not quota.allows(GROUP, "group")
    assert not quota.take(GROUP, "group", key())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (QUOTA, b"{}"),
        (QUOTA, b"[]"),
        (QUOTA, b'{"type": "limited"}'),
        (QUOTA, b'{"type": "limited", "value": "200"}'),
        (QUOTA, b'{"type": "limited", "value": true}'),
        (QUOTA, b'{"type": "limited", "value": -200}'),
        (QUOTA, b'{"value": 0}'),
        (QUOTA, b'{"type": "something new"}'),
        (CONSUMPTION, b"{}"),
        (CONSUMPTION, b'{"totalUsage": null}'),
        (CONSUMPTION, b'{"totalUsage": 1e400}'),
        (CONSUMPTION, b"[" * 100_000),
        (CONSUMPTION, b'{"totalUsage": ' + b"9" * 200 + b"}"),
        (CONSUMPTION, "使用量".encode("shift_jis")),
    ],
)
def test_a_figure_that_is_none_allows_nothing(quota: Quota, telling: Telling, path: str, body: bytes) -> None:
    telling.bodies[path] = body

    assert not quota.allows(USER, "user")
    assert not quota.take(USER, "user", key())


def test_a_usage_below_nothing_gives_no_more_than_the_limit(quota: Quota, telling: Telling) -> None:
    telling.bodies[CONSUMPTION] = b'{"totalUsage": -1000}'

    assert takes(quota, 200) == 180


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.FORBIDDEN, Fault.SLOW])
def test_what_line_does_not_tell_is_not_allowed_and_not_asked_again_at_once(
    quota: Quota, telling: Telling, store: redis.Redis, fault: Fault
) -> None:
    telling.fault = fault

    assert not any(quota.allows(USER, "user") for _ in range(5))
    assert telling.asked == 1
    assert 0 < store.ttl("line:quota") <= 60


def test_line_is_asked_every_ten_minutes_or_when_the_month_ends(line: FakeLine, store: redis.Redis) -> None:
    ends = datetime(2026, 12, 31, 23, 58, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()

    make_quota(line, store).allows(USER, "user")
    assert 590 < store.ttl("line:quota") <= 600

    store.delete("line:quota")
    make_quota(line, store, clock=lambda: ends).allows(USER, "user")
    assert 110 < store.ttl("line:quota") <= 120


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("2026-12-31T14:59:00+00:00", 60),
        ("2026-12-31T15:00:00+00:00", 31 * 86_400),
        ("2027-02-28T14:59:59+00:00", 1),
        ("2028-02-28T15:00:00+00:00", 86_400),
        ("2026-12-31T14:59:59.999+00:00", 1),
    ],
)
def test_the_month_is_tokyos(now: str, seconds: int) -> None:
    assert seconds_of_month(datetime.fromisoformat(now).timestamp()) == seconds


def test_a_push_that_line_has_not_counted_yet_counts_when_line_is_asked_again(
    line: FakeLine, quota: Quota, store: redis.Redis
) -> None:
    line.pushes = 175
    assert takes(quota, 2) == 2  # both are on their way

    store.delete("line:quota")  # ten minutes are over

    assert takes(quota) == 3


def test_a_push_from_long_ago_is_in_lines_count(line: FakeLine, store: redis.Redis) -> None:
    line.pushes = 175
    now = [1_000_000.0]
    quota = make_quota(line, store, clock=lambda: now[0])
    assert takes(quota, 2) == 2

    line.pushes = 177
    now[0] += 600
    store.delete("line:quota")

    assert takes(quota) == 3


def test_when_line_takes_no_more_the_month_is_over(
    line: FakeLine, store: redis.Redis, quota: Quota, telling: Telling, asked: Callable[..., Any]
) -> None:
    telling.bodies[CONSUMPTION] = b'{"totalUsage": 0}'  # its figure lags behind
    line.monthly_limit = line.pushes = 200
    sender = make_sender(line, store, quota)

    assert sender.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept
    assert not quota.allows(USER, "user")
    assert store.ttl("line:quota") > 600 or seconds_of_month(datetime.now().timestamp()) <= 600


@pytest.fixture
def by_quota(line: FakeLine, store: redis.Redis, quota: Quota) -> LineSender:
    return make_sender(line, store, quota)


def test_a_late_answer_is_pushed_within_the_quota_and_kept_beyond_it(
    line: FakeLine, store: redis.Redis, by_quota: LineSender, asked: Callable[..., Any]
) -> None:
    line.pushes = 179

    assert not by_quota.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept
    assert by_quota.open(asked(age_s=60), MemoryJournal()).finish(ANSWER).kept

    assert line.visible(USER) == [SHOWN]
    assert (line.pushes, len(line.calls_of(PUSH)), len(kept(store))) == (180, 1, 1)


def test_what_the_quota_ends_in_the_middle_of_goes_on_with_the_next_token(
    line: FakeLine, store: redis.Redis, by_quota: LineSender, asked: Callable[..., Any]
) -> None:
    line.pushes = 179

    assert not by_quota.open(asked(age_s=60), MemoryJournal()).finish(long_answer(7)).kept

    assert len(line.visible(USER)) == 5
    assert [(len(rest.parts), rest.introduction) for rest in kept(store)] == [(2, "rest")]


@pytest.mark.parametrize(("used", "promised"), [(0, True), (180, False)])
def test_a_push_is_promised_only_where_there_is_one_left(
    line: FakeLine, by_quota: LineSender, asked: Callable[..., Any], used: int, promised: bool
) -> None:
    line.pushes = used
    target = asked(age_s=52)

    by_quota.open(target, MemoryJournal()).due(target.reply_to["expires_at"] - 5)

    assert (phrases("ja").wait_for_push in line.visible(USER)[0]) is promised
    assert bool(line.buttons(USER)) is not promised


@pytest.mark.parametrize("fact", [("pushed", 1), ("outcome", "shown")])
def test_a_push_that_is_made_again_after_a_kill_counts_once_here_and_at_line(
    line: FakeLine, by_quota: LineSender, quota: Quota, asked: Callable[..., Any], fact: tuple[str, object]
) -> None:
    line.pushes = 178
    target, journal = asked(age_s=60), DiesAt(*fact)
    with pytest.raises(Killed):
        by_quota.open(target, journal).finish(ANSWER)

    assert not by_quota.open(target, journal).finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]
    assert line.pushes == 179
    assert takes(quota) == 1


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE_ACCEPTING, Fault.RESET_AFTER_ACCEPTING])
def test_a_push_that_may_have_been_taken_is_made_again_and_not_kept_though_it_was_the_last(
    line: FakeLine, by_quota: LineSender, asked: Callable[..., Any], store: redis.Redis, fault: Fault
) -> None:
    line.pushes = 179
    line.go_wrong(PUSH, fault)
    stream = by_quota.open(asked(age_s=60), MemoryJournal())
    with pytest.raises(DeliveryDeferred):
        stream.finish(ANSWER)

    assert not stream.finish(ANSWER).kept
    assert line.visible(USER) == [SHOWN]
    assert (line.pushes, kept(store)) == (180, [])


def test_in_a_group_the_fake_counts_a_push_by_its_members_as_we_do(
    line: FakeLine, by_quota: LineSender, members: FakeMembers, asked: Callable[..., Any]
) -> None:
    line.members[GROUP] = 30

    by_quota.open(asked(group(), age_s=60), MemoryJournal()).finish(ANSWER)

    assert line.pushes == 30


@pytest.mark.parametrize(("setting", "allowed"), [("never", False), ("quota", False), ("always", True)])
def test_the_setting_says_what_is_pushed_with_the_quota_used_up(
    line: FakeLine, store: redis.Redis, setting: str, allowed: bool
) -> None:
    line.pushes = 180
    settings = BotSettings(_env_file=None, line_push=setting)  # type: ignore[call-arg, arg-type]

    pushing = what_line_push_allows(settings, line_api(line.url, line.access_token), store)

    assert pushing.allows(USER, "user") is allowed
    assert pushing.take(USER, "user", key()) is allowed
