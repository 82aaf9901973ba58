"""What a referrer and a coordinator do with a referral, each as an operation on the ServiceRequest."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.referral import fhir, use_cases
from services.referral.models import Piece, Referral
from services.referral.rules.steps import Refused
from services.referral.use_cases.decide import NoProgramme
from services.referral.use_cases.merge import CannotMerge
from services.referral.use_cases.provide_information import (
    AcknowledgeFirst,
    AnotherPatientsResource,
    Ended,
    NothingProvided,
)
from services.referral.use_cases.redirect import NoEmergency
from services.referral.use_cases.referral_file import NoReason
from shared.db import Transaction
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_SENDER = authorize("ServiceRequest", "u", rows="the sender's own referrals")
_SITE = authorize("ServiceRequest", "u", rows="the referrals of the coordinator's site")


@router.post("/fhir/ServiceRequest/{id}/$acknowledge", responses=refuses(NoEmergency))
async def acknowledge(id: str, request: Annotated[RequestContext, _SENDER]) -> Response:
    """Acknowledge that the patient goes to an emergency department."""
    only(request, "referrer", what="acknowledge")
    await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.redirect.acknowledge(request.ctx, tx, id)
        return await _answer(request, tx, referral)


@router.post(
    "/fhir/ServiceRequest/{id}/$provide-information",
    responses=refuses(NothingProvided, AnotherPatientsResource, Ended, AcknowledgeFirst),
)
async def provide_information(id: str, request: Annotated[RequestContext, _SENDER]) -> Response:
    """Add what was asked for, or what came late."""
    only(request, "referrer", what="provide information")
    await request.parameters()
    pieces = _pieces(request.body)
    async with request.transaction() as tx:
        referral = await use_cases.provide_information.run(request.ctx, tx, id, pieces=pieces)
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$revoke", responses=refuses(NoReason, Refused))
async def revoke(id: str, request: Annotated[RequestContext, _SENDER]) -> Response:
    """Take a referral back, with the reason."""
    only(request, "referrer", what="revoke")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.end.revoke(request.ctx, tx, id, reason=said.get("reason"))
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$accept", responses=refuses(NoProgramme, Refused))
async def accept(id: str, request: Annotated[RequestContext, _SITE]) -> Response:
    """Accept a referral that the rules left to a person."""
    only(request, "coordinator", what="accept")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.decide.accept(request.ctx, tx, id, said=said)
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$decline", responses=refuses(NoReason, Refused))
async def decline(id: str, request: Annotated[RequestContext, _SITE]) -> Response:
    """Decline a referral, with the reason."""
    only(request, "coordinator", what="decline")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.decide.decline(request.ctx, tx, id, reason=said.get("reason"))
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$request-information", responses=refuses(NoReason, Refused))
async def request_information(id: str, request: Annotated[RequestContext, _SITE]) -> Response:
    """Ask the referrer for something; the reason says what."""
    only(request, "coordinator", what="request information")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.decide.request_information(request.ctx, tx, id, reason=said.get("reason"))
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$merge", responses=refuses(CannotMerge))
async def merge(id: str, request: Annotated[RequestContext, _SITE]) -> Response:
    """Merge a duplicate into the referral that goes on (`into`)."""
    only(request, "coordinator", what="merge")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.merge.run(request.ctx, tx, id, into=said.get("into"))
        return await _answer(request, tx, referral)


@router.post("/fhir/ServiceRequest/{id}/$close", responses=refuses(NoReason, Refused))
async def close(id: str, request: Annotated[RequestContext, _SITE]) -> Response:
    """Close a referral that will not go on, with the reason."""
    only(request, "coordinator", what="close")
    said = await request.parameters()
    async with request.transaction() as tx:
        referral = await use_cases.end.close(request.ctx, tx, id, reason=said.get("reason"))
        return await _answer(request, tx, referral)


async def _answer(request: RequestContext, tx: Transaction, referral: Referral) -> Response:
    return await request.answer(tx, referral.body, about=referral)


class _Parameter(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _Parameters(msgspec.Struct):
    parameter: list[_Parameter] = []


def _pieces(body: bytes) -> list[Piece]:
    """Cut the resources out of the checked Parameters, each with its own bytes."""
    if not body.strip():
        return []
    raws = [bytes(one.resource) for one in msgspec.json.decode(body, type=_Parameters).parameter]
    return [_piece(raw) for raw in raws if raw != b"null"]


def _piece(raw: bytes) -> Piece:
    data: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
    stated = data.get("identifier", [])
    identifiers = fhir.tokens(stated if isinstance(stated, list) else [stated])
    return Piece(type=str(data.get("resourceType")), data=data, raw=raw, identifiers=identifiers)
