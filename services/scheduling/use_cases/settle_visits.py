"""See to the booked visits of a site that no longer fit, now that its roster has changed.

- A visit whose clinician or room is not there any more gets a colleague or another room at its own time,
  where one is free, and that is published. Everything else stands in the site's Task, and is moved by nobody.
- A freed time that is not there any more is offered to nobody.
- What the Task names already, and what a coordinator has settled, is not looked at again.
- The referrals are locked before their visits, in the order of their ids, and a visit that changed
  meanwhile is taken as it is then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.roster_changes import AffectedVisit, Placement
from services.scheduling.models.rows import Appointment, Referral, ReplanTask
from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.use_cases import freed_time, record, replan
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import FIRST_KINDS

_ROUNDS = 5


async def run(ctx: Context, tx: Transaction, site_id: str) -> None:
    """Place what can be placed at its own time, and name the rest in the site's Task."""
    site = ctx.clinic.site(site_id)
    await queries.tasks.lock_site(tx, site_id)
    task = await queries.tasks.open_of(tx, site_id)
    settled = await queries.tasks.settled_of(tx, site_id)
    visits = await queries.appointments.to_come_at(tx, site_id, after=ctx.at)
    found = await _conflicts(ctx, tx, site, visits)
    if news := _news(found, task=task, settled=settled):
        await _place_all(ctx, tx, site, [conflict.appointment for conflict in news])
        visits = await queries.appointments.to_come_at(tx, site_id, after=ctx.at)
        found = await _conflicts(ctx, tx, site, visits)
    await replan.record_conflicts(ctx, tx, site, task, conflicts=found, settled=settled)
    await freed_time.withdraw_gone(ctx, tx, site_id)


async def preview(ctx: Context, tx: Transaction, site_id: str) -> list[AffectedVisit]:
    """Return what `run` would do with each visit that is not named yet, and write nothing."""
    site = ctx.clinic.site(site_id)
    task = await queries.tasks.open_seen(tx, site_id)
    settled = await queries.tasks.settled_of(tx, site_id)
    visits = await queries.appointments.to_come_at(tx, site_id, after=ctx.at)
    news = _news(await _conflicts(ctx, tx, site, visits), task=task, settled=settled)
    referrals = await queries.board.referrals_of(tx, {row.referral_id for row in visits}) if news else {}
    rows = {row.id: row for row in visits}
    chosen: dict[str, list[Span]] = defaultdict(list)
    affected = []
    for conflict in news:
        row = rows[conflict.appointment]
        one = await _affected(ctx, tx, row, conflict, referrals=referrals, chosen=chosen)
        if one.placement is not None:
            for key in record.claim_of(row, _candidate(ctx, row, one.placement)).resources:
                chosen[key].append(_span(row))
        affected.append(one)
    return affected


async def _conflicts(
    ctx: Context, tx: Transaction, site: Site, visits: Sequence[Appointment]
) -> list[VisitConflict]:
    merged = await queries.referrals.merged(tx)
    return rules.conflicts.of_visits(visits, clinic=ctx.clinic, site=site, merged=merged)


def _news(
    found: Iterable[VisitConflict], *, task: ReplanTask | None, settled: Sequence[VisitConflict]
) -> list[VisitConflict]:
    """List what the Task does not name yet and nobody has settled."""
    known = [*settled, *(task.visits if task else ())]
    return [conflict for conflict in found if conflict not in known]


async def _place_all(ctx: Context, tx: Transaction, site: Site, named: Collection[UUID]) -> None:
    visits = await queries.appointments.to_come_of(tx, named, after=ctx.at)
    referrals = await queries.referrals.locked_all(tx, {row.referral_id for row in visits})
    visits = await queries.appointments.to_come_locked(tx, named, after=ctx.at)
    for conflict in await _conflicts(ctx, tx, site, visits):
        row = next(row for row in visits if row.id == conflict.appointment)
        await _place(ctx, tx, row, conflict, referrals=referrals)


async def _place(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    conflict: VisitConflict,
    *,
    referrals: Mapping[UUID, Referral],
) -> None:
    for _ in range(_ROUNDS):
        affected = await _affected(ctx, tx, row, conflict, referrals=referrals, chosen={})
        if affected.placement is None:
            return
        place = _candidate(ctx, row, affected.placement)
        claim = record.claim_of(row, place)
        if await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True):
            record.put_into(row, place)
            await _save(ctx, tx, row, referral=affected.referral)
            return


async def _save(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> None:
    if row.kind in FIRST_KINDS:
        await record.save_first(ctx, tx, row, events.AppointmentReassigned, referral=referral)
    else:
        await record.save_visit(ctx, tx, row, events.AppointmentReassigned)


async def _affected(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    conflict: VisitConflict,
    *,
    referrals: Mapping[UUID, Referral],
    chosen: Mapping[str, Sequence[Span]],
) -> AffectedVisit:
    """Decide about a visit; what was `chosen` for others before it counts as taken."""
    referral = referrals[row.referral_id]
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    if need is None:
        return AffectedVisit(row=row, referral=referral, conflict=conflict)
    window = need.taken_by(_span(row))
    taken = await queries.occupancy.taken(tx, need.resources, window=window, at=ctx.at, but_not=[row.id])
    taken = {key: [*taken.get(key, ()), *chosen.get(key, ())] for key in need.resources}
    placement = rules.reassignment.placement_of(row, conflict, referral=referral, need=need, taken=taken)
    return AffectedVisit(row=row, referral=referral, conflict=conflict, placement=placement)


def _candidate(ctx: Context, row: Appointment, placement: Placement) -> Candidate:
    """Return what a visit takes with another clinician or room; its equipment stays."""
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    place = None if need is None else rules.correction.own_place(row, need=need)
    if place is None:
        raise LookupError(f"appointment {row.id} has a placement and needs nothing")
    return replace(place, person=placement.person, room=placement.room)


def _span(row: Appointment) -> Span:
    if row.starts_at is None or row.ends_at is None:
        raise LookupError(f"appointment {row.id} stands in the calendar and has no time")
    return Span(row.starts_at, row.ends_at)
