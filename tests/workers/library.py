"""A document of six sections in an index of its own, and the pages of what is cited from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import redis

from bot.messages import Citation
from bot.passages.shelf import CitedPassage, Shelf
from knowledge.documents import MEMBERS, PUBLIC, Passage
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.knowledge.conftest import HashedEmbedder
from workers.citing import Citing, Place

DESK = "https://desk.example.jp"
BONUS = "冬の賞与は12月10日に支給します。"
SECTIONS = (
    "第一条の前文です。",
    "第二条は申請です。",
    BONUS,
    "第四条は例外です。",
    "第五条は附則です。",
    "第六条です。",
)
ON_CONSOLE = Place("console", frozenset({PUBLIC, MEMBERS, "console"}))
IN_CHANNEL = Place("slack", frozenset({PUBLIC, MEMBERS, "slack:C1"}))


class Library:
    """One document of six sections beside another one, their index, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder)  # type: ignore[call-arg]
        for name in ("rules", "other"):
            (folder / name).mkdir()
        (folder / "other" / "other.md").write_text("# 別の文書\n\n別の文書の本文です。\n", encoding="utf-8")
        self.write(*SECTIONS)
        self.index()
        self.retriever = open_retriever(self.settings, HashedEmbedder())

    def write(self, *sections: str) -> None:
        text = "\n\n".join(f"## 第{n}条\n\n{section}" for n, section in enumerate(sections, 1))
        (self.folder / "rules" / "rules.md").write_text(f"# 規程\n\n{text}\n", encoding="utf-8")

    def index(self, audience: str = MEMBERS) -> None:
        sources = [Folder(path=self.folder / "other", audience=frozenset({PUBLIC}))]
        if (self.folder / "rules").exists():
            sources.append(Folder(path=self.folder / "rules", audience=frozenset({audience})))
        reindex(self.settings, sources=sources, embedder=HashedEmbedder())

    def bonus(self) -> Passage:
        """The passage about the bonus, as a search finds it."""
        found = self.retriever.retrieve(BONUS, audience=IN_CHANNEL.audience)
        return next(one for one in (*found.passages, *found.nearest) if BONUS in one.chunk.text)


def delete(library: Library) -> None:
    shutil.rmtree(library.folder / "rules")
    library.index()


def narrow(library: Library) -> None:
    library.index("slack:C9")


def reword(library: Library) -> None:
    library.write(*SECTIONS[:2], "賞与はありません。", *SECTIONS[3:])
    library.index()


def opened(store: redis.Redis, page: str) -> CitedPassage:
    """What the page of a citation shows."""
    token = page.partition("/passages/")[2].removesuffix("#cited")
    return Shelf(store).open(token)[0]


def cite(citing: Citing, library: Library, place: Place = IN_CHANNEL) -> Citation:
    (cited,) = citing.citations([library.bonus()], place)
    return cited
