"""A visitor of a website who keeps to its rules: robots.txt, the pace, the hosts, the redirects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from protego import Protego

from knowledge.web.addresses import host_of, normalised
from knowledge.web.errors import Refused, Unreachable
from knowledge.web.exchange import USER_AGENT, Answer, Exchange
from knowledge.web.pace import Pace
from knowledge.web.page import Page

MAX_REDIRECTS = 5
_TRIES = 3
_NAME = USER_AGENT.partition("/")[0]
_REDIRECTS = (301, 302, 303, 307, 308)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_FOR_NOW = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, *_BUSY)
_ROBOTS_CHARS = 512_000  # as RFC 9309 has it: at least 500 KiB

Readable = Callable[[str], bool]


class Visitor:
    """Asks for the addresses of one source, one after the other.

    Args:
        hosts: which may be asked at all.
        requests_per_second: of one host.
    """

    def __init__(self, exchange: Exchange, *, hosts: frozenset[str], requests_per_second: float) -> None:
        self._exchange = exchange
        self._hosts = hosts
        self._pause_s = 1 / requests_per_second
        self._paces: dict[str, Pace] = {}
        self._robots: dict[str, Protego | Unreachable] = {}

    def get(self, address: str, known: Page | None, readable: Readable) -> Page:
        """The page at an address, after its redirects; `known` itself when it has not changed since.

        Raises:
            Unreachable: not to be had for now.
            Refused: the site or the rules say no.
        """
        return self._follow(address, known, readable, allow=self._check_robots)

    def _follow(self, address: str, known: Page | None, readable: Readable, *, allow: Callable[[str], None]) -> Page:
        for _ in range(MAX_REDIRECTS + 1):
            self._check_host(address)
            allow(address)
            same = known if known and known.address == address else None
            answer = self._ask(address, same.conditions if same else {}, readable)
            if answer.status == HTTPStatus.OK:
                return Page.of(address, answer)
            if answer.status == HTTPStatus.NOT_MODIFIED and same:
                return same
            address = _redirected(address, answer)
        raise Refused(f"redirects more than {MAX_REDIRECTS} times")

    def _check_host(self, address: str) -> None:
        if host_of(address) not in self._hosts:
            raise Refused(f"leads to {host_of(address)}, which is none of the source's hosts")

    def _check_robots(self, address: str) -> None:
        """Let pass what robots.txt lets pass, at the pace that it asks for.

        Raises:
            Refused: it does not let pass.
            Unreachable: it may say anything.
        """
        origin = normalised("/", base=address)
        if origin not in self._robots:
            self._robots[origin] = self._read_robots(origin)
        robots = self._robots[origin]
        if isinstance(robots, Unreachable):
            raise Unreachable(str(robots))
        if not robots.can_fetch(address, _NAME):
            raise Refused("robots.txt does not allow it")
        self._pace(address).slow_down(robots.crawl_delay(_NAME) or 0.0)

    def _read_robots(self, origin: str) -> Protego | Unreachable:
        """The rules of an origin; none where it has no robots.txt, as RFC 9309 has it."""
        try:
            page = self._follow(f"{origin}robots.txt", None, _anything, allow=_nothing)
        except Unreachable as error:
            return Unreachable(f"robots.txt: {error}")
        except Refused:
            return Protego.parse("")
        return Protego.parse(page.content[:_ROBOTS_CHARS].decode("utf-8", "replace"))

    def _ask(self, address: str, headers: Mapping[str, str], readable: Readable) -> Answer:
        """The answer of a server that is not busy."""
        pace = self._pace(address)
        for _ in range(_TRIES):
            pace.wait()
            try:
                answer = self._exchange.get(address, headers=headers, readable=readable)
            except Unreachable as error:
                pace.failed(str(error))
                raise
            except Refused:
                pace.answered()
                raise
            pace.answered()
            if answer.status not in _BUSY:
                return answer
            pace.rest(_retry_after_s(answer))
        raise Unreachable("the host is busy")

    def _pace(self, address: str) -> Pace:
        return self._paces.setdefault(host_of(address), Pace(self._pause_s, self._exchange.tick))


def _redirected(address: str, answer: Answer) -> str:
    """Where an answer that is no page leads to.

    Raises:
        Unreachable, Refused: nowhere.
    """
    said = f"HTTP {answer.status}"
    if answer.status in _REDIRECTS:
        try:
            return normalised(answer.headers.get("location", ""), base=address)
        except ValueError as error:
            raise Refused(f"{said} to no address that can be asked") from error
    if answer.status in range(400, 500) and answer.status not in _FOR_NOW:
        raise Refused(said)
    raise Unreachable(said)


def _retry_after_s(answer: Answer) -> float:
    """How long a busy server wants to be left alone; seconds, or a date."""
    said = answer.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return float(said)
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    return 1.0


def _anything(_: str) -> bool:
    return True


def _nothing(_: str) -> None:
    """Allow it."""
