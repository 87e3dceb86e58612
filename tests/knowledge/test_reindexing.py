"""Reindexing: whole or not at all, only what is new, and what is deleted is gone."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knowledge import generations
from knowledge.documents import Skipped
from knowledge.errors import NoIndex, ReindexRunning, SourceEmpty
from knowledge.reindexing import reindex
from knowledge.report import Step
from knowledge.sources import Source


def bytes_under(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_the_first_run_indexes_everything(run, settings, folder):
    (folder / "picture.png").write_bytes(b"\x89PNG")

    report = run()

    assert (report.generation, report.documents, report.chunks, report.embedded) == ("gen-1", 3, 4, 4)
    assert report.skipped == (Skipped("picture.png", "not a kind of file that is read"),)
    assert generations.current(settings.index_path) == "gen-1"


def test_nothing_changed_gives_no_new_generation(run, embedder):
    run()
    embedder.embedded.clear()

    report = run()

    assert (report.changed, report.generation, embedder.embedded) == (False, "gen-1", [])


def test_only_new_text_is_embedded(run, folder, embedder):
    run()
    embedder.embedded.clear()
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")

    report = run()

    assert (report.generation, report.embedded) == ("gen-2", 1)
    assert embedder.embedded == ["new\n新しい規程です。"]


def test_another_audience_is_a_change_that_embeds_nothing(run, folder):
    run()

    report = run(Source(path=folder, audience=frozenset({"slack:C1"})))

    assert (report.changed, report.embedded) == (True, 0)


def test_another_embedder_is_a_change(run, embedder):
    run()
    embedder.fingerprint = "another"

    assert run().embedded == 4


@pytest.mark.parametrize("written", ["", "{}", "[]", '{"floors": {"ja": 0.5}}', '{"floors": {}, "of": "tomorrow"}'])
def test_the_index_of_another_version_is_replaced(run, settings, written):
    run()
    manifest = settings.index_path / "gen-1" / "manifest.json"
    manifest.write_text(written, "utf-8")

    with pytest.raises(NoIndex):
        generations.Manifest.read(manifest.parent)
    assert run().generation == "gen-2"


@pytest.mark.parametrize("gone", ["empty", "missing"])
def test_an_empty_source_deletes_nothing(run, folder, settings, gone):
    run()
    for file in folder.iterdir():
        file.unlink()
    if gone == "missing":
        folder.rmdir()

    with pytest.raises(SourceEmpty, match="documents"):
        run()

    assert generations.current(settings.index_path) == "gen-1"


def test_an_empty_source_is_indexed_when_that_is_allowed(run, folder):
    run()
    for file in folder.iterdir():
        file.unlink()

    report = run(allow_empty=True)

    assert (report.changed, report.chunks) == (True, 0)


def test_a_deleted_text_is_nowhere_once_the_time_for_a_rollback_is_over(run, folder, settings):
    (folder / "secret.txt").write_text("xyzzy-plugh の合言葉です。", "utf-8")
    run()
    (folder / "secret.txt").unlink()
    run()
    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-1", "gen-2"}
    swapped_at = time.time() - generations.ROLLBACK_S
    os.utime(settings.index_path / "CURRENT", (swapped_at, swapped_at))

    generations.remove_old(settings.index_path)

    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-2"}
    assert b"plugh" not in bytes_under(settings.data_path)


def test_only_one_generation_before_is_kept(run, folder, settings):
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"文書{number}です。", "utf-8")
        run()

    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-2", "gen-3"}


def test_a_generation_that_never_answered_is_written_anew(run, folder, settings):
    run()
    (settings.index_path / "gen-2").mkdir()  # as a kill between its last step and the swap leaves it
    (folder / "other.txt").write_text("別の文書です。", "utf-8")

    assert run().generation == "gen-2"


def test_removing_the_old_leaves_what_is_being_written(run, settings):
    run()
    with generations.draft(settings.index_path) as draft:
        generations.remove_old(settings.index_path)

        assert draft.exists()


def test_the_vector_of_a_deleted_text_leaves_the_cache_at_once(run, folder, embedder):
    run()
    (folder / "vpn.md").rename(folder / "vpn.txt.bak")
    run()
    embedder.embedded.clear()
    (folder / "vpn.txt.bak").rename(folder / "vpn.md")

    assert run().embedded == 1


def test_a_second_process_is_turned_away(run, settings):
    settings.index_path.mkdir(parents=True)
    with (settings.index_path / "reindex.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(ReindexRunning):
            run()


KILLED = """
import os, signal, sys
from pathlib import Path
from knowledge import filling
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Source
from tests.knowledge.conftest import HashedEmbedder

filling.AT_ONCE = 1
data, folder, batches = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def progress(step):
    if step.stage == "embedding" and step.done == batches:
        os.kill(os.getpid(), signal.SIGKILL)

settings = KnowledgeSettings(_env_file=None, data_path=data)
reindex(settings, sources=[Source(path=folder)], embedder=HashedEmbedder(), progress=progress)
"""


def test_after_a_kill_the_next_run_goes_on_with_what_was_embedded(run, settings, folder):
    arguments = [sys.executable, "-c", KILLED, settings.data_path, folder, "3"]

    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert generations.current(settings.index_path) is None

    report = run()

    assert (report.chunks, report.embedded) == (4, 1)
    assert not list(settings.index_path.glob("*.draft"))


def test_progress_counts_to_all_chunks(settings, folder, embedder):
    seen: list[Step] = []

    reindex(settings, sources=[Source(path=folder)], embedder=embedder, progress=seen.append)

    assert list(dict.fromkeys(step.stage for step in seen)) == ["reading", "embedding", "checking"]
    assert [step.done for step in seen if step.stage == "reading"][-1] == 3
    assert [step for step in seen if step.stage == "embedding"][-1] == Step("embedding", 4, 4)
