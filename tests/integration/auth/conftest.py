"""The authorization server of these tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from deploy.services import SERVICES
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import load_or_make_keys
from shared.auth.tables import METADATA
from shared.auth.verifier import JwtVerifier
from tests.conftest import MakeDatabase
from tests.support.context import example_clinic
from tests.support.issuer import BASE, Identity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity") / "keys"


@pytest_asyncio.fixture
async def identity(make_database: MakeDatabase, folder: Path) -> AsyncIterator[Identity]:
    clinic = example_clinic()
    keys = load_or_make_keys(folder, clients=clinic.clients_without_keys)
    database = await make_database(METADATA, name="identity")
    issuer = Issuer(clinic, keys=keys, database=database, base_url=BASE)
    app = Starlette(routes=create_issuer_app(issuer, services=SERVICES))
    verifier = JwtVerifier(clinic, issuer=BASE, audience=BASE, jwks=issuer.jwks())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield Identity(issuer, http, verifier, clinic, keys, folder, database)
