"""GET /fhir/AuditEvent: who saw or did what in this service.

Invariants:
- A coordinator reads what concerns its site, and of an access to patients of several sites only its own ones;
  a privacy officer reads all.
- The AuditEvent of this search names the patient who was asked for, not all who were found: else each search
  would repeat those of the searches before it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Select,
    Text,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col
from starlette.responses import Response

from shared.audit import record as audit
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir import search as fhir_search
from shared.fhir import search_query
from shared.fhir.search import SearchParam
from shared.fhir.search_values import Token
from shared.http import pages
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext

_ROWS = "a coordinator its site's, a privacy officer all of this service, nobody else any"
PatientsOfSite = Callable[[str], Select[Any]]


class _Base(SQLModel, registry=registry()):
    """The shared tables as searches see them; each service's own metadata declares them."""


class AuditEventRow(_Base, table=True):
    """One AuditEvent; `patient_id` is None where it is about several."""

    __tablename__ = "audit_event"

    id: str = Field(primary_key=True)
    last_updated: AwareDatetime = Field(sa_column=Column("recorded", DateTime(timezone=True)))
    actor: str
    patient_id: str | None
    site: str | None
    outcome: str
    what: str | None
    body: bytes


class AuditPatient(_Base, table=True):
    """A patient of an AuditEvent that is about several."""

    __tablename__ = "audit_patient"

    patient_id: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)


def no_patients(_: str) -> Select[Any]:
    """Select nobody, for an app that keeps no patients."""
    return select(col(AuditEventRow.patient_id)).where(~true())


def _about(patients: Any) -> ColumnElement[bool]:
    several = select(col(AuditPatient.event_id)).where(col(AuditPatient.patient_id).in_(patients))
    return or_(col(AuditEventRow.patient_id).in_(patients), col(AuditEventRow.id).in_(several))


def _of_type(wanted: Token) -> ColumnElement[bool]:
    known = wanted.code == audit.TYPE and wanted.system in (None, audit.TYPE_SYSTEM)
    return true() if known else ~true()


_AGENT = func.split_part(col(AuditEventRow.actor), "/", 2)
# Written as the index has it: a constant that is a parameter does not fit one.
_ENTITY: ColumnElement[str] = literal_column("split_part(audit_event.what, '/', 2)", Text)
PARAMS: Mapping[str, SearchParam] = {
    "patient": SearchParam(
        kind="reference",
        column=col(AuditEventRow.patient_id),
        types=("Patient",),
        matches=lambda patient: _about([patient]),
    ),
    "agent": SearchParam(
        kind="reference",
        column=_AGENT,
        types=("Practitioner", "Organization", "Device"),
        matches=lambda agent: _AGENT.in_([agent]),
    ),
    "date": SearchParam(kind="date", column=col(AuditEventRow.last_updated)),
    "entity": SearchParam(
        kind="reference", column=_ENTITY, matches=lambda entity: or_(_ENTITY.in_([entity]), _about([entity]))
    ),
    "outcome": SearchParam(kind="token", column=col(AuditEventRow.outcome), system=audit.OUTCOME_SYSTEM),
    "type": SearchParam(kind="token", column=col(AuditEventRow.id), matches=_of_type),
}


def audit_router(patients_of_site: PatientsOfSite) -> APIRouter:
    """Give the router of AuditEvent; every service has the same, and says which patients are a site's."""
    router = APIRouter()
    trail = _Trail(patients_of_site)

    async def search(
        request: Annotated[RequestContext, authorize("AuditEvent", "s", rows=_ROWS)],
    ) -> Response:
        only(request, "coordinator", "privacy-officer", what="read who saw or did what")
        return await trail.answer(request)

    search.search_params = PARAMS  # type: ignore[attr-defined]
    router.add_api_route("/fhir/AuditEvent", search, methods=["GET"])
    router.add_api_route("/fhir/AuditEvent/_search", search, methods=["POST"])
    return router


class _Trail:
    """The AuditEvents of a service, cut to what a caller may read."""

    def __init__(self, patients_of_site: PatientsOfSite) -> None:
        self._patients_of_site = patients_of_site

    async def answer(self, request: RequestContext) -> Response:
        """Answer one page, the newest first unless it is sorted otherwise."""
        asked = pages.parameters_of(request)
        newest_first = [] if any(name == "_sort" for name, _ in asked) else [("_sort", "-_id")]
        search = search_query.parse(
            [*asked, *newest_first],
            self._params(request.principal),
            resource_type="AuditEvent",
            urls=request.ctx.urls,
            lenient=request.prefers.lenient,
        )
        async with request.transaction() as tx:
            page = await fhir_search.run(tx, search, AuditEventRow, self._visible(request.principal))
            bodies = await self._cut(tx, request.principal, {str(row.id): row.body for row in page.rows})
            address = f"{request.runtime.fhir_base}/AuditEvent"
            entries = [
                {
                    "fullUrl": f"{address}/{id}",
                    "resource": msgspec.Raw(search.subset.cut(body)),
                    "search": {"mode": "match"},
                }
                for id, body in bodies.items()
            ]
            entries += pages.noted(search.notes)
            links = pages.paging_links(address, asked, page.next)
            bundle = pages.bundle("searchset", entries, links=links, total=page.total)
            patient = pages.patient_asked(asked, urls=request.ctx.urls)
            return await request.answer(tx, bundle, patient=patient, how="search-type")

    def _params(self, caller: Principal) -> Mapping[str, SearchParam]:
        """Let a coordinator find an access to several patients by those of its site alone."""
        if caller.party == "privacy-officer":
            return PARAMS
        own = self._patients_of_site(str(caller.site))

        def about(patient: str) -> ColumnElement[bool]:
            of_one = col(AuditEventRow.patient_id) == patient
            return or_(of_one, and_(literal(patient).in_(own), _about([patient])))

        def names(entity: str) -> ColumnElement[bool]:
            return or_(_ENTITY.in_([entity]), about(entity))

        own_params = {"patient": about, "entity": names}
        found = {name: replace(PARAMS[name], matches=matches) for name, matches in own_params.items()}
        return {**PARAMS, **found}

    def _visible(self, caller: Principal) -> ColumnElement[bool]:
        if caller.party == "privacy-officer":
            return true()
        of_patients = _about(self._patients_of_site(str(caller.site)))
        site = col(AuditEventRow.site)
        return or_(site == caller.site, and_(site.is_(None), of_patients))

    async def _cut(
        self, tx: Transaction, caller: Principal, bodies: Mapping[str, bytes]
    ) -> Mapping[str, bytes]:
        """Leave the patients of other sites out of what a coordinator reads."""
        if caller.party == "privacy-officer" or not bodies:
            return bodies
        own = self._patients_of_site(str(caller.site))
        several: Any = select(col(AuditPatient.event_id), col(AuditPatient.patient_id))
        foreign = await tx.select(
            several.where(
                col(AuditPatient.event_id).in_(list(bodies)), col(AuditPatient.patient_id).not_in(own)
            )
        )
        hidden: dict[str, set[str]] = {}
        for event_id, patient_id in foreign:
            hidden.setdefault(event_id, set()).add(f"Patient/{patient_id}")
        return {id: _without(body, hidden.get(id, ())) for id, body in bodies.items()}


def _without(body: bytes, patients: Collection[str]) -> bytes:
    if not patients:
        return body
    event = msgspec.json.decode(body)
    event["entity"] = [
        entity for entity in event["entity"] if entity.get("what", {}).get("reference", "") not in patients
    ]
    return msgspec.json.encode(event)
