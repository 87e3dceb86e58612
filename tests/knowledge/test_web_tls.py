"""Websites over TLS: the certificate must be the name's, although the connection goes to the address checked."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from knowledge.web import connection, exchange
from tests.fakes.website import HOST, FakeWebsite
from tests.knowledge.websites import Read, reader


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWebsite]:
    """A website whose certificate a company's own authority made, which SSL_CERT_FILE names."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    exchange._tls.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with FakeWebsite(context) as running:
        yield running
    exchange._tls.cache_clear()


@pytest.fixture
def read(site: FakeWebsite, tmp_path: Path) -> Read:
    return reader(site, tmp_path / "web")


def test_a_page_is_read(site: FakeWebsite, read: Read):
    assert read(pages=[site.page("/a", "text")]).uris == [f"https://{HOST}:{site.port}/a"]


def test_another_names_certificate_does_not_count(site: FakeWebsite, read: Read):
    site.addresses["other.test"] = ["127.0.0.1"]
    site.page("/a", "text")

    result = read(pages=[site.url("/a", "other.test")])

    assert result.reasons == {site.url("/a", "other.test"): "robots.txt: no connection, or a broken one"}
    assert site.asked == []


def test_a_page_may_come_in_pieces_with_pauses(site: FakeWebsite, read: Read):
    page = site.put("/a", "text", seconds_per_byte=2 * connection.GLANCE_S)

    assert [document.text for document in read(pages=[page]).documents] == ["text"]
