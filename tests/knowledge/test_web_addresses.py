"""Websites: which addresses may be asked at all, and that no other machine is reached by any detour."""

from __future__ import annotations

import socket

import pytest

from knowledge.web.addresses import MAX_CHARS, checked, is_public, normalised, resolve
from knowledge.web.errors import Unreachable
from tests.fakes.website import FakeWebsite, Reply
from tests.knowledge.websites import Read

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_the_internets_is_private(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1"])
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "localhost", "::1"])
def test_other_ways_to_write_ones_own_machine_are_seen_through(host):
    try:
        found = resolve(host, 80)
    except socket.gaierror:
        pytest.skip("this system does not take it for an address")

    assert found
    assert not any(map(is_public, found))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://A.Example", "https://a.example/"),
        (" http://a.example:80/b?c=d#e ", "http://a.example/b?c=d"),
        ("https://a.example/a%2Fb/規程", "https://a.example/a%2Fb/%E8%A6%8F%E7%A8%8B"),
        ("https://日本.example/", "https://xn--wgv71a.example/"),
        ("https://a.example/?q=%E3%81%82", "https://a.example/?q=%E3%81%82"),
    ],
)
def test_an_address_has_one_form(address, expected):
    assert normalised(address) == expected
    assert normalised(expected) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a.example",
        "//a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///a",
        "http://a:b@a.example/",
        "http://a.example:99999/",
        "http://a.example:0/",
        "http://a.example:x/",
        "http://a.example/\x00",
        "http://a b.example/",
        "http://[::1/",
        "http://a.example/" + "x" * MAX_CHARS,
    ],
)
def test_what_is_no_address_of_a_page_is_refused(address):
    with pytest.raises(ValueError, match=r"address"):
        normalised(address)


def test_a_name_that_no_system_of_names_takes_has_no_address():
    with pytest.raises(Unreachable, match="no address"):
        checked(f"{'a' * 64}.example", 80, resolve=resolve, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_not_connected_to(site: FakeWebsite, read: Read, address: str):
    site.addresses["inside.test"] = [address]
    page = site.page("/a", "text")

    result = read(pages=[site.url("/a", "inside.test")], allow_private=False)

    assert page
    assert result.documents == []
    assert result.reasons == {
        site.url("/a", "inside.test"): f"a private address, {address} (allow_private = true permits it)"
    }
    assert site.asked == []


def test_one_private_address_among_public_ones_is_enough(site: FakeWebsite, read: Read):
    site.addresses["mixed.test"] = ["8.8.8.8", "127.0.0.1"]

    result = read(pages=[site.url("/a", "mixed.test")], allow_private=False)

    assert "a private address, 127.0.0.1" in result.reasons[site.url("/a", "mixed.test")]


def test_a_name_that_changes_its_address_is_connected_to_what_was_checked(
    site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch
):
    """Resolved twice, it would pass as public and lead inside."""
    connected: list[str] = []
    monkeypatch.setattr(
        socket, "create_connection", lambda address, *_, **__: connected.append(address[0]) or refuse(address)
    )
    answers = iter([["8.8.8.8"], ["127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(site, "resolve", lambda host, port: next(answers))

    result = read(pages=[site.url("/a", "rebinding.test")], allow_private=False)

    assert connected == ["8.8.8.8"]
    assert result.documents == []


def refuse(address: object) -> None:
    raise ConnectionRefusedError(address)


@pytest.mark.parametrize("target", ["http://inside.test/", "http://127.0.0.1/", "file:///etc/passwd", "//inside.test/"])
def test_no_redirect_leads_inside(site: FakeWebsite, read: Read, target: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.web.addresses.is_public", lambda address: address == "127.0.0.1")  # the site's own
    site.addresses["inside.test"] = ["10.0.0.1"]
    site.replies["/a"] = Reply(status=302, headers={"Location": target})

    result = read(pages=[site.url("/a")], allow_private=False)

    assert result.documents == []
    assert site.paths() == ["/a"]
    assert set(site.resolved) == {"site.test"}


def test_a_redirect_to_a_named_host_is_checked_like_every_connection(
    site: FakeWebsite, read: Read, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("knowledge.web.addresses.is_public", lambda address: address == "127.0.0.1")  # the site's own
    site.addresses["www.test"] = ["10.0.0.1"]
    site.replies["/a"] = Reply(status=302, headers={"Location": "http://www.test/a"})

    result = read(pages=[site.url("/a")], hosts=frozenset({"www.test"}), allow_private=False)

    assert result.reasons == {site.url("/a"): "a private address, 10.0.0.1 (allow_private = true permits it)"}


def test_robots_txt_leads_inside_as_little_as_a_page(site: FakeWebsite, read: Read):
    site.addresses["inside.test"] = ["127.0.0.1"]
    site.replies["/robots.txt"] = Reply(status=302, headers={"Location": site.url("/secret", "inside.test")})
    site.page("/a", "text")

    read(pages=[site.url("/a")])

    assert [asked.path for asked in site.asked] == ["/robots.txt", "/a"]
