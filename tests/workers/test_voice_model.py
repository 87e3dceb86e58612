"""A real small model keeps to the language and to the persona over one conversation."""

from __future__ import annotations

import pytest
import redis

from knowledge.retrieval import Retriever
from tests.workers.desk import C, answers, make_desk
from tests.workers.making import accept, message
from workers.engine import LlamaEngine
from workers.language import is_in
from workers.metrics import WRONG_LANGUAGE
from workers.policy import Policies, Policy
from workers.serving import answer_next

pytestmark = pytest.mark.model

LADY = "ですわよ"
JAPANESE = (
    "経費の締め日はいつですか？",
    "領収書はどこに入れますか？",
    "有給休暇は何日もらえますか？",
    "有給休暇の申請はいつまでですか？",
    "冬の賞与はいつ支給しますか？",
    "冬の賞与は何か月分ですか？",
    "経費の申請は毎月何日までですか？",
)
ENGLISH = "What does the error E-517 mean, and how many people are connected?"


def own_sentences(text: str) -> list[str]:
    """The desk's sentences of an answer: without what it quotes."""
    lines = [line for line in text.splitlines() if not line.startswith(("根拠:", "From the document:", "「", "“"))]
    return [sentence for line in lines for sentence in line.split("。") if sentence.strip()]


@pytest.mark.timeout(600)
def test_persona_and_language_hold_over_eight_questions(
    store: redis.Redis, retriever: Retriever, chat_engine: LlamaEngine
) -> None:
    persona = Policy(persona="あなたは気高いお嬢様です。", ending=LADY)
    desk = make_desk(store, retriever, chat_engine, policy=Policies(persona, {}), answer_deadline_s=120.0)  # type: ignore[arg-type]
    before = WRONG_LANGUAGE._value.get()
    for question in (*JAPANESE, ENGLISH):
        accept(store, message(question))
        answer_next(C, desk)

    *in_japanese, in_english = answers(store)
    told = [sentence for text in in_japanese for sentence in own_sentences(text)]
    print(f"begun in another language: {WRONG_LANGUAGE._value.get() - before}")
    assert len(in_japanese) == len(JAPANESE)
    assert [sentence for sentence in told if not sentence.endswith(LADY) or not is_in("ja", sentence)] == []
    assert [sentence for sentence in own_sentences(in_english) if not is_in("en", sentence)] == []
    assert LADY not in in_english
