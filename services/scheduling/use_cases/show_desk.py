"""Show a day of a site to the desk: every visit of it, who comes, and what became of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.acts import AppointmentFacts
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskVisit:
    """A visit of the day with what decides which acts are possible, and who the patient is."""

    facts: AppointmentFacts
    person: KnownPerson | None

    @property
    def row(self) -> Appointment:
        """The appointment."""
        return self.facts.row


async def run(ctx: Context, tx: Transaction, day: date, *, site: Site) -> Sequence[DeskVisit]:
    """Return the visits of a local day, the earliest first; who left without being seen among them."""
    window = Span(
        rules.calendar.local_day_start(day, site.zone), rules.calendar.local_day_end(day, site.zone)
    )
    rows = await queries.calendar.of_the_desk(tx, ctx.caller, site=site.id, window=window)
    if not rows:
        return []
    wanted = {row.referral_id for row in rows}
    referrals = await queries.board.referrals_of(tx, wanted)
    people = await queries.board.people(tx, referrals.values())
    firsts: dict[UUID, list[Appointment]] = defaultdict(list)
    for first in await queries.worklist.firsts_of(tx, wanted):
        firsts[first.referral_id].append(first)
    return [
        DeskVisit(
            facts=AppointmentFacts(
                row=row, referral=referrals[row.referral_id], firsts=firsts[row.referral_id]
            ),
            person=people[row.referral_id],
        )
        for row in rows
    ]
