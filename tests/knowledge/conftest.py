"""A folder of documents, settings that point to it, and an embedder of the tests' own that costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from knowledge.documents import PUBLIC
from knowledge.e5_engine import E5Engine
from knowledge.embedding import Vectors
from knowledge.reindexing import Report, reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder, Source
from tests.fakes.website import FakeWebsite
from tests.knowledge.websites import Read, reader

DIMENSION = 256


class HashedEmbedder:
    """Character bigrams counted into hashed places: near in writing is near in the vectors. Counts what it embeds."""

    fingerprint = "hashed bigrams"
    dimension = DIMENSION
    max_tokens = 512

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def count_tokens(self, text: str) -> int:
        return len(text)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return np.stack([_hashed(text) for text in texts])

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return self.encode_query(texts)


def _hashed(text: str) -> Vectors:
    vector = np.full(DIMENSION, 1e-3, dtype=np.float32)
    for one, other in pairwise(text):
        vector[int.from_bytes(hashlib.blake2b((one + other).encode(), digest_size=2).digest()) % DIMENSION] += 1
    return vector / np.linalg.norm(vector)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A source of three documents."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "expenses.md").write_text(
        "# 経費精算\n\n## 締め日\n\n経費は毎月25日までに申請します。\n\n## 領収書\n\n領収書は総務の箱に入れます。\n",
        "utf-8",
    )
    (documents / "vpn.md").write_text("# VPN\n\nThe error E-517 means that too many people are connected.\n", "utf-8")
    (documents / "leave.txt").write_text("有給休暇は入社から半年で10日もらえます。申請は前日までです。\n", "utf-8")
    return documents


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> KnowledgeSettings:
    """The folder as the one source, an empty data folder."""
    return KnowledgeSettings(_env_file=None, data_path=tmp_path / "data", knowledge_path=folder)


@pytest.fixture
def embedder() -> HashedEmbedder:
    """The tests' own embedder."""
    return HashedEmbedder()


@pytest.fixture
def run(settings: KnowledgeSettings, folder: Path, embedder: HashedEmbedder) -> Callable[..., Report]:
    """Reindex the folder, or the sources given."""

    def _run(*sources: Source, **options: bool) -> Report:
        chosen = sources or (Folder(path=folder, audience=frozenset({PUBLIC})),)
        return reindex(settings, sources=chosen, embedder=embedder, **options)

    return _run


@pytest.fixture
def retriever(settings: KnowledgeSettings, embedder: HashedEmbedder) -> Iterator[Retriever]:
    """The retriever of the index that `run` makes."""
    with open_retriever(settings, embedder) as opened:
        yield opened


@pytest.fixture(scope="session")
def e5() -> E5Engine:
    """The real default embedder."""
    return E5Engine()


@pytest.fixture
def site() -> Iterator[FakeWebsite]:
    """A website, whose visitors behave."""
    with FakeWebsite() as running:
        yield running
        assert running.offences == []


@pytest.fixture
def read(site: FakeWebsite, tmp_path: Path) -> Read:
    """Reads sources of the website."""
    return reader(site, tmp_path / "web")
