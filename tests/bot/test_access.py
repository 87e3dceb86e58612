"""A code of an admin lets in one person or group, and cannot be guessed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from bot.access import INVITE_S, TRIES_PER_HOUR, Access
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


def test_a_store_that_is_down_lets_nobody_in() -> None:
    access = Access(connect("unix:///nowhere/store.sock"), "pairing", frozenset())

    with pytest.raises(StoreUnavailable):
        access.admits(PERSON)
    with pytest.raises(StoreUnavailable):
        access.redeem("7K3M-QX9D", PERSON)
