"""The embedded identity: keys in the data folder, an authorization server at /auth, and its verifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from deploy.services import SERVICES
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import Keys
from shared.auth.people.provider import open_people
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.db import Database

if TYPE_CHECKING:  # it brings an HTTP client, which a clinic without receivers does not need
    from shared.outbound import Outbound


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the clinic needs of its authorization server."""

    verifier: JwtVerifier
    routes: Sequence[Route]


async def open_identity(
    clinic: Clinic,
    *,
    keys: Keys,
    database: Database,
    base_url: str,
    demo_people: bool = False,
    sign_in_secret: str | None = None,
    outbound: "Outbound | None" = None,
) -> Identity:
    """Put the authorization server together; `outbound` leads to the keys that clients keep elsewhere."""
    issuer = Issuer(clinic, keys=keys, database=database, base_url=base_url, demo=True, outbound=outbound)
    people = await open_people(
        clinic, issuer=issuer, database=database, demo=demo_people, sign_in_secret=sign_in_secret
    )
    routes = create_issuer_app(issuer, services=SERVICES, people=people)
    return Identity(verifier=people.verifier, routes=routes)
