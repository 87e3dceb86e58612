"""What an administrator answers once comes into the index, and everybody who asked is told where they asked."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import redis

from bot.access import Access
from bot.console.sender import ConsoleSender
from bot.errors import DeliveryDeferred
from bot.messages import Deletion
from bot.platform import Journal, Target
from knowledge.faq import FaqEntry
from knowledge.overview import overview
from knowledge.settings import KnowledgeSettings
from tests.fakes import line_events, slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack, Fault
from tests.stored import everything_in
from tests.workers.desk import from_slack, line_sender, make_clerk, order, page
from tests.workers.gaps.asking_in_vain import ENTRY, VAIN, answer_the_gap, ask, bring_into_the_index, in_a_dm, on_line
from tests.workers.making import message
from workers.acting import act
from workers.gaps.answers import Publishing
from workers.gaps.gaps import Gaps
from workers.gaps.telling import Telling
from workers.indexing import Indexing
from workers.phrases import phrase
from workers.runs import Runs
from workers.services import Desk


@pytest.fixture
def desk(on_all_platforms: Desk) -> Desk:
    return on_all_platforms


def told(asked: str = VAIN, entry: FaqEntry = ENTRY, language: str = "ja") -> str:
    return phrase("gap_told", language, asked=asked, answer=entry.answer, title=entry.question)


def test_who_asked_in_a_dm_is_told_there_and_the_next_who_asks_is_answered(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    asked = ask(store, desk, in_a_dm(slack))
    answer_the_gap(store)
    telling.tell()
    (not_found,) = slack.visible("D1", asked.reply_to["ts"])
    bring_into_the_index(store, settings)

    telling.tell()
    telling.tell()

    assert slack.visible("D1", asked.reply_to["ts"]) == [not_found, told()]
    again = ask(store, desk, in_a_dm(slack, user="U2"))
    assert ENTRY.answer in slack.visible("D1", again.reply_to["ts"])[0]
    assert Gaps(store).topics() == []
    assert Gaps(store).answers() == {}
    assert Gaps(store).indexed() == {}


def test_on_line_it_waits_for_the_next_free_token_and_no_push_is_sent(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    before = line.visible(line_events.USER)

    telling.tell()

    assert line.visible(line_events.USER) == before
    ask(store, desk, on_line(line, "経費の締め日はいつですか？"))
    assert told() in line.visible(line_events.USER)[1]
    assert line.calls_of("/v2/bot/message/push") == []


def test_who_is_not_let_in_any_more_is_told_nothing_and_nothing_is_kept_for_them(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, line: FakeLine
) -> None:
    asked = ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    shut_out = line_sender(line, store, Access(store, "pairing", frozenset()))

    Telling(store, {**desk.senders, "line": shut_out}).tell()

    assert not store.exists(f"kept:{asked.conversation_id}")
    assert Gaps(store).topics() == []


def test_on_the_console_it_is_a_notice_and_an_english_asker_reads_english(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling
) -> None:
    asked = "How much is the fried chicken in the cafeteria?"
    ask(store, desk, message(asked))
    answer_the_gap(store)
    bring_into_the_index(store, settings)

    telling.tell()

    assert page(store)[-1] == ("notice", told(asked, language="en"))


def test_whoever_asked_is_told_once_and_so_is_a_thread(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    first = ask(store, desk, from_slack(slack, VAIN))
    thread = first.reply_to["thread_ts"]
    ask(store, desk, from_slack(slack, VAIN, user="U2", thread_ts=thread))
    ask(store, desk, from_slack(slack, VAIN, user="U3"))
    ask(store, desk, from_slack(slack, VAIN, user="U3"))
    answer_the_gap(store)
    bring_into_the_index(store, settings)

    telling.tell()

    posted = [message["text"] for message in slack.workspace.channels["C1"].messages]
    assert slack.visible("C1", thread).count(told()) == 1
    assert sum(ENTRY.answer in text for text in posted) == 2
    assert Gaps(store).all() == []


def test_it_is_told_only_where_the_answer_may_be_read(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    member = ask(store, desk, in_a_dm(slack))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    slack.workspace.users["U1"] = slack_events.user("U1", is_restricted=True)  # a guest by now
    store.delete(f"slack:member:{slack_events.TEAM}:U1")

    telling.tell()

    assert told() not in slack.visible("D1", member.reply_to["ts"])
    assert Gaps(store).all() == []


def test_a_clerk_killed_after_slack_took_it_leaves_nothing_to_be_told_twice(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    asked = ask(store, desk, in_a_dm(slack))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    slack.fail("chat.postMessage", Fault(reset="after"))  # it is there, and nobody here has heard of it

    telling.tell()
    Telling(store, desk.senders).tell()

    assert slack.visible("D1", asked.reply_to["ts"]).count(told()) == 1


def test_a_platform_that_is_down_is_tried_again(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, slack: FakeSlack
) -> None:
    asked = ask(store, desk, in_a_dm(slack))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    slack.goes_down()
    Telling(store, desk.senders).tell()
    slack.comes_back()
    assert len(Gaps(store).all()) == 1

    Telling(store, desk.senders).tell()  # another clerk, or this one half a minute later

    assert slack.visible("D1", asked.reply_to["ts"])[-1] == told()


def test_who_was_forgotten_is_not_told_and_the_document_stays(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    asked = ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    forget = replace(order("forget", user=asked.user_id, conversation=asked.conversation_id), platform="line")

    telling.tell()
    act("o1", replace(forget, reply_to={**asked.reply_to, "reply_token": ""}), make_clerk(store, desk.senders))

    assert VAIN not in everything_in(store)
    assert ENTRY.answer not in str(store.lrange(f"kept:{asked.conversation_id}", 0, -1))
    assert (settings.faq_path / "members" / f"{ENTRY.name}.md").exists()


def test_a_message_that_is_unsent_takes_along_what_was_kept_to_tell_of_it(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, line: FakeLine
) -> None:
    asked = ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    telling.tell()
    assert VAIN in everything_in(store)

    unsent = Deletion("line", asked.conversation_id, asked.user_id, asked.id, asked.sent_at)
    act("d1", unsent, make_clerk(store, desk.senders))

    assert VAIN not in everything_in(store)


def test_who_is_forgotten_while_being_told_leaves_nothing_that_was_kept(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(store, desk, on_line(line))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    confirm = desk.senders["line"].confirm

    def erased_in_the_middle(*arguments: object) -> None:
        desk.conversations.erase(asked.conversation_id, speaker=asked.user_id)
        confirm(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.senders["line"], "confirm", erased_in_the_middle)
    Telling(store, desk.senders).tell()

    assert VAIN not in everything_in(store)


def test_until_the_index_has_it_nobody_is_told_however_often_the_processes_are_killed(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    for _ in range(2):
        Publishing(store, settings).publish()  # each time a process that knows nothing of the one before
        telling.tell()
    assert [kind for kind, _ in page(store)].count("notice") == 0

    bring_into_the_index(store, settings)
    telling.tell()

    assert [kind for kind, _ in page(store)].count("notice") == 1
    (source,) = [one for one in overview(settings).sources if one.title == "FAQ"]
    assert (source.documents, source.audience) == (1, ("members",))


def test_a_reindexing_that_fails_is_not_wished_for_again_at_once(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    shutil.rmtree(settings.knowledge_path)
    publishing = Publishing(store, settings)
    publishing.publish()
    Indexing(store, settings).take_up()

    publishing.publish()

    last = Runs(store).last()
    assert last is not None
    assert last["state"] == "failed"
    assert Runs(store).wished() is None
    assert Gaps(store).answers() != {}


def test_words_of_asker_and_administrator_call_nobody(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, slack: FakeSlack
) -> None:
    hostile = replace(ENTRY, answer="<!channel> 見て https://wiki.example.jp/lunch", question="@here 値段は？")
    ask(store, desk, in_a_dm(slack, f"<@U2> {VAIN}"))
    answer_the_gap(store, hostile)
    bring_into_the_index(store, settings)

    telling.tell()

    posted = slack.workspace.channels["D1"].messages[-1]
    assert not any(call in str(posted) for call in ("<!channel>", "<@U2>", "@here"))
    assert "https://wiki.example.jp/lunch" in posted["text"]


def test_a_deferred_telling_is_not_lost(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    bring_into_the_index(store, settings)

    def deferred(*_: object) -> None:
        raise DeliveryDeferred("later", 0.0)

    with monkeypatch.context() as patched:
        patched.setattr(type(desk.senders["console"]), "confirm", deferred)
        telling.tell()
    Telling(store, desk.senders).tell()

    assert page(store)[-1][0] == "notice"


@pytest.mark.parametrize("platform", ["slack", "line", "console"])
def test_a_clerk_killed_before_it_noted_that_it_has_told_tells_nobody_twice(
    store: redis.Redis,
    settings: KnowledgeSettings,
    desk: Desk,
    slack: FakeSlack,
    line: FakeLine,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
) -> None:
    asked = ask(store, desk, {"slack": in_a_dm(slack), "line": on_line(line), "console": message(VAIN)}[platform])
    answer_the_gap(store)
    bring_into_the_index(store, settings)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Gaps, "drop", killed)
        with pytest.raises(KeyboardInterrupt):
            Telling(store, desk.senders).tell()
    store.delete(f"claim:{asked.id}")  # a minute later
    Telling(store, desk.senders).tell()

    in_slack = slack.visible("D1", asked.reply_to["thread_ts"]) if platform == "slack" else []
    on_the_page = [text for kind, text in page(store) if kind == "notice"]
    kept: list[str] = store.lrange(f"kept:{asked.conversation_id}", 0, -1)  # type: ignore[assignment]
    assert sum(ENTRY.answer in text for text in (*in_slack, *on_the_page, *kept)) == 1
    assert Gaps(store).all() == []


def test_of_two_clerks_one_tells(
    store: redis.Redis, settings: KnowledgeSettings, desk: Desk, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(store, desk, message(VAIN))
    answer_the_gap(store)
    bring_into_the_index(store, settings)
    confirm, told_by = ConsoleSender.confirm, list[str]()

    def while_another_looks(self: ConsoleSender, target: Target, text: str, journal: Journal) -> None:
        told_by.append(target.message_id)
        if len(told_by) == 1:
            Telling(store, desk.senders).tell()
        confirm(self, target, text, journal)

    monkeypatch.setattr(ConsoleSender, "confirm", while_another_looks)
    telling.tell()

    assert len(told_by) == 1
