"""A cited passage opens for whom it was cited to, shows its document as the newest index has it, and goes with it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from bot.errors import LinkEnded
from bot.messages import Citation
from bot.passages.shelf import CitedPassage, Shelf
from bot.store import connect
from knowledge.documents import MEMBERS, PUBLIC, Chunk, Passage
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.slack import FakeSlack
from tests.knowledge.conftest import HashedEmbedder
from tests.stored import everything_in
from tests.workers.desk import (
    ANSWER,
    C,
    events,
    from_line,
    from_slack,
    line_sender,
    make_desk,
    saying,
    slack_sender,
    until,
)
from tests.workers.making import accept, message
from workers.citing import Citing, Place
from workers.conversation import Conversations
from workers.following import Following
from workers.replies import passage_addresses
from workers.services import Desk
from workers.serving import answer_next

DESK = "https://desk.example.jp"
QUESTION = "経費の締め日はいつですか？"
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


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path)
    yield opened
    opened.retriever.close()


@pytest.fixture
def citing(store: redis.Redis, library: Library) -> Citing:
    return Citing(store, library.retriever, passage_addresses(f"{DESK}/"))


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    with saying(Script(ANSWER)) as model:
        yield model


@pytest.fixture
def following(store: redis.Redis, library: Library, generator: ScriptedGenerator, citing: Citing) -> Following:
    made = Following(library.retriever, Conversations(store), generator, citing)
    made.follow()
    return made


def opened(store: redis.Redis, page: str) -> CitedPassage:
    """What the page of a citation shows."""
    token = page.partition("/passages/")[2].removesuffix("#cited")
    return Shelf(store).open(token)[0]


def cite(citing: Citing, library: Library, place: Place = IN_CHANNEL) -> Citation:
    (cited,) = citing.citations([library.bonus()], place)
    return cited


def test_a_passage_is_shown_with_two_before_and_two_after_it(
    store: redis.Redis, citing: Citing, library: Library
) -> None:
    shown = opened(store, cite(citing, library).page)

    assert [piece.text for piece in shown.pieces] == list(SECTIONS[:5])
    assert [piece.cited for piece in shown.pieces] == [False, False, True, False, False]
    assert (shown.title, shown.uri) == ("規程", "rules.md")


@pytest.mark.parametrize(("place", "begins"), [(ON_CONSOLE, "/passages/"), (IN_CHANNEL, f"{DESK}/passages/")])
def test_a_link_leads_to_where_its_reader_can_open_it(
    citing: Citing, library: Library, place: Place, begins: str
) -> None:
    assert cite(citing, library, place).page.startswith(begins)


def test_without_a_public_address_only_the_console_has_pages(store: redis.Redis, library: Library) -> None:
    inside = Citing(store, library.retriever, passage_addresses(""))

    assert cite(inside, library, IN_CHANNEL).page == ""
    assert everything_in(store) == "{}"
    assert cite(inside, library, ON_CONSOLE).page != ""


def test_a_page_of_the_web_is_its_own_link_and_needs_none_of_ours(store: redis.Redis, citing: Citing) -> None:
    chunk = Chunk("c", "d", "題", "https://wiki.example.jp/a", (), "本文", frozenset({PUBLIC}))

    (cited,) = citing.citations([Passage(chunk, 1.0)], IN_CHANNEL)

    assert (cited.address, cited.page) == (chunk.uri, "")
    assert everything_in(store) == "{}"


def test_who_may_not_read_a_passage_gets_no_page_of_it(store: redis.Redis, citing: Citing, library: Library) -> None:
    (cited,) = citing.citations([library.bonus()], Place("line", frozenset({PUBLIC})))

    assert cited.page == ""
    assert BONUS not in everything_in(store)


def delete(library: Library) -> None:
    shutil.rmtree(library.folder / "rules")
    library.index()


def narrow(library: Library) -> None:
    library.index("slack:C9")


def reword(library: Library) -> None:
    library.write(*SECTIONS[:2], "賞与はありません。", *SECTIONS[3:])
    library.index()


changes = pytest.mark.parametrize("change", [delete, narrow, reword])


@changes
def test_a_page_goes_with_its_passage(
    store: redis.Redis, citing: Citing, following: Following, library: Library, change: Callable[[Library], None]
) -> None:
    page = cite(citing, library).page

    change(library)
    following.follow()

    with pytest.raises(LinkEnded):
        opened(store, page)
    assert BONUS not in everything_in(store)
    assert "第二条" not in everything_in(store)
    assert store.scard("rewrite") == 1  # and from the store's file


@changes
def test_a_process_that_starts_drops_what_changed_while_none_was_there(
    store: redis.Redis,
    citing: Citing,
    library: Library,
    generator: ScriptedGenerator,
    change: Callable[[Library], None],
) -> None:
    cite(citing, library)
    change(library)

    Following(library.retriever, Conversations(store), generator, citing).follow()

    assert BONUS not in everything_in(store)


@changes
def test_an_answer_begun_with_an_older_index_links_to_nothing_that_has_left_it(
    store: redis.Redis, citing: Citing, library: Library, change: Callable[[Library], None]
) -> None:
    passage = library.bonus()
    change(library)

    (cited,) = citing.citations([passage], IN_CHANNEL)

    assert cited.page == ""
    assert BONUS not in everything_in(store)


class Changing:
    """A library that changes just after it was read."""

    def __init__(self, library: Library, change: Callable[[Library], None]) -> None:
        self._library = library
        self._change: Callable[[Library], None] | None = change

    def around(self, chunk_id: str, audience: frozenset[str]) -> tuple[Chunk, ...]:
        chunks = self._library.retriever.around(chunk_id, audience)
        if self._change:
            self._change(self._library)
            self._change = None
        return chunks

    def follow(self) -> str:
        return self._library.retriever.follow()


@changes
def test_a_passage_that_leaves_the_index_while_it_is_cited_is_kept_for_nobody(
    store: redis.Redis, library: Library, change: Callable[[Library], None]
) -> None:
    citing = Citing(store, Changing(library, change), passage_addresses(DESK))

    assert cite(citing, library).page == ""
    assert BONUS not in everything_in(store)


def test_a_page_follows_what_stands_around_its_passage(
    store: redis.Redis, citing: Citing, following: Following, library: Library
) -> None:
    page = cite(citing, library).page
    (key,) = store.scan_iter("passage:*")
    store.expire(key, 1000)

    library.write(SECTIONS[0], "新しい第二条です。", *SECTIONS[2:])
    library.index()
    following.follow()

    assert [piece.text for piece in opened(store, page).pieces][1] == "新しい第二条です。"
    assert SECTIONS[1] not in everything_in(store)
    assert store.ttl(key) <= 1000


def test_pages_that_nothing_changed_about_stay(
    store: redis.Redis, citing: Citing, following: Following, library: Library
) -> None:
    page = cite(citing, library).page

    (library.folder / "other" / "other.md").write_text("# 別の文書\n\n別の本文になりました。\n", encoding="utf-8")
    library.index()
    following.follow()

    assert len(opened(store, page).pieces) == 5


def test_a_record_of_another_version_does_not_keep_the_others_from_their_refresh(
    store: redis.Redis, citing: Citing, following: Following, library: Library
) -> None:
    cite(citing, library)
    store.set("passage:0", "{}")
    store.zadd("passages", {"0": time.time() + 100})

    delete(library)
    following.follow()

    assert store.zrange("passages", 0, -1) == []
    assert BONUS not in everything_in(store)


def test_an_answer_does_without_a_link_when_the_store_takes_none(library: Library) -> None:
    storeless = Citing(connect("unix:///nowhere/store.sock"), library.retriever, passage_addresses(DESK))

    assert cite(storeless, library).page == ""


def test_a_source_on_the_console_opens_on_its_page(store: redis.Redis, desk: Desk) -> None:
    accept(store, message(QUESTION))
    answer_next(C, desk)

    (cited,) = next(event for event in reversed(events(store)) if event["type"] == "done")["citations"]
    shown = opened(store, cited["page"])
    assert [piece.cited for piece in shown.pieces] == [True, False]
    assert ANSWER in shown.pieces[0].text


def with_address(desk: Desk, retriever: Retriever, store: redis.Redis, **senders: object) -> Desk:
    """A worker whose web process people reach."""
    generator = desk.generator
    assert isinstance(generator, ScriptedGenerator)
    citing = Citing(store, retriever, passage_addresses(f"{DESK}/"))
    return make_desk(store, retriever, generator, citing=citing, senders=senders)


def test_slack_and_line_link_the_source_by_its_title(
    store: redis.Redis, desk: Desk, retriever: Retriever, slack: FakeSlack, line: FakeLine
) -> None:
    there = with_address(
        desk, retriever, store, slack=slack_sender(slack, store), line=line_sender(line, store, access="open")
    )
    for said in (from_slack(slack, QUESTION), from_line(line, QUESTION)):
        accept(store, said)
        answer_next(said.conversation_id, there)

    posted = str(slack.workspace.everything_visible())
    (sent,) = line.visible(USER)
    assert f"[1] 経費精算 ({DESK}/passages/" in posted
    page = sent.rpartition("出典: 経費精算 ")[2]
    assert page.startswith(f"{DESK}/passages/")
    assert ANSWER in str(opened(store, page).pieces)


def test_a_process_that_runs_drops_a_page_within_seconds(
    store: redis.Redis, citing: Citing, following: Following, library: Library
) -> None:
    cite(citing, library)
    done = threading.Event()
    thread = threading.Thread(target=following.run, args=(done, 0.01))
    thread.start()
    try:
        delete(library)
        until(lambda: BONUS not in everything_in(store))
    finally:
        done.set()
        thread.join(timeout=10)
