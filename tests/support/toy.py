"""A toy service over the real database: notes about patients, written by practices, read inside a row scope.

Its practices are `family-practice` and `second-practice`; a note belongs to the practice that wrote it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, FastAPI
from sqlalchemy import CheckConstraint, ColumnElement, Select, false, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel
from starlette.responses import Response

from shared.auth.principal import Principal
from shared.auth.verifier import BadToken, principal_of
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.db import Database
from shared.db.models import Resource
from shared.db.tables import add_shared_tables
from shared.errors import NotFound
from shared.fhir import store
from shared.fhir.search import Include, SearchParam
from shared.http.app import create_app
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.resources import add_reads
from shared.operations import Parameter
from shared.runtime import Runtime
from tests.support.context import example_clinic
from tests.support.sql import sql

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinic.yaml"
BASE_URL = "http://clinic.test"
MONDAY = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
SUMMED = (
    Parameter(name="reason", text="Why."),
    Parameter(name="attended", type="boolean", max="*", text="Who came."),
    Parameter(name="action", type="Element", text="What.", parts=(Parameter(name="owner", text="Who."),)),
)


class Base(SQLModel, registry=registry()):
    """The toy's own metadata."""


class Person(Resource):
    """Whom notes are about; seen by the practice that made it."""

    __tablename__ = "toy_person"
    organization: str


class PersonTable(Person, Base, table=True):
    """The table of people."""


class Note(Resource):
    """One note, a Communication."""

    __tablename__ = "toy_note"
    organization: str
    status: str = "completed"
    label: str | None = Field(default=None, unique=True)
    patient_id: str | None = None
    site: str | None = None


class NoteTable(Note, Base, table=True):
    """The table of notes."""

    __table_args__ = (CheckConstraint("organization <> 'nobody'", name="somebody"),)


add_shared_tables(Base.metadata)


def notes_of(caller: Principal) -> ColumnElement[bool]:
    """The row scope: a practice its own."""
    mine: Any = NoteTable.organization
    return mine == caller.organization if caller.party == "referrer" else false()


def patients_of_site(site: str) -> Select[Any]:
    """The patients of a site's notes."""
    of_site: Any = NoteTable.site
    return select(NoteTable.patient_id).where(of_site == site)


def people_of(caller: Principal) -> ColumnElement[bool]:
    """The row scope of the people."""
    mine: Any = PersonTable.organization
    return mine == caller.organization if caller.party == "referrer" else false()


def router() -> APIRouter:
    """The toy's API."""
    toy = APIRouter()
    own = "the practice's own notes"

    @toy.post("/fhir/Communication")
    async def create(
        request: Annotated[RequestContext, authorize("ServiceRequest", "c", rows=own)],
    ) -> Response:
        received = await request.resource("Communication")
        only(request, "referrer", what="write a note")
        async with request.transaction() as tx:
            note = Note(organization=request.principal.organization or "nobody", label=_label(received.data))
            note.patient_id = _patient(received.data)
            await store.insert(tx, note, received.raw, at=request.ctx.at)
            return await request.answer(
                tx, note.body, status=201, about=note, location=f"Communication/{note.id}/_history/1"
            )

    @toy.put("/fhir/Communication/{id}")
    async def change(
        id: str, request: Annotated[RequestContext, authorize("ServiceRequest", "u", rows=own)]
    ) -> Response:
        received = await request.resource("Communication")
        async with request.transaction() as tx:
            note = await tx.row(Note, "SELECT * FROM toy_note WHERE id = $1 FOR UPDATE", UUID(id))
            if note is None or note.organization != request.principal.organization:
                raise NotFound(f"there is no Communication/{id}")
            request.expect(note)
            await store.update(tx, note, received.raw, at=request.ctx.at)
            return await request.answer(tx, note.body, about=note)

    @toy.post("/fhir/Communication/$explode")
    async def explode(
        request: Annotated[RequestContext, authorize("ServiceRequest", "c", rows=own)],
    ) -> Response:
        raise RuntimeError(f"unexpected, with a name in it: {request.body.decode()}")

    @toy.post("/fhir/Communication/$fail-late")
    async def fail_late(
        request: Annotated[RequestContext, authorize("ServiceRequest", "c", rows=own)],
    ) -> Response:
        async with request.transaction() as tx:
            note = Note(organization="family-practice")
            await store.insert(
                tx, note, {"resourceType": "Communication", "status": "completed"}, at=request.ctx.at
            )
            answer = await request.answer(tx, note.body, status=201, about=note)
            await tx.run("SET CONSTRAINTS ALL DEFERRED")
            await tx.run("INSERT INTO toy_later (id) VALUES (1), (1)")
            return answer

    @toy.post("/fhir/Communication/$sum")
    async def add_up(
        request: Annotated[RequestContext, authorize("ServiceRequest", "c", rows=own, dry_run=True)],
    ) -> Response:
        asked = await request.parameters(SUMMED)
        async with request.transaction() as tx:
            return await request.answer(tx, {"resourceType": "Parameters", "asked": dict(asked)})

    add_reads(
        toy,
        resource_type="Communication",
        model=NoteTable,
        visible=notes_of,
        rows=own,
        params={
            "status": SearchParam(kind="token", column=NoteTable.status),
            "subject": SearchParam(kind="reference", column=NoteTable.patient_id, types=("Patient",)),
        },
        includes={
            "Communication:subject": Include(
                resource_type="Patient", model=PersonTable, column=NoteTable.patient_id, visible=people_of
            )
        },
    )
    return toy


def _label(note: Any) -> str | None:
    return next((one["value"] for one in note.get("identifier", ())), None)


def _patient(note: Any) -> str | None:
    reference: str = note.get("subject", {}).get("reference", "")
    return reference.removeprefix("Patient/") or None


class TrustingVerifier:
    """Takes a client's id as its token: how tokens are verified is not the toy's subject."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic

    async def principal(self, token: str) -> Principal:
        """Make the Principal of the client that the token names."""
        if token not in {client.id for client in self._clinic.clients}:
            raise BadToken("no such client")
        scopes = " ".join(self._clinic.client(token).scopes)
        return principal_of(self._clinic, client=token, scope=f"{scopes} system/Communication.rs")

    async def is_live(self, principal: Principal) -> bool:
        """Say that everybody may go on."""
        return True


@dataclass
class Toy:
    """The toy, running."""

    app: FastAPI
    database: Database
    runtime: Runtime
    clinic: Clinic

    def as_(self, client: str, **headers: str) -> httpx.AsyncClient:
        """Give the HTTP client of a party."""
        return self.anonymous(Authorization=f"Bearer {client}", **headers)

    def anonymous(self, **headers: str) -> httpx.AsyncClient:
        """Give an HTTP client without a token."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)

    async def count(self, table: str) -> int:
        """Count the rows of a table."""
        async with self.database.transaction() as tx:
            return int((await sql(tx, f"SELECT count(*) FROM {table}")).scalar())

    async def audited(self) -> list[dict[str, Any]]:
        """Give the audit rows without their bodies, oldest first."""
        columns = "actor, client, action, outcome, what, patient_id"
        async with self.database.transaction() as tx:
            found = await sql(tx, f"SELECT {columns} FROM audit_event ORDER BY id")
            return [dict(row._asdict()) for row in found]


async def run_toy(database: Database, *, verifier: Any = None) -> Toy:
    """Make the toy over an empty database of `Base.metadata`."""
    async with database.transaction() as tx:
        await tx.run("DROP TABLE IF EXISTS toy_later")
        await tx.run("CREATE TABLE toy_later (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    return make_toy(database, verifier=verifier)


def make_toy(database: Database, *, verifier: Any = None) -> Toy:
    """Make the toy over a database that may be away."""
    clinic = example_clinic()
    runtime = Runtime(
        service="toy",
        database=database,
        clock=SimulatedClock(MONDAY),
        current=CurrentClinic(clinic),
        transport=None,  # type: ignore[arg-type]
        verifier=verifier or TrustingVerifier(clinic),
        base_url=BASE_URL,
    )
    app = create_app(runtime, title="Toy", routers=[router()], patients_of_site=patients_of_site)
    return Toy(app, database, runtime, clinic)
