"""Text is cut to a platform's limit: nothing lost, nothing too long, no character and no code block broken."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.line.text import utf16_units
from bot.splitting import split_text

FAMILY, FLAG, WAVE = "👨‍👩‍👧‍👦", "🇯🇵", "👋🏽"
LETTERS = ("あ", "資料。", "！", "a", "word ", "end. ", " ", "\n", "\n\n", "\t", "　", "ｶﾞ", "か\u3099", "e\u0301", "1️⃣")
PIECES = st.sampled_from([*LETTERS, FAMILY, FLAG, WAVE, "𠮷", "😀", "`", "**"])
PROSE = st.lists(PIECES, max_size=60).map("".join)
CODE = st.lists(st.sampled_from(["x = 1\n", "\n", "    return 9\n", "あ", "word "]), min_size=1, max_size=30)
BLOCK = st.tuples(st.sampled_from(["", "python", "c++"]), CODE).map(lambda b: f"\n```{b[0]}\n{''.join(b[1])}\n```\n")
FENCED = st.lists(st.one_of(PROSE.map(lambda text: text.replace("`", "")), BLOCK), max_size=5).map("".join)
ROOM_FOR_A_FENCE = 30


def inked(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


def test_a_text_within_the_limit_is_one_part() -> None:
    assert split_text("締め日は25日です。", 11) == ["締め日は25日です。"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t　"])
def test_empty_text_gives_no_part(text: str) -> None:
    assert split_text(text, 10) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("一つめ。\n\n二つめ。三つめ", ["一つめ。", "二つめ。三つめ"]),
        ("一つめ。\n二つめ。三つめ", ["一つめ。", "二つめ。三つめ"]),
        ("一つめは。二つめは？三つ", ["一つめは。", "二つめは？三つ"]),
        ("one two three", ["one two", "three"]),
        ("あいうえおかきくけこさ", ["あいうえおかきくけこ", "さ"]),
    ],
    ids=["paragraph", "line", "sentence", "word", "character"],
)
def test_it_is_cut_where_a_reader_would(text: str, parts: list[str]) -> None:
    assert split_text(text, 10) == parts


@given(PROSE, st.integers(1, 50))
def test_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    assert inked("".join(split_text(text, limit))) == inked(text)


@given(FENCED, st.integers(ROOM_FOR_A_FENCE, 80))
def test_nothing_of_code_is_lost(text: str, limit: int) -> None:
    marks = ("```python", "```c++", "```")

    def words(shown: str) -> str:
        for mark in marks:
            shown = shown.replace(mark, "")
        return inked(shown)

    assert words("\n".join(split_text(text, limit))) == words(text)


@given(st.one_of(PROSE, FENCED), st.integers(1, 50))
def test_each_part_is_within_the_limit(text: str, limit: int) -> None:
    assert all(0 < len(part) <= limit for part in split_text(text, limit))


@given(st.one_of(PROSE, FENCED), st.integers(2, 50))
def test_each_part_is_within_the_limit_in_utf_16_units_too(text: str, limit: int) -> None:
    parts = split_text(text, limit, utf16_units)

    assert all(0 < len(part.encode("utf-16-le")) // 2 <= limit for part in parts)


@given(st.text(max_size=200), st.integers(1, 50))
@example("```" * 20, 1)
@example("```" + "x" * 100, 7)
def test_any_text_ends_in_parts(text: str, limit: int) -> None:
    assert inked("".join(split_text(text, limit))).replace("`", "").startswith(inked(text).replace("`", "")[:1])


@pytest.mark.parametrize("cluster", [FAMILY, FLAG, WAVE, "ｶﾞ", "か\u3099", "e\u0301", "1️⃣", "कि", "𠮷"])
@pytest.mark.parametrize("limit", range(12, 24))
def test_no_character_is_broken(cluster: str, limit: int) -> None:
    parts = split_text(f"あ{cluster}い" * 12, limit, utf16_units)

    assert sum(part.count(cluster) for part in parts) == 12


@pytest.mark.parametrize("limit", [8, 9])
def test_a_run_of_flags_is_cut_between_two_of_them(limit: int) -> None:
    assert split_text("あ" + FLAG * 6, limit)[0] == "あ" + FLAG * ((limit - 1) // 2)


@given(PROSE, st.integers(12, 50))
def test_no_part_begins_with_what_belongs_to_the_character_before(text: str, limit: int) -> None:
    for part in split_text(text, limit)[1:]:
        assert not unicodedata.combining(part[0])
        assert part[0] not in "\u200d\ufe0f\uff9e"


@given(FENCED, st.integers(ROOM_FOR_A_FENCE, 80))
def test_every_part_closes_the_code_that_it_opens(text: str, limit: int) -> None:
    assert [part.count("```") % 2 for part in split_text(text, limit)].count(1) == 0


def test_code_goes_on_in_its_language() -> None:
    code = "\n".join(f"print({number})" for number in range(8))

    parts = split_text(f"Like this:\n\n```python\n{code}\n```\nDone.", 60)

    assert len(parts) > 1
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert all(part.startswith("```python\nprint(") for part in parts[1:-1])
    assert parts[-1].endswith("Done.")


def test_a_block_that_is_cut_at_its_end_is_not_opened_again() -> None:
    parts = split_text("```\n" + "x" * 40 + "\n```\n" + "y" * 30, 50)

    assert parts == ["```\n" + "x" * 40 + "\n```", "y" * 30]


def test_a_block_does_not_begin_at_the_very_end_of_a_part() -> None:
    parts = split_text("y" * 30 + "\n```\n" + "x" * 40 + "\n```", 50)

    assert parts == ["y" * 30, "```\n" + "x" * 40 + "\n```"]
