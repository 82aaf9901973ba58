"""Remind patients of their visits: one timer for each morning of a site on which somebody may be.

Invariants:
- A visit is reminded of once for each time that it has and each number of days before.
- A morning has a timer only where a patient who permits a channel has a visit a day or a week after it.
- Many are written a few hundred in one transaction; the timer stands until all of a morning are.
"""

from collections.abc import Collection, Sequence

from services.notifications import queries
from services.notifications.models.rows import KnownPatient, KnownVisit, Notification
from services.notifications.rules import delivery, patient_news
from services.notifications.states import BOOKED, Channel
from services.notifications.use_cases import end
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.codes import REMINDER
from shared.timers import Timer

KIND = "remind"
AT_ONCE = 500


def timers_for(ctx: Context, visits: Sequence[KnownVisit]) -> list[Timer]:
    """Make the timers of the mornings on which the patient of these visits is to be reminded."""
    return [timer for visit in visits if visit.status == BOOKED for timer in _mornings(ctx, visit)]


async def of_patient(ctx: Context, tx: Transaction, patient: KnownPatient) -> None:
    """See that a patient is reminded of what is booked, now that they permit a channel."""
    if patient.channel_consents:
        visits = await queries.visits.of_patient(tx, patient.id, now=ctx.at)
        await timers.schedule_all(tx, timers_for(ctx, visits))


async def run(ctx: Context, tx: Transaction, timer: Timer, *, without: Collection[Channel]) -> None:
    """Write the reminders of a site's morning, a few hundred at a time: the rest is due at once."""
    site_id, morning, *after = timer.ref.split("/")
    site = ctx.clinic.site(site_id)
    days, last = (int(after[0]), after[1]) if after else (patient_news.DEFAULT_DAYS[0], "")
    between = patient_news.day_ahead(morning, days, site)
    visits = await queries.visits.to_remind(
        tx, site=site.id, between=between, days=days, after=last, limit=AT_ONCE
    )
    await _write(ctx, tx, [visit for visit in visits if visit.starts_at > ctx.at], days=days, without=without)
    rest = _rest(days, visits)
    if rest is not None:
        ref = f"{site_id}/{morning}/{rest[0]}/{rest[1]}"
        await timers.schedule(tx, kind=KIND, ref=ref, due=ctx.at)


def _rest(days: int, visits: Sequence[KnownVisit]) -> tuple[int, str] | None:
    """Say where the next part of a morning begins: after the last visit, or with the next number of days."""
    if len(visits) == AT_ONCE:
        return days, visits[-1].id
    following = [ahead for ahead in patient_news.DEFAULT_DAYS if ahead < days]
    return (following[0], "") if following else None


async def _write(
    ctx: Context, tx: Transaction, visits: Sequence[KnownVisit], *, days: int, without: Collection[Channel]
) -> None:
    patients = await queries.patients.named(tx, {visit.patient_id for visit in visits})
    rows = [row for visit in visits for row in _messages(ctx, visit, patients[visit.patient_id], days=days)]
    known = await queries.messages.written(tx, [row.event_id for row in rows])
    rows = [row for row in rows if row.event_id not in known]
    ended = []
    for row in rows:
        if row.channel in without:
            end.apply(ctx, row, reason=delivery.NO_WAY[Channel(row.channel)])
            ended.append(row)
        store.fill(row, end.render(ctx, row, ()), at=ctx.at)
    await end.announce(ctx, tx, ended, new=True)
    await tx.insert(*rows)


def _messages(ctx: Context, visit: KnownVisit, patient: KnownPatient, *, days: int) -> list[Notification]:
    today = ctx.at.astimezone(ctx.clinic.site(visit.site).zone).date()
    return [
        Notification(
            event_id=patient_news.reminder_id(visit, days=days),
            event_type=REMINDER,
            event_key=visit.patient_id,
            audience=message.audience,
            recipient=message.recipient,
            recipient_id=visit.patient_id,
            channel=message.channel,
            focus=f"Appointment/{visit.id}",
            referral_id=visit.referral_id,
            patient_id=visit.patient_id,
            site=visit.site,
            visit_id=visit.id,
            visit_starts_at=visit.starts_at,
            created_at=ctx.at,
            next_attempt_at=ctx.at,
        )
        for message in patient_news.message_to(patient, today=today)
    ]


def _mornings(ctx: Context, visit: KnownVisit) -> list[Timer]:
    zone = ctx.clinic.site(visit.site).zone
    return [
        Timer(kind=KIND, ref=f"{visit.site}/{morning.date().isoformat()}", due_at=morning)
        for morning in patient_news.mornings(visit, zone, now=ctx.at)
    ]
