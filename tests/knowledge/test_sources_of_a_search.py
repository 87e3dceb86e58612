"""A search can be narrowed to some sources: what others say neither shows nor takes the place of what those say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from knowledge import chunk_store, generations
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder, Source
from tests.knowledge.test_audience import BOARD, PUBLIC, DirectedEmbedder, everything, written

MANY = 300


@pytest.fixture
def settings(tmp_path: Path) -> KnowledgeSettings:
    return KnowledgeSettings(_env_file=None, data_path=tmp_path / "data")  # type: ignore[call-arg]


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    travel = [f"travel {number} towards 1" for number in range(MANY)]
    return [
        Folder(path=written(tmp_path / "travel", travel), title="旅費", audience=PUBLIC),
        Folder(path=written(tmp_path / "canteen", ["canteen lunch towards 20"]), title="食堂", audience=PUBLIC),
        Folder(path=written(tmp_path / "board", ["canteen for the board towards 2"]), title="食堂", audience=BOARD),
        Folder(path=written(tmp_path / "answers", ["canteen answer towards 25"]), title="FAQ", audience=PUBLIC),
        Folder(path=written(tmp_path / "untitled", ["canteen nameless towards 3"]), audience=PUBLIC),
    ]


@pytest.fixture
def retriever(settings: KnowledgeSettings, sources: Sequence[Source]) -> Iterator[Retriever]:
    reindex(settings, sources=sources, embedder=DirectedEmbedder())
    with open_retriever(settings, DirectedEmbedder()) as opened:
        yield opened


def said(retriever: Retriever, *titles: str, audience: frozenset[str] = PUBLIC) -> set[str]:
    found = retriever.retrieve("canteen", audience=audience, sources=titles, limit=10)
    return {passage.chunk.text.rpartition(" towards")[0] for passage in everything(found)}


def test_without_sources_all_are_searched(retriever: Retriever) -> None:
    assert {"canteen lunch", "canteen nameless"} <= said(retriever)


def test_a_named_source_is_searched_and_no_other_but_the_administrators_own_answers(retriever: Retriever) -> None:
    assert said(retriever, "食堂") == {"canteen lunch", "canteen answer"}


def test_hundreds_of_better_chunks_elsewhere_do_not_push_it_out(retriever: Retriever) -> None:
    found = retriever.retrieve("travel", audience=PUBLIC, sources=["食堂"])

    assert "canteen lunch towards 20" in {passage.chunk.text for passage in everything(found)}


def test_the_audience_holds_within_a_source(retriever: Retriever) -> None:
    assert "canteen for the board" not in said(retriever, "食堂")
    assert "canteen for the board" in said(retriever, "食堂", audience=PUBLIC | BOARD)


def test_a_source_that_does_not_exist_finds_what_administrators_answered_and_nothing_else(retriever: Retriever) -> None:
    assert said(retriever, "食堂 ") == {"canteen answer"}


def test_what_a_conversation_quotes_from_another_source_is_gone_when_the_place_is_narrowed(
    retriever: Retriever,
) -> None:
    found = retriever.retrieve("canteen nameless", audience=PUBLIC)
    quoted = [p.chunk.id for p in everything(found) if "nameless" in p.chunk.text]

    assert retriever.retrieve("canteen", audience=PUBLIC, quoted=quoted).gone == frozenset()
    assert retriever.retrieve("canteen", audience=PUBLIC, sources=["食堂"], quoted=quoted).gone == frozenset(quoted)


def test_another_title_makes_another_generation(settings: KnowledgeSettings, sources: list[Source]) -> None:
    reindex(settings, sources=sources, embedder=DirectedEmbedder())
    renamed = [source.model_copy(update={"title": source.title.replace("食堂", "社員食堂")}) for source in sources]

    report = reindex(settings, sources=renamed, embedder=DirectedEmbedder())

    assert (report.changed, report.embedded) == (True, 0)
    with open_retriever(settings, DirectedEmbedder()) as opened:
        assert said(opened, "社員食堂") == {"canteen lunch", "canteen answer"}


def test_an_index_of_the_version_before_is_made_anew(
    settings: KnowledgeSettings, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_store, "VERSION", chunk_store.VERSION - 1)
    reindex(settings, sources=sources, embedder=DirectedEmbedder())
    monkeypatch.undo()
    before = generations.answering(settings.index_path)
    assert before is not None
    assert before.manifest.fingerprint != generations.fingerprint(DirectedEmbedder())

    report = reindex(settings, sources=sources, embedder=DirectedEmbedder())

    assert (report.changed, report.embedded) == (True, 0)
