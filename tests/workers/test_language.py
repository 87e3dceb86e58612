"""The language of a sentence is told by what it is made of; names, figures and quotations do not count."""

from __future__ import annotations

import pytest

from workers.language import foreign_characters, is_in, spoken

JAPANESE = (
    "経費は毎月25日までに申請します。",
    "はい、できます。",
    "VPNの設定は、Cisco AnyConnect Secure Mobility Clientで行います。",
    "「Submit」を押してください。",
    "請求書はPDFでhttps://example.com/invoices/new/upload/formへ送ります。",
    "株式会社山田製作所の﨑さんに連絡します。",
    "コーヒーメーカーです。",
    "ｶﾅで書きます。",
    "国会図書館の号数は学区によって異なります。",
)
ENGLISH = (
    "Expenses are due on the 25th of each month.",
    "Apply to 総務部 by the 25th.",
    "Yes.\nIt closes at 18:00.",
    "The button is labelled 「申請を送信してください」.",
    "You can work from home three days a week (在宅勤務規程).",
)
CHINESE = (
    "经费的截止日是每月25日。",
    "请在每月25日之前提交申请。",
    "截止日期是25日。",
    "有薪休假的申请需要提前3天提交。",
    "経費は毎月25日までに申请します。",
    "您可以在家工作。",
)
KOREAN = ("경비는 매월 25일까지 신청합니다.", "네, 가능합니다.")
NONE = ("25日。", "総務部人事課。", "¥1,200", "10:00–18:00", "VPN", "目的地: 東京駅", "E-403", "", "  \n", "是正", "😀")


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        (sentence, language)
        for language, sentences in {"ja": JAPANESE, "en": ENGLISH, "zh": CHINESE, "ko": KOREAN, "": NONE}.items()
        for sentence in sentences
    ],
)
def test_language_of_a_sentence(sentence: str, language: str) -> None:
    assert spoken(sentence) == language


def test_characters_of_japanese_names_and_new_forms_are_not_foreign() -> None:
    assert foreign_characters("髙橋﨑山吉田(𠮷)学国会号万与来当点体黄湾乱") == ""
    assert foreign_characters("费用") == "费"


def test_an_answer_may_have_a_foreign_name_that_its_documents_have() -> None:
    sentence = "担当は邓さんです。"

    assert not is_in("ja", sentence)
    assert is_in("ja", sentence, "経理の担当: 邓")


@pytest.mark.parametrize("sentence", NONE)
def test_what_shows_no_language_may_stand_in_any_answer(sentence: str) -> None:
    assert is_in("ja", sentence)
    assert is_in("en", sentence)


@pytest.mark.parametrize("sentence", ["「" * 50_000, "是" * 50_000, "a" * 200_000, "`" * 99_999, '"' + "x" * 100_000])
def test_hostile_lengths_are_told_in_linear_time(sentence: str) -> None:
    assert spoken(sentence) in {"ja", "en", "zh", ""}
