"""What was read before: found by its longest beginning, bounded, forgotten when it must be."""

from __future__ import annotations

import time

import numpy as np
import pytest

from workers.engine.prefixes import Kept, Prefixes, as_tokens

STATE_BYTES = 1000
ROOM = 3 * (STATE_BYTES + 100)


def kept(*tokens: int, conversation: str = "c") -> Kept:
    return Kept(as_tokens(tokens), np.zeros(STATE_BYTES, np.uint8), conversation)


def now() -> float:
    return time.monotonic()


@pytest.fixture
def prefixes() -> Prefixes:
    return Prefixes(ROOM)


def shared(prefixes: Prefixes, *prompt: int) -> int:
    return prefixes.shared_with(as_tokens(prompt))


def test_longest_common_beginning_is_found(prefixes: Prefixes) -> None:
    prefixes.keep(kept(1, 2, conversation="a"), begun_at=now())
    prefixes.keep(kept(1, 2, 3, 9, conversation="b"), begun_at=now())

    found, count = prefixes.longest(as_tokens([1, 2, 3, 4]))

    assert found is not None
    assert (found.conversation, count) == ("b", 3)
    assert prefixes.longest(as_tokens([7])) == (None, 0)


def test_conversation_that_goes_on_takes_the_place_of_what_it_was(prefixes: Prefixes) -> None:
    prefixes.keep(kept(1, 2), begun_at=now())
    prefixes.keep(kept(1, 2, 3), begun_at=now())

    assert len(prefixes) == 1
    assert shared(prefixes, 1, 2, 3, 4) == 3


def test_least_recently_used_goes_when_there_is_no_room(prefixes: Prefixes) -> None:
    for token in (1, 2, 3):
        prefixes.keep(kept(token, conversation=str(token)), begun_at=now())
    prefixes.longest(as_tokens([1]))

    prefixes.keep(kept(4, conversation="4"), begun_at=now())

    assert [shared(prefixes, token) for token in (1, 2, 3, 4)] == [1, 0, 1, 1]
    assert prefixes.size_bytes <= ROOM


def test_what_is_nobodys_goes_last(prefixes: Prefixes) -> None:
    prefixes.keep(kept(1, conversation=""), begun_at=now())
    for token in (2, 3, 4):
        prefixes.keep(kept(token, conversation=str(token)), begun_at=now())

    assert [shared(prefixes, token) for token in (1, 2, 3, 4)] == [1, 0, 1, 1]


def test_what_is_larger_than_all_room_is_not_kept() -> None:
    small = Prefixes(STATE_BYTES // 2)
    small.keep(kept(1), begun_at=now())

    assert len(small) == 0


def test_forgotten_conversation_is_gone_and_nothing_asked_before_comes_back(prefixes: Prefixes) -> None:
    asked_before = now()
    prefixes.keep(kept(1, conversation="a"), begun_at=asked_before)
    prefixes.keep(kept(2, conversation="b"), begun_at=asked_before)

    prefixes.forget("a")
    prefixes.keep(kept(1, conversation="a"), begun_at=asked_before)

    assert (shared(prefixes, 1), shared(prefixes, 2)) == (0, 1)
    prefixes.keep(kept(1, conversation="a"), begun_at=now())
    assert shared(prefixes, 1) == 1


def test_when_all_is_forgotten_only_what_is_nobodys_stays(prefixes: Prefixes) -> None:
    asked_before = now()
    prefixes.keep(kept(1, conversation=""), begun_at=asked_before)
    prefixes.keep(kept(2), begun_at=asked_before)

    prefixes.forget_all()
    prefixes.keep(kept(3), begun_at=asked_before)

    assert [shared(prefixes, token) for token in (1, 2, 3)] == [1, 0, 0]
