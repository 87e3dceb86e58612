"""A cited passage opens for whom it was cited to, on every platform, where people can reach its page."""

from __future__ import annotations

import pytest
import redis

from bot.store import connect
from knowledge.documents import PUBLIC, Chunk, Passage
from knowledge.retrieval import Retriever
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import ScriptedGenerator
from tests.fakes.slack import FakeSlack
from tests.stored import everything_in
from tests.workers.desk import ANSWER, C, events, from_line, from_slack, line_sender, make_desk, slack_sender
from tests.workers.library import BONUS, DESK, IN_CHANNEL, ON_CONSOLE, SECTIONS, Library, cite, opened
from tests.workers.making import accept, message
from workers.citing import Citing, Place
from workers.replies import passage_addresses
from workers.services import Desk
from workers.serving import answer_next

QUESTION = "経費の締め日はいつですか？"


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
    title, _, page = sent.partition("出典\n")[2].split("\n")[0].rpartition(" ")
    assert title.startswith("経費精算")
    assert page.startswith(f"{DESK}/passages/")
    assert ANSWER in str(opened(store, page).pieces)
