"""Revocation by who reads and writes resources: PUT and PATCH of a ServiceRequest to `status: revoked`."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import use_cases
from services.referral.fhir.revocation import OnlyRevocation
from services.referral.rules.steps import Refused
from services.referral.use_cases.referral_file import NoReason, ReferralFile
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import check, modifiers, patching
from shared.fhir.patching import CannotPatch
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_Change = Annotated[RequestContext, authorize("ServiceRequest", "u", rows="the sender's own referrals")]


@router.put("/fhir/ServiceRequest/{id}", responses=refuses(NoReason, Refused, OnlyRevocation))
async def put(id: str, request: _Change) -> Response:
    """Revoke a referral: the resource as it stands, with the status revoked and the reason."""
    only(request, "referrer", what="revoke a referral")
    received = await request.resource("ServiceRequest")
    if received.data.get("id") != id:
        raise Invalid("the id in the body and in the address differ", expression="ServiceRequest.id")
    async with request.transaction() as tx:
        file = await _file(request, tx, id)
        return await _revoke(request, tx, file, received.data)


@router.patch("/fhir/ServiceRequest/{id}", responses=refuses(NoReason, Refused, OnlyRevocation, CannotPatch))
async def patch(id: str, request: _Change) -> Response:
    """Revoke a referral: `status` becomes revoked and the reason is added, by any of the three patches."""
    only(request, "referrer", what="revoke a referral")
    async with request.transaction() as tx:
        file = await _file(request, tx, id)
        wanted = await check.receive(patching.patched(file.request, request.body), allowed=["ServiceRequest"])
        modifiers.check(wanted)
        return await _revoke(request, tx, file, wanted.data)


# A stale copy cannot do harm: it is refused for what in it differs from what stands.
put.matches_if_said = patch.matches_if_said = True  # type: ignore[attr-defined]


async def _file(request: RequestContext, tx: Transaction, id: str) -> ReferralFile:
    file = await use_cases.referral_file.for_caller(request.ctx, tx, id)
    if "if-match" in request.http.headers:
        request.expect(file.referral)
    return file


async def _revoke(
    request: RequestContext, tx: Transaction, file: ReferralFile, wanted: Mapping[str, Any]
) -> Response:
    referral = await use_cases.revoke_by_update.run(request.ctx, tx, file, wanted=wanted)
    return await request.answer(tx, referral.body, about=referral)
