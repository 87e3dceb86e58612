"""A small index, and a worker on all three platforms that answers from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.line import FakeLine
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.desk import line_sender, make_desk, saying, slack_sender
from tests.workers.gaps.asking_in_vain import ENTRY
from tests.workers.test_knowledge_worker import settings_of
from workers.citing import Citing
from workers.gaps.telling import Telling
from workers.services import Desk


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one document and its index."""
    folder = tmp_path_factory.mktemp("gaps")
    (folder / "documents").mkdir()
    (folder / "documents" / "rules.md").write_text("# 経費精算\n\n経費は毎月25日までに申請します。", encoding="utf-8")
    reindex(settings_of(folder), embedder=HashedEmbedder())
    return folder


@pytest.fixture
def settings(indexed: Path, tmp_path: Path) -> KnowledgeSettings:
    shutil.copytree(indexed, tmp_path, dirs_exist_ok=True)
    return settings_of(tmp_path)


@pytest.fixture
def on_all_platforms(
    store: redis.Redis, settings: KnowledgeSettings, slack: FakeSlack, line: FakeLine
) -> Iterator[Desk]:
    """A worker on all three platforms."""
    with open_retriever(settings, HashedEmbedder()) as retriever, saying(Script(ENTRY.answer)) as generator:
        desk = make_desk(store, retriever, generator, citing=Citing(store, retriever, {}))
        yield replace(
            desk, senders={**desk.senders, "slack": slack_sender(slack, store), "line": line_sender(line, store)}
        )


@pytest.fixture
def telling(store: redis.Redis, on_all_platforms: Desk) -> Telling:
    return Telling(store, on_all_platforms.senders)
