"""Signing in as the portal and a browser do: authorize, the page, the code, the tokens."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
from starlette.applications import Starlette

from deploy.services import SERVICES
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.people.models import IdentityBase
from shared.auth.people.provider import PeopleProvider, open_people
from shared.clinic import Clinic
from shared.db import Database
from tests.conftest import MakeDatabase
from tests.support.context import example_clinic
from tests.support.identity import keys_of

BASE = "http://clinic.test"
CALLBACK = f"{BASE}/callback"
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
Tokens = dict[str, Any]


@dataclass
class Begun:
    """One sign-in that was begun: what the portal keeps until the person comes back."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def query(self, **changed: str | None) -> dict[str, str]:
        """Write the request, with parameters changed or (None) left out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "portal",
            "redirect_uri": CALLBACK,
            "scope": "openid fhirUser offline_access",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass
class Application:
    """The portal, with a browser of one person (`http` keeps cookies as it does)."""

    people: PeopleProvider
    http: httpx.AsyncClient
    database: Database

    async def code(self, person: str = "coordinator", *, begun: Begun | None = None) -> tuple[Begun, str]:
        """Sign a demo person in by the link of a page of ours, and return the code that comes back."""
        begun = begun or Begun()
        query = begun.query(login_hint=person)
        answer = await self.http.get("/auth/authorize", params=query, headers=FROM_HERE)
        assert answer.status_code == 303, answer.text
        told = answered(answer)
        assert told["state"] == begun.state
        return begun, told["code"]

    async def exchange(self, begun: Begun, code: str, /, **changed: str) -> httpx.Response:
        """Change a code for tokens, with fields changed."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "portal",
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": begun.verifier,
            **changed,
        }
        return await self.http.post("/auth/token", data=form)

    async def sign_in(self, person: str = "coordinator") -> Tokens:
        """Sign a demo person in, and return the tokens."""
        answer = await self.exchange(*await self.code(person))
        assert answer.status_code == 200, answer.text
        tokens: Tokens = answer.json()
        return tokens

    async def refresh(self, token: str) -> httpx.Response:
        """Change a refresh token for new tokens."""
        form = {"grant_type": "refresh_token", "client_id": "portal", "refresh_token": token}
        return await self.http.post("/auth/token", data=form)

    async def userinfo(self, tokens: Tokens) -> httpx.Response:
        """Ask who the person is."""
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return await self.http.get("/auth/userinfo", headers=bearer)

    async def is_signed_in(self, tokens: Tokens) -> bool:
        """Tell whether the tokens still work."""
        return (await self.userinfo(tokens)).status_code == 200

    async def count(self, table: str) -> int:
        """Count the rows of a table of the identity database."""
        async with self.database.transaction() as tx:
            return int(await tx.value(f"SELECT count(*) FROM {table}"))

    async def age(self, table: str, column: str, *, by: str) -> None:
        """Let rows be older by so much time, as if it had passed."""
        async with self.database.transaction() as tx:
            await tx.run(f"UPDATE {table} SET {column} = {column} - interval '{by}'")


@asynccontextmanager
async def running_issuer(
    make_database: MakeDatabase,
    *,
    clinic: Clinic | None = None,
    demo: bool = True,
    secret: str | None = None,
) -> AsyncIterator[Application]:
    """Run an issuer, and an application at it."""
    database = await make_database(IdentityBase.metadata, name="identity")
    clinic = clinic or example_clinic()
    async with at_database(database, clinic=clinic, demo=demo, secret=secret) as application:
        yield application


@asynccontextmanager
async def at_database(
    database: Database, *, clinic: Clinic, demo: bool = True, secret: str | None = None
) -> AsyncIterator[Application]:
    """Run an issuer on a database that is there, as a process that is started again does."""
    keys = keys_of(tuple(client.id for client in clinic.clients))
    issuer = Issuer(clinic, keys=keys, database=database, base_url=BASE)
    people = await open_people(clinic, issuer=issuer, database=database, demo=demo, sign_in_secret=secret)
    app = Starlette(routes=create_issuer_app(issuer, services=SERVICES, people=people))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield Application(people, http, database)


async def demo_tokens(http: httpx.AsyncClient, person: str, *, base_url: str) -> Tokens:
    """Sign a demo person in at a clinic that runs, and return the tokens."""
    begun, callback = Begun(), f"{base_url}/callback"
    query = begun.query(redirect_uri=callback, login_hint=person)
    answer = await http.get("/auth/authorize", params=query, headers=FROM_HERE)
    form = {
        "grant_type": "authorization_code",
        "client_id": "portal",
        "redirect_uri": callback,
        "code": answered(answer, callback=callback)["code"],
        "code_verifier": begun.verifier,
    }
    given = await http.post("/auth/token", data=form)
    assert given.status_code == 200, given.text
    tokens: Tokens = given.json()
    return tokens


def answered(answer: httpx.Response, *, callback: str = CALLBACK) -> dict[str, str]:
    """Read what a redirect back to the application says."""
    location = answer.headers["location"]
    assert location.startswith(f"{callback}?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def claims(token: str) -> Mapping[str, Any]:
    """Read the claims of a token without verifying it."""
    read: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """Read the address and the hidden fields of a page's first form."""
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action is not None, page.text
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return action[1].replace("&amp;", "&"), dict(fields)


def sign_in_url(begun: Begun, **changed: str | None) -> str:
    """Write the address of the page for a request."""
    return f"/auth/sign-in?{urlencode(begun.query(**changed))}"
