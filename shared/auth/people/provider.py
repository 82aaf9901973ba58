"""The people's half of the issuer put together: what its routes work with."""

from dataclasses import dataclass

from shared.auth.issuer import Issuer
from shared.auth.people.accounts import DemoPerson, demo_people
from shared.auth.people.authorization import PublicClient, portal
from shared.auth.people.clinic_issuer import ClinicIssuer
from shared.auth.people.password_sign_in import PasswordSignIn
from shared.auth.people.sessions import PeopleSessions
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.db import Database

CALLBACK_PATH = "/auth/elsewhere/callback"


@dataclass(frozen=True, kw_only=True)
class PeopleProvider:
    """Signs people in: who they are, their sessions, and the one application that is registered.

    `demo` says that demo people may sign in, `clinic_issuer` is the clinic's own, where it has one.
    """

    clinic: Clinic
    issuer: Issuer
    sessions: PeopleSessions
    passwords: PasswordSignIn
    database: Database
    verifier: JwtVerifier
    demo: bool
    clinic_issuer: ClinicIssuer | None = None

    @property
    def base_url(self) -> str:
        """The clinic's address, which is the issuer's name."""
        return self.issuer.base_url

    @property
    def portal(self) -> PublicClient:
        """The application that people use."""
        return portal(self.base_url)

    def demo_people(self, locale: str) -> list[DemoPerson]:
        """Return the demo people, none where they may not sign in."""
        return list(demo_people(self.clinic, locale=locale)) if self.demo else []

    def demo_person(self, person_id: str | None, *, locale: str) -> DemoPerson | None:
        """Find a demo person."""
        return next((person for person in self.demo_people(locale) if person.id == person_id), None)


async def open_people(
    clinic: Clinic,
    *,
    issuer: Issuer,
    database: Database,
    demo: bool,
    sign_in_secret: str | None = None,
) -> PeopleProvider:
    """Put it together; sessions of demo people end where there are none any more.

    `sign_in_secret` proves to the clinic's own issuer who we are.
    """
    sessions = PeopleSessions(clinic, issuer=issuer, database=database, demo=demo)
    await sessions.end_demo()
    base_url = issuer.base_url
    verifier = JwtVerifier(clinic, issuer=base_url, audience=base_url, jwks=issuer.jwks(), sessions=sessions)
    return PeopleProvider(
        clinic=clinic,
        issuer=issuer,
        sessions=sessions,
        passwords=PasswordSignIn(database, issuer=base_url),
        database=database,
        verifier=verifier,
        demo=demo,
        clinic_issuer=_clinic_issuer(clinic, secret=sign_in_secret, base_url=base_url),
    )


def _clinic_issuer(clinic: Clinic, *, secret: str | None, base_url: str) -> ClinicIssuer | None:
    if clinic.sign_in is None:
        return None
    return ClinicIssuer(clinic.sign_in, secret=secret, redirect_uri=f"{base_url}{CALLBACK_PATH}")
