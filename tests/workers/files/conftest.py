"""A chat for every test, with a model that says where guests park."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from knowledge.retrieval import Retriever
from tests.fakes.model import Script, asks
from tests.fakes.slack import FakeSlack
from tests.workers.desk import ANSWER, saying
from tests.workers.files.dropping import PARKING, Chat


@pytest.fixture
def chat(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[Chat]:
    with saying(Script(ANSWER, asks("経費")), Script(PARKING)) as generator:
        yield Chat(store, slack, retriever, generator)
