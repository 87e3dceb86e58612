"""An answer says what the documents say, to whom they may say it, names its sources, and admits what it lacks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import redis

from bot.messages import Citation, Reply
from knowledge.retrieval import Retriever
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.workers.desk import (
    ANSWER,
    C,
    answers,
    at_work,
    events,
    everything,
    from_line,
    line_sender,
    make_desk,
    order,
    page,
    saying,
    serving,
    until,
)
from tests.workers.making import accept, message
from workers.answer import Answer
from workers.conversation import Recalled, Turn
from workers.generation import Prompt
from workers.phrases import phrase
from workers.policy import Policies, Policy
from workers.services import Desk
from workers.serving import answer_next

NOT_FOUND = phrase("not_found", "ja")
OFF_TOPIC = "社長の好きな食べ物は何ですか？"
BONUS = "冬の賞与はいつですか？"
BONUS_ANSWER = "冬の賞与は12月10日に支給します。"


def prompts(desk: Desk) -> list[str]:
    """What the model was given, all of it as text."""
    assert isinstance(desk.generator, ScriptedGenerator)
    return ["\n".join(m.text for m in prompt.messages) for prompt in desk.generator.prompts]


def done(store: redis.Redis) -> dict[str, Any]:
    """The last answer as the page got it."""
    return next(event for event in reversed(events(store)) if event["type"] == "done")


def ask(store: redis.Redis, desk: Desk, text: str, user: str = "console:u1") -> str:
    """Ask on the console; the answer."""
    accept(store, message(text, user=user))
    answer_next(C, desk)
    return answers(store)[-1]


def test_an_answer_names_the_passage_that_it_stands_on(store: redis.Redis, desk: Desk) -> None:
    assert ask(store, desk, "経費の締め日はいつですか？") == ANSWER

    (cited,) = done(store)["citations"]
    assert (cited["number"], cited["title"], cited["heading"]) == (1, "経費精算", "締め日")
    assert ANSWER in cited["text"]


def test_an_answer_is_shown_as_it_grows(store: redis.Redis, retriever: Retriever) -> None:
    two = "経費は毎月25日までに申請します。領収書は総務部の青い箱に入れます。"
    with saying(Script(two)) as generator:
        ask(store, make_desk(store, retriever, generator), "経費の締め日と領収書は？")

    assert done(store)["text"] == two
    assert len(done(store)["citations"]) == 2


def test_the_model_is_told_whose_words_it_reads(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, "経費の締め日はいつですか？")

    assert isinstance(desk.generator, ScriptedGenerator)
    assert desk.generator.conversations == [C]


def test_a_question_and_its_answer_are_remembered_with_what_the_model_read(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, "経費の締め日はいつですか？")

    asked, said = desk.conversations.load(C).turns
    assert (asked.text, said.text) == ("経費の締め日はいつですか？", ANSWER)
    assert ANSWER in "".join(quoted.text for quoted in asked.passages)


def test_what_the_documents_do_not_hold_is_said_without_asking_the_model(store: redis.Redis, desk: Desk) -> None:
    text = ask(store, desk, OFF_TOPIC)

    assert text.startswith(NOT_FOUND)
    assert "経費精算" in text
    assert done(store)["citations"] == []
    assert prompts(desk) == []


def test_not_found_says_who_to_ask_where_somebody_is_named(store: redis.Redis, desk: Desk) -> None:
    told = replace(desk, policy=Policies(Policy(contact="総務部 内線100"), {}))

    assert phrase("contact", "ja", contact="総務部 内線100") in ask(store, told, OFF_TOPIC)


def test_not_found_is_in_the_language_of_the_question(store: redis.Redis, desk: Desk) -> None:
    assert ask(store, desk, "How many people were on the moon?").startswith(phrase("not_found", "en"))


def test_a_model_that_declines_has_found_nothing(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("申し訳ありませんが、資料には見つかりませんでした。")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の締め日はいつですか？")

    assert text.startswith(NOT_FOUND)
    assert done(store)["citations"] == []


def test_a_model_that_says_nothing_has_found_nothing(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の締め日はいつですか？")

    assert text.startswith(NOT_FOUND)


def test_a_figure_that_no_passage_has_is_never_shown(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("経費は毎月25日までに申請します。上限は98765円です。")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の締め日はいつですか？")

    assert text == ANSWER
    assert "98765" not in everything(store)


@pytest.mark.parametrize("smuggled", ["www.a.io", "@here"])
def test_a_link_or_a_mention_of_the_models_own_is_not_shown(
    store: redis.Redis, retriever: Retriever, smuggled: str
) -> None:
    with saying(Script(f"領収書は総務部の青い箱に入れます {smuggled}")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "領収書はどこに出しますか？")

    assert text.startswith("領収書は総務部の青い箱に入れます")
    assert smuggled not in everything(store)


def test_a_model_that_hangs_ends_at_its_deadline_with_what_it_has(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ANSWER, hangs=True)) as generator:
        desk = make_desk(store, retriever, generator, answer_deadline_s=0.3)
        assert ask(store, desk, "経費の締め日はいつですか？") == f"{ANSWER}\n{phrase('cut', 'ja')}"


def test_a_sentence_that_is_cut_by_the_deadline_is_not_shown(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}経費", hangs=True)) as generator:
        desk = make_desk(store, retriever, generator, answer_deadline_s=0.3)
        assert ask(store, desk, "経費の締め日はいつですか？") == f"{ANSWER}\n{phrase('cut', 'ja')}"


def test_a_sentence_that_is_cut_by_the_length_is_not_shown_either(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}{ANSWER}")) as generator:
        desk = make_desk(store, retriever, generator, answer_tokens=len(ANSWER) + 5)
        assert ask(store, desk, "経費の締め日はいつですか？") == f"{ANSWER}\n{phrase('cut', 'ja')}"


def test_of_a_list_no_number_stays_without_its_words(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"1. {ANSWER}\n2. 月は地球のまわりを回ります。\n3. ")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の締め日はいつですか？")

    assert text == f"1. {ANSWER}"


def test_a_table_is_told_with_its_headings(store: redis.Redis, retriever: Retriever) -> None:
    table = "| 区分 | 締め日 |\n|---|---|\n| 経費 | 毎月25日 |"
    with saying(Script(f"{ANSWER}\n\n{table}")) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の区分ごとの締め日はいつですか？")

    assert text == f"{ANSWER}\n\n{table}"


def test_a_cut_sentence_is_better_than_none(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, answer_tokens=len(ANSWER) - 3)
        assert ask(store, desk, "経費の締め日はいつですか？").startswith(ANSWER[: len(ANSWER) - 3])


def test_a_greeting_is_answered_without_sources_search_or_model(store: redis.Redis, desk: Desk) -> None:
    assert ask(store, desk, "こんにちは！") == phrase("hello", "ja")

    assert done(store)["citations"] == []
    assert prompts(desk) == []
    assert desk.conversations.load(C).turns == ()


def test_a_greeting_before_a_question_is_a_question(store: redis.Redis, desk: Desk) -> None:
    accept(store, message("こんにちは"), message("経費の締め日はいつですか？"))

    answer_next(C, desk)

    assert answers(store) == [ANSWER]


def test_a_follow_up_without_a_subject_finds_its_document(store: redis.Redis, retriever: Retriever) -> None:
    receipts = "領収書は総務部の青い箱に入れます。"
    with saying(Script(receipts)) as generator:
        desk = make_desk(store, retriever, generator)
        ask(store, desk, "領収書はどこに出せばいい？")
        ask(store, desk, "どの箱ですか？")

    assert receipts in generator.prompts[1].messages[-1].text


def test_where_general_answers_are_allowed_they_are_labelled(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("きっとカレーです。")) as generator:
        desk = make_desk(store, retriever, generator, policy=Policies(Policy(outside="general"), {}))
        text = ask(store, desk, OFF_TOPIC)

    assert text == f"きっとカレーです。\n{phrase('general', 'ja')}"
    assert done(store)["citations"] == []


def test_a_place_may_have_a_policy_of_its_own(store: redis.Redis, retriever: Retriever) -> None:
    policies = Policies(Policy(), {"console": Policy(outside="general")})
    with saying(Script("きっとカレーです。")) as generator:
        text = ask(store, make_desk(store, retriever, generator, policy=policies), OFF_TOPIC)

    assert text.startswith("きっとカレーです。")


def test_members_read_what_is_for_members(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(BONUS_ANSWER)) as generator:
        assert ask(store, make_desk(store, retriever, generator), BONUS).startswith(BONUS_ANSWER)


def test_who_is_no_member_does_not_even_learn_that_a_document_exists(
    store: redis.Redis, retriever: Retriever, line: FakeLine
) -> None:
    said = from_line(line, BONUS)
    accept(store, said)
    with saying(Script(BONUS_ANSWER)) as generator:
        desk = make_desk(store, retriever, generator, senders={"line": line_sender(line, store, access="open")})
        answer_next(said.conversation_id, desk)

    (shown,) = line.visible(USER)
    told = [shown, everything(store), *prompts(desk)]
    assert not any(secret in text for text in told for secret in ("賞与規程", "12月10日"))


def test_a_question_longer_than_the_context_is_answered_politely(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("何でも知っています。"), context_tokens=1_000) as generator:
        desk = make_desk(store, retriever, generator)
        text = ask(store, desk, "経費の締め日はいつですか？" * 600)

    assert ANSWER in text or text.startswith(NOT_FOUND)
    assert phrase("general", "ja") not in text


def test_while_the_model_loads_the_person_is_told_and_answered_when_it_is_there(
    store: redis.Redis, retriever: Retriever
) -> None:
    accept(store, message())
    with saying(Script(ANSWER)) as generator:
        generator.ready = False
        with serving(make_desk(store, retriever, generator)):
            until(lambda: ("waiting", phrase("loading", "ja")) in page(store))
            assert generator.prompts == []
            generator.ready = True

    assert answers(store) == [ANSWER]


def test_who_waits_in_the_queue_is_told_the_place(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message("待たせる質問", conversation="console:c2"), message())
    with saying(Script(hangs=True, matches=asks("待たせる")), Script(ANSWER)) as generator:
        policy = Policies(Policy(outside="general"), {})
        desk = make_desk(store, retriever, generator, policy=policy)
        with at_work(desk, "console:c2"), at_work(desk):
            until(lambda: any(kind == "waiting" for kind, _ in page(store)))
            told = [text for kind, text in page(store) if kind == "waiting"]
            generator.prompts.clear()
            desk.interrupts.stop("console:c2", "console:u1", order("stop").sent_at)

    assert told == [phrase("queued", "ja", place=1, seconds=1)]
    assert answers(store) == [ANSWER]


def test_a_second_question_goes_on_from_the_tokens_of_the_first_and_its_answer(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, "経費の締め日はいつですか？")
    ask(store, desk, "領収書はどこに出しますか？")

    assert isinstance(desk.generator, ScriptedGenerator)
    first, second = (prompt.token_ids for prompt in desk.generator.prompts)
    evaluated = (*first, *map(ord, ANSWER))
    assert second[: len(evaluated)] == evaluated


def test_after_a_cut_the_conversation_only_grows_again(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ANSWER), context_tokens=1_700) as generator:
        desk = make_desk(store, retriever, generator)
        for number in range(12):
            ask(store, desk, f"{number}番目の質問です。経費の締め日はいつですか？")

    asked = [prompt.token_ids for prompt in generator.prompts]
    grows = [after[: len(before)] == before for before, after in pairwise(asked)]
    assert 1 <= grows.count(False) <= 4
    assert all(any(pair) for pair in pairwise(grows))


def test_a_cut_for_a_question_that_the_model_declines_is_a_cut_too(store: redis.Redis, retriever: Retriever) -> None:
    def declines_when_cut(prompt: Prompt) -> str:
        return "見つかりません。" if len(prompt.messages) < len(generator.prompts[-1].messages) else ANSWER

    with saying(Script(ANSWER), context_tokens=1_700) as generator:
        desk = make_desk(store, retriever, generator)
        ask(store, desk, "経費の締め日はいつですか？")
        generator.scripts[:] = [Script(declines_when_cut)]
        for _ in range(12):
            ask(store, desk, "経費の締め日はいつですか？")
            if answers(store)[-1].startswith(NOT_FOUND):
                break

    assert answers(store)[-1].startswith(NOT_FOUND)
    assert len(desk.conversations.load(C).turns) == len(generator.prompts[-1].messages)


def test_an_answer_can_be_written_down_and_read_again() -> None:
    turn = Turn("assistant", ("25日です。",), "assistant", ("m1",))
    whole = Answer(Reply("25日です。", (Citation(1, "規程", "https://x.example", "締め日", "本文"),)), (turn,), cut=2)

    assert Answer.from_json(whole.to_json()) == whole


NEAR = "経費の研修はどの会場で開かれますか？"
MADE_UP = "研修は大阪本社の第3ホールで開かれます。"


def test_words_that_no_passage_bears_give_way_to_the_passage_where_it_has_the_question(
    store: redis.Redis, retriever: Retriever
) -> None:
    with saying(Script(MADE_UP)) as generator:
        text = ask(store, make_desk(store, retriever, generator), "経費の締め日はいつですか？")

    assert text.startswith(phrase("quoted", "ja", words=ANSWER[:10])[:14])
    assert MADE_UP not in text


def test_words_that_no_passage_bears_are_not_found_where_the_passage_is_only_near(
    store: redis.Redis, retriever: Retriever
) -> None:
    with saying(Script(MADE_UP)) as generator:
        text = ask(store, make_desk(store, retriever, generator), NEAR)

        assert generator.prompts  # it came past the floor
    assert text.startswith(NOT_FOUND)
    assert done(store)["citations"] == []


def test_an_answer_is_followed_by_the_sentence_that_bears_it_and_the_model_reads_it_once(
    store: redis.Redis, retriever: Retriever
) -> None:
    with saying(Script("25日")) as generator:
        desk = make_desk(store, retriever, generator)
        text = ask(store, desk, "経費の締め日はいつですか？")

    assert text == f"25日です\n{phrase('evidence', 'ja', words=ANSWER)}"
    assert desk.conversations.load(C).turns[-1].text == "25日です"


def test_an_answer_that_is_written_down_recalls_nothing_that_may_be_erased_before_it_is_shown() -> None:
    stated = Recalled("大阪支社の佐藤です。", "m1", "console:u1")
    turn = Turn("user", ("締め日は？",), "console:u1", ("m2",), recalled=(stated,))

    assert "佐藤" not in Answer(Reply(ANSWER), (turn,)).to_json()
