"""Series of sessions, and what the payer's newest answer grants for them."""

from uuid import UUID

from sqlalchemy import select

from services.scheduling.models.rows import Funding, Series
from services.scheduling.models.tables import SeriesTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core

_LOCKED = "SELECT * FROM series WHERE referral_id = $1 FOR UPDATE"
_FUNDING = "SELECT * FROM funding WHERE referral_id = $1"


async def locked_of(tx: Transaction, referral_id: UUID) -> Series | None:
    """Lock the series of a referral."""
    return await tx.row(Series, _LOCKED, referral_id)


async def visible(tx: Transaction, series_id: UUID, *, scope_of: Principal) -> Series | None:
    """Read a series that this caller may see, without a lock."""
    columns = core.columns(SeriesTable)
    found = await tx.select(select(*columns).where(columns.id == series_id, scope.series(scope_of)))
    return Series(**found[0]) if found else None


async def funding_of(tx: Transaction, referral_id: UUID) -> Funding | None:
    """Read the payer's newest answer for a referral."""
    return await tx.row(Funding, _FUNDING, referral_id)
