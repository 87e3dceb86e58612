"""Chunks beside the index are found with it, by the same measures, and by nobody who does not hand them in."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas

from knowledge.calibration import Floor
from knowledge.chunking import Limit
from knowledge.documents import Document
from knowledge.formats import NoContent
from knowledge.fusion import Near, Sides, fuse
from knowledge.own import MOST_CHARS, OwnChunks, chunks_of, read
from knowledge.reindexing import Report
from knowledge.retrieval import Retriever

LIMIT = Limit(512, len)
PARKING = "来客用の駐車場は地下二階の北側にあります。"
MEMBERS = frozenset({"public", "members"})
FLOOR = Floor(cosine=0.8, evidence=0.9, coverage=0.5)


def document(text: str, name: str = "parking.txt") -> Document:
    return Document("file:1", name, "", text, frozenset({"slack:T1:D1"}))


def own(retriever: Retriever, *texts: str, meant: bool = False) -> OwnChunks:
    chunks = tuple(chunk for text in texts for chunk in retriever.split(document(text), (), 10).chunks)
    vectors = retriever.embed(chunks)
    return OwnChunks(chunks, vectors, frozenset(chunk.id for chunk in chunks) if meant else frozenset())


def pdf(*pages: str) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written)
    for page in pages:
        for at, line in enumerate(page.splitlines()):
            canvas.drawString(72, 720 - 14 * at, line)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


@pytest.fixture
def indexed(run: Callable[..., Report], retriever: Retriever) -> Retriever:
    run()
    return retriever


def test_own_chunks_are_found_beside_the_index(indexed: Retriever) -> None:
    found = indexed.retrieve("来客用の駐車場はどこにありますか", audience=MEMBERS, own=own(indexed, PARKING))

    assert [passage.chunk.text for passage in found.passages[:1]] == [PARKING]


def test_the_index_is_found_beside_own_chunks(indexed: Retriever) -> None:
    found = indexed.retrieve("経費は毎月何日までに申請しますか", audience=MEMBERS, own=own(indexed, PARKING))

    assert "経費は毎月25日までに申請します。" in found.passages[0].chunk.text


def test_who_does_not_hand_them_in_finds_nothing(indexed: Retriever) -> None:
    own(indexed, PARKING)

    found = indexed.retrieve("来客用の駐車場はどこにありますか", audience=MEMBERS)

    assert PARKING not in [passage.chunk.text for passage in (*found.passages, *found.nearest)]


def test_what_has_nothing_to_do_with_the_question_stays_below_the_floor(indexed: Retriever) -> None:
    found = indexed.retrieve("VPN error E-517", audience=MEMBERS, own=own(indexed, PARKING))

    assert PARKING not in [passage.chunk.text for passage in found.passages]


def test_what_the_question_came_with_is_found_however_far_it_is(indexed: Retriever) -> None:
    found = indexed.retrieve("これを要約して", audience=MEMBERS, own=own(indexed, PARKING, meant=True))

    assert PARKING in [passage.chunk.text for passage in found.passages]


def test_a_quoted_own_chunk_is_gone_when_it_is_not_handed_in_any_more(indexed: Retriever) -> None:
    held = own(indexed, PARKING)

    assert indexed.retrieve("駐車場", audience=MEMBERS, own=held, quoted=held.ids).gone == frozenset()
    assert indexed.retrieve("駐車場", audience=MEMBERS, quoted=held.ids).gone == held.ids


def test_a_chunk_in_a_language_that_the_index_has_not_is_measured_all_the_same() -> None:
    chunks, _ = chunks_of(document("The car park for guests is on level two."), (), LIMIT, 10)
    held = OwnChunks(chunks, np.array([[1.0, 0.0]], np.float32))
    asked, words = np.array([[0.95, 0.1]], np.float32), [{"park": 2.0}]

    (japanese,) = held.beside([Sides({}, {})], asked, words, {"ja": FLOOR})
    (empty,) = held.beside([Sides({}, {})], asked, words, {})

    assert japanese.dense[-1].lead == pytest.approx(Near.above(FLOOR.cosine, 0.95, 1 - FLOOR.cosine).lead)
    assert empty.dense[-1].lead == pytest.approx(0.95)
    assert fuse([japanese])[0].coverage == 1.0


def test_a_chunk_of_a_pdf_names_its_page() -> None:
    content = read("handbook.pdf", pdf("Desks are booked on the portal.", "", "Guests park on level two."))

    chunks, whole = chunks_of(document(content.text, "handbook.pdf"), content.pages, LIMIT, 10)

    assert [chunk.title for chunk in chunks] == ["handbook.pdf, p. 1"]
    assert whole


def test_pages_that_fill_several_chunks_are_told_apart() -> None:
    pages = [
        [f"Rule {page}-{line} says that desks are booked on the portal." for line in range(30)] for page in (1, 2, 3)
    ]
    content = read("handbook.pdf", pdf(*map("\n".join, pages)))

    chunks, _ = chunks_of(document(content.text, "handbook.pdf"), content.pages, LIMIT, 100)

    last = [chunk for chunk in chunks if "Rule 3-29" in chunk.text]
    assert [chunk.title for chunk in last] == ["handbook.pdf, p. 3"]
    assert chunks[0].title == "handbook.pdf, p. 1"


def test_of_a_long_file_the_beginning_is_taken_and_it_is_said_that_it_is_not_all() -> None:
    rows = "\n".join(f"品目{n},倉庫{n},棚{n}" for n in range(10_000))
    content = read("stock.csv", f"品目,倉庫,棚\n{rows}".encode())

    chunks, whole = chunks_of(document(content.text, "stock.csv"), content.pages, LIMIT, 300)

    assert (len(chunks), whole) == (300, False)
    assert "品目0" in chunks[0].text


def test_a_text_without_end_is_cut_before_it_is_split() -> None:
    chunks, whole = chunks_of(document("あ" * MOST_CHARS * 3), (), LIMIT, 10_000)

    assert not whole
    assert sum(len(chunk.text) for chunk in chunks) <= MOST_CHARS


@pytest.mark.parametrize(("name", "content"), [("a.txt", b" \n\t "), ("a.csv", b"\n\n"), ("a.pdf", pdf(""))])
def test_a_file_without_a_word_has_nothing_to_read(name: str, content: bytes) -> None:
    with pytest.raises(NoContent):
        read(name, content)


@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis", "euc_jp", "utf-16"])
def test_every_encoding_that_is_common_in_japan_is_read(encoding: str) -> None:
    assert read("parking.txt", PARKING.encode(encoding)).text == PARKING
