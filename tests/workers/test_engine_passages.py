"""The passages that were read once: found by their tokens, bounded, read in the order of their wish, forgotten."""

from __future__ import annotations

import time

import numpy as np
import pytest

from workers.engine.layers import Layers
from workers.engine.passages import MOST_WANTED, Passages

SIZE_BYTES = 2 * 2 * 3 * 4 * 2


def layers() -> Layers:
    """Two layers of three tokens with four half-precision numbers each, for keys and for values."""
    head = np.zeros(12, np.uint8)
    return Layers(np.zeros((2, 3, 4), np.float16), np.zeros((2, 3, 8), np.uint8), head, head, head)


def wishes(passages: Passages) -> list[tuple[int, ...]]:
    """What is wanted, in the order in which it is read; nothing is afterwards."""
    return [wish[0] for wish in iter(passages.take_wish, None)]


def now() -> float:
    return time.monotonic()


@pytest.fixture
def passages() -> Passages:
    return Passages(2 * SIZE_BYTES)


def test_passage_is_found_by_its_tokens_alone(passages: Passages) -> None:
    kept = layers()
    passages.keep((1, 2, 3), kept, begun_at=now())

    assert passages.find((1, 2, 3)) is kept
    assert passages.find((1, 2)) is None
    assert passages.find((1, 2, 4)) is None


def test_least_recently_used_goes_when_it_is_too_much(passages: Passages) -> None:
    passages.keep((1,), layers(), begun_at=now())
    passages.keep((2,), layers(), begun_at=now())
    passages.find((1,))

    passages.keep((3,), layers(), begun_at=now())

    assert [(n,) in passages for n in (1, 2, 3)] == [True, False, True]
    assert passages.size_bytes == 2 * SIZE_BYTES


def test_what_is_larger_than_all_room_is_not_kept_and_not_wanted_again() -> None:
    small = Passages(SIZE_BYTES - 1)
    small.want([(1,)], begun_at=now())
    small.keep((1,), layers(), begun_at=now())

    assert (len(small), small.size_bytes, small.has_wishes) == (0, 0, False)


def test_the_same_passage_twice_takes_room_once(passages: Passages) -> None:
    passages.keep((1,), layers(), begun_at=now())
    passages.keep((1,), layers(), begun_at=now())

    assert passages.size_bytes == SIZE_BYTES


def test_what_was_wanted_last_is_read_first_and_what_is_kept_is_not_wanted(passages: Passages) -> None:
    passages.keep((1,), layers(), begun_at=now())
    passages.want([(1,), (2,), (3,)], begun_at=now())
    passages.want([(2,)], begun_at=now())

    assert wishes(passages) == [(2,), (3,)]


def test_wishes_are_bounded_and_the_oldest_go(passages: Passages) -> None:
    passages.want([(n,) for n in range(MOST_WANTED + 1)], begun_at=now())

    assert wishes(passages) == [(n,) for n in range(MOST_WANTED, 0, -1)]


def test_when_documents_may_have_left_nothing_asked_before_stays_or_comes_back(passages: Passages) -> None:
    before = now()
    passages.keep((1,), layers(), begun_at=before)
    passages.want([(2,)], begun_at=before)

    passages.forget_all()
    passages.keep((3,), layers(), begun_at=before)
    passages.want([(4,)], begun_at=before)

    assert (len(passages), passages.size_bytes, passages.take_wish()) == (0, 0, None)
    passages.keep((3,), layers(), begun_at=now())
    assert (3,) in passages
