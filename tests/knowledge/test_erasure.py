"""What leaves the documents is nowhere under DATA_PATH once the old generations went."""

import os
import time
from pathlib import Path

import pytest

from knowledge import generations
from knowledge.documents import PUBLIC
from knowledge.errors import GoldenWorse
from knowledge.sources import Folder

SECRET = "合言葉は水槽のxyzzyです。"
WORDS = ("水槽", "xyzzy")


def held(folder: Path) -> list[Path]:
    """The files that hold any of the words, in whatever way they may be written."""
    written = [word.encode(code) for word in WORDS for code in ("utf-8", "utf-16-le", "utf-16-be", "unicode-escape")]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if any(word in file.read_bytes() for word in written)]


def an_hour_passes(index_path: Path) -> None:
    """The time for a rollback is over: the pointer was moved that long ago."""
    then = time.time() - generations.ROLLBACK_S
    os.utime(index_path / "CURRENT", (then, then))
    generations.remove_old(index_path)


@pytest.fixture
def secret(folder, run) -> Path:
    """A document that is in the index, among two others."""
    path = folder / "xyzzy.txt"
    path.write_text(SECRET, "utf-8")
    run()
    return path


def test_a_text_in_the_index_is_found_by_looking_into_the_files(secret, settings):
    assert "lexical.sqlite" in {file.name for file in held(settings.data_path)}


def test_a_deleted_text_is_nowhere_although_a_reader_stays_open(secret, run, settings, retriever):
    assert retriever.retrieve("xyzzy", audience=frozenset({PUBLIC})).passages
    secret.unlink()
    run()
    retriever.follow()

    an_hour_passes(settings.index_path)

    assert held(settings.data_path) == []
    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-2"}


def test_a_deleted_text_that_never_came_to_answer_is_nowhere(run, folder, settings):
    settings.golden_path = settings.data_path.parent / "golden.yaml"
    settings.golden_path.write_text("[{question: E-517, document: vpn.md}]", "utf-8")
    run()
    vpn = (folder / "vpn.md").read_text("utf-8")
    (folder / "vpn.md").write_text(SECRET, "utf-8")
    with pytest.raises(GoldenWorse):
        run()
    (folder / "vpn.md").write_text(vpn, "utf-8")

    assert not run().changed

    assert held(settings.data_path) == []


def test_its_vector_leaves_the_cache_at_once(secret, run, embedder):
    text = secret.read_text("utf-8")
    secret.unlink()
    run()
    embedder.embedded.clear()
    secret.write_text(text, "utf-8")

    assert run().embedded == 1


def test_its_vector_leaves_the_files_at_once(secret, run, embedder, settings):
    vector = embedder.encode_query([f"xyzzy\n{SECRET}"])[0].tobytes()[:64]
    cache = settings.index_path / "cache.sqlite"
    assert vector in cache.read_bytes()
    secret.unlink()

    run()

    assert vector not in cache.read_bytes()
    an_hour_passes(settings.index_path)
    assert not any(vector in file.read_bytes() for file in settings.data_path.rglob("*") if file.is_file())


def test_the_name_of_a_file_that_was_skipped_goes_with_it(run, folder, settings):
    (folder / "水槽.png").write_bytes(b"\x89PNG")
    run()
    assert held(settings.data_path) != []
    (folder / "水槽.png").unlink()

    assert not run().changed

    assert held(settings.data_path) == []


def test_for_whom_the_audience_was_narrowed_the_text_is_found_no_more(secret, run, folder, settings, retriever):
    run(Folder(path=folder, audience=frozenset({"slack:C1"})))

    assert not retriever.retrieve("xyzzy", audience=frozenset({PUBLIC})).passages
    assert retriever.retrieve("xyzzy", audience=frozenset({"slack:C1"})).passages


def test_a_generation_that_was_rolled_back_from_is_nowhere(run, folder, settings, embedder):
    from knowledge.reindexing import rollback

    run()
    (folder / "xyzzy.txt").write_text(SECRET, "utf-8")
    run()

    rollback(settings, embedder=embedder)

    assert held(settings.data_path) == []
