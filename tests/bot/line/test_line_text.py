"""Answers look like something that a person typed in LINE."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.line.text import MAX_TABLE_CHARS, MAX_TEXT_UNITS, PART_UNITS, plain, source_lines, split, utf16_units
from bot.messages import Citation

RULES = Citation(1, "就業規則", "https://example.jp/rules", "休暇", "年次有給休暇は…")
LEAVE = Citation(3, "就業規則", "https://example.jp/rules", "休職", "休職は…")
MEMO = Citation(2, "メモ", "notes/memo.md", "", "…")

TABLE = "| 等級 | 日当 | 宿泊 |\n|:--|--:|---|\n| 一般 | 2,500円 | 12,000円 |\n| 役員 | 5,000円 | |"


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("## 経費の締め日", "■ 経費の締め日"),
        ("## 経費の締め日 ##", "■ 経費の締め日"),
        ("##経費の締め日", "■ 経費の締め日"),
        ("### **C#** の規約", "■ C# の規約"),
        ("経費\n====\n20日です", "■ 経費\n20日です"),
        ("#経費 のタグ", "#経費 のタグ"),
        ("##\n本文", "本文"),
        ("**毎月20日**です", "毎月20日です"),
        ("締め日は**20日**、支払いは**25日**です。", "締め日は20日、支払いは25日です。"),
        ("**「重要」**です。***特に***です。", "「重要」です。特にです。"),
        ("**二行に\nわたる**太字", "二行に\nわたる太字"),
        ("**注意。途中まで", "注意。途中まで"),
        ("**Note. As far as it goes", "Note. As far as it goes"),
        ("2**3 は 8、f(**kwargs) も", "2**3 は 8、f(**kwargs) も"),
        ("__太字__ と *斜体* と _斜体_", "太字 と 斜体 と 斜体"),
        ("これは*重要*です", "これは重要です"),
        ("3 * 4 * 5 = 60", "3 * 4 * 5 = 60"),
        ("snake_case_name のまま", "snake_case_name のまま"),
        ("- 一つ\n* 二つ\n+ 三つ", "・一つ\n・二つ\n・三つ"),
        ("- 親\n  - 子\n    1. 孫", "・親\n  ・子\n    1. 孫"),
        ("- [ ] 未\n- [x] 済", "・☐ 未\n・☑ 済"),
        ("1. 申請\n2. 承認\n10) 支払い", "1. 申請\n2. 承認\n10) 支払い"),
        ("1. ### 申請\n   - **期限**: 20日", "1. 申請\n   ・期限: 20日"),
        ("> 引用\n>> 孫引き\n> - 箇条", "引用\n孫引き\n・箇条"),
        (">= 5 なら", ">= 5 なら"),
        ("`git status` を実行", "git status を実行"),
        ("`**そのまま**` と `` a`b `` と `<br>`", "**そのまま** と a`b と <br>"),
        ("```python\nx = a * b * c\n# 注\n\n\n\n- y\n```", "x = a * b * c\n# 注\n\n\n\n- y"),
        ("````\n```\n**x**\n```\n````\n**y**", "```\n**x**\n```\ny"),
        ("~~~\n| a |\n~~~", "| a |"),
        ("> ```\n> a * b\n> ```", "a * b"),
        ("```\n終わらない **コード**", "終わらない **コード**"),
        ("[規則](https://example.jp/a)", "規則 (https://example.jp/a)"),
        ('**[`規則`](https://example.jp/a_b_c "題")**', "規則 (https://example.jp/a_b_c)"),
        ("[https://example.jp/a](https://example.jp/a)", "https://example.jp/a"),
        ("![図](https://example.jp/a.png)", "図 (https://example.jp/a.png)"),
        ("<https://example.jp/a> <a@example.jp>", "https://example.jp/a a@example.jp"),
        ("**詳細: https://example.jp/_a_/*b*/c**です", "詳細: https://example.jp/_a_/*b*/cです"),
        ("[A](https://ja.example.jp/wiki/A_(B))", "A (https://ja.example.jp/wiki/A_(B))"),
        ("20日です[1]。[2] も", "20日です[1]。[2] も"),
        ("~~旧~~ 新", "旧 新"),
        ("一\n\n---\n\n二\n***\n三", "一\n\n二\n\n三"),
        ("一行目  \n二行目<br>三行目<BR/>四行目", "一行目\n二行目\n三行目\n四行目"),
        (r"\*そのまま\* \# \[x\] 1\. C:\temp \\server", r"*そのまま* # [x] 1. C:\temp \\server"),
        ("", ""),
        ("\n\n \n", ""),
    ],
)
def test_markdown_marks_go_and_structure_stays(markdown: str, shown: str) -> None:
    assert plain(markdown) == shown


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        (TABLE, "・一般 — 日当: 2,500円 / 宿泊: 12,000円\n・役員 — 日当: 5,000円"),
        (f"上限です。\n\n{TABLE}\n\n以上です。", f"上限です。\n\n{plain(TABLE)}\n\n以上です。"),
        ("| 区分 | 期限 |\n|---|:--:|\n| 国内 | 20日 |", "・国内 — 期限: 20日"),
        ("区分 | 期限\n--- | ---\n国内 | 20日", "・国内 — 期限: 20日"),
        ("> | 区分 | 期限 |\n> |---|---|\n> | 国内 | **20日** |", "・国内 — 期限: 20日"),
        ("| 名 | 式 |\n|---|---|\n| `a_b` | x \\| y<br>z |\n| | |", "・a_b — 式: x | y z"),
        ("| | 4月 |\n|---|---|\n| | 20日 |", "・4月: 20日"),
        ("| 区分 | 期限 |\n|---|---|", "区分 | 期限"),
        ("| 行 | だけ |", "行 | だけ"),
        (f"```\n{TABLE}\n```", TABLE),
        ("a | b は c\n次の行", "a | b は c\n次の行"),
    ],
)
def test_a_row_of_a_table_is_an_item_that_names_its_columns(markdown: str, shown: str) -> None:
    assert plain(markdown) == shown


def test_a_table_whose_headings_would_fill_the_chat_keeps_its_rows() -> None:
    shown = plain(f"| x | {'長い見出し' * 200} |\n|---|---|\n" + "| 1 | 2 |\n" * 100)

    assert shown.count("長い見出し") == 200
    assert shown.count("1 | 2") == 100
    assert len(shown) < MAX_TABLE_CHARS


WORD = st.sampled_from(
    ["締め日", "20日", "is due", "snake_case", "3", "経費（国内）", "𠮷野家", "👨‍👩‍👧", "e\u0301", "A社"]
)
WORDS = st.lists(WORD, min_size=1, max_size=3).map("、".join)
MARKED = st.sampled_from(
    ["**{}**", "*{}*", "~~{}~~", "***{}***", "**「{}」**", "`{}`", "{}", "**_{}_**", "[{}](https://e.jp/a_b)"]
)
SPAN = st.builds(lambda mark, words: mark.format(words), MARKED, WORDS)
LINE = st.lists(SPAN, min_size=1, max_size=3).map(" と ".join)
BEGUN = st.sampled_from(["# {}", "### {}", "- {}", "  - {}", "* {}", "1. {}", "> {}", ">> {}", "- [ ] {}", "{}"])
ROW = st.tuples(LINE, LINE).map(lambda cells: "| {} | {} |".format(*cells))
ROWS = st.lists(ROW, min_size=2, max_size=4).map(lambda rows: "\n".join([rows[0], "|---|:-:|", *rows[1:]]))
BLOCKS = st.one_of(st.builds(lambda begun, line: begun.format(line), BEGUN, LINE), ROWS, st.just("---"))
PARAGRAPHS = st.lists(BLOCKS, min_size=1, max_size=6)
DOCUMENT = PARAGRAPHS.map("\n\n".join)
MARK = re.compile(r"\*|~~|`|^\s*(?:#|>|[-+] |---)|\]\(|\[ \]|^\||\|$|\|[-:]", re.MULTILINE)


@given(DOCUMENT)
def test_no_mark_survives(markdown: str) -> None:
    assert not MARK.search(plain(markdown))


@given(DOCUMENT)
def test_no_word_is_lost_but_the_first_heading_of_a_table(markdown: str) -> None:
    shown = plain(markdown)
    heads = [cell for row in re.findall(r"^(\|.*)\n\|---", markdown, re.MULTILINE) for cell in row.split("|")[1:2]]
    said = markdown
    for head in heads:
        said = said.replace(head, "", 1)

    words = re.findall(r"締め日|20日|is due|snake_case|経費（国内）|𠮷野家|👨‍👩‍👧|e\u0301|A社|https://e\.jp/a_b", said)
    assert all(shown.count(word) >= words.count(word) for word in words)


@given(PARAGRAPHS, st.integers(1, 6))
def test_what_is_shown_of_a_beginning_is_the_beginning_of_what_is_shown(paragraphs: list[str], count: int) -> None:
    beginning, whole = plain("\n\n".join(paragraphs[:count])), plain("\n\n".join(paragraphs))

    assert whole.startswith(beginning)


@given(st.text(alphabet="*_`~#>-|[]()<>\\ \n!あa1.:/", max_size=200))
def test_any_text_is_shown_and_shown_again_ends(markdown: str) -> None:
    letters = re.sub(r"[^あa]", "", markdown)

    assert len(re.sub(r"[^あa]", "", plain(markdown))) <= len(letters) * len(markdown)
    assert isinstance(plain(plain(markdown)), str)


@pytest.mark.parametrize(
    "hostile",
    [
        "**a " * 4_000,
        "`" * 16_000,
        "` `` ``` " * 2_000,
        "[" * 16_000,
        "[a](" * 4_000,
        "|" * 16_000,
        "|-" * 8_000 + "\n" + "|-" * 8_000,
        "a | b\n--- | ---\n" * 2_000,
        ">" * 16_000,
        "> " * 8_000 + "\n" + "- " * 8_000,
        "~~a\n" * 4_000,
        "_a " * 5_000,
        "https://" * 2_000,
        "<" * 16_000,
        "# " * 8_000,
        "﷐0﷑" * 4_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    began = time.process_time()

    plain(hostile)

    assert time.process_time() - began < 1


def test_what_stands_for_held_text_within_cannot_be_forged() -> None:
    assert plain("\ufdd00\ufdd1 `秘` \ufdd07\ufdd1") == "0 秘 7"


def test_sources_are_short_lines_with_an_address_only_where_it_opens() -> None:
    assert source_lines("", [RULES, MEMO], "ja") == "出典: 就業規則 › 休暇 https://example.jp/rules\n出典: メモ"
    assert source_lines("", [MEMO], "en") == "Source: メモ"


def test_sources_are_numbered_where_the_text_refers_to_numbers() -> None:
    assert source_lines("20日です[2]。", [MEMO], "ja") == "出典: [2] メモ"


def test_a_document_cited_twice_is_named_once() -> None:
    assert source_lines("", [MEMO, MEMO], "ja") == "出典: メモ"
    assert source_lines("有給[1]、休職[3]。", [RULES, LEAVE], "ja") == "出典: [1][3] 就業規則 https://example.jp/rules"


def test_an_emoji_is_two_units() -> None:
    assert utf16_units("a😀窓") == 4


def test_a_long_answer_is_cut_at_sentences_into_parts_that_fit() -> None:
    made = split("😀これは長い回答の一文です。" * 900)

    assert len(made) > 1
    assert all(utf16_units(part) <= PART_UNITS < MAX_TEXT_UNITS for part in made)
    assert all(part.endswith("。") for part in made)
    assert "".join(made).count("。") == 900


@pytest.mark.parametrize(
    "cluster",
    [
        "👨‍👩‍👧‍👦",
        "🇯🇵",
        "👋🏽",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "葛\U000e0100",
        "辻󠄀",
        "か\u3099",
        "e\u0301\u0323",
        "1️⃣",
        "ｶﾞ",
        "❤️‍🔥",
    ],
)
@pytest.mark.parametrize("before", range(3))
def test_five_full_messages_break_no_character(cluster: str, before: int) -> None:
    text = "あ" * before + cluster * (5 * PART_UNITS // utf16_units(cluster))

    made = split(text)

    assert 5 <= len(made) <= 6
    assert all(utf16_units(part) <= PART_UNITS for part in made)
    assert sum(part.count(cluster) for part in made) == text.count(cluster)
    assert "".join(made) == text


def test_an_address_at_the_end_of_a_part_stays_whole() -> None:
    address = "https://example.jp/" + "a_b/" * 200

    made = split("規則です。" * 960 + f"詳細は {address} にあります。" + "以上です。" * 300)

    assert [part.count(address) for part in made].count(1) == 1


@pytest.mark.parametrize(
    "line",
    ["|" + " " * 2_500 + "x", "# " + " " * 2_500 + "x", "# " + "a #" * 2_500 + "x", "-|" * 1_250 + "x"],
    ids=["a row without an end", "a heading far to the right", "a heading of numbers", "nearly a rule"],
)
def test_no_line_takes_longer_to_read_than_it_is_long(line: str) -> None:
    begun = time.process_time()

    assert plain(line).endswith("x")
    assert time.process_time() - begun < 0.5
