"""What a process must not remember any more leaves its model: erased words at once, old documents with the index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.fakes.model import ScriptedGenerator
from tests.workers.desk import saying
from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.following import Following
from workers.provenance import Provenances
from workers.votes.votes import Votes


class Index:
    """An index whose newest generation is set by the test."""

    def __init__(self) -> None:
        self.newest = "gen-1"

    def follow(self) -> str:
        return self.newest


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    with saying() as made:
        yield made


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def following(store: redis.Redis, index: Index, generator: ScriptedGenerator) -> Following:
    citing = Citing(store, index, {})  # type: ignore[arg-type]
    return Following(
        index,  # type: ignore[arg-type]
        Conversations(store),
        generator,
        citing,
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    )


def test_erased_conversation_is_forgotten_and_no_other(
    store: redis.Redis, following: Following, generator: ScriptedGenerator
) -> None:
    Conversations(store).erase("console:c1", speaker="console:u1")

    following.follow()

    assert set(generator.forgotten) == {"console:c1"}


def test_reworded_conversation_is_forgotten(
    store: redis.Redis, following: Following, generator: ScriptedGenerator
) -> None:
    Conversations(store).reword("console:c1", "m", "new words")

    following.follow()

    assert set(generator.forgotten) == {"console:c1"}


def test_everything_is_forgotten_when_the_index_is_another_one(
    following: Following, index: Index, generator: ScriptedGenerator
) -> None:
    generator.conversations.append("console:c1")
    following.follow()
    following.follow()
    assert generator.forgotten == []

    index.newest = "gen-2"
    following.follow()
    following.follow()

    assert generator.forgotten == ["console:c1"]
