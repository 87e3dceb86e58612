"""Greetings and thanks are known as such only when they are all that is said."""

from __future__ import annotations

import pytest

from workers.phrases import phrase
from workers.smalltalk import kind


@pytest.mark.parametrize(
    "text",
    [
        "こんにちは",
        "こんにちは！",
        "こんにちは。",
        " おはようございます ",
        "Hello",
        "HELLO!!",
        "ｈｉ",
        "hey 👋",
        "good morning.",
    ],
)
def test_greetings_are_greetings(text: str) -> None:
    assert kind(text) == "hello"


@pytest.mark.parametrize(
    "text", ["ありがとう", "ありがとうございました！", "Thanks!", "thank you very much 😊", "了解です〜"]
)
def test_thanks_are_thanks(text: str) -> None:
    assert kind(text) == "thanks"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "。",
        "こんにちは、経費の締め日は？",
        "こんにちは\n締め日は？",
        "ありがとうカードとは何ですか",
        "hi-res monitor",
        "経費",
    ],
)
def test_everything_else_is_a_question(text: str) -> None:
    assert kind(text) is None


@pytest.mark.parametrize("name", ["hello", "thanks"])
def test_there_is_an_answer_in_both_languages(name: str) -> None:
    assert phrase(name, "ja") != phrase(name, "en")
