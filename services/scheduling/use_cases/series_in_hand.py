"""A series that a person changes: locked with its sessions, and what is answered of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scheduling import queries, rules, texts
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.models.series_change import ChangedSeries, ChangedSession, SeriesChange
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement
from services.scheduling.states import SeriesStatus
from services.scheduling.use_cases import reconcile_series, record
from services.scheduling.use_cases.change import VisitOfAnother
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.reasons import Reason, said


class CannotChangeSeries(Conflict):
    """The act cannot be done with this series now; the text says what stands in the way, and when."""


@dataclass(frozen=True, kw_only=True)
class SeriesInHand:
    """A series as it was before the act: `version` is the one that the act began with."""

    referral: Referral
    series: Series
    sessions: Sequence[Appointment]
    version: int


async def take(ctx: Context, tx: Transaction, series_id: str) -> SeriesInHand:
    """Lock a series that the caller may see, with its referral; raises NotFound for any other."""
    unknown = NotFound(f"there is no List/{series_id}")
    try:
        wanted = UUID(series_id)
    except ValueError:
        raise unknown from None
    seen = await queries.series.visible(tx, wanted, scope_of=ctx.caller)
    referral = None if seen is None else await queries.referrals.locked(tx, seen.referral_id)
    series = None if referral is None else await queries.series.locked_of(tx, referral.id)
    if referral is None or series is None:
        raise unknown
    sessions = await queries.appointments.sessions_of(tx, series.id)
    return SeriesInHand(referral=referral, series=series, sessions=sessions, version=series.version)


def anchor(hand: SeriesInHand, change: SeriesChange) -> Appointment | None:
    """Return the session that is named, None where none is; raises Invalid for one of another series."""
    if change.session is None:
        return None
    found = next((row for row in hand.sessions if row.id == change.session), None)
    if found is None:
        raise Invalid("names a session of this series", expression="session")
    return found


def own(ctx: Context, rows: Iterable[Appointment]) -> None:
    """Let a clinician change only what is all their own; raises VisitOfAnother."""
    for row in rows:
        if (why := rules.acts.may_change(ctx, row)) is not None:
            raise VisitOfAnother.because(why, texts.REASONS)


async def entitled(ctx: Context, tx: Transaction, hand: SeriesInHand) -> Entitlement:
    """Return what the series is entitled to now; raises CannotChangeSeries where that is nothing."""
    firsts = await queries.appointments.firsts_of(tx, hand.referral.id)
    found = await reconcile_series.entitlement_of(ctx, tx, hand.referral, firsts=firsts)
    if isinstance(found, NoEntitlement):
        raise refusal(ctx, hand, found.why)
    return found


async def answer(
    ctx: Context, tx: Transaction, hand: SeriesInHand, before: Mapping[UUID, datetime | None]
) -> ChangedSeries:
    """Give the series its next version, and return it with what was changed.

    `before` has the starts that sessions had.
    """
    series = await queries.series.locked_of(tx, hand.referral.id) or hand.series
    rows = await queries.appointments.sessions_of(tx, hand.series.id)
    if series.version == hand.version:
        status = SeriesStatus(series.status)
        await record.update_series(ctx, tx, series, status=status, because=series.reasons, sessions=rows)
    known = {row.id for row in hand.sessions}
    changed = [
        ChangedSession(row=row, was=before.get(row.id))
        for row in rows
        if row.id in before or row.id not in known
    ]
    return ChangedSeries(series=series, sessions=changed)


def refusal(ctx: Context, hand: SeriesInHand, *why: Reason) -> CannotChangeSeries:
    """Say why an act cannot be done with the series."""
    zone, words = ctx.clinic.site(hand.series.site).zone, texts.words_of(ctx.clinic)
    problems = [
        Problem(
            text=said(reason, texts.REASONS, zone=zone, words=words),
            code=CannotChangeSeries.code,
            reason=reason,
        )
        for reason in why
    ]
    return CannotChangeSeries(problems=problems)
