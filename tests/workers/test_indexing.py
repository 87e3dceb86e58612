"""What is wished for is carried out, whatever happens to the process meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import redis

from knowledge import generations
from knowledge.settings import KnowledgeSettings
from tests.faults.desk import wait_until
from tests.workers.test_knowledge_worker import settings_of
from workers.indexing import MOST_BEGUN, Indexing
from workers.runs import Runs, Wish

DOCUMENTS = 12


@pytest.fixture
def runs(store: redis.Redis) -> Runs:
    return Runs(store)


@pytest.fixture
def settings(tmp_path: Path) -> KnowledgeSettings:
    (tmp_path / "documents").mkdir()
    for number in range(DOCUMENTS):
        write(tmp_path, number, f"規程{number}の締め日は{number}日です。")
    return settings_of(tmp_path)


def write(folder: Path, number: int, words: str) -> None:
    (folder / "documents" / f"{number}.md").write_text(f"# 規程{number}\n\n{words}", encoding="utf-8")


def test_a_wish_is_carried_out_and_its_report_stays(
    store: redis.Redis, runs: Runs, settings: KnowledgeSettings, tmp_path: Path
) -> None:
    (tmp_path / "documents" / "empty.txt").touch()
    runs.wish(Wish("r1"))

    Indexing(store, settings).take_up()

    facts = runs.facts("r1")
    assert (facts["state"], facts["documents"], facts["embedded"], facts["added"]) == ("done", DOCUMENTS, 12, 12)
    assert facts["skipped"][0]["path"] == "empty.txt"
    assert runs.wished() is None
    assert runs.last() == facts


def test_a_dry_run_changes_nothing(store: redis.Redis, runs: Runs, settings: KnowledgeSettings) -> None:
    runs.wish(Wish("r1", dry_run=True))

    Indexing(store, settings).take_up()

    assert (runs.facts("r1")["dry_run"], runs.facts("r1")["embedded"]) == (True, DOCUMENTS)
    assert generations.current(settings.index_path) is None


def test_a_run_that_was_cancelled_leaves_the_old_index(
    store: redis.Redis, runs: Runs, settings: KnowledgeSettings, tmp_path: Path
) -> None:
    indexing = Indexing(store, settings)
    indexing.run("r0", allow_empty=False)
    write(tmp_path, 0, "規程0は変わりました。")
    runs.wish(Wish("r1"))
    runs.cancel()

    indexing.take_up()

    assert runs.facts("r1")["state"] == "cancelled"
    assert generations.current(settings.index_path) == "gen-1"
    runs.wish(Wish("r2"))
    indexing.take_up()
    assert runs.facts("r2")["generation"] == "gen-2"


def test_a_rollback_is_a_wish_too(store: redis.Redis, runs: Runs, settings: KnowledgeSettings, tmp_path: Path) -> None:
    indexing = Indexing(store, settings)
    indexing.run("r0", allow_empty=False)
    runs.wish(Wish("r1", "rollback"))
    indexing.take_up()
    assert runs.facts("r1")["state"] == "failed"
    write(tmp_path, 0, "規程0は変わりました。")
    indexing.run("r2", allow_empty=False)

    runs.wish(Wish("r3", "rollback"))
    indexing.take_up()

    assert runs.facts("r3")["generation"] == "gen-1"
    assert generations.current(settings.index_path) == "gen-1"


def test_what_a_killed_process_left_is_gone_on_with(
    store: redis.Redis, runs: Runs, settings: KnowledgeSettings
) -> None:
    runs.wish(Wish("r1"))
    runs.take()  # and then it was killed
    restarted = Indexing(store, settings)
    at_work = threading.Thread(target=restarted.fulfil)

    at_work.start()
    wait_until(lambda: runs.facts("r1")["state"] == "done")
    restarted.end()

    at_work.join(10)
    assert not at_work.is_alive()


def test_a_wish_waits_when_the_service_ends(store: redis.Redis, runs: Runs, settings: KnowledgeSettings) -> None:
    runs.wish(Wish("r1"))
    ending = Indexing(store, settings)
    ending.end()

    ending.take_up()

    assert runs.facts("r1")["state"] == "waiting"
    assert runs.wished() == Wish("r1")
    Indexing(store, settings).take_up()
    assert runs.facts("r1")["state"] == "done"


def test_a_wish_waits_for_a_reindexing_of_another_process(
    store: redis.Redis, runs: Runs, settings: KnowledgeSettings
) -> None:
    from knowledge.reindex_lock import one_at_a_time

    runs.wish(Wish("r1"))
    with one_at_a_time(settings.index_path):
        Indexing(store, settings).take_up()

    assert runs.wished() == Wish("r1")


def test_a_wish_that_ends_every_process_is_given_up(
    store: redis.Redis, runs: Runs, settings: KnowledgeSettings
) -> None:
    runs.wish(Wish("r1"))
    for _ in range(MOST_BEGUN):
        runs.take()

    Indexing(store, settings).take_up()

    assert (runs.facts("r1")["state"], runs.wished()) == ("failed", None)
