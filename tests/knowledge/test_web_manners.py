"""Websites: robots.txt, the pace, busy hosts, and hosts that are down."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from knowledge.web import pace
from tests.fakes.website import FakeWebsite, Reply
from tests.knowledge.websites import Read


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by itself when it is waited for; what was waited, one for each wait."""
    waited: list[float] = []
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        waited.append(seconds)

    monkeypatch.setattr(pace, "time", type("Time", (), {"monotonic": lambda: clock[0], "sleep": sleep}))
    return waited


def test_what_robots_txt_does_not_allow_is_not_asked_for(site: FakeWebsite, read: Read):
    site.robots("User-agent: *\nDisallow: /private\nAllow: /private/open\n")
    site.page("/private/a", "text")
    opened = site.page("/private/open", "text")

    result = read(pages=[site.url("/private/a"), opened])

    assert result.uris == [opened]
    assert result.reasons == {site.url("/private/a"): "robots.txt does not allow it"}


def test_rules_for_this_robot_go_before_those_for_all(site: FakeWebsite, read: Read):
    site.robots("User-agent: *\nDisallow:\n\nUser-agent: madoguchi\nDisallow: /*.php$\n")

    result = read(pages=[site.page("/a.php", "text"), site.page("/b", "text")])

    assert result.uris == [site.url("/b")]


def test_robots_txt_counts_for_where_a_redirect_leads(site: FakeWebsite, read: Read):
    site.robots("User-agent: *\nDisallow: /private\n")
    site.page("/private", "text")
    site.replies["/a"] = Reply(status=302, headers={"Location": "/private"})

    result = read(pages=[site.url("/a")])

    assert result.reasons == {site.url("/a"): "robots.txt does not allow it"}


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_site_without_robots_txt_allows_everything(site: FakeWebsite, read: Read, status: int):
    site.replies["/robots.txt"] = Reply(status=status)

    assert read(pages=[site.page("/a", "text")]).uris == [site.url("/a")]


def test_a_site_whose_robots_txt_cannot_be_had_allows_nothing(site: FakeWebsite, read: Read):
    site.replies["/robots.txt"] = Reply(status=500)
    addresses = [site.page("/a", "text"), site.page("/b", "text")]

    result = read(pages=addresses)

    assert result.reasons == dict.fromkeys(addresses, "robots.txt: HTTP 500")
    assert [asked.path for asked in site.asked] == ["/robots.txt"]


def test_a_robots_txt_of_garbage_does_no_harm(site: FakeWebsite, read: Read):
    site.put("/robots.txt", bytes(range(256)) * 4000, media_type="text/plain")

    assert read(pages=[site.page("/a", "text")]).uris == [site.url("/a")]


def test_robots_txt_is_asked_for_once(site: FakeWebsite, read: Read):
    site.robots("User-agent: *\nDisallow:\n")

    read(pages=[site.page(f"/{n}", f"text {n}") for n in range(4)])

    assert [asked.path for asked in site.asked].count("/robots.txt") == 1


def test_there_is_a_pause_between_two_requests(site: FakeWebsite, read: Read):
    read(pages=[site.page(f"/{n}", f"text {n}") for n in range(4)], requests_per_second=10.0)

    times = [asked.at for asked in site.asked]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.1


def test_a_crawl_delay_slows_down_up_to_a_bound(site: FakeWebsite, read: Read, waits: list[float]):
    pages = [site.page("/a", "text a"), site.page("/b", "text b")]
    site.robots("User-agent: *\nCrawl-delay: 4\n")
    read(pages=pages)
    four = sum(waits)
    site.robots("User-agent: *\nCrawl-delay: 86400\n")

    read(pages=pages)

    assert four == pytest.approx(4, abs=0.1)
    assert sum(waits) - four == pytest.approx(pace.LONGEST_DELAY_S, abs=0.1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_host_is_asked_again_when_it_says(site: FakeWebsite, read: Read, waits: list[float], status: int):
    site.page("/a", "text")
    site.replies["/a"] = [Reply(status=status, headers={"Retry-After": "7"}), site.reply_to("/a")]

    result = read(pages=[site.url("/a")])

    assert result.uris == [site.url("/a")]
    assert 7 <= sum(waits) < 8


@pytest.mark.parametrize("said", ["120", "Fri, 31 Dec 2100 23:59:59 GMT", "9" * 400])
def test_a_host_that_asks_for_a_long_rest_gets_it(site: FakeWebsite, read: Read, waits: list[float], said: str):
    site.replies["/a"] = Reply(status=429, headers={"Retry-After": said})

    result = read(pages=[site.url("/a"), site.page("/b", "text")])

    assert site.paths() == ["/a"]
    assert all("asks to be left alone for" in reason for reason in result.reasons.values())
    assert len(result.reasons) == 2
    assert sum(waits) < 1


@pytest.mark.parametrize("said", ["", "soon", "-1", "1e9", "Fri, 99 Foo 0000", "١٢"])
def test_a_host_that_says_nonsense_is_asked_a_few_times(site: FakeWebsite, read: Read, waits: list[float], said: str):
    site.replies["/a"] = Reply(status=503, headers={"Retry-After": said.encode().decode("latin-1")})

    result = read(pages=[site.url("/a")])

    assert result.reasons == {site.url("/a"): "the host is busy"}
    assert site.paths() == ["/a"] * 3
    assert sum(waits) < 10


def test_a_host_that_is_down_is_given_up_and_others_are_not(site: FakeWebsite, read: Read):
    site.addresses["other.test"] = ["127.0.0.1"]
    for n in range(10):
        site.replies[f"/{n}"] = Reply(raw=b"nonsense\r\n\r\n")
    last = site.url("/z", "other.test")
    site.page("/z", "text")

    result = read(pages=[*(site.url(f"/{n}") for n in range(10)), last])

    assert site.paths() == ["/0", "/1", "/2", "/z"]
    assert result.uris == [last]
    assert result.reasons[site.url("/9")] == (
        "no connection, or a broken one; 3 times in a row, so the host was asked no more"
    )


class Cancelled(Exception): ...


def test_waiting_for_ones_turn_can_be_broken_off(site: FakeWebsite, read: Read):
    site.robots("User-agent: *\nCrawl-delay: 25\n")
    pages = [site.page("/a", "text a"), site.page("/b", "text b")]
    ticks = iter(range(20))
    began = time.monotonic()

    def cancel() -> None:
        if next(ticks, None) is None:
            raise Cancelled

    with pytest.raises(Cancelled):
        read(cancel, pages=pages)

    assert site.paths() == ["/a"]
    assert time.monotonic() - began < 10


def test_reading_can_be_broken_off(site: FakeWebsite, read: Read):
    def cancel() -> None:
        if len(site.asked) >= 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        read(cancel, pages=[site.page(f"/{n}", f"text {n}") for n in range(5)])

    assert len(site.asked) == 2
