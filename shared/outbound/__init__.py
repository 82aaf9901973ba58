"""Speaking to systems outside by HTTPS: whom we may reach, what we send, and the secrets that sign it.

What a composition root decides stands in `Outbound`; the forbidden networks and the trusted authorities are
part of it so that a test or the demo can have a receiver of its own on this machine. Nothing else passes
others.
"""

import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.outbound.guard import FORBIDDEN, AddressGuard, Network, NotAllowed, Resolve, resolve
from shared.outbound.post import Post, Unreached
from shared.outbound.secrets import SecretUnusable, make_missing_secrets, read_secrets

__all__ = [
    "FORBIDDEN",
    "AddressGuard",
    "NotAllowed",
    "Outbound",
    "Post",
    "SecretUnusable",
    "Unreached",
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
        return Post(AddressGuard(hosts=hosts, forbidden=self.forbidden, resolve=self.resolve), tls=self.tls)
