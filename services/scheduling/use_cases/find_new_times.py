"""Find times for visits that no longer fit, and take none of them.

Each visit is shown the earliest time of each of a few days; no two visits are shown one time as their first,
since only one could have it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.replanning import OfferedTime
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import NOTHING_TAKEN, Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.needs import Need
from services.scheduling.use_cases import move, record, time_of_patients
from services.scheduling.use_cases.time_of_patients import WhenNot
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.fhir.codes import AppointmentKind

_DAYS_SHOWN = 3
_LOOK = timedelta(weeks=4)
# Of a longer list the rest have no times shown; they begin later.
_AT_ONCE = 30

Allowed = Callable[[datetime], bool]


class _Calendar:
    """What is taken in the weeks to come, as far as it was read, with what was shown to visits before."""

    def __init__(self, window: Span) -> None:
        self.window = window
        self.taken: dict[str, list[Span]] = {}

    async def read(self, tx: Transaction, need: Need, *, at: datetime) -> None:
        """Read what of a need was not read yet; `at` is now."""
        new = [key for key in need.resources if key not in self.taken]
        found = NOTHING_TAKEN
        if new:
            found = await queries.occupancy.taken(tx, new, window=self.window, at=at)
        self.taken |= {key: list(found.get(key, ())) for key in new}

    def show(self, row: Appointment, candidate: Candidate) -> None:
        """Count what a visit was shown as taken."""
        for key in record.claim_of(row, candidate).resources:
            self.taken.setdefault(key, []).append(candidate.taken)


async def run(
    ctx: Context,
    tx: Transaction,
    rows: Sequence[Appointment],
    *,
    referrals: Mapping[UUID, Referral],
    site: Site,
) -> dict[UUID, list[OfferedTime]]:
    """Return the times that are free, by the visit's id, for the first of these visits."""
    asked = rows[:_AT_ONCE]
    start = rules.notice.earliest_start(now=ctx.at, zone=site.zone)
    calendar = _Calendar(Span(start, start + _LOOK))
    of_asked = [referrals[row.referral_id] for row in asked]
    when_not = await time_of_patients.run(ctx, tx, of_asked, window=calendar.window)
    found = {}
    for row in asked:
        referral = referrals[row.referral_id]
        times = await _times(ctx, tx, row, referral, calendar=calendar, when_not=when_not[referral.id])
        found[row.id] = [
            OfferedTime(start=one.span.start, end=one.span.end, practitioner=one.person) for one in times
        ]
    return found


async def _times(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    referral: Referral,
    *,
    calendar: _Calendar,
    when_not: WhenNot,
) -> list[Candidate]:
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    if need is None:
        return []
    await calendar.read(tx, need, at=ctx.at)
    allowed = await _allowed(ctx, tx, row, referral=referral)
    order = rules.candidates.in_order(
        need,
        taken=calendar.taken,
        never=when_not.never,
        barred=when_not.barred,
        window=calendar.window,
    )
    times = list(_first_of_days(order, allowed, site=need.site))
    if times:
        calendar.show(row, times[0])
    return times


def _first_of_days(order: Iterator[Candidate], allowed: Allowed, *, site: Site) -> Iterator[Candidate]:
    """Go through the earliest time of each of the first days that have one."""
    days: set[date] = set()
    for candidate in order:
        day = candidate.span.start.astimezone(site.zone).date()
        if day not in days and allowed(candidate.span.start):
            days.add(day)
            yield candidate
            if len(days) == _DAYS_SHOWN:
                return


async def _allowed(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> Allowed:
    """Return what tells whether a visit may begin at a time: a session only inside its grant and pace."""
    if row.kind != AppointmentKind.SESSION:
        return lambda _: True
    check = await move.session_check(ctx, tx, row, referral=referral)

    def fits(start: datetime) -> bool:
        try:
            check(start)
        except CannotMove:
            return False
        return True

    return fits
