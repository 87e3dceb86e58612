"""An index holds its vectors, and nothing that happened to be in memory when it was written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import IndexBroken
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from knowledge.spare_room import blank_spare_room
from knowledge.vectors import VectorIndex
from tests.knowledge.conftest import HashedEmbedder

COUNT, DIMENSION = 3, 64
NUMBERS = list(range(1, COUNT + 1))
VECTORS = np.eye(COUNT, DIMENSION, dtype=np.float32)
PERTURB = 0x89
LEFT_OVER = bytes([PERTURB ^ 0xFF]) * 100


def write(folder: Path) -> None:
    """Make an index of three vectors."""
    index = VectorIndex.create(folder, {(1, "ja"): COUNT})
    index.add(NUMBERS, VECTORS, audiences=[1] * COUNT, languages=["ja"] * COUNT)
    index.close()


def write_many(folder: Path, count: int) -> None:
    """Make an index of so many vectors."""
    chance = np.random.default_rng(0)
    index = VectorIndex.create(folder, {(1, "ja"): count})
    for start in range(0, count, 100):
        numbers = list(range(start, min(start + 100, count)))
        vectors = chance.normal(size=(len(numbers), DIMENSION)).astype(np.float32)
        index.add(numbers, vectors, audiences=[1] * len(numbers), languages=["ja"] * len(numbers))
    index.close()


def reindex_three(folder: Path) -> None:
    """Make an index of three documents, all the way."""
    (folder / "documents").mkdir()
    for number in NUMBERS:
        (folder / "documents" / f"{number}.txt").write_text(f"第{number}条の本文です。", "utf-8")
    settings = KnowledgeSettings(_env_file=None, data_path=folder)  # type: ignore[call-arg]
    reindex(settings, sources=[Folder(path=folder / "documents")], embedder=HashedEmbedder())


def in_used_memory(function: Callable[[Path], None], folder: Path) -> None:
    """Call it in a process in which no memory is blank when it is handed out (glibc's MALLOC_PERTURB_)."""
    command = f"from pathlib import Path; from {__name__} import *; {function.__name__}(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", command], check=True, env=os.environ | {"MALLOC_PERTURB_": str(PERTURB)})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    in_used_memory(write, tmp_path / "vectors")
    return tmp_path / "vectors"


def holding_left_overs(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and LEFT_OVER in path.read_bytes()]


def test_room_that_is_left_is_blank(written):
    blank_spare_room(written)

    assert holding_left_overs(written) == []


def test_a_generation_has_no_left_overs_in_it(tmp_path):
    in_used_memory(reindex_three, tmp_path)

    assert list((tmp_path / "index" / "gen-1").rglob("data_level0.bin"))
    assert holding_left_overs(tmp_path / "index") == []


def test_the_vectors_stay(written):
    blank_spare_room(written)

    index = VectorIndex.open(written)
    found = index.search(VECTORS, 1)
    index.close()
    assert [next(iter(near)) for near in found] == NUMBERS


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 128, 129, 257, 1153])
def test_an_index_of_any_size_is_of_the_form_that_is_known(tmp_path, count):
    write_many(tmp_path, count)
    blank_spare_room(tmp_path)

    index = VectorIndex.open(tmp_path)
    assert index.count() == count
    index.close()


def test_an_index_of_another_form_is_refused(written):
    data = next(written.rglob("data_level0.bin"))
    data.write_bytes(data.read_bytes()[:-1])

    with pytest.raises(IndexBroken, match=r"data_level0\.bin"):
        blank_spare_room(written)


def test_a_folder_without_an_index_has_nothing_to_blank(written):
    for header in list(written.rglob("header.bin")):
        shutil.rmtree(header.parent)

    blank_spare_room(written)
