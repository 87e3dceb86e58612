"""A tone changes how Japanese sentences end, and nothing that is not the writer's own sentence."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest

from workers.sentences import sentences
from workers.tone import Tone

LADY = "ですわよ"
PLAIN = Tone()
PERSONA = Tone(LADY)

IN_CHARACTER = {
    "締め日は毎月25日です。": "締め日は毎月25日ですわよ。",
    "締め日は毎月25日である。": "締め日は毎月25日ですわよ。",
    "毎月25日。": "毎月25日ですわよ。",
    "25日": "25日ですわよ",
    "経費は25日までに申請します。": "経費は25日までに申請しますのですわよ。",
    "経費は25日までに申請する。": "経費は25日までに申請しますのですわよ。",
    "上限はありません！": "上限はありませんのですわよ！",
    "昨年改定しました。": "昨年改定しましたのですわよ。",
    "昨年は5日でした。": "昨年は5日でしたのですわよ。",
    "規程を読んだ。": "規程を読んだのですわよ。",
    "受付は早いです。": "受付は早いですわよ。",
    "ボタンは「送信」。": "ボタンは「送信」ですわよ。",
    "ボタンは「送信」です。": "ボタンは「送信」ですわよ。",
    "総務部に出します（内線100）。": "総務部に出します（内線100）ですわよ。",
    "25日ですよ。": "25日ですわよ。",
    "申請しますわよ。": "申請しますのですわよ。",
    "申請しますのですわよ。": "申請しますのですわよ。",
    "受付でお尋ねください。": "受付でお尋ねくださいですわよ。",
    "提出すること。": "提出することですわよ。",
    "25日です。総務部に出します。": "25日ですわよ。総務部に出しますのですわよ。",
    "25日です！！": "25日ですわよ！！",
}
UNTOUCHED = (
    "「経費は25日までに申請する。」",
    "「A社が払う。B社は払わない。」",
    "- 申請する\n- 承認を得る\n",
    "・締め日は25日だ\n",
    "1. 申請書に書く\n2. 総務部に送る\n",
    "| 項目 | 期限だ |\n",
    "# 申請する\n",
    "> 申請する。\n",
    "```\nこれを実行する。\n```\n",
    "Expenses are due on the 25th.",
    "手順:\n",
    "詳しくは https://example.com/guide?a=1",
    "いつ申請しますか？",
    "`実行する。終わる。`",
    '"申請する。"',
    "",
    "\n\n",
    "。",
    "……",
    "「閉じていない引用だ。まだ続く。",
)


@pytest.mark.parametrize(("said", "heard"), IN_CHARACTER.items())
def test_every_sentence_has_the_personas_ending(said: str, heard: str) -> None:
    assert PERSONA.of(said) == heard


@pytest.mark.parametrize("said", IN_CHARACTER)
def test_tone_of_a_tone_is_the_same(said: str) -> None:
    once = PERSONA.of(said)

    assert PERSONA.of(once) == once


@pytest.mark.parametrize("text", UNTOUCHED)
@pytest.mark.parametrize("tone", [PLAIN, PERSONA])
def test_what_is_not_the_writers_own_sentence_stays(text: str, tone: Tone) -> None:
    assert tone.of(text) == text


def test_sentence_around_a_quotation_changes_and_the_quotation_does_not() -> None:
    said = "資料には「25日までに申請する。遅れは認めない。」と書かれている。"

    assert PLAIN.of(said) == "資料には「25日までに申請する。遅れは認めない。」と書かれています。"


def test_text_after_a_list_and_after_code_has_the_tone_again() -> None:
    said = "次の順に行う。\n- 申請する\n```\n送る。\n```\n以上だ。これで終わる。必要だ。"

    assert PLAIN.of(said) == "次の順に行います。\n- 申請する\n```\n送る。\n```\n以上です。これで終わる。必要です。"


def test_stop_within_an_address_ends_no_sentence() -> None:
    said = "申請は https://example.com/form?kind=1&date=a!b で行う。"

    assert PERSONA.of(said) == "申請は https://example.com/form?kind=1&date=a!b で行いますのですわよ。"


@pytest.mark.parametrize(
    ("ending", "heard"),
    [
        ("わよ", "25日ですわよ。申請しますわよ。早いですわよ。"),
        ("にゃん", "25日ですにゃん。申請しますにゃん。早いですにゃん。"),
        ("だぜ", "25日だぜ。申請しますのだぜ。早いのだぜ。"),
        ("でござる", "25日でござる。申請しますのでござる。早いのでござる。"),
        ("です", "25日です。申請しますのです。早いです。"),
    ],
)
def test_endings_of_all_kinds_are_joined_as_grammar_has_it(ending: str, heard: str) -> None:
    assert Tone(ending).of("25日です。申請する。早い。") == heard


def test_figures_and_names_stay_as_they_are() -> None:
    said = "上限は1,234.56円で、E-403の場合はv2.0.1を使う。"

    assert PERSONA.of(said) == "上限は1,234.56円で、E-403の場合はv2.0.1を使いますのですわよ。"


def test_what_was_shown_is_never_taken_back() -> None:
    said = "締め日は25日だ。Ver. 2を使う。「申請する。」と書く。\n- 送る\n総務部に出します！ 理由は「A。\nB。」だ。"
    grown = [PERSONA.of(text) for text in accumulate(sentences(iter(said)))]

    assert grown[-1] == PERSONA.of(said)
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(grown))


@pytest.mark.parametrize(
    "text",
    [
        "「" * 100_000,
        "す" * 200_000,
        "。" * 200_000,
        "a@" * 100_000,
        "\n" * 100_000,
        " " * 100_000 + "あ",
        "「申請する" * 9,
    ],
)
def test_hostile_text_is_read_once(text: str) -> None:
    assert len(PERSONA.of(text)) >= len(text)
