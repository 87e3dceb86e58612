"""An answer is in the language that was asked in, in the tone of its place, over a whole conversation."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from knowledge.documents import Chunk, Passage
from knowledge.retrieval import Retriever
from tests.fakes.model import Script, ScriptedGenerator
from tests.workers.desk import ANSWER, C, answers, at_work, everything, make_desk, order, saying, until
from tests.workers.making import accept, message
from workers.generation import ChatMessage, Prompt
from workers.metrics import WRONG_LANGUAGE
from workers.phrases import phrase
from workers.policy import Policies, Policy, PolicyInvalid
from workers.prompt import SYSTEM, insisting
from workers.serving import answer_next
from workers.tone import Tone
from workers.voice import Voice
from workers.writing import untranslated

QUESTION = "経費の締め日はいつですか？"
CHINESE = "经费的截止日是每月25日。"
KOREAN = "경비는 매월 25일까지 신청합니다."
ENGLISH = "Expenses are due on the 25th of each month."
RECEIPTS = "領収書は総務部の青い箱に入れます。"
LADY = "ですわよ"


def is_asked_again(prompt: Prompt) -> bool:
    """Whether the prompt insists on a language."""
    lines = prompt.messages[-1].text.splitlines()
    return lines[-1].startswith(("必ず", "Answer only"))


def ask(store: redis.Redis, retriever: Retriever, generator: ScriptedGenerator, text: str, policy: Policy) -> str:
    """Ask on the console, in a place with this policy; the answer."""
    accept(store, message(text))
    answer_next(C, make_desk(store, retriever, generator, policy=Policies(policy, {})))
    return answers(store)[-1]


@pytest.mark.parametrize("wrong", [CHINESE, KOREAN, ENGLISH])
def test_model_that_begins_in_another_language_is_asked_once_more(
    store: redis.Redis, retriever: Retriever, wrong: str
) -> None:
    before = WRONG_LANGUAGE._value.get()
    with saying(Script(ANSWER, matches=is_asked_again), Script(wrong * 20)) as generator:
        text = ask(store, retriever, generator, QUESTION, Policy())

    assert text == ANSWER
    assert [is_asked_again(prompt) for prompt in generator.prompts] == [False, True]
    assert wrong not in everything(store)
    assert WRONG_LANGUAGE._value.get() == before + 1


def test_prompt_that_insists_goes_on_from_the_tokens_of_the_first() -> None:
    with saying() as generator:
        chat = (ChatMessage("user", "質問"),)
        first = Prompt(chat, (), generator.tokenize(chat))
        again = insisting(first, "ja", generator)

    assert again.token_ids[: len(first.token_ids) - 1] == first.token_ids[:-1]


def test_twice_in_another_language_the_passage_speaks_for_itself(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(CHINESE)) as generator:
        text = ask(store, retriever, generator, QUESTION, Policy())

    assert text == phrase("quoted", "ja", words=ANSWER)
    assert len(generator.prompts) == 2
    assert CHINESE not in everything(store)


def test_words_of_a_foreign_passage_are_shown_as_such(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("The error E-517 means that 40 people are connected.")) as generator:
        text = ask(store, retriever, generator, "VPNのE-517は何のエラーですか？", Policy())

    assert text.startswith("資料には英語でこう書かれています。\n「")
    assert "40 people are connected" in text


def test_general_answer_that_is_twice_in_another_language_is_none(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("他喜欢吃咖喱。")) as generator:
        text = ask(store, retriever, generator, "社長の好きな食べ物は何ですか？", Policy(outside="general"))

    assert text.startswith(phrase("not_found", "ja"))


def test_later_sentence_in_another_language_is_left_out(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}{CHINESE}{RECEIPTS}")) as generator:
        text = ask(store, retriever, generator, "経費の締め日と領収書は？", Policy())

    assert text == ANSWER + RECEIPTS
    assert len(generator.prompts) == 1


def test_stop_while_it_is_asked_again_ends_it_with_nothing_shown(store: redis.Redis, retriever: Retriever) -> None:
    accept(store, message(QUESTION))
    with saying(Script(matches=is_asked_again, hangs=True), Script(CHINESE)) as generator:
        desk = make_desk(store, retriever, generator)
        with at_work(desk):
            until(lambda: len(generator.prompts) == 2)
            desk.interrupts.stop(C, "console:u1", order("stop").sent_at)

    assert answers(store) == [phrase("stopped", "ja")]
    assert CHINESE not in everything(store)


def test_both_tries_together_have_one_deadline(store: redis.Redis, retriever: Retriever) -> None:
    slow = Script(CHINESE, seconds_per_piece=0.04)
    accept(store, message(QUESTION))
    with saying(Script(matches=is_asked_again, hangs=True), slow) as generator:
        began = time.monotonic()
        answer_next(C, make_desk(store, retriever, generator, answer_deadline_s=1.2))

    assert len(generator.prompts) == 2
    assert time.monotonic() - began < 2.0
    assert ANSWER in answers(store)[-1]


def test_without_room_to_insist_the_passage_speaks_at_once(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ANSWER)) as generator:
        ask(store, retriever, generator, QUESTION, Policy())
        (prompt,) = generator.prompts
    store.delete(f"turns:{C}")
    with saying(Script(CHINESE), context_tokens=len(prompt.token_ids) + 256 + 5) as tight:
        text = ask(store, retriever, tight, QUESTION, Policy())

    assert text == phrase("quoted", "ja", words=ANSWER)
    assert len(tight.prompts) == 1


def test_answer_in_the_language_of_the_place(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ENGLISH)) as generator:
        text = ask(store, retriever, generator, QUESTION, Policy(language="en"))

    assert text == ENGLISH
    assert "Answer the question in English" in generator.prompts[0].messages[-1].text


def test_not_found_is_in_the_language_of_the_place(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ENGLISH)) as generator:
        text = ask(store, retriever, generator, "社長の好きな食べ物は何ですか？", Policy(language="en"))

    assert text.startswith(phrase("not_found", "en"))


def test_plain_form_is_told_politely_and_remembered_as_told(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script("経費は毎月25日までに申請する。")) as generator:
        text = ask(store, retriever, generator, QUESTION, Policy())
        desk = make_desk(store, retriever, generator)

    assert text == ANSWER
    assert desk.conversations.load(C).turns[-1].text == ANSWER


def test_persona_stays_in_character_over_a_long_conversation(store: redis.Redis, retriever: Retriever) -> None:
    persona = Policy(persona="あなたは気高いお嬢様です。", ending=LADY)
    with saying(Script(f"{ANSWER}{RECEIPTS}")) as generator:
        desk = make_desk(store, retriever, generator, policy=Policies(persona, {}))
        for number in range(12):
            accept(store, message(f"{number}番目です。経費の締め日と領収書は？"))
            answer_next(C, desk)
        turns = desk.conversations.load(C).turns

    told = [sentence for text in answers(store) for sentence in text.split("。") if sentence]
    assert len(answers(store)) == 12
    assert all(sentence.endswith(LADY) for sentence in told)
    assert [turn.text for turn in turns if turn.role == "assistant"] == answers(store)
    assert all(prompt.messages[0].text == f"{SYSTEM}\n{persona.persona}" for prompt in generator.prompts)
    assert all(after.messages[: len(one.messages)] == one.messages for one, after in pairwise(generator.prompts))


@pytest.mark.parametrize(
    ("question", "said"),
    [("社長の好きな食べ物は何ですか？", "not_found"), ("こんにちは", "hello"), ("ありがとう", "thanks")],
)
def test_the_desks_own_words_are_in_character(
    store: redis.Redis, retriever: Retriever, question: str, said: str
) -> None:
    with saying(Script(ANSWER)) as generator:
        text = ask(store, retriever, generator, question, Policy(ending=LADY))

    first_line = text.splitlines()[0]
    assert first_line != phrase(said, "ja")
    assert first_line.endswith(f"{LADY}。")


def test_quoted_passage_is_not_in_character(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(CHINESE)) as generator:
        text = ask(store, retriever, generator, QUESTION, Policy(ending=LADY))

    label, words = text.splitlines()
    assert label.endswith(f"{LADY}。")
    assert words == f"「{ANSWER}」"


def test_quoted_words_stay_as_written_whatever_marks_they_have() -> None:
    words = "A」を申請する。{name}「B」を出す。「C"
    chunk = Chunk("d", "d", "規程", "d.md", (), words, frozenset({"public"}))

    written = untranslated("Aを申請するには？", [Passage(chunk, 1.0)], Voice("ja", Tone(LADY)))

    assert written.text.endswith(f"「{words}」")


def test_persona_of_one_place_is_not_heard_in_another(store: redis.Redis, retriever: Retriever) -> None:
    policies = Policies(Policy(), {"slack:C1": Policy(ending=LADY, persona="お嬢様です。", plain_japanese=True)})
    accept(store, message(QUESTION))
    with saying(Script(ANSWER)) as generator:
        answer_next(C, make_desk(store, retriever, generator, policy=policies))

    assert answers(store) == [ANSWER]
    assert generator.prompts[0].messages[0].text == SYSTEM


def test_who_the_desk_is_may_be_said(store: redis.Redis, retriever: Retriever) -> None:
    persona = Policy(outside="general", persona="総合受付の案内係、まどかと申します。")
    with saying(Script("総合受付の案内係、まどかと申します。")) as generator:
        text = ask(store, retriever, generator, "お名前を教えてください", persona)

    assert text.startswith("総合受付の案内係、まどかと申します。")


def test_plain_japanese_is_asked_for_where_it_is_wanted(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(ANSWER)) as generator:
        ask(store, retriever, generator, QUESTION, Policy(plain_japanese=True))

    told = generator.prompts[0].messages[0].text
    assert told.startswith(SYSTEM)
    assert "やさしい日本語" in told


@pytest.mark.parametrize(
    "line",
    [
        f'persona = "{"あ" * 301}"',
        'persona = "一行目\\n二行目"',
        'persona = "<|im_end|>"',
        'ending = "です。"',
        'ending = "「です」"',
        f'ending = "{"で" * 21}"',
        'ending = "<@U1>"',
        'language = "fr"',
        'plain_japanese = "maybe"',
    ],
)
def test_tone_that_cannot_be_kept_to_is_refused_at_start(tmp_path: Path, line: str) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(f'[channels."slack:C1"]\n{line}\n', encoding="utf-8")

    with pytest.raises(PolicyInvalid, match=line.split(maxsplit=1)[0]):
        Policies.read(file)


def test_tone_is_read_for_the_place_that_it_is_set_for(tmp_path: Path) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text('[channels."slack:C1"]\nending = "ですわよ"\nplain_japanese = true\n', encoding="utf-8")

    there = Policies.read(file).of(frozenset({"slack:C1"}))

    assert (there.ending, there.plain_japanese) == (LADY, True)
    assert Policies.read(file).of(frozenset({"slack:C2"})) == Policy()
