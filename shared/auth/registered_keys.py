"""The keys that clients have registered in clinic.yaml, written there (`jwks`) or kept by them (`jwks_url`).

What lies at a `jwks_url` is read by the guarded way out: https, that host alone, no private network, no
redirect, no more than 64 KiB, kept for at most five minutes.
"""

import re
from typing import TYPE_CHECKING

import msgspec

from shared.auth.jwks import FetchedJwks, Jwks, JwksRead, KnownJwks, ReadJwks
from shared.clinic import Clinic
from shared.errors import Unavailable

if TYPE_CHECKING:  # it brings a way to systems outside, which a clinic without them does not need
    from shared.outbound import Outbound

KEPT = 300.0
_LONGEST = 64 * 1024
_MAX_KEYS = 100
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})", re.IGNORECASE)
_UNKEPT = re.compile(r"(?:^|[,\s])no-(?:store|cache)", re.IGNORECASE)


def registered_keys(clinic: Clinic, *, outbound: "Outbound | None") -> dict[str, Jwks]:
    """Give the keys of every client that has registered its own."""
    found: dict[str, Jwks] = {}
    for client in clinic.clients:
        if client.jwks is not None:
            found[client.id] = KnownJwks(client.jwks.keys)
        elif client.jwks_url is not None:
            if outbound is None:
                raise ValueError("a client's jwks_url needs a way out")
            found[client.id] = FetchedJwks(_kept_by_client(client.jwks_url, outbound=outbound), keep=KEPT)
    return found


def _kept_by_client(url: str, *, outbound: "Outbound") -> ReadJwks:
    from shared.outbound import Unreached, host_of

    way = outbound.get_from([host_of(url)])

    async def read() -> JwksRead:
        try:
            got = await way.fetch(url, longest=_LONGEST)
            keys = msgspec.json.decode(got.body)["keys"]
            if got.status != 200 or not isinstance(keys, list) or len(keys) > _MAX_KEYS:
                raise Unavailable("what this client's jwks_url answers is no set of keys")
        except Unreached as error:
            raise Unavailable(f"this client's jwks_url cannot be read: {error}") from error
        except (msgspec.MsgspecError, UnicodeError, LookupError, TypeError) as error:
            raise Unavailable("what this client's jwks_url answers is no set of keys") from error
        return JwksRead(keys=keys, max_age=_max_age(got.headers.get("cache-control", "")))

    return read


def _max_age(cache_control: str) -> float:
    """Tell for how many seconds the client lets its keys be kept (RFC 9111 section 5.2.2)."""
    if _UNKEPT.search(cache_control):
        return 0.0
    matched = _MAX_AGE.search(cache_control)
    return float(matched[1]) if matched is not None else KEPT
