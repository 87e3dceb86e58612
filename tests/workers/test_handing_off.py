"""Handing off: a question goes to people, once, at its asker's wish, with what their channel may see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bot.errors import DeliveryDeferred
from bot.messages import Command, Deletion, Edit
from bot.platform import Target
from knowledge.documents import MEMBERS, PUBLIC
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.around import LOST, QUESTION, SlackDesk, as_text, buttons
from tests.workers.desk import ANSWER, everything, saying
from workers.acting import act
from workers.handing_off import nearest
from workers.phrases import phrase
from workers.policy import Policy
from workers.provenance import Provenance, Provenances, Seen
from workers.votes.votes import Votes

TOLD = phrase("handed_off", "ja")


@pytest.fixture
def around(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[SlackDesk]:
    with saying(Script(ANSWER)) as generator:
        yield SlackDesk(store, slack, retriever, generator, policy=Policy(hand_off="slack:C2"))


def asked_in(around: SlackDesk, channel: str = "C2") -> list[dict[str, Any]]:
    return [message for message in around.slack.workspace.channels[channel].messages if "bot_id" in message]


@pytest.mark.parametrize("question", [QUESTION, LOST])
def test_people_are_asked_and_the_asker_is_told_so(around: SlackDesk, question: str) -> None:
    answer = around.ask(question)

    around.press(answer, "hand-off")

    (post,) = around.slack.visible("C2")
    assert question in post
    assert "<@U1>" in post
    assert "https://mado.slack.com/archives/C1/p" in json.dumps(asked_in(around), ensure_ascii=False)
    assert around.slack.visible("C1")[-1] == TOLD
    assert "thread_ts" in around.slack.workspace.channels["C1"].messages[-1]


def test_pressed_often_it_asks_and_tells_once(around: SlackDesk) -> None:
    answer = around.ask()

    for _ in range(3):
        around.press(answer, "hand-off")

    assert len(asked_in(around)) == 1
    assert around.slack.visible("C1").count(TOLD) == 1


@pytest.mark.parametrize("trouble", [Fault(reset="after"), Fault(status=500, taken=True), Fault(status=429)])
def test_where_slack_leaves_it_open_people_are_asked_once(around: SlackDesk, trouble: Fault) -> None:
    answer = around.ask()
    around.slack.fail("chat.postMessage", trouble)

    around.press(answer, "hand-off")
    around.store.zadd("controls:due", {str(name): 0 for name in around.store.hkeys("controls")})
    around.carry_out()

    assert len(asked_in(around)) == 1
    assert around.slack.visible("C1").count(TOLD) == 1


def test_only_who_asked_may_hand_it_off(around: SlackDesk) -> None:
    around.press(around.ask(), "hand-off", user="U2")

    assert asked_in(around) == []
    assert around.seen("U2") == [phrase("only_for_asker", "ja")]


def test_without_such_a_channel_there_is_no_such_button(
    store: redis.Redis, slack: FakeSlack, retriever: Retriever
) -> None:
    with saying(Script(ANSWER)) as generator:
        answer = SlackDesk(store, slack, retriever, generator).ask()

    assert set(buttons(answer)) == {"up", "down", "why"}


def test_a_channel_that_is_closed_to_the_bot_is_told_to_the_asker(around: SlackDesk) -> None:
    around.slack.workspace.channels["C2"].has_bot = False

    around.press(around.ask(), "hand-off")

    assert around.seen() == [phrase("hand_off_refused", "ja")]
    assert TOLD not in around.slack.visible("C1")


def test_the_posted_question_goes_with_the_question(around: SlackDesk) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")
    message_id = buttons(answer)["why"].split()[0]

    act("gone", Deletion("slack", message_id, "slack:U1", message_id, time.time()), around.clerk)

    assert asked_in(around) == []
    assert around.store.keys("slack_posts*") == []


def edit(answer: dict[str, Any], words: str, *, at: float = 0.0) -> Edit:
    """Its author edits the question of this answer."""
    c = buttons(answer)["why"].split()[0]
    where = {"team": "T0MADO", "channel": "C1", "channel_type": "channel", "ext_shared": False, "user": "U1"}
    ts = c.rpartition(":")[2]
    return Edit("slack", c, "slack:U1", c, words, at or time.time(), {**where, "thread_ts": ts, "ts": ts})


@pytest.mark.parametrize("asks_again", [True, False])
def test_the_posted_question_says_what_the_question_says_after_an_edit(around: SlackDesk, asks_again: bool) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")
    if not asks_again:
        around.ask_in_thread(answer, LOST)

    act("edited", edit(answer, "領収書は<!channel>どこですか？"), around.clerk)

    (post,) = around.slack.visible("C2")
    assert "領収書は" in post
    assert "どこですか？" in post
    assert QUESTION not in as_text(asked_in(around))
    assert "<!channel>" not in as_text(asked_in(around))
    assert "archives/C1/p" in as_text(asked_in(around))


def test_edited_again_before_it_is_answered_again_it_says_the_newest_words(around: SlackDesk) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")

    act("edited 1", edit(answer, "領収書は？"), around.clerk)
    act("edited 2", edit(answer, "有給は？"), around.clerk)

    (post,) = around.slack.visible("C2")
    assert "有給は？" in post
    assert "領収書は？" not in post


def test_a_question_that_has_no_words_any_more_is_asked_of_nobody(around: SlackDesk) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")

    act("edited", edit(answer, ""), around.clerk)

    assert asked_in(around) == []


def test_an_edit_whose_post_slack_does_not_change_now_is_carried_out_and_comes_again(around: SlackDesk) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")
    around.slack.fail("chat.update", Fault(status=429))

    with pytest.raises(DeliveryDeferred):
        act("edited", edit(answer, "領収書は？"), around.clerk)
    assert QUESTION not in everything(around.store)
    act("edited", edit(answer, "領収書は？"), around.clerk)

    assert QUESTION not in as_text(asked_in(around))


def test_a_post_that_somebody_deleted_holds_no_edit_up(around: SlackDesk) -> None:
    answer = around.ask()
    around.press(answer, "hand-off")
    around.slack.workspace.delete("C2", asked_in(around)[0]["ts"])

    act("edited", edit(answer, "領収書は？"), around.clerk)

    assert asked_in(around) == []


def test_erased_while_it_is_on_its_way_it_does_not_stay(around: SlackDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = around.ask()
    post = around.slack.workspace._methods["chat.postMessage"]

    def posted_and_erased(arguments: dict[str, Any]) -> dict[str, Any]:
        told = post(arguments)
        if arguments["channel"] == "C2":
            around.store.delete(*around.store.keys("slack_posts*"))
        return told

    monkeypatch.setitem(around.slack.workspace._methods, "chat.postMessage", posted_and_erased)

    around.press(answer, "hand-off")

    assert asked_in(around) == []


def meanwhile(around: SlackDesk, patch: pytest.MonkeyPatch, method: str, happens: Callable[[], object]) -> None:
    """While Slack carries out this method, this happens, once."""
    carried_out = around.slack.workspace._methods[method]
    once = iter([happens])

    def both(arguments: dict[str, Any]) -> dict[str, Any]:
        for step in once:
            step()
        return carried_out(arguments)

    patch.setitem(around.slack.workspace._methods, method, both)


def deletes(around: SlackDesk, answer: dict[str, Any]) -> Callable[[], None]:
    """Its author deletes the question of this answer."""
    message_id = buttons(answer)["why"].split()[0]
    gone = Deletion("slack", message_id, "slack:U1", message_id, time.time())
    return lambda: act("gone", gone, around.clerk)


def test_erased_before_it_is_posted_it_does_not_stay(around: SlackDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = around.ask()
    meanwhile(around, monkeypatch, "conversations.info", deletes(around, answer))

    around.press(answer, "hand-off")

    assert asked_in(around) == []
    assert TOLD not in around.slack.visible("C1")


def test_a_vote_that_comes_while_the_post_is_taken_away_goes_too(
    around: SlackDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = around.ask()
    message_id = buttons(answer)["why"].split()[0]
    record = Provenances(around.store).get(message_id, message_id)
    around.press(answer, "hand-off")

    def kept() -> None:
        around.press(answer, "up")
        assert record is not None
        turn = around.desk.conversations.load(message_id).turns[0]
        Provenances(around.store).keep(record, turn, around.desk.retriever.known)

    meanwhile(around, monkeypatch, "chat.delete", kept)
    deletes(around, answer)()

    assert Votes(around.store).all() == []
    assert Provenances(around.store).get(message_id, message_id) is None


def test_a_question_of_a_command_is_handed_off_without_a_link(around: SlackDesk) -> None:
    around.command()

    around.press(around.alone(), "hand-off")

    assert QUESTION in around.slack.visible("C2")[0]
    assert "archives" not in json.dumps(asked_in(around))
    assert around.seen()[-1] == TOLD


def found(*audiences: str, cited: bool = True) -> Provenance:
    seen = tuple(Seen(f"c{a}", f"規程{a}", "", 0.5, "x.md", "https://desk/p", (a,), cited) for a in audiences)
    return Provenance(("m",), "c", "slack:U1", seen, "gen-1")


def test_the_channel_sees_only_what_it_may_and_no_page_made_for_others() -> None:
    record = found(PUBLIC, MEMBERS, "slack:C1")

    assert [one.title for one in nearest(record, frozenset({PUBLIC, MEMBERS, "slack:C2"}))] == [
        "規程public",
        "規程members",
    ]
    assert [one.title for one in nearest(record, frozenset({PUBLIC}))] == ["規程public"]
    assert all(one.page == "" for one in nearest(record, frozenset({PUBLIC, MEMBERS, "slack:C1"})))


def test_a_channel_that_another_company_reads_sees_public_documents_only(
    store: redis.Redis, slack: FakeSlack, retriever: Retriever
) -> None:
    slack.workspace.interactions.shared.add("C2")
    with saying(Script("冬の賞与は12月10日に基本給の2か月分を支給します。")) as generator:
        around = SlackDesk(store, slack, retriever, generator, policy=Policy(hand_off="slack:C2"))
        around.press(around.ask("冬の賞与はいつ支給されますか？"), "hand-off")

    (post,) = slack.visible("C2")
    assert "賞与規程" not in post
    assert "冬の賞与" in post


@pytest.mark.parametrize("wrong", ["C2", "slack:", "line:C2", "slack:C2 ", "slack:<!channel>"])
def test_a_channel_that_is_none_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="hand_off"):
        Policy(hand_off=wrong)


def leaves(place: str) -> Command:
    return Command("slack", place, "slack:", "leave", "", "", time.time(), {})


@pytest.mark.parametrize("place", ["slack:T0MADO:C1", "slack:T0MADO"])
def test_what_was_handed_off_goes_with_the_place_that_the_bot_is_shut_out_of(around: SlackDesk, place: str) -> None:
    around.press(around.ask(), "hand-off")

    act("left", leaves(place), around.clerk)

    assert asked_in(around) == []
    assert not list(around.store.scan_iter(match="slack_posts:*"))


def test_what_was_handed_off_from_another_channel_stays(around: SlackDesk) -> None:
    around.press(around.ask(), "hand-off")

    act("left", leaves("slack:T0MADO:C"), around.clerk)

    assert len(asked_in(around)) == 1


def test_what_cannot_be_taken_away_yet_is_known_until_it_is(around: SlackDesk) -> None:
    around.press(around.ask(), "hand-off")
    around.slack.fail("chat.delete", Fault(status=429))

    with pytest.raises(DeliveryDeferred):
        act("left", leaves("slack:T0MADO:C1"), around.clerk)
    assert QUESTION not in as_text([around.store.lrange(key, 0, -1) for key in around.store.scan_iter(match="turns:*")])
    act("left", leaves("slack:T0MADO:C1"), around.clerk)

    assert asked_in(around) == []


def test_a_question_asked_in_private_is_not_linked(around: SlackDesk) -> None:
    private = {"channel": "D1", "channel_type": "im", "ts": "1700000000.000100", "team": "T0MADO", "user": "U1"}

    around.sender.hand_off("slack:C2", Target("m", "slack:T0MADO:D1", "ja", private), QUESTION, ())

    assert "archives" not in json.dumps(asked_in(around), ensure_ascii=False)
