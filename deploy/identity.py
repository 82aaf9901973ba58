"""The embedded identity: keys in the data folder, an authorization server at /auth, and its verifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route

from deploy.folders import keys_folder
from deploy.shape import IDENTITY
from shared.auth import tables
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import load_or_make_keys
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.db import Database

__all__ = ["DATABASE", "Identity", "keys_folder", "open_identity"]

DATABASE = IDENTITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the clinic needs of its authorization server."""

    verifier: JwtVerifier
    routes: Sequence[Route]


async def open_identity(clinic: Clinic, *, keys: Path, database: Database, base_url: str) -> Identity:
    """Make or read the keys, and put the authorization server together; raises KeyFileError."""
    known = load_or_make_keys(keys, clients=[client.id for client in clinic.clients])
    await tables.prepare(database)
    issuer = Issuer(clinic, keys=known, database=database, base_url=base_url, demo=True)
    verifier = JwtVerifier(clinic, issuer=base_url, audience=base_url, jwks=issuer.jwks())
    return Identity(verifier=verifier, routes=create_issuer_app(issuer))
