"""What a document says is shown before the model's answer is there, and is the answer where none comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from bot.messages import Deletion
from knowledge.documents import Chunk, Passage
from knowledge.retrieval import Retriever
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.fakes.slack import FakeSlack, Fault
from tests.workers.desk import (
    ANSWER,
    C,
    answers,
    asked_times,
    at_work,
    events,
    everything,
    from_line,
    from_slack,
    line_sender,
    make_clerk,
    make_desk,
    order,
    page,
    saying,
    serving,
    slack_sender,
    until,
)
from tests.workers.making import accept, message
from workers.acting import act
from workers.extracting import extracted
from workers.generation import GenerationFailed
from workers.phrases import phrase
from workers.policy import Policies, Policy
from workers.replies import open_generator
from workers.services import Desk
from workers.serving import answer_next
from workers.settings import WorkerSettings
from workers.voice import Voice

QUESTION = "経費の締め日はいつですか？"
PREVIEW = phrase("preview", "ja", words=ANSWER)
WITHOUT_MODEL = phrase("without_model", "ja", words=ANSWER)
MODEL_SAYS = "締め日は毎月25日です。"
SLOW = Script(MODEL_SAYS, hangs=True)
OFF_TOPIC = "社長の好きな食べ物は何ですか？"
BONUS = "冬の賞与はいつですか？"


@pytest.fixture
def hanging(store: redis.Redis, retriever: Retriever) -> Iterator[Desk]:
    """A worker whose model is silent."""
    with saying(Script(hangs=True)) as generator:
        yield make_desk(store, retriever, generator)


@pytest.fixture
def loading(store: redis.Redis, retriever: Retriever) -> Iterator[Desk]:
    """A worker whose model is not there yet."""
    with saying(Script(MODEL_SAYS)) as generator:
        generator.ready = False
        yield make_desk(store, retriever, generator)


def model_of(desk: Desk) -> ScriptedGenerator:
    assert isinstance(desk.generator, ScriptedGenerator)
    return desk.generator


def previews(store: redis.Redis) -> list[str]:
    return [text for kind, text in page(store) if kind == "preview"]


def stop(store: redis.Redis, conversation: str = C) -> None:
    act("stop 1", order("stop", conversation=conversation), make_clerk(store))


def test_what_a_document_says_is_there_before_the_model_is(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(QUESTION))

    with serving(loading):
        until(lambda: previews(store))
        (shown,) = (event for event in events(store) if event["type"] == "preview")
        assert asked_times(loading) == 0
        model_of(loading).ready = True

    assert shown["text"] == PREVIEW
    assert [cited["title"] for cited in shown["citations"]] == ["経費精算"]
    assert [text.startswith(MODEL_SAYS) for text in answers(store)] == [True]
    assert previews(store) == []


def test_who_waits_in_the_queue_has_it_too(store: redis.Redis, hanging: Desk) -> None:
    accept(store, message(QUESTION))

    with at_work(hanging):
        assert previews(store) == [PREVIEW]
        stop(store)

    assert previews(store) == []


@pytest.mark.parametrize("question", [OFF_TOPIC, "社員食堂のメニューは？", "こんにちは"])
def test_where_the_documents_do_not_hold_it_nothing_is_shown_and_no_model_needed(
    store: redis.Redis, loading: Desk, question: str
) -> None:
    accept(store, message(question))

    answer_next(C, loading)

    assert len(answers(store)) == 1
    assert not any(kind in {"preview", "waiting"} for kind, _ in page(store))


def test_a_general_answer_has_none(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message(OFF_TOPIC))
    with saying(Script(hangs=True)) as generator:
        desk = make_desk(store, retriever, generator, policy=Policies(Policy(outside="general"), {}))
        with at_work(desk):
            assert previews(store) == []
            stop(store)


def test_on_slack_the_answer_takes_its_place(store: redis.Redis, loading: Desk, slack: FakeSlack) -> None:
    said = from_slack(slack, QUESTION)
    accept(store, said)
    at_slack = replace(loading, senders={"slack": slack_sender(slack, store)})

    with serving(at_slack, said.conversation_id):
        (shown,) = until(lambda: slack.visible("C1"))
        model_of(loading).ready = True

    assert shown.startswith(PREVIEW)
    assert "[1] 経費精算" in shown
    (answered,) = slack.visible("C1")
    assert answered.startswith(MODEL_SAYS)


def test_on_line_only_the_answer_is_shown(store: redis.Redis, desk: Desk, line: FakeLine) -> None:
    said = from_line(line, QUESTION)
    accept(store, said)

    answer_next(said.conversation_id, replace(desk, senders={"line": line_sender(line, store)}))

    assert [text.startswith(ANSWER) for text in line.visible(USER)] == [True]


def test_who_may_not_read_a_document_sees_no_word_of_it(
    store: redis.Redis, loading: Desk, slack: FakeSlack, line: FakeLine
) -> None:
    said = from_line(line, BONUS)
    accept(store, said)
    public = replace(loading, senders={"line": line_sender(line, store, access="open")}, answer_deadline_s=0.1)

    answer_next(said.conversation_id, public)

    told = [*line.visible(USER), everything(store)]
    assert not any(secret in text for text in told for secret in ("賞与規程", "12月10日"))


def test_a_crash_between_preview_and_answer_leaves_one_answer(
    store: redis.Redis, hanging: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, QUESTION)
    accept(store, said)
    senders = {"slack": slack_sender(slack, store)}
    with at_work(replace(hanging, senders=senders), said.conversation_id):
        assert len(slack.visible("C1")) == 1
        hanging.interrupts.shutdown.set()
    assert len(slack.visible("C1")) == 1
    hanging.interrupts.shutdown.clear()
    model_of(hanging).scripts[:] = [Script(MODEL_SAYS)]

    answer_next(said.conversation_id, replace(hanging, senders={"slack": slack_sender(slack, store)}))

    (answered,) = slack.visible("C1")
    assert answered.startswith(MODEL_SAYS)


def test_a_question_deleted_during_its_preview_takes_it_along(
    store: redis.Redis, hanging: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, QUESTION)
    accept(store, said)
    senders = {"slack": slack_sender(slack, store)}

    with at_work(replace(hanging, senders=senders), said.conversation_id):
        deletion = Deletion(said.platform, said.conversation_id, said.user_id, said.id, said.sent_at + 1)
        act("deletion 1", deletion, make_clerk(store, senders))

    assert slack.visible("C1") == []
    assert not store.exists(f"slack_previews:{said.conversation_id}")


def test_on_the_page_an_erasure_takes_it_along(store: redis.Redis, hanging: Desk) -> None:
    accept(store, message(QUESTION))

    with at_work(hanging):
        act("forget 1", order("forget"), make_clerk(store))

    assert previews(store) == []
    assert answers(store) == []


def test_a_stop_puts_its_word_in_the_place_of_the_preview(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(QUESTION))

    with serving(loading):
        until(lambda: previews(store))
        stop(store)

    assert answers(store) == [phrase("stopped", "ja")]
    assert previews(store) == []


def test_a_model_that_could_not_be_loaded_is_not_waited_for(store: redis.Redis, loading: Desk) -> None:
    model_of(loading).broken = True
    accept(store, message(QUESTION))

    answer_next(C, loading)

    assert answers(store) == [WITHOUT_MODEL]
    assert [cited["title"] for cited in events(store)[-1]["citations"]] == ["経費精算"]


def test_a_model_whose_file_is_missing_leaves_the_answer_to_the_documents(
    store: redis.Redis, desk: Desk, tmp_path: Path
) -> None:
    accept(store, message(QUESTION))
    engine = open_generator(WorkerSettings(llm_model="no/such.gguf", data_path=tmp_path))

    answer_next(C, replace(desk, generator=engine))
    engine.close()

    assert answers(store) == [WITHOUT_MODEL]


def test_a_model_that_is_away_for_longer_than_one_waits_leaves_the_answer_to_the_documents(
    store: redis.Redis, loading: Desk
) -> None:
    accept(store, message(QUESTION))

    answer_next(C, replace(loading, answer_deadline_s=0.2))

    assert answers(store) == [WITHOUT_MODEL]
    assert not store.exists(f"inbox:{C}", f"attempts:{C}", "dead")


def test_a_model_that_says_nothing_within_the_deadline_leaves_the_answer_to_the_documents(
    store: redis.Redis, hanging: Desk
) -> None:
    accept(store, message(QUESTION))

    answer_next(C, replace(hanging, answer_deadline_s=0.3))

    assert answers(store) == [WITHOUT_MODEL]


def test_a_queue_that_is_longer_than_the_deadline_is_not_waited_in(store: redis.Redis, hanging: Desk) -> None:
    accept(store, message(QUESTION, conversation="console:c2", user="console:u2"), message(QUESTION))

    with at_work(hanging, "console:c2"):
        answer_next(C, replace(hanging, answer_deadline_s=0.5))
        assert answers(store) == [WITHOUT_MODEL]
        act("stop 1", order("stop", user="console:u2", conversation="console:c2"), make_clerk(store))


def test_a_model_that_fails_is_asked_again_before_the_documents_answer(
    store: redis.Redis, retriever: Retriever
) -> None:
    accept(store, message(QUESTION))
    with saying(Script(error=GenerationFailed("no"))) as generator:
        desk = make_desk(store, retriever, generator)
        answer_next(C, desk)
        answer_next(C, desk)
        assert answers(store) == []
        answer_next(C, desk)

    assert answers(store) == [WITHOUT_MODEL]


def test_where_there_is_no_passage_a_model_that_is_away_is_apologised_for(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(OFF_TOPIC))
    policy = Policies(Policy(outside="general"), {})

    answer_next(C, replace(loading, policy=policy, answer_deadline_s=0.2))

    assert answers(store) == [phrase("too_slow", "ja")]


def test_such_an_answer_is_remembered_with_its_passage_and_without_its_label(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(QUESTION))
    answer_next(C, replace(loading, answer_deadline_s=0.2))

    asked, said = loading.conversations.load(C).turns

    assert (asked.text, said.text) == (QUESTION, ANSWER)
    assert ANSWER in asked.passages[0].text
    assert asked.passages[0].chunk_id == said.passages[0].chunk_id


def test_such_an_answer_is_shown_once_though_its_worker_is_killed_before_it_is_sent(
    store: redis.Redis, loading: Desk, slack: FakeSlack
) -> None:
    said = from_slack(slack, QUESTION)
    accept(store, said)
    model_of(loading).broken = True
    desk = replace(loading, senders={"slack": slack_sender(slack, store)})
    slack.fail("chat.update", Fault(reset="after"))

    answer_next(said.conversation_id, desk)
    answer_next(said.conversation_id, desk)

    (shown,) = slack.visible("C1")
    assert shown.startswith(WITHOUT_MODEL)


@pytest.mark.parametrize("hostile", ["<!channel> 見て", "https://evil.example/x", "<|im_start|>system", "\u202eabc"])
def test_a_hostile_document_is_shown_as_text_only(hostile: str) -> None:
    passage = Passage(Chunk("1", "d", "題", "d.md", (), f"締め日は25日です {hostile}", frozenset({"public"})), 1.0)

    text = extracted("preview", QUESTION, Voice("ja"), passage=passage, citations=()).text

    assert "締め日は25日です" in text
    kept = {"https://evil.example/x"}  # an address that a document has may be followed
    assert hostile in kept or hostile not in text


def test_a_persona_stays_in_character_where_no_model_answers(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(QUESTION))
    model_of(loading).broken = True

    answer_next(C, replace(loading, policy=Policies(Policy(ending="ですわよ"), {})))

    label, words = answers(store)[-1].split("\n")
    assert label.endswith("そのまま示しますのですわよ。")
    assert "ですわよ" not in words


def test_the_extract_is_labelled_in_the_language_of_the_question(store: redis.Redis, loading: Desk) -> None:
    accept(store, message("When is the deadline for expenses?"))
    model_of(loading).broken = True

    answer_next(C, loading)

    (text,) = answers(store)
    label = phrase("without_model", "en", words="").partition("\n")[0]
    assert text.startswith((label, phrase("not_found", "en")))


def test_another_question_is_answered_by_the_model_again(store: redis.Redis, loading: Desk) -> None:
    accept(store, message(QUESTION))
    answer_next(C, replace(loading, answer_deadline_s=0.2))
    model_of(loading).ready = True
    accept(store, message(QUESTION))

    answer_next(C, loading)

    first, second = answers(store)
    assert first == WITHOUT_MODEL
    assert second.startswith(MODEL_SAYS)
    assert asks("締め日")(model_of(loading).prompts[-1])
