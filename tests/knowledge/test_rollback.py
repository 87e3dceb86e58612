"""Going back to the generation before, and on from there."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import generations
from knowledge.documents import PUBLIC
from knowledge.errors import NothingBefore, ReindexRunning
from knowledge.overview import overview
from knowledge.reindex_lock import one_at_a_time
from knowledge.reindexing import rollback

Deadline = Callable[[], str]


@pytest.fixture
def deadline(retriever) -> Deadline:
    """What a reader that stays open finds about the deadline."""

    def _deadline() -> str:
        found = retriever.retrieve("経費の申請は毎月何日までですか", audience=frozenset({PUBLIC}))
        return str(found.passages[0].chunk.text)

    return _deadline


@pytest.fixture
def changed(run, folder) -> None:
    """Two generations: until the 25th, and until the 10th."""
    run()
    change(folder, "25日", "10日")
    run()


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "expenses.md"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def names(index_path: Path) -> set[str]:
    return {path.name for path in index_path.glob("gen-*")}


def test_the_generation_before_answers_again_to_readers_too(changed, settings, embedder, deadline: Deadline):
    assert "10日" in deadline()

    assert rollback(settings, embedder=embedder) == generations.current(settings.index_path) == "gen-1"

    assert "25日" in deadline()


def test_what_was_left_is_deleted(changed, settings, embedder):
    rollback(settings, embedder=embedder)

    assert names(settings.index_path) == {"gen-1"}


def test_the_next_reindexing_is_not_fooled_and_has_a_new_name(changed, run, settings, embedder, deadline: Deadline):
    rollback(settings, embedder=embedder)
    assert "25日" in deadline()

    again = run()

    assert (again.generation, again.changed, again.embedded) == ("gen-3", True, 0)
    assert "10日" in deadline()


def test_a_name_that_a_reader_may_hold_never_means_something_else(run, folder, settings, embedder, deadline: Deadline):
    run()
    for day in ("10日", "11日", "12日"):
        change(folder, "25日", day)
        name = run().generation
        assert day in deadline()
        rollback(settings, embedder=embedder)
        change(folder, day, "25日")
        assert not run().changed
    assert name == "gen-4"


def test_there_is_nothing_before_the_first(settings, embedder, run):
    with pytest.raises(NothingBefore):
        rollback(settings, embedder=embedder)
    run()
    with pytest.raises(NothingBefore):
        rollback(settings, embedder=embedder)

    assert generations.current(settings.index_path) == "gen-1"


def test_what_an_interrupted_step_back_left_is_deleted_with_the_next_reindexing(changed, run, settings):
    (settings.index_path / "HIGHEST").write_text("gen-2", "utf-8")
    (settings.index_path / "CURRENT").write_text("gen-1", "utf-8")

    assert run().generation == "gen-3"
    assert names(settings.index_path) == {"gen-1", "gen-3"}


@pytest.mark.parametrize("written", ["", "gen-", "../gen-1", "gen-1.draft"])
def test_a_pointer_that_names_no_generation_is_none(changed, run, settings, written):
    (settings.index_path / "CURRENT").write_text(written, "utf-8")

    assert generations.current(settings.index_path) is None
    assert run().changed


def test_a_folder_of_ones_own_beside_the_generations_is_left_alone(run, folder, settings):
    (settings.index_path / "gen-1.bak").mkdir(parents=True)
    run()
    change(folder, "25日", "10日")
    run()

    assert names(settings.index_path) == {"gen-1", "gen-2", "gen-1.bak"}


def test_one_can_go_back_once(changed, settings, embedder):
    rollback(settings, embedder=embedder)

    with pytest.raises(NothingBefore):
        rollback(settings, embedder=embedder)


def test_when_its_time_is_over_the_generation_before_is_gone(changed, settings, embedder):
    swapped_at = time.time() - generations.ROLLBACK_S
    os.utime(settings.index_path / "CURRENT", (swapped_at, swapped_at))
    generations.remove_old(settings.index_path)

    with pytest.raises(NothingBefore):
        rollback(settings, embedder=embedder)


def test_one_does_not_go_back_to_what_the_embedder_cannot_read(run, settings, embedder):
    run()
    embedder.fingerprint = "another"
    run()

    with pytest.raises(NothingBefore, match="gen-1 was made by another embedder"):
        rollback(settings, embedder=embedder)

    assert generations.current(settings.index_path) == "gen-2"


def test_with_the_embedder_of_before_one_goes_back_to_its_index(run, settings, embedder):
    first = embedder.fingerprint
    run()
    embedder.fingerprint = "another"
    run()
    embedder.fingerprint = first

    assert rollback(settings, embedder=embedder) == "gen-1"


def test_a_damaged_generation_is_nothing_to_go_back_to(changed, settings, embedder):
    (settings.index_path / "gen-1" / "manifest.json").write_text("{", "utf-8")

    with pytest.raises(NothingBefore, match="gen-1 cannot be read"):
        rollback(settings, embedder=embedder)

    assert generations.current(settings.index_path) == "gen-2"


def test_while_the_index_is_being_changed_nobody_goes_back(changed, settings, embedder):
    with one_at_a_time(settings.index_path), pytest.raises(ReindexRunning):
        rollback(settings, embedder=embedder)

    assert generations.current(settings.index_path) == "gen-2"


def test_nothing_old_is_deleted_while_somebody_may_be_going_back(changed, settings):
    swapped_at = time.time() - generations.ROLLBACK_S
    os.utime(settings.index_path / "CURRENT", (swapped_at, swapped_at))
    with one_at_a_time(settings.index_path):
        generations.remove_old(settings.index_path)

    assert names(settings.index_path) == {"gen-1", "gen-2"}


def test_the_overview_says_where_a_rollback_leads(run, changed, settings, embedder):
    both = overview(settings)
    rollback(settings, embedder=embedder)
    one = overview(settings)

    assert (both.generation, both.before, both.documents, both.chunks) == ("gen-2", "gen-1", 3, 4)
    assert (one.generation, one.before) == ("gen-1", None)
    assert one.made_at < both.made_at <= time.time()


def test_the_overview_says_whether_the_index_is_being_changed(settings, run):
    assert (overview(settings).generation, overview(settings).running) == ("", False)
    run()
    with one_at_a_time(settings.index_path):
        assert overview(settings).running
    assert not overview(settings).running
