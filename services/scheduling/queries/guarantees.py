"""Guarantees: of a referral, and the overview of those that a caller may see."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import and_, select
from sqlmodel import col

from services.scheduling.models.rows import Guarantee, GuaranteeOverview
from services.scheduling.models.tables import AppointmentTable, GuaranteeTable, ReferralTable
from services.scheduling.queries import scope
from services.scheduling.states import LIVE_FIRST
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.codes import AppointmentKind

_LOCKED = "SELECT * FROM guarantee WHERE referral_id = $1 FOR UPDATE"


async def locked_of(tx: Transaction, referral_id: UUID) -> Guarantee:
    """Lock the guarantee of a referral; raises LookupError where it has none."""
    guarantee = await tx.row(Guarantee, _LOCKED, referral_id)
    if guarantee is None:
        raise LookupError(f"referral {referral_id} has no guarantee")
    return guarantee


async def visible_to(tx: Transaction, principal: Principal, guarantee_id: UUID) -> Guarantee | None:
    """Read a guarantee that this caller may see, without a lock."""
    guarantee = core.columns(GuaranteeTable)
    wanted = select(*guarantee).where(guarantee.id == guarantee_id, scope.guarantees(principal))
    found = await tx.select(wanted)
    return Guarantee(**found[0]) if found else None


async def visible(
    tx: Transaction, *, scope_of: Principal, statuses: Collection[str]
) -> Sequence[GuaranteeOverview]:
    """Read the guarantees that a caller may see, the most urgent first; no `statuses` are all of them."""
    guarantee, referral = core.columns(GuaranteeTable), core.columns(ReferralTable)
    first = core.columns(AppointmentTable)
    lives = and_(
        first.referral_id == guarantee.referral_id,
        first.kind == AppointmentKind.FIRST,
        first.status.in_(LIVE_FIRST),
    )
    wanted = (
        select(
            *(guarantee[name] for name in ("referral_id", "patient_id", "site", "status")),
            *(guarantee[name] for name in ("raw_days", "adjusted_days")),
            *(referral[name] for name in ("programme", "sent_at", "complete_at", "due_on")),
            *(first[name].label(f"first_{name}") for name in ("id", "status", "starts_at")),
        )
        .join_from(GuaranteeTable, ReferralTable, referral.id == guarantee.referral_id)
        .outerjoin(AppointmentTable, lives)
        .where(scope.guarantees(scope_of))
        .order_by(referral.due_at, guarantee.id)
    )
    if statuses:
        wanted = wanted.where(col(GuaranteeTable.status).in_(statuses))
    return [GuaranteeOverview(**record) for record in await tx.select(wanted)]
