"""Call off, at the time at which it would begin, a visit that nobody is there for and nobody has decided
about.

The clinic calls it off, with why, and a first visit is booked again. What a coordinator has settled by
hand, and what has another reason than that nobody is there, stays as it is.
"""

from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import change
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, site_id: str, *, cache: AvailabilityCache) -> None:
    """Call off what of a site's open Task begins now or has begun, and has nobody."""
    site = next((site for site in ctx.clinic.sites if site.id == site_id), None)
    if site is None:
        return
    await queries.tasks.lock_site(tx, site_id)
    task = await queries.tasks.open_of(tx, site_id)
    begun = [] if task is None else [one.appointment for one in task.visits if one.starts_at <= ctx.at]
    for appointment_id in begun:
        found = await _locked(tx, appointment_id)
        if found is not None:
            await _call_off(ctx, tx, *found, site=site, cache=cache)


async def _locked(tx: Transaction, appointment_id: UUID) -> tuple[Referral, Appointment] | None:
    """Lock a visit, its referral first; None for one that is called off, was moved or has a record."""
    referral = await queries.referrals.locked_of(tx, appointment_id)
    row = await queries.appointments.locked(tx, appointment_id)
    if referral is None or row is None or row.status != AppointmentStatus.BOOKED:
        return None
    return referral, row


async def _call_off(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    row: Appointment,
    *,
    site: Site,
    cache: AvailabilityCache,
) -> None:
    if row.starts_at is None or row.starts_at > ctx.at:
        return
    for conflict in rules.conflicts.of_visits([row], clinic=ctx.clinic, site=site, merged={}):
        because = next((one for one in conflict.reasons if one.code in rules.conflicts.UNATTENDED), None)
        if because is not None:
            await change.call_off(ctx, tx, row, because=because, referral=referral, cache=cache)
