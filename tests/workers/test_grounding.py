"""A sentence is shown when a passage bears it; which one is the source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from knowledge.documents import Chunk, Passage
from workers.grounding import evidence, extract, holds, is_about, refuses, support
from workers.sentences import sentences


def passage(text: str, title: str = "経費規程", *headings: str) -> Passage:
    return Passage(Chunk(text, title, title, f"{title}.md", headings, text, frozenset({"public"})), 1.0)


EXPENSES = passage("経費は毎月25日までに、経費精算システムで申請します。上限は1,500円です。")
VPN = passage("VPNに接続できないときは、情報システム部の内線300に電話してください。", "VPN")
ENGLISH = passage("Employees may work from home up to 3 days a week with approval of their manager.", "Handbook")


def test_sentences_come_as_soon_as_they_are_whole() -> None:
    read: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("25日", "です。", "箱", "に入れます。", "以上"):
            read.append(piece)
            yield piece

    found = sentences(pieces())

    assert next(found) == "25日です。"
    assert read == ["25日", "です。", "箱"]
    assert list(found) == ["箱に入れます。", "以上"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("はい。いいえ。", ["はい。", "いいえ。"]),
        ("本当？ はい！", ["本当？", " はい！"]),
        ("一行目\n二行目", ["一行目\n", "二行目"]),
        ("It is due. Send it.", ["It is due.", " Send it."]),
        ("It costs 1.5 dollars. Yes.", ["It costs 1.5 dollars.", " Yes."]),
        ("「はい。」と言う。", ["「はい。」", "と言う。"]),
        ("見よ https://a.example/b?c=1 を。次。", ["見よ https://a.example/b?c=1 を。", "次。"]),
        ("<!channel> x", ["<!channel> x"]),
        ("1. 申請します。\n2. 待ちます。", ["1. 申請します。", "\n2. 待ちます。"]),
        ("1) Apply.\n2) Wait.", ["1) Apply.", "\n2) Wait."]),
        ("12. ", ["12. "]),
        (
            "はい。\n| 区分 | 日 |\n|---|:-:|\n| 経費 | 25 |\n| 出張 | 10 |\n終わり。",
            [
                "はい。",
                "\n| 区分 | 日 |\n|---|:-:|\n| 経費 | 25 |\n",
                "| 出張 | 10 |\n",
                "終わり。",
            ],
        ),
        ("| 経費 | 25 |\n| 出張 | 10 |\n", ["| 経費 | 25 |\n", "| 出張 | 10 |\n"]),
        ("", []),
        ("   ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, parts: list[str]) -> None:
    assert list(sentences(text)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "はい。いいえ。本当？ 1.5です。\n\n* 項目",
        "One. Two! Three? 4.5\n5",
        "| a |\n|---|\n| b |",
        "|\n|\n|",
        "。。。",
        "a\n\n\nb",
    ],
)
def test_no_character_gets_lost_between_sentences(text: str) -> None:
    assert "".join(sentences(text)) == text
    assert "".join(sentences([text])) == text


@pytest.mark.parametrize(
    "sentence",
    [
        "資料には見つかりませんでした。",
        "見つかりません。",
        "その情報は資料に記載されていません。",
        "申し訳ありませんが、わかりません。",
        "Not found.",
        "The material does not mention this.",
        "ＮＯＴ ＦＯＵＮＤ",
    ],
)
def test_a_refusal_is_known_as_one(sentence: str) -> None:
    assert refuses(sentence)


@pytest.mark.parametrize(
    "sentence", ["経費は毎月25日までに申請します。", "You may work from home.", "メールで通知します。"]
)
def test_an_answer_is_no_refusal(sentence: str) -> None:
    assert not refuses(sentence)


def test_a_sentence_stands_on_the_passage_that_says_it() -> None:
    assert support("経費は毎月25日までに申請します。", [VPN, EXPENSES]) == EXPENSES
    assert support("情報システム部の内線300に電話してください。", [EXPENSES, VPN]) == VPN


def test_of_equal_passages_the_better_ranked_is_the_source() -> None:
    twin = passage(EXPENSES.chunk.text, "写し")

    assert support("経費は毎月25日までに申請します。", [EXPENSES, twin]) == EXPENSES


def test_a_sentence_about_something_else_stands_on_nothing() -> None:
    assert support("社長の趣味は週末の登山と写真撮影です。", [EXPENSES, VPN]) is None


@pytest.mark.parametrize("figure", ["26日", "2500円", "1.5円"])
def test_a_figure_that_no_passage_has_is_not_borne(figure: str) -> None:
    assert support(f"経費は毎月{figure}までに経費精算システムで申請します。", [EXPENSES, VPN]) is None


@pytest.mark.parametrize("figure", ["1,500円", "1500円", "１５００円"])
def test_a_figure_is_the_same_however_it_is_written(figure: str) -> None:
    assert support(f"経費精算の上限は{figure}です。", [EXPENSES]) == EXPENSES


def test_a_figure_of_the_question_may_be_repeated() -> None:
    sentence = "はい、経費は12月も毎月25日までに申請します。"

    assert support(sentence, [EXPENSES]) is None
    assert support(sentence, [EXPENSES], question="12月の経費の締め日は？") == EXPENSES


def test_across_languages_the_figures_decide() -> None:
    assert support("在宅勤務は週3日までです。", [ENGLISH]) == ENGLISH
    assert support("在宅勤務は週4日までです。", [ENGLISH]) is None


def test_titles_and_headings_bear_a_sentence_too() -> None:
    headed = passage("毎月25日まで。", "経費規程", "申請期限")

    assert support("経費規程の申請期限は毎月25日までです。", [headed]) == headed


def test_without_passages_nothing_bears_a_sentence() -> None:
    assert support("経費は毎月25日までです。", []) is None


@pytest.mark.parametrize("question", ["社員食堂の今日のメニューは？", "株主総会はいつですか", "E-999と出ました"])
def test_a_question_that_names_what_no_passage_has_is_not_about_them(question: str) -> None:
    assert not is_about(question, [EXPENSES, VPN])


@pytest.mark.parametrize(
    "question",
    [
        "経費の締め日は？",
        "いつまでに出すの？",
        "経費精算システムはどこ？",
        "How late can I claim?",
        "VPNで困っています",
    ],
)
def test_a_question_in_other_words_may_be_about_them(question: str) -> None:
    assert is_about(question, [EXPENSES, VPN])


def test_a_compound_of_another_language_is_not_compared() -> None:
    assert is_about("在宅勤務は週何日まで？", [ENGLISH])


def test_a_yes_that_only_says_the_question_again_stands_on_nothing() -> None:
    assert support("はい、経費は申請できます。", [EXPENSES], "経費は申請できますか？") is None


def test_a_bare_figure_is_an_answer() -> None:
    assert support("1,500円", [EXPENSES], "上限はいくらですか？") is EXPENSES


def test_an_extract_is_the_sentence_nearest_to_the_question_and_what_follows() -> None:
    rules = passage("申請は紙で出します。締め日は25日です。支払いは翌月10日です。")

    assert extract("締め日はいつですか", rules) == "締め日は25日です。支払いは翌月10日です。"
    assert extract("締め日はいつですか", rules, most_chars=12) == "締め日は25日です。"


def test_the_line_above_a_passage_is_no_answer() -> None:
    assert support("VPN > 接続", [passage("つなぎます。", "VPN", "接続")], "どうつなぐ？") is None


def test_a_short_answer_comes_with_the_sentence_that_bears_it() -> None:
    doctors = passage(
        "マーラーは指揮者です。50歳のとき、ジークムント・フロイトの診察を受けます。翌年に亡くなりました。"
    )

    borne_by = evidence("フロイト", "マーラーを診察した医師は？", doctors)

    assert borne_by == "50歳のとき、ジークムント・フロイトの診察を受けます。"


def test_evidence_of_a_figure_is_the_row_that_has_it() -> None:
    hotels = passage("| 地域 | 上限 |\n| 東京 | 13,000円 |\n| 大阪 | 11,000円 |")

    assert evidence("11,000円です。", "ホテルの上限はいくらですか？", hotels) == "大阪 / 11,000円"


def test_evidence_from_a_list_is_without_its_mark() -> None:
    leave = passage("休暇:\n- 続けて休むときは3週間前までに相談してください。\n- 半日でも取れます。")

    borne_by = evidence("3週間前です。", "いつ相談しますか？", leave)

    assert borne_by == "続けて休むときは3週間前までに相談してください。"


def test_an_answer_in_the_words_of_the_passage_needs_no_evidence() -> None:
    assert evidence("経費は毎月25日までに、経費精算システムで申請してください。", "経費の締め日は？", EXPENSES) == ""


def test_evidence_in_another_language_is_not_shown() -> None:
    assert evidence("在宅勤務は週3日までです。", "在宅勤務は何日までですか？", ENGLISH) == ""


def test_evidence_is_a_sentence_and_not_a_page() -> None:
    assert evidence("フロイト", "医師は？", passage("フロイトは" + "とても" * 80 + "有名です。")) == ""


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("経費の上限はいくらですか？", True),
        ("経費精算システムの申請先は？", True),
        ("社員旅行の行き先はどこですか？", False),
        ("What is the limit of expenses?", False),
    ],
)
def test_a_passage_holds_a_question_when_it_has_half_of_its_words(question: str, held: bool) -> None:
    assert holds(question, EXPENSES) is held
