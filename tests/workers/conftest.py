"""What tests of the work share: loopback sources of models, and one small real model for those that need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
import redis

from knowledge.documents import MEMBERS, PUBLIC
from knowledge.e5_engine import E5Engine
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.fakes.downloads import Downloads, serve
from tests.fakes.line import FakeLine
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack
from tests.workers.desk import ANSWER, make_desk, saying
from tests.workers.library import DESK, Library
from tests.workers.remembering import RememberingEmbedder
from workers.citing import Citing
from workers.engine import LlamaEngine
from workers.models import resolve
from workers.prompt import LEAD, SYSTEM
from workers.replies import passage_addresses
from workers.services import Desk

PUBLIC_DOCUMENTS = {
    "expenses.md": f"# 経費精算\n\n## 締め日\n\n{ANSWER}\n\n## 領収書\n\n領収書は総務部の青い箱に入れます。\n",
    "vpn.md": "# VPN\n\nThe error E-517 means that 40 people are connected. Please wait 10 minutes.\n",
    "leave.txt": "有給休暇\n\n有給休暇は入社から半年で10日もらえます。申請は前日までです。\n",
}
MEMBERS_DOCUMENTS = {"bonus.md": "# 賞与規程\n\n冬の賞与は12月10日に基本給の2か月分を支給します。\n"}


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Downloads]:
    """An index that pip asks and a hub that huggingface_hub asks, and nothing else of this machine's configuration."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "HF_"))]:
        monkeypatch.delenv(name)
    with serve(Downloads()) as served:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.url}/simple/")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        # huggingface_hub reads HF_ENDPOINT once, when it is imported.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", served.url + template)
        yield served


@pytest.fixture(scope="session", autouse=True)
def one_embedder() -> Iterator[None]:
    """Whoever loads the default embedder gets the same one: a second of work for each index that is not done again."""
    shared = cache(lambda: RememberingEmbedder(E5Engine()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("knowledge.embedders.BlendedEmbedder", lambda _: shared())
        yield


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The smallest chat model of the catalogue, fetched once into MADOGUCHI_TEST_MODELS or data/models."""
    folder = Path(os.environ.get("MADOGUCHI_TEST_MODELS", "data/models"))
    return resolve("smollm2-135m-instruct", folder)


@pytest.fixture(scope="module")
def chat_engine() -> Iterator[LlamaEngine]:
    """The smallest model of the catalogue that speaks Japanese, one at a time; fetched as `small_model` is."""
    folder = Path(os.environ.get("MADOGUCHI_TEST_MODELS", "data/models"))
    model = resolve("qwen2.5-coder-0.5b-instruct", folder)
    with closing(LlamaEngine(model, context_tokens=4096, at_once=1, system=SYSTEM, lead=LEAD)) as engine:
        yield engine


@pytest.fixture(scope="session")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    """The real way to the documents: a small index of public ones and one for members, made by the default embedder."""
    folder = tmp_path_factory.mktemp("knowledge")
    settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder)  # type: ignore[call-arg]
    sources = []
    for audience, documents in ((PUBLIC, PUBLIC_DOCUMENTS), (MEMBERS, MEMBERS_DOCUMENTS)):
        (folder / audience).mkdir()
        for name, text in documents.items():
            (folder / audience / name).write_text(text, encoding="utf-8")
        sources.append(Folder(path=folder / audience, audience=frozenset({audience})))
    reindex(settings, sources=sources)
    with open_retriever(settings) as opened:
        yield opened


@pytest.fixture
def desk(store: redis.Redis, retriever: Retriever) -> Iterator[Desk]:
    """A worker whose model says ANSWER to everything."""
    with saying(Script(ANSWER)) as generator:
        yield make_desk(store, retriever, generator)


@pytest.fixture
def line() -> Iterator[FakeLine]:
    """A strict LINE over HTTP."""
    with FakeLine() as fake:
        yield fake


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A strict Slack over HTTP."""
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A document of six sections, indexed."""
    opened = Library(tmp_path)
    yield opened
    opened.retriever.close()


@pytest.fixture
def citing(store: redis.Redis, library: Library) -> Citing:
    """What makes citations of the library, with links from every platform."""
    return Citing(store, library.retriever, passage_addresses(f"{DESK}/"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str, store: redis.Redis) -> Iterator[None]:
    """An empty store, a folder with no settings in it; what a command does to the umask is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", store_url)
    umask = os.umask(0o022)
    yield
    os.umask(umask)
