"""Websites: which pages a source has, and what becomes of each."""

from __future__ import annotations

import io
import time

import pytest
from reportlab.pdfgen.canvas import Canvas

from knowledge.documents import Document, Skipped
from tests.fakes.website import HOST, FakeWebsite, Reply
from tests.knowledge.websites import Read

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Blog</title><link>/</link>
<item><title>One</title><link>{one}</link></item><item><title>Two</title><link>two</link></item>
<item><title>No link</title></item></channel></rss>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><id>b</id>
<entry><title>One</title><id>1</id><link rel="alternate" href="{one}"/></entry>
<entry><title>Two</title><id>2</id><link href="two"/></entry></feed>"""


def test_a_page_is_a_document_with_its_address_and_its_sources_audience(site: FakeWebsite, read: Read):
    address = site.put("/規程/旅費", "<title>x</title><h1>旅費規程</h1><p>日当は二千円です。</p>")

    (document,) = read(pages=[site.url("/規程/旅費")], audience=frozenset({"slack:C1"}), language="ja").documents

    quoted = f"http://{HOST}:{site.port}/%E8%A6%8F%E7%A8%8B/%E6%97%85%E8%B2%BB"
    assert address != quoted
    assert (document.id, document.uri, document.title) == (quoted, quoted, "旅費規程")
    assert (document.audience, document.language) == ({"slack:C1"}, "ja")
    assert "日当は二千円です。" in document.text


def test_the_sitemap_decides_and_links_in_pages_are_not_followed(site: FakeWebsite, read: Read):
    site.page("/a", 'text <a href="/hidden">more</a>')
    site.page("/hidden", "not in the sitemap")

    result = read(sitemap=site.sitemap("/sitemap.xml", site.url("/a"), site.url("/a#part")))

    assert result.uris == [site.url("/a")]
    assert site.paths() == ["/sitemap.xml", "/a"]


def test_an_index_of_sitemaps_is_followed_and_packed_ones_are_unpacked(site: FakeWebsite, read: Read):
    addresses = [site.page(f"/{name}", name) for name in "abc"]
    site.sitemap("/one.xml.gz", *addresses[:2], packed=True)
    site.sitemap("/two.xml", addresses[2])
    index = site.sitemap("/index.xml", site.url("/one.xml.gz"), site.url("/two.xml"), kind="sitemap")

    assert read(sitemap=index).uris == addresses


def test_sitemaps_that_name_each_other_end(site: FakeWebsite, read: Read):
    site.page("/a", "a")
    site.sitemap("/one.xml", site.url("/two.xml"), site.url("/one.xml"), site.url("/pages.xml"), kind="sitemap")
    site.sitemap("/two.xml", site.url("/one.xml"), kind="sitemap")
    site.sitemap("/pages.xml", site.url("/a"))

    assert read(sitemap=site.url("/one.xml")).uris == [site.url("/a")]
    assert site.paths() == ["/one.xml", "/two.xml", "/pages.xml", "/a"]


@pytest.mark.parametrize("feed", [RSS, ATOM], ids=["rss", "atom"])
def test_a_feed_names_pages_absolute_and_relative(site: FakeWebsite, read: Read, feed: str):
    one, two = site.page("/blog/one", "first"), site.page("/blog/two", "second")
    site.put("/blog/feed", feed.format(one=one), media_type="application/rss+xml")

    assert read(feed=site.url("/blog/feed")).uris == [one, two]


def test_the_address_after_redirects_counts(site: FakeWebsite, read: Read):
    new = site.page("/new", "moved here")
    site.replies["/old"] = Reply(status=301, headers={"Location": "/new"})

    assert read(pages=[site.url("/old")]).uris == [new]


def test_a_page_under_two_addresses_is_read_once(site: FakeWebsite, read: Read):
    first = site.page("/a?print=1", "text", head='<base href="/x/"><link rel="canonical" href="../a">')
    second = site.page("/a", "text")

    result = read(pages=[first, second])

    assert result.uris == [first]
    assert result.reasons == {second: f"the same page as {first}"}


def test_a_page_that_is_not_indexed_hides_no_other_with_the_same_address(site: FakeWebsite, read: Read):
    second = site.page("/a", "text")
    first = site.page(
        "/a?print=1", "text", head='<link rel="canonical" href="/a"><meta name="robots" content="noindex">'
    )

    assert read(pages=[first, second]).uris == [second]


def test_a_page_cannot_pass_itself_off_as_another_hosts(site: FakeWebsite, read: Read):
    site.addresses["other.test"] = ["127.0.0.1"]
    liar = site.page("/liar", "lies", head=f'<link rel="canonical" href="{site.url("/a", "other.test")}">')
    site.page("/a", "truth")

    result = read(pages=[liar, site.url("/a", "other.test")])

    assert result.uris == [liar, site.url("/a", "other.test")]


@pytest.mark.parametrize(
    ("facts", "head"),
    [
        ({}, '<meta name="robots" content="NOINDEX, follow">'),
        ({}, '<meta name="Madoguchi" content="none">'),
        ({"headers": {"X-Robots-Tag": "noindex"}}, ""),
    ],
)
def test_a_page_that_asks_not_to_be_indexed_is_not(site: FakeWebsite, read: Read, facts: dict, head: str):
    address = site.page("/a", "text", head=head, **facts)

    result = read(pages=[address])

    assert (result.uris, result.reasons) == ([], {address: "asks not to be indexed (noindex)"})
    assert result.kept == 0


@pytest.mark.parametrize(
    ("charset", "codec", "head"),
    [
        ("; charset=Shift_JIS", "cp932", ""),
        ('; charset="EUC-JP"', "euc_jp", ""),
        ("; charset=ISO-2022-JP", "iso2022_jp", ""),
        ("", "iso2022_jp", '<meta charset="iso-2022-jp">'),
        ("", "cp932", ""),
        ("; charset=rot13", "utf-8", ""),
        ("; charset=utf-8", "cp932", ""),
    ],
)
def test_japanese_pages_are_read_in_their_encoding(site: FakeWebsite, read: Read, charset: str, codec: str, head: str):
    html = f"<html><head>{head}<title>経費</title></head><body>経費は月末までに申請します。</body></html>"
    address = site.put("/a", html.encode(codec), media_type=f"text/html{charset}")

    (document,) = read(pages=[address]).documents

    assert (document.title, document.text) == ("経費", "経費は月末までに申請します。")


def test_western_pages_are_read_in_the_encoding_that_they_name(site: FakeWebsite, read: Read):
    address = site.put("/a", "<p>Café “naïve”</p>".encode("cp1252"), media_type="text/html; charset=iso-8859-1")

    (document,) = read(pages=[address]).documents

    assert document.text == "Café “naïve”"


def test_markdown_and_text_are_read_by_their_type_or_their_name(site: FakeWebsite, read: Read):
    addresses = [
        site.put("/a.md", "# 見出し\n\n本文", media_type="text/plain"),
        site.put("/b", "# 見出し\n\n本文", media_type="text/markdown"),
        site.put("/c.txt", "# ただの文", media_type="text/plain; charset=utf-8"),
    ]

    titles = [document.title for document in read(pages=addresses).documents]

    assert titles == ["見出し", "見出し", "c.txt"]


def test_a_pdf_is_read_by_its_type(site: FakeWebsite, read: Read):
    file = io.BytesIO()
    drawn = Canvas(file)
    drawn.drawString(100, 700, "The form is due on Friday.")
    drawn.save()
    address = site.put("/download?id=3", file.getvalue(), media_type="application/pdf")

    (document,) = read(pages=[address]).documents

    assert (document.title, document.text.strip()) == ("download", "The form is due on Friday.")


@pytest.mark.parametrize("head", ["<?xml version='1.0' encoding='utf-8'?>", "<!DOCTYPE html>", "\ufeff", ""])
def test_xhtml_and_what_says_so_is_read(site: FakeWebsite, read: Read, head: str):
    html = f"{head}<html xmlns='http://www.w3.org/1999/xhtml'><body><p>text</p></body></html>"
    feed = f"{head}<rss><channel><title>text</title></channel></rss>"
    addresses = [site.put("/a", html, media_type="application/xhtml+xml"), site.put("/b", feed)]

    assert site.url("/a") in read(pages=addresses).uris


def test_what_is_no_document_is_named_with_its_reason_and_stops_nothing(site: FakeWebsite, read: Read):
    expected = {
        site.put("/binary", bytes(range(256)), media_type="text/plain"): "binary",
        site.put("/deep", "<div>" * 5000 + "x"): "nested too deeply",
        site.put("/empty", ""): "empty",
        site.put("/forbidden", "", status=403): "HTTP 403",
        site.put("/picture", b"\x89PNG", media_type="image/png"): "not a kind of page that is read: image/png",
        site.put("/untyped", b"text", media_type=""): "not a kind of page that is read: of no type",
        site.url("/missing"): "HTTP 404",
        site.url("/x", "nowhere.test"): "robots.txt: its name has no address",
    }
    last = site.page("/z", "Still here.")

    result = read(pages=[*expected, last])

    assert result.reasons == expected
    assert result.uris == [last]


def test_what_a_sitemap_names_on_another_host_is_not_asked_for(site: FakeWebsite, read: Read):
    site.addresses["other.test"] = ["127.0.0.1"]
    site.page("/a", "text")
    sitemap = site.sitemap(
        "/s.xml", site.url("/a"), site.url("/a", "other.test"), "javascript:alert(1)", "file:///etc/passwd"
    )

    result = read(sitemap=sitemap)

    assert result.uris == [site.url("/a")]
    assert result.reasons == {
        "file:///etc/passwd": "not an http:// or https:// address",
        "javascript:alert(1)": "not an http:// or https:// address",
        site.url("/a", "other.test"): "leads to other.test, which is none of the source's hosts",
    }
    assert "other.test" not in site.resolved


def test_further_hosts_may_be_named(site: FakeWebsite, read: Read):
    site.addresses["other.test"] = ["127.0.0.1"]
    site.page("/a", "text")
    sitemap = site.sitemap("/s.xml", site.url("/a", "other.test"))

    assert read(sitemap=sitemap, hosts=frozenset({"other.test"})).uris == [site.url("/a", "other.test")]


def test_too_many_pages_are_cut_and_that_is_said(site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.web.discovery.MAX_PAGES", 2)
    addresses = [site.page(f"/{n}", str(n)) for n in range(4)]
    sitemap = site.sitemap("/s.xml", *addresses)

    result = read(sitemap=sitemap)

    assert result.uris == addresses[:2]
    assert result.reasons == {sitemap: "names more pages than are read: the first 2 are"}


def test_too_many_sitemaps_are_cut_and_that_is_said(site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.web.discovery.MAX_SITEMAPS", 3)
    address = site.page("/a", "text")
    for n in range(5):
        site.sitemap(f"/{n}.xml", address)
    index = site.sitemap("/index.xml", *(site.url(f"/{n}.xml") for n in range(5)), kind="sitemap")

    result = read(sitemap=index)

    assert result.uris == [address]
    assert result.reasons == {index: "names more sitemaps than are read: the first 3 are"}
    assert site.paths() == ["/index.xml", "/0.xml", "/1.xml", "/a"]


def test_more_than_is_read_of_a_site_is_cut_and_that_is_said(
    site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("knowledge.web.website.MAX_BYTES", 1_000_000)
    pages = [site.page(f"/{n}", f"{n}" * 600_000) for n in range(3)]

    result = read(pages=pages)

    assert result.uris == pages[:2]
    assert result.reasons == {f"{pages[0]} and 2 more": f"has more than 1 MB: what comes after {pages[1]} is not read"}


@pytest.mark.parametrize("mark", ["<a ", "<!--", "<![", "</", "<a b='", "<?", "<script>", "<table>", "&#"])
def test_a_page_of_broken_marks_takes_no_longer_than_its_size(site: FakeWebsite, read: Read, mark: str):
    broken, whole = site.put("/a", mark * 100_000), site.page("/b", "text")
    began = time.process_time()

    assert read(pages=[broken, whole]).uris[-1] == whole
    assert time.process_time() - began < 10


def test_items_are_documents_or_skipped(site: FakeWebsite, read: Read):
    result = read(pages=[site.page("/a", "text"), site.url("/b")])

    assert [type(item) for item in result.items] == [Document, Skipped]
