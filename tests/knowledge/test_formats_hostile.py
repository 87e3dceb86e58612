"""Hostile, damaged and locked files: each is refused with a reason, and the next one is read."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.documents import Document, Skipped
from knowledge.formats import NoContent, read
from knowledge.formats.apart import ReaderProcess
from knowledge.loading import load
from knowledge.sources import Folder
from tests.knowledge import office

COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504
ENCRYPTED = COMPOUND_FILE + "EncryptedPackage".encode("utf-16-le")
BILLION_LAUGHS = '<!DOCTYPE l [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
"""Ten times ten times … lol: a gigabyte when expanded."""


@pytest.fixture
def reader():
    process = ReaderProcess(limit_s=5)
    yield process
    process.close()


def refused(name: str, content: bytes) -> str:
    """The reason why the file is not read; the same reader reads the next one."""
    with pytest.raises(NoContent) as error:
        read(name, content)
    assert read("next.docx", office.word()).text == "本文です。"
    return str(error.value)


def packed(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("_", "/"), text)
    return file.getvalue()


def pdf_of(stream: bytes, filters: bytes) -> bytes:
    """One page whose content is this stream."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(stream), filters, stream),
    ]
    objects = (b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(bodies, 1))
    return b"%PDF-1.4\n" + b"".join(objects) + b"trailer << /Size 5 /Root 1 0 R >>\n%%EOF"


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.pptx", "a.xlsx", "a.csv", "a.html", "a.md"])
def test_an_empty_file_is_empty(name):
    assert refused(name, b"") == "empty"


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx"])
def test_a_locked_or_old_office_file_is_told_from_a_damaged_one(name):
    assert refused(name, ENCRYPTED) == "encrypted: it needs a password"
    assert refused(name, COMPOUND_FILE) == "an Office file of before 2007"
    assert refused(name, office.slides()[:9000]) == "damaged, or not what its name says"
    assert refused(name, "ただの文".encode()) == "damaged, or not what its name says"
    assert refused(name, packed(readme="x")) == "not what its name says"


def test_a_locked_pdf_is_told_from_a_damaged_one_and_a_scanned_one():
    assert refused("a.pdf", office.pdf(["x"], password="geheim")) == "encrypted: it needs a password"
    assert refused("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 50) == "a damaged PDF"
    assert refused("a.pdf", office.pdf([])) == "a PDF without text: scanned pages are not read"


def test_a_pdf_of_too_many_pages_is_refused():
    assert refused("a.pdf", office.pdf(*[["x"]] * 2001)) == "more than 2,000 pages"


def test_a_zip_bomb_is_not_unpacked():
    bomb = office.with_part(office.word(), "word/document.xml", b"\0" * 201_000_000)

    assert refused("a.docx", bomb) == "larger than 200 MB when unpacked"


def test_an_archive_that_lies_about_its_size_is_damaged():
    bomb = office.saying("x" * 3_000_000)
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        size = archive.getinfo("word/document.xml").file_size.to_bytes(4, "little")

    assert refused("a.docx", bomb.replace(size, (100).to_bytes(4, "little"))).startswith("damaged")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.docx", office.word(), "word/document.xml"),
        ("a.pptx", office.slides(), "ppt/slides/slide1.xml"),
        ("a.xlsx", office.workbook(), "xl/worksheets/sheet1.xml"),
    ],
)
def test_entities_are_not_expanded(name, content, part):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        whole = archive.read(part).decode()
    start = whole.index("<", whole.index("?>") + 2 if "?>" in whole else 0)
    laughing = f"{BILLION_LAUGHS}]>{whole[start:]}".replace("本文です。", "&j;").replace("在宅勤務の説明", "&j;")

    try:
        text = read(name, office.with_part(content, part, laughing)).text
    except NoContent as error:
        text = str(error)

    assert "lol" not in text


def test_files_outside_are_not_reached(tmp_path):
    (tmp_path / "secret").write_text("geheim")
    entity = f'<!DOCTYPE l [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    content = office.saying("vorher &x;")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        body = archive.read("word/document.xml").decode()

    said = read("a.docx", office.with_part(content, "word/document.xml", entity + body)).text

    assert said == "vorher"


def test_what_is_nested_too_deeply_is_refused():
    assert refused("a.docx", office.saying("<a>" * 50_000 + "</a>" * 50_000)) == "nested too deeply"


def test_a_workbook_of_a_thousand_sheets_is_read():
    def write(sheet):
        for number in range(1000):
            sheet.parent.create_sheet(f"s{number}").append([f"値{number}"])

    assert "値999" in read("a.xlsx", office.workbook(write)).text


def test_a_pdf_that_fills_the_memory_ends_its_reader_only():
    bomb = zlib.compress(zlib.compress(b" " * 1_000_000_000, level=1), level=1)

    assert "needs too much memory" in refused("a.pdf", pdf_of(bomb, b"[/FlateDecode /FlateDecode]"))


def test_what_takes_too_long_is_given_up(reader):
    slow = office.saying("<a/>" * 10_000_000)

    with pytest.raises(NoContent, match="takes longer than 5 seconds"):
        reader.read(".docx", slow)

    assert reader.read(".docx", office.word()).text == "本文です。"


def test_a_reader_that_was_killed_between_two_files_is_started_again(reader):
    reader.read(".docx", office.word())
    os.kill(reader._process.pid, signal.SIGKILL)
    reader._process.wait()

    assert reader.read(".docx", office.word()).text == "本文です。"


def test_one_reader_serves_many_threads(reader):
    files = {f"第{number}号": office.pdf([f"第{number}号"]) for number in range(50)}

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda content: reader.read(".pdf", content).text, files.values()))

    assert said == list(files)


def test_a_reader_ends_with_its_parent_in_the_middle_of_a_file(tmp_path):
    (tmp_path / "slow.docx").write_bytes(office.saying("<a/>" * 10_000_000))
    script = "import sys; from knowledge.formats import apart as a; import threading as t; c = open(sys.argv[1], 'rb')"
    script += ".read(); t.Thread(target=a.read_apart, args=('.docx', c), daemon=True).start()"
    script += "\nwhile not a._READER._process: pass\nprint(a._READER._process.pid, flush=True); t.Event().wait()"
    parent = subprocess.Popen([sys.executable, "-c", script, tmp_path / "slow.docx"], stdout=subprocess.PIPE)
    with parent:
        child = int(parent.stdout.readline())
        time.sleep(3)
        parent.kill()

    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_bad_file_stops_the_rest(tmp_path):
    (tmp_path / "a.docx").write_bytes(ENCRYPTED)
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "c.xlsx").write_bytes(office.workbook()[:500])
    (tmp_path / "d.ppt").write_bytes(COMPOUND_FILE)
    (tmp_path / "e.pptx").write_bytes(office.slides())
    (tmp_path / "~$e.pptx").write_bytes(b"\x05owner")

    items = list(load(Folder(path=tmp_path, audience=frozenset({"members"})), tmp_path))

    assert [item.path for item in items if isinstance(item, Skipped)] == ["a.docx", "b.pdf", "c.xlsx", "d.ppt"]
    assert [item.title for item in items if isinstance(item, Document)] == ["在宅勤務の説明"]
