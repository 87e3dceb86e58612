"""The audience is part of the search: what others may read neither shows nor takes the place of what one may read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.documents import Passage
from knowledge.embedding import Vectors
from knowledge.reindexing import reindex
from knowledge.retrieval import Retrieval, Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder

RESTRICTED = 1_000
"""Chunks that all answer better than the one that may be read: many more than are looked at."""
PUBLIC = frozenset({"public"})
BOARD = frozenset({"slack:C9"})


class DirectedEmbedder:
    """Looks in the direction that a text names: `towards N` is N degrees away from every question."""

    fingerprint = "directed"
    dimension = 2
    max_tokens = 512

    def count_tokens(self, text: str) -> int:
        return len(text)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._vectors([0.0 for _ in texts])

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self._vectors([float(text.rpartition("towards ")[2] or 90) for text in texts])

    def _vectors(self, degrees: Sequence[float]) -> Vectors:
        angles = np.deg2rad(np.asarray(degrees, dtype=np.float32))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


Library = Callable[[Sequence[str], Sequence[str]], Retriever]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Opens an index of these texts for everybody and those for one channel, a document each."""
    settings = KnowledgeSettings(_env_file=None, data_path=tmp_path / "data")  # type: ignore[call-arg]
    embedder = DirectedEmbedder()
    opened: list[Retriever] = []

    def open_library(public: Sequence[str], restricted: Sequence[str]) -> Retriever:
        sources = [
            Folder(path=written(tmp_path / "public", public), audience=PUBLIC),
            Folder(path=written(tmp_path / "board", restricted), audience=BOARD),
        ]
        report = reindex(settings, sources=sources, embedder=embedder)
        assert report.chunks == len(public) + len(restricted)
        opened.append(open_retriever(settings, embedder))
        return opened[-1]

    yield open_library
    for retriever in opened:
        retriever.close()


def written(folder: Path, texts: Sequence[str]) -> Path:
    """A folder with a document for each text."""
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:04}.txt").write_text(text, "utf-8")
    return folder


def everything(found: Retrieval) -> list[Passage]:
    return [*found.passages, *found.nearest]


def test_a_chunk_is_found_by_its_meaning_behind_a_thousand_that_others_may_read(library: Library) -> None:
    nearer = [f"Minutes of meeting {number}, towards {number / 100:.2f}" for number in range(RESTRICTED)]
    retriever = library(["The canteen opens at noon, towards 20"], nearer)

    found = everything(retriever.retrieve("何時から食べられますか", audience=PUBLIC))

    assert [passage.chunk.text for passage in found] == ["The canteen opens at noon, towards 20"]


def test_a_chunk_is_found_by_its_words_behind_a_thousand_that_others_may_read(library: Library) -> None:
    better = [f"{number}: zirconium, zirconium, zirconium and zirconium, towards 90" for number in range(RESTRICTED)]
    others = [f"Part {number} of the handbook, towards 90" for number in range(RESTRICTED + 200)]
    retriever = library([*others, "A long report on many things, of which one is zirconium, towards 90"], better)

    found = retriever.retrieve("zirconium", audience=PUBLIC)

    assert "of which one is zirconium" in everything(found)[0].chunk.text


def test_who_may_read_all_of_it_finds_what_is_better(library: Library) -> None:
    nearer = [f"Minutes of meeting {number}, towards {number / 10:.1f}" for number in range(10)]
    retriever = library(["The canteen opens at noon, towards 20"], nearer)

    found = everything(retriever.retrieve("何時から食べられますか", audience=PUBLIC | BOARD))

    assert found[0].chunk.text == "Minutes of meeting 0, towards 0.0"


def test_who_bears_no_label_of_any_document_finds_nothing(library: Library) -> None:
    retriever = library(["The canteen opens at noon, towards 1"], ["Minutes, towards 0"])

    for labels in (frozenset[str](), frozenset({"slack:C1"}), frozenset({"slack:C"}), frozenset({"SLACK:C9"})):
        assert everything(retriever.retrieve("canteen", audience=labels)) == []


def test_the_same_text_for_two_audiences_is_found_by_each_in_its_own_document(library: Library) -> None:
    retriever = library(["The canteen opens at noon, towards 0"], ["The canteen opens at noon, towards 0"])

    for audience, folder in ((PUBLIC, "public"), (BOARD, "board")):
        (found,) = everything(retriever.retrieve("canteen", audience=audience))
        assert found.chunk.document_id.startswith(folder)
        assert found.chunk.audience == audience


def test_a_near_duplicate_that_others_may_read_does_not_hide_ones_own(library: Library) -> None:
    retriever = library(
        ["The canteen on the ground floor opens at noon every day, towards 10"],
        ["The canteen on the ground floor opens at noon every day towards 0"],
    )

    (found,) = everything(retriever.retrieve("canteen", audience=PUBLIC))

    assert found.chunk.audience == PUBLIC


def test_a_quoted_chunk_whose_audience_was_narrowed_is_gone_for_who_was_left_out(
    tmp_path: Path, library: Library
) -> None:
    retriever = library(["The canteen opens at noon, towards 0"], ["Minutes, towards 5"])
    (quoted,) = everything(retriever.retrieve("canteen", audience=PUBLIC))
    settings = KnowledgeSettings(_env_file=None, data_path=tmp_path / "data")  # type: ignore[call-arg]
    reindex(settings, sources=[Folder(path=tmp_path / "public", audience=BOARD)], embedder=DirectedEmbedder())

    left_out = retriever.retrieve("canteen", audience=PUBLIC, quoted=[quoted.chunk.id])
    still_in = retriever.retrieve("canteen", audience=BOARD, quoted=[quoted.chunk.id])

    assert everything(left_out) == []
    assert left_out.gone == {quoted.chunk.id}
    # Its id has its audience in it: what a conversation holds was given to it under the old one.
    assert still_in.gone == {quoted.chunk.id}
    assert [passage.chunk.text for passage in everything(still_in)] == ["The canteen opens at noon, towards 0"]
