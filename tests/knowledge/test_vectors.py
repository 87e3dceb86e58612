"""Vectors in Chroma: who may read decides where is searched, and a reader finds what was written."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.vectors import VectorIndex

PUBLIC, MEMBERS = 1, 2
VECTORS = np.eye(4, dtype=np.float32)


@pytest.fixture
def index(tmp_path: Path):
    """A public chunk in either language, and one of each for members."""
    sizes = {(PUBLIC, "ja"): 1, (PUBLIC, "en"): 1, (MEMBERS, "ja"): 1, (MEMBERS, "en"): 1}
    written = VectorIndex.create(tmp_path, sizes)
    audiences = [PUBLIC, PUBLIC, MEMBERS, MEMBERS]
    written.add([1, 2, 3, 4], VECTORS, audiences=audiences, languages=["ja", "en", "ja", "en"])
    written.close()
    opened = VectorIndex.open(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {1, 2, 3, 4}),
        ({"audiences": [PUBLIC]}, {1, 2}),
        ({"language": "ja"}, {1, 3}),
        ({"audiences": [MEMBERS], "language": "en"}, {4}),
        ({"audiences": []}, set()),
        ({"audiences": [9]}, set()),
    ],
)
def test_only_the_audiences_and_the_language_asked_for_are_searched(index, asked, found):
    assert set(index.search(VECTORS[:1], 10, **asked)[0]) == found


def test_the_nearest_of_all_partitions_come_first(index):
    query = np.array([[0.1, 0.2, 0.3, 0.9]], dtype=np.float32)

    (found,) = index.search(query, 2)

    assert list(found) == [4, 3]
    assert found[4] == pytest.approx(0.9 / np.linalg.norm(query), abs=1e-5)


def test_every_query_has_its_own_nearest(index):
    assert [next(iter(found)) for found in index.search(VECTORS, 1)] == [1, 2, 3, 4]


def test_a_reader_finds_all_that_was_written(tmp_path):
    drawn = np.random.default_rng(0).standard_normal((700, 32)).astype(np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    audiences = [PUBLIC] * 450 + [MEMBERS] * 250
    written = VectorIndex.create(tmp_path, {(PUBLIC, "ja"): 450, (MEMBERS, "ja"): 250})
    for start in range(0, 700, 100):
        batch = slice(start, start + 100)
        written.add(range(700)[batch], vectors[batch], audiences=audiences[batch], languages=["ja"] * 100)
    written.close()

    read = VectorIndex.open(tmp_path)

    assert read.count() == 700
    assert [next(iter(found)) for found in read.search(vectors, 1)] == list(range(700))
    read.close()
