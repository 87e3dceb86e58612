"""Words that are orders, and the language of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words import language, order


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("リセット", "reset"),
        ("ﾘｾｯﾄ。", "reset"),
        ("ＲＥＳＥＴ！", "reset"),
        ("　最初から　", "reset"),
        ("Start over.", "reset"),
        ("/reset", "reset"),
        ("ストップ！！", "stop"),
        ("止めて", "stop"),
        ("STOP", "stop"),
        ("忘れて。", "forget"),
        ("forget me", "forget"),
        ("ヘルプ", "help"),
        ("Help!", "help"),
    ],
)
def test_an_order_is_known_in_any_width_and_case_and_punctuation(text: str, name: str) -> None:
    assert order(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "リセットの方法は？",
        "リセット？",
        "ストップウォッチ",
        "パスワードを忘れて困っています",
        "stop the printer",
        "how do I reset my password",
        "helpdesk",
        "",
        "。！ /",
    ],
)
def test_a_question_that_has_an_order_s_word_is_none(text: str) -> None:
    assert order(text) is None


@pytest.mark.parametrize(
    ("text", "tongue"),
    [
        ("締め日は？", "ja"),
        ("ｼﾒﾋﾞ", "ja"),
        ("SlackのChannelで使えますか", "ja"),
        ("VPN接続", "ja"),
        ("When is the deadline?", "en"),
        ("What does 経費 mean in this document?", "en"),
        ("OK", "en"),
        ("", "ja"),
        ("1234 !?", "ja"),
    ],
)
def test_the_language_is_told_by_script(text: str, tongue: str) -> None:
    assert language(text) == tongue


@given(st.text())
def test_any_text_has_a_language_and_at_most_one_order(text: str) -> None:
    assert language(text) in {"ja", "en"}
    assert order(text) in {None, "reset", "stop", "forget", "help"}
