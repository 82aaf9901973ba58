"""A JWT as it came, before anybody has verified it: what is wrong with its form is known here.

Invariant: whatever stands in a token of somebody else, the JWT library gets only what RFC 7519 allows (a JSON
object, times that are numbers on a calendar, names that are texts), so nothing in it is an error of ours.
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_LENGTH = 8192

_TIMES = ("exp", "iat", "nbf")
_TEXTS = ("iss", "sub", "jti")
# The last second of the year 9999, behind which there is no datetime.
_LAST_SECOND = 253_402_300_799


class NotAJwt(Exception):
    """This is no JWT at all: no three parts, or a header that is no JSON object."""


class WrongClaims(NotAJwt):
    """The claims are none that RFC 7519 knows; the text says which, and never its value."""


@dataclass(frozen=True, slots=True)
class UnverifiedJwt:
    """Header and claims of a token of which nothing is proved yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read(token: str, *, whole_seconds: bool = False) -> UnverifiedJwt:
    """Read a token; raises NotAJwt or WrongClaims.

    With `whole_seconds` a time is an integer, as in assertions that are made for us; issuers elsewhere may
    write fractions.
    """
    if len(token) > MAX_LENGTH:
        raise NotAJwt("the token is too long")
    parts = token.split(".")
    header = _object(parts[0]) if len(parts) == 3 else None
    if header is None:
        raise NotAJwt("this is no token")
    claims = _object(parts[1])
    if claims is None:
        raise WrongClaims("the claims are no JSON object")
    _hold(claims, times=(int,) if whole_seconds else (int, float))
    return UnverifiedJwt(header, claims)


def _object(part: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return found if isinstance(found, dict) else None


def _hold(claims: Mapping[str, Any], *, times: tuple[type, ...]) -> None:
    for name in _TIMES:
        if name in claims and not _is_time(claims[name], times):
            raise WrongClaims(f"{name} is no time: a number of seconds since 1970 is needed")
    for name in _TEXTS:
        if name in claims and not isinstance(claims[name], str):
            raise WrongClaims(f"{name} is no text")
    audience = claims.get("aud", "")
    if not all(isinstance(name, str) for name in (audience if isinstance(audience, list) else [audience])):
        raise WrongClaims("aud is no text and no list of texts")


def _is_time(value: Any, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and 0 <= value <= _LAST_SECOND
