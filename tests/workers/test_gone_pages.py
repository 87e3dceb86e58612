"""A page of a cited passage shows its document as the newest index has it, and goes with its passage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from bot.errors import LinkEnded
from knowledge.documents import Chunk
from tests.fakes.model import Script, ScriptedGenerator
from tests.stored import everything_in
from tests.workers.desk import ANSWER, saying, until
from tests.workers.library import BONUS, DESK, IN_CHANNEL, SECTIONS, Library, cite, delete, narrow, opened, reword
from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.following import Following
from workers.provenance import Provenances
from workers.replies import passage_addresses
from workers.votes.votes import Votes

changes = pytest.mark.parametrize("change", [delete, narrow, reword])


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    with saying(Script(ANSWER)) as model:
        yield model


@pytest.fixture
def following(store: redis.Redis, library: Library, generator: ScriptedGenerator, citing: Citing) -> Following:
    made = Following(
        library.retriever,
        Conversations(store),
        generator,
        citing,
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    )
    made.follow()
    return made


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

    Following(
        library.retriever,
        Conversations(store),
        generator,
        citing,
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    ).follow()

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
