"""The knowledge process makes the first index, however long it takes to get at the documents."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import redis

from bot.queue import FIRST_RUN
from knowledge.settings import KnowledgeSettings
from tests.faults.desk import wait_until
from workers.indexing import Indexing
from workers.knowledge_worker import is_indexed, status


def settings_of(folder: Path) -> KnowledgeSettings:
    return KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder / "documents")  # type: ignore[call-arg]


def told(store: redis.Redis) -> dict[str, object]:
    facts = store.get(f"reindex:{FIRST_RUN}")
    return dict(json.loads(facts)) if facts else {}


def test_a_folder_that_is_mounted_late_is_indexed_when_it_is_there(store: redis.Redis, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    indexing = Indexing(store, settings)
    first = threading.Thread(target=indexing.run_at_last, args=(0.05,), daemon=True)
    first.start()
    wait_until(lambda: told(store).get("state") == "failed")
    assert status(settings) == {"ready": False}

    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "rules.md").write_text("# 規程\n\n締め日は25日です。", encoding="utf-8")

    first.join(30)
    assert told(store)["state"] == "done"
    assert is_indexed(settings)
    said = status(settings)
    assert (said["ready"], said["documents"], said["chunks"], said["generation"]) == (True, 1, 1, "gen-1")
    assert [source["documents"] for source in said["sources"]] == [1]


def test_a_reindex_tells_what_was_skipped(store: redis.Redis, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "rules.md").write_text("締め日は25日です。", encoding="utf-8")
    (tmp_path / "documents" / "empty.txt").touch()

    assert Indexing(store, settings_of(tmp_path)).run("r1", allow_empty=False)

    facts = json.loads(str(store.get("reindex:r1")))
    assert (facts["documents"], facts["skipped"][0]["path"]) == (1, "empty.txt")


def test_a_reindex_is_broken_off_when_the_process_ends_and_says_so(store: redis.Redis, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "rules.md").write_text("締め日は25日です。", encoding="utf-8")
    settings = settings_of(tmp_path)
    indexing = Indexing(store, settings)
    indexing.end()

    assert not indexing.run("r1", allow_empty=False)
    indexing.run_at_last(60)  # does not even begin, and does not wait

    facts = json.loads(str(store.get("reindex:r1")))
    assert (facts["state"], "ended before it was done" in facts["reason"]) == ("failed", True)
    assert not is_indexed(settings)
