"""Count a session that took place among the units of its referral's Claim, and take one back that did not.

One that was called off so late that its payer counts it all the same counts too, until that is corrected.
"""

from uuid import UUID

import msgspec

from services.referral import fhir, queries
from services.referral.models.rows import HeldSession
from services.referral.use_cases.follow import Followed
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import reading
from shared.events.catalog.scheduling import (
    AppointmentCancelled,
    AppointmentCorrected,
    AppointmentEvent,
    AppointmentFulfilled,
)
from shared.events.inbox.handling import NotYet
from shared.fhir import store

# By this reason scheduling says that a session was called off so late that its unit is used.
_LATE = "late-uses-a-unit"


async def run(
    ctx: Context, tx: Transaction, event: AppointmentEvent, *, referral_id: UUID | None, followed: Followed
) -> None:
    """Follow what became of a session; the Claim gets a version that says how many units are used.

    Where nobody knows the discipline any more, the Claim's units are unknown from then on. Raises NotYet for
    a referral that we do not know (yet).
    """
    is_corrected = isinstance(event, AppointmentCorrected)
    if not event.is_session or not (is_corrected or _uses_a_unit(event)):
        return
    if referral_id is None or referral_id not in followed.files:
        raise NotYet("a session is about a referral that is not here")
    appointment_id = UUID(event.focus["id"])
    if is_corrected and event.focus["status"] != "fulfilled":
        changed = await queries.units.take_back(tx, appointment_id)
        is_known = True
    else:
        product = _product(ctx, event)
        session = HeldSession(appointment_id=appointment_id, referral_id=referral_id, product=product)
        changed, is_known = await queries.units.record(tx, session), bool(product)
    if changed:
        await _say(ctx, tx, referral_id, is_known=is_known)


def _uses_a_unit(event: AppointmentEvent) -> bool:
    if isinstance(event, AppointmentCancelled):
        return any(reason.code == _LATE for reason in event.reasons)
    return isinstance(event, AppointmentFulfilled)


async def _say(ctx: Context, tx: Transaction, referral_id: UUID, *, is_known: bool) -> None:
    used = (await queries.units.used(tx, [referral_id]))[referral_id]
    for claim in await queries.claims.of_referral(tx, referral_id):
        known = claim.units_known and is_known
        overlay = fhir.authorization.with_used(msgspec.json.decode(claim.body), used if known else None)
        await store.update(tx, claim, claim.body, at=ctx.at, overlay=overlay, units_known=known)


def _product(ctx: Context, event: AppointmentEvent) -> str:
    """Name what a session is in a Claim, by the clinician's discipline; empty where that is not known."""
    treating = set(reading.people_in(event.focus["participant"], "actor"))
    disciplines = (person.discipline for person in ctx.clinic.people if person.id in treating)
    return next((f"{discipline}-session" for discipline in disciplines), "")
