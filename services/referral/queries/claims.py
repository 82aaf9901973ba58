"""Claims and the insurers' answers to them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from services.referral.models.rows import Claim, ClaimResponse
from services.referral.models.tables import ClaimTable
from services.referral.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core

_OF_REFERRAL = "SELECT * FROM claim WHERE referral_id = $1 ORDER BY id FOR UPDATE"
_CURRENT = "SELECT * FROM claim_response WHERE claim_id = $1 AND current"


async def of_referral(tx: Transaction, referral_id: UUID) -> list[Claim]:
    """Lock every Claim of a referral."""
    return await tx.rows(Claim, _OF_REFERRAL, referral_id)


async def visible_to(tx: Transaction, principal: Principal, claim_id: UUID) -> Claim | None:
    """Find a Claim that the caller may see."""
    columns = core.columns(ClaimTable)
    found = await tx.select(select(*columns).where(columns.id == claim_id, scope.claims(principal)))
    return Claim(**found[0]) if found else None


async def of_member(
    tx: Transaction, principal: Principal, *, members: Sequence[str], claims: Sequence[str]
) -> Sequence[Claim]:
    """List the caller's Claims of a member, all of them or the named ones."""
    columns = core.columns(ClaimTable)
    wanted = select(*columns).where(scope.claims(principal), columns.members.op("&&")(list(members)))
    if claims:
        named = [claim_id for text in claims if (claim_id := _uuid(text)) is not None]
        wanted = wanted.where(columns.id.in_(named))
    return [Claim(**record) for record in await tx.select(wanted.order_by(columns.id))]


async def current_response(tx: Transaction, claim_id: UUID) -> ClaimResponse | None:
    """Return the newest answer to a Claim."""
    return await tx.row(ClaimResponse, _CURRENT, claim_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
