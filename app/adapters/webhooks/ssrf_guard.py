"""Which callback URLs and network addresses may be reached: the guard against forged requests.

A tenant chooses the URL and this service calls it from inside its own network, so the URL is
checked when it comes, and its addresses again right before each connection, which then goes to
exactly the address that was checked.

Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet; the IANA special-purpose
registries. `ipaddress.is_global` alone is not enough: it is true for 6to4 and NAT64 forms of
127.0.0.1, and differs between Python versions.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_URL = 2048
MIN_HIGH_PORT = 1024
PORTS = {"http": 80, "https": 443}
# IMAP and submission, plain with STARTTLS and over TLS. Not 25: mail goes out by one's own server.
MAIL_PORTS = (143, 465, 587, 993)

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!-~]*)?"
)
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
# Ends in a number: every resolver reads that as IPv4 in one of its odd spellings (WHATWG URL, 3.5).
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")

_CLOSED_V4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # A public number that answers with a virtual machine's own secrets on one large cloud.
        "168.63.129.16/32",
    )
]  # fmt: skip
# All that is not global unicast is closed, which covers ::1, mapped, NAT64, local and multicast.
_OPEN_V6 = IPv6Network("2000::/3")
# Protocol assignments with Teredo, documentation, 6to4, documentation.
_CLOSED_V6 = [
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]


class ForbiddenTargetError(Exception):
    """The URL, or an address it leads to, may not be called; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in parts: `host` is a lower-case name or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def endpoint(self) -> str:
        """Host and port, as an entry of the allow-list names them."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def authority(self) -> str:
        """The `Host` header: the port only where it is not the scheme's own."""
        return bracketed(self.host) if self.port == PORTS[self.scheme] else self.endpoint


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def parse(url: str) -> Target:
    """Read a URL by a grammar of our own, so that no other reader can see another host in it.

    Raises:
        ForbiddenTargetError: it has a user, a fragment, an odd host, or is longer than 2048.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None or "#" in url or "\\" in url:
        raise ForbiddenTargetError(
            "must be https://host[:port][/path][?query] in ASCII, up to 2048 characters,"
            " without user or fragment"
        )
    scheme, host = found["scheme"], _host(found["host"].lower())
    port = int(found["port"] or PORTS[scheme])
    if not 0 < port < 65536:
        raise ForbiddenTargetError("has a port that does not exist")
    path = found["target"] or "/"
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}")


def _host(written: str) -> str:
    try:
        if written.startswith("["):
            return str(IPv6Address(written[1:-1]))
        return str(IPv4Address(written))
    except ValueError:
        last_label = written.rsplit(".", 1)[-1]
        if not _NAME.fullmatch(written) or len(written) > 253 or _NUMBER.fullmatch(last_label):
            why = "has a host that is neither a name nor an IP address in its usual form"
            raise ForbiddenTargetError(why) from None
        return written


def is_public(address: Address) -> bool:
    """Whether the address is one of the open internet, in its own form and not as another's."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


async def system_resolve(host: str, port: int) -> list[str]:
    """Every address of the host, as the machine's own resolver answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be called: the open internet over https, and what the operator allows.

    `endpoints` (`host:port`) and `networks` may be private, and may be called over plain http.
    """

    endpoints: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    resolve: Resolve = system_resolve

    async def addresses(self, target: Target) -> list[str]:
        """The addresses to connect to. All of them are fine, or none is used.

        Raises:
            ForbiddenTargetError: scheme, port or any address may not be used.
            OSError: the name does not resolve.
        """
        found = await self.resolve(target.host, target.port)
        if not found:
            raise OSError(f"{target.host} has no address")
        if target.endpoint in self.endpoints:
            return found
        unlisted = [address for address in map(ip_address, found) if not self._lists(address)]
        if unlisted and target.scheme != "https":
            raise ForbiddenTargetError("must begin with https://")
        if unlisted and target.port != PORTS["https"] and target.port < MIN_HIGH_PORT:
            raise ForbiddenTargetError("must use port 443, or one from 1024 on")
        if not all(is_public(address) for address in unlisted):
            raise ForbiddenTargetError("leads to an address that is not on the open internet")
        return found

    async def mail_addresses(self, host: str, port: int, *, encrypted: bool) -> list[str]:
        """The same for a mail server; without TLS only where the operator allows the endpoint.

        Raises:
            ForbiddenTargetError: port or any address may not be used, or not in clear.
            OSError: the name does not resolve.
        """
        found = await self.resolve(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        if f"{bracketed(host.lower())}:{port}" in self.endpoints:
            return found
        unlisted = [address for address in map(ip_address, found) if not self._lists(address)]
        if unlisted and not encrypted:
            raise ForbiddenTargetError("must be used with TLS")
        if unlisted and port not in MAIL_PORTS and port < MIN_HIGH_PORT:
            raise ForbiddenTargetError("must use port 143, 465, 587, 993, or one from 1024 on")
        if not all(is_public(address) for address in unlisted):
            raise ForbiddenTargetError("leads to an address that is not on the open internet")
        return found

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def make_guard(allowed: Sequence[Network | str], resolve: Resolve = system_resolve) -> Guard:
    """A guard that lets entries of the setting `callback_allow` pass beside the open internet."""
    networks = tuple(entry for entry in allowed if not isinstance(entry, str))
    endpoints = frozenset(entry.lower() for entry in allowed if isinstance(entry, str))
    return Guard(endpoints, networks, resolve)
