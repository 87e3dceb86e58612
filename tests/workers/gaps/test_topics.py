"""Questions that ask the same come into one topic, in the words of whoever asks; others stay apart."""

from __future__ import annotations

from itertools import combinations

import pytest
import redis

from knowledge.embedders import load_embedder
from knowledge.embedding import Embedder
from knowledge.settings import KnowledgeSettings
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.gaps.questions import SAME
from tests.workers.gaps.test_gaps import gap, note
from workers.gaps.gap import Gap
from workers.gaps.gaps import Gaps
from workers.gaps.topics import Sorting


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """The real default embedder."""
    return load_embedder(KnowledgeSettings(_env_file=None))  # type: ignore[call-arg]


def asking(number: int, text: str, user: str = "console:u1") -> Gap:
    return gap(number, user=user).reworded(f"console:g{number}", text)


def test_of_every_two_that_ask_the_same_nine_in_ten_are_joined_and_no_others(
    store: redis.Redis, embedder: Embedder
) -> None:
    asked = [asking(n * 100 + row, text) for row, texts in enumerate(SAME) for n, text in enumerate(texts)]
    note(store, *asked)

    assert Sorting(Gaps(store), lambda: embedder).sort() == len(asked)  # every question once, then in other words

    numbers = Gaps(store).numbers()
    pairs = [(one, other, one.at % 100 == other.at % 100) for one, other in combinations(asked, 2)]
    joined = [same for one, other, same in pairs if numbers[one.id] == numbers[other.id]]
    assert all(joined)
    assert len(joined) >= 0.9 * sum(same for *_, same in pairs)


def test_what_comes_later_joins_the_topic_that_is_there_also_after_a_restart(
    store: redis.Redis, embedder: Embedder
) -> None:
    note(store, asking(1, SAME[0][0]), asking(2, SAME[1][0]))
    Sorting(Gaps(store), lambda: embedder).sort()
    before = Gaps(store).numbers()
    note(store, asking(3, SAME[0][1], "console:u2"))

    Sorting(Gaps(store), lambda: embedder).sort()

    first, second = Gaps(store).topics()
    assert Gaps(store).numbers().items() > before.items()
    assert (first.questions, first.people) == ((SAME[0][1], SAME[0][0]), 2)
    assert second.questions == (SAME[1][0],)


def test_without_anything_new_no_model_is_loaded(store: redis.Redis) -> None:
    note(store, asking(1, SAME[0][0]))
    Sorting(Gaps(store), HashedEmbedder).sort()
    loaded: list[int] = []

    def load() -> Embedder:
        loaded.append(1)
        return HashedEmbedder()

    assert Sorting(Gaps(store), load).sort() == 0
    assert loaded == []


def test_of_what_is_gone_nothing_is_left_in_the_topics(store: redis.Redis) -> None:
    note(store, asking(1, SAME[0][0]))
    sorting = Sorting(Gaps(store), HashedEmbedder)
    sorting.sort()
    store.hdel("gaps", "console:g1")

    sorting.sort()

    assert Gaps(store).numbers() == {}
    assert SAME[0][0] not in str(vars(sorting))


def test_a_number_is_never_given_twice(store: redis.Redis) -> None:
    note(store, asking(1, SAME[0][0]))
    Sorting(Gaps(store), HashedEmbedder).sort()
    (topic,) = Gaps(store).topics()
    Gaps(store).drop(topic.gaps)
    note(store, asking(2, SAME[0][0]))

    Sorting(Gaps(store), HashedEmbedder).sort()

    assert Gaps(store).topics()[0].number != topic.number
