"""An insurer asks where its requests for a member stand, and gets the truth from current data."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models.rows import Claim, ClaimResponse
from shared.context import Context
from shared.db import Transaction
from shared.operations import InquiryAnswer


async def run(ctx: Context, tx: Transaction, question: Mapping[str, Any]) -> InquiryAnswer:
    """Answer `Claim/$inquire`: a Bundle for each Claim that the caller may see, none for anybody else's."""
    asked = fhir.inquiry.read(question, urls=ctx.urls)
    claims = await queries.claims.of_member(tx, ctx.caller, members=asked.members, claims=asked.claims)
    responses = await queries.claims.current_responses(tx, claims)
    counted = [claim.referral_id for claim in claims if claim.units_known]
    used = await queries.units.used(tx, counted)
    parameters = [
        {
            "name": "return",
            "resource": _return(
                claim, responses.get(claim.id), base=ctx.urls.fhir, used=used.get(claim.referral_id)
            ),
        }
        for claim in claims
    ]
    answer: dict[str, Any] = {"resourceType": "Parameters"}
    body = answer | ({"parameter": parameters} if parameters else {})
    return InquiryAnswer(body=body, rows=claims, asked=asked.as_search)


def _return(
    claim: Claim, response: ClaimResponse | None, *, base: str, used: Mapping[str, int] | None
) -> dict[str, Any]:
    decision = None
    if response is not None:
        requested = fhir.authorization.items_of(msgspec.json.decode(claim.body))
        answered = fhir.claim_response.read(msgspec.json.decode(response.body), requested=requested)
        decision = rules.authorization.decide(requested, answered.items, reason=answered.reason)
    grant = fhir.authorization.grant_parameters(
        claim,
        of=claim.id if response is None else response.id,
        decision=decision,
        referral_id=claim.referral_id,
        turn=True,
        used=used,
    )
    return fhir.authorization.inquiry_return(claim, response, grant, base=base)
