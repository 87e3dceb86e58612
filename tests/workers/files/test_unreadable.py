"""What cannot be read of what people drop is said by its name and the reason, and keeps no answer from them."""

from __future__ import annotations

import io
import zipfile

import pytest

from knowledge import own
from knowledge.formats import NoContent
from tests.workers.files.dropping import PARKING, WHERE, Chat, pdf
from workers.files import taking
from workers.files.kinds import Unreadable, readable_name, shown_name, why
from workers.phrases import phrase

BOMB = 60_000_000


def told(name: str, reason: str) -> str:
    return phrase("file_unread", "ja", file=name, reason=phrase(f"file_{reason}", "ja", megabytes=5))


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(4):
            archive.writestr(f"word/{part}.xml", b" " * BOMB)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "mimetype", "reason"),
    [
        ("a.txt", b"", "text/plain", "empty"),
        ("a.txt", b"\x00\x01\x02", "text/plain", "binary"),
        ("a.txt", b"\x81", "text/plain", "binary"),
        ("a.png", b"\x89PNG", "image/png", "media"),
        ("voice.m4a", b"x", "audio/mp4", "media"),
        ("a.exe", b"MZ", "application/octet-stream", "other_kind"),
        ("a.doc", b"x", "application/msword", "old_office"),
        ("a.pdf", b"no pdf", "application/pdf", "damaged"),
        ("lying.pdf", PARKING.encode(), "text/plain", "damaged"),
        ("a.docx", b"no zip", "text/plain", "damaged"),
        ("a.html", b"<p>x</p>", "text/html", "other_kind"),
    ],
)
def test_each_is_told_its_reason(chat: Chat, name: str, content: bytes, mimetype: str, reason: str) -> None:
    chat.drop(chat.upload(content, name, mimetype=mimetype))

    assert chat.seen() == [told(name, reason)]


def test_pdfs_without_text_and_behind_a_password_are_told_apart(chat: Chat) -> None:
    scanned, locked = chat.upload(pdf(""), "scan.pdf"), chat.upload(pdf("Rules", password="x"), "locked.pdf")
    chat.drop(scanned, locked)

    assert chat.seen() == [f"{told('scan.pdf', 'scanned')}\n{told('locked.pdf', 'encrypted')}"]


def test_a_bomb_is_not_unpacked(chat: Chat) -> None:
    chat.drop(chat.upload(bomb(), "bomb.docx"))

    assert chat.seen() == [told("bomb.docx", "too_large")]


def test_what_says_that_it_is_too_large_is_not_fetched(chat: Chat) -> None:
    file = chat.upload(PARKING, "a.txt", size=6_000_000)
    chat.drop(file)

    assert (chat.seen(), file.asked) == ([told("a.txt", "too_large")], 0)


def test_what_is_larger_than_it_says_is_told_so(chat: Chat) -> None:
    chat.drop(chat.upload(b"x" * 5_000_001, "a.txt", size=3))

    assert chat.seen() == [told("a.txt", "too_large")]


def test_a_kind_that_is_not_read_is_not_fetched(chat: Chat) -> None:
    file = chat.upload(b"x", "a.png", mimetype="image/png")
    chat.drop(file)

    assert file.asked == 0


def test_an_app_without_the_permission_says_so(chat: Chat) -> None:
    chat.slack.workspace.files.scoped = False
    chat.drop(chat.upload())

    assert chat.seen() == [told("guests.md", "not_permitted")]


def test_a_file_that_was_deleted_meanwhile_is_said_to_be(chat: Chat) -> None:
    file = chat.upload()
    file.deleted = True
    chat.drop(file)

    assert chat.seen() == [told("guests.md", "gone")]


def test_a_question_beside_an_unreadable_file_is_answered_all_the_same(chat: Chat) -> None:
    chat.drop(chat.upload(b"\x00", "a.txt"), text="経費の締め日はいつですか？")

    (answer,) = chat.seen()
    assert "25日" in answer
    assert told("a.txt", "binary") in answer


def test_of_more_files_than_are_read_at_a_time_it_is_said_how_many_are_left(chat: Chat) -> None:
    chat.drop(*(chat.upload(f"{n}番の規程です。", f"{n}.txt") for n in range(7)))

    assert phrase("file_more", "ja", count=2, most=5) in chat.seen()[0]


def test_of_a_long_file_the_beginning_is_read_and_that_is_said(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_PASSAGES_OF_ONE", 2)
    chat.drop(chat.upload("\n".join(f"第{n}条は長い規程です。" * 20 for n in range(20)), "rules.txt"))

    assert chat.seen() == ["『rules.txt』は長いため、はじめの2か所だけを読みました。\n続けて質問してください。"]


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp"])
def test_files_of_older_machines_are_read(chat: Chat, encoding: str) -> None:
    chat.drop(chat.upload(PARKING.encode(encoding), "old.txt"), text=WHERE)

    assert PARKING in chat.seen()[0]


def test_a_file_without_an_ending_is_read_by_its_type(chat: Chat) -> None:
    chat.drop(chat.upload(PARKING, "Untitled", mimetype="text/plain"), text=WHERE)

    assert PARKING in chat.seen()[0]


def test_a_reader_that_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(suffix: str, content: bytes) -> None:
        raise NoContent("takes longer than 20 seconds to read")

    monkeypatch.setattr(own._READER, "read", hangs)

    with pytest.raises(Unreadable, match="too_hard"):
        taking._read("a.pdf", b"x")


@pytest.mark.parametrize("reason", ["", "never heard of", "damaged (KeyError)", "nested too deeply", "broken CSV: x"])
def test_a_reason_that_nobody_knows_is_damage(reason: str) -> None:
    assert why(reason) == "damaged"


@pytest.mark.parametrize(
    ("name", "mimetype", "read_as"),
    [("a.PDF", "", "a.PDF"), ("log.2026", "text/plain", "log.2026.txt"), ("", "application/pdf", "file.pdf")],
)
def test_how_a_file_is_read(name: str, mimetype: str, read_as: str) -> None:
    assert readable_name(name, mimetype) == read_as


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("規程.pdf", "規程.pdf"),
        ("archive.zip", "archive (zip)"),
        ("evil.com", "evil (com)"),
        ("<!channel>.md", "(md)"),
        ("", "file"),
        ("a\nb.txt", "a b.txt"),
    ],
)
def test_how_a_name_is_shown(name: str, shown: str) -> None:
    assert shown_name(name) == shown
