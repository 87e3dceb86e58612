"""Websites: what was fetched is asked for again only if it changed, stays while a site is down, and goes for good."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.fakes.website import FakeWebsite, Reply
from tests.knowledge.websites import Read, written

DATED = {"etag": False, "modified": "Wed, 21 Oct 2026 07:28:00 GMT"}


@pytest.mark.parametrize("facts", [{}, DATED], ids=["etag", "last-modified"])
def test_what_has_not_changed_is_not_sent_again(site: FakeWebsite, read: Read, facts: dict):
    sitemap = site.sitemap("/s.xml", site.page("/a", "text", **facts))
    first = read(sitemap=sitemap)
    site.asked.clear()

    second = read(sitemap=sitemap)

    conditions = {"if-none-match", "if-modified-since"}
    assert second.documents == first.documents
    assert [bool(conditions & asked.headers.keys()) for asked in site.asked] == [False, True, True]


def test_what_has_changed_is_read_anew(site: FakeWebsite, read: Read):
    address = site.page("/a", "old text")
    read(pages=[address])
    site.page("/a", "new text")

    (document,) = read(pages=[address]).documents

    assert "new text" in document.text


def test_behind_a_redirect_the_page_is_asked_whether_it_changed(site: FakeWebsite, read: Read):
    site.replies["/old"] = Reply(status=301, headers={"Location": "/new"})
    site.page("/new", "text")
    read(pages=[site.url("/old")])
    site.asked.clear()

    assert read(pages=[site.url("/old")]).uris == [site.url("/new")]
    assert ["if-none-match" in asked.headers for asked in site.asked] == [False, False, True]


@pytest.mark.parametrize(
    "fault",
    [Reply(status=500), Reply(status=204), Reply(raw=b"nonsense"), Reply(status=429, headers={"Retry-After": "99"})],
)
def test_a_page_that_cannot_be_reached_stays_as_it_was_and_that_is_said(site: FakeWebsite, read: Read, fault: Reply):
    address = site.page("/a", "text")
    before = read(pages=[address])
    site.replies["/a"] = fault

    after = read(pages=[address])

    assert after.documents == before.documents
    assert re.search(r"; it stays as it was on \d{4}-\d\d-\d\d$", after.reasons[address])


def test_the_day_is_that_of_the_last_word_of_the_site(site: FakeWebsite, read: Read, tmp_path: Path):
    address = site.page("/a", "text")
    read(pages=[address])
    (file,) = tmp_path.glob("web/*/pages/*")
    os.utime(file, (0, 0))
    site.stop()
    assert "1970-01-01" in read(pages=[address]).reasons[address]
    site.start_again()

    read(pages=[address])

    site.stop()
    assert "1970-01-01" not in read(pages=[address]).reasons[address]
    site.start_again()


def test_a_site_that_is_down_keeps_all_its_pages(site: FakeWebsite, read: Read):
    sitemap = site.sitemap("/s.xml", *(site.page(f"/{n}", f"text {n}") for n in range(6)))
    before = read(sitemap=sitemap)
    site.stop()

    after = read(sitemap=sitemap)

    site.start_again()
    assert after.documents == before.documents
    assert len(after.reasons) == 7
    assert (after.kept, before.kept) == (6, 6)


@pytest.mark.parametrize(
    "fault", [Reply(status=404), Reply(status=500), Reply(b"<urlset>"), Reply(b"<html>Maintenance</html>")]
)
def test_a_list_that_is_gone_or_broken_takes_no_page_with_it(site: FakeWebsite, read: Read, fault: Reply):
    sitemap = site.sitemap("/s.xml", site.page("/a", "text a"), site.page("/b", "text b"))
    before = read(sitemap=sitemap)
    site.replies["/s.xml"] = fault

    for _ in range(2):  # the broken list may have been kept
        after = read(sitemap=sitemap)

        assert set(after.uris) == set(before.uris)
        assert sitemap in after.reasons


def test_one_broken_sitemap_of_several_takes_no_page_with_it(site: FakeWebsite, read: Read):
    a, b = site.page("/a", "text a"), site.page("/b", "text b")
    index = site.sitemap("/i.xml", site.sitemap("/1.xml", a), site.sitemap("/2.xml", b), kind="sitemap")
    read(sitemap=index)
    site.put("/2.xml", "<urlset>")

    assert read(sitemap=index).uris == [a, b]


@pytest.mark.parametrize("status", [404, 410, 403])
def test_a_page_that_is_gone_is_deleted(site: FakeWebsite, read: Read, tmp_path: Path, status: int):
    addresses = [site.page("/a", "secret text"), site.page("/b", "other text")]
    read(pages=addresses)
    site.replies["/a"] = Reply(status=status, etag=False)

    result = read(pages=addresses)

    assert result.reasons == {addresses[0]: f"HTTP {status}"}
    assert not written(tmp_path, b"secret")


def test_a_page_that_left_the_sitemap_is_deleted(site: FakeWebsite, read: Read, tmp_path: Path):
    a, b = site.page("/a", "secret text"), site.page("/b", "other text")
    sitemap = site.sitemap("/s.xml", a, b)
    read(sitemap=sitemap)
    site.sitemap("/s.xml", b)

    assert read(sitemap=sitemap).uris == [b]
    assert not written(tmp_path, b"secret")
    assert not written(tmp_path, a.encode())


def test_a_page_that_robots_txt_closes_is_deleted(site: FakeWebsite, read: Read, tmp_path: Path):
    addresses = [site.page("/a", "secret text"), site.page("/b", "other text")]
    read(pages=addresses)
    site.robots("User-agent: *\nDisallow: /a\n")

    assert read(pages=addresses).uris == addresses[1:]
    assert not written(tmp_path, b"secret")


def test_what_an_interrupted_writing_left_is_deleted(site: FakeWebsite, read: Read, tmp_path: Path):
    address = site.page("/a", "text")
    read(pages=[address])
    (file,) = tmp_path.glob("web/*/pages/*")
    file.with_name("0.new").write_bytes(b"secret half")

    read(pages=[address])

    assert not written(tmp_path, b"secret")


@pytest.mark.parametrize(
    "damage", [b"", b"{}\n", b"[1]\nx", b'{"address": "x"', b'{"asked": 3}\n', b"\xff\xfe\n", b"{}"]
)
def test_a_damaged_file_is_fetched_anew(site: FakeWebsite, read: Read, tmp_path: Path, damage: bytes):
    sitemap = site.sitemap("/s.xml", site.page("/a", "text"))
    read(sitemap=sitemap)
    for file in tmp_path.glob("web/*/*/*"):
        file.write_bytes(damage)
    site.replies["/b"] = Reply(status=500)

    assert read(sitemap=sitemap).uris == [site.url("/a")]


def test_damaged_files_do_no_harm_while_the_site_is_down(site: FakeWebsite, read: Read, tmp_path: Path):
    sitemap = site.sitemap("/s.xml", site.page("/a", "text"))
    read(sitemap=sitemap)
    for file in tmp_path.glob("web/*/*/*"):
        file.write_bytes(b"{}\nx")
    site.stop()

    result = read(sitemap=sitemap)

    site.start_again()
    assert result.documents == []
