"""Claims and the insurers' answers to them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from services.referral.models.rows import Claim, ClaimResponse
from services.referral.models.tables import ClaimTable
from services.referral.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.search_values import as_uuid

_OF_REFERRAL = "SELECT * FROM claim WHERE referral_id = $1 ORDER BY id FOR UPDATE"
_CURRENT = "SELECT * FROM claim_response WHERE claim_id = ANY($1::uuid[]) AND current"
_SUPERSEDE = "UPDATE claim_response SET current = false WHERE claim_id = $1 AND current"


async def of_referral(tx: Transaction, referral_id: UUID) -> list[Claim]:
    """Lock every Claim of a referral."""
    return await tx.rows(Claim, _OF_REFERRAL, referral_id)


async def visible_to(tx: Transaction, principal: Principal, claim_id: UUID | str) -> Claim | None:
    """Find a Claim that the caller may see."""
    return await scope.find(tx, Claim, claim_id, table=ClaimTable, visible=scope.claims(principal))


async def of_member(
    tx: Transaction, principal: Principal, *, members: Sequence[str], claims: Sequence[str]
) -> Sequence[Claim]:
    """List the caller's Claims of a member, all of them or the named ones."""
    columns = core.columns(ClaimTable)
    wanted = select(*columns).where(scope.claims(principal), columns.members.op("&&")(list(members)))
    if claims:
        named = [claim_id for text in claims if (claim_id := as_uuid(text)) is not None]
        wanted = wanted.where(columns.id.in_(named))
    return [Claim(**record) for record in await tx.select(wanted.order_by(columns.id))]


async def current_responses(tx: Transaction, claims: Sequence[Claim]) -> Mapping[UUID, ClaimResponse]:
    """Return the newest answer to each of these Claims that has one."""
    responses = await tx.rows(ClaimResponse, _CURRENT, [claim.id for claim in claims]) if claims else ()
    return {response.claim_id: response for response in responses}


async def supersede_response(tx: Transaction, claim_id: UUID) -> None:
    """Make room for a newer answer to a Claim."""
    await tx.run(_SUPERSEDE, claim_id)
