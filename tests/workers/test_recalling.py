"""Of turns that had to go, what a person stated is kept; what was asked is not."""

from __future__ import annotations

import pytest

from workers.conversation import Recalled, Turn
from workers.recalling import MOST_CHARS, recalled, statements


def said(message_id: str, text: str, *earlier: Recalled) -> Turn:
    return Turn("user", (text,), "slack:U1", (message_id,), recalled=earlier)


@pytest.mark.parametrize(
    "text",
    [
        "私は大阪支社の佐藤です。",
        "来週から産休に入ります。",
        "うちの部署は5人だ。",
        "VPNは昨日インストールしました！",
        "I work from the Osaka office.",
        "My contract ends in March.",
    ],
)
def test_a_statement_is_kept(text: str) -> None:
    assert statements(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "締め日はいつですか？",
        "締め日はいつですか",
        "有給の残りを教えてください。",
        "申請したいです。",
        "ありがとうございます",
        "Can I work from home?",
        "Please tell me my balance.",
        "What is our policy",
        "経費",
        "",
        "私は" + "とても" * 100 + "元気です。",
    ],
)
def test_a_question_a_request_and_thanks_are_not(text: str) -> None:
    assert statements(text) == []


def test_a_statement_beside_a_question_is_kept_alone() -> None:
    assert recalled([said("m1", "大阪支社の佐藤です。締め日はいつですか？")]) == (
        Recalled("大阪支社の佐藤です。", "m1", "slack:U1"),
    )


def test_what_was_recalled_before_is_kept_in_the_next_cut() -> None:
    earlier = Recalled("大阪支社の佐藤です。", "m1", "slack:U1")

    assert recalled([said("m5", "締め日はいつですか？", earlier)]) == (earlier,)


def test_what_is_said_again_is_kept_once() -> None:
    assert len(recalled([said("m1", "佐藤です。"), said("m2", "佐藤です。")])) == 1


def test_of_too_much_the_newest_is_kept_in_order() -> None:
    kept = recalled([said(f"m{n}", f"{n:03}番目の話は{'長' * 50}いものです。") for n in range(50)])

    assert sum(len(one.text) for one in kept) <= MOST_CHARS
    assert [one.message_id for one in kept] == [f"m{n}" for n in range(50 - len(kept), 50)]
    assert len(kept) > 2
