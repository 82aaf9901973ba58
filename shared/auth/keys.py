"""Keys of the embedded shape: the issuer's and each client's, made in the data folder at first start.

Invariants:
- A private key stands in a file that only its owner can read (0600), in a folder that is closed too (0700).
- A key that is there is never made again: whoever was faster made it.
- The issuer signs with RS384 (verified often, so it must be cheap), the clients with ES384 (made fast).
"""

import hashlib
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.errors import OneLine

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Jwk = Mapping[str, Any]

ALGORITHMS = ("RS384", "ES384")
ISSUER = "issuer"

_REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


class KeyFileError(OneLine):
    """A key file cannot be used; the text is one line that names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key with its algorithm and the id that its public half is known by."""

    private: PrivateKey = field(repr=False)
    algorithm: str
    kid: str
    jwk: Jwk

    @classmethod
    def of(cls, private: PrivateKey) -> "SigningKey":
        """Take a key; its id is the thumbprint (RFC 7638) of its public half."""
        if isinstance(private, rsa.RSAPrivateKey):
            public, algorithm = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "RS384"
        else:
            public, algorithm = ECAlgorithm.to_jwk(private.public_key(), as_dict=True), "ES384"
        kid = _thumbprint(public)
        jwk = {name: public[name] for name in _REQUIRED[public["kty"]]}
        return cls(
            private=private,
            algorithm=algorithm,
            kid=kid,
            jwk=jwk | {"kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["verify"]},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The issuer's key and the public keys of all clients."""

    issuer: SigningKey
    clients: Mapping[str, Jwk]


def load_or_make_keys(folder: Path, *, clients: Iterable[str]) -> Keys:
    """Read the keys, making those that are missing; raises KeyFileError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    issuer = _load_or_make(folder / f"{ISSUER}.pem", _new_issuer_key)
    return Keys(
        issuer=issuer,
        clients={
            client: _load_or_make(_client_file(folder, client), _new_client_key).jwk for client in clients
        },
    )


def load_client_key(folder: Path, client: str) -> SigningKey:
    """Read the private key of one client; raises KeyFileError."""
    return _load(_client_file(folder, client))


def _client_file(folder: Path, client: str) -> Path:
    return folder / f"client-{client}.pem"


def _new_issuer_key() -> PrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _new_client_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def _load_or_make(file: Path, make: Any) -> SigningKey:
    if not file.exists():
        _write(file, make())
    return _load(file)


def _write(file: Path, key: PrivateKey) -> None:
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _load(file: Path) -> SigningKey:
    try:
        if file.stat().st_mode & 0o077:
            raise KeyFileError(f"{file}: others can read this key; chmod 600 it")
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError:
        raise KeyFileError(f"{file}: there is no such key; start the clinic once with `lumbar up`") from None
    except ValueError:
        raise KeyFileError(f"{file}: this is no private key in PEM") from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{file}: only RSA and P-384 keys are used")
    return SigningKey.of(private)


def _thumbprint(public: Mapping[str, Any]) -> str:
    members = {name: public[name] for name in _REQUIRED[public["kty"]]}
    digest = hashlib.sha256(msgspec.json.encode(members, order="sorted")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
