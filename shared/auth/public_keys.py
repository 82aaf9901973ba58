"""A public key of a JWK Set (RFC 7517), as SMART Backend Services has clients write it.

Invariant: a key that is taken verifies RS384 (RSA of 2048 bits and more) or ES384 (P-384) and has no private
part.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_LEAST_BITS = 2048


class NotAPublicKey(ValueError):
    """This is no public key that verifies an assertion or a token; the text says why, in a few words."""


def public_key(jwk: Any) -> PyJWK:
    """Take a key; raises NotAPublicKey. One that does not say its algorithm has that of its type."""
    if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        raise NotAPublicKey("a key needs a kid")
    if any(member in jwk for member in _PRIVATE):
        raise NotAPublicKey("this is a private key; only its public half belongs here")
    algorithm = _ALGORITHMS.get(str(jwk.get("kty")))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        raise NotAPublicKey("allowed are RSA keys for RS384 and EC keys on P-384 for ES384, with use sig")
    try:
        found = PyJWK.from_dict(dict(jwk), algorithm)
    except (PyJWTError, ValueError, TypeError):
        raise NotAPublicKey("its members make no key") from None
    if isinstance(found.key, rsa.RSAPublicKey) and found.key.key_size < _LEAST_BITS:
        raise NotAPublicKey(f"an RSA key has {_LEAST_BITS} bits at least")
    if isinstance(found.key, ec.EllipticCurvePublicKey) and not isinstance(found.key.curve, ec.SECP384R1):
        raise NotAPublicKey("an EC key lies on P-384")
    return found
