"""An answer to a gap stands as long as its file does: who deletes or moves that decides."""

from __future__ import annotations

import pytest
import redis

from knowledge.overview import chunks_of
from knowledge.reindexing import reindex, rollback
from knowledge.settings import KnowledgeSettings
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.desk import page
from tests.workers.gaps.asking_in_vain import ENTRY, VAIN, answer_the_gap, ask, bring_into_the_index, in_a_dm, on_line
from tests.workers.making import message
from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.following import Following
from workers.gaps.answers import Publishing
from workers.gaps.gaps import Gaps
from workers.gaps.telling import Telling
from workers.provenance import Provenances
from workers.services import Desk
from workers.votes.votes import Votes
from workers.withdrawing import Withdrawing

FILE = f"{ENTRY.name}.md"


@pytest.fixture
def desk(on_all_platforms: Desk) -> Desk:
    return on_all_platforms


def followed(store: redis.Redis, desk: Desk) -> None:
    """One look of a replies process at what waits for its readers."""
    parts = (desk.retriever, Conversations(store), desk.generator, Citing(store, desk.retriever, {}), Votes(store))
    withdrawing = Withdrawing([desk.senders["line"]], desk.conversations, Gaps(store), desk.retriever)  # type: ignore[list-item]
    Following(*parts, answers=AnswerCache(store), provenances=Provenances(store), withdrawing=withdrawing).follow()


def kept(store: redis.Redis) -> str:
    return "".join(str(store.lrange(key, 0, -1)) for key in store.scan_iter("kept:*"))


def test_a_file_deleted_before_the_index_has_it_is_not_written_again_and_the_question_is_open_again(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    Publishing(store, settings).publish()
    (settings.faq_path / "members" / FILE).unlink()

    Publishing(store, settings).publish()

    assert not (settings.faq_path / "members" / FILE).exists()
    assert [topic.is_answered for topic in Gaps(store).topics()] == [False]


def test_a_question_whose_answer_was_taken_back_can_be_answered_anew_and_is_told_once(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    Publishing(store, settings).publish()
    (settings.faq_path / "members" / FILE).unlink()
    Publishing(store, settings).publish()
    answer_the_gap(store)
    bring_into_the_index(store, settings)

    telling.tell()

    assert sum(ENTRY.answer in text for kind, text in page(store) if kind == "notice") == 1


def test_a_file_moved_to_another_folder_is_told_to_those_whom_that_one_names(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    asked = ask(store, desk, in_a_dm(slack))
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    Publishing(store, settings).publish()
    (settings.faq_path / "console").mkdir()
    (settings.faq_path / "members" / FILE).rename(settings.faq_path / "console" / FILE)
    bring_into_the_index(store, settings)

    telling.tell()

    assert not (settings.faq_path / "members" / FILE).exists()
    assert chunks_of(settings, f"console/{FILE}")
    assert not any(ENTRY.answer in text for text in slack.visible("D1", asked.reply_to["thread_ts"]))


def test_a_file_deleted_after_the_index_had_it_is_told_to_nobody_any_more(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    (settings.faq_path / "members" / FILE).unlink()
    Publishing(store, settings).publish()

    telling.tell()

    assert [kind for kind, _ in page(store)].count("notice") == 0
    assert Gaps(store).all() != []


def test_an_answer_that_an_older_index_brought_back_does_not_have_is_told_to_nobody(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    rollback(settings, embedder=HashedEmbedder())
    Publishing(store, settings).publish()

    telling.tell()

    assert [kind for kind, _ in page(store)].count("notice") == 0
    assert [topic.is_answered for topic in Gaps(store).topics()] == [True]


def test_what_waits_on_line_to_be_told_is_withdrawn_with_its_file(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    telling.tell()
    assert ENTRY.answer in kept(store)
    (settings.faq_path / "members" / FILE).unlink()
    reindex(settings, embedder=HashedEmbedder())

    followed(store, desk)

    assert ENTRY.answer not in kept(store)
    assert VAIN not in kept(store)


def test_what_waits_on_line_to_be_told_is_withdrawn_when_its_file_says_something_else(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    telling.tell()
    (settings.faq_path / "members" / FILE).write_text(f"# {ENTRY.question}\n\n七百円です。\n", "utf-8")
    reindex(settings, embedder=HashedEmbedder())

    followed(store, desk)

    assert ENTRY.answer not in kept(store)


def test_what_waits_on_line_to_be_told_stays_while_the_index_has_it(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    telling.tell()

    followed(store, desk)

    assert ENTRY.answer in kept(store)
