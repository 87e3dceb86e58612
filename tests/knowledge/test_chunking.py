"""Chunks: within a section, ending at sentences and rows, within the embedder's tokens."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking import Limit, split
from knowledge.documents import BREAK, Document


def document(text: str, *, title: str = "規程", audience: frozenset[str] = frozenset({"public"})) -> Document:
    return Document(id="d", title=title, uri="d.md", text=text, audience=audience)


def chunks(text: str, max_tokens: int = 5000, **facts):
    return list(split(document(text, **facts), Limit(max_tokens, len)))


def test_chunks_carry_the_headings_above_them():
    found = chunks("# 規程\n\n前文。\n\n## 旅費\n\n### 宿泊\n\n上限は9,000円。\n\n## 経費\n\n25日まで。\n")

    assert [(chunk.heading_path, chunk.text) for chunk in found] == [
        ((), "前文。"),
        (("旅費", "宿泊"), "上限は9,000円。"),
        (("経費",), "25日まで。"),
    ]


def test_a_heading_with_nothing_beneath_is_kept():
    assert [chunk.text for chunk in chunks("# 規程\n\n## 副業は禁止です\n\n## 次\n\n文。\n")] == [
        "副業は禁止です",
        "文。",
    ]


def test_a_hash_in_a_code_block_is_no_heading():
    (chunk,) = chunks("```sh\n# install\npip install x\n```\n")

    assert chunk.heading_path == ()


def test_japanese_is_cut_at_the_ends_of_sentences():
    text = "経費は毎月25日までに申請してください。遅れたときは翌月です！それでよいですか？" * 40

    found = chunks(text)

    assert len(found) > 1
    assert all(chunk.text.endswith(("。", "！", "？")) and len(chunk.text) <= 400 for chunk in found)
    assert "".join(chunk.text for chunk in found) == text


def test_a_table_is_cut_between_rows_and_each_part_has_the_header():
    header = "| 項目 | 上限 |\n| --- | --- |\n"
    rows = [f"| 宿泊費その{n} | {n},000円 |" for n in range(60)]

    found = chunks(header + "\n".join(rows))

    assert len(found) > 1
    assert all(chunk.text.startswith(header.rstrip()) for chunk in found)
    assert [row for chunk in found for row in chunk.text.splitlines()[2:]] == rows


def test_rows_of_answers_never_share_a_chunk():
    found = chunks(f"Q: a\nA: b{BREAK}Q: c\nA: d")

    assert [chunk.text for chunk in found] == ["Q: a\nA: b", "Q: c\nA: d"]


def test_a_long_answer_keeps_its_question_in_each_piece():
    question, sentences = "Q: 返品できますか？\nA: ", [f"{n}日以内に届いたものなら返品できます。" for n in range(60)]

    found = chunks(question + "".join(sentences))

    assert len(found) > 1
    assert all(chunk.text.startswith(question) for chunk in found)
    assert "".join(chunk.text.removeprefix(question) for chunk in found) == "".join(sentences)


def test_rows_stay_within_the_embedders_tokens_with_the_header_that_they_get_again():
    header = f"| {'見出し' * 15} | 上限 |\n| --- | --- |\n"

    found = chunks(header + "\n".join(f"| 宿泊費その{n} | {n},000円 |" for n in range(60)), max_tokens=150)

    assert all(chunk.text.startswith(header.rstrip()) and len(chunk.searchable) <= 150 for chunk in found)


def test_each_table_has_its_own_header():
    tables = [f"| {name} | x |\n| --- | --- |\n" + f"| {name}の値 | 1 |\n" * 30 for name in ("机", "椅子", "棚")]

    for chunk in chunks("\n".join(tables)):
        names = {name for name in ("机", "椅子", "棚") if f"| {name}の値" in chunk.text}
        assert all(f"| {name} | x |\n| ---" in chunk.text for name in names)


def test_a_header_as_long_as_a_page_is_not_repeated():
    found = chunks(f"| {'長' * 600} | x |\n| --- | --- |\n" + "| 値 | 1 |\n" * 100, max_tokens=512)

    assert all(len(chunk.searchable) <= 512 for chunk in found)


def test_a_chunk_stays_within_the_embedders_tokens_with_its_headings():
    found = chunks("## 見出し\n\n" + "これは長い文です。" * 50, max_tokens=60)

    assert all(len(chunk.searchable) <= 60 for chunk in found)


def test_a_heading_as_long_as_a_page_leaves_room_for_text():
    found = chunks("# " + "長" * 3000 + "\n\n本文です。", max_tokens=512, title="長" * 3000)

    assert [chunk.text for chunk in found] == ["本文です。"]


def test_another_audience_is_another_chunk():
    one, other = chunks("文。"), chunks("文。", audience=frozenset({"members"}))

    assert one[0].id != other[0].id


@pytest.mark.parametrize("text", ["", "\n\n", BREAK])
def test_nothing_gives_no_chunk(text):
    assert chunks(text) == []


def test_a_table_of_a_hundred_thousand_rows_is_cut_in_seconds():
    begun = time.process_time()

    found = chunks("| a | b |\n| --- | --- |\n" + "| 1 | 2 |\n" * 100_000)

    assert sum(chunk.text.count("| 1 | 2 |") for chunk in found) == 100_000
    assert time.process_time() - begun < 10


@given(st.text(alphabet=st.sampled_from("あ漢aB1 。.\n#|-`"), max_size=800))
def test_no_letter_is_lost(text):
    said = "".join(chunk.text + "".join(chunk.heading_path) for chunk in chunks(text, title=""))

    assert {letter for letter in text if letter.isalnum()} <= set(said)
