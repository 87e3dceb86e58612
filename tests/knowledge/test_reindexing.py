"""Reindexing: whole or not at all, only what is new, and what is deleted is gone."""

import os
import shutil
from pathlib import Path

import pytest

from knowledge import generations
from knowledge.documents import PUBLIC, Skipped
from knowledge.errors import NoIndex, SourceEmpty
from knowledge.overview import overview
from knowledge.reindexing import reindex
from knowledge.report import SourceOverview, Step
from knowledge.sources import Folder


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

    report = run(Folder(path=folder, audience=frozenset({"slack:C1"})))

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


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A second source, of one document."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "parking.txt").write_text("来客は3階に停めます。", "utf-8")
    return folder


@pytest.mark.parametrize("left", [(), ("scan.png",)], ids=["nothing", "nothing that is read"])
def test_one_empty_source_among_several_deletes_nothing(run, folder, other, settings, left):
    run(Folder(path=folder), Folder(path=other))
    (other / "parking.txt").unlink()
    for name in left:
        (other / name).write_bytes(b"\x89PNG")

    with pytest.raises(SourceEmpty, match="other has no document"):
        run(Folder(path=folder), Folder(path=other))

    assert generations.current(settings.index_path) == "gen-1"
    assert [path.name for path in settings.index_path.glob("gen-*")] == ["gen-1"]


def test_a_source_that_is_named_no_longer_is_deleted(run, folder, other):
    run(Folder(path=folder), Folder(path=other))

    report = run(Folder(path=folder))

    assert (report.documents, report.removed) == (3, 1)


def test_an_empty_source_is_indexed_when_that_is_allowed(run, folder):
    run()
    for file in folder.iterdir():
        file.unlink()

    report = run(allow_empty=True)

    assert (report.changed, report.chunks) == (True, 0)


def test_what_is_new_and_what_is_gone_is_counted(run, folder):
    assert (run().added, run().added) == (4, 0)
    (folder / "vpn.md").unlink()
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")

    report = run()

    assert (report.added, report.removed, report.chunks) == (1, 1, 4)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run, folder, settings, embedder):
    run()
    embedder.embedded.clear()
    before = contents(settings.data_path)
    (folder / "vpn.md").unlink()
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")
    (folder / "copy.csv").write_bytes(b"")

    would = run(dry_run=True)

    assert (would.dry_run, would.changed, would.generation) == (True, True, "gen-1")
    assert (would.documents, would.added, would.removed, would.embedded) == (3, 1, 1, 1)
    assert [skipped.path for skipped in would.skipped] == ["copy.csv"]
    assert embedder.embedded == []
    assert contents(settings.data_path) == before
    assert not list(settings.index_path.glob("*.draft"))
    did = run()
    assert (did.added, did.removed, did.embedded) == (would.added, would.removed, would.embedded)


def test_a_dry_run_before_the_first_index(run, settings):
    would = run(dry_run=True)

    assert (would.generation, would.added, would.embedded, would.golden) == ("", 4, 4, None)
    assert generations.current(settings.index_path) is None


def test_a_dry_run_of_what_did_not_change(run):
    run()

    would = run(dry_run=True)

    assert (would.changed, would.added, would.removed, would.embedded) == (False, 0, 0, 0)


def test_a_dry_run_refuses_what_the_real_one_would(run, folder):
    run()
    for file in folder.iterdir():
        file.unlink()

    with pytest.raises(SourceEmpty):
        run(dry_run=True)


def test_each_source_says_what_of_it_is_in_the_index(run, folder, other, settings):
    (folder / "picture.png").write_bytes(b"\x89PNG")
    run(Folder(path=folder, title="規程集", audience=frozenset({"slack:C2", "slack:C1"})), Folder(path=other))

    of_folder, of_other = overview(settings).sources

    skipped = Skipped("picture.png", "not a kind of file that is read")
    assert of_folder == SourceOverview("path", str(folder), "規程集", ("slack:C1", "slack:C2"), 3, 4, (skipped,))
    assert (of_other.where, of_other.title, of_other.audience) == (str(other), "", ("members",))
    assert (of_other.documents, of_other.chunks, of_other.skipped) == (1, 1, ())


def test_what_is_skipped_is_noted_although_the_index_stays(run, folder, settings):
    assert overview(settings).sources == ()
    run()
    (folder / "empty.txt").write_bytes(b"")

    assert not run().changed
    assert overview(settings).sources[0].skipped == (Skipped("empty.txt", "empty"),)

    (folder / "empty.txt").unlink()
    run()
    assert overview(settings).sources[0].skipped == ()


def test_a_name_that_is_no_text_is_told_and_stops_nothing(run, folder, settings):
    (folder / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"\x89PNG")

    assert run().chunks == 4
    assert [skipped.path for skipped in overview(settings).sources[0].skipped] == ["\ufffd\ufffd.png"]


@pytest.mark.parametrize("gone", ["vectors", "lexical.sqlite"])
def test_an_index_of_which_a_part_is_gone_is_made_anew(run, settings, retriever, gone):
    run()
    part = settings.index_path / "gen-1" / gone
    shutil.rmtree(part) if part.is_dir() else part.unlink()

    assert run().generation == "gen-2"
    assert retriever.retrieve("E-517", audience=frozenset({PUBLIC})).passages


def test_a_damaged_cache_is_begun_anew(run, folder, settings):
    run()
    (settings.index_path / "cache.sqlite").write_bytes(b"damaged" * 1_000)
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")

    assert run().embedded == 5


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


def test_progress_counts_to_all_chunks(settings, folder, embedder):
    seen: list[Step] = []

    reindex(settings, sources=[Folder(path=folder)], embedder=embedder, progress=seen.append)

    assert list(dict.fromkeys(step.stage for step in seen)) == ["reading", "embedding", "checking"]
    assert [step.done for step in seen if step.stage == "reading"][-1] == 3
    assert [step for step in seen if step.stage == "embedding"][-1] == Step("embedding", 4, 4)
