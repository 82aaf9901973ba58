"""Keep in the guarantees what the plan of an evening says of those who go on waiting for a day.

Whose planned day is too late, or who has none, has a guarantee that is foreseen to break; a later plan that
finds a day in time takes that back. Each is published once: an evening that says what the one before said
changes nothing.
"""

from collections.abc import Mapping
from uuid import UUID

from services.scheduling import queries
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import record, record_guarantee
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, is_late: Mapping[UUID, bool]) -> None:
    """Write and publish what a plan says of first visits, by their ids, where it is new.

    Who was booked, or whose referral ended, since the plan was read is worked out by what is true now.
    """
    late = [visit for visit, is_so in is_late.items() if is_so]
    in_time = [visit for visit, is_so in is_late.items() if not is_so]
    new = await queries.guarantees.said_otherwise(tx, late=late, in_time=in_time)
    if not new:
        return
    referrals = await queries.referrals.locked_all(tx, new)
    firsts = await queries.appointments.firsts_of_all(tx, referrals)
    guarantees = await queries.guarantees.locked_all(tx, referrals)
    evaluated = []
    for id, referral in referrals.items():
        said = [is_late[row.id] for row in firsts[id] if row.id in is_late]
        waits = any(row.status == AppointmentStatus.PROPOSED for row in firsts[id])
        evaluated.append(
            record_guarantee.evaluate(
                ctx, guarantees[id], referral, firsts[id], is_late_by_plan=waits and any(said)
            )
        )
    await record_guarantee.save_guarantee(tx, *evaluated)
    await record.publish_guarantee_event(ctx, tx, *evaluated)
