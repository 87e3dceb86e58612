"""A code of an admin lets in one person or group, and cannot be guessed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from bot.access import INVITE_S, TRIES_PER_HOUR, Access, code_in
from bot.errors import StoreUnavailable
from bot.store import connect

PERSON, GROUP, ADMIN = "line:U1", "line:C1", "line:U9"


@pytest.fixture
def access(store: redis.Redis) -> Access:
    return Access(store, "pairing", frozenset({ADMIN}))


def test_a_stranger_is_not_let_in(access: Access) -> None:
    assert not access.admits(PERSON)


def test_an_admin_is_let_in_without_a_code(access: Access) -> None:
    assert access.admits(ADMIN)


def test_everybody_is_let_in_where_it_is_open(store: redis.Redis) -> None:
    assert Access(store, "open", frozenset()).admits(PERSON)


@pytest.mark.parametrize("who", [PERSON, GROUP])
def test_a_code_lets_in(access: Access, who: str) -> None:
    assert access.redeem(access.invite(), who) == "let in"
    assert access.admits(who)


def test_a_code_works_once(access: Access) -> None:
    code = access.invite()
    access.redeem(code, PERSON)

    assert access.redeem(code, GROUP) == "wrong"
    assert not access.admits(GROUP)


def test_two_who_redeem_a_code_at_once_are_not_both_let_in(access: Access) -> None:
    code = access.invite()

    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(lambda number: access.redeem(code, f"line:U{number}"), range(8)))

    assert let_in.count("let in") == 1


def test_width_case_hyphens_and_lookalike_letters_do_not_matter(access: Access, store: redis.Redis) -> None:
    store.set("invite:01AB2345", "1")

    assert access.redeem("コードは ｏｉａｂー２３４５ です", PERSON) == "let in"


def test_a_code_ends_after_a_day(access: Access, store: redis.Redis) -> None:
    code = access.invite().replace("-", "")

    assert INVITE_S - 5 <= store.ttl(f"invite:{code}") <= INVITE_S


def test_codes_are_random(access: Access) -> None:
    assert len({access.invite() for _ in range(100)}) == 100


def test_after_ten_tries_in_an_hour_even_the_right_code_fails(access: Access, store: redis.Redis) -> None:
    code = access.invite()
    for number in range(TRIES_PER_HOUR):
        access.redeem(f"ZZZZ-ZZ2{number}", PERSON)

    assert access.redeem(code, PERSON) == "too many"
    assert 0 < store.ttl(f"tries:{PERSON}") <= 3600
    assert access.redeem(code, GROUP) == "let in", "another's tries do not count, and the code is not spent"


def test_what_is_no_code_is_not_a_try(access: Access) -> None:
    for _ in range(TRIES_PER_HOUR + 1):
        access.redeem("経費の締め日はいつですか？", PERSON)

    assert access.redeem(access.invite(), PERSON) == "let in"


def test_who_is_revoked_is_not_let_in(access: Access) -> None:
    access.redeem(access.invite(), PERSON)

    access.revoke(PERSON)

    assert not access.admits(PERSON)


def test_an_allow_list_knows_names_and_no_codes(store: redis.Redis, access: Access) -> None:
    code = access.invite()
    access.redeem(access.invite(), PERSON)
    listed = Access(store, "allowlist", frozenset({ADMIN}), frozenset({GROUP}))
    listed.allow("line:U2")

    assert listed.redeem(code, "line:U3") == "no code"
    assert [listed.admits(who) for who in (ADMIN, GROUP, "line:U2", PERSON, "line:U3")] == [True] * 3 + [False] * 2
    assert listed.admitted() == [GROUP, "line:U2"]


def test_who_came_in_in_both_ways_is_revoked_at_once(access: Access) -> None:
    access.redeem(access.invite(), PERSON)
    access.allow(PERSON)

    assert access.revoke(PERSON)
    assert not access.admits(PERSON)
    assert not access.revoke(PERSON)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("7K3M-QX9D", "7K3MQX9D"),
        ("7k3mqx9d", "7K3MQX9D"),
        ("7K3M QX9D。", "7K3MQX9D"),
        ("７Ｋ３Ｍ－ＱＸ９Ｄ", "7K3MQX9D"),
        ("招待コードは7K3M‐QX9Dです", "7K3MQX9D"),
        ("It is 7K3M-QX9D, right?", "7K3MQX9D"),
        ("long-term: 7K3M-QX9D", "7K3MQX9D"),
        ("LOOI-QX9D", "1001QX9D"),
        ("7K3M-QX9D-AAAA", "7K3MQX9D"),
        ("090-1234-5678 に電話してもいいですか？", ""),
        ("03‐1234‐5678", ""),
        ("コードー7K3M-QX9D", "7K3MQX9D"),
        ("7K3M-QX9", ""),
        ("7K3M-QX9DA", ""),
        ("password", ""),
        ("long-term", ""),
        ("help with this plan", ""),
        ("2026年12月25日", ""),
        ("", ""),
        ("7K3M" * 100_000, ""),
        ("\x00\ud800", ""),
    ],
)
def test_a_code_is_found_in_what_was_said(words: str, code: str) -> None:
    assert code_in(words) == code


@given(st.text())
def test_any_text_has_at_most_one_code(words: str) -> None:
    assert re.fullmatch(r"([0-9A-Z]{8})?", code_in(words))


def test_every_code_is_found_again(access: Access) -> None:
    assert all(code_in(f"code {code} ok") == code.replace("-", "") for code in (access.invite() for _ in range(200)))


def test_a_store_that_is_down_lets_nobody_in() -> None:
    access = Access(connect("unix:///nowhere/store.sock"), "pairing", frozenset())

    with pytest.raises(StoreUnavailable):
        access.admits(PERSON)
    with pytest.raises(StoreUnavailable):
        access.redeem("7K3M-QX9D", PERSON)
