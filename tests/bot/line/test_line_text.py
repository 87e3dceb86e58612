"""Answers look like something that a person typed in LINE."""

from __future__ import annotations

import pytest

from bot.line.text import MAX_TEXT_UNITS, PART_UNITS, plain, source_lines, split, utf16_units
from bot.messages import Citation

RULES = Citation(1, "就業規則", "https://example.jp/rules", "休暇", "年次有給休暇は…")
MEMO = Citation(2, "メモ", "notes/memo.md", "", "…")


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("## 経費の締め日", "■ 経費の締め日"),
        ("**毎月20日**です", "毎月20日です"),
        ("締め日は**20日**、支払いは**25日**です。", "締め日は20日、支払いは25日です。"),
        ("__太字__ と *斜体* と _斜体_", "太字 と 斜体 と 斜体"),
        ("これは*重要*です", "これは重要です"),
        ("3 * 4 * 5 = 60", "3 * 4 * 5 = 60"),
        ("snake_case_name のまま", "snake_case_name のまま"),
        ("- 一つ\n* 二つ\n+ 三つ", "・一つ\n・二つ\n・三つ"),
        ("- 親\n  - 子", "・親\n  ・子"),
        ("1. 申請\n2. 承認", "1. 申請\n2. 承認"),
        ("> 引用", "引用"),
        ("`git status` を実行", "git status を実行"),
        ("`**そのまま**`", "**そのまま**"),
        ("```python\nx = a * b * c\n# 注\n```", "x = a * b * c\n# 注"),
        ("[規則](https://example.jp/a)", "規則 (https://example.jp/a)"),
        ("<https://example.jp/a>", "https://example.jp/a"),
        ("~~旧~~ 新", "旧 新"),
        ("一\n\n---\n\n二", "一\n\n二"),
        ("| 区分 | 期限 |\n|---|:--:|\n| 国内 | 20日 |", "区分 | 期限\n国内 | 20日"),
        (r"\*そのまま\*", "*そのまま*"),
        ("", ""),
    ],
)
def test_markdown_marks_go_and_structure_stays(markdown: str, shown: str) -> None:
    assert plain(markdown) == shown


def test_sources_are_short_lines_with_an_address_only_where_it_opens() -> None:
    assert source_lines("", [RULES, MEMO], "ja") == "出典: 就業規則 https://example.jp/rules\n出典: メモ"
    assert source_lines("", [MEMO], "en") == "Source: メモ"


def test_sources_are_numbered_where_the_text_refers_to_numbers() -> None:
    assert source_lines("20日です[2]。", [MEMO], "ja") == "出典: [2] メモ"


def test_a_document_cited_twice_is_named_once() -> None:
    assert source_lines("", [MEMO, MEMO], "ja") == "出典: メモ"


def test_an_emoji_is_two_units() -> None:
    assert utf16_units("a😀窓") == 4


def test_a_long_answer_is_cut_at_sentences_into_parts_that_fit() -> None:
    made = split("😀これは長い回答の一文です。" * 900)

    assert len(made) > 1
    assert all(utf16_units(part) <= PART_UNITS < MAX_TEXT_UNITS for part in made)
    assert all(part.endswith("。") for part in made)
    assert "".join(made).count("。") == 900
