"""Who saw or did what: one AuditEvent (FHIR R4B, IHE BALP) for each access, granted or refused.

Invariants:
- The AuditEvent of a granted access stands in the transaction of the access; a refused one has its own.
- It names ids, the request and the query, a search by POST with its body; never what was read or sent.
- It names every patient whom the answer was about, and none of the rest.
- Of a person who has signed in it names the subject too (`altId`): several act as one client.
- `recorded` is care time, like every business column.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from shared.context import Context
from shared.db import Transaction
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant
from shared.ids import new_text_id

How = Literal["read", "vread", "history-instance", "search-type", "create", "update", "delete", "operation"]
Outcome = Literal["0", "4", "8"]

GRANTED: Outcome = "0"
REFUSED: Outcome = "4"
FAILED: Outcome = "8"

_ACTION = {"create": "C", "read": "R", "vread": "R", "history-instance": "R", "update": "U", "delete": "D"}
_PROFILE = {
    "read": "PatientRead",
    "vread": "PatientRead",
    "history-instance": "PatientRead",
    "search-type": "PatientQuery",
    "create": "PatientCreate",
    "update": "PatientUpdate",
    "delete": "PatientDelete",
}
# The type of every AuditEvent of ours: an access through the REST API.
TYPE_SYSTEM, TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest"
OUTCOME_SYSTEM = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"
_BALP = "https://profiles.ihe.net/ITI/BALP"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_INSERT = """
INSERT INTO audit_event (id, recorded, actor, client, action, outcome, what, site, body, patient_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_INSERT_ABOUT_SEVERAL = f"""
WITH event AS ({_INSERT.replace("$10", "NULL")} RETURNING id)
INSERT INTO audit_patient (event_id, patient_id) SELECT event.id, unnest($10::text[]) FROM event
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access: `what` is a reference (`Task/<id>/_history/3`), `query` the address that was asked for,
    with the body of a search by POST; `patients` are ids, `site` is that of the rows, where they have one.

    `reason` is the class of the refusal where `outcome` is not GRANTED. Of requests without a valid token
    `origin` is the address that they came from, and `times` how many of them this one stands for.
    """

    service: str
    how: How
    what: str | None = None
    patients: tuple[str, ...] = ()
    site: str | None = None
    outcome: Outcome = GRANTED
    reason: str | None = None
    query: bytes | None = None
    origin: str | None = None
    times: int = 1


async def record(ctx: Context, tx: Transaction, access: Access) -> None:
    """Write the AuditEvent of this access into the transaction."""
    identifier = new_text_id()
    body = msgspec.json.encode(audit_event(access, ctx=ctx, identifier=identifier))
    several = len(access.patients) > 1
    await tx.run(
        _INSERT_ABOUT_SEVERAL if several else _INSERT,
        identifier,
        ctx.at,
        ctx.actor.reference,
        ctx.actor.client,
        access.how,
        access.outcome,
        access.what,
        access.site,
        body,
        list(access.patients) if several else next(iter(access.patients), None),
    )


def audit_event(access: Access, *, ctx: Context, identifier: str) -> dict[str, Any]:
    """Render the AuditEvent."""
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": identifier,
        "type": _coding(TYPE_SYSTEM, TYPE),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", access.how)],
        "action": _ACTION.get(access.how, "E"),
        "recorded": instant(ctx.at),
        "outcome": access.outcome,
        "agent": _agents(access, ctx),
        "source": {
            "site": "lumbar",
            "observer": {"reference": f"Device/{access.service}"},
            "type": [_coding(f"{_TERMS}/security-source-type", "4")],
        },
    }
    entities = _entities(access, ctx)
    if entities:
        event["entity"] = entities
    if access.reason is not None:
        event["outcomeDesc"] = access.reason
    if access.patients and access.how in _PROFILE and access.outcome == GRANTED:
        profile = f"{_BALP}/StructureDefinition/IHE.BasicAudit.{_PROFILE[access.how]}"
        event["meta"] = {"profile": [profile]}
    return event


def _agents(access: Access, ctx: Context) -> list[dict[str, Any]]:
    reads = _ACTION.get(access.how) == "R"
    source, destination = _role("110153"), _role("110152")
    client = {"identifier": {"value": ctx.actor.client}} if ctx.actor.client else {"display": "unknown"}
    agents: list[dict[str, Any]] = [
        {"type": destination if reads else source, "who": client, "requestor": True},
        {
            "type": source if reads else destination,
            "who": {"reference": f"Device/{access.service}"},
            "requestor": False,
        },
    ]
    if access.origin is not None:
        kind = "2" if any(mark in access.origin for mark in ".:") else "1"
        agents[0]["network"] = {"address": access.origin, "type": kind}
    if not ctx.actor.reference.startswith("Device/"):
        agents[0]["requestor"] = False
        party = {"coding": [_coding(f"{_TERMS}/v3-ParticipationType", "IRCP")]}
        agents.append(
            {"type": party, "who": directory_reference(ctx.clinic, ctx.actor.reference), "requestor": True}
        )
    if ctx.principal is not None and ctx.principal.subject is not None:
        requestor = next(agent for agent in agents if agent["requestor"])
        requestor["altId"] = ctx.principal.subject
    return agents


def _entities(access: Access, ctx: Context) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for patient in access.patients:
        found.append(_entity("1", "1", what={"reference": f"Patient/{patient}"}))
    if access.what is not None:
        found.append(_entity("2", "4", what={"reference": access.what}))
    if access.query is not None:
        found.append(_entity("2", "24", query=b64encode(access.query).decode()))
    if access.origin is not None:
        told = {"type": "requests", "valueString": str(access.times)}
        found.append({"type": _coding(f"{_TERMS}/audit-entity-type", "4"), "detail": [told]})
    if ctx.cause is not None:
        request = _coding(f"{_BALP}/CodeSystem/BasicAuditEntityType", "XrequestId")
        found.append({"type": request, "what": {"identifier": {"value": ctx.cause}}})
    return found


def _entity(kind: str, role: str, **members: Any) -> dict[str, Any]:
    return {
        "type": _coding(f"{_TERMS}/audit-entity-type", kind),
        "role": _coding(f"{_TERMS}/object-role", role),
        **members,
    }


def _role(code: str) -> dict[str, Any]:
    return {"coding": [_coding(_DICOM, code)]}


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}
