"""Loading: files become documents, and what cannot is named with its reason."""

import os
from pathlib import Path

import pytest

from knowledge import loading
from knowledge.documents import Document, Skipped
from knowledge.loading import load
from knowledge.sources import Folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    return source


def loaded(root: Path) -> dict[str, Document | str]:
    """Each file's document, or the reason why it was skipped."""
    items = list(load(Folder(path=root, audience=frozenset({"members"})), root))
    return {
        item.path if isinstance(item, Skipped) else item.uri: item.reason if isinstance(item, Skipped) else item
        for item in items
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"])
def test_japanese_text_is_read_in_every_encoding_that_is_in_use(root, encoding):
    text = "経費は月末までに申請します。ｻｰﾊﾞ室は三階です。"
    (root / "a.txt").write_bytes(text.encode(encoding))

    assert loaded(root)["a.txt"].text == text


@pytest.mark.parametrize("text", ["日本", "会議室", "です。", "コピー機はどこ？", "申請"])
def test_short_japanese_text_is_not_mistaken_for_another_encoding(root, text):
    (root / "sjis.txt").write_bytes(text.encode("cp932"))
    (root / "euc.txt").write_bytes(text.encode("euc_jp"))

    documents = loaded(root)

    assert (documents["sjis.txt"].text, documents["euc.txt"].text) == (text, text)


def test_what_is_no_document_is_named_with_its_reason_and_stops_nothing(root, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MAX_BYTES", 1_000_000)
    (tmp_path / "secret.txt").write_text("outside")
    (root / "a-folder").symlink_to(tmp_path)
    (root / "a-link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "b-nowhere.txt").symlink_to(root / "missing.txt")
    (root / "binary.txt").write_bytes(bytes(range(256)))
    (root / "broken.csv").write_text('question,answer\n"a,b\n', "utf-8")
    (root / "deep.html").write_text("<div>" * 5000 + "x")
    (root / "empty.md").write_text(" \n")
    (root / "huge.txt").write_text("x" * 2_000_000)
    (root / "picture.png").write_bytes(b"\x89PNG")
    (root / "latin.txt").write_bytes("café – naïve".encode("latin-1", "replace"))
    (root / "z.md").write_text("# Last\n\nStill here.")

    result = loaded(root)

    assert result.pop("z.md").title == "Last"
    assert result == {
        "a-folder": "a link that leads out of the source",
        "a-link.txt": "a link that leads out of the source",
        "b-nowhere.txt": "not a file, or a link to nothing",
        "binary.txt": "binary",
        "broken.csv": "broken CSV: unexpected end of data",
        "deep.html": "nested too deeply",
        "empty.md": "empty",
        "huge.txt": "larger than 1 MB",
        "latin.txt": "neither UTF-8, UTF-16, Shift_JIS nor EUC-JP",
        "picture.png": "not a kind of file that is read",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_skipped(root):
    (root / "a.txt").write_text("x")
    (root / "a.txt").chmod(0)

    assert loaded(root)["a.txt"].startswith("unreadable")


def test_a_named_pipe_does_not_hang(root):
    os.mkfifo(root / "a.txt")

    assert loaded(root) == {"a.txt": "not a file, or a link to nothing"}


def test_a_folder_that_cannot_be_read_is_named(root):
    (root / "a.md").write_text("# A\n\nThe office opens at nine.")
    deep, name = root, "d" * 250
    where = os.open(root, os.O_RDONLY)
    for _ in range(17):  # longer than a path may be: even who may read everything cannot list the innermost
        os.mkdir(name, dir_fd=where)
        inner = os.open(name, os.O_RDONLY, dir_fd=where)
        os.close(where)
        where, deep = inner, deep / name
    os.close(where)

    documents = loaded(root)

    assert documents["a.md"].title == "A"
    assert [reason for reason in documents.values() if isinstance(reason, str)] == ["unreadable: File name too long"]


def test_a_folder_that_is_not_there_is_named(root):
    assert list(load(Folder(path=root / "missing"), root)) == [Skipped(".", "unreadable: No such file or directory")]


def test_hidden_files_and_folders_are_passed_over(root):
    (root / ".git").mkdir()
    (root / ".git" / "a.txt").write_text("x")
    (root / ".draft.md").write_text("x")

    assert loaded(root) == {}


def test_a_document_has_its_place_and_its_sources_audience(root):
    (root / "rules").mkdir()
    (root / "rules" / "a.md").write_text("---\ntitle: 旅費規程\ntags: x\n---\n# Heading\n\ntext\r\nmore\n", "utf-8")

    document = loaded(root)["rules/a.md"]

    assert (document.id, document.title) == ("source/rules/a.md", "旅費規程")
    assert document.text == "# Heading\n\ntext\nmore\n"
    assert document.audience == {"members"}


def test_the_sources_title_stands_in_front_of_the_place(root):
    (root / "a.txt").write_text("x")

    (document,) = load(Folder(path=root, title="社内規程"), root)

    assert document.uri == "社内規程/a.txt"


def test_html_keeps_what_people_read(root):
    (root / "a.html").write_text(
        "<html><head><title>Blog</title><style>p{}</style></head><body><nav>Home</nav><h1>社内ブログ</h1>"
        "<p>最初の<b>文</b>です。<br>次の文です。</p><h2>表</h2><table><tr><th>項目</th><th>上限</th></tr>"
        "<tr><td>宿泊</td><td>9,000円</td></tr></table><ul><li>一つ</li><li>二つ</li></ul>"
        "<script>alert(1)</script><!-- note --></body></html>",
        "utf-8",
    )

    document = loaded(root)["a.html"]

    assert document.title == "社内ブログ"
    assert document.text == (
        "# 社内ブログ\n\n最初の文です。\n次の文です。\n\n## 表\n\n"
        "| 項目 | 上限 |\n| --- | --- |\n| 宿泊 | 9,000円 |\n\n"
        "- 一つ\n\n- 二つ"
    )


@pytest.mark.parametrize("header", ["question,answer", "回答者,質問,回答"])
def test_rows_of_a_csv_are_questions_with_their_answers(root, header):
    row = "返品できますか？,14日以内なら。" if header.startswith("q") else "田中,返品できますか？,14日以内なら。"
    (root / "faq.csv").write_bytes(f"{header}\r\n{row}\r\n".encode("cp932"))

    assert loaded(root)["faq.csv"].text == "Q: 返品できますか？\nA: 14日以内なら。"


def test_rows_of_another_csv_are_a_table(root):
    (root / "rooms.csv").write_text("部屋,定員\nカモメ,8\nタコ,6\n", "utf-8")

    assert loaded(root)["rooms.csv"].text == "| 部屋 | 定員 |\n| --- | --- |\n| カモメ | 8 |\n| タコ | 6 |"
