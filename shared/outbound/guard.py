"""Whom we may reach: https only, hosts of a list, and no address in a forbidden network.

Invariants:
- The address that was checked is the one that is connected to: a name that answers otherwise a moment later
  (DNS rebinding) changes nothing.
- Where a name has several addresses, one that is forbidden refuses them all.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# What is not the public internet (RFC 6890 and later), and every way to write an IPv4 address inside IPv6.
FORBIDDEN: Sequence[Network] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
        "ff00::/8",
    )
)  # fmt: skip


class NotAllowed(Exception):
    """An address that is not reached; the text says by which rule and names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes: the checked address, under the name that the certificate has to have."""

    host: str
    port: int
    address: str

    @property
    def netloc(self) -> str:
        """The value of the Host header."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def host_of(url: str) -> str:
    """Write the host of a URL as a list of hosts names it: `host` for port 443, else `host:port`."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port or 443
    return host if port == 443 else f"{host}:{port}"


class AddressGuard:
    """The rule for some hosts (`host` for port 443, else `host:port`); only tests pass other networks."""

    def __init__(
        self,
        *,
        hosts: Collection[str],
        forbidden: Sequence[Network] = FORBIDDEN,
        resolve: Resolve = resolve,
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._forbidden = forbidden
        self._resolve = resolve

    async def target(self, url: str) -> Target:
        """Find where a URL leads now; raises NotAllowed, or OSError where the name has no address."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.username is not None or parts.password is not None:
            raise NotAllowed("only https without a user")
        host, port = (parts.hostname or "").lower(), parts.port or 443
        if host_of(url) not in self._hosts:
            raise NotAllowed("not an allowed host")
        addresses = await self._resolve(host, port)
        if not addresses or any(self._is_forbidden(address) for address in addresses):
            raise NotAllowed("an address in a forbidden network")
        return Target(host=host, port=port, address=addresses[0])

    def _is_forbidden(self, text: str) -> bool:
        try:
            address: Address = ip_address(text)
        except ValueError:
            return True
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._forbidden if network.version == address.version)
