"""Speaking to systems outside by HTTPS: whom we may reach, what we send, and the secrets that sign it.

What a composition root decides stands in `Outbound`; the forbidden networks and the trusted authorities are
part of it so that a test or the demo can have a receiver of its own on this machine. Nothing else passes
others.
"""

import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.outbound.exchange import Exchange, Unreached
from shared.outbound.get import Get, Got
from shared.outbound.guard import FORBIDDEN, AddressGuard, Network, NotAllowed, Resolve, host_of, resolve
from shared.outbound.post import Post
from shared.outbound.secrets import SecretUnusable, make_missing_secrets, read_secrets

__all__ = [
    "FORBIDDEN",
    "AddressGuard",
    "Get",
    "Got",
    "NotAllowed",
    "Outbound",
    "Post",
    "SecretUnusable",
    "Unreached",
    "host_of",
    "make_missing_secrets",
    "read_secrets",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """The way out: the folder of the secrets, the networks that are never reached, and whom TLS trusts."""

    secrets: Path
    forbidden: Sequence[Network] = FORBIDDEN
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    resolve: Resolve = resolve

    def post_to(self, hosts: Collection[str]) -> Post:
        """Give the way to these hosts (`host` or `host:port`)."""
        return Post(self._exchange(hosts))

    def get_from(self, hosts: Collection[str]) -> Get:
        """Give the way to read at these hosts (`host` or `host:port`)."""
        return Get(self._exchange(hosts))

    def _exchange(self, hosts: Collection[str]) -> Exchange:
        guard = AddressGuard(hosts=hosts, forbidden=self.forbidden, resolve=self.resolve)
        return Exchange(guard, tls=self.tls)
