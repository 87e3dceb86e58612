"""Addresses of pages and of machines: what may be asked at all."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

import httpx

from knowledge.web.errors import Refused, Unreachable

MAX_CHARS = 2_000
MAX_PORT = 65_535

Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host; raises OSError when it has none."""


def normalised(address: str, *, base: str = "") -> str:
    """The absolute address as it is asked for, without a fragment; a relative one is taken from `base`.

    Raises:
        ValueError: it is no address, not of http or https, names a user, or is too long.
    """
    try:
        url = httpx.URL(base).join(address.strip()) if base else httpx.URL(address.strip())
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("not an address") from error
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise ValueError("not an http:// or https:// address")
    if url.userinfo:
        raise ValueError("an address with a user name or a password")
    if b"%" in url.raw_host or url.port == 0 or (url.port or 0) > MAX_PORT or len(str(url)) > MAX_CHARS:
        raise ValueError("not an address: no such host, no such port, or too long")
    return str(url.copy_with(fragment=None, raw_path=url.raw_path))  # which is / where the path is empty


def host_of(address: str) -> str:
    """The host of a normalised address, lower case and in ASCII."""
    return httpx.URL(address).raw_host.decode("ascii")


def normalised_host(host: str) -> str:
    """The host as `host_of` gives it.

    Raises:
        ValueError: it is none, or more than a host.
    """
    address = normalised(f"http://{host}/")
    if httpx.URL(address).raw_path != b"/" or httpx.URL(address).port:
        raise ValueError("not the address of a host: no port and no path belong to it")
    return host_of(address)


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses that the system has for the host, as numbers in any notation too."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def checked(host: str, port: int, *, resolve: Resolve, allow_private: bool) -> Sequence[str]:
    """The host's IP addresses, every one of them looked at.

    Raises:
        Refused: one of them is not public, and `allow_private` is not set.
        Unreachable: it has none.
    """
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable("its name has no address") from error
    private = next((address for address in found if not is_public(address)), None)
    if private is not None and not allow_private:
        raise Refused(f"a private address, {private} (allow_private = true permits it)")
    return found


def is_public(address: str) -> bool:
    """Whether the IP address is one of the internet: no machine's own, no network's own, nobody's, no group's."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if isinstance(ip, ipaddress.IPv6Address) and (ip.is_site_local or ip.sixtofour or ip.teredo):
        return False  # the last two lead to an IPv4 address that they carry
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)
