"""Say that somebody is away or a site is closed, change that, or take it back."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models.roster_changes import AbsenceChange, AffectedVisit
from services.scheduling.models.rows import UnavailableTime
from services.scheduling.models.spans import Span
from services.scheduling.states import AbsenceStatus
from services.scheduling.use_cases import change_roster, settle_visits
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound
from shared.fhir import store
from shared.roster.rows import RosterRow

_LONGEST_DAYS = 732


async def create(ctx: Context, tx: Transaction, change: AbsenceChange) -> UnavailableTime:
    """Record an absence or a closed time, and see to the visits that it meets."""
    ctx, roster = await change_roster.locked(ctx, tx)
    row = _row(ctx, change)
    await _check(ctx, tx, change, row=row)
    await store.insert(tx, row, fhir.unavailable.render(ctx, row, comment=change.comment), at=ctx.at)
    await _apply(ctx, tx, roster)
    return row


async def update(
    ctx: Context,
    tx: Transaction,
    wanted: str,
    change: AbsenceChange,
    *,
    expect: Callable[[UnavailableTime], None],
) -> UnavailableTime:
    """Change an absence or a closed time, or say that it was an error; raises NotFound.

    Nothing happens where nothing differs.
    """
    ctx, roster = await change_roster.locked(ctx, tx)
    row = await _locked(tx, wanted, site=roster.site)
    expect(row)
    if change.person != row.person:
        raise Invalid("an absence stays its person's; write another one", expression="Slot.schedule")
    if _asked(row, fhir.unavailable.comment_of(row)) == change:
        return row
    if row.status == AbsenceStatus.IN_ERROR:
        raise Invalid("it was an error and stays one; write another one", expression="Slot.status")
    await _check(ctx, tx, change, row=row)
    await _write(ctx, tx, roster, row, change)
    return row


async def _locked(tx: Transaction, wanted: str, *, site: str) -> UnavailableTime:
    row = await queries.unavailable.locked(tx, _uuid(wanted), site=site)
    if row is None:
        raise NotFound(f"there is no Slot/{wanted[:64]}")
    return row


async def _write(
    ctx: Context, tx: Transaction, roster: RosterRow, row: UnavailableTime, change: AbsenceChange
) -> None:
    """Write a new version of an absence, and the roster that follows from it."""
    row.status = AbsenceStatus.IN_ERROR if change.is_error else AbsenceStatus.UNAVAILABLE
    row.starts_at, row.ends_at = change.starts_at, change.ends_at
    body = fhir.unavailable.render(ctx, row, comment=change.comment)
    columns = {name: getattr(row, name) for name in ("status", "starts_at", "ends_at")}
    await store.update(tx, row, body, at=ctx.at, **columns)
    await _apply(ctx, tx, roster)


async def remove(
    ctx: Context, tx: Transaction, wanted: str, *, expect: Callable[[UnavailableTime], None]
) -> UnavailableTime:
    """Say that an absence or a closed time was an error, as `update` does; raises NotFound.

    Nothing happens where that was said before.
    """
    ctx, roster = await change_roster.locked(ctx, tx)
    row = await _locked(tx, wanted, site=roster.site)
    expect(row)
    if row.status != AbsenceStatus.IN_ERROR:
        stands = _asked(row, fhir.unavailable.comment_of(row))
        await _write(ctx, tx, roster, row, replace(stands, is_error=True))
    return row


async def preview(
    ctx: Context, tx: Transaction, change: AbsenceChange, *, of: str | None
) -> list[AffectedVisit]:
    """Return the visits that a change would concern, and what would become of each; writes nothing.

    `of` is the id of the one that would change, None for a new one.
    """
    ctx, roster = await change_roster.seen(ctx, tx)
    site_id = roster.site
    known = None if of is None else await queries.unavailable.seen(tx, _uuid(of), site=site_id)
    row = known or _row(ctx, change)
    await _check(ctx, tx, change, row=row)
    others = [one for one in await queries.unavailable.of_site(tx, site_id) if one.id != row.id]
    changed = [] if change.is_error else [_row(ctx, change)]
    zone = ctx.clinic.site(site_id).zone
    wanted = rules.roster.with_absences(roster.roster, [*others, *changed], zone=zone)
    return await settle_visits.preview(change_roster.with_roster(ctx, wanted), tx, site_id)


async def _apply(ctx: Context, tx: Transaction, roster: RosterRow) -> None:
    """Bring a roster to the absences and closed days that are recorded now."""
    rows = await queries.unavailable.of_site(tx, roster.site)
    zone = ctx.clinic.site(roster.site).zone
    await change_roster.run(ctx, tx, roster, rules.roster.with_absences(roster.roster, rows, zone=zone))


async def _check(ctx: Context, tx: Transaction, change: AbsenceChange, *, row: UnavailableTime) -> None:
    """Refuse what is no time, and what is said already; raises Invalid and CannotChangeRoster."""
    site, span = ctx.clinic.site(row.site), Span(change.starts_at, change.ends_at)
    if change.is_error:
        return
    if span.end <= ctx.at:
        raise Invalid("it is over, and nothing would follow from it", expression="Slot.end")
    if (span.end - span.start).days > _LONGEST_DAYS:
        raise Invalid(f"it lasts at most {_LONGEST_DAYS} days", expression="Slot.end")
    if change.person is None and not rules.roster.is_whole_days(span, zone=site.zone):
        text = f"a site is closed on whole days, from midnight to midnight in {site.time_zone}"
        raise Invalid(text, expression="Slot.start")
    found = await queries.unavailable.meeting(tx, row.site, window=span)
    why = rules.roster.why_not_away(change.person, among=[one for one in found if one.id != row.id])
    if why is not None:
        raise rules.roster.refusal(why, clinic=ctx.clinic, site=site, expression="Slot.start")


def _row(ctx: Context, change: AbsenceChange) -> UnavailableTime:
    return UnavailableTime(
        site=str(ctx.caller.site),
        person=change.person,
        starts_at=change.starts_at,
        ends_at=change.ends_at,
    )


def _asked(row: UnavailableTime, comment: str | None) -> AbsenceChange:
    """Return the change that would leave an absence as it is."""
    return AbsenceChange(
        person=row.person,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        comment=comment,
        is_error=row.status == AbsenceStatus.IN_ERROR,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"there is no Slot/{text[:64]}") from None
