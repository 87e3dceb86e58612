"""Websites: servers that want to fill the memory, hold the reader up, or lead it in circles."""

from __future__ import annotations

import gzip
import time

import pytest

from knowledge.web import exchange, listing
from tests.fakes.website import FakeWebsite, Reply
from tests.knowledge.websites import Read

BROKEN = "no connection, or a broken one"
BOMB = """<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa">{entities}]>
<urlset><url><loc>&z;</loc></url></urlset>""".format(
    entities="".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghy", "bcdefghyz", strict=True))
)
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY x SYSTEM "{url}">]>
<urlset><url><loc>http://site.test/&x;</loc></url></urlset>"""


@pytest.fixture
def a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange may take one second."""
    monkeypatch.setattr(exchange, "DEADLINE_S", 1.0)


@pytest.fixture
def a_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page may have one megabyte."""
    monkeypatch.setattr(exchange, "MAX_BYTES", 1_000_000)


@pytest.mark.usefixtures("a_second")
def test_a_server_that_sends_byte_by_byte_is_left(site: FakeWebsite, read: Read):
    slow = site.page("/a", "text " * 1000, seconds_per_byte=0.05)
    quick = site.page("/b", "text")
    began = time.monotonic()

    result = read(pages=[slow, quick])

    assert result.reasons == {slow: "no answer in time"}
    assert result.uris == [quick]
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("a_second")
def test_headers_byte_by_byte_are_no_way_around(site: FakeWebsite, read: Read):
    site.replies["/a"] = Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000, seconds_per_byte=0.05)
    began = time.monotonic()

    assert read(pages=[site.url("/a")]).reasons == {site.url("/a"): "no answer in time"}
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("a_megabyte")
def test_a_huge_page_is_refused_whatever_its_headers_say(site: FakeWebsite, read: Read):
    site.put("/a", b"x" * 2_000_000, media_type="text/plain")
    site.replies["/b"] = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 2_000_000)

    result = read(pages=[site.url("/a"), site.url("/b")])

    assert result.reasons == dict.fromkeys([site.url("/a"), site.url("/b")], "larger than 1 MB")


@pytest.mark.usefixtures("a_megabyte")
def test_what_unpacks_to_something_huge_is_refused(site: FakeWebsite, read: Read):
    packed = gzip.compress(b"x" * 100_000_000)
    page = site.put("/a", packed, headers={"Content-Encoding": "gzip"})
    sitemap = site.put("/s.xml.gz", packed, media_type="application/gzip")

    assert read(pages=[page]).reasons == {page: "larger than 1 MB"}
    assert read(sitemap=sitemap).reasons == {sitemap: "larger than 1 MB"}


def test_a_packed_page_is_unpacked(site: FakeWebsite, read: Read):
    page = site.put("/a", gzip.compress(b"<p>packed text</p>"), headers={"Content-Encoding": "gzip"})

    assert [document.text for document in read(pages=[page]).documents] == ["packed text"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"headers": {"Content-Encoding": "gzip"}}, "broken compression"),
        ({"headers": {"Content-Encoding": "br"}}, "compressed in a way that was not asked for"),
        (
            {"raw": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\nx"},
            BROKEN,
        ),
        ({"raw": b"\x00\x01\x02"}, BROKEN),
        ({"raw": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"}, BROKEN),
        (
            {"raw": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: -1\r\n\r\n"},
            BROKEN,
        ),
        ({"raw": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"}, "HTTP 999"),
        ({"status": 302, "headers": {"Location": ""}}, "redirects more than 5 times"),
        ({"status": 302, "headers": {"Location": "http://[bad"}}, "HTTP 302 to no address that can be asked"),
        ({"status": 302, "headers": {"Location": "/a"}}, "redirects more than 5 times"),
        ({"status": 304, "etag": False}, "HTTP 304"),
        ({"status": 204, "etag": False}, "HTTP 204"),
        ({"status": 500}, "HTTP 500"),
        ({"status": 410}, "HTTP 410"),
    ],
)
def test_a_broken_answer_is_named_with_its_reason(site: FakeWebsite, read: Read, facts: dict, reason: str):
    page = site.put("/a", "text", **facts)

    assert read(pages=[page]).reasons == {page: reason}


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        OUTSIDE.format(url="file:///etc/hostname"),
        "<urlset><url><loc>http://site.test/</loc>",
        "<html><body>Not found</body></html>",
        "not XML at all",
        "",
        '<?xml version="1.0" encoding="no-such-encoding"?><urlset/>',
        "\x00\x01",
    ],
)
def test_a_sitemap_that_is_none_or_worse_is_named_and_quickly(site: FakeWebsite, read: Read, xml: str):
    sitemap = site.put("/s.xml", xml, media_type="application/xml")
    began = time.process_time()  # not of the clock: the machine may be busy with other tests

    result = read(sitemap=sitemap)

    assert result.documents == []
    assert result.reasons == {sitemap: "no sitemap: its XML is broken, or has a document type"}
    assert time.process_time() - began < 5


def test_a_sitemap_may_be_nested_deeply_without_harm(site: FakeWebsite, read: Read):
    sitemap = site.put("/s.xml", "<urlset>" + "<a>" * 100_000 + "</a>" * 100_000 + "</urlset>", media_type="text/xml")

    assert read(sitemap=sitemap).documents == []


def test_an_empty_sitemap_names_nothing(site: FakeWebsite, read: Read):
    assert read(sitemap=site.sitemap("/s.xml")).items == []


@pytest.mark.parametrize("text", ["", "no feed", "<html><a href='/a'>a</a></html>", "\x00", BOMB, "<rss", "{}"])
def test_a_feed_that_is_none_or_worse_is_named_and_quickly(site: FakeWebsite, read: Read, text: str):
    feed = site.put("/feed", text, media_type="application/xml")
    began = time.process_time()

    result = read(feed=feed)

    assert result.reasons == {feed: "neither RSS nor Atom"}
    assert time.process_time() - began < 5


def test_a_feed_is_never_taken_for_the_name_of_a_file(site: FakeWebsite, read: Read, tmp_path):
    (tmp_path / "feed.xml").write_text(
        f"<rss version='2.0'><channel><item><link>{site.page('/a', 'text')}</link></item></channel></rss>"
    )

    assert read(feed=site.put("/feed", str(tmp_path / "feed.xml"))).documents == []


def test_entities_of_a_feed_do_not_multiply(site: FakeWebsite, read: Read):
    bomb = BOMB.replace("urlset", "rss").replace(
        "<url><loc>&z;</loc></url>", "<channel><item><link>&z;</link></item></channel>"
    )
    began = time.process_time()

    read(feed=site.put("/feed", bomb, media_type="application/xml"))

    assert time.process_time() - began < 5


def test_a_huge_feed_is_refused(site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "MAX_FEED_BYTES", 1_000_000)

    result = read(feed=site.put("/feed", "<rss>" + " " * 1_000_000, media_type="application/xml"))

    assert result.reasons == {site.url("/feed"): "no feed that is read: larger than 1 MB"}
