"""App Home: everybody sees what the desk can do, administrators the index and the gaps, which they answer there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.access import Access
from bot.errors import DeliveryError
from bot.home import MAX_QUESTION_CHARS, GapAnswer
from bot.inbox import Inbox
from bot.messages import Action, Command
from bot.slack.front_door import SlackFrontDoor
from knowledge.documents import MAX_PREFIX_CHARS
from tests.fakes.slack import FakeSlack, Fault
from tests.fakes.slack_events import TEAM, envelope
from tests.knowledge.conftest import HashedEmbedder
from tests.workers.desk import make_clerk, order, slack_sender
from tests.workers.gaps.asking_in_vain import VAIN
from tests.workers.gaps.test_gaps import note
from tests.workers.gaps.test_topics import asking
from tests.workers.making import NoHints
from workers.acting import act
from workers.controls import Controls
from workers.gaps.gaps import Gaps
from workers.gaps.topics import Sorting
from workers.home import MOST_TOPICS
from workers.phrases import SUGGESTIONS
from workers.services import Clerk

ADMIN, OTHER = "U1", "U2"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def clerk(store: redis.Redis, slack: FakeSlack) -> Clerk:
    access = Access(store, "pairing", frozenset({f"slack:{ADMIN}"}))
    return make_clerk(store, {"slack": slack_sender(slack, store)}, access=access)


@pytest.fixture
def door(store: redis.Redis) -> SlackFrontDoor:
    return SlackFrontDoor(None, Inbox(store, NoHints()))


@pytest.fixture
def number(store: redis.Redis) -> int:
    """The number of the gap that was asked in vain."""
    note(store, asking(1, VAIN), asking(2, VAIN, "console:u2"))
    Sorting(Gaps(store), HashedEmbedder).sort()
    return Gaps(store).topics()[0].number


def opened(user: str) -> Command:
    where = {"team": TEAM, "channel": user, "channel_type": "im", "thread_ts": "", "user": user}
    return Command("slack", f"slack:{TEAM}:{user}", f"slack:{user}", "home", "", "", time.time(), where)


def pressed(name: str, value: str, user: str, trigger_id: str = "") -> Action:
    where = {"team": TEAM, "channel": user, "channel_type": "im", "thread_ts": "", "user": user}
    reply_to = where | {"trigger_id": trigger_id}
    return Action("slack", f"slack:{TEAM}:{user}", f"slack:{user}", name, value, time.time(), reply_to, "ja")


def written(number: int, user: str = ADMIN, question: str = "駐車場は？", answer: str = "裏です。") -> Action:
    return pressed("gap_answer", GapAnswer(number, question, answer).to_text(), user)


def home(slack: FakeSlack, user: str) -> str:
    """What the person's Home shows."""
    return slack.workspace.interactions.home_of(user)


def carry_out(store: redis.Redis, clerk: Clerk) -> None:
    """What the clerk does about everything that was taken in."""
    controls = Controls(store)
    for control_id in controls.due():
        assert controls.carry_out(control_id, lambda name, event: act(name, event, clerk)) == "done"


def test_who_opens_it_reads_what_the_desk_can_do_in_their_language(slack: FakeSlack, clerk: Clerk) -> None:
    slack.workspace.users[OTHER]["locale"] = "en-GB"
    slack.workspace.users[ADMIN]["locale"] = "ja-JP"

    act("1", opened(OTHER), clerk)
    act("2", opened(ADMIN), clerk)

    assert "What I can do" in home(slack, OTHER)
    assert SUGGESTIONS["en"][0] in home(slack, OTHER)
    assert "窓口でできること" in home(slack, ADMIN)
    assert SUGGESTIONS["ja"][0] in home(slack, ADMIN)


def test_only_administrators_see_the_index_and_the_gaps(slack: FakeSlack, clerk: Clerk, number: int) -> None:
    act("1", opened(ADMIN), clerk)
    act("2", opened(OTHER), clerk)

    assert VAIN in home(slack, ADMIN)
    assert f"{number}: 2回、2人" in home(slack, ADMIN)
    assert "console" not in home(slack, ADMIN)
    assert VAIN not in home(slack, OTHER)
    assert "管理者" not in home(slack, OTHER)


def test_a_gap_is_answered_from_its_dialog_and_the_home_shows_it(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int
) -> None:
    act("1", pressed("gap_open", str(number), ADMIN, slack.workspace.interactions.trigger(ADMIN)), clerk)
    ((user, dialog),) = slack.workspace.interactions.views
    assert (user, dialog["callback_id"], dialog["private_metadata"]) == (ADMIN, "gap_answer", f"ja {number}")

    act("2", written(number), clerk)

    (entry,) = Gaps(store).answers().values()
    assert (entry.question, entry.answer, entry.audience) == ("駐車場は？", "裏です。", frozenset({"public"}))
    assert "gap_open" not in home(slack, ADMIN)


def test_the_same_answer_again_after_a_crash_is_the_same_answer(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int
) -> None:
    slack.fail("views.publish", Fault(status=500))
    answer = written(number)
    with pytest.raises(DeliveryError):
        act("1", answer, clerk)

    act("1", answer, clerk)

    assert len(Gaps(store).answers()) == 1
    assert slack.workspace.calls["chat.postMessage"] == 0


def test_who_comes_second_is_told_that_theirs_was_not_taken(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int
) -> None:
    act("1", written(number), clerk)
    act("2", written(number, answer="別の答え"), clerk)
    act("3", written(99), clerk)

    assert [entry.answer for entry in Gaps(store).answers().values()] == ["裏です。"]
    told = slack.visible(f"D{ADMIN}")
    assert "もう答えがあります" in told[0]
    assert "もう一覧にありません" in told[1]


def test_a_gap_is_dropped(store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int) -> None:
    act("1", pressed("gap_drop", str(number), ADMIN), clerk)
    act("1", pressed("gap_drop", str(number), ADMIN), clerk)

    assert Gaps(store).all() == []
    assert "答えられなかった質問はありません" in home(slack, ADMIN)


def test_what_nobody_but_an_administrator_may_do_is_refused_to_who_forges_it(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int
) -> None:
    act("1", pressed("gap_open", str(number), OTHER, slack.workspace.interactions.trigger(OTHER)), clerk)
    act("2", written(number, OTHER), clerk)
    act("3", pressed("gap_drop", str(number), OTHER), clerk)

    assert slack.workspace.interactions.views == []
    assert Gaps(store).answers() == {}
    assert len(Gaps(store).all()) == 2
    assert VAIN not in home(slack, OTHER)


@pytest.mark.parametrize("value", ["", "x", "-1", "99", "３", "1" * 400])
@pytest.mark.parametrize("name", ["gap_open", "gap_drop", "gap_answer"])
def test_a_number_that_is_none_changes_nothing(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int, name: str, value: str
) -> None:
    act("1", pressed(name, value, ADMIN, slack.workspace.interactions.trigger(ADMIN)), clerk)

    assert slack.workspace.interactions.views == []
    assert (Gaps(store).answers(), len(Gaps(store).all())) == ({}, 2)


@pytest.mark.parametrize(("question", "answer"), [("", "答え"), ("長" * 300, "答え"), ("質問", "\u200b")])
def test_a_forged_form_is_no_answer(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, number: int, question: str, answer: str
) -> None:
    act("1", written(number, question=question, answer=answer), clerk)

    assert Gaps(store).answers() == {}
    assert "加えられませんでした" in slack.visible(f"D{ADMIN}")[0]


def test_a_dialog_that_comes_too_late_is_no_failure(slack: FakeSlack, clerk: Clerk, number: int) -> None:
    trigger = slack.workspace.interactions.trigger(ADMIN)
    slack.workspace.interactions.passed_s = 10.0

    act("1", pressed("gap_open", str(number), ADMIN, trigger), clerk)

    assert slack.workspace.interactions.views == []


def test_more_gaps_than_a_home_has_room_for_are_counted(store: redis.Redis, slack: FakeSlack, clerk: Clerk) -> None:
    note(store, *(asking(n, f"{n}番の質問") for n in range(MOST_TOPICS + 5)))
    gaps = Gaps(store)
    for gap in gaps.all():
        gaps.put(gap.id, gaps.new_topic())

    act("1", opened(ADMIN), clerk)

    assert "ほか5件" in home(slack, ADMIN)


@pytest.mark.parametrize("error", ["not_enabled", "user_not_found"])
def test_a_home_that_cannot_be_shown_is_no_failure(slack: FakeSlack, clerk: Clerk, error: str) -> None:
    slack.fail("views.publish", Fault(error=error))

    act("1", opened(ADMIN), clerk)


def test_a_platform_without_homes_shows_none(store: redis.Redis) -> None:
    act("1", order("home"), make_clerk(store))


def test_from_the_opened_tab_to_the_answer_and_the_erasure_through_the_front_door(
    store: redis.Redis, slack: FakeSlack, clerk: Clerk, door: SlackFrontDoor, number: int
) -> None:
    event = {"type": "app_home_opened", "user": ADMIN, "tab": "home", "event_ts": "1700000000.000100"}
    assert door.take(envelope(event)).status == 200
    carry_out(store, clerk)
    view = slack.workspace.interactions.homes[ADMIN]
    buttons = {e["action_id"]: e for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]}

    who: dict[str, Any] = {"user": {"id": ADMIN}, "team": {"id": TEAM}}
    press = {**buttons["gap_open"], "action_ts": "1700000200.000100"}
    trigger = slack.workspace.interactions.trigger(ADMIN)
    assert door.take({"type": "block_actions", **who, "trigger_id": trigger, "actions": [press]}).status == 200
    carry_out(store, clerk)
    (_, dialog), *_ = slack.workspace.interactions.views

    sent = {"type": "view_submission", **who, "view": dialog | {"id": "V1", "state": {"values": {}}}}
    assert "errors" in str(door.take(sent).body)
    values = {"question": {"words": {"value": "駐車場は？"}}, "answer": {"words": {"value": "裏です。"}}}
    filled = sent | {"view": sent["view"] | {"state": {"values": values}}}
    assert (door.take(filled).status, door.take(filled).body) == (200, "")
    forget = {**buttons["home_forget"], "action_ts": "1700000201.000100"}
    assert door.take({"type": "block_actions", **who, "actions": [forget]}).status == 200
    carry_out(store, clerk)

    assert [entry.answer for entry in Gaps(store).answers().values()] == ["裏です。"]
    assert "消しました" in slack.visible(f"D{ADMIN}")[0]


def test_the_dialog_takes_no_longer_question_than_the_documents_do() -> None:
    assert MAX_QUESTION_CHARS == MAX_PREFIX_CHARS
