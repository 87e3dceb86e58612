"""What LINE tells of people and groups is known for a day, and costs nobody anything when LINE does not tell."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import redis

from bot.calls import Calls
from bot.line.api import LineApi
from bot.line.profiles import KNOWN_S, UNKNOWN, UNKNOWN_S, Profile, Profiles
from bot.store import REMEMBERED_S
from tests.fakes.line import FakeLine, Fault
from tests.fakes.line_events import GROUP, OTHER_USER, ROOM, USER
from tests.fakes.line_profiles import FakeProfiles

ME = f"line:{USER}"


@pytest.fixture
def told(line: FakeLine) -> FakeProfiles:
    fake = FakeProfiles()
    line.further.append(fake)
    return fake


@pytest.fixture
def profiles(line: FakeLine, store: redis.Redis) -> Profiles:
    return Profiles(LineApi(line.url, line.access_token, Calls(), 0.3), store)


def test_a_friend_has_a_name_and_a_language(told: FakeProfiles, profiles: Profiles) -> None:
    told.befriend(USER, "山田 花子", "en-US")

    assert profiles.of(ME) == Profile("山田 花子", "en")


def test_a_group_has_a_name(told: FakeProfiles, profiles: Profiles) -> None:
    told.groups[GROUP] = "総務部"

    assert profiles.of(f"line:{GROUP}") == Profile("総務部", "")


def test_of_a_room_line_is_not_asked(told: FakeProfiles, profiles: Profiles) -> None:
    assert profiles.of(f"line:{ROOM}") == UNKNOWN
    assert told.asked == []


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *(("ja", "ja"), ("ja-JP", "ja"), ("JA", "ja"), ("en", "en"), ("zh-Hant", "en"), ("th", "en"), ("jam", "en")),
        *((None, ""), ("", ""), (7, ""), (["ja"], ""), ({}, "")),
    ],
)
def test_a_tag_is_one_of_our_languages_or_none(told: FakeProfiles, profiles: Profiles, tag: Any, language: str) -> None:
    told.befriend(USER)
    told.friends[USER]["language"] = tag

    assert profiles.of(ME).language == language


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("  山田\n花子\t", "山田 花子"),
        ("あ" * 5_000, "あ" * 60),
        ("\u202e\x00山田", "山田"),
        ("\ud83d山田", "山田"),
        ("", ""),
        (None, ""),
        (7, ""),
        ({"a": 1}, ""),
    ],
)
def test_a_name_is_on_one_line_whatever_somebody_calls_themselves(
    told: FakeProfiles, profiles: Profiles, name: Any, plain: str
) -> None:
    told.befriend(USER)
    told.friends[USER]["displayName"] = name

    assert profiles.of(ME).name == plain


def test_line_is_asked_once_a_day(told: FakeProfiles, profiles: Profiles, store: redis.Redis) -> None:
    told.befriend(USER)
    for _ in range(3):
        profiles.of(ME)

    assert len(told.asked) == 1
    assert KNOWN_S - 5 < int(str(store.ttl(f"line_profile:{ME}"))) <= KNOWN_S


def test_who_blocked_the_account_is_asked_about_again_ten_minutes_later(
    told: FakeProfiles, profiles: Profiles, store: redis.Redis
) -> None:
    for _ in range(3):
        assert profiles.of(ME) == UNKNOWN

    assert len(told.asked) == 1
    assert 0 < int(str(store.ttl(f"line_profile:{ME}"))) <= UNKNOWN_S


@pytest.mark.parametrize("fault", [*Fault])
def test_a_troubled_line_tells_of_nobody(told: FakeProfiles, profiles: Profiles, fault: Fault) -> None:
    told.befriend(USER)
    told.fault = fault

    assert profiles.of(ME) == UNKNOWN
    assert profiles.language(ME, "") == "ja"


def test_who_would_be_a_path_leads_nowhere_else(told: FakeProfiles, profiles: Profiles) -> None:
    assert profiles.of("line:U/../../bot/info") == UNKNOWN
    assert told.asked == ["/v2/bot/profile/U%2F..%2F..%2Fbot%2Finfo"]


@pytest.mark.parametrize("stored", ["", "{", "[]", '{"v": 99, "kind": "Profile"}'])
def test_what_is_damaged_is_looked_up_again(
    told: FakeProfiles, profiles: Profiles, store: redis.Redis, stored: str
) -> None:
    told.befriend(USER)
    store.set(f"line_profile:{ME}", stored)

    assert profiles.of(ME).name == "山田"


def test_the_language_is_the_one_wished_for_then_the_words_then_lines_then_japanese(
    told: FakeProfiles, profiles: Profiles
) -> None:
    told.befriend(USER, language="en")

    assert profiles.language(f"line:{OTHER_USER}", "") == "ja"
    assert profiles.language(ME, "") == "en"
    assert profiles.language(ME, "ja") == "ja"
    profiles.wish(ME, "en")
    assert profiles.language(ME, "ja") == "en"


def test_line_is_not_asked_where_there_are_words_to_go_by(told: FakeProfiles, profiles: Profiles) -> None:
    profiles.language(ME, "en")
    profiles.wish(ME, "ja")
    profiles.language(ME, "")

    assert told.asked == []


def test_a_wish_is_kept_for_a_year_and_is_its_persons_alone(profiles: Profiles, store: redis.Redis) -> None:
    profiles.wish(ME, "en")

    assert int(str(store.ttl(f"line_language:{ME}"))) > REMEMBERED_S - 5
    assert profiles.language(f"line:{OTHER_USER}", "") == "ja"


def test_nothing_stays_of_who_is_forgotten(told: FakeProfiles, profiles: Profiles, store: redis.Redis) -> None:
    told.befriend(USER)
    profiles.of(ME)
    profiles.wish(ME, "en")

    profiles.forget(ME)

    assert store.keys() == []


def test_no_name_is_logged(told: FakeProfiles, profiles: Profiles, caplog: pytest.LogCaptureFixture) -> None:
    told.befriend(USER, "山田")
    with caplog.at_level(logging.DEBUG):
        profiles.of(ME)
        profiles.of(f"line:{OTHER_USER}")

    assert "山田" not in caplog.text
    assert not any(USER in str(record.__dict__) for record in caplog.records)
