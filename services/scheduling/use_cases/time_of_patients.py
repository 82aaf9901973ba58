"""Work out when patients cannot be booked: away, with something else, or at a time that was given up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Referral
from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules.needs import patient_key
from shared.context import Context
from shared.db import Transaction


@dataclass(frozen=True, kw_only=True)
class WhenNot:
    """When a patient cannot come at all, and when not with a clinician or in a room."""

    never: Sequence[Span] = ()
    barred: Taken = field(default_factory=lambda: NOTHING_TAKEN)


async def run(
    ctx: Context, tx: Transaction, referrals: Collection[Referral], *, window: Span
) -> Mapping[UUID, WhenNot]:
    """Return when the patients of referrals cannot be booked, by the referral's id; one read for all."""
    patients = {referral.patient_id for referral in referrals}
    keys = [patient_key(patient) for patient in patients]
    has, given_up = await queries.given_up.and_taken(tx, keys, patients=patients, window=window, at=ctx.at)
    found = {}
    for referral in referrals:
        patient = referral.patient_id
        barred, busy = given_up.get(patient, NOTHING_TAKEN), has.get(patient_key(patient), ())
        never = rules.given_up.never_for(patient, away=referral.away, has=busy, given_up=barred)
        found[referral.id] = WhenNot(never=never, barred=barred)
    return found
