"""The knowledge process keeps the gaps whatever goes wrong with one step, and ends when it is told to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import redis

from bot.store import connect
from knowledge.errors import EmbeddingFailed
from tests.faults.desk import wait_until
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.gaps.asking_in_vain import ENTRY, VAIN
from tests.workers.gaps.test_gaps import note
from tests.workers.gaps.test_topics import asking
from tests.workers.test_knowledge_worker import settings_of
from workers.gaps.answers import Publishing
from workers.gaps.gaps import Gaps
from workers.gaps.keeping import Keeping
from workers.gaps.topics import Sorting


def test_a_step_that_fails_is_taken_again_and_the_other_goes_on(store: redis.Redis, tmp_path: Path) -> None:
    note(store, asking(1, VAIN))
    Gaps(store).answer(1, ENTRY)
    (tmp_path / "data").write_text("no folder can be made below a file")
    failures = [EmbeddingFailed("not loaded"), RuntimeError("unforeseen")]

    def load() -> HashedEmbedder:
        if failures:
            raise failures.pop()
        return HashedEmbedder()

    keeping = Keeping(Sorting(Gaps(store), load), Publishing(store, settings_of(tmp_path)), every_s=0.01)
    thread = threading.Thread(target=keeping.run)
    thread.start()
    try:
        wait_until(lambda: Gaps(store).numbers() != {})
        assert Gaps(store).answers() == {1: ENTRY}
        (tmp_path / "data").unlink()
        wait_until((tmp_path / "data" / "answers" / "members" / f"{ENTRY.name}.md").exists)
    finally:
        keeping.end()
        thread.join(5)
    assert not thread.is_alive()


def test_a_store_that_is_down_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gone = connect("unix:///nowhere/store.sock")
    keeping = Keeping(Sorting(Gaps(gone), HashedEmbedder), Publishing(gone, settings_of(tmp_path)), every_s=0.01)
    thread = threading.Thread(target=keeping.run)
    thread.start()

    wait_until(lambda: caplog.text.count("gaps not kept") > 2)

    keeping.end()
    thread.join(5)
    assert not thread.is_alive()
