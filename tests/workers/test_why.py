"""Why: what an answer was made from, for who asked alone, as long as the documents are as they were."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.messages import Control, Deletion, Edit, Reply
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.around import LOST, QUESTION, SlackDesk, buttons
from tests.workers.desk import ANSWER, order, saying
from tests.workers.library import BONUS, Library, delete, narrow
from workers.acting import act
from workers.answer import Answer
from workers.conversation import Turn
from workers.phrases import phrase
from workers.provenance import MOST, Provenance, Provenances, Seen

ON_SLACK: dict[str, Any] = {
    "platform": "slack",
    "reply_to": {"team": "T0MADO", "channel": "D1", "channel_type": "im", "thread_ts": "", "ts": "", "user": "U1"},
}
GONE = phrase("answer_gone", "ja")


@pytest.fixture
def around(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[SlackDesk]:
    with saying(Script(ANSWER)) as generator:
        yield SlackDesk(store, slack, retriever, generator)


def test_its_asker_reads_what_the_answer_was_made_from(around: SlackDesk) -> None:
    answer = around.ask()

    assert around.press(answer, "why").status == 200

    (why,) = around.seen()
    assert "経費精算 > 締め日" in why
    assert "答えの根拠" in why
    assert "gen-" in why
    assert "a-model" in why
    assert "検索" in why
    assert len(around.slack.visible("C1")) == 1  # nothing of it in the channel


def test_somebody_else_reads_one_polite_sentence(around: SlackDesk) -> None:
    around.press(around.ask(), "why", user="U2")

    assert around.seen("U2") == [phrase("only_for_asker", "ja")]
    assert around.seen("U1") == []


def test_what_was_not_found_is_explained_too(around: SlackDesk) -> None:
    around.press(around.ask(LOST), "why")

    assert phrase("why_near", "ja") in around.seen()[0] or phrase("why_nothing", "ja") in around.seen()[0]
    assert phrase("why_no_model", "ja") in around.seen()[0]


def test_an_answer_that_is_not_remembered_has_no_such_button(around: SlackDesk) -> None:
    assert buttons(around.ask("ありがとう")) == {}


def test_sentences_without_ground_are_counted(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}社長は毎朝パンを焼きます。")) as generator:
        around = SlackDesk(store, slack, retriever, generator)
        around.press(around.ask(), "why")

    assert phrase("why_left_out", "ja", count=1) in around.seen()[0]


@pytest.mark.parametrize("how", ["delete", "edit", "forget"])
def test_it_is_gone_with_the_question_and_with_the_person(around: SlackDesk, store: redis.Redis, how: str) -> None:
    answer = around.ask()
    message_id = conversation = buttons(answer)["why"].split()[0]
    assert store.exists(f"provenance:{message_id}")
    events: dict[str, Control] = {
        "delete": Deletion("slack", conversation, "slack:U1", message_id, time.time()),
        "edit": Edit("slack", conversation, "slack:U1", message_id, "ほかの質問", time.time()),
        "forget": replace(order("forget", user="slack:U1", conversation=conversation), **ON_SLACK),
    }

    act("gone", events[how], around.clerk)
    around.press(answer, "why")

    assert "経費精算" not in kept(store)
    assert around.seen()[-1] == GONE


def test_another_conversations_button_tells_nothing(around: SlackDesk) -> None:
    first, second = around.ask(), around.ask()

    around.press(second, "why", value=buttons(first)["why"])

    assert around.seen() == [GONE]


@pytest.mark.parametrize("trouble", [Fault(status=500), Fault(error="user_not_in_channel"), Fault(reset="after")])
def test_what_may_have_been_told_is_not_told_again(around: SlackDesk, trouble: Fault) -> None:
    answer = around.ask()
    around.slack.fail("chat.postEphemeral", trouble)

    around.press(answer, "why")

    assert around.carry_out() == []
    assert around.slack.workspace.calls["chat.postEphemeral"] <= 1


def kept(store: redis.Redis) -> str:
    """All that is kept of what answers were made from."""
    return "".join(str(store.get(key)) for key in store.scan_iter("provenance:*"))


def record(chunk_id: str, message_id: str = "slack:T:C:1.1", title: str = "規程") -> Provenance:
    seen = Seen(chunk_id, title, "第3条", 0.5, "rules.md", "", ("members",), is_cited=True)
    return Provenance((message_id,), "slack:T:C:1.1", "slack:U1", (seen,), "gen-1")


def keep(store: redis.Redis, kept: Provenance, library: Library) -> None:
    asked = Turn("user", ("賞与は？",), kept.user_id, kept.message_ids)
    store.rpush(f"turns:{kept.conversation_id}", asked.to_json())
    Provenances(store).keep(kept, asked, library.retriever.known)


@pytest.mark.parametrize("change", [delete, narrow])
def test_titles_leave_with_their_document(
    store: redis.Redis, library: Library, change: Callable[[Library], None]
) -> None:
    keep(store, record(library.bonus().chunk.id), library)
    assert Provenances(store).get("slack:T:C:1.1", "slack:T:C:1.1")

    change(library)
    library.retriever.follow()
    Provenances(store).refresh(library.retriever.known)

    assert Provenances(store).get("slack:T:C:1.1", "slack:T:C:1.1") is None
    assert "規程" not in kept(store)


def test_a_document_that_left_while_it_was_cited_is_not_named(store: redis.Redis, library: Library) -> None:
    bonus = library.bonus().chunk.id
    delete(library)
    library.retriever.follow()

    keep(store, record(bonus), library)

    assert Provenances(store).get("slack:T:C:1.1", "slack:T:C:1.1") is None


def test_what_was_erased_meanwhile_is_not_brought_back(store: redis.Redis, library: Library) -> None:
    asked = Turn("user", (BONUS,), "slack:U1", ("slack:T:C:1.1",))
    Provenances(store).keep(record(library.bonus().chunk.id), asked, library.retriever.known)

    assert store.keys("provenance*") == []


def test_the_oldest_go(store: redis.Redis, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.provenance.MOST", 3)
    for number in range(5):
        keep(store, record(library.bonus().chunk.id, f"slack:T:C:{number}.1"), library)

    assert store.zcard("provenances") == len(store.keys("provenance:*")) == 3
    assert MOST == 2_000


def test_an_answer_written_down_keeps_what_it_was_made_from() -> None:
    made = Answer(Reply("25日です。", offers=("why",)), provenance=record("c1"), is_cached=True)

    assert Answer.from_json(made.to_json()) == made


def test_the_languages_are_the_buttons(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> None:
    with saying(Script("The error E-517 means that 40 people are connected.")) as generator:
        around = SlackDesk(store, slack, retriever, generator)
        around.press(around.ask("What does the error E-517 mean?"), "why")

    assert phrase("why_found", "en") in around.seen()[0]
    assert QUESTION not in around.seen()[0]


@pytest.mark.parametrize("pressed", ["why", "vote"])
def test_what_is_pressed_before_the_answer_is_remembered_counts_when_it_is(
    around: SlackDesk, store: redis.Redis, pressed: str
) -> None:
    answer = around.ask()
    conversation = f"slack:T0MADO:C1:{answer['thread_ts']}"
    remembered = [key for key in map(str, store.scan_iter()) if key.startswith(("provenance:", "turns:"))]
    for key in remembered:
        store.rename(key, f"aside:{key}")
    store.hset(f"batch:{conversation}", "ids", json.dumps([conversation]))

    around.press(answer, pressed, value=buttons(answer)["up" if pressed == "vote" else pressed])
    assert (around.seen(), store.hlen("controls")) == ([], 1)
    for key in remembered:
        store.rename(f"aside:{key}", key)
    store.delete(f"batch:{conversation}")
    store.zadd("controls:due", {str(name): 0 for name in store.hkeys("controls")})

    assert around.carry_out() == ["done"]
    assert GONE not in around.seen()
    assert len(around.seen()) == (1 if pressed == "why" else 0)
    assert store.hlen("votes") == (1 if pressed == "vote" else 0)
