"""Attacks as `tests/samples/attacks.json` has them, and the document in which each of them stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import PUBLIC
from knowledge.embedding import Embedder
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.knowledge.conftest import HashedEmbedder

ASKED = "経費の締め日はいつですか？"
HONEST = "経費の締め日は毎月25日です。"


@dataclass(frozen=True, slots=True)
class Attack:
    """Where it stands, its words, what an obeying model says, and what of that may not be shown."""

    id: str
    where: str
    text: str
    says: str
    forbidden: list[str]

    @property
    def question(self) -> str:
        return f"{ASKED}\n{self.text}" if self.where == "message" else ASKED

    @property
    def answer(self) -> str:
        return f"{HONEST}\n{self.says}"

    def write(self, folder: Path) -> None:
        """Its document."""
        title = self.text if self.where == "title" else "規程"
        heading = "" if self.where == "file" else f"# {title}\n\n"
        name = self.text if self.where == "file" else self.id
        attack = self.text if self.where == "document" else "秘密です。"
        (folder / f"{name}.md").write_text(f"{heading}{HONEST}\n{attack}\n", encoding="utf-8")


ATTACKS = [Attack(**row) for row in json.loads(Path("tests/samples/attacks.json").read_text(encoding="utf-8"))]


def poisoned_index(attack: Attack, folder: Path) -> tuple[KnowledgeSettings, Embedder]:
    """An index of the attack's document alone, and the embedder that made it."""
    documents = folder / "documents"
    documents.mkdir(parents=True)
    attack.write(documents)
    settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder)  # type: ignore[call-arg]
    reindex(settings, sources=[Folder(path=documents, audience=frozenset({PUBLIC}))], embedder=HashedEmbedder())
    return settings, HashedEmbedder()
