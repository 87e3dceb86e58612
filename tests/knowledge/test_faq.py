"""An administrator's answer is a document like any other, for those whom its folder names."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import faq
from knowledge.faq import FaqEntry
from knowledge.overview import chunks_of
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder, load_sources
from tests.knowledge.conftest import HashedEmbedder

MEMBERS = FaqEntry("2026-01-31-abc", "食堂の定食の値段は？", "定食は六百五十円です。", frozenset({"members"}))
PLACES = FaqEntry("2026-01-31-def", "鍵はどこ？", "鍵は棚です。", frozenset({"slack:C1", "line:U1"}))


def test_it_is_written_once_and_changes_by_hand_stand(tmp_path: Path) -> None:
    file = faq.write(tmp_path, MEMBERS)
    file.write_text("# 直した\n\n答え", "utf-8")

    assert faq.write(tmp_path, MEMBERS) == file
    assert file.read_text("utf-8") == "# 直した\n\n答え"


def test_a_draft_that_a_kill_left_is_no_document_and_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "members").mkdir()
    (tmp_path / "members" / f".{MEMBERS.name}.md.new").write_text("# 半")
    assert faq.folders(tmp_path) == []

    faq.write(tmp_path, MEMBERS)

    assert [path.name for path in (tmp_path / "members").iterdir()] == [f"{MEMBERS.name}.md"]


@pytest.mark.parametrize("entry", [MEMBERS, PLACES])
def test_the_folders_name_says_who_may_read(tmp_path: Path, entry: FaqEntry) -> None:
    faq.write(tmp_path, entry)

    assert faq.folders(tmp_path) == [(tmp_path / entry.folder, entry.audience)]


def test_it_is_a_source_beside_the_one_folder(settings: KnowledgeSettings, tmp_path: Path) -> None:
    faq.write(settings.faq_path, MEMBERS)

    one, answers = load_sources(settings, tmp_path / "none.toml")

    assert isinstance(answers, Folder)
    assert (one.audience, answers.audience, answers.title) == (frozenset({"public"}), frozenset({"members"}), "FAQ")


def test_only_its_audience_finds_it(settings: KnowledgeSettings, embedder: HashedEmbedder) -> None:
    faq.write(settings.faq_path, MEMBERS)
    reindex(settings, embedder=embedder)

    with open_retriever(settings, embedder) as retriever:
        found = retriever.retrieve(MEMBERS.question, audience=frozenset({"public", "members"}))
        hidden = retriever.retrieve(MEMBERS.question, audience=frozenset({"public"}))

    assert (found.passages[0].chunk.title, found.passages[0].chunk.text) == (MEMBERS.question, MEMBERS.answer)
    assert MEMBERS.answer not in [passage.chunk.text for passage in (*hidden.passages, *hidden.nearest)]


def test_it_is_there_when_its_generation_answers_and_goes_with_its_last_file(
    settings: KnowledgeSettings, embedder: HashedEmbedder
) -> None:
    assert not chunks_of(settings, MEMBERS.document_id)
    file = faq.write(settings.faq_path, MEMBERS)
    reindex(settings, embedder=embedder)
    assert chunks_of(settings, MEMBERS.document_id)

    file.unlink()
    reindex(settings, embedder=embedder)  # no source is "empty": nobody has to allow it

    assert not chunks_of(settings, MEMBERS.document_id)
