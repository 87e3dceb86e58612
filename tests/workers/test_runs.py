"""What is wished for outlives every process, and a run whose process died is not told as running."""

from __future__ import annotations

import json
import threading
import time

import pytest
import redis

from bot.store import connect
from knowledge.report import Step
from workers.pace import Pace
from workers.run_texts import outcome_lines, progress
from workers.runs import SILENT_AFTER_S, Runs, Wish


@pytest.fixture
def runs(store: redis.Redis) -> Runs:
    return Runs(store)


def test_of_wishes_at_once_one_is_granted_and_all_follow_it(runs: Runs, store_url: str) -> None:
    followed: list[str] = []

    def wish(number: int) -> None:
        followed.append(Runs(connect(store_url)).wish(Wish(f"r{number}")))

    people = [threading.Thread(target=wish, args=(number,)) for number in range(20)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    granted = runs.wished()
    assert granted is not None
    assert followed == [granted.run] * 20


def test_a_run_whose_process_died_was_interrupted(runs: Runs, store: redis.Redis) -> None:
    runs.tell("r1", {"state": "running", "done": 1, "total": 2})
    facts = json.loads(str(store.get("reindex:r1")))
    assert runs.facts("r1")["state"] == "running"

    store.set("reindex:r1", json.dumps(facts | {"at": time.time() - SILENT_AFTER_S - 1}))
    assert runs.facts("r1")["state"] == "interrupted"

    store.set("status:knowledge", "{}")  # alive, in a long step
    assert runs.facts("r1")["state"] == "running"


def test_the_end_of_a_run_leaves_the_wish_for_another(runs: Runs) -> None:
    runs.wish(Wish("r2"))

    runs.end("r1", {"state": "done"})

    assert runs.wished() == Wish("r2")


def test_a_wish_that_was_put_back_does_not_count_as_tried(runs: Runs) -> None:
    runs.wish(Wish("r1"))
    taken = runs.take()
    assert taken is not None
    assert taken.begun == 1

    runs.put_back(taken)

    assert runs.wished() == Wish("r1")


def test_speed_and_remaining_time_are_measured_by_stage() -> None:
    pace = Pace()
    assert pace.at(Step("embedding", 0, 100), 0.0) == {}
    assert pace.at(Step("embedding", 20, 100), 2.0) == {"per_s": 10.0, "left_s": 8.0}
    slower = pace.at(Step("embedding", 22, 100), 4.0)
    assert 1.0 < slower["per_s"] < 10.0  # smoothed
    assert pace.at(Step("checking", 0, 5), 5.0) == {}


def test_a_message_names_ten_files_and_counts_the_others() -> None:
    skipped = [{"path": f"{number}.pdf", "reason": "x" * 1000} for number in range(500)]
    facts = {"state": "done", "changed": False, "skipped": skipped}

    said = progress(facts, "ja")

    assert "ほか490件" in said
    assert len(said) < 3_000
    assert len(outcome_lines(facts, "en")) == 501


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("state", ["waiting", "running", "interrupted", "failed", "cancelled", "done"])
def test_every_state_has_words(language: str, state: str) -> None:
    assert progress({"state": state, "reason": "{odd} <words>"}, language)
